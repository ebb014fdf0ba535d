/* SPDX-License-Identifier: MIT */
/* The line that shows how far forcefs fetch is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "fetch.h"
#include "page.h"

static const struct fetch_progress halfway = {.object = "Account",
	.records = 124000,
	.total = 200000,
	.calls = 62,
	.elapsed_ms = 31000,
	.rate = 4210.4};

static void check(const struct fetch_progress *p, int width, const char *expected)
{
	AUTO(buf) struct buf out;
	buf_init(&out, 1024);
	assert_int_equal(fetch_line(p, width, &out), 0);
	assert_string_equal(buf_str(&out), expected);
}

static void test_fetch_line__shows_less_where_there_is_less_room(void **state)
{
	(void)state;
	check(&halfway, 120,
		"Account [###################...........] 62 %  124,000 of 200,000  19 s left  62 "
		"calls  "
		"4,210/s");
	check(&halfway, 79,
		"Account [#########.....] 62 %  124,000 of 200,000  19 s left  62 calls  4,210/s");
	check(&halfway, 60, "Account [#########.....] 62 %  124,000 of 200,000  19 s left");
	check(&halfway, 40, "Account [#########.....] 62 %  19 s left");
	check(&halfway, 38, "Account 62 %  124,000 of 200,000");
	check(&halfway, 19, "Account 62 %");
}

static void test_fetch_line__is_never_wider(void **state)
{
	(void)state;
	struct fetch_progress p = halfway;
	p.object = "A_very_long_name_of_an_object_that_somebody_made__c";
	for (int width = 19; width < 200; width++) {
		AUTO(buf) struct buf out;
		buf_init(&out, 1024);
		fetch_line(&p, width, &out);
		assert_true(page_columns(buf_str(&out)) <= width);
	}
}

static void test_fetch_line__says_what_is_known(void **state)
{
	(void)state;
	struct fetch_progress p = {.object = "Lead"};
	check(&p, 80, "Lead 0 records  0 calls");
	check(&p, 0, "Lead: 0 records, 0 calls");
	p = halfway;
	check(&p, 0, "Account: 62 %, 124,000 of 200,000, 19 s left, 62 calls, 4,210/s");
	p.records = 200001; /* more came than the org had claimed */
	check(&p, 0, "Account: 100 %, 200,001 of 200,001, 62 calls, 4,210/s");
}

static void test_fetch_sum__counts(void **state)
{
	(void)state;
	AUTO(buf) struct buf out;
	buf_init(&out, 1024);
	struct fetch_progress p = {.object = "Lead", .records = 1, .calls = 1, .elapsed_ms = 90000};
	fetch_sum(&p, &out);
	assert_string_equal(buf_str(&out), "Lead: 1 record, 1 call, 1 min");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fetch_line__shows_less_where_there_is_less_room),
		cmocka_unit_test(test_fetch_line__is_never_wider),
		cmocka_unit_test(test_fetch_line__says_what_is_known),
		cmocka_unit_test(test_fetch_sum__counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
