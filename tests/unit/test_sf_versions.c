/* SPDX-License-Identifier: MIT */
/* Choosing an API version. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "forcefs/base/paths.h"
#include "sf_priv.h"

static void test_versions_normal__reads_what_people_write(void **state)
{
	static const struct {
		const char *in, *out; /* out NULL: refused */
	} rows[] = {
		{"64.0", "64.0"},
		{"64", "64.0"},
		{"v64.0", "64.0"},
		{"52.0", "52.0"},
		{"100", "100.0"},
		{"51.0", NULL},
		{"9.0", NULL},
		{"64.5", NULL},
		{"64.0 ", NULL},
		{"6400.0", NULL},
		{"", NULL},
		{"newest", NULL},
		{"64.0/../x", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[8] = "";

		assert_int_equal(versions_normal(rows[i].in, out), rows[i].out != NULL);
		if (rows[i].out) {
			assert_string_equal(out, rows[i].out);
		}
	}
}

static void test_versions_choose__takes_the_newest_that_both_know(void **state)
{
	static const struct {
		const char *json;
		int r;
		const char *out;
	} rows[] = {
		{"[{\"label\":\"a\",\"url\":\"/x\",\"version\":\"61.0\"},{\"version\":\"62.0\"},"
		 "{\"version\":\"60.0\"}]",
			0, "62.0"},
		{"[{\"version\":\"66.0\"},{\"version\":\"67.0\"},{\"version\":\"68.0\"}]", 0,
			"67.0"},
		{"[{\"version\":\"100\"},{\"version\":\"53.0\"}]", 0, "53.0"},
		{"[{\"version\":\"31.0\"},{\"version\":\"51.0\"}]", -EPROTONOSUPPORT, ""},
		{"[{\"version\":\"80.0\"}]", -EPROTONOSUPPORT, ""},
		{"[]", -EPROTO, ""},
		{"{}", -EPROTO, ""},
		{"[1,{\"version\":62}]", -EPROTO, ""},
		{"<html>", -EPROTO, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char out[8] = "";

		assert_int_equal(
			versions_choose(rows[i].json, strlen(rows[i].json), out, NULL), rows[i].r);
		assert_string_equal(out, rows[i].out);
	}
}

static void test_versions_choose__reads_a_recorded_list(void **state)
{
	AUTO_FREE char *text = NULL;
	char out[8] = "";
	size_t len;

	(void)state;
	if (access(RECORDED_DIR, R_OK) < 0) {
		skip();
	}
	assert_int_equal(
		paths_read_file(RECORDED_DIR "/describe-global/nango-versions-v31-v66.json",
			1 << 20, &text, &len, NULL),
		0);
	assert_int_equal(versions_choose(text, len, out, NULL), 0);
	assert_string_equal(out, "66.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_versions_normal__reads_what_people_write),
		cmocka_unit_test(test_versions_choose__takes_the_newest_that_both_know),
		cmocka_unit_test(test_versions_choose__reads_a_recorded_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
