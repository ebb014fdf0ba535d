/* SPDX-License-Identifier: MIT */
/* Percent-encoding. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "forcefs/net/http.h"

static void test_http_escape__table(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"", ""},
		{"azAZ09-._~", "azAZ09-._~"},
		{"SELECT Id FROM A+B", "SELECT%20Id%20FROM%20A%2BB"},
		{"a/b?c=d&e#f%", "a%2Fb%3Fc%3Dd%26e%23f%25"},
		{"'\"\\", "%27%22%5C"},
		{"\xc3\xbc\n", "%C3%BC%0A"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(buf) struct buf out;
		buf_init(&out, 100);
		assert_int_equal(http_escape(rows[i].in, strlen(rows[i].in), &out), 0);
		assert_string_equal(buf_str(&out), rows[i].out);
	}
}

static void test_http_escape__takes_zero_bytes_and_appends(void **state)
{
	(void)state;
	AUTO(buf) struct buf out;
	buf_init(&out, 100);
	buf_add_str(&out, "q=");
	assert_int_equal(http_escape("a\0b", 3, &out), 0);
	assert_string_equal(buf_str(&out), "q=a%00b");
}

static void test_http_escape__keeps_the_limit(void **state)
{
	(void)state;
	AUTO(buf) struct buf out;
	buf_init(&out, 4);
	assert_int_equal(http_escape("a  ", 3, &out), -EFBIG);
	assert_string_equal(buf_str(&out), "a%20");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_http_escape__table),
		cmocka_unit_test(test_http_escape__takes_zero_bytes_and_appends),
		cmocka_unit_test(test_http_escape__keeps_the_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
