/* SPDX-License-Identifier: MIT */
/* The mount table of this process (/proc/self/mountinfo), and paths seen against it. No access to
 * a mount itself: a dead or stuck one can be named too. */
#ifndef FORCEFS_APP_MOUNTS_H
#define FORCEFS_APP_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"

#define MOUNTS_OUR_TYPE "fuse.forcefs"

struct mount_entry {
	char *dir;
	char *type;
	char *source;
	uid_t uid; /* FUSE: who mounted it, and so who may look into it; else 0 */
	gid_t gid;
};

struct mounts {
	struct mount_entry *list; /* oldest first */
	size_t count;
};

int mounts_load(struct mounts *ret, struct error *err);
int mounts_read(FILE *file, struct mounts *ret, struct error *err); /* the same from a file */
void mounts_release(struct mounts *m);

/* What is mounted on exactly this directory, on top; NULL: nothing. Borrowed. */
const struct mount_entry *mounts_at(const struct mounts *m, const char *dir);
/* Our mount that holds path; NULL if another file system does. Borrowed. */
const struct mount_entry *mounts_above(const struct mounts *m, const char *path);
/* A mount below dir; NULL: none. */
const struct mount_entry *mounts_below(const struct mounts *m, const char *dir);
bool mount_is_ours(const struct mount_entry *e);

/* The absolute path without links, . and .. — as realpath does it, but a path inside one of our
 * mounts is not looked at any more from the mountpoint on, and what does not exist stays as it
 * is. New string. */
int mounts_resolve(const struct mounts *m, const char *path, char **ret, struct error *err);

DEFINE_CLEANER(mounts, struct mounts, mounts_release)

#endif
