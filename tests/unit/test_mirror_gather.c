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

struct reader {
	struct rig *rig;
	unsigned i;
	int result;
};

static void *read_one(void *arg)
{
	struct reader *r = arg;
	struct rig mine = *r->rig;
	char text[256];

	r->result = rig_cat(&mine, r->i, text, sizeof text);
	return NULL;
}

static void read_together(struct rig *rig, struct reader *readers, unsigned count)
{
	pthread_t threads[200];

	for (unsigned i = 0; i < count; i++) {
		readers[i].rig = rig;
		assert_int_equal(pthread_create(&threads[i], NULL, read_one, &readers[i]), 0);
	}
	for (unsigned i = 0; i < count; i++) {
		pthread_join(threads[i], NULL);
	}
}

static void test_gather__scattered_reads_travel_together(void **state)
{
	enum { READERS = 200 };
	struct reader readers[READERS] = {{0}};
	struct rig rig;
	(void)state;

	rig_up(&rig, 1000, 100);
	fake_org_slow(rig.org, FAKE_RETRIEVE, 5);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i].i = i * 3;
	}
	read_together(&rig, readers, READERS);
	for (unsigned i = 0; i < READERS; i++) {
		assert_int_equal(readers[i].result, 0);
	}
	assert_true(fake_org_count(rig.org, FAKE_RETRIEVE) < 20);
	rig_down(&rig);
}

static void test_gather__one_record_wanted_by_many_is_asked_for_once(void **state)
{
	enum { READERS = 50 };
	struct reader readers[READERS] = {{0}};
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	fake_org_slow(rig.org, FAKE_RETRIEVE, 50);
	for (unsigned i = 0; i < READERS; i++) {
		readers[i].i = 4;
	}
	read_together(&rig, readers, READERS);
	assert_true(fake_org_retrieved(rig.org) <= 2);
	rig_down(&rig);
}

static void test_gather__a_missing_record_does_not_fail_its_neighbours(void **state)
{
	struct reader readers[3] = {{.i = 1}, {.i = 500}, {.i = 2}};
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	read_together(&rig, readers, 3);
	assert_int_equal(readers[0].result, 0);
	assert_int_equal(readers[1].result, -ENOENT);
	assert_int_equal(readers[2].result, 0);
	rig_down(&rig);
}

static void test_gather__what_is_missing_is_asked_for_once(void **state)
{
	struct rig rig;
	char text[256];
	(void)state;

	rig_up(&rig, 10, 100);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(rig_cat(&rig, 500, text, sizeof text), -ENOENT);
	}
	assert_int_equal(fake_org_count(rig.org, FAKE_RETRIEVE), 1);
	rig_down(&rig);
}

static void test_gather__a_record_made_meanwhile_is_found_after_a_check(void **state)
{
	struct rig rig;
	char text[256];
	(void)state;

	rig_up(&rig, 10, 100);
	rig_list(&rig);
	assert_int_equal(rig_cat(&rig, 10, text, sizeof text), -ENOENT);
	assert_int_equal(fake_org_count(rig.org, FAKE_RETRIEVE), 0);
	assert_int_equal(fake_org_create(rig.org, "Made"), 10);
	fake_org_move_time(rig.org, 61000);
	assert_int_equal(rig_cat(&rig, 10, text, sizeof text), 0);
	rig_down(&rig);
}

static void *fire_soon(void *arg)
{
	usleep(50000);
	cancel_fire(arg);
	return NULL;
}

static void test_gather__one_who_leaves_leaves_at_once(void **state)
{
	struct rig rig;
	struct cancel cancel;
	struct mirror_record rec;
	struct error err = {0};
	struct id id;
	pthread_t thread;
	char text[256];
	(void)state;

	rig_up(&rig, 10, 100);
	cancel_init(&cancel);
	fake_org_slow(rig.org, FAKE_RETRIEVE, 600);
	fake_org_id(3, &id);
	struct until until = {.deadline_ms = clock_mono_ms() + 5000, .cancel = &cancel};
	int64_t began_ms = clock_mono_ms();
	assert_int_equal(pthread_create(&thread, NULL, fire_soon, &cancel), 0);
	assert_int_equal(
		mirror_record_find(rig.mirror, rig.account, &id, &until, &rec, &err), -EINTR);
	assert_true(clock_mono_ms() - began_ms < 500);
	pthread_join(thread, NULL);
	assert_int_equal(rig_cat(&rig, 3, text, sizeof text), 0);
	cancel_release(&cancel);
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gather__scattered_reads_travel_together),
		cmocka_unit_test(test_gather__one_record_wanted_by_many_is_asked_for_once),
		cmocka_unit_test(test_gather__a_missing_record_does_not_fail_its_neighbours),
		cmocka_unit_test(test_gather__what_is_missing_is_asked_for_once),
		cmocka_unit_test(test_gather__a_record_made_meanwhile_is_found_after_a_check),
		cmocka_unit_test(test_gather__one_who_leaves_leaves_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
