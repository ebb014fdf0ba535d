/* SPDX-License-Identifier: MIT */
/* Salesforce's refusals, in every shape they come in. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/paths.h"
#include "sf_priv.h"

#define JSON "application/json"

static void test_sf_error__knows_the_codes(void **state)
{
	static const struct {
		const char *code;
		int errnum;
	} rows[] = {
		{"INVALID_SESSION_ID", EACCES},
		{"INVALID_AUTH_HEADER", EACCES},
		{"INVALID_LOGIN", EACCES},
		{"REQUEST_LIMIT_EXCEEDED", EDQUOT},
		{"API_DISABLED_FOR_ORG", EACCES},
		{"API_CURRENTLY_DISABLED", EACCES},
		{"FUNCTIONALITY_NOT_ENABLED", EACCES},
		{"INSUFFICIENT_ACCESS", EACCES},
		{"INSUFFICIENT_ACCESS_OR_READONLY", EACCES},
		{"INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", EACCES},
		{"INVALID_OPERATION_WITH_EXPIRED_PASSWORD", EACCES},
		{"NOT_FOUND", ENOENT},
		{"ENTITY_IS_DELETED", ENOENT},
		{"INVALID_CROSS_REFERENCE_KEY", ENOENT},
		{"INVALID_TYPE", ENOENT},
		{"INVALID_FIELD", EINVAL},
		{"INVALID_FIELD_FOR_INSERT_UPDATE", EACCES},
		{"INVALID_READ_ONLY_USER_DML", EACCES},
		{"MALFORMED_ID", EINVAL},
		{"MALFORMED_QUERY", EINVAL},
		{"JSON_PARSER_ERROR", EINVAL},
		{"DUPLICATE_FIELD_SELECTED", EINVAL},
		{"INVALID_TYPE_FOR_OPERATION", EPERM},
		{"EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION", EPERM},
		{"EXTERNAL_OBJECT_EXCEPTION", EIO},
		{"ID_REQUIRED", EPERM},
		{"REQUIRED_FIELD_MISSING", EINVAL},
		{"FIELD_CUSTOM_VALIDATION_EXCEPTION", EINVAL},
		{"INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", EINVAL},
		{"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", EINVAL},
		{"CANNOT_DELETE_MANAGED_OBJECT", EBUSY},
		{"CANNOT_CHANGE_FIELD_TYPE", EACCES},
		{"STRING_TOO_LONG", EINVAL},
		{"DUPLICATE_VALUE", EEXIST},
		{"DUPLICATES_DETECTED", EEXIST},
		{"DELETE_FAILED", EBUSY},
		{"UNABLE_TO_LOCK_ROW", EAGAIN},
		{"TXN_SECURITY_NO_ACCESS", EACCES},
		{"ENTITY_IS_LOCKED", EACCES},
		{"STORAGE_LIMIT_EXCEEDED", ENOSPC},
		{"LIMIT_EXCEEDED", EAGAIN},
		{"QUERY_TIMEOUT", ETIMEDOUT},
		{"INVALID_QUERY_LOCATOR", ESTALE},
		{"QUERY_TOO_COMPLICATED", EFBIG},
		{"OPERATION_TOO_LARGE", EFBIG},
		{"UNSUPPORTED_API_VERSION", EPROTONOSUPPORT},
		{"METHOD_NOT_ALLOWED", EPERM},
		{"PRECONDITION_FAILED", ESTALE},
		{"UNKNOWN_EXCEPTION", EIO},
		{"SERVER_UNAVAILABLE", EIO},
		{"NEVER_HEARD_OF", 0},
		{"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (sf_error_errno(rows[i].code, NULL) != rows[i].errnum) {
			fail_msg("%s gives %d", rows[i].code, sf_error_errno(rows[i].code, NULL));
		}
	}
}

static void test_sf_error__tells_the_two_limits_apart(void **state)
{
	(void)state;
	assert_int_equal(
		sf_error_errno("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), EDQUOT);
	assert_int_equal(sf_error_errno("REQUEST_LIMIT_EXCEEDED",
				 "ConcurrentRequests (Concurrent API Requests) Limit exceeded."),
		EAGAIN);
}

static void test_sf_error__reads_every_shape(void **state)
{
	static const struct {
		int status;
		const char *type, *body;
		int errnum;
		const char *code, *fields;
	} rows[] = {
		{400, JSON,
			"[{\"message\":\"m\",\"errorCode\":\"INVALID_FIELD\",\"fields\":[\"A\","
			"\"B\"]}]",
			EINVAL, "INVALID_FIELD", "A,B"},
		{404, JSON, "{\"message\":\"m\",\"errorCode\":\"NOT_FOUND\"}", ENOENT, "NOT_FOUND",
			""},
		{400, JSON,
			"{\"statusCode\":\"STRING_TOO_LONG\",\"message\":\"m\",\"fields\":[\"F\"]}",
			EINVAL, "STRING_TOO_LONG", "F"},
		{400, JSON,
			"{\"hasErrors\":true,\"results\":[{\"referenceId\":\"r\",\"errors\":[{"
			"\"statusCode\":"
			"\"DUPLICATE_VALUE\",\"message\":\"m\",\"fields\":[]}]}]}",
			EEXIST, "DUPLICATE_VALUE", ""},
		{400, JSON,
			"[{\"errorCode\":\"PROCESSING_HALTED\",\"message\":\"m\"},{\"errorCode\":"
			"\"INVALID_TYPE\",\"message\":\"m\"}]",
			ENOENT, "INVALID_TYPE", ""},
		{400, JSON, "[{\"errorCode\":\"PROCESSING_HALTED\",\"message\":\"m\"}]", EIO,
			"PROCESSING_HALTED", ""},
		{400, JSON, "{\"error\":\"invalid_grant\",\"error_description\":\"m\"}", EIO,
			"invalid_grant", ""},
		{403, "application/xml",
			"<?xml "
			"version=\"1.0\"?><Errors><Error><errorCode>INVALID_SESSION_ID</errorCode>"
			"<message>m</message></Error></Errors>",
			EACCES, "INVALID_SESSION_ID", ""},
		{400, "text/xml",
			"<error><exceptionCode>InvalidSessionId</exceptionCode><exceptionMessage>m"
			"</exceptionMessage></error>",
			EACCES, "INVALID_SESSION_ID", ""},
		{400, JSON, "[{\"message\":\"m\",\"errorCode\":\"BRAND_NEW\"}]", EIO, "BRAND_NEW",
			""},
		{403, JSON, "[{\"message\":\"m\",\"errorCode\":\"BRAND_NEW\"}]", EACCES,
			"BRAND_NEW", ""},
		{404, JSON, "", ENOENT, "", ""},
		{500, JSON, "[{\"message\":", EIO, "", ""},
		{500, JSON, "[[[[[[[]]]]]]]", EIO, "", ""},
		{400, JSON, "[42, null, {\"errorCode\":7}]", EINVAL, "", ""},
		{503, "text/html", "<html>", EIO, "", ""},
		{200, "text/html", "<html>", EIO, "", ""},
		{302, "text/html", "", EIO, "", ""},
		{404, "text/html", "<html>", EIO, "", ""},
		{414, "text/html", "<h1>Bad Message 414</h1>", EINVAL, "", ""},
		{420, "text/html", "<html>", EHOSTUNREACH, "", ""},
		{200, "text/plain", "hello", EPROTO, "", ""},
		{410, "", "", EPROTONOSUPPORT, "", ""},
		{412, "", "", ESTALE, "", ""},
		{429, "", "", EAGAIN, "", ""},
		{429, JSON, "[{\"message\":\"m\",\"errorCode\":\"REQUEST_LIMIT_EXCEEDED\"}]",
			EAGAIN, "REQUEST_LIMIT_EXCEEDED", ""},
		{431, "", "", EINVAL, "", ""},
		{599, "", "", EIO, "", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		int r = sf_error_decode(
			rows[i].status, rows[i].type, rows[i].body, strlen(rows[i].body), &err);

		if (r != -rows[i].errnum) {
			fail_msg("row %zu gives %d (%s)", i, r, err.text);
		}
		assert_int_equal(err.errnum, rows[i].errnum);
		assert_int_equal(err.http_status, rows[i].status);
		assert_string_equal(err.code, rows[i].code);
		assert_string_equal(err.fields, rows[i].fields);
		assert_true(strlen(err.text) > 15);
	}
}

static void test_sf_error__keeps_salesforces_words_in_one_line(void **state)
{
	static const char body[] = "[{\"message\":\"\\nSELECT Nme FROM Account\\n       ^\\nNo "
				   "such column\\u0000 'Nme'\","
				   "\"errorCode\":\"INVALID_FIELD\"}]";
	struct error err = {0};

	(void)state;
	sf_error_decode(400, JSON, body, sizeof(body) - 1, &err);
	assert_non_null(strstr(err.text, "SELECT Nme FROM Account ^ No such column 'Nme'"));
	assert_null(strchr(err.text, '\n'));
}

static void test_sf_error__cuts_between_characters(void **state)
{
	static const struct {
		const char *in;
		size_t size;
		const char *out;
	} rows[] = {
		{"abc", 4, "abc"},
		{"abcd", 4, "abc"},
		{"ab\xc3\xa9", 4, "ab"},
		{"a\xc3\xa9", 4, "a\xc3\xa9"},
		{"\xf0\x9f\x98\x80", 4, ""},
		{"\xf0\x9f\x98\x80", 5, "\xf0\x9f\x98\x80"},
		{"  a \t\r\n b  ", 20, "a b"},
		{"\xe2\x82\xac\xe2\x82", 20, "\xe2\x82\xac"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[32];

		sf_error_tidy(out, rows[i].size, rows[i].in, strlen(rows[i].in));
		assert_string_equal(out, rows[i].out);
	}
}

static void test_sf_error__survives_any_cut_of_a_body(void **state)
{
	static const char body[] =
		"{\"hasErrors\":true,\"results\":[{\"errors\":[{\"statusCode\":\"DUPLICATE_VALUE\","
		"\"message\":\"caf\xc3\xa9\",\"fields\":[\"A\"]}]}]}";

	(void)state;
	for (size_t n = 0; n < sizeof(body); n++) {
		struct error err = {0};

		assert_true(sf_error_decode(400, JSON, body, n, &err) < 0);
		assert_true(sf_error_decode(400, "application/xml", body, n, NULL) < 0);
	}
}

static void test_sf_error__reads_recorded_replies(void **state)
{
	static const struct {
		const char *file;
		int status, errnum;
		const char *code;
	} rows[] = {
		{"400-DUPLICATES_DETECTED.json", 400, EEXIST, "DUPLICATES_DETECTED"},
		{"400-DUPLICATES_DETECTED-pt_BR.json", 400, EEXIST, "DUPLICATES_DETECTED"},
		{"400-INVALID_TYPE-query.json", 400, ENOENT, "INVALID_TYPE"},
		{"400-INVALID_FIELD-query.json", 400, EINVAL, "INVALID_FIELD"},
		{"400-QUERY_TIMEOUT.json", 400, ETIMEDOUT, "QUERY_TIMEOUT"},
		{"400-UNABLE_TO_LOCK_ROW.json", 400, EAGAIN, "UNABLE_TO_LOCK_ROW"},
		{"400-MALFORMED_ID.json", 400, EINVAL, "MALFORMED_ID"},
		{"400-MALFORMED_QUERY.json", 400, EINVAL, "MALFORMED_QUERY"},
		{"401-INVALID_SESSION_ID.json", 401, EACCES, "INVALID_SESSION_ID"},
		{"403-REQUEST_LIMIT_EXCEEDED.json", 403, EDQUOT, "REQUEST_LIMIT_EXCEEDED"},
		{"404-ENTITY_IS_DELETED.json", 404, ENOENT, "ENTITY_IS_DELETED"},
		{"404-NOT_FOUND.json", 404, ENOENT, "NOT_FOUND"},
		{"503-SERVER_UNAVAILABLE.json", 503, EIO, "SERVER_UNAVAILABLE"},
	};

	(void)state;
	if (access(RECORDED_DIR "/errors", R_OK) < 0) {
		skip();
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_FREE char *path = paths_join(RECORDED_DIR "/errors", rows[i].file);
		AUTO_FREE char *text = NULL;
		struct error err = {0};
		size_t len;

		assert_int_equal(paths_read_file(path, 1 << 20, &text, &len, NULL), 0);
		if (sf_error_decode(rows[i].status, JSON, text, len, &err) != -rows[i].errnum) {
			fail_msg("%s: %s", rows[i].file, err.text);
		}
		assert_string_equal(err.code, rows[i].code);
	}
}

static void test_sf_error_decode__names_the_duplicate_rule(void **state)
{
	static const char *const keys[] = {"duplicateResut", "duplicateResult"};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct error err = {0};
		char body[300];

		snprintf(body, sizeof(body),
			"[{\"%s\":{\"allowSave\":true,\"duplicateRule\":\"My_Rule\"},"
			"\"errorCode\":\"DUPLICATES_DETECTED\",\"message\":\"Use another?\"}]",
			keys[i]);
		assert_int_equal(sf_error_decode(400, JSON, body, strlen(body), &err), -EEXIST);
		assert_string_equal(err.code, "DUPLICATES_DETECTED");
		assert_non_null(strstr(err.text, "Use another? (duplicate rule My_Rule)"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sf_error_decode__names_the_duplicate_rule),
		cmocka_unit_test(test_sf_error__knows_the_codes),
		cmocka_unit_test(test_sf_error__tells_the_two_limits_apart),
		cmocka_unit_test(test_sf_error__reads_every_shape),
		cmocka_unit_test(test_sf_error__keeps_salesforces_words_in_one_line),
		cmocka_unit_test(test_sf_error__cuts_between_characters),
		cmocka_unit_test(test_sf_error__survives_any_cut_of_a_body),
		cmocka_unit_test(test_sf_error__reads_recorded_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
