/* SPDX-License-Identifier: MIT */
/*
 * Which version of the API to speak: the one of the settings, or the newest that both sides know.
 * Asking costs no API call; the answer is kept in the state file for a week.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "forcefs/base/clock.h"

#define OLDEST       52
#define NEWEST       67
#define ASKED_FOR_MS (10 * 60 * 1000)
#define REMEMBERED_S (7 * 24 * 3600)

/* "64", "64.0", "v64.0"; -1 if it is nothing like it. */
static int major_of(const char *text)
{
	int major = 0;
	size_t digits;

	text += *text == 'v';
	digits = strspn(text, "0123456789");
	if (digits < 2 || digits > 3 ||
		(text[digits] != '\0' && strcmp(text + digits, ".0") != 0)) {
		return -1;
	}
	for (size_t i = 0; i < digits; i++) {
		major = major * 10 + (text[i] - '0');
	}
	return major;
}

bool versions_normal(const char *text, char ret[8])
{
	int major = major_of(text);

	if (major < OLDEST) {
		return false;
	}
	snprintf(ret, 8, "%d.0", major % 1000);
	return true;
}

int versions_choose(const char *json, size_t len, char ret[8], struct error *err)
{
	json_t *list = json_loadb(json, len, JSON_ALLOW_NUL, NULL), *entry;
	int best = -1, seen = 0;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const char *text = json_string_value(json_object_get(entry, "version"));
		int major = text ? major_of(text) : -1;

		seen += major >= 0;
		if (major > best && major >= OLDEST && major <= NEWEST) {
			best = major;
		}
	}
	json_decref(list);
	if (!seen) {
		return error_set(err, EPROTO,
			"the org's list of API versions is no list of versions: "
			"check login_url");
	}
	if (best < 0) {
		return error_set(err, EPROTONOSUPPORT,
			"the org knows no API version from %d.0 to %d.0, which forcefs speaks: set "
			"api_version, or update forcefs",
			OLDEST, NEWEST);
	}
	snprintf(ret, 8, "%d.0", best % 1000);
	return 0;
}

static int get_list(struct sf *sf, const struct session *session, const struct until *until,
	struct http_reply *ret, struct error *err)
{
	static const struct http_header headers[] = {{"Accept", "application/json"}};
	AUTO_FREE char *url = NULL;
	struct http_request req = {.method = "GET",
		.headers = headers,
		.header_count = 1,
		.reply_limit_bytes = SF_SMALL_LIMIT_BYTES,
		.idempotent = true};

	if (asprintf(&url, "%s/services/data/", session->instance_url) < 0) {
		url = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	req.url = url;
	return http_perform(sf->http, &req, until, ret, err);
}

static int ask(struct sf *sf, const struct until *until, char ret[8], struct error *err)
{
	AUTO(session) struct session session = {0};
	AUTO(http_reply) struct http_reply reply = {0};
	int r = keeper_get(&sf->keeper, until, &session, err);

	r = r < 0 ? r : get_list(sf, &session, until, &reply, err);
	if (r == 0 && sf_call_has_moved(sf, &reply, until, &session)) {
		http_reply_release(&reply);
		r = get_list(sf, &session, until, &reply, err);
	}
	if (r < 0) {
		return r;
	}
	if (reply.status != 200 || !sf_content_is_json(reply.content_type)) {
		return sf_error_decode(reply.status, reply.content_type, buf_str(&reply.body),
			reply.body.len, err);
	}
	return versions_choose(buf_str(&reply.body), reply.body.len, ret, err);
}

static void set_known(struct versions *v, const char *text)
{
	LOCK_SCOPE(&v->lock);
	snprintf(v->text, sizeof(v->text), "%s", text);
}

static void note_asked(struct versions *v)
{
	LOCK_SCOPE(&v->lock);
	v->asked_ms = clock_mono_ms();
}

static void get_known(struct versions *v, char ret[8])
{
	LOCK_SCOPE(&v->lock);
	memcpy(ret, v->text, sizeof(v->text));
}

/* What the state file holds, while it is young enough. */
static bool remembered(const struct token *t, char ret[8])
{
	int64_t age_s = clock_wall_ms() / 1000 - t->api_version_at_s;

	return t->api_version && age_s >= 0 && age_s < REMEMBERED_S &&
	       versions_normal(t->api_version, ret) && major_of(ret) <= NEWEST;
}

void versions_peek(struct sf *sf, const struct token *state, char ret[8])
{
	memcpy(ret, sf->wanted_version, sizeof(sf->wanted_version));
	if (!ret[0]) {
		get_known(&sf->versions, ret);
	}
	if (!ret[0] && !remembered(state, ret)) {
		ret[0] = '\0';
	}
}

static int find(struct sf *sf, const struct until *until, char ret[8], struct error *err)
{
	AUTO(token) struct token state = {0};
	int r;

	if (keeper_peek(&sf->keeper, &state) == 0 && remembered(&state, ret)) {
		set_known(&sf->versions, ret);
		return 0;
	}
	r = ask(sf, until, ret, err);
	if (r == 0) {
		note_asked(&sf->versions);
		set_known(&sf->versions, ret);
		keeper_remember_version(&sf->keeper, ret, until);
	}
	return r;
}

int versions_base(
	struct sf *sf, const struct until *until, char base[SF_BASE_SIZE], struct error *err)
{
	char text[8];
	int r;

	memcpy(text, sf->wanted_version, sizeof(text));
	if (!text[0]) {
		get_known(&sf->versions, text);
	}
	if (!text[0]) {
		r = find(sf, until, text, err);
		if (r < 0) {
			return r;
		}
	}
	snprintf(base, SF_BASE_SIZE, "/services/data/v%s", text);
	return 0;
}

/* A version that the org does not know looks like any other thing that is not there, so such a
 * refusal is looked into now and then only. */
static bool is_about_version(struct versions *v, const struct error *fault)
{
	int64_t now = clock_mono_ms();

	LOCK_SCOPE(&v->lock);
	if (fault->errnum != EPROTONOSUPPORT &&
		(fault->http_status != 404 || (v->asked_ms && now - v->asked_ms < ASKED_FOR_MS))) {
		return false;
	}
	v->asked_ms = now;
	return true;
}

bool versions_changed(struct sf *sf, const struct until *until, const struct error *fault)
{
	char before[8], now[8];

	if (sf->wanted_version[0] || !is_about_version(&sf->versions, fault)) {
		return false;
	}
	get_known(&sf->versions, before);
	if (ask(sf, until, now, NULL) < 0 || !strcmp(before, now)) {
		return false;
	}
	set_known(&sf->versions, now);
	keeper_remember_version(&sf->keeper, now, until);
	return true;
}
