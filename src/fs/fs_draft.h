/* SPDX-License-Identifier: MIT */
/*
 * Drafts: what programs write before it is saved, on this machine only and in
 * memory or, big ones, in files without a name.
 *
 * A draft is one of
 *   EDIT   the working copy of a record that is open for writing; its inode is the record's. While
 *          it differs from what was saved last ("dirty") the record's file shows it, as on a local
 *          disk; when it was saved, or when the last program closes it, the truth shows again.
 *   BODY   the same of a record's body; its inode is the body's.
 *   FILE   a scratch file: swap, backup, lock and temporary files of editors.
 *   LINK   a scratch symbolic link, as emacs makes them for locks.
 *
 * Names: an object's directory shows its records, and over them a few local names.
 *   SCRATCH  leads to a FILE or LINK.
 *   HIDDEN   a record's name that a program moved or took away in the middle of a save. The record
 *            itself is untouched; the name comes back when it is made again, when its backup is
 *            moved back, or after a while.
 *   ALIAS    the name that a new record was given; leads to the record until unmount.
 *
 * Big contents lie in files without a name on disk instead of in memory: those of bodies always,
 * those of scratch files when they grow.
 *
 * One lock for all of it: it is held for moments only, and nothing of it is on the path of readers
 * while there are no drafts.
 */
#ifndef FS_DRAFT_H
#define FS_DRAFT_H

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <time.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/error.h"

#define DRAFT_MAX_BYTES   (64u * 1024 * 1024)         /* of one file */
#define DRAFTS_MAX_BYTES  (256u * 1024 * 1024)        /* of all together */
#define DRAFT_FILE_BYTES  (500ull * 1024 * 1024)      /* of one on disk: Salesforce takes no more */
#define DRAFTS_FILE_BYTES (4ull * 1024 * 1024 * 1024) /* of all on disk */
#define DRAFTS_MAX        10000                       /* files and names */
/* A record's name that stays hidden comes back after this: a save that went wrong half-way. */
#define HIDDEN_MS (10 * 60 * 1000)
/* The same where a program removed the name and has to make it anew at once (install, tar). */
#define REPLACE_MS 5000
#define COPY_MS    60000

enum draft_kind { DRAFT_EDIT, DRAFT_BODY, DRAFT_FILE, DRAFT_LINK };

struct draft {
	enum draft_kind kind;
	uint64_t inode;
	uint32_t object;
	uint64_t key; /* EDIT, BODY: the record; FILE: the record that it is a copy of, or became
			 (of a body: the body's inode); else 0
		       */
	/* protected by drafts->lock */
	char id[19]; /* EDIT: the record's, so that it is known also when the record is gone */
	bool became; /* FILE: was saved as the record `key` and shows it from then on */
	struct buf data;
	int fd; /* instead of data, if it is not -1: size bytes in a file without a name */
	uint64_t size;
	struct buf
		base; /* the record's file that `data` began from; of a plain scratch file empty */
	mode_t mode;  /* permission bits */
	struct timespec mtime;
	uint64_t author; /* who opened it last (FILE: who made it), see caller_author */
	int opens;       /* for writing */
	int refs;        /* of names, opens, and whoever works on it */
	int names;
	uint64_t version; /* moves with every change of data */
	uint64_t saved;   /* version that the org has (EDIT), or that was made a record (FILE) */
	uint64_t left;    /* version whose saving was interrupted before anything was sent */
	uint64_t tried;   /* version that was last tried to be saved, and how that went: */
	int result;
	struct error err;
	bool saving;
	int64_t made_ms; /* monotonic */
	struct draft *next;
};

enum name_kind { NAME_NONE, NAME_SCRATCH, NAME_HIDDEN, NAME_ALIAS };

struct draft_name {
	uint32_t object;
	char name[NAME_MAX + 1];
	enum name_kind kind;
	struct draft *draft; /* of a SCRATCH; holds a reference */
	uint64_t key;        /* of a HIDDEN or ALIAS */
	int64_t until_ms;    /* of a HIDDEN; monotonic */
	uint64_t seq;        /* directory offset of a SCRATCH */
	struct draft_name *next;
};

struct drafts {
	pthread_mutex_t lock;
	pthread_cond_t cond; /* a save ended */
	/* protected by lock */
	struct draft *first;
	struct draft_name *names;
	unsigned count, name_count;
	size_t bytes;
	uint64_t file_bytes;
	uint64_t next_seq;
	/* Makes a file for a big content; set once. NULL: there are none. */
	int (*new_file)(void *payload, int *ret_fd, struct error *err);
	void *payload;
	atomic_uint any; /* drafts and names; read without the lock to pass by quickly */
};

void drafts_init(struct drafts *d);
void drafts_release(struct drafts *d);

static inline bool drafts_any(struct drafts *d)
{
	return atomic_load_explicit(&d->any, memory_order_acquire) != 0;
}

/* A new FILE or LINK in the object's directory; with one reference. -ENOSPC past the limits. */
int draft_new(struct drafts *d, enum draft_kind kind, uint32_t object, mode_t mode,
	struct draft **ret, struct error *err);

/* Calls `see` for every EDIT with a text that the org does not have, and for every FILE that was to
 * become a record and was refused; at the end, when nothing else works on drafts any more. */
