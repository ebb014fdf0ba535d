/* SPDX-License-Identifier: MIT */
/* The token endpoint: what is sent, what comes back, and what its refusals mean. */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "forcefs/model/id.h"
#include "forcefs/net/redirect.h"

#define FORM_LIMIT_BYTES  (64u << 10)
#define TOKEN_LIMIT_BYTES (32u << 10)
#define ANSWER_MS         10000 /* for one that may bring the only good refresh token */

/* Hosts of Salesforce's own (salesforce-api.md 1.1). */
static const char *const own_hosts[] = {".salesforce.com", ".force.com", ".cloudforce.com",
	".salesforce.mil", ".crmforce.mil", ".sfcrmproducts.cn", NULL};

/* Theirs too, but no place for API calls. */
static const char *const no_api_hosts[] = {
	".lightning.force.com", ".lightning.force.mil", ".salesforce-setup.com", NULL};

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

bool token_text_ok(const char *s)
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
		verdict = token_refusal_read(ask, status, o, err);
	} else if (read_grant(ask, o, &t, err) == 0) {
		verdict = TOKEN_GRANTED;
		*ret = t;
		memset(&t, 0, sizeof(t));
	}
	json_decref(o);
	return verdict;
}

/* ---- the request ---- */

void token_form_add(struct buf *form, const char *name, const char *value)
{
	if (value) {
		buf_addf(form, "%s%s=", form->len ? "&" : "", name);
		http_escape(value, strlen(value), form);
	}
}

static void add_code(const struct token_ask *ask, struct buf *form)
{
	token_form_add(form, "grant_type", "authorization_code");
	token_form_add(form, "code", ask->code);
	token_form_add(form, "redirect_uri", ask->redirect_uri);
	token_form_add(form, "code_verifier", ask->verifier);
}

static int add_assertion(const struct token_ask *ask, struct buf *form, struct error *err)
{
	char *assertion = NULL;
	int r = token_jwt(ask, &assertion, err);

	if (r == 0) {
		token_form_add(form, "grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
		token_form_add(form, "assertion", assertion);
	}
	token_string_free(assertion);
	return r;
}

static int add_grant(const struct token_ask *ask, struct buf *form, struct error *err)
{
	if (ask->code) {
		add_code(ask, form);
		return 0;
	}
	switch (ask->grant) {
	case SF_GRANT_REFRESH_TOKEN:
		token_form_add(form, "grant_type", "refresh_token");
		token_form_add(form, "refresh_token", ask->refresh);
		return 0;
	case SF_GRANT_CLIENT_CREDENTIALS:
		token_form_add(form, "grant_type", "client_credentials");
		return 0;
	case SF_GRANT_JWT_BEARER:
		return add_assertion(ask, form, err);
	case SF_GRANT_SF:
		break; /* token_cli.c */
	}
	return error_set(err, EINVAL, "this grant has no request of its own");
}

static int fill_form(const struct token_ask *ask, struct buf *form, struct error *err)
{
	int r = add_grant(ask, form, err);

	if (r < 0) {
		return r;
	}
	if (ask->code || ask->grant != SF_GRANT_JWT_BEARER) {
		token_form_add(form, "client_id", ask->client_id);
		token_form_add(form, "client_secret", ask->client_secret);
	}
	r = buf_failed(form);
	return r ? error_set(err, -r, "the log-in's settings are too long") : 0;
}

int token_post(struct http *http, const char *host, const char *endpoint, const struct buf *form,
	bool idempotent, const struct until *until, struct http_reply *ret, struct error *err)
{
	static const struct http_header headers[] = {
		{"Accept", "application/json"},
		{"Content-Type", "application/x-www-form-urlencoded"},
	};
	AUTO_FREE char *url = NULL;
	struct http_request req = {
		.method = "POST",
		.headers = headers,
		.header_count = 2,
		.body = form->data,
		.body_len = form->len,
		.reply_limit_bytes = SF_SMALL_LIMIT_BYTES,
		.idempotent = idempotent,
		.answer_ms = idempotent ? 0 : ANSWER_MS,
	};

	if (asprintf(&url, "%s/services/oauth2/%s", host, endpoint) < 0) {
		url = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	req.url = url;
	int r = http_perform(http, &req, until, ret, err);
	if (r < 0 && err && http_failure_is_ambiguous(err)) {
		err->code[0] = '\0'; /* the doubt is not about what the log-in is for */
	}
	return r;
}

void token_form_init(struct buf *form)
{
	buf_init(form, FORM_LIMIT_BYTES);
}

void token_buf_wipe(struct buf *b)
{
	if (b->data) {
		explicit_bzero(b->data, b->cap);
	}
	buf_release(b);
}

enum token_verdict token_request(struct http *http, const struct token_ask *ask,
	const struct until *until, struct token *ret, struct error *err)
{
	AUTO(http_reply) struct http_reply reply = {0};
	enum token_verdict verdict = TOKEN_FAILED;
	struct buf form;
	/* A refresh may kill the token it used, and a code is good for one use. */
	bool again = !ask->code && ask->grant != SF_GRANT_REFRESH_TOKEN;

	if (ask->grant == SF_GRANT_SF && !ask->code) {
		return token_cli(http, ask, until, ret, err);
	}
	token_form_init(&form);
	if (fill_form(ask, &form, err) == 0 &&
		token_post(http, ask->login_url, "token", &form, again, until, &reply, err) == 0) {
		verdict = token_reply(ask, reply.status, reply.content_type, buf_str(&reply.body),
			reply.body.len, ret, err);
		token_buf_wipe(&reply.body);
	}
	token_buf_wipe(&form);
	return verdict;
}
