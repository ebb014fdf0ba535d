/* SPDX-License-Identifier: MIT */
/* A practice org and the sf floor opened on it. */
#ifndef TESTS_SF_ORG_H
#define TESTS_SF_ORG_H

#include "forcefs/sf/sf.h"
#include "practice.h"

struct sf_org {
	struct practice practice;
	char state_dir[64];
	struct sf_config config;
	struct http *http;
	struct sf *sf;
	const struct remote *remote;
};

/* False (and nothing to stop) if the org cannot be started here. */
bool sf_org_start(struct sf_org *o, const char *const *arguments);
void sf_org_stop(struct sf_org *o);

/* Opens sf again on the same state folder, as a remount would. */
void sf_org_reopen(struct sf_org *o);

/* Opens sf again with another version ("66.0") in its state file than the org gave. */
void sf_org_pretend_version(struct sf_org *o, const char *version);

struct until sf_org_until(int ms);

/* The object's describe, parsed. */
struct schema *sf_org_schema(struct sf_org *o, const char *object);

/* Fails with the text of err unless r is 0. */
void must(int r, const struct error *err);

/* What a sink heard. */
struct heard {
	size_t records, deleted, bytes;
	struct id ids[4096]; /* of the records, as far as they fit */
	struct id gone[64];
	size_t with_is_deleted; /* records that say "IsDeleted":true */
};

struct remote_sink sink_of(struct heard *h);
bool heard_id(const struct heard *h, const char *id);

#endif
