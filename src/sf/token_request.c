/* SPDX-License-Identifier: MIT */
/* The token endpoint: what is sent, what comes back, and what its refusals mean. */
#include "sf_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "forcefs/model/id.h"
#include "forcefs/net/redirect.h"

#define FORM_LIMIT_BYTES  (64u << 10)
#define TOKEN_LIMIT_BYTES (32u << 10)

/* Hosts of Salesforce's own (salesforce-api.md 1.1). */
static const char *const own_hosts[] = {".salesforce.com", ".force.com", ".cloudforce.com",
	".salesforce.mil", ".crmforce.mil", ".sfcrmproducts.cn", NULL};

/* Theirs too, but no place for API calls. */
static const char *const no_api_hosts[] = {
	".lightning.force.com", ".lightning.force.mil", ".salesforce-setup.com", NULL};

#define MEND_LOGIN ((const char *)1) /* "run: forcefs login ORG, …" */

struct refusal_row {
	const char *error, *description; /* description: a part of it, in lower case; "" fits all */
	enum token_verdict verdict;
	int errnum;
	const char *what;
	const char *mend;
};

/* The first row that fits, so the particular ones come first. */
static const struct refusal_row rows[] = {
	{"", "login rate exceeded", TOKEN_DEAD, EAGAIN, "too many log-ins in the last hour",
		"wait some minutes"},
	{"invalid_grant", "already being processed", TOKEN_BUSY, EAGAIN,
		"another program is using the same refresh token at this moment",
		"try again, or give each program a log-in of its own"},
	{"invalid_grant", "expired access/refresh token", TOKEN_DEAD, EACCES,
		"the refresh token has expired, was revoked, or another program replaced it",
		MEND_LOGIN},
	{"invalid_grant", "expired authorization code", TOKEN_DEAD, EACCES,
		"the authorization code was used before, or is too old", MEND_LOGIN},
	{"invalid_grant", "authentication failure", TOKEN_DEAD, EACCES,
		"the user may not log in here: password, network address, hours or the wrong "
		"login_url",
		"check login_url and the user's log-in history in Setup"},
	{"invalid_grant", "hasn't approved this consumer", TOKEN_DEAD, EACCES,
		"the user has not approved the app",
		"approve the app for the user, or log in once "
		"with: forcefs login"},
	{"invalid_grant", "inactive user", TOKEN_DEAD, EACCES, "the user is locked or frozen",
		"ask the org's administrator to activate the user"},
	{"invalid_grant", "inactive organization", TOKEN_DEAD, EACCES,
		"the org is locked or was deleted", "check login_url"},
	{"invalid_grant", "audience validation failed", TOKEN_DEAD, EACCES,
		"the token was made for another host", "set login_url to the org's My Domain"},
	{"invalid_grant", "not supported on this domain", TOKEN_DEAD, EACCES,
		"this grant does not work at the general log-in hosts",
		"set login_url to the org's My Domain (https://NAME.my.salesforce.com)"},
	{"invalid_grant", "no client credentials user", TOKEN_DEAD, EACCES,
		"the app has no user to run as",
		"set the Run As user in the app's client credentials flow"},
	{"invalid_grant", "ip restricted", TOKEN_DEAD, EACCES,
		"the app does not accept this machine's network address",
		"relax the app's IP restrictions"},
	{"invalid_grant", "invalid assertion", TOKEN_DEAD, EACCES,
		"the signature does not fit the app's certificate", "check jwt_key_file"},
	{"invalid_grant", "not admin approved", TOKEN_DEAD, EACCES, "the user may not use the app",
		"assign the app's profile or permission set to the user"},
	{"invalid_grant", "", TOKEN_DEAD, EACCES, "the log-in is not valid any more", MEND_LOGIN},
	{"invalid_app_access", "", TOKEN_DEAD, EACCES, "the user may not use the app",
		"assign the app's profile or permission set to the user"},
	{"invalid_client_id", "", TOKEN_DEAD, EACCES, "the org does not know this client_id",
		"check client_id and login_url (a new app needs about ten minutes)"},
	{"invalid_client", "", TOKEN_DEAD, EACCES, "the client secret is wrong or missing",
		"check client_id and client_secret in the settings file"},
	{"app_not_found", "", TOKEN_DEAD, EACCES, "the app is not known at this host",
		"set login_url to the org's My Domain (https://NAME.my.salesforce.com)"},
	{"OAUTH_APP_BLOCKED", "", TOKEN_DEAD, EACCES, "the org blocks the app",
		"ask the org's administrator to allow the app"},
	{"OAUTH_APPROVAL_ERROR_GENERIC", "", TOKEN_DEAD, EACCES,
		"the org does not allow apps that are not installed",
		"ask the org's administrator to install the app"},
	{"redirect_uri_mismatch", "", TOKEN_DEAD, EINVAL,
		"the callback URL is not one of the app's", "check the app's callback URLs"},
	{"unsupported_grant_type", "", TOKEN_DEAD, EINVAL, "the app does not allow this grant",
		"enable the flow in the app, or change grant in the settings file"},
	{"invalid_scope", "", TOKEN_DEAD, EINVAL, "the app lacks a scope",
		"give the app the scopes api and refresh_token"},
	{"invalid_request", "", TOKEN_DEAD, EINVAL, "the request for a token is not valid",
		"check grant, client_id and client_secret in the settings file"},
	{"rate_limit_exceeded", "", TOKEN_DEAD, EAGAIN, "too many log-ins in the last hour",
		"wait some minutes"},
	{"", "", TOKEN_FAILED, EACCES, "the log-in failed", "run: forcefs doctor"},
};

