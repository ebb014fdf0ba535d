/* SPDX-License-Identifier: MIT */
/*
 * What a refusal means: Salesforce's errorCode to an errno and a sentence.
 *
 * Bodies come in many shapes (salesforce-api.md 6.1): an array of {message, errorCode, fields}, one
 * such object, {statusCode, message, fields} rows of collections and trees, {error,
 * error_description} of OAuth, XML of old resources, and web pages under any status. All end in the
 * same struct error. Codes are matched, never messages: those follow the user's language. The one
 * exception is REQUEST_LIMIT_EXCEEDED, which has one code for two limits.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

/* Larger error bodies are not worth a parse. */
#define PARSE_LIMIT_BYTES (1u << 20)

struct code_row {
	const char *code; /* a closing * stands for any ending */
	int errnum;
	const char *mend; /* what to do next, or NULL */
};

#define MEND_PERMISSION "ask the org's administrator for the permission"

/* Exact rows before the ones with a star. */
static const struct code_row code_rows[] = {
	{"INVALID_SESSION_ID", EACCES, "run: forcefs doctor"},
	{"INVALID_AUTH_HEADER", EACCES, "run: forcefs doctor"},
	{"INVALID_LOGIN", EACCES, "log in again with: forcefs login"},
	{"REQUEST_LIMIT_EXCEEDED", EDQUOT, "calls work again as the rolling day moves on"},
	{"API_DISABLED_FOR_ORG", EACCES, "the org's edition or the user's profile lacks the API"},
	{"API_CURRENTLY_DISABLED", EACCES, "the org's edition or the user's profile lacks the API"},
	{"FUNCTIONALITY_NOT_ENABLED", EACCES, MEND_PERMISSION},
	{"INSUFFICIENT_ACCESS", EACCES, MEND_PERMISSION},
	{"INSUFFICIENT_ACCESS_OR_READONLY", EACCES, MEND_PERMISSION},
	{"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", EACCES, MEND_PERMISSION},
	{"INVALID_OPERATION_WITH_EXPIRED_PASSWORD", EACCES, "set a new password in the browser"},
	{"NOT_FOUND", ENOENT, NULL},
	{"ENTITY_IS_DELETED", ENOENT, NULL},
	{"INVALID_CROSS_REFERENCE_KEY", ENOENT, NULL},
	{"INVALID_CROSS_REFERENCE_ID", ENOENT, NULL},
	{"INVALID_TYPE", ENOENT, NULL},
	{"INVALID_FIELD", EINVAL, NULL},
	{"INVALID_FIELD_FOR_INSERT_UPDATE", EACCES, NULL},
	{"INVALID_READ_ONLY_USER_DML", EACCES, NULL},
	{"MALFORMED_ID", EINVAL, NULL},
	{"MALFORMED_QUERY", EINVAL, NULL},
	{"MALFORMED_SEARCH", EINVAL, NULL},
	{"JSON_PARSER_ERROR", EINVAL, NULL},
	{"INVALID_QUERY_FILTER_OPERATOR", EINVAL, NULL},
	{"DUPLICATE_VALUE", EEXIST, NULL},
	{"DUPLICATES_DETECTED", EEXIST, NULL},
	{"DUPLICATE_*", EINVAL, NULL},
	{"INVALID_TYPE_FOR_OPERATION", EPERM, NULL},
	{"EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION", EPERM, NULL},
	{"ID_REQUIRED", EPERM, NULL},
	{"BIG_OBJECT_UNSUPPORTED_OPERATION", EPERM, NULL},
	{"DATACLOUD_API_DISABLED_EXCEPTION", EPERM, NULL},
	{"REQUIRED_FIELD_MISSING", EINVAL, NULL},
	{"FIELD_CUSTOM_VALIDATION_EXCEPTION", EINVAL, NULL},
	{"FIELD_FILTER_VALIDATION_EXCEPTION", EINVAL, NULL},
	{"FIELD_INTEGRITY_EXCEPTION", EINVAL, NULL},
	{"INVALID_EMAIL_ADDRESS", EINVAL, NULL},
	{"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", EINVAL, NULL},
	{"NUMBER_OUTSIDE_VALID_RANGE", EINVAL, NULL},
	{"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", EINVAL, NULL},
	{"STRING_TOO_LONG", EINVAL, NULL},
	{"MISSING_ARGUMENT", EINVAL, NULL},
	{"DELETE_FAILED", EBUSY, NULL},
	{"DEPENDENCY_EXISTS", EBUSY, NULL},
	{"CANNOT_DELETE*", EBUSY, NULL},
	{"CANNOT_*", EACCES, NULL},
	{"UNABLE_TO_LOCK_ROW", EAGAIN, "try again: another save holds the record"},
	{"TXN_SECURITY_*", EACCES, NULL},
	{"ENTITY_IS_LOCKED", EACCES, "the record waits for an approval"},
	{"STORAGE_LIMIT_EXCEEDED", ENOSPC, "the org's data storage is full"},
	{"LIMIT_EXCEEDED", EAGAIN, "try again later"},
	{"TOO_MANY_APEX_REQUESTS", EAGAIN, "try again later"},
	{"QUERY_TIMEOUT", ETIMEDOUT, NULL},
	{"INVALID_QUERY_LOCATOR", ESTALE, "list the directory again"},
	{"QUERY_TOO_COMPLICATED", EFBIG,
		"the object has too many fields or formulas for one query"},
	{"OPERATION_TOO_LARGE", EFBIG, "the query touches too many rows or shares for this user"},
	{"INVALID_REPLICATION_DATE", EINVAL, NULL},
	{"EXCEEDED_ID_LIMIT", EINVAL, NULL},
	{"PROCESSING_HALTED", EIO, NULL},
	{"ALL_OR_NONE_OPERATION_ROLLED_BACK", EIO, NULL},
	{"BATCH_PROCESSING_HALTED", EIO, NULL},
	{"UNSUPPORTED_API_VERSION", EPROTONOSUPPORT, "set api_version to one that the org knows"},
	{"GONE", EPROTONOSUPPORT, "set api_version to one that the org knows"},
	{"METHOD_NOT_ALLOWED", EPERM, NULL},
	{"PRECONDITION_FAILED", ESTALE, NULL},
	{"URI_TOO_LONG", EINVAL, NULL},
	{"REQUEST_HEADER_FIELDS_TOO_LARGE", EINVAL, NULL},
	{"UNSUPPORTED_MEDIA_TYPE", EINVAL, NULL},
	{"UNKNOWN_EXCEPTION", EIO, NULL},
	{"APEX_ERROR", EIO, NULL},
	{"SERVER_UNAVAILABLE", EIO, "try again later"},
	{"EXTERNAL_OBJECT_*", EIO, NULL},
	{"INSUFFICIENT_ACCESS*", EACCES, MEND_PERMISSION},
};

