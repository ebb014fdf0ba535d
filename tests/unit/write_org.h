/* SPDX-License-Identifier: MIT */
/* What the tests of update, create and remove share: an org, and eyes on what reached it. */
#ifndef TESTS_WRITE_ORG_H
#define TESTS_WRITE_ORG_H

#include <jansson.h>

#include "sf_org.h"

#define KEPT_MAX 64

/* The records that a sink got, as JSON. */
struct kept {
	size_t count;
	json_t *record[KEPT_MAX];
	int answer; /* what the sink returns */
};

extern struct sf_org org;

int write_org_start(void **state);
int write_org_stop(void **state);

void faults(const char *json);

void kept_clear(struct kept *k);
struct remote_sink sink_of_kept(struct kept *k);
json_t *kept_record(const struct kept *k, const struct id *id); /* borrowed, NULL */
const char *kept_text(const struct kept *k, const struct id *id, const char *field);
int64_t kept_modified_ms(const struct kept *k, const struct id *id);

/* The Ids of the first count live records of an object. */
void live_ids(const char *object, size_t count, struct id *ids);

/* Records as they are now, by a call of its own. */
void look(const struct schema *schema, const struct id *ids, size_t count, struct kept *k);

/* How often the org carried something out since the last reset, be it by a call or by a part of
 * one: by method and status (0: any). */
int done_by(const char *method, int status);

struct remote_save save_of(const struct id *id, const char *json, int64_t unmodified_since_ms);
int update(const struct schema *schema, struct remote_save *saves, size_t count, struct kept *k,
	struct error *err);
int create(const struct schema *schema, const char *json, struct kept *k, struct id *ret,
	struct error *err);

#endif
