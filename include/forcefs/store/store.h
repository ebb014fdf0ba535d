/* SPDX-License-Identifier: MIT */
/*
 * The cache file: SQLite in WAL mode, mode 0600, one writer connection, a small pool of reader
 * connections. Rows hold object, Id, stamp and the rendered bytes of a record. Knows no JSON and
 * does not judge freshness: times and states of an object are kept for the mirror, which alone
 * reads meaning into them.
 *
 * A record's key is object << 40 | row: it is the row's primary key, the directory offset (its row
 * part) and the low 56 bits of the inode number. Keys are stable for the life of the file and never
 * used again for another record.
 *
 * Every function may be called from any thread. Reads do not wait for the writer (in memory they
 * take turns with it). Failures: -EIO (disk), -ENOSPC (disk full), -ENOMEM, -EFBIG, -EBUSY (another
 * program holds the file), -EUCLEAN (the file is damaged or was removed: call store_rebuild),
 * -ENOENT where said, also for an object that was never got. The texts name the file and the mend.
 */
#ifndef FORCEFS_STORE_STORE_H
#define FORCEFS_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/error.h"

#define STORE_ROW_BITS   40
#define STORE_ROW_MAX    ((UINT64_C(1) << STORE_ROW_BITS) - 1)
#define STORE_OBJECT_MAX 65535u
#define STORE_TAG_SIZE   40 /* with its 0 */

static inline uint64_t store_key(uint32_t object, uint64_t row)
{
	return (uint64_t)object << STORE_ROW_BITS | row;
}

static inline uint32_t store_key_object(uint64_t key)
{
	return (uint32_t)(key >> STORE_ROW_BITS);
}

static inline uint64_t store_key_row(uint64_t key)
{
	return key & STORE_ROW_MAX;
}

struct store;

struct store_config {
	const char *dir;      /* folder of the cache file, made if missing; NULL: memory only */
	const char *name;     /* file name without ending: "<orgId>-<userId>" */
	uint64_t limit_bytes; /* cache_size; 0: no limit */
};

enum store_origin { STORE_NEW, STORE_WARM, STORE_REBUILT_VERSION, STORE_REBUILT_DAMAGED };

/* Opens or makes the file. A file of another schema version or a damaged one is thrown away and
 * made anew (*ret_origin says so). Two processes never share a file: if it is locked by another
 * mount, "<name>.2" to "<name>.8" are tried (-EBUSY when all are in use). -EACCES for links, for
 * files of other users and for a folder that everyone can write to. */
int store_open(const struct store_config *config, struct store **ret, enum store_origin *ret_origin,
	struct error *err);
void store_close(struct store *s); /* NULL is fine */
/* Borrowed, kept until store_close; ":memory:" in memory. A rebuild may move on to another path
 * when the files were removed and another mount has taken the name. */
const char *store_path(const struct store *s);

/* Throws the damaged file away and makes an empty one at once; known objects keep their index and
 * new rows continue after the highest row ever given; listing states are zero, documents gone. When
 * several calls failed with -EUCLEAN each caller may call this: the first does it, the others
 * return 0 and throw nothing away. */
int store_rebuild(struct store *s, struct error *err);

/* The disk is full: goes on in memory, empty, as store_rebuild leaves it; the file stays as it is
 * for the next mount. 0 also if it is in memory already. */
int store_leave_disk(struct store *s, struct error *err);
bool store_on_disk(const struct store *s);

/* ---- documents: describes and the like, by name ---- */

struct store_doc {
	char *data; /* new on get (0-ended), borrowed on put */
	size_t len;
	char modified[64];  /* the caller's, e.g. Last-Modified */
	int64_t checked_ms; /* the caller's */
};

int store_doc_get(struct store *s, const char *name, struct store_doc *ret, struct error *err);
int store_doc_put(
	struct store *s, const char *name, const struct store_doc *doc, struct error *err);
/* Sets checked_ms only. */
int store_doc_touch(struct store *s, const char *name, int64_t checked_ms, struct error *err);
void store_doc_release(struct store_doc *d);

/* ---- objects ---- */

struct store_object {
	uint32_t index; /* 1..STORE_OBJECT_MAX */
	char name[81];
	/* The mirror's, saved and loaded as they are: */
	int64_t listed_ms;  /* 0: never listed to the end; else the org's clock when it was asked */
	int64_t checked_ms; /* our clock at the last full check */
	int64_t fill_ms;    /* the org's clock when an unfinished listing began */
	uint32_t generation;  /* of the listing in progress or done */
	uint64_t schema_hash; /* bodies were rendered by this schema */
	char *next;           /* new on load; next page of an unfinished listing; NULL: none */
	int verdict;          /* errno if the org refuses to list it, else 0 */
	char verdict_code[64];
	char verdict_text[400];
};

