/* SPDX-License-Identifier: MIT */
/* Queries and forms, taken apart. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "forcefs/net/query.h"

static void test_query_decode__once(void **state)
{
	static const struct {
		const char *text;
		bool plus;
		const char *value;
	} rows[] = {
		{"", false, ""},
		{"aPrx%3D%3D", false, "aPrx=="},
		{"aPrx%253D", false, "aPrx%3D"},
		{"a+b", false, "a+b"},
		{"a+b%2B", true, "a b+"},
		{"100%", false, "100%"},
		{"%4", false, "%4"},
		{"%4x%zz", false, "%4x%zz"},
		{"%c3%A4", false, "\xc3\xa4"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(buf) struct buf out;
		buf_init(&out, 100);
		assert_int_equal(
			query_decode(rows[i].text, strlen(rows[i].text), rows[i].plus, &out), 0);
		assert_string_equal(buf_str(&out), rows[i].value);
	}
}

static void test_query_decode__refuses(void **state)
{
	AUTO(buf) struct buf out;
	(void)state;
	buf_init(&out, 4);
	assert_int_equal(query_decode("a%00b", 5, false, &out), -EINVAL);
	buf_clear(&out);
	assert_int_equal(query_decode("abcdef", 6, false, &out), -EFBIG);
}

static void test_query_get__first_of_that_name(void **state)
{
	static const char text[] = "xcode=1&code&code=2%3D&state=s+t&code=3&empty=";
	static const struct {
		const char *name, *value;
	} rows[] = {{"code", "2="}, {"state", "s t"}, {"xcode", "1"}, {"nothing", NULL},
		{"empty", ""}, {"cod", NULL}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(buf) struct buf out;
		buf_init(&out, 100);
		int r = query_get(text, sizeof(text) - 1, rows[i].name, true, &out);
		assert_int_equal(r, rows[i].value ? 0 : -ENOENT);
		assert_string_equal(buf_str(&out), rows[i].value ? rows[i].value : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_query_decode__once),
		cmocka_unit_test(test_query_decode__refuses),
		cmocka_unit_test(test_query_get__first_of_that_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
