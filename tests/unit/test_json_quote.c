/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "forcefs/model/json_quote.h"

#define BAD "\xef\xbf\xbd"

static void check(const char *s, size_t len, const char *expected)
{
	AUTO(buf) struct buf out;
	buf_init(&out, 1024);
	assert_int_equal(json_quote(s, len, &out), 0);
	assert_string_equal(buf_str(&out), expected);
}

static void test_json_quote__table(void **state)
{
	(void)state;
	static const struct {
		const char *in;
		const char *expected;
	} rows[] = {
		{"", "\"\""},
		{"plain", "\"plain\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"line\nnext\ttab", "\"line\\nnext\\ttab\""},
		{"\x01\x1f", "\"\\u0001\\u001F\""},
		{"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80",
			"\"h\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\""},
		{"\xff", "\"" BAD "\""},
		{"a\xc3", "\"a" BAD "\""},
		{"a\xc3z", "\"a" BAD "z\""},
		{"\xc0\xaf", "\"" BAD BAD "\""},                 /* overlong */
		{"\xe0\x80\xaf", "\"" BAD BAD BAD "\""},         /* overlong */
		{"\xed\xa0\x80", "\"" BAD BAD BAD "\""},         /* surrogate */
		{"\xf4\x90\x80\x80", "\"" BAD BAD BAD BAD "\""}, /* past U+10FFFF */
		{"\x80ok\xbf", "\"" BAD "ok" BAD "\""},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		check(rows[i].in, strlen(rows[i].in), rows[i].expected);
	}
}

static void test_json_quote__nul_is_escaped(void **state)
{
	(void)state;
	check("a\0b", 3, "\"a\\u0000b\"");
}

static void test_json_quote__limit(void **state)
{
	(void)state;
	AUTO(buf) struct buf out;
	buf_init(&out, 4);
	assert_int_equal(json_quote("abcdef", 6, &out), -EFBIG);
	buf_clear(&out);
	assert_int_equal(json_quote("ab\xff"
				    "cd",
				 5, &out),
		-EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_quote__table),
		cmocka_unit_test(test_json_quote__nul_is_escaped),
		cmocka_unit_test(test_json_quote__limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
