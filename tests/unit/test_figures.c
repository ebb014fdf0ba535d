/* SPDX-License-Identifier: MIT */
/* Numbers and text as people read them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "figures.h"
#include "page.h"

static void test_figure_count__groups_by_three(void **state)
{
	(void)state;
	assert_string_equal(figure_count(0).text, "0");
	assert_string_equal(figure_count(999).text, "999");
	assert_string_equal(figure_count(1000).text, "1,000");
	assert_string_equal(figure_count(-12345678).text, "-12,345,678");
	assert_string_equal(figure_count(INT64_MIN).text, "-9,223,372,036,854,775,808");
}

static void test_figure_bytes__three_digits_and_a_unit(void **state)
{
	(void)state;
	assert_string_equal(figure_bytes(0).text, "0 B");
	assert_string_equal(figure_bytes(1023).text, "1023 B");
	assert_string_equal(figure_bytes(1024).text, "1.0 KiB");
	assert_string_equal(figure_bytes(1536).text, "1.5 KiB");
	assert_string_equal(figure_bytes(228 * 1024 + 900).text, "228 KiB");
	assert_string_equal(figure_bytes(UINT64_C(2) << 30).text, "2.0 GiB");
	assert_string_equal(figure_bytes(UINT64_MAX).text, "15 EiB");
}

static void test_figure_span__two_units_at_most(void **state)
{
	(void)state;
	assert_string_equal(figure_span(-5).text, "0 s");
	assert_string_equal(figure_span(59999).text, "59 s");
	assert_string_equal(figure_span(60000).text, "1 min");
	assert_string_equal(figure_span(7500000).text, "2 h 5 min");
	assert_string_equal(figure_span(INT64_C(90) * 3600 * 1000).text, "3 d 18 h");
	assert_string_equal(figure_ago(10).text, "just now");
	assert_string_equal(figure_ago(-10000).text, "just now");
	assert_string_equal(figure_ago(61000).text, "1 min ago");
}

static void test_figure_percent__only_all_is_a_hundred(void **state)
{
	(void)state;
	assert_string_equal(figure_percent(0).text, "0 %");
	assert_string_equal(figure_percent(0.0001).text, "< 0.1 %");
	assert_string_equal(figure_percent(0.004).text, "0.4 %");
	assert_string_equal(figure_percent(0.3349).text, "33 %");
	assert_string_equal(figure_percent(0.9999).text, "99.9 %");
	assert_string_equal(figure_percent(1).text, "100 %");
	assert_string_equal(figure_percent(1.2).text, "120 %");
}

static void test_figure_bar__shows_part_and_mark(void **state)
{
	(void)state;
	assert_string_equal(figure_bar(10, 0, -1).text, "[..........]");
	assert_string_equal(figure_bar(10, 0.001, -1).text, "[#.........]");
	assert_string_equal(figure_bar(10, 0.5, 0.8).text, "[#####...|.]");
	assert_string_equal(figure_bar(10, 0.999, 0.8).text, "[#########.]");
	assert_string_equal(figure_bar(10, 1, 0.8).text, "[##########]");
	assert_string_equal(figure_bar(10, 7, 3).text, "[##########]");
	assert_string_equal(figure_bar(-3, 0.5, -1).text, "[.]");
	assert_int_equal(strlen(figure_bar(1000, 0.5, -1).text), FIGURE_BAR_MAX + 2);
}

static void test_page__wraps_beside_a_label(void **state)
{
	static const struct {
		int width;
		const char *expected;
	} rows[] = {
		{0, "  label      one two three four five six\n"},
		{40, "  label      one two three four five six\n"},
		{38, "  label      one two three four five\n             six\n"},
		{24, "  label      one two\n    three four five six\n"},
		{2, "  label      one\n    two\n    three\n    four\n    five\n    six\n"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(buf) struct buf out;
		buf_init(&out, 1000);
		struct page p = {.out = &out, .width = rows[i].width};
		page_line(&p, "label", "one two %s four five six", "three");
		assert_string_equal(buf_str(&out), rows[i].expected);
	}
}

static void test_page__cells_and_odd_texts(void **state)
{
	AUTO(buf) struct buf out;
	struct page p = {.out = &out};
	(void)state;
	buf_init(&out, 1000);
	page_cell(&p, 5, "abc");
	page_cell(&p, 5, "abcdef");
	page_cell(&p, 3, "\xc3\xa4\xc3\xb6\xc3\xbc");
	page_cell(&p, 2, "\xc3\xa4\xc3\xb6\xc3\xbc");
	page_cell(&p, 1, "ab");
	page_line(&p, "a label too long for it", "x\033[31m");
	assert_string_equal(buf_str(&out), "abc  abcd…\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4……"
					   "  a label too long for it x\\x1b[31m\n");
	assert_int_equal(page_columns("\xc3\xa4…"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figure_count__groups_by_three),
		cmocka_unit_test(test_figure_bytes__three_digits_and_a_unit),
		cmocka_unit_test(test_figure_span__two_units_at_most),
		cmocka_unit_test(test_figure_percent__only_all_is_a_hundred),
		cmocka_unit_test(test_figure_bar__shows_part_and_mark),
		cmocka_unit_test(test_page__wraps_beside_a_label),
		cmocka_unit_test(test_page__cells_and_odd_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
