/* SPDX-License-Identifier: MIT */
/* Whose session is this: the userinfo endpoint, which is no API call. */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/model/id.h"

static bool read_id(const json_t *body, const char *key, char ret[19])
{
	const char *text = json_string_value(json_object_get(body, key));
	struct id id;

	if (!text || !id_parse(text, strlen(text), &id)) {
		return false;
	}
	memcpy(ret, id.text, sizeof(id.text));
	return true;
}

static int read_reply(const struct http_reply *reply, struct userinfo *ret, struct error *err)
{
	struct userinfo info = {0};
	json_t *body;
	const char *name;
	bool ok;

	if (reply->status != 200) {
		return sf_error_decode(reply->status, reply->content_type, buf_str(&reply->body),
			reply->body.len, err);
	}
	body = json_loadb(buf_str(&reply->body), reply->body.len, 0, NULL);
	ok = read_id(body, "organization_id", info.org_id) &&
	     read_id(body, "user_id", info.user_id);
	name = json_string_value(json_object_get(body, "preferred_username"));
	if (name) {
		sf_error_tidy(info.username, sizeof(info.username), name, strlen(name));
	}
	json_decref(body);
	if (!ok) {
		return error_set(err, EPROTO, "the org's answer about the user is not understood");
	}
	*ret = info;
	return 0;
}

int userinfo_get(struct http *http, const char *instance_url, const char *access,
	const struct until *until, struct userinfo *ret, struct error *err)
{
	AUTO(http_reply) struct http_reply reply = {0};
	AUTO_FREE char *url = NULL;
	char *bearer = NULL;
	int r;

	if (asprintf(&url, "%s/services/oauth2/userinfo", instance_url) < 0) {
		url = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	if (asprintf(&bearer, "Bearer %s", access) < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	const struct http_header headers[] = {
		{"Authorization", bearer}, {"Accept", "application/json"}};
	const struct http_request req = {.method = "GET",
		.url = url,
		.headers = headers,
		.header_count = 2,
		.reply_limit_bytes = SF_SMALL_LIMIT_BYTES,
		.idempotent = true};
	r = http_perform(http, &req, until, &reply, err);
	token_string_free(bearer);
	return r < 0 ? r : read_reply(&reply, ret, err);
}
