/* SPDX-License-Identifier: MIT */
/*
 * A folder of files for contents that are too big for the cache file: one file per record and
 * stamp, mode 0600, in a folder of mode 0700 that belongs to one mount (it lies beside the cache
 * file whose lock that mount holds). Bounded: past the limit the least used files go. Without a
 * folder (cache in memory) nothing is kept under a name: contents live in unlinked temporary files
 * for as long as somebody has them open.
 *
 * Any thread may call. Failures: -EIO, -ENOSPC, -EACCES, -ENOMEM; the texts name the folder.
 */
#ifndef FORCEFS_STORE_BLOBS_H
#define FORCEFS_STORE_BLOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forcefs/base/error.h"

struct blobs;

struct blobs_config {
	const char *dir;      /* made if missing; NULL: keep nothing under a name */
	uint64_t limit_bytes; /* of all files together; 0: no limit */
};

/* Takes over the files that lie there; what is no whole file of ours is removed. */
int blobs_open(const struct blobs_config *config, struct blobs **ret, struct error *err);
void blobs_close(struct blobs *b); /* NULL is fine */

/* Opens what is kept of this record and stamp, for reading: *ret_fd is the caller's. -ENOENT (no
 * text) when it is not there. */
int blobs_find(
	struct blobs *b, const char *id18, int64_t stamp_ms, int *ret_fd, uint64_t *ret_size);

/* The size alone; -ENOENT. */
int blobs_size(struct blobs *b, const char *id18, int64_t stamp_ms, uint64_t *ret_size);

/* A new empty file without a name, for reading and writing; the caller's. */
int blobs_new(struct blobs *b, int *ret_fd, struct error *err);

/* Gives the whole file (from blobs_new) its name, in the place of other stamps of the record. The
 * descriptor stays the caller's. 1: kept; 0: not (no folder, or larger than the limit). */
int blobs_keep(struct blobs *b, const char *id18, int64_t stamp_ms, int fd, struct error *err);

/* Removes what is kept of the record, but for this stamp (INT64_MIN: all). */
void blobs_drop(struct blobs *b, const char *id18, int64_t but_stamp_ms);

struct blobs_stats {
	uint64_t files, bytes, limit_bytes, evictions;
};
void blobs_get_stats(struct blobs *b, struct blobs_stats *ret);

#endif
