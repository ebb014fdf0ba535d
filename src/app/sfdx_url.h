/* SPDX-License-Identifier: MIT */
/* An SFDX auth URL, force://CLIENT_ID:CLIENT_SECRET:REFRESH_TOKEN@HOST, alone or inside the JSON
 * that the sf command prints. A pure function over bytes, and reading them. */
#ifndef FORCEFS_APP_SFDX_URL_H
#define FORCEFS_APP_SFDX_URL_H

#include <stddef.h>

#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"

struct sfdx_url {
	char *client_id, *client_secret; /* the secret is NULL where it is empty */
	char *refresh_token;
	char *login_url; /* https://HOST, http:// on loopback */
};

int sfdx_url_parse(const char *text, size_t len, struct sfdx_url *ret, struct error *err);
/* path "-" is stdin. */
int sfdx_url_read(const char *path, struct sfdx_url *ret, struct error *err);
void sfdx_url_release(struct sfdx_url *u); /* wipes */

DEFINE_CLEANER(sfdx_url, struct sfdx_url, sfdx_url_release)

#endif
