/* SPDX-License-Identifier: MIT */
/* Log-out: the org is told first, then the state file goes. */
#include "forcefs/sf/login.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forcefs/net/query.h"
#include "sf_priv.h"

/* "error=…&error_description=…", which is how revoke may refuse, into the same in JSON. */
static json_t *read_form(const char *text, size_t len)
{
	static const char *const names[] = {"error", "error_description"};
	json_t *o = json_object();

	for (size_t i = 0; i < 2; i++) {
		struct buf value;

		buf_init(&value, 512);
		if (query_get(text, len, names[i], true, &value) == 0) {
			json_object_set_new(o, names[i], json_string(buf_str(&value)));
		}
		buf_release(&value);
	}
	return o;
}

/* A token that the org does not know is as good as revoked. */
static bool is_unknown_token(const json_t *body)
{
	static const char *const codes[] = {
		"unsupported_token_type", "invalid_token", "invalid_grant"};
	const char *error = json_string_value(json_object_get(body, "error"));

	for (size_t i = 0; error && i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (!strcmp(error, codes[i])) {
			return true;
		}
	}
	return false;
}

static int judge_revoke(
	const struct token_ask *ask, const struct http_reply *reply, struct error *err)
{
	const char *text = buf_str(&reply->body);
	struct error fault = {0};
	json_t *body;
	bool gone;

	if (reply->status >= 200 && reply->status < 300) {
		return 0;
	}
	body = sf_content_is_json(reply->content_type) ? json_loadb(text, reply->body.len, 0, NULL)
						       : read_form(text, reply->body.len);
	gone = is_unknown_token(body);
	if (!gone) {
		token_refusal_read(ask, reply->status, body, &fault);
	}
	json_decref(body);
	if (!gone && err) {
		*err = fault;
	}
	return gone ? 0 : -fault.errnum;
}

static int revoke_token(struct sf *sf, const struct token *t, const char *secret,
	const struct until *until, struct error *err)
{
	AUTO(http_reply) struct http_reply reply = {0};
	const char *host = t->instance_url ? t->instance_url : sf->login_url;
	struct buf form;
	int r;

	token_form_init(&form);
	token_form_add(&form, "token", secret);
	r = buf_failed(&form);
	if (r == 0) {
		r = token_post(sf->http, host, "revoke", &form, true, until, &reply, err);
	}
	token_buf_wipe(&form);
	return r < 0 ? r : judge_revoke(&sf->keeper.ask, &reply, err);
}

/* Overwrites before it removes: what a disk really keeps is its own affair. */
static int wipe_file(const char *path, struct error *err)
{
	static const char zeros[4096];
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0) {
		for (off_t done = 0; done < st.st_size;) {
			ssize_t n = write(fd, zeros, sizeof(zeros));

			if (n <= 0) {
				break;
			}
			done += n;
		}
		fsync(fd);
	}
	if (unlink(path) < 0 && errno != ENOENT) {
		return error_errno(err, errno, "removing %s", path);
	}
	return 0;
}

/* What ends the most: the refresh token takes its sessions along. NULL: nothing of ours. */
static const char *to_revoke(const struct sf *sf, const struct token *t)
{
	if (sf->keeper.ask.grant == SF_GRANT_SF) {
		return NULL;
	}
	return t->refresh ? t->refresh : sf->seed ? sf->seed : t->access;
}

int sf_logout(struct sf *sf, const struct until *until, struct sf_logout *ret, struct error *err)
{
	AUTO(token) struct token t = {0};
	AUTO_CLOSE int fd = -1;
	struct error fault = {0};
	const char *secret;
	uint64_t hash;
	int r = token_file_lock(sf->keeper.lock_file, until, &fd, err), wiped;

	if (r < 0) {
		return r;
	}
	memset(ret, 0, sizeof(*ret));
	/* A file that cannot be read is removed all the same. */
	r = keeper_load(&sf->keeper, &t, &hash, &fault);
	secret = r == 0 ? to_revoke(sf, &t) : NULL;
	ret->was_known = r < 0 || t.access || secret;
	if (secret) {
		r = revoke_token(sf, &t, secret, until, &fault);
		ret->revoked = r == 0;
	}
	wiped = wipe_file(sf->keeper.file, err);
	keeper_forget(&sf->keeper);
	if (wiped < 0) {
		return wiped;
	}
	if (r < 0 && err) {
		*err = fault;
		error_prefix(err, r,
			"the log-in is forgotten here, but it is not sure that the org has ended "
			"it "
			"(see Setup, Connected Apps OAuth Usage)");
	}
	return r;
}
