/* SPDX-License-Identifier: MIT */
/* Values that a command prints. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/sf/sf.h"
#include "settings_command.h"
#include "forcefs/base/spawn.h"

static int run(const char *command, int64_t grant, struct settings *s, struct error *err)
{
	assert_int_equal(settings_init(s, "acme", NULL), 0);
	s->grant = grant;
	assert_int_equal(setting_set(s, setting_find("client_secret_command", 21), command,
				 ORIGIN_OPTION, NULL),
		0);
	return settings_run_commands(s, err);
}

static void test_settings_command__first_line_is_the_value(void **state)
{
	static const char *const commands[] = {"echo hush", "printf hush",
		"printf 'hush\\r\\nmore'", "echo noise >&2; echo hush; echo more"};
	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		AUTO(settings) struct settings s;
		struct error err = {0};
		assert_int_equal(run(commands[i], SF_GRANT_REFRESH_TOKEN, &s, &err), 0);
		assert_string_equal(s.client_secret, "hush");
	}
}

static void test_settings_command__failures(void **state)
{
	static const struct {
		const char *command, *text;
	} cases[] = {
		{"echo hush; echo no key >&2; exit 3",
			"-o client_secret_command: the command failed with status 3: no key"},
		{"true", "printed nothing"},
		{"kill -9 $$", "ended by signal 9"},
		{"no-such-program", "status 127"},
		{"head -c 20000 /dev/zero | tr '\\0' x", "too long"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(settings) struct settings s;
		struct error err = {0};
		int r = run(cases[i].command, SF_GRANT_CLIENT_CREDENTIALS, &s, &err);
		if (r >= 0 || !strstr(err.text, cases[i].text) || strstr(err.text, "hush")) {
			fail_msg("%s: %d %s", cases[i].command, r, err.text);
		}
	}
}

static void test_settings_command__only_where_the_grant_needs_it(void **state)
{
	AUTO(settings) struct settings s;
	(void)state;
	assert_int_equal(run("exit 1", SF_GRANT_SF, &s, NULL), 0);
	assert_null(s.client_secret);
}

static void test_settings_command__sees_no_input_and_no_files(void **state)
{
	AUTO(settings) struct settings s;
	struct error err = {0};
	(void)state;
	int leaked = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
	assert_true(leaked > 2);
	char command[100];
	snprintf(command, sizeof(command),
		"cat; test -e /proc/self/fd/%d && echo open || echo shut", leaked);
	assert_int_equal(run(command, SF_GRANT_REFRESH_TOKEN, &s, &err), 0);
	assert_string_equal(s.client_secret, "shut");
	close(leaked);
}

static int sleep_long(void *payload)
{
	(void)payload;
	return execl("/bin/sh", "sh", "-c", "echo waiting >&2; exec sleep 20", (char *)NULL);
}

static void test_spawn__deadline_kills(void **state)
{
	AUTO(spawn_result) struct spawn_result result = {0};
	const struct spawn s = {.run = sleep_long, .timeout_ms = 300, .limit_bytes = 10};
	(void)state;
	assert_int_equal(spawn_run(&s, &result, NULL), 0);
	assert_true(result.timed_out);
	assert_false(spawn_succeeded(&result));
	assert_string_equal(result.complaint, "waiting");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_command__first_line_is_the_value),
		cmocka_unit_test(test_settings_command__failures),
		cmocka_unit_test(test_settings_command__only_where_the_grant_needs_it),
		cmocka_unit_test(test_settings_command__sees_no_input_and_no_files),
		cmocka_unit_test(test_spawn__deadline_kills),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