void drafts_unsaved(
	struct drafts *d, void (*see)(void *payload, struct draft *draft), void *payload);

/* The EDIT of the record, made if there is none (then its data and base are the body given); with a
 * reference. */
int draft_edit(struct drafts *d, uint64_t key, const char *body, size_t len, struct draft **ret,
	struct error *err);

/* The BODY of the record, made of the file (which it takes, also on failure) and the record's text;
 * with a reference. One that is there already and differs from what the org has stays as it is,
 * another one begins anew. */
int draft_body(struct drafts *d, uint64_t key, int fd, uint64_t size, const struct buf *base,
	struct draft **ret, struct error *err);
/* The content as a file of its own, which nobody else writes to. */
int draft_snapshot(struct drafts *d, struct draft *draft, int *ret_fd, uint64_t *ret_size,
	uint64_t *ret_version, struct error *err);
/* Gives a FILE that was just made this content; takes fd. */
void draft_take_file(struct drafts *d, struct draft *draft, int fd, uint64_t size);

/* How big the content is; under the lock. */
uint64_t draft_size(const struct draft *draft);
/* Appends a piece of it, at most size bytes from off on; under the lock. */
int draft_piece(const struct draft *draft, off_t off, size_t size, struct buf *out);

/* True for what differs from the record until it is saved. */
static inline bool draft_is_edit(const struct draft *draft)
{
	return draft->kind == DRAFT_EDIT || draft->kind == DRAFT_BODY;
}

/* By inode, with a reference; NULL if there is none. Edits are found by their record's inode. */
struct draft *draft_find(struct drafts *d, uint64_t inode);
void draft_unref(struct drafts *d, struct draft *draft); /* NULL is fine */

/* Writes, truncates; -EFBIG, -ENOSPC. */
int draft_write(struct drafts *d, struct draft *draft, const char *data, size_t len, off_t off,
	struct error *err);
int draft_truncate(struct drafts *d, struct draft *draft, off_t size, struct error *err);
/* Puts other content in its place. */
int draft_set(
	struct drafts *d, struct draft *draft, const char *data, size_t len, struct error *err);
/* An EDIT that shows the org's text: takes the text as it is now, and forgets how saving went. */
void draft_renew(struct drafts *d, struct draft *draft, const struct buf *body);
/* The org has `version` of an EDIT and made `body` (NULL: not known) of it: the new base, and the
 * content too, unless it was written to since. */
void draft_adopt(struct drafts *d, struct draft *draft, uint64_t version, const struct buf *body);
/* Appends the content. */
int draft_copy(struct drafts *d, struct draft *draft, struct buf *out);

/* Moves with every change of the content. */
uint64_t draft_version(struct drafts *d, struct draft *draft);

/* True for an EDIT that differs from what the org has. */
bool draft_dirty(struct drafts *d, struct draft *draft);

/* ---- fs_draft_file.c: contents on disk, all under the lock ---- */

void draft_file_put(struct drafts *d, struct draft *draft, int fd, uint64_t size); /* takes fd */
void draft_file_drop(struct drafts *d, struct draft *draft);
/* 0, or -EFBIG, -ENOSPC: not so many bytes. */
int draft_file_room(
	const struct drafts *d, const struct draft *draft, uint64_t size, struct error *err);
int draft_file_resize(struct drafts *d, struct draft *draft, uint64_t size, struct error *err);
int draft_file_write(struct drafts *d, struct draft *draft, const char *data, size_t len, off_t off,
	struct error *err);
/* Moves the content of a scratch file to disk, if it is to have so many bytes. */
int draft_spill(struct drafts *d, struct draft *draft, uint64_t size, struct error *err);

/* ---- names ---- */

struct name_view {
	enum name_kind kind;
	struct draft *draft; /* with a reference, of a SCRATCH */
	uint64_t key;
};
/* What the name is, over the records. */
enum name_kind name_find(
	struct drafts *d, uint32_t object, const char *name, struct name_view *ret);
void name_view_release(struct drafts *d, struct name_view *v);

/* Gives the draft a name (an older SCRATCH, HIDDEN or ALIAS of that name goes). */
int name_set(struct drafts *d, uint32_t object, const char *name, struct draft *draft,
	struct error *err);
int name_hide(struct drafts *d, uint32_t object, const char *name, uint64_t key, int ms,
	struct error *err);
int name_alias(
	struct drafts *d, uint32_t object, const char *name, uint64_t key, struct error *err);
/* Takes the local name away; what it stood over shows again. */
void name_drop(struct drafts *d, uint32_t object, const char *name);
/* True if some scratch file became a copy of the record within COPY_MS: some editor is in the
 * middle of a save, or of taking one back. */
bool name_has_copy(struct drafts *d, uint64_t key);

/* The SCRATCH name of the object with the smallest seq above `after`; false at the end. */
bool name_next(struct drafts *d, uint32_t object, uint64_t after, uint64_t *ret_seq, char *name,
	uint64_t *ret_inode, mode_t *ret_type);
/* A name that leads to this inode ("" if none): for texts. */
void name_of(struct drafts *d, uint64_t inode, char *name, size_t size);

#endif
