/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "fake_org.h"
#include "forcefs/base/clock.h"

static void test_listing__costs_a_page_per_call_and_nothing_again(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 250, 100);
	assert_int_equal(rig_list(&rig), 250);
	assert_int_equal(fake_org_count(rig.org, FAKE_LIST), 3);
	assert_int_equal(fake_org_count(rig.org, FAKE_DESCRIBE), 1);
	assert_int_equal(rig_list(&rig), 250);
	assert_int_equal(fake_org_count_all(rig.org), 5); /* with the catalogue */
	rig_down(&rig);
}

static void test_listing__stops_when_the_reader_stops(void **state)
{
	struct rig rig;
	struct mirror_record rows[10];
	struct error err = {0};
	(void)state;

	rig_up(&rig, 1000, 100);
	assert_int_equal(
		mirror_record_next(rig.mirror, rig.account, 0, rig_until(&rig), rows, 10, &err),
		10);
	assert_int_equal(mirror_record_next(rig.mirror, rig.account, store_key_row(rows[9].key),
				 rig_until(&rig), rows, 10, &err),
		10);
	usleep(100000);
	assert_true(fake_org_count(rig.org, FAKE_LIST) <= 2);
	rig_down(&rig);
}

static void test_listing__status_says_where_it_is(void **state)
{
	struct rig rig;
	struct mirror_record rows[10];
	struct mirror_object_status status;
	struct error err = {0};
	uint32_t index = 0;
	(void)state;

	rig_up(&rig, 1000, 100);
	assert_int_equal(mirror_object_status(rig.mirror, 0, &index, &status), 0);
	assert_int_equal(
		mirror_record_next(rig.mirror, rig.account, 0, rig_until(&rig), rows, 10, &err),
		10);
	assert_int_equal(mirror_object_status(rig.mirror, 0, &index, &status), 1);
	assert_int_equal(index, rig.account);
	assert_true(status.listing && status.moving && !status.complete);
	assert_int_equal(status.listed, 100);
	assert_int_equal(status.claimed, 1000);
	assert_int_equal(rig_list(&rig), 1000);
	assert_int_equal(mirror_object_status(rig.mirror, 0, &index, &status), 1);
	assert_true(status.complete && !status.listing && !status.moving);
	rig_down(&rig);
}

static void test_listing__an_error_in_the_middle_is_an_error(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 300, 100);
	assert_int_equal(rig_list(&rig), 300); /* the schema is known now */
	rig_down(&rig);

	rig_up(&rig, 300, 100);
	struct mirror_record rows[100];
	struct error err = {0};
	assert_int_equal(
		mirror_record_next(rig.mirror, rig.account, 0, rig_until(&rig), rows, 100, &err),
		100);
	fake_org_fail(rig.org, FAKE_LIST, EIO, "UNKNOWN_EXCEPTION", -1);
	assert_int_equal(rig_list(&rig), -EIO);
	fake_org_fail(rig.org, FAKE_LIST, 0, NULL, 0);
	assert_int_equal(rig_list(&rig), 300);
	rig_down(&rig);
}

static void test_listing__goes_on_where_it_stopped_after_a_remount(void **state)
{
	struct rig rig;
	struct mirror_record rows[10];
	struct error err = {0};
	(void)state;

	rig_up(&rig, 300, 100);
	assert_int_equal(
		mirror_record_next(rig.mirror, rig.account, 0, rig_until(&rig), rows, 10, &err),
		10);
	rig_remount(&rig);
	assert_int_equal(rig_list(&rig), 300);
	assert_int_equal(fake_org_count(rig.org, FAKE_LIST), 3);
	rig_down(&rig);
}

static void test_listing__begins_anew_when_the_locator_is_gone(void **state)
{
	struct rig rig;
	struct mirror_record rows[10];
	struct error err = {0};
	(void)state;

	rig_up(&rig, 300, 100);
	assert_int_equal(
		mirror_record_next(rig.mirror, rig.account, 0, rig_until(&rig), rows, 10, &err),
		10);
	uint64_t first = rows[0].key;
	fake_org_fail(rig.org, FAKE_LIST, ESTALE, "INVALID_QUERY_LOCATOR", 1);
	assert_int_equal(rig_list(&rig), 300);
	assert_int_equal(
		mirror_record_next(rig.mirror, rig.account, 0, rig_until(&rig), rows, 10, &err),
		10);
	assert_int_equal(rows[0].key, first);
	rig_down(&rig);
}

