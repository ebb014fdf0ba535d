/* SPDX-License-Identifier: MIT */
/*
 * Logging in and out, as the commands need it. A browser log-in is
 *
 *   sf_authorize_init    the address to open, with state and PKCE challenge
 *   (elsewhere)          the browser comes back with a code, or a refusal
 *   sf_login_code        exchanges the code and keeps the tokens where every later sf_open finds
 *                        them; mounts that wait with a dead log-in take it up within a minute
 *
 * Knows neither browsers, listeners nor terminals. One thread.
 */
#ifndef FORCEFS_SF_LOGIN_H
#define FORCEFS_SF_LOGIN_H

#include <stdbool.h>

#include "forcefs/base/cancel.h"
#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"
#include "forcefs/sf/sf.h"

struct sf_authorize_config {
	const char *login_url, *client_id, *redirect_uri;
	const char *scope;    /* or NULL: api refresh_token */
	const char *username; /* filled into the log-in page, or NULL */
};

struct sf_authorize {
	char *url;
	char *state;    /* must come back as it is */
	char *verifier; /* secret */
};

int sf_authorize_init(
	struct sf_authorize *ret, const struct sf_authorize_config *config, struct error *err);
void sf_authorize_release(struct sf_authorize *a);

DEFINE_CLEANER(sf_authorize, struct sf_authorize, sf_authorize_release)

/* code as it stood in the redirect, percent-decoded once. */
int sf_login_code(struct sf *sf, const struct sf_authorize *a, const char *redirect_uri,
	const char *code, const struct until *until, struct error *err);

/* With a refresh token from elsewhere, of the app and host that sf was opened with; both are kept
 * with it. */
int sf_login_refresh_token(
	struct sf *sf, const char *refresh_token, const struct until *until, struct error *err);

/* By the grant of the settings, whatever session is known already. Not for
 * SF_GRANT_REFRESH_TOKEN. */
int sf_login_anew(struct sf *sf, const struct until *until, struct error *err);

/* The text for a refusal that came back in the redirect. Gives a negative errno. */
int sf_login_refusal(const char *org, const char *code, const char *description, struct error *err);

/* True if the log-in outlives its session by itself: there is a refresh token, or the grant needs
 * none. */
bool sf_login_lasts(struct sf *sf);

/* The user's name, asked once and kept with the token; in the texts and in sf_identity after this.
 * A failure is no drama: the Ids are known without. */
int sf_ask_username(struct sf *sf, const struct until *until, struct error *err);

/* The app and host that a log-in of sf_login_refresh_token left; all NULL if none. */
struct sf_app {
	char *login_url, *client_id, *client_secret; /* new; the last may be NULL */
};

int sf_stored_app(const char *state_dir, const char *org, struct sf_app *ret, struct error *err);
void sf_app_release(struct sf_app *app);

DEFINE_CLEANER(sf_app, struct sf_app, sf_app_release)

struct sf_logout {
	bool was_known; /* there was something to forget */
	bool revoked;   /* the org has ended it, or had so before */
};

/* Revokes and forgets. Forgets even where revoking fails; the error then says so. The session that
 * the sf command lent is forgotten only. */
int sf_logout(struct sf *sf, const struct until *until, struct sf_logout *ret, struct error *err);

#endif
