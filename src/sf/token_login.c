/* SPDX-License-Identifier: MIT */
/* A new log-in: under the lock that several processes share, it takes the place of whatever was
 * known before, so that no token of another user or app is left beside it. */
#include "sf_priv.h"

#include <errno.h>
#include <string.h>

static int prepare_login(const struct keeper *k, const struct token_ask *ask, bool own_app,
	struct token *ret, struct error *err)
{
	struct token none = {0};

	if (keeper_prepare(k, &none, ask->refresh, ret) < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	if (own_app) {
		ret->app = strdup("sfdx");
		ret->client_secret = ask->client_secret ? strdup(ask->client_secret) : NULL;
		if (!ret->app || (ask->client_secret && !ret->client_secret)) {
			token_release(ret);
			return error_set(err, ENOMEM, "out of memory");
		}
	}
	return 0;
}

static int save(const struct keeper *k, const struct token *fresh, struct error *err)
{
	int r = token_file_save(k->file, fresh, err);

	return r < 0 ? error_prefix(err, r, "the log-in succeeded but cannot be kept") : 0;
}

int keeper_login(struct keeper *k, const struct token_ask *ask, bool own_app,
	const struct until *until, struct error *err)
{
	AUTO(token) struct token granted = {0};
	AUTO(token) struct token fresh = {0};
	AUTO_CLOSE int fd = -1;
	struct error fault = {0};
	int r = token_file_lock(k->lock_file, until, &fd, err);

	if (r == 0) {
		r = prepare_login(k, ask, own_app, &fresh, err);
	}
	if (r < 0) {
		return r;
	}
	if (token_request(k->http, ask, until, &granted, &fault) != TOKEN_GRANTED) {
		if (err) {
			*err = fault;
		}
		return -fault.errnum;
	}
	keeper_adopt(&fresh, &granted);
	r = save(k, &fresh, err);
	if (r == 0) {
		keeper_replace(k, &fresh);
	}
	return r;
}
