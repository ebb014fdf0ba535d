/* SPDX-License-Identifier: MIT */
/* Signals that wait for the end of a step. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/hold.h"

static volatile sig_atomic_t taken;

static void on_signal(int number)
{
	taken = number;
}

static bool wait_for(struct cancel *cancel)
{
	int64_t end_ms = clock_mono_ms() + 3000;
	while (!cancel_fired(cancel) && clock_mono_ms() < end_ms) {
		usleep(1000);
	}
	return cancel_fired(cancel);
}

static void test_hold__a_signal_waits_and_tells_the_step(void **state)
{
	struct cancel cancel;
	struct hold hold;
	(void)state;
	taken = 0;
	cancel_init(&cancel);
	hold_begin(&hold, &cancel);
	assert_false(cancel_fired(&cancel));
	kill(getpid(), SIGTERM);
	assert_true(wait_for(&cancel));
	assert_int_equal(taken, 0);
	hold_end(&hold);
	assert_int_equal(taken, SIGTERM);
	cancel_release(&cancel);
}

static void test_hold__somebody_else_takes_it_in_a_pause(void **state)
{
	const struct timespec soon = {.tv_sec = 3};
	struct cancel cancel;
	struct hold hold;
	(void)state;
	taken = 0;
	cancel_init(&cancel);
	hold_begin(&hold, &cancel);
	hold_pause(&hold);
	kill(getpid(), SIGINT);
	assert_int_equal(sigtimedwait(&hold.held, NULL, &soon), SIGINT);
	assert_false(cancel_fired(&cancel));
	hold_resume(&hold);
	hold_end(&hold);
	assert_int_equal(taken, 0);
	cancel_release(&cancel);
}

static void test_hold__within_another_is_nothing(void **state)
{
	struct cancel cancel;
	struct hold outer, inner;
	(void)state;
	taken = 0;
	cancel_init(&cancel);
	hold_begin(&outer, &cancel);
	hold_begin(&inner, NULL);
	kill(getpid(), SIGHUP);
	assert_true(wait_for(&cancel));
	hold_end(&inner);
	assert_int_equal(taken, 0);
	hold_end(&outer);
	assert_int_equal(taken, SIGHUP);
	cancel_release(&cancel);
}

static int set_up(void **state)
{
	const struct sigaction action = {.sa_handler = on_signal};
	(void)state;
	return sigaction(SIGINT, &action, NULL) | sigaction(SIGTERM, &action, NULL) |
	       sigaction(SIGHUP, &action, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hold__a_signal_waits_and_tells_the_step),
		cmocka_unit_test(test_hold__somebody_else_takes_it_in_a_pause),
		cmocka_unit_test(test_hold__within_another_is_nothing),
	};
	return cmocka_run_group_tests(tests, set_up, NULL);
}
