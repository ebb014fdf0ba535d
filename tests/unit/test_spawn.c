/* SPDX-License-Identifier: MIT */
/* Children that do not simply print and end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "forcefs/base/spawn.h"

static int shell(void *payload)
{
	return execl("/bin/sh", "sh", "-c", (const char *)payload, (char *)NULL);
}

/* ssh leaves a master behind (ControlPersist) that keeps its stderr. */
static void test_spawn__does_not_wait_for_what_keeps_stderr(void **state)
{
	AUTO(spawn_result) struct spawn_result result = {0};
	const struct spawn s = {.run = shell,
		.payload = (char *)"sleep 60 >/dev/null & echo $!; echo warned >&2",
		.timeout_ms = 30000,
		.limit_bytes = 100};

	(void)state;
	assert_int_equal(spawn_run(&s, &result, NULL), 0);
	kill((pid_t)atoi(buf_str(&result.out)), SIGKILL);
	assert_true(spawn_succeeded(&result));
	assert_string_equal(result.complaint, "warned");
}

/* Cancelled before the child has come as far as its own session. */
static void test_spawn__a_child_apart_dies_however_early_it_is_cancelled(void **state)
{
	struct cancel cancel;
	const struct until until = {.deadline_ms = INT64_MAX, .cancel = &cancel};
	const struct spawn s = {.run = shell,
		.payload = (char *)"exec sleep 60",
		.timeout_ms = 30000,
		.limit_bytes = 100,
		.until = &until,
		.apart = true};

	(void)state;
	cancel_init(&cancel);
	cancel_fire(&cancel);
	for (int i = 0; i < 20; i++) {
		AUTO(spawn_result) struct spawn_result result = {0};

		assert_int_equal(spawn_run(&s, &result, NULL), 0);
		assert_true(result.timed_out);
		assert_int_equal(result.status & 0x7f, SIGKILL);
	}
	cancel_release(&cancel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spawn__does_not_wait_for_what_keeps_stderr),
		cmocka_unit_test(test_spawn__a_child_apart_dies_however_early_it_is_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