static void test_listing__a_refusal_is_remembered(void **state)
{
	struct rig rig;
	char text[256];
	(void)state;

	rig_up(&rig, 10, 100);
	fake_org_fail(rig.org, FAKE_LIST, EPERM, "MALFORMED_QUERY", -1);
	assert_int_equal(rig_list(&rig), -EPERM);
	assert_int_equal(rig_list(&rig), -EPERM);
	assert_int_equal(fake_org_count(rig.org, FAKE_LIST), 1);
	assert_int_equal(rig_cat(&rig, 3, text, sizeof text), 0);
	rig_remount(&rig);
	assert_int_equal(rig_list(&rig), -EPERM);
	assert_int_equal(fake_org_count(rig.org, FAKE_LIST), 1);
	rig_down(&rig);
}

/* LoginEvent, EntityDefinition: all would be one file, under a name that is none of the object's. */
static void test_listing__records_without_ids_of_their_own_are_refused(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	fake_org_no_ids(rig.org);
	assert_int_equal(rig_list(&rig), -EPERM);
	assert_int_equal(rig_list(&rig), -EPERM);
	assert_int_equal(fake_org_count(rig.org, FAKE_LIST), 1);
	rig_down(&rig);
}

static void *list_in_thread(void *arg)
{
	return (void *)(intptr_t)rig_list(arg);
}

static void test_listing__many_readers_cost_one_listing(void **state)
{
	enum { READERS = 20 };
	struct rig rig, mine[READERS];
	pthread_t threads[READERS];
	(void)state;

	rig_up(&rig, 500, 100);
	fake_org_slow(rig.org, FAKE_LIST, 20);
	for (int i = 0; i < READERS; i++) {
		mine[i] = rig;
		assert_int_equal(pthread_create(&threads[i], NULL, list_in_thread, &mine[i]), 0);
	}
	for (int i = 0; i < READERS; i++) {
		void *total;
		pthread_join(threads[i], &total);
		assert_int_equal((intptr_t)total, 500);
	}
	assert_int_equal(fake_org_count(rig.org, FAKE_LIST), 5);
	rig_down(&rig);
}

static void test_listing__never_waits_without_patience(void **state)
{
	struct rig rig;
	struct mirror_record rows[10];
	(void)state;

	rig_up(&rig, 10, 100);
	assert_int_equal(
		mirror_record_next(rig.mirror, rig.account, 0, NULL, rows, 10, NULL), -EWOULDBLOCK);
	assert_int_equal(fake_org_count(rig.org, FAKE_LIST), 0);
	rig_down(&rig);
}

static void test_listing__shows_the_file_of_each_record(void **state)
{
	struct rig rig;
	char text[256];
	(void)state;

	rig_up(&rig, 3, 100);
	assert_int_equal(rig_list(&rig), 3);
	assert_int_equal(rig_cat(&rig, 1, text, sizeof text), 0);
	assert_non_null(strstr(text, "\"Name\": \"Name 1\""));
	assert_int_equal(fake_org_count(rig.org, FAKE_RETRIEVE), 0);
	rig_down(&rig);
}

static void test_listing__empty_object_is_empty(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 0, 100);
	assert_int_equal(rig_list(&rig), 0);
	assert_int_equal(rig_list(&rig), 0);
	assert_int_equal(fake_org_count(rig.org, FAKE_LIST), 1);
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listing__costs_a_page_per_call_and_nothing_again),
		cmocka_unit_test(test_listing__stops_when_the_reader_stops),
		cmocka_unit_test(test_listing__status_says_where_it_is),
		cmocka_unit_test(test_listing__an_error_in_the_middle_is_an_error),
		cmocka_unit_test(test_listing__goes_on_where_it_stopped_after_a_remount),
		cmocka_unit_test(test_listing__begins_anew_when_the_locator_is_gone),
		cmocka_unit_test(test_listing__a_refusal_is_remembered),
		cmocka_unit_test(test_listing__records_without_ids_of_their_own_are_refused),
		cmocka_unit_test(test_listing__many_readers_cost_one_listing),
		cmocka_unit_test(test_listing__never_waits_without_patience),
		cmocka_unit_test(test_listing__shows_the_file_of_each_record),
		cmocka_unit_test(test_listing__empty_object_is_empty),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
