/* SPDX-License-Identifier: MIT */
/* The budget of API requests: reading it, and stopping at the reserve. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "sf_priv.h"

#define MINUTE_MS 60000

static int64_t now_ms = 1000000;

static int64_t test_now(void)
{
	return now_ms;
}

static const struct clock_table test_clock = {test_now, test_now};

static int stop_clock(void **state)
{
	(void)state;
	now_ms = 1000000;
	clock_replace(&test_clock);
	return 0;
}

static int free_clock(void **state)
{
	(void)state;
	clock_replace(NULL);
	return 0;
}

static void test_usage_parse__reads_both_forms(void **state)
{
	static const struct {
		const char *in;
		bool ok;
		int64_t used, max;
	} rows[] = {
		{"api-usage=18/15000", true, 18, 15000},
		{"api-usage=25/5000; per-app-api-usage=17/250(appName=sample-app)", true, 25, 5000},
		{"per-app-api-usage=17/250(appName=x); api-usage=25/5000", true, 25, 5000},
		{"per-app-api-usage=17/250(appName=x)", false, 0, 0},
		{"api-usage=15001/15000", true, 15001, 15000},
		{"", false, 0, 0},
		{"api-usage=", false, 0, 0},
		{"api-usage=18", false, 0, 0},
		{"api-usage=18/", false, 0, 0},
		{"api-usage=-1/5", false, 0, 0},
		{"api-usage=99999999999999999999/5", false, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int64_t used = 0, max = 0;

		assert_int_equal(usage_parse(rows[i].in, &used, &max), rows[i].ok);
		assert_int_equal(used, rows[i].used);
		assert_int_equal(max, rows[i].max);
	}
}

static void test_usage_admit__stops_at_the_reserve(void **state)
{
	static const struct {
		int percent;
		int64_t calls;
		const char *info;
		int r;
	} rows[] = {
		{20, 0, "", 0},
		{20, 0, "api-usage=799/1000", 0},
		{20, 0, "api-usage=800/1000", 0},
		{20, 0, "api-usage=801/1000", -EDQUOT},
		{0, 0, "api-usage=1000/1000", 0},
		{0, 50, "api-usage=950/1000", 0},
		{0, 50, "api-usage=951/1000", -EDQUOT},
		{100, 0, "api-usage=1/1000", -EDQUOT},
		{20, 0, "api-usage=5/0", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct usage u;
		struct error err = {0};

		usage_init(&u, rows[i].percent, rows[i].calls);
		usage_note(&u, rows[i].info, 1);
		assert_int_equal(usage_admit(&u, &err), rows[i].r);
		if (rows[i].r) {
			assert_non_null(strstr(err.text, "api_reserve="));
			assert_non_null(strstr(err.text, "of 1000 daily API requests"));
		}
		usage_release(&u);
	}
}

static void test_usage_admit__asks_again_after_five_minutes(void **state)
{
	struct usage u;

	(void)state;
	usage_init(&u, 20, 0);
	usage_note(&u, "api-usage=900/1000", 1);
	assert_int_equal(usage_admit(&u, NULL), -EDQUOT);
	now_ms += 5 * MINUTE_MS + 1;
	assert_int_equal(usage_admit(&u, NULL), 0);
	assert_int_equal(usage_admit(&u, NULL), -EDQUOT); /* one, not all */
	now_ms += 5 * MINUTE_MS + 1;
	assert_int_equal(usage_admit(&u, NULL), 0);
	usage_note(&u, "api-usage=100/1000", 1);
	assert_int_equal(usage_admit(&u, NULL), 0);
	assert_int_equal(usage_admit(&u, NULL), 0);
	usage_release(&u);
}

static void test_usage_spent__holds_even_without_a_reserve(void **state)
{
	struct usage u;
	struct error err = {0};
	struct remote_usage told = {0};

	(void)state;
	usage_init(&u, 0, 0);
	usage_note(&u, "api-usage=10/1000", 1);
	usage_spent(&u);
	assert_int_equal(usage_admit(&u, &err), -EDQUOT);
	assert_string_equal(err.code, "REQUEST_LIMIT_EXCEEDED");
	usage_get(&u, &told);
	assert_int_equal(told.used, 1000);
	now_ms += 5 * MINUTE_MS + 1;
	assert_int_equal(usage_admit(&u, NULL), 0);
	assert_int_equal(usage_admit(&u, NULL), -EDQUOT);
	usage_note(&u, "api-usage=990/1000", 1);
	assert_int_equal(usage_admit(&u, NULL), 0);
	usage_release(&u);
}

static void test_usage_get__counts_every_attempt(void **state)
{
	struct usage u;
	struct remote_usage told = {0};

	(void)state;
	usage_init(&u, 20, 7);
	usage_note(&u, "api-usage=1/15000", 1);
	usage_note(&u, "", 3);
	usage_note(&u, "", 0);
	usage_get(&u, &told);
	assert_int_equal(told.calls, 4);
	assert_int_equal(told.used, 1);
	assert_int_equal(told.max, 15000);
	assert_int_equal(told.reserve, 3000);
	usage_release(&u);
}

static void test_usage_took__counts_each_request_in_one_step(void **state)
{
	static const int64_t took_ms[] = {0, 25, 26, 30000, 30001, 400000};
	struct usage u;
	struct remote_usage told = {0};
	uint64_t sum = 0;

	(void)state;
	usage_init(&u, 20, 7);
	for (size_t i = 0; i < sizeof(took_ms) / sizeof(took_ms[0]); i++) {
		usage_took(&u, took_ms[i]);
	}
	usage_get(&u, &told);
	assert_int_equal(told.took[0], 2);
	assert_int_equal(told.took[1], 1);
	assert_int_equal(told.took[REMOTE_TOOK_STEPS - 1], 1);
	assert_int_equal(told.took[REMOTE_TOOK_STEPS], 2);
	for (int i = 0; i <= REMOTE_TOOK_STEPS; i++) {
		sum += told.took[i];
	}
	assert_int_equal(sum, 6);
	assert_int_equal(told.took_ms, 460052);
	usage_release(&u);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usage_parse__reads_both_forms),
		cmocka_unit_test_setup_teardown(
			test_usage_admit__stops_at_the_reserve, stop_clock, free_clock),
		cmocka_unit_test_setup_teardown(
			test_usage_admit__asks_again_after_five_minutes, stop_clock, free_clock),
		cmocka_unit_test_setup_teardown(
			test_usage_spent__holds_even_without_a_reserve, stop_clock, free_clock),
		cmocka_unit_test(test_usage_get__counts_every_attempt),
		cmocka_unit_test(test_usage_took__counts_each_request_in_one_step),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
