/* SPDX-License-Identifier: MIT */
/*
 * A step that Ctrl-C must not tear apart. SIGINT, SIGTERM and SIGHUP wait until it is done; when
 * one comes, the step is told by a cancel token, and if it has not ended some seconds later the
 * signal is let through after all. Where the calling thread takes no signals, nothing happens.
 */
#ifndef FORCEFS_BASE_HOLD_H
#define FORCEFS_BASE_HOLD_H

#include <pthread.h>
#include <signal.h>

#include "forcefs/base/cancel.h"
#include "forcefs/base/scope.h"

struct hold {
	sigset_t before, held;
	struct cancel *cancel; /* fired when a signal comes; may be NULL */
	pthread_t thread;      /* watches for signals, if done is not -1 */
	int done;              /* eventfd, ends the thread */
	int signals;           /* signalfd */
};

/* All from one thread. Nothing can fail: at worst the signals wait for the end. */
void hold_begin(struct hold *h, struct cancel *cancel);
/* Somebody else takes the signals (sigwait) until hold_resume; they stay blocked. */
void hold_pause(struct hold *h);
void hold_resume(struct hold *h);
void hold_end(struct hold *h); /* what came meanwhile is taken now */

DEFINE_CLEANER(hold, struct hold, hold_end)

#endif
