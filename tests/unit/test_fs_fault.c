/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "forcefs/base/log.h"
#include "fs_fault.h"

static struct faults faults;

static int setup(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR); /* the warnings are not wanted in the test's output */
	return faults_init(&faults, NULL);
}

static int teardown(void **state)
{
	(void)state;
	faults_release(&faults);
	return 0;
}

static void note(const char *path, int errnum, const char *text)
{
	struct error err;
	error_set_code(&err, errnum, 503, "SERVER_UNAVAILABLE", "%s", text);
	fault_note(&faults, path, "lookup", &err);
}

static unsigned count_lines(const char *s)
{
	unsigned n = 0;
	while ((s = strchr(s, '\n'))) {
		s++;
		n++;
	}
	return n;
}

static void test_fs_fault__what_is_kept(void **state)
{
	(void)state;
	AUTO(buf) struct buf out;
	buf_init(&out, 4096);
	note("Account/001000000000001AAA.json", EHOSTUNREACH, "the org \"acme\" is away");
	assert_int_equal(fault_of_path(&faults, "Account/001000000000001AAA.json", &out), 0);
	assert_non_null(strstr(buf_str(&out), "\"path\": \"Account/001000000000001AAA.json\""));
	assert_non_null(strstr(buf_str(&out), "\"op\": \"lookup\""));
	assert_non_null(strstr(buf_str(&out), "\"errno\": \"EHOSTUNREACH\""));
	assert_non_null(strstr(buf_str(&out), "\"code\": \"SERVER_UNAVAILABLE\""));
	assert_non_null(strstr(buf_str(&out), "\"http\": 503"));
	assert_non_null(strstr(buf_str(&out), "\"text\": \"the org \\\"acme\\\" is away\""));
	assert_int_equal(fault_of_path(&faults, "Account", &out), -ENODATA);
}

static void test_fs_fault__heals(void **state)
{
	(void)state;
	AUTO(buf) struct buf out;
	buf_init(&out, 4096);
	note("a", EIO, "one");
	note("b", EIO, "two");
	assert_true(fault_any(&faults));
	fault_heal(&faults, "a");
	assert_int_equal(fault_of_path(&faults, "a", &out), -ENODATA);
	assert_int_equal(fault_of_path(&faults, "b", &out), 0);
	fault_heal(&faults, "b");
	assert_false(fault_any(&faults));
	note("a", EIO, "three");
	assert_int_equal(fault_of_path(&faults, "a", &out), 0);
}

static void test_fs_fault__lines_in_order_of_time(void **state)
{
	(void)state;
	AUTO(buf) struct buf out;
	buf_init(&out, 1 << 20);
	for (int i = 0; i < FAULT_MAX + 10; i++) {
		char path[32];
		snprintf(path, sizeof(path), "p%d", i);
		note(path, EIO, "x");
	}
	assert_int_equal(fault_add_lines(&faults, &out), 0);
	assert_int_equal(count_lines(buf_str(&out)), FAULT_MAX);
	assert_null(strstr(buf_str(&out), "\"p9\""));
	const char *first = strstr(buf_str(&out), "\"p10\"");
	const char *last = strstr(buf_str(&out), "\"p265\"");
	assert_non_null(first);
	assert_true(last > first);
	assert_int_equal(fault_count(&faults), FAULT_MAX + 10);
	buf_clear(&out);
	fault_add_last(&faults, 2, &out);
	assert_non_null(strstr(buf_str(&out), "\"p265\""));
	assert_non_null(strstr(buf_str(&out), "\"p264\""));
	assert_null(strstr(buf_str(&out), "\"p263\""));
	/* what was pushed out is not counted as unhealed */
	for (int i = 0; i < FAULT_MAX + 10; i++) {
		char path[32];
		snprintf(path, sizeof(path), "p%d", i);
		fault_heal(&faults, path);
	}
	assert_false(fault_any(&faults));
}

static void test_fs_fault__counts_by_kind(void **state)
{
	(void)state;
	struct fault_kind kind;
	note("a", EIO, "x");
	note("b", EIO, "y");
	note("a", EACCES, "x");
	assert_true(fault_kind_at(&faults, 0, &kind));
	assert_int_equal(kind.errnum, EIO);
	assert_int_equal(kind.count, 2);
	assert_string_equal(kind.code, "SERVER_UNAVAILABLE");
	assert_true(fault_kind_at(&faults, 1, &kind));
	assert_int_equal(kind.errnum, EACCES);
	assert_false(fault_kind_at(&faults, 2, &kind));
	/* a server that makes up codes does not fill the memory */
	uint64_t sum = 0;
	for (int i = 0; i < 2 * FAULT_KINDS; i++) {
		struct error err;
		char code[32];
		snprintf(code, sizeof(code), "CODE_%d", i);
		error_set_code(&err, EIO, 400, code, "x");
		fault_note(&faults, "c", "read", &err);
	}
	unsigned i = 0;
	for (; fault_kind_at(&faults, i, &kind); i++) {
		sum += kind.count;
	}
	assert_int_equal(i, FAULT_KINDS);
	assert_int_equal(kind.errnum, 0);
	assert_int_equal(sum, fault_count(&faults));
}

static void test_fs_fault__long_paths_are_cut(void **state)
{
	(void)state;
	char path[400];
	AUTO(buf) struct buf out;
	buf_init(&out, 4096);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	note(path, EIO, "x");
	assert_int_equal(fault_add_lines(&faults, &out), 0);
	assert_int_equal(count_lines(buf_str(&out)), 1);
}

static void test_fs_fault__probing_is_no_fault(void **state)
{
	(void)state;
	assert_false(fault_worth(ENOENT));
	assert_false(fault_worth(EINTR));
	assert_false(fault_worth(ENODATA));
	assert_true(fault_worth(EROFS));
	assert_true(fault_worth(EHOSTUNREACH));
	assert_true(fault_worth(EDQUOT));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fs_fault__what_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fs_fault__heals, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_fs_fault__lines_in_order_of_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fs_fault__counts_by_kind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fs_fault__long_paths_are_cut, setup, teardown),
		cmocka_unit_test(test_fs_fault__probing_is_no_fault),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
