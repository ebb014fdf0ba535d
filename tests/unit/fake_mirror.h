/* SPDX-License-Identifier: MIT */
/*
 * A mirror in memory, for tests of the fs floor. Objects "Account" (index 1, records), "Contact"
 * (2, records that cannot be changed), "Refused" (3, its listing is refused), all with the same
 * number of records. Knobs may be turned while it runs.
 */
#ifndef FAKE_MIRROR_H
#define FAKE_MIRROR_H

#include <stdatomic.h>

#include "forcefs/mirror/mirror.h"

struct fake_knobs {
	atomic_int delay_ms;      /* of everything that would ask the org; -1: never answers */
	atomic_int fail_errno;    /* positive: what would ask the org fails so */
	atomic_bool cold_records; /* records have to be asked for */
	atomic_bool cold_lists;   /* listings have to be asked for */
	atomic_bool due;          /* a check for changes is due in every object */
	atomic_int fresh_ms;      /* of records and objects */
	/* counted */
	atomic_int asked; /* waits for the org */
	atomic_int drains;
	atomic_int reads;   /* bodies given */
	atomic_int waiting; /* just now */
	/* saving */
	atomic_bool refuse_saves;
	atomic_int saves;
	char saved[4096]; /* the last text; read when nothing is under way */
};

struct mirror *fake_mirror_new(unsigned records, size_t body_bytes, struct fake_knobs **ret_knobs);
void fake_mirror_free(struct mirror *m);

/* The 18-character Id of a record (row from 1). */
void fake_id(uint32_t object, uint64_t row, char ret[19]);

/* Change a record as a check would have found it, news included. */
void fake_change(struct mirror *m, uint32_t object, uint64_t row);
void fake_delete(struct mirror *m, uint32_t object, uint64_t row);
void fake_push(struct mirror *m, const struct news *news);

#endif