/* Finds or makes the object; its columns are all zero when it is new. */
int store_object_get(
	struct store *s, const char *name, struct store_object *ret, struct error *err);
int store_object_save(struct store *s, const struct store_object *o, struct error *err);
void store_object_release(struct store_object *o);

struct store_count {
	uint64_t records; /* rows */
	uint64_t bytes;   /* of bodies */
};
/* Counts kept in memory and in the object's row; never a scan. */
void store_object_count(struct store *s, uint32_t object, struct store_count *ret);

/* Marks the object as used now (for eviction); cheap, kept in memory and saved now and then. */
void store_object_used(struct store *s, uint32_t object);

/* ---- records ---- */

struct store_record {
	uint64_t key;
	char id[19]; /* 18 characters */
	int64_t stamp_ms;
	uint64_t hash;            /* of the body */
	uint64_t size;            /* of the body, bytes, known also when the body was evicted */
	int64_t checked_ms;       /* our clock when the org last answered for this very record */
	char tag[STORE_TAG_SIZE]; /* the caller's: a short text that stays when the body is evicted */
};

/* By key or Id; -ENOENT (no text) when there is none. body may be NULL; else the bytes are
 * appended; -ENODATA when the row is there but its body was evicted (ret is filled then). */
int store_record_by_key(struct store *s, uint64_t key, struct store_record *ret, struct buf *body,
	struct error *err);
int store_record_by_id(struct store *s, uint32_t object, const char *id18, struct store_record *ret,
	struct buf *body, struct error *err);

/* A version of the record with this stamp that a later one replaced, appended; the last replaced one
 * is nth = 0 (two changes within a second can have one stamp). -ENOENT (no text) when there is none,
 * or it is not kept any more: some thousands of the last ones are. */
int store_record_former(struct store *s, uint64_t key, int64_t stamp_ms, unsigned nth,
	struct buf *body, struct error *err);

/* Up to max records of the object with a row greater than after_row, in row order. Returns how many
 * (0 at the end) or a negative errno. */
int store_record_next(struct store *s, uint32_t object, uint64_t after_row,
	struct store_record *ret, int max, struct error *err);

enum store_change { STORE_SAME, STORE_CHANGED, STORE_ADDED };

struct store_put {
	char id[19];
	int64_t stamp_ms;
	uint64_t hash;
	const char *body; /* borrowed */
	size_t size;
	char tag[STORE_TAG_SIZE];
	char ret_former[STORE_TAG_SIZE]; /* filled where ret_change is CHANGED: the tag before */
	uint64_t ret_key;                /* filled */
	enum store_change ret_change;    /* filled: SAME means same hash and size */
};

/* Inserts or updates, one transaction; rows are marked with generation (a row that has a later one
 * keeps it; 0 marks none) and checked_ms (moves of up to a second need not be written). New rows get
 * ascending row numbers in the order given. A row that was answered later than checked_ms keeps its
 * content (SAME): an answer fetched before a write never replaces what the write made. May evict
 * other objects, and bodies of this one when it alone is larger than the limit. */
int store_record_put(struct store *s, uint32_t object, uint32_t generation, int64_t checked_ms,
	struct store_put *rows, size_t count, struct error *err);

struct store_gone {
	uint64_t key;
	char id[19];
};

/* Deletes those of the Ids that are there, one transaction; what was there is reported. gone has
 * room for count; *ret_gone says how many. */
int store_record_delete(struct store *s, uint32_t object, const char (*id18)[19], size_t count,
	struct store_gone *gone, size_t *ret_gone, struct error *err);

/* After a full listing: deletes up to max rows whose generation is another one, and reports them.
 * *ret_gone < max means that none is left. */
int store_record_sweep(struct store *s, uint32_t object, uint32_t generation,
	struct store_gone *gone, size_t max, size_t *ret_gone, struct error *err);

struct store_stats {
	uint64_t file_bytes; /* in use */
	uint64_t limit_bytes;
	uint64_t evictions; /* objects or runs of bodies dropped to keep the limit */
	bool left_disk;     /* by store_leave_disk */
};
void store_get_stats(struct store *s, struct store_stats *ret);

/* Called before the rows of an object that is evicted whole begin to go (must not write to the store
 * then), and again when they are gone (without any lock of the store held): its listing state was
 * reset to zero by then (listed_ms, checked_ms, fill_ms, next; generation goes on). What is put in
 * between may go with the others; what is saved of the state until the second call returns is zero.
 * Called from within store_record_put or store_doc_put. Set once, before threads start; NULL for
 * none. */
void store_on_evicted(
	struct store *s, void (*evicted)(void *payload, uint32_t object, bool gone), void *payload);

DEFINE_CLEANER(store_doc, struct store_doc, store_doc_release)
DEFINE_CLEANER(store_object, struct store_object, store_object_release)

#endif
