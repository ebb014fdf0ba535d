/* SPDX-License-Identifier: MIT */
/*
 * The org as it is believed to be: the store where it is fresh, else the remote, then the store.
 * One flight per question, scattered reads gathered, a check for changes after ttl, stale content
 * where the org cannot be asked. Knows neither FUSE, curl, SQL nor URLs.
 *
 * Every function that takes `until` first answers from memory and the store. Where the org would
 * have to be asked: until NULL gives -EWOULDBLOCK at once (nothing was started; call again from a
 * thread that may wait), else the call waits until the answer, the deadline (-ETIMEDOUT) or the
 * cancel (-EINTR). Leaving never stops the flight that others wait for too. Any thread may call.
 */
#ifndef FORCEFS_MIRROR_MIRROR_H
#define FORCEFS_MIRROR_MIRROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/cancel.h"
#include "forcefs/base/error.h"
#include "forcefs/model/body.h"
#include "forcefs/model/id.h"
#include "forcefs/model/json_text.h"
#include "forcefs/model/limits.h"
#include "forcefs/model/remote.h"
#include "forcefs/store/blobs.h"
#include "forcefs/store/store.h"

struct mirror;

struct mirror_config {
	int ttl_s;
	int timeout_ms;      /* patience of the mirror's own requests */
	const char *objects; /* patterns of the objects that exist here; NULL or "": all */
	const char *hide;    /* patterns of objects that are not listed; NULL: none */
	bool may_update, may_create, may_delete; /* `allow` */
	struct blobs *blobs; /* where bodies are kept; borrowed, must outlive it. NULL: nowhere */
};

/* Copies what it needs; remote and store are borrowed and must outlive it. Makes no call. */
int mirror_open(const struct mirror_config *config, const struct remote *remote,
	struct store *store, struct mirror **ret, struct error *err);
void mirror_close(struct mirror *m); /* cancels what waits, joins all threads; NULL is fine */

/* Another ttl from now on. What the kernel was told to believe before, it goes on believing. */
void mirror_set_ttl(struct mirror *m, int ttl_s);

/* ---- objects: the directories ---- */

struct mirror_object {
	uint32_t index; /* stable for the life of the cache file, at least 1 */
	char name[81];
	char key_prefix[4];
	bool updateable, createable, deletable; /* both the object and `allow` permit it */
	bool has_bodies;                        /* as far as its describe is known yet */
	bool bodies_updateable;                 /* as updateable, of the body */
	int64_t mtime_ms;                       /* when the listing last changed, our clock */
};

/* The listed objects in order of their index: the next one after `after`. 1 if ret was filled, 0 at
 * the end, or a negative errno. Costs one call when cold or older than ttl. */
int mirror_object_next(struct mirror *m, uint32_t after, const struct until *until,
	struct mirror_object *ret, struct error *err);

/* By exact name, listed or not. -ENOENT. */
int mirror_object_find(struct mirror *m, const char *name, const struct until *until,
	struct mirror_object *ret, struct error *err);

/* By index, from memory only. -ENOENT. */
int mirror_object_by_index(struct mirror *m, uint32_t index, struct mirror_object *ret);

/* If the object was listed and ttl has passed: asks for what changed. A failure is not an error
 * here while old content can be served (status tells); so 0, -EWOULDBLOCK, -EINTR. The patience
 * for old content is short (2 s): cached files never wait long behind a stuck request. */
int mirror_object_check(
	struct mirror *m, uint32_t index, const struct until *until, struct error *err);

/* How long the kernel may believe what it knows of the object's listing, ms; 0: ask again. */
int64_t mirror_object_fresh_ms(struct mirror *m, uint32_t index);

/* The describe as Salesforce sends it. Appended to out. */
int mirror_describe(struct mirror *m, uint32_t index, const struct until *until, struct buf *out,
	struct error *err);

/* ---- records: the files ---- */

struct mirror_record {
	uint64_t key; /* low 56 bits of the inode; the row part is the directory offset */
	char id[19];
	int64_t stamp_ms; /* st_mtime, see stamp_mtime() */
	uint64_t hash;
	uint64_t size;
	int64_t fresh_ms;           /* how long the kernel may believe this; 0: ask again */
	char ext[BODY_EXT_MAX + 1]; /* of its body's name; "": it has none */
	int64_t body_size;          /* -1: not known before it was read */
};

/* By Id, in that object. -ENOENT. One call when cold (gathered with others of the object). */
int mirror_record_find(struct mirror *m, uint32_t object, const struct id *id,
	const struct until *until, struct mirror_record *ret, struct error *err);

/* By key; -ESTALE when the row is gone. body (may be NULL): the file's bytes are appended. */
int mirror_record_get(struct mirror *m, uint64_t key, const struct until *until,
	struct mirror_record *ret, struct buf *body, struct error *err);

/* Up to max records after the directory offset (row) `after`, in row order; 0 at the end of the
 * list, never before it. An error in the middle of a listing is an error here. -EPERM where the
 * object refuses to be listed. */
int mirror_record_next(struct mirror *m, uint32_t object, uint64_t after, const struct until *until,
	struct mirror_record *ret, int max, struct error *err);

/* ---- bodies: the files beside them ---- */

/* 1 if records of the object have a body each, 0 if not. Asks for the describe if it is not known and
 * the object is one of those that are known to have them. */
int mirror_object_bodies(
	struct mirror *m, uint32_t index, const struct until *until, struct error *err);

/* Up to size bytes of the record's body from off on into buf; *ret_len is less only at its end. The
 * first read of a body fetches it (one API call, whoever else reads it meanwhile), and waits only for
 * the bytes that it needs; while they keep coming, until's patience begins anew. A download that
 * breaks off, or whose size is not the described one, is a failure of the reads that need more. */