static const struct {
	int status, errnum;
	const char *what;
} status_rows[] = {
	{400, EINVAL, "the request is not valid"},
	{401, EACCES, "the session is not valid"},
	{403, EACCES, "it is not allowed"},
	{404, ENOENT, "there is no such thing"},
	{405, EPERM, "the method is not allowed"},
	{406, EAGAIN, "not acceptable just now"},
	{409, EBUSY, "it conflicts with another change"},
	{410, EPROTONOSUPPORT, "this API version is retired: set api_version to a newer one"},
	{412, ESTALE, "the record has changed meanwhile"},
	{413, EFBIG, "the request is too big"},
	{414, EINVAL, "the request's address is too long"},
	{415, EINVAL, "the content type is not supported"},
	{420, EHOSTUNREACH, "the org has moved, expired or been deleted: check login_url"},
	{428, EINVAL, "the request must be conditional"},
	{429, EAGAIN, "too many requests: try again later"},
	{431, EINVAL, "the request's head is too long"},
	{500, EIO, "an error inside Salesforce"},
	{502, EIO, "the org's server does not answer: try again later"},
	{503, EIO, "the org is in maintenance or overloaded: try again later"},
	{504, EIO, "the org's server does not answer in time: try again later"},
};

bool sf_code(size_t i, const char **ret_code, int *ret_errnum)
{
	if (i >= sizeof(code_rows) / sizeof(code_rows[0])) {
		return false;
	}
	*ret_code = code_rows[i].code;
	*ret_errnum = code_rows[i].errnum;
	return true;
}

static bool code_fits(const char *row, const char *code)
{
	size_t n = strlen(row);

	if (row[n - 1] == '*') {
		return !strncmp(row, code, n - 1);
	}
	return !strcmp(row, code);
}

static const struct code_row *find_code(const char *code)
{
	for (size_t i = 0; i < sizeof(code_rows) / sizeof(code_rows[0]); i++) {
		if (code_fits(code_rows[i].code, code)) {
			return &code_rows[i];
		}
	}
	return NULL;
}

static bool is_concurrent_limit(const char *code, const char *message)
{
	return !strcmp(code, "REQUEST_LIMIT_EXCEEDED") && message &&
	       strcasestr(message, "concurrent");
}

