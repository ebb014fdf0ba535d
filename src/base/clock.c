/* SPDX-License-Identifier: MIT */
/*
 * The clock. With a replaced one a timed wait looks at the replaced time every millisecond, so that
 * a test which moves its clock ends every wait at once.
 */
#include "forcefs/base/clock.h"

#include <errno.h>
#include <time.h>

#define REPLACED_POLL_MS 1

static int64_t read_ms(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t real_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

static int64_t real_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

static const struct clock_table real = {real_mono_ms, real_wall_ms};
static const struct clock_table *table = &real; /* set before threads start */

int64_t clock_mono_ms(void)
{
	return table->mono_ms();
}

int64_t clock_wall_ms(void)
{
	return table->wall_ms();
}

void clock_replace(const struct clock_table *replacement)
{
	table = replacement ? replacement : &real;
}

void clock_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC); /* fails for unknown clocks only */
	pthread_cond_init(cond, &attr);
	pthread_condattr_destroy(&attr);
}

/* Waits for the real clock to reach deadline_ms. */
static int wait_real(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ms)
{
	struct timespec ts = {deadline_ms / 1000, deadline_ms % 1000 * 1000000};
	return pthread_cond_timedwait(cond, lock, &ts) == ETIMEDOUT ? -ETIMEDOUT : 0;
}

int clock_cond_wait(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t deadline_ms)
{
	if (deadline_ms == INT64_MAX) {
		pthread_cond_wait(cond, lock);
		return 0;
	}
	if (deadline_ms <= clock_mono_ms()) {
		return -ETIMEDOUT;
	}
	if (table == &real) {
		return wait_real(cond, lock, deadline_ms);
	}
	/* One slice, then the caller looks again: a signal that came just after the slice ended,
	 * while the mutex was not held yet, would be lost if we waited on here. */
	wait_real(cond, lock, real_mono_ms() + REPLACED_POLL_MS);
	return clock_mono_ms() < deadline_ms ? 0 : -ETIMEDOUT;
}