int mirror_body_read(struct mirror *m, uint64_t key, uint64_t off, void *buf, size_t size,
	const struct until *until, size_t *ret_len, struct error *err);

/* Waits until the body is here as a whole; *ret_size is its size. */
int mirror_body_fetch(struct mirror *m, uint64_t key, const struct until *until, uint64_t *ret_size,
	struct error *err);

/* A new file without a name, for reading and writing; on disk, gone when it is closed. The caller's. */
int mirror_new_file(struct mirror *m, int *ret_fd, struct error *err);

/* Such a file with the body's content, or an empty one, to be edited; the record's text as it is now
 * is appended to base. */
int mirror_body_edit(struct mirror *m, uint64_t key, bool empty, const struct until *until,
	int *ret_fd, uint64_t *ret_size, struct buf *base, struct error *err);

/* Puts the content of fd (which nobody changes meanwhile; it stays the caller's) in the place of the
 * record's body, unless that is the same already. base: the record's text when the edit began: if
 * somebody has changed the record since, -ESTALE. -EACCES where the object or `allow` does not permit
 * it, other refusals are Salesforce's. until must not be NULL. ret is the record as it is afterwards. */
int mirror_body_save(struct mirror *m, uint64_t key, struct json_slice base, int fd, uint64_t size,
	const struct until *until, struct mirror_record *ret, struct error *err);

/* Somebody opens it: a download that failed before is begun anew by the next read. */
void mirror_body_opened(struct mirror *m, uint64_t key);

/* Saves what a person made of a record's file: sends the fields that differ between base (the file
 * as it was opened) and edited, if any, and waits for the org's answer. If somebody else changed the
 * record meanwhile both changes stand; the same field changed on both sides is -ESTALE with both values in
 * the text. Saves that come together travel together. ret is the record as it is afterwards.
 * -EINVAL, -EACCES: refused before anything was sent (see model/patch.h); other refusals are
 * Salesforce's. until must not be NULL. After -EINTR or -ETIMEDOUT the save may still happen: the
 * text says so. author: the running program that saves, always the same number for it, 0 if
 * not known: an editor's second text is made from its first one, which is remembered for a
 * while. */
int mirror_record_save(struct mirror *m, uint64_t key, uint64_t author, struct json_slice base,
	struct json_slice edited, const struct until *until, struct mirror_record *ret,
	struct error *err);

/* Makes a record of the text of a new file; -EPERM where `allow` lacks create. */
int mirror_record_create(struct mirror *m, uint32_t object, const char *text, size_t len,
	const struct until *until, struct mirror_record *ret, struct error *err);

/* Deletes a record; -EPERM where `allow` lacks delete. */
int mirror_record_delete(
	struct mirror *m, uint64_t key, const struct until *until, struct error *err);

/* A browser's URL for a record; appended. -ENODATA when not known. Never blocks. */
int mirror_record_url(struct mirror *m, uint32_t object, const char *id, struct buf *out);

/* ---- news for the kernel ---- */

enum news_kind {
	NEWS_CHANGED,        /* content and attributes of the record `key` */
	NEWS_DELETED,        /* the record `key`, name <id>.json, in `object` */
	NEWS_LISTING,        /* names were added to or removed from `object` */
	NEWS_OBJECT_CHANGED, /* too much changed in `object` to tell one by one: everything */
	NEWS_CATALOG,        /* the list of objects */
};

struct news {
	enum news_kind kind;
	uint32_t object;
	uint64_t key;
	char id[19];
};

/* Waits for news: 1 and *ret, or 0 when the mirror is closing. One caller (fs's own thread), under
 * no lock. The item counts as passed on when the next mirror_news_next is called. */
int mirror_news_next(struct mirror *m, struct news *ret);

/* Waits until everything that was news at the time of the call has been passed on, at most until
 * `until` (and 2 s). Not from under a lock of the kernel's: see src/README.md. */
void mirror_news_drain(struct mirror *m, const struct until *until);

/* Ends mirror_news_next for ever. */
void mirror_news_stop(struct mirror *m);

/* ---- what is going on ---- */

/* GET /limits. raw: the JSON as sent, appended, at most 5 minutes old; NULL: the figures alone, at
 * most an hour old. */
int mirror_limits(struct mirror *m, const struct until *until, struct limits *ret, struct buf *raw,
	struct error *err);

struct mirror_status {
	struct remote_usage usage;
	struct store_stats store;
	uint64_t hits, misses;     /* answered from the cache / had to ask the org */
	uint64_t checks;           /* checks for changes made */
	bool offline;              /* the last request failed for want of a network */
	int64_t offline_since_ms;  /* our clock */
	struct blobs_stats bodies; /* on disk */
	uint64_t downloads;        /* of bodies, begun */
	struct error last_failure; /* errnum 0: none yet */
	int64_t last_failure_ms;
};
void mirror_get_status(struct mirror *m, struct mirror_status *ret);

struct mirror_object_status {
	char name[81];
	uint64_t records, bytes;
	bool complete;      /* listed to the end */
	int64_t checked_ms; /* our clock; 0 never */
	int verdict;        /* errno when it refuses to be listed */
	bool listing;       /* a listing has begun and not come to its end */
	bool moving;        /* and its next page is on the way, or came just now */
	uint64_t listed;    /* records that it brought so far */
	int64_t claimed;    /* records that there are, says the org; 0: not known */
};
/* Objects that have something cached or are being listed, in order of their index; 1 or 0 at the end. */
int mirror_object_status(
	struct mirror *m, uint32_t after, uint32_t *ret_index, struct mirror_object_status *ret);

#endif
