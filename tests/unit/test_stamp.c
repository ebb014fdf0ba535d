/* SPDX-License-Identifier: MIT */
/* Datetimes in and out, over all years that Salesforce knows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "forcefs/model/stamp.h"

static void test_stamp_parse__table(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int64_t ms;
	} table[] = {
		{"1970-01-01T00:00:00.000+0000", 0},
		{"1970-01-01T00:00:00Z", 0},
		{"2026-07-01T10:11:12.000+0000", INT64_C(1782900672000)},
		{"2026-07-01T10:11:12.000Z", INT64_C(1782900672000)},
		{"2026-07-01T12:11:12+02:00", INT64_C(1782900672000)},
		{"2026-07-01T12:11:12.000+0200", INT64_C(1782900672000)},
		{"2026-07-01T04:41:12.5-05:30", INT64_C(1782900672500)},
		{"2026-07-01T10:11:12.123456789Z", INT64_C(1782900672123)},
		{"2024-02-29T00:00:00Z", INT64_C(1709164800000)},
		{"2000-02-29T23:59:59.999Z", INT64_C(951868799999)},
		{"1969-12-31T23:59:59.999Z", -1},
		{"1969-12-31T23:59:59Z", -1000},
		{"1700-01-01T00:00:00Z", INT64_C(-8520336000000)},
		{"4000-12-31T23:59:59.999Z", INT64_C(64092211199999)},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		int64_t ms = 42;

		assert_true(stamp_parse(table[i].text, strlen(table[i].text), &ms));
		assert_int_equal(ms, table[i].ms);
	}
}

static void test_stamp_parse__refuses(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",
		"2026",
		"2026-07-01",
		"2026-07-01T10:11:12",
		"2026-07-01T10:11:12.000",
		"2026-07-01 10:11:12Z",
		"2026-07-01T10:11Z",
		"2026-07-01T10:11:12.Z",
		"2026-07-01T10:11:12.1234567890Z",
		"2026-07-01T10:11:12+00",
		"2026-07-01T10:11:12+000",
		"2026-07-01T10:11:12+00000",
		"2026-07-01T10:11:12+2400",
		"2026-07-01T10:11:12+0060",
		"2026-07-01T10:11:12ZZ",
		"2026-07-01T10:11:12z",
		"2026-13-01T10:11:12Z",
		"2026-00-01T10:11:12Z",
		"2026-02-29T10:11:12Z",
		"1900-02-29T10:11:12Z",
		"2026-04-31T10:11:12Z",
		"2026-07-00T10:11:12Z",
		"2026-07-01T24:00:00Z",
		"2026-07-01T10:60:12Z",
		"2026-07-01T10:11:60Z",
		"0000-07-01T10:11:12Z",
		"-026-07-01T10:11:12Z",
		" 2026-07-01T10:11:12Z",
		"2026-07-01T10:11:12Z ",
		"2026-7-1T10:11:12Z",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		int64_t ms = 42;

		assert_false(stamp_parse(wrong[i], strlen(wrong[i]), &ms));
		assert_int_equal(ms, 42);
	}
}

static void test_stamp_parse__reads_no_byte_beyond_its_length(void **state)
{
	(void)state;
	static const char text[] = "2026-07-01T10:11:12.000+0000";
	int64_t ms;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char exact[sizeof(text)];

		memset(exact, '0', sizeof(exact));
		memcpy(exact, text, len);
		assert_false(stamp_parse(exact, len, &ms));
	}
}

static void test_stamp_soql__table(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		const char *soql, *http;
	} table[] = {
		{0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
		{INT64_C(1782900672000), "2026-07-01T10:11:12.000Z",
			"Wed, 01 Jul 2026 10:11:12 GMT"},
		{INT64_C(1782900672045), "2026-07-01T10:11:12.045Z",
			"Wed, 01 Jul 2026 10:11:12 GMT"},
		{-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
		{INT64_MIN, "1700-01-01T00:00:00.000Z", "Fri, 01 Jan 1700 00:00:00 GMT"},
		{INT64_MAX, "4000-12-31T23:59:59.999Z", "Sun, 31 Dec 4000 23:59:59 GMT"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char text[32];

		stamp_soql(table[i].ms, text, sizeof(text));
		assert_string_equal(text, table[i].soql);
		stamp_http(table[i].ms, text, sizeof(text));
		assert_string_equal(text, table[i].http);
	}
}

/* Every day from 1700 to 4000 against libc's calendar, and back. */
static void test_stamp__agrees_with_libc(void **state)
{
	(void)state;
	const int64_t first = INT64_C(-8520336000), last = INT64_C(64092211199);
	char wanted[64], text[32];

	for (int64_t s = first; s <= last; s += 86400 + 61) {
		time_t t = (time_t)s;
		struct tm tm;
		int64_t back;

		assert_non_null(gmtime_r(&t, &tm));
		strftime(wanted, sizeof(wanted), "%Y-%m-%dT%H:%M:%S.007Z", &tm);
		stamp_soql(s * 1000 + 7, text, sizeof(text));
		assert_string_equal(text, wanted);
		assert_true(stamp_parse(text, strlen(text), &back));
		assert_int_equal(back, s * 1000 + 7);
		strftime(wanted, sizeof(wanted), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		stamp_http(s * 1000, text, sizeof(text));
		assert_string_equal(text, wanted);
	}
}

static void test_stamp_mtime__table(void **state)
{
	(void)state;
	static const struct {
		int64_t ms;
		uint64_t hash;
		int64_t s;
		long ns;
	} table[] = {
		{0, 0, 0, 0},
		{1500, 0, 1, 500000000},
		{1999, 999999, 1, 999999999},
		{1999, 1000000, 1, 999000000},
		{-1, 5, -1, 999000005},
		{-1000, UINT64_MAX, -1, 551615},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		int64_t s;
		long ns;

		stamp_mtime(table[i].ms, table[i].hash, &s, &ns);
		assert_int_equal(s, table[i].s);
		assert_int_equal(ns, table[i].ns);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stamp_parse__table),
		cmocka_unit_test(test_stamp_parse__refuses),
		cmocka_unit_test(test_stamp_parse__reads_no_byte_beyond_its_length),
		cmocka_unit_test(test_stamp_soql__table),
		cmocka_unit_test(test_stamp__agrees_with_libc),
		cmocka_unit_test(test_stamp_mtime__table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
