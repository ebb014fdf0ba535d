/* SPDX-License-Identifier: MIT */
/* Where files of ours live (XDG base directories), and folders made with mode 0700. */
#ifndef FORCEFS_BASE_PATHS_H
#define FORCEFS_BASE_PATHS_H

#include <stddef.h>

#include "forcefs/base/error.h"

enum paths_kind { PATHS_CONFIG, PATHS_CACHE, PATHS_STATE };

/* "$XDG_…_HOME/forcefs", else "~/.config/forcefs" (.cache, .local/state); HOME from the password
 * file where the environment has none. Relative XDG values are ignored, as the standard asks.
 * New string in *ret, caller frees. -ENOENT when there is no home at all. */
int paths_dir(enum paths_kind kind, char **ret, struct error *err);

/* mkdir -p with mode 0700 for what is new. */
int paths_make_dir(const char *path, struct error *err);

/* Writes the file as path by a temporary name, fsync and rename; mode 0600. */
int paths_write_file(const char *path, const void *data, size_t len, struct error *err);

/* Reads a whole file of at most limit_bytes; new memory (0-ended) in *ret. -EFBIG past the limit. */
int paths_read_file(
	const char *path, size_t limit_bytes, char **ret, size_t *ret_len, struct error *err);

/* "%s/%s", new, NULL when memory is out. */
char *paths_join(const char *dir, const char *name);

#endif
