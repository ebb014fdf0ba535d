/* SPDX-License-Identifier: MIT */
/* Log-in: the doors of forcefs/sf/login.h onto the keeper. */
#include "forcefs/sf/login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sf_priv.h"

/* ---- in ---- */

int sf_login_code(struct sf *sf, const struct sf_authorize *a, const char *redirect_uri,
	const char *code, const struct until *until, struct error *err)
{
	struct token_ask ask = sf->keeper.ask;

	ask.code = code;
	ask.redirect_uri = redirect_uri;
	ask.verifier = a->verifier;
	return keeper_login(&sf->keeper, &ask, false, until, err);
}

int sf_login_refresh_token(
	struct sf *sf, const char *refresh_token, const struct until *until, struct error *err)
{
	struct token_ask ask = sf->keeper.ask;

	if (!token_text_ok(refresh_token)) {
		return error_set(err, EINVAL, "this is no refresh token");
	}
	ask.refresh = refresh_token;
	return keeper_login(&sf->keeper, &ask, true, until, err);
}

int sf_login_anew(struct sf *sf, const struct until *until, struct error *err)
{
	return keeper_login(&sf->keeper, &sf->keeper.ask, false, until, err);
}

int sf_login_refusal(const char *org, const char *code, const char *description, struct error *err)
{
	const struct token_ask ask = {.org = org, .code = ""};
	char error[64], text[160];
	struct error fault = {0};

	sf_error_tidy(error, sizeof(error), code, strlen(code));
	sf_error_tidy(text, sizeof(text), description, strlen(description));
	token_refusal(&ask, 0, error, text, &fault);
	if (err) {
		*err = fault;
	}
	return -fault.errnum;
}

bool sf_login_lasts(struct sf *sf)
{
	AUTO(token) struct token t = {0};

	if (sf->keeper.ask.grant != SF_GRANT_REFRESH_TOKEN) {
		return true;
	}
	return keeper_peek(&sf->keeper, &t) == 0 && t.refresh;
}

int sf_ask_username(struct sf *sf, const struct until *until, struct error *err)
{
	AUTO(token) struct token t = {0};
	struct userinfo info = {0};
	int r = keeper_peek(&sf->keeper, &t);

	if (r == 0 && t.username) {
		return 0;
	}
	if (r < 0 || !t.access) {
		return error_set(err, ENODATA, "%s is not logged in", sf->org);
	}
	r = userinfo_get(sf->http, t.instance_url, t.access, until, &info, err);
	if (r == 0 && info.username[0]) {
		keeper_remember_username(&sf->keeper, info.username, until);
	}
	return r;
}

/* ---- the app that came with a log-in ---- */

void sf_app_release(struct sf_app *app)
{
	free(app->login_url);
	free(app->client_id);
	token_string_free(app->client_secret);
	memset(app, 0, sizeof(*app));
}

int sf_stored_app(const char *state_dir, const char *org, struct sf_app *ret, struct error *err)
{
	AUTO_FREE char *path = NULL;
	AUTO(token) struct token t = {0};
	uint64_t hash;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (asprintf(&path, "%s/%s.token", state_dir, org) < 0) {
		path = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	r = token_file_load(path, &t, &hash, err);
	if (r == 0 && t.app && t.login_url && t.client_id) {
		ret->login_url = take_ptr(&t.login_url);
		ret->client_id = take_ptr(&t.client_id);
		ret->client_secret = take_ptr(&t.client_secret);
	}
	return r;
}