/* ---- origins ---- */

/* The host and its port, without scheme; len 0 if the URL is no plain origin. */
static struct json_slice url_host(const char *url)
{
	struct json_slice none = {"", 0};
	const char *host = strstr(url, "://");
	size_t n;

	if (!host) {
		return none;
	}
	host += 3;
	n = strspn(host, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]");
	if (n == 0 || (host[n] != '\0' && strcmp(host + n, "/") != 0)) {
		return none;
	}
	return (struct json_slice){host, n};
}

char *token_origin(const char *url)
{
	struct json_slice host = url_host(url);

	return host.len ? strndup(url, (size_t)(host.text - url) + host.len) : NULL;
}

/* Without the port. */
static struct json_slice host_name(struct json_slice host)
{
	const char *colon = host.text[0] == '[' ? NULL : memchr(host.text, ':', host.len);

	if (colon) {
		host.len = (size_t)(colon - host.text);
	}
	return host;
}

static bool host_ends(struct json_slice host, const char *const *suffixes)
{
	for (; *suffixes; suffixes++) {
		size_t n = strlen(*suffixes);

		if (host.len > n && !strncasecmp(host.text + host.len - n, *suffixes, n)) {
			return true;
		}
	}
	return false;
}

bool token_instance_allowed(const char *login_url, const char *instance_url)
{
	struct json_slice host = url_host(instance_url), login = url_host(login_url);
	bool https = !strncasecmp(instance_url, "https://", 8);

	if (!host.len || !login.len || url_check(instance_url, NULL) < 0) {
		return false;
	}
	host = host_name(host);
	login = host_name(login);
	if (!https) {
		/* url_check lets plain http pass on loopback only; so must the log-in be. */
		return !strncasecmp(login_url, "http://", 7) && !url_check(login_url, NULL);
	}
	if (host_ends(host, no_api_hosts)) {
		return false;
	}
	return host_ends(host, own_hosts) ||
	       (host.len == login.len && !strncasecmp(host.text, login.text, host.len));
}

