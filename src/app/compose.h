/* SPDX-License-Identifier: MIT */
/* The floors below fs, built bottom-up from the settings and taken down top-down. */
#ifndef FORCEFS_APP_COMPOSE_H
#define FORCEFS_APP_COMPOSE_H

#include <stdbool.h>

#include "forcefs/base/error.h"
#include "forcefs/mirror/mirror.h"
#include "forcefs/net/http.h"
#include "forcefs/sf/sf.h"
#include "forcefs/store/blobs.h"
#include "forcefs/store/store.h"
#include "settings.h"

/* Salesforce's own hosts, by their endings: where a redirect may lead. NULL-ended. */
extern const char *const compose_own_hosts[];

struct composition {
	struct http *http;
	struct sf *sf;
	struct store *store;
	struct blobs *blobs;
	struct mirror *mirror;
	struct sf_identity identity;
	char note[512]; /* what the person should know though it works; "" if nothing */
};

/* Opens all and makes sure that the org can be used: the log-in works, and on an empty cache that
 * the API answers. With a filled cache an org out of reach is no failure, and no counted API call
 * is made. state_dir: where tokens are kept; cancel may be NULL. On failure nothing is left open. */
int compose_open(const struct settings *s, const char *state_dir, struct cancel *cancel,
	struct composition *ret, struct error *err);
/* The two lowest floors, one by one, for a question or two to an org that is not mounted. c starts
 * all zero and is closed with compose_close, after a failure too. No request is made. */
int compose_http(const struct settings *s, struct composition *c, struct error *err);
int compose_sf(
	const struct settings *s, const char *state_dir, struct composition *c, struct error *err);
/* As long as these settings let a program wait, from now. */
struct until compose_patience(const struct settings *s);
/* "name (user 005… org 00D…)", without the name where it was never heard, "" if nothing is known. */
void compose_who(const struct sf_identity *who, char *buf, size_t size);
/* The folder of the cache, new; NULL in *ret: it is kept in memory. */
int compose_cache_dir(const struct settings *s, char **ret, struct error *err);
void compose_close(struct composition *c); /* half-built is fine */

DEFINE_CLEANER(composition, struct composition, compose_close)

#endif
