/* SPDX-License-Identifier: MIT */
/* Cancel tokens: no wake-up is lost, no lock order is turned round. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "forcefs/base/cancel.h"
#include "forcefs/base/clock.h"

static void test_until_check__says_why(void **state)
{
	(void)state;
	struct error e;
	struct cancel c;
	cancel_init(&c);
	struct until u = {.deadline_ms = clock_mono_ms() + 60000, .cancel = &c};
	assert_int_equal(until_check(&u, &e), 0);
	u.deadline_ms = clock_mono_ms();
	assert_int_equal(until_check(&u, &e), -ETIMEDOUT);
	assert_int_equal(e.errnum, ETIMEDOUT);
	assert_true(e.text[0] != '\0');
	cancel_fire(&c);
	assert_int_equal(until_check(&u, &e), -EINTR);
	assert_int_equal(until_check(NULL, &e), -EWOULDBLOCK);
	u = (struct until){.deadline_ms = INT64_MAX};
	assert_int_equal(until_check(&u, NULL), 0);
	cancel_release(&c);
}

static void test_cancel_fire__is_for_ever_and_may_repeat(void **state)
{
	(void)state;
	struct cancel c;
	cancel_init(&c);
	assert_false(cancel_fired(&c));
	cancel_fire(&c);
	cancel_fire(&c);
	assert_true(cancel_fired(&c));
	cancel_release(&c);
}

static void test_until_watch__accepts_no_token(void **state)
{
	(void)state;
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond;
	clock_cond_init(&cond);
	struct until u = {.deadline_ms = clock_mono_ms() + 5};
	until_watch(NULL, &lock, &cond);
	until_watch(&u, &lock, &cond);
	pthread_mutex_lock(&lock);
	struct error e;
	int r;
	while ((r = until_wait(&u, &cond, &lock, &e)) == 0) {
	}
	pthread_mutex_unlock(&lock);
	until_unwatch(&u);
	until_unwatch(NULL);
	assert_int_equal(r, -ETIMEDOUT);
	pthread_cond_destroy(&cond);
}

static void *fire(void *arg)
{
	cancel_fire(arg);
	return NULL;
}

/* The firing thread runs against the whole way into the wait; without a deadline a lost wake-up
 * hangs here for ever. */
static void test_until_wait__never_loses_a_wakeup(void **state)
{
	(void)state;
	for (int i = 0; i < 500; i++) {
		struct cancel c;
		cancel_init(&c);
		pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
		pthread_cond_t cond;
		clock_cond_init(&cond);
		struct until u = {.deadline_ms = INT64_MAX, .cancel = &c};
		pthread_t thread;
		assert_int_equal(pthread_create(&thread, NULL, fire, &c), 0);
		until_watch(&u, &lock, &cond);
		pthread_mutex_lock(&lock);
		int r;
		while ((r = until_wait(&u, &cond, &lock, NULL)) == 0) {
		}
		pthread_mutex_unlock(&lock);
		until_unwatch(&u);
		assert_int_equal(r, -EINTR);
		/* Nobody may touch the watched pair after unwatch. */
		pthread_cond_destroy(&cond);
		pthread_mutex_destroy(&lock);
		pthread_join(thread, NULL);
		cancel_release(&c);
	}
}

static void test_until_wait__returns_zero_when_woken_otherwise(void **state)
{
	(void)state;
	struct cancel c;
	cancel_init(&c);
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond;
	clock_cond_init(&cond);
	struct until u = {.deadline_ms = clock_mono_ms() + 60000, .cancel = &c};
	struct cancel waker; /* a second token on the same pair serves as the waking thread */
	cancel_init(&waker);
	until_watch(&u, &lock, &cond);
	cancel_watch(&waker, &lock, &cond);
	pthread_mutex_lock(&lock);
	pthread_t thread;
	assert_int_equal(pthread_create(&thread, NULL, fire, &waker), 0);
	while (!cancel_fired(&waker)) {
		assert_int_equal(until_wait(&u, &cond, &lock, NULL), 0);
	}
	pthread_mutex_unlock(&lock);
	until_unwatch(&u);
	cancel_unwatch(&waker);
	pthread_join(thread, NULL);
	cancel_release(&waker);
	cancel_release(&c);
	pthread_cond_destroy(&cond);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_until_check__says_why),
		cmocka_unit_test(test_cancel_fire__is_for_ever_and_may_repeat),
		cmocka_unit_test(test_until_watch__accepts_no_token),
		cmocka_unit_test(test_until_wait__never_loses_a_wakeup),
		cmocka_unit_test(test_until_wait__returns_zero_when_woken_otherwise),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
