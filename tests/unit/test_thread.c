/* SPDX-License-Identifier: MIT */
/* Threads: name, blocked signals, room on the stack. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/thread.h"

struct seen {
	int release[2]; /* the thread waits here until its name is set */
	char name[32];
	sigset_t blocked;
	size_t stack_bytes;
};

static void *look(void *arg)
{
	struct seen *s = arg;
	char c;
	while (read(s->release[0], &c, 1) < 0) {
	}
	pthread_getname_np(pthread_self(), s->name, sizeof(s->name));
	pthread_sigmask(SIG_BLOCK, NULL, &s->blocked);
	pthread_attr_t attr;
	pthread_getattr_np(pthread_self(), &attr);
	pthread_attr_getstacksize(&attr, &s->stack_bytes);
	pthread_attr_destroy(&attr);
	return s;
}

static void test_thread_start__sets_name_signals_and_stack(void **state)
{
	(void)state;
	struct seen s = {.name = ""};
	assert_int_equal(pipe(s.release), 0);
	sigset_t before, after;
	pthread_sigmask(SIG_BLOCK, NULL, &before);
	pthread_t thread;
	assert_int_equal(thread_start(&thread, "a-name-that-is-too-long", look, &s, NULL), 0);
	assert_int_equal(write(s.release[1], "x", 1), 1);
	void *result;
	pthread_join(thread, &result);
	pthread_sigmask(SIG_BLOCK, NULL, &after);
	assert_ptr_equal(result, &s);
	assert_string_equal(s.name, "a-name-that-is-");
	assert_true(sigismember(&s.blocked, SIGTERM) && sigismember(&s.blocked, SIGUSR1));
	assert_int_equal(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
	assert_true(s.stack_bytes >= 512 * 1024);
	close(s.release[0]);
	close(s.release[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_thread_start__sets_name_signals_and_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
