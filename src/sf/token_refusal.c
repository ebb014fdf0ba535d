/* SPDX-License-Identifier: MIT */
/* What the token endpoint's refusals mean, each with a sentence and the mend. */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A mend that depends on how the log-in is done. */
#define MEND_LOGIN   ((const char *)1)
#define MEND_APPROVE ((const char *)2)

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
	{"access_denied", "", TOKEN_DEAD, EACCES, "the access was denied in the browser",
		"run the command again and choose Allow"},
	{"invalid_grant", "already being processed", TOKEN_BUSY, EAGAIN,
		"another program is using the same refresh token at this moment",
		"try again, or give each program a log-in of its own"},
	{"invalid_grant", "expired access/refresh token", TOKEN_DEAD, EACCES,
		"the refresh token has expired, was revoked, or another program replaced it",
		MEND_LOGIN},
	{"invalid_grant", "authentication failure", TOKEN_DEAD, EACCES,
		"the user may not log in here: password, network address, hours or the wrong "
		"login_url",
		"check login_url and the user's log-in history in Setup"},
	{"invalid_grant", "hasn't approved this consumer", TOKEN_DEAD, EACCES,
		"the user has not approved the app, or the org has no such user", MEND_APPROVE},
	{"invalid_grant", "inactive user", TOKEN_DEAD, EACCES, "the user is locked or frozen",
		"ask the org's administrator to activate the user"},
	{"invalid_grant", "inactive organization", TOKEN_DEAD, EACCES,
		"the org is locked or was deleted", "check login_url"},
	{"invalid_grant", "audience", TOKEN_DEAD, EACCES, "the token was made for another host",
		"set login_url to the org's My Domain"},
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
		"the signature does not fit the app's certificate",
		"check jwt_key_file and the certificate that was uploaded to the app"},
	{"invalid_grant", "not admin approved", TOKEN_DEAD, EACCES, "the user may not use the app",
		"assign the app's profile or permission set to the user"},
	{"invalid_grant", "code verifier", TOKEN_DEAD, EACCES,
		"the authorization code belongs to another log-in", MEND_LOGIN},
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
		"the callback URL is not one of the app's",
		"set redirect_uri to one of the app's callback URLs, to the letter"},
	{"unsupported_grant_type", "", TOKEN_DEAD, EINVAL, "the app does not allow this grant",
		"enable the flow in the app, or change grant in the settings file"},
	{"invalid_scope", "", TOKEN_DEAD, EINVAL, "the app lacks a scope",
		"give the app the scopes api and refresh_token"},
	{"invalid_request", "code verifier", TOKEN_DEAD, EINVAL,
		"the authorization code belongs to another log-in", MEND_LOGIN},
	{"invalid_request", "", TOKEN_DEAD, EINVAL, "the request for a token is not valid",
		"check grant, client_id and client_secret in the settings file"},
	{"rate_limit_exceeded", "", TOKEN_DEAD, EAGAIN, "too many log-ins in the last hour",
		"wait some minutes"},
	{"", "", TOKEN_FAILED, EACCES, "the log-in failed", "run: forcefs doctor"},
};

/* One text for two things: a code that was used before or is too old, or a JWT whose time is not
 * the org's. */
static const struct refusal_row old_code = {"invalid_grant", "expired authorization code",
	TOKEN_DEAD, EACCES, "the authorization code was used before, or is too old", MEND_LOGIN};
static const struct refusal_row old_jwt = {"invalid_grant", "expired authorization code",
	TOKEN_DEAD, EACCES, "the signed request counts as expired", "set this machine's clock"};

static bool holds(const char *text, const char *part)
{
	return strcasestr(text, part) != NULL;
}

static bool row_fits(const struct refusal_row *row, const char *error, const char *description)
{
	return (!row->error[0] || !strcmp(row->error, error)) &&
	       (!row->description[0] || holds(description, row->description));
}

static const struct refusal_row *find_row(
	const struct token_ask *ask, const char *error, const char *description)
{
	const struct refusal_row *row = rows;

	if (row_fits(&old_code, error, description)) {
		return ask->grant == SF_GRANT_JWT_BEARER && !ask->code ? &old_jwt : &old_code;
	}
	while (!row_fits(row, error, description)) {
		row++;
	}
	return row;
}

static void write_mend(
	const struct token_ask *ask, const struct refusal_row *row, char *dst, size_t size)
{
	bool browser = ask->code || ask->grant == SF_GRANT_REFRESH_TOKEN;

	if (row->mend == MEND_LOGIN && ask->code) {
		snprintf(dst, size, "run: forcefs login %s once more", ask->org);
	} else if (row->mend == MEND_LOGIN && browser) {
		snprintf(dst, size,
			"run: forcefs login %s, or put a new refresh_token in the settings file",
			ask->org);
	} else if (row->mend == MEND_LOGIN) {
		snprintf(dst, size, "check the settings of %s and the app's policies", ask->org);
	} else if (row->mend == MEND_APPROVE && browser) {
		snprintf(dst, size, "run: forcefs login %s, and choose Allow", ask->org);
	} else if (row->mend == MEND_APPROVE) {
		snprintf(dst, size,
			"check username; let the app's users be pre-authorized by an "
			"administrator and assign the user's profile or permission set to the app");
	} else {
		snprintf(dst, size, "%s", row->mend);
	}
}

enum token_verdict token_refusal(const struct token_ask *ask, int status, const char *error,
	const char *description, struct error *err)
{
	const struct refusal_row *row = find_row(ask, error, description);
	char mend[200];

	write_mend(ask, row, mend, sizeof(mend));
	error_set_code(err, row->errnum, status, error,
		"Salesforce refused the log-in (%s%s%s): %s; %s", error, description[0] ? ": " : "",
		description, row->what, mend);
	return row->verdict;
}

enum token_verdict token_refusal_read(
	const struct token_ask *ask, int status, const json_t *body, struct error *err)
{
	json_t *error = json_object_get(body, "error");
	json_t *description = json_object_get(body, "error_description");
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
	return token_refusal(ask, status, code, text, err);
}
