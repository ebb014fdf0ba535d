/* SPDX-License-Identifier: MIT */
/* Reading a file of a mount's .forcefs without ever hanging on it. */
#ifndef FORCEFS_APP_SPECIAL_H
#define FORCEFS_APP_SPECIAL_H

#include "forcefs/base/buf.h"
#include "forcefs/base/error.h"

/* Appends <dir>/.forcefs/<name> to out. -ETIMEDOUT when the mount does not answer. */
int special_read(
	const char *dir, const char *name, int timeout_ms, struct buf *out, struct error *err);

#endif
