/* SPDX-License-Identifier: MIT */
/* Reading a file of a mount's .forcefs without ever hanging on it. */
#ifndef FORCEFS_APP_SPECIAL_H
#define FORCEFS_APP_SPECIAL_H

#include "forcefs/base/buf.h"
#include "forcefs/base/error.h"
#include "mounts.h"

/* Appends .forcefs/<name> of the mount to out; for root also of a user's own mount, which shows
 * itself to nobody else. -ETIMEDOUT when it does not answer, -ENOTCONN when its process is gone. */
int special_read(const struct mount_entry *mount, const char *name, int timeout_ms, struct buf *out,
	struct error *err);

/* In a child that is to touch a mount: root becomes the one who mounted it. 0 or -1 with errno. */
int special_become_owner(const struct mount_entry *mount);

#endif
