/* SPDX-License-Identifier: MIT */
/* The growing buffer: limits, failures that stick, hand-over. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/buf.h"

static void test_buf_add__grows_and_ends_with_zero(void **state)
{
	(void)state;
	AUTO(buf) struct buf b;
	buf_init(&b, 100000);
	assert_string_equal(buf_str(&b), "");
	for (int i = 0; i < 10000; i++) {
		assert_int_equal(buf_add_char(&b, (char)('a' + i % 26)), 0);
		assert_int_equal(b.data[b.len], 0);
	}
	assert_int_equal(b.len, 10000);
	assert_int_equal(b.data[9999], 'a' + 9999 % 26);
	assert_int_equal(buf_failed(&b), 0);
}

static void test_buf_add__fills_exactly_to_the_limit(void **state)
{
	(void)state;
	static const size_t limits[] = {0, 1, 63, 64, 65, 100, 127, 128, 129, 1000};
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		AUTO(buf) struct buf b;
		buf_init(&b, limits[i]);
		for (size_t n = 0; n < limits[i]; n++) {
			assert_int_equal(buf_add_char(&b, 'x'), 0);
		}
		assert_int_equal(buf_add_char(&b, 'x'), -EFBIG);
		assert_int_equal(b.len, limits[i]);
		assert_true(b.cap <= limits[i] + 1);
	}
}

static void test_buf_add__failure_leaves_content_and_sticks(void **state)
{
	(void)state;
	AUTO(buf) struct buf b;
	buf_init(&b, 8);
	assert_int_equal(buf_add_str(&b, "12345"), 0);
	assert_int_equal(buf_add_str(&b, "6789"), -EFBIG);
	assert_int_equal(buf_add_str(&b, "6"), -EFBIG);
	assert_int_equal(buf_addf(&b, "%d", 6), -EFBIG);
	assert_string_equal(buf_str(&b), "12345");
	assert_int_equal(buf_failed(&b), -EFBIG);
	buf_clear(&b);
	assert_int_equal(buf_failed(&b), 0);
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(buf_add_str(&b, "12345678"), 0);
}

static void test_buf_addf__formats_long_text(void **state)
{
	(void)state;
	AUTO(buf) struct buf b;
	buf_init(&b, 5000);
	char word[2001];
	memset(word, 'w', 2000);
	word[2000] = '\0';
	assert_int_equal(buf_addf(&b, "<%s>%d", word, 42), 0);
	assert_int_equal(b.len, 2004);
	assert_string_equal(b.data + 2001, ">42");
	assert_int_equal(buf_addf(&b, "%s%s", word, word), -EFBIG);
	assert_int_equal(b.len, 2004);
}

static void test_buf_add__keeps_zero_bytes_and_empty_additions(void **state)
{
	(void)state;
	AUTO(buf) struct buf b;
	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_add(&b, NULL, 0), 0);
	assert_int_equal(buf_add(&b, "a\0b", 3), 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b", 4);
}

static void test_buf_reserve__refuses_sizes_that_would_wrap(void **state)
{
	(void)state;
	AUTO(buf) struct buf b;
	buf_init(&b, SIZE_MAX);
	assert_int_equal(buf_add_str(&b, "abc"), 0);
	assert_int_equal(buf_reserve(&b, SIZE_MAX), -EFBIG);
	assert_string_equal(buf_str(&b), "abc");
}

static void test_buf_take__hands_over(void **state)
{
	(void)state;
	AUTO(buf) struct buf b;
	buf_init(&b, 10);
	size_t len = 7;
	assert_null(buf_take(&b, &len));
	assert_int_equal(len, 0);
	buf_add_str(&b, "abc");
	char *text = buf_take(&b, &len);
	assert_string_equal(text, "abc");
	assert_int_equal(len, 3);
	free(text);
	assert_int_equal(b.len, 0);
	assert_int_equal(buf_add_str(&b, "0123456789"), 0);
	assert_int_equal(buf_add_char(&b, '!'), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_add__grows_and_ends_with_zero),
		cmocka_unit_test(test_buf_add__fills_exactly_to_the_limit),
		cmocka_unit_test(test_buf_add__failure_leaves_content_and_sticks),
		cmocka_unit_test(test_buf_addf__formats_long_text),
		cmocka_unit_test(test_buf_add__keeps_zero_bytes_and_empty_additions),
		cmocka_unit_test(test_buf_reserve__refuses_sizes_that_would_wrap),
		cmocka_unit_test(test_buf_take__hands_over),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
