/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "forcefs/model/limits.h"

static void test_limits__both_figures(void **state)
{
	(void)state;
	static const char json[] = "{\"DailyApiRequests\":{\"Max\":15000,\"Remaining\":14976,"
				   "\"Ant Migration Tool\":{\"Max\":0,\"Remaining\":0}},"
				   "\"DataStorageMB\":{\"Max\":1024,\"Remaining\":1000}}";
	struct limits l;
	assert_int_equal(limits_parse(json, strlen(json), &l, NULL), 0);
	assert_true(l.has_data_storage);
	assert_int_equal(l.data_max_mb, 1024);
	assert_int_equal(l.data_left_mb, 1000);
	assert_int_equal(l.api_max, 15000);
	assert_int_equal(l.api_left, 14976);
}

static void test_limits__odd_figures(void **state)
{
	(void)state;
	static const struct {
		const char *json;
		bool has;
		int64_t max, left;
	} rows[] = {
		{"{}", false, 0, 0},
		{"{\"DataStorageMB\":null}", false, 0, 0},
		{"{\"DataStorageMB\":{\"Max\":5}}", false, 0, 0},
		{"{\"DataStorageMB\":{\"Max\":\"5\",\"Remaining\":1}}", false, 0, 0},
		{"{\"DataStorageMB\":{\"Max\":-1,\"Remaining\":1}}", false, 0, 0},
		{"{\"DataStorageMB\":{\"Max\":1e300,\"Remaining\":1}}", false, 0, 0},
		{"{\"DataStorageMB\":{\"Max\":5,\"Remaining\":-2}}", true, 5, 0},
		{"{\"DataStorageMB\":{\"Max\":5.0,\"Remaining\":2.5}}", true, 5, 2},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct limits l;
		assert_int_equal(limits_parse(rows[i].json, strlen(rows[i].json), &l, NULL), 0);
		assert_int_equal(l.has_data_storage, rows[i].has);
		assert_int_equal(l.data_max_mb, rows[i].max);
		assert_int_equal(l.data_left_mb, rows[i].left);
		assert_int_equal(l.api_max, 0);
	}
}

static void test_limits__no_answer(void **state)
{
	(void)state;
	static const char *const rows[] = {"", "[]", "<html>", "{\"a\":", "null"};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct limits l;
		struct error err = {0};
		assert_int_equal(limits_parse(rows[i], strlen(rows[i]), &l, &err), -EPROTO);
		assert_int_equal(err.errnum, EPROTO);
		assert_true(err.text[0]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits__both_figures),
		cmocka_unit_test(test_limits__odd_figures),
		cmocka_unit_test(test_limits__no_answer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
