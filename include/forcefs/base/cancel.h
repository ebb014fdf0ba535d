/* SPDX-License-Identifier: MIT */
/*
 * A cancel token, and "how long am I willing to wait". Whoever waits on a condition registers it
 * with cancel_watch for the length of the wait; cancel_fire then wakes it. Firing is for ever. One
 * watcher at a time per token.
 *
 * Rule against lost wake-ups and deadlocks: cancel_watch/cancel_unwatch are called WITHOUT the
 * watched mutex held; cancel_fire takes the watched mutex itself to broadcast. cancel_fired may be
 * called anywhere.
 */
#ifndef FORCEFS_BASE_CANCEL_H
#define FORCEFS_BASE_CANCEL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "forcefs/base/error.h"

struct cancel {
	pthread_mutex_t lock;
	atomic_bool fired;      /* set under lock, read with cancel_fired from anywhere */
	pthread_mutex_t *mutex; /* what a watcher waits on, or NULL; protected by lock */
	pthread_cond_t *cond;
};

void cancel_init(struct cancel *c);
void cancel_release(struct cancel *c);
void cancel_fire(struct cancel *c); /* any thread, any number of times; not under a watched mutex */
bool cancel_fired(struct cancel *c);
void cancel_watch(struct cancel *c, pthread_mutex_t *mutex, pthread_cond_t *cond);
void cancel_unwatch(struct cancel *c);

/* The patience of one request. A NULL `struct until *` means: do not wait at all; functions then
 * return -EWOULDBLOCK where they would have had to ask the org. */
struct until {
	int64_t deadline_ms;   /* absolute, clock_mono_ms */
	struct cancel *cancel; /* may be NULL */
};

/* until_check: 0 to go on; -EINTR after cancel, -ETIMEDOUT past the deadline, with a text. */
int until_check(const struct until *u, struct error *err);

/* Waits on cond (mutex held, and watched by u->cancel via until_watch) until woken, or the
 * deadline, or cancel. Returns as until_check does; spurious 0 is allowed, so loop. */
int until_wait(
	const struct until *u, pthread_cond_t *cond, pthread_mutex_t *mutex, struct error *err);

/* Bracket a waiting loop; both without mutex held, both accept u->cancel == NULL. */
void until_watch(const struct until *u, pthread_mutex_t *mutex, pthread_cond_t *cond);
void until_unwatch(const struct until *u);

#endif
