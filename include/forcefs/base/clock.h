/* SPDX-License-Identifier: MIT */
/*
 * Time and sleep through one replaceable table, so that tests of waits cost nothing.
 * Deadlines are absolute milliseconds of the monotonic clock.
 */
#ifndef FORCEFS_BASE_CLOCK_H
#define FORCEFS_BASE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

struct clock_table {
	int64_t (*mono_ms)(void);
	int64_t (*wall_ms)(void);
};

int64_t clock_mono_ms(void); /* since some fixed point, never goes back */
int64_t clock_wall_ms(void); /* since 1970-01-01 UTC */

/* Replaces the clock (tests only); NULL puts the real one back. Set before threads start. */
void clock_replace(const struct clock_table *table);

/* A condition variable that clock_cond_wait can wait on with monotonic deadlines. */
void clock_cond_init(pthread_cond_t *cond);

/* Waits until signalled or until deadline_ms (INT64_MAX: no limit). -ETIMEDOUT once the time is up,
 * else 0, which may come early: the caller looks at what it waits for and waits again. */
int clock_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ms);

#endif
