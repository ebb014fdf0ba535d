/* SPDX-License-Identifier: MIT */
/* What forcefs doctor says of this machine, and how its findings look. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor.h"

static char base[] = "/tmp/forcefs-test-XXXXXX";

static int make_base(void **state)
{
	(void)state;
	return mkdtemp(base) ? 0 : -1;
}

static int remove_base(void **state)
{
	(void)state;
	return rmdir(base);
}

static void check(const struct finding *f, enum doctor_state state, const char *words)
{
	if (f->state != state || !strstr(f->text, words)) {
		fail_msg("%s: %s", doctor_word(f->state), f->text);
	}
}

static void test_doctor__fuse_device(void **state)
{
	struct finding f = {0};
	(void)state;
	doctor_fuse_device("/nowhere/fuse", &f);
	check(&f, DOCTOR_FAILED, "there is no /nowhere/fuse; run: modprobe fuse");
	doctor_fuse_device("/dev/null", &f);
	check(&f, DOCTOR_FAILED, "/dev/null is not the FUSE device");
	doctor_fuse_device("/proc/version", &f);
	check(&f, DOCTOR_FAILED,
		geteuid() ? "cannot be opened: Permission denied" : "/proc/version");
}

static void test_doctor__cache_dir(void **state)
{
	struct finding f = {0};
	char below[200];
	(void)state;
	doctor_cache_dir(base, 1, &f);
	check(&f, DOCTOR_OK, "can be written");
	snprintf(below, sizeof(below), "%s/not/there/yet", base);
	doctor_cache_dir(below, 1, &f);
	check(&f, DOCTOR_OK, "/not/there/yet can be written");
	doctor_cache_dir(below, INT64_MAX, &f);
	check(&f, DOCTOR_WARNING, "less than cache_size");
	chmod(base, 0777);
	doctor_cache_dir(base, 1, &f);
	check(&f, DOCTOR_FAILED, "everyone can write");
	doctor_cache_dir("/proc/x/y", 1, &f);
	check(&f, DOCTOR_FAILED, "/proc cannot be written");
	doctor_cache_dir("/dev/null", 1, &f);
	check(&f, DOCTOR_FAILED, "Not a directory");
	doctor_cache_dir("/dev/null/below", 1, &f);
	check(&f, DOCTOR_FAILED, "Not a directory");
}

static const struct finding findings[] = {
	{"FUSE", DOCTOR_OK, "fine"},
	{"host", DOCTOR_FAILED, "not there; look for it somewhere else please"},
	{"log-in", DOCTOR_SKIPPED, "not looked at"},
	{"API", DOCTOR_WARNING, "odd \033[2J"},
};

static void test_doctor_text__one_line_each(void **state)
{
	AUTO(buf) struct buf plain, narrow, colour, good;
	(void)state;
	buf_init(&plain, 4096);
	buf_init(&narrow, 4096);
	buf_init(&colour, 4096);
	buf_init(&good, 4096);
	assert_int_equal(doctor_text("acme", findings, 4, 0, false, &plain), 0);
	assert_string_equal(buf_str(&plain),
		"  ok       FUSE           fine\n"
		"  failed   host           not there; look for it somewhere else please\n"
		"  skipped  log-in         not looked at\n"
		"  warning  API            odd \\x1b[2J\n"
		"acme cannot be mounted as things are: see what failed above; 1 warning.\n");
	doctor_text("acme", findings + 1, 1, 45, false, &narrow);
	assert_string_equal(buf_str(&narrow), "  failed   host           not there; look for\n"
					      "    it somewhere else please\n"
					      "acme cannot be mounted as things are: see\n"
					      "  what failed above.\n");
	doctor_text("acme", findings, 1, 80, true, &colour);
	assert_string_equal(buf_str(&colour), "  \033[32mok       \033[0mFUSE           fine\n"
					      "acme can be mounted.\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_doctor__fuse_device),
		cmocka_unit_test_setup_teardown(test_doctor__cache_dir, make_base, remove_base),
		cmocka_unit_test(test_doctor_text__one_line_each),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
