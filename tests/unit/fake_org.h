/* SPDX-License-Identifier: MIT */
/*
 * An org in memory behind `struct remote`: objects with records that tests change, and counts of
 * what was asked. Any function can be told to fail or to be slow.
 */
#ifndef FORCEFS_TESTS_FAKE_ORG_H
#define FORCEFS_TESTS_FAKE_ORG_H

#include <stdbool.h>

#include "forcefs/mirror/mirror.h"

enum fake_call {
	FAKE_OBJECTS,
	FAKE_DESCRIBE,
	FAKE_LIST,
	FAKE_RETRIEVE,
	FAKE_CHANGES,
	FAKE_LIMITS,
	FAKE_UPDATE,
	FAKE_CREATE,
	FAKE_REMOVE,
	FAKE_CALLS
};

struct fake_org;

/* One object "Account" (prefix 001) with `records` records; page: records per page. */
struct fake_org *fake_org_new(unsigned records, unsigned page);
void fake_org_free(struct fake_org *org);
const struct remote *fake_org_remote(struct fake_org *org);

unsigned fake_org_count(struct fake_org *org, enum fake_call call);
unsigned fake_org_count_all(struct fake_org *org);
unsigned fake_org_saved(struct fake_org *org);     /* records sent to be saved */
unsigned fake_org_retrieved(struct fake_org *org); /* records asked for by Id */

/* The next `times` (-1: for ever) calls of this kind fail with -errnum and the code. */
void fake_org_fail(
	struct fake_org *org, enum fake_call call, int errnum, const char *code, int times);
/* Calls of this kind take so long; they end early with -EINTR or -ETIMEDOUT like real ones. */
void fake_org_slow(struct fake_org *org, enum fake_call call, int ms);

void fake_org_id(unsigned i, struct id *ret);                             /* of record i */
void fake_org_change(struct fake_org *org, unsigned i, const char *name); /* as another user, now */
void fake_org_delete(struct fake_org *org, unsigned i);
unsigned fake_org_create(struct fake_org *org, const char *name); /* returns its i */
void fake_org_add_field(struct fake_org *org);                    /* the describe changes */
void fake_org_no_stamps(struct fake_org *org); /* before first use: changes cannot be told */
void fake_org_no_ids(struct fake_org *org);    /* all records have the empty Id */
void fake_org_move_time(struct fake_org *org, int64_t ms); /* both clocks go on by so much */

void fake_org_put_clock_on(struct fake_org *org, int64_t ms); /* the org's clock alone */
void fake_org_restore(
	struct fake_org *org, unsigned i); /* deleted before; the log names it still */

/* Questions are answered with the records as they were when they were put, however late. */
void fake_org_answer_old(struct fake_org *org);
/* Once, while the next call of this kind is under way. */
void fake_org_meanwhile(
	struct fake_org *org, enum fake_call call, void (*run)(void *arg), void *arg);
/* The next such call hands out everything, and fails at the end. Reading calls only. */
void fake_org_break_off(struct fake_org *org, enum fake_call call);
/* changes() takes every describe for an old one. */
void fake_org_describe_drifts(struct fake_org *org);
/* What was saved or made is not read along. */
void fake_org_no_read_back(struct fake_org *org);

/* A mirror over the org and a store in memory; ttl 60 s. */
struct rig {
	struct fake_org *org;
	struct store *store;
	struct mirror *mirror;
	uint32_t account;
	struct until until; /* 5 s from now; refreshed by rig_until */
};
void rig_up(struct rig *rig, unsigned records, unsigned page);
void rig_up_over(
	struct rig *rig, unsigned records, unsigned page, const struct store_config *config);
void rig_remount(struct rig *rig); /* mirror closed and opened again over the same store */
void rig_down(struct rig *rig);
const struct until *rig_until(struct rig *rig);

/* Reads the whole list; how many names, or a negative errno. */
int rig_list(struct rig *rig);
/* Reads record i as a file; 0 or a negative errno; text is cut to size. */
int rig_cat(struct rig *rig, unsigned i, char *text, size_t size);

#endif
