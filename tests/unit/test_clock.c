/* SPDX-License-Identifier: MIT */
/* The clock: real waits, and waits on a replaced clock that cost nothing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "forcefs/base/clock.h"

static _Atomic int64_t fake_ms;

static int64_t fake_read(void)
{
	return atomic_load(&fake_ms);
}

/* A clock that runs an hour further at every look. */
static int64_t fake_leap(void)
{
	return atomic_fetch_add(&fake_ms, 3600000);
}

/* As every caller does it: a wait may end early, so it is begun again until the time is up. */
static int wait_out(int64_t deadline_ms)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond;
	int r;
	clock_cond_init(&cond);
	pthread_mutex_lock(&lock);
	while ((r = clock_cond_wait(&cond, &lock, deadline_ms)) == 0) {
	}
	pthread_mutex_unlock(&lock);
	pthread_cond_destroy(&cond);
	return r;
}

static void test_clock__runs(void **state)
{
	(void)state;
	int64_t before = clock_mono_ms();
	assert_true(clock_wall_ms() > INT64_C(1700000000000));
	assert_int_equal(wait_out(before + 20), -ETIMEDOUT);
	assert_true(clock_mono_ms() >= before + 20);
}

static void test_clock_cond_wait__past_deadline_returns_at_once(void **state)
{
	(void)state;
	assert_int_equal(wait_out(INT64_MIN), -ETIMEDOUT);
	assert_int_equal(wait_out(-5), -ETIMEDOUT);
	assert_int_equal(wait_out(clock_mono_ms()), -ETIMEDOUT);
}

static void test_clock_replace__waits_follow_the_replaced_clock(void **state)
{
	(void)state;
	static const struct clock_table leaping = {fake_leap, fake_read};
	clock_replace(&leaping);
	int64_t deadline_ms = atomic_load(&fake_ms) + 10 * 3600000;
	int r = wait_out(deadline_ms);
	clock_replace(NULL);
	assert_int_equal(r, -ETIMEDOUT);
	assert_true(atomic_load(&fake_ms) >= deadline_ms);
}

struct signal_case {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	bool woken; /* protected by lock */
};

static void *signal_soon(void *arg)
{
	struct signal_case *c = arg;
	pthread_mutex_lock(&c->lock);
	c->woken = true;
	pthread_cond_signal(&c->cond);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static void wait_for_signal(int64_t deadline_ms)
{
	struct signal_case c = {.lock = PTHREAD_MUTEX_INITIALIZER};
	clock_cond_init(&c.cond);
	pthread_t thread;
	pthread_mutex_lock(&c.lock);
	assert_int_equal(pthread_create(&thread, NULL, signal_soon, &c), 0);
	while (!c.woken) {
		assert_int_equal(clock_cond_wait(&c.cond, &c.lock, deadline_ms), 0);
	}
	pthread_mutex_unlock(&c.lock);
	pthread_join(thread, NULL);
	pthread_cond_destroy(&c.cond);
}

static void test_clock_cond_wait__wakes_on_signal(void **state)
{
	(void)state;
	wait_for_signal(INT64_MAX);
	wait_for_signal(clock_mono_ms() + 60000);
	static const struct clock_table standing = {fake_read, fake_read};
	clock_replace(&standing);
	wait_for_signal(clock_mono_ms() + 1);
	clock_replace(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock__runs),
		cmocka_unit_test(test_clock_cond_wait__past_deadline_returns_at_once),
		cmocka_unit_test(test_clock_replace__waits_follow_the_replaced_clock),
		cmocka_unit_test(test_clock_cond_wait__wakes_on_signal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