static const char *id_part(const char *end, const char *start, char ret[19])
{
	const char *s = end;
	struct id id;

	while (s > start && s[-1] != '/') {
		s--;
	}
	if (s > start && id_parse(s, (size_t)(end - s), &id)) {
		memcpy(ret, id.text, sizeof(id.text));
	}
	return s > start ? s - 1 : start;
}

void token_identity(const char *identity_url, char org_id[19], char user_id[19])
{
	org_id[0] = user_id[0] = '\0';
	if (identity_url) {
		const char *end = identity_url + strlen(identity_url);

		end = id_part(end, identity_url, user_id);
		id_part(end, identity_url, org_id);
	}
}

/* ---- the reply ---- */

/* A token stands in a header line: visible ASCII only. */
static bool token_text_ok(const char *s)
{
	size_t n = strlen(s);

	if (n == 0 || n > TOKEN_LIMIT_BYTES) {
		return false;
	}
	for (; *s; s++) {
		if (*s <= ' ' || *s > '~') {
			return false;
		}
	}
	return true;
}

static int take_string(json_t *o, const char *key, char **ret)
{
	const char *s = json_string_value(json_object_get(o, key));

	*ret = s && *s ? strdup(s) : NULL;
	return s && *s && !*ret ? -ENOMEM : 0;
}

