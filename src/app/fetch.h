/* SPDX-License-Identifier: MIT */
/*
 * Filling the cache of a running mount with whole objects. The mount does it by itself when a
 * directory is read to its end, so a child process reads the directory; this process watches how
 * far it is and what the mount says, and can always end it.
 *
 *	cmd_fetch.c    which objects, and what came of them
 *	fetch.c        one object: the reading child and the watching
 *	fetch_text.c   the line that shows the progress
 */
#ifndef FORCEFS_APP_FETCH_H
#define FORCEFS_APP_FETCH_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/error.h"
#include "mounts.h"

struct fetch_progress {
	const char *object;
	int64_t records;    /* read so far */
	int64_t cached;     /* in the mount's cache, when it was asked last */
	int64_t total;      /* as the org claims; 0: not known */
	int64_t calls;      /* API calls that the mount made since the start */
	int64_t elapsed_ms; /* since the start */
	double rate;        /* records a second in the last seconds; 0: not known */
};

/* ---- fetch_text.c, pure ---- */

/* One line without a newline that fits so many columns, with a bar where there is room; width 0:
 * the plain form for a log. */
int fetch_line(const struct fetch_progress *p, int width, struct buf *out);
/* What came of it: "Account: 4,000 records, 3 calls, 2 s". */
int fetch_sum(const struct fetch_progress *p, struct buf *out);

/* ---- fetch.c ---- */

/* Reads DIR/object of the mount to its end, showing the progress on stderr. *stop set by a signal
 * ends it: -EINTR. ret is filled in any case. */
int fetch_object(const struct mount_entry *mount, const char *object,
	const volatile sig_atomic_t *stop, struct fetch_progress *ret, struct error *err);

#endif