int sf_error_errno(const char *code, const char *message)
{
	const struct code_row *row = find_code(code);

	if (!row) {
		return 0;
	}
	return is_concurrent_limit(code, message) ? EAGAIN : row->errnum;
}

static int status_errno(int status, const char **ret_what)
{
	for (size_t i = 0; i < sizeof(status_rows) / sizeof(status_rows[0]); i++) {
		if (status_rows[i].status == status) {
			*ret_what = status_rows[i].what;
			return status_rows[i].errnum;
		}
	}
	*ret_what = "the answer is not understood";
	return EIO;
}

bool sf_content_is_json(const char *content_type)
{
	size_t n = strlen(content_type);

	return !strcasecmp(content_type, "application/json") ||
	       (n > 5 && !strcasecmp(content_type + n - 5, "+json"));
}

bool sf_error_is(const struct error *err, const char *code)
{
	return !strcmp(err->code, code);
}

/* Moves back over the bytes of a character that was cut. */
static size_t whole_characters(const char *s, size_t len)
{
	size_t i = len;

	while (i > 0 && len - i < 4 && ((unsigned char)s[i - 1] & 0xC0) == 0x80) {
		i--;
	}
	if (i == 0 || (unsigned char)s[i - 1] < 0xC0) {
		return len;
	}
	unsigned char lead = (unsigned char)s[i - 1];
	size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;

	return len - (i - 1) < want ? i - 1 : len;
}

void sf_error_tidy(char *dst, size_t size, const char *src, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len && n + 1 < size; i++) {
		unsigned char c = (unsigned char)src[i];

		if (c > ' ' && c != 0x7f) {
			dst[n++] = (char)c;
		} else if (n > 0 && dst[n - 1] != ' ') {
			dst[n++] = ' ';
		}
	}
	n = whole_characters(dst, n);
	while (n > 0 && dst[n - 1] == ' ') {
		n--;
	}
	dst[n] = '\0';
}

/* What an error body said. */
struct refusal {
	char code[64];
	char message[320];
	char fields[128];
};

static void copy_text(char *dst, size_t size, json_t *value)
{
	const char *s = json_string_value(value);

	if (s) {
		sf_error_tidy(dst, size, s, json_string_length(value));
	}
}

static void copy_fields(struct refusal *r, json_t *fields)
{
	json_t *field;
	size_t i, used = 0;

	json_array_foreach(fields, i, field)
	{
		const char *name = json_string_value(field);

		if (!name || used + strlen(name) + 2 > sizeof(r->fields)) {
			break;
		}
		used += (size_t)snprintf(
			r->fields + used, sizeof(r->fields) - used, "%s%s", used ? "," : "", name);
	}
}

/* "duplicateResut" is how Salesforce itself spells it in places. */
static void add_duplicate_rule(struct refusal *r, json_t *o)
{
	json_t *result = json_object_get(o, "duplicateResut");
	char rule[80] = "";
	size_t used = strlen(r->message);

	if (!result) {
		result = json_object_get(o, "duplicateResult");
	}
	copy_text(rule, sizeof(rule), json_object_get(result, "duplicateRule"));
	if (rule[0] && used + strlen(rule) + 20 < sizeof(r->message)) {
		snprintf(r->message + used, sizeof(r->message) - used, "%s(duplicate rule %s)",
			used ? " " : "", rule);
	}
}

static bool read_object(struct refusal *r, json_t *o)
{
	json_t *code = json_object_get(o, "errorCode");
	json_t *message = json_object_get(o, "message");

	if (!code) {
		code = json_object_get(o, "statusCode");
	}
	if (!code) {
		code = json_object_get(o, "error");
		message = json_object_get(o, "error_description");
	}
	if (!json_is_string(code)) {
		return false;
	}
	copy_text(r->code, sizeof(r->code), code);
	copy_text(r->message, sizeof(r->message), message);
	copy_fields(r, json_object_get(o, "fields"));
	add_duplicate_rule(r, o);
	return true;
}

/* A part that only says that another one failed. */
static bool is_collateral(const struct refusal *r)
{
	return !strcmp(r->code, "PROCESSING_HALTED") ||
	       !strcmp(r->code, "ALL_OR_NONE_OPERATION_ROLLED_BACK") ||
	       !strcmp(r->code, "BATCH_PROCESSING_HALTED");
}

