/* SPDX-License-Identifier: MIT */
/* Whether a directory can be mounted on, said in advance and in words. */
#ifndef FORCEFS_APP_MOUNTPOINT_H
#define FORCEFS_APP_MOUNTPOINT_H

#include "forcefs/base/error.h"

/* Gives the absolute path (new string). Fails where it is no directory or a mount of ours
 * stands there already. */
int mountpoint_check(const char *dir, char **ret, struct error *err);

/* After mounting: that the kernel sees our file system there and that it answers. */
int mountpoint_verify(const char *dir, struct error *err);

#endif
