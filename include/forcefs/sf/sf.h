/* SPDX-License-Identifier: MIT */
/*
 * Salesforce's REST API as a `struct remote`: URLs, JSON shapes, error codes, limits, SOQL text, and
 * the token manager behind every call. Knows neither cache, files nor FUSE. Any thread may call.
 */
#ifndef FORCEFS_SF_SF_H
#define FORCEFS_SF_SF_H

#include <stdbool.h>
#include <stdint.h>

#include "forcefs/base/cancel.h"
#include "forcefs/base/error.h"
#include "forcefs/model/remote.h"
#include "forcefs/net/http.h"

enum sf_grant {
	SF_GRANT_REFRESH_TOKEN,
	SF_GRANT_JWT_BEARER,
	SF_GRANT_CLIENT_CREDENTIALS,
	SF_GRANT_SF
};

struct sf_config {
	const char *org;           /* section name: names the state files and stands in texts */
	const char *login_url;     /* https://…, or http:// on loopback */
	const char *client_id;     /* not for SF_GRANT_SF */
	const char *client_secret; /* or NULL */
	const char *refresh_token; /* seed from the settings, or NULL: the one that login stored */
	enum sf_grant grant;
	const char *username;      /* for SF_GRANT_JWT_BEARER */
	const char *jwt_key_file;  /* PEM, for SF_GRANT_JWT_BEARER */
	const char *sf_alias;      /* for SF_GRANT_SF, or NULL: the org's name */
	const char *api_version;   /* "64.0", or NULL: the newest that both sides know */
	const char *state_dir;     /* where <org>.token and <org>.lock lie; made if missing */
	int api_reserve_percent;   /* of the daily API requests; 0 switches it off */
	int64_t api_reserve_calls; /* used when the percentage is 0 and this is > 0 */
};

struct sf;

/* Copies what it needs of config; http is borrowed and must outlive it. Makes no call. */
int sf_open(const struct sf_config *config, struct http *http, struct sf **ret, struct error *err);
void sf_close(struct sf *sf); /* NULL is fine */

/* Gets a working token (the stored one, else by the grant) and the API version, without a counted
 * API call. Fails with EACCES and the mend when the log-in is dead. Needed before the first call
 * only to fail early: every call does it by itself. */
int sf_connect(struct sf *sf, const struct until *until, struct error *err);

struct sf_identity {
	char org_id[19]; /* 18 characters, "" if never logged in */
	char user_id[19];
	char instance_url[256];
	char api_version[8];
	char username[128]; /* as last heard, "" if never asked */
};

/* As far as known without a call: from the last token reply or the state file. -ENODATA when this
 * org was never logged in from here. */
int sf_identity(struct sf *sf, struct sf_identity *ret);

/* The table of Salesforce's error codes by number: a code (a closing * stands for any ending) and
 * the errno that it becomes. False after the last. */
bool sf_code(size_t i, const char **ret_code, int *ret_errnum);

/* The seam; borrowed, lives as long as sf. */
const struct remote *sf_remote(struct sf *sf);

#endif