static int read_grant(const struct token_ask *ask, json_t *o, struct token *t, struct error *err)
{
	AUTO_FREE char *instance = NULL;

	if (take_string(o, "access_token", &t->access) < 0 ||
		take_string(o, "refresh_token", &t->refresh) < 0 ||
		take_string(o, "id", &t->identity_url) < 0 ||
		take_string(o, "issued_at", &t->issued_at) < 0 ||
		take_string(o, "instance_url", &instance) < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	if (!t->access || !token_text_ok(t->access) || (t->refresh && !token_text_ok(t->refresh))) {
		return error_set(err, EPROTO, "the token endpoint answered without a token");
	}
	if (!instance || !token_instance_allowed(ask->login_url, instance)) {
		return error_set(err, EPROTO,
			"the token endpoint names an instance_url that is no host of Salesforce's: "
			"the token is not used; check login_url");
	}
	t->instance_url = token_origin(instance);
	return t->instance_url ? 0 : error_set(err, ENOMEM, "out of memory");
}

static bool holds(const char *text, const char *part)
{
	return strcasestr(text, part) != NULL;
}

static const struct refusal_row *find_row(const char *error, const char *description)
{
	const struct refusal_row *row = rows;

	for (;; row++) {
		bool error_fits = !row->error[0] || !strcmp(row->error, error);

		if (error_fits && (!row->description[0] || holds(description, row->description))) {
			return row;
		}
	}
}

static enum token_verdict tell_refusal(const struct token_ask *ask, int status, const char *error,
	const char *description, struct error *err)
{
	const struct refusal_row *row = find_row(error, description);
	char mend[200];

	if (row->mend == MEND_LOGIN) {
		snprintf(mend, sizeof(mend),
			"run: forcefs login %s, or put a new refresh_token in the settings file",
			ask->org);
	} else {
		snprintf(mend, sizeof(mend), "%s", row->mend);
	}
	error_set_code(err, row->errnum, status, error,
		"Salesforce refused the log-in (%s%s%s): "
		"%s; %s",
		error, description[0] ? ": " : "", description, row->what, mend);
	return row->verdict;
}

static enum token_verdict read_refusal(
	const struct token_ask *ask, int status, json_t *o, struct error *err)
{
	json_t *error = json_object_get(o, "error");
	json_t *description = json_object_get(o, "error_description");
	char code[64] = "", text[160] = "";

	if (!json_is_string(error)) {
		error_set_code(err, status >= 500 ? EIO : EPROTO, status, NULL,
			"the token endpoint answered HTTP %d in a form that is not understood: "
			"check login_url",
			status);
		return TOKEN_FAILED;
	}
	sf_error_tidy(code, sizeof(code), json_string_value(error), json_string_length(error));
	if (json_is_string(description)) {
		sf_error_tidy(text, sizeof(text), json_string_value(description),
			json_string_length(description));
	}
	return tell_refusal(ask, status, code, text, err);
}

enum token_verdict token_reply(const struct token_ask *ask, int status, const char *content_type,
	const char *body, size_t len, struct token *ret, struct error *err)
{
	AUTO(token) struct token t = {0};
	enum token_verdict verdict = TOKEN_FAILED;
	json_t *o;

	if (!sf_content_is_json(content_type)) {
		sf_error_not_json(status, content_type, err);
		return TOKEN_FAILED;
	}
	o = json_loadb(body, len, 0, NULL);
	if (!json_is_object(o)) {
		error_set_code(err, EPROTO, status, NULL,
			"the token endpoint's answer is cut or garbled: try again");
	} else if (status != 200) {
		verdict = read_refusal(ask, status, o, err);
	} else if (read_grant(ask, o, &t, err) == 0) {
		verdict = TOKEN_GRANTED;
		*ret = t;
		memset(&t, 0, sizeof(t));
	}
	json_decref(o);
	return verdict;
}

/* ---- the request ---- */

static void add_pair(struct buf *form, const char *name, const char *value)
{
	if (value) {
		buf_addf(form, "%s%s=", form->len ? "&" : "", name);
		http_escape(value, strlen(value), form);
	}
}

static int fill_form(const struct token_ask *ask, struct buf *form, struct error *err)
{
	switch (ask->grant) {
	case SF_GRANT_REFRESH_TOKEN:
		add_pair(form, "grant_type", "refresh_token");
		add_pair(form, "refresh_token", ask->refresh);
		break;
	case SF_GRANT_CLIENT_CREDENTIALS:
		add_pair(form, "grant_type", "client_credentials");
		break;
	default:
		return error_set(err, ENOTSUP,
			"this grant comes with a later version of forcefs: use grant=refresh_token "
			"or grant=client_credentials");
	}
	add_pair(form, "client_id", ask->client_id);
	add_pair(form, "client_secret", ask->client_secret);
	return buf_failed(form) ? error_set(err, -buf_failed(form),
					  "the log-in's settings are too "
					  "long")
				: 0;
}

static void wipe_buf(struct buf *b)
{
	if (b->data) {
		explicit_bzero(b->data, b->cap);
	}
	buf_release(b);
}

enum token_verdict token_request(struct http *http, const struct token_ask *ask,
	const struct until *until, struct token *ret, struct error *err)
{
	static const struct http_header headers[] = {
		{"Accept", "application/json"},
		{"Content-Type", "application/x-www-form-urlencoded"},
	};
	AUTO(http_reply) struct http_reply reply = {0};
	struct buf form, url;
	enum token_verdict verdict = TOKEN_FAILED;

	buf_init(&form, FORM_LIMIT_BYTES);
	buf_init(&url, FORM_LIMIT_BYTES);
	if (buf_addf(&url, "%s/services/oauth2/token", ask->login_url) < 0) {
		error_set(err, ENOMEM, "out of memory");
	} else if (fill_form(ask, &form, err) == 0) {
		struct http_request req = {
			.method = "POST",
			.url = url.data,
			.headers = headers,
			.header_count = 2,
			.body = form.data,
			.body_len = form.len,
			.reply_limit_bytes = SF_SMALL_LIMIT_BYTES,
			.idempotent = ask->grant == SF_GRANT_CLIENT_CREDENTIALS,
		};

		/* Not idempotent: a refresh may kill the token it used. */
		if (http_perform(http, &req, until, &reply, err) == 0) {
			verdict = token_reply(ask, reply.status, reply.content_type,
				buf_str(&reply.body), reply.body.len, ret, err);
			wipe_buf(&reply.body);
		}
	}
	wipe_buf(&form);
	buf_release(&url);
	return verdict;
}