static bool read_value(struct refusal *r, json_t *value, int depth)
{
	static const char *const nests[] = {"errors", "results"};
	struct refusal first = {0};
	json_t *element;
	size_t i;

	if (depth > 4) {
		return false;
	}
	if (json_is_object(value)) {
		for (size_t n = 0; n < 2; n++) {
			if (read_value(r, json_object_get(value, nests[n]), depth + 1)) {
				return true;
			}
		}
		return read_object(r, value);
	}
	json_array_foreach(value, i, element)
	{
		struct refusal one = {0};

		if (!read_value(&one, element, depth + 1)) {
			continue;
		}
		if (!is_collateral(&one)) {
			*r = one;
			return true;
		}
		if (!first.code[0]) {
			first = one;
		}
	}
	if (first.code[0]) {
		*r = first;
	}
	return first.code[0] != '\0';
}

static bool read_json(struct refusal *r, const char *body, size_t len)
{
	json_t *value = json_loadb(body, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	bool found = value && read_value(r, value, 0);

	json_decref(value);
	return found;
}

static bool read_tag(char *dst, size_t size, const char *body, size_t len, const char *tag)
{
	char open[32];
	const char *start, *end;

	snprintf(open, sizeof(open), "<%s>", tag);
	start = memmem(body, len, open, strlen(open));
	if (!start) {
		return false;
	}
	start += strlen(open);
	end = memchr(start, '<', len - (size_t)(start - body));
	if (!end) {
		return false;
	}
	sf_error_tidy(dst, size, start, (size_t)(end - start));
	return true;
}

static bool read_xml(struct refusal *r, const char *body, size_t len)
{
	if (!read_tag(r->code, sizeof(r->code), body, len, "errorCode") &&
		!read_tag(r->code, sizeof(r->code), body, len, "exceptionCode")) {
		return false;
	}
	if (!read_tag(r->message, sizeof(r->message), body, len, "message")) {
		read_tag(r->message, sizeof(r->message), body, len, "exceptionMessage");
	}
	if (!strcmp(r->code, "InvalidSessionId")) {
		snprintf(r->code, sizeof(r->code), "INVALID_SESSION_ID");
	}
	return true;
}

static int tell_refusal(struct error *err, int status, const struct refusal *r)
{
	const char *what;
	const struct code_row *row = find_code(r->code);
	int errnum = sf_error_errno(r->code, r->message);
	const char *mend = row ? row->mend : NULL;

	if (!errnum) {
		/* An unknown code stays an I/O error unless the status is a plain word. */
		errnum = status == 401 || status == 403 ? EACCES : status == 404 ? ENOENT : EIO;
	}
	if (status == 429) {
		errnum = EAGAIN; /* a throttle, whatever its code says */
		mend = "try again later";
	}
	if (errnum == EAGAIN && is_concurrent_limit(r->code, r->message)) {
		mend = "try again: too many long calls of the org run at once";
	}
	status_errno(status, &what);
	error_set_code(err, errnum, status, r->code, "Salesforce refused (%s): %s%s%s", r->code,
		r->message[0] ? r->message : what, mend ? "; " : "", mend ? mend : "");
	if (err) {
		memcpy(err->fields, r->fields, sizeof(err->fields));
	}
	return -errnum;
}

int sf_error_not_json(int status, const char *content_type, struct error *err)
{
	const char *what;
	int errnum = status_errno(status, &what);

	if (status == 420) {
		return error_set_code(
			err, errnum, status, NULL, "Salesforce knows no such host: %s", what);
	}
	if (strstr(content_type, "html") && status != 413 && status != 414 && status != 431) {
		return error_set_code(err, EIO, status, NULL,
			"Salesforce answered with a web page (HTTP %d): maintenance, a wrong "
			"login_url or an expired org; try again later, or run: forcefs doctor",
			status);
	}
	if (status >= 200 && status < 300) {
		return error_set_code(err, EPROTO, status, NULL,
			"Salesforce answered with %s instead of JSON: is there a proxy in between?",
			content_type[0] ? "another type of content" : "untyped content");
	}
	return error_set_code(
		err, errnum, status, NULL, "Salesforce answered HTTP %d: %s", status, what);
}

int sf_error_decode(
	int status, const char *content_type, const char *body, size_t len, struct error *err)
{
	struct refusal r = {0};
	bool found = false;

	if (len > 0 && len <= PARSE_LIMIT_BYTES) {
		if (sf_content_is_json(content_type)) {
			found = read_json(&r, body, len);
		} else if (strstr(content_type, "xml") && !strstr(content_type, "html")) {
			found = read_xml(&r, body, len);
		}
	}
	return found ? tell_refusal(err, status, &r) : sf_error_not_json(status, content_type, err);
}
