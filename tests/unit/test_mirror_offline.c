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

#define AFTER_TTL_MS 61000

static void test_offline__cached_records_stay_readable(void **state)
{
	static const int errnums[] = {EHOSTUNREACH, ETIMEDOUT, EDQUOT, EIO, EACCES, EPROTO};
	char text[256];
	(void)state;

	for (size_t i = 0; i < sizeof errnums / sizeof *errnums; i++) {
		struct rig rig;
		rig_up(&rig, 100, 100);
		rig_list(&rig);
		fake_org_move_time(rig.org, AFTER_TTL_MS);
		for (int c = 0; c < FAKE_CALLS; c++) {
			fake_org_fail(rig.org, c, errnums[i], "X", -1);
		}
		assert_int_equal(rig_list(&rig), 100);
		assert_int_equal(rig_cat(&rig, 50, text, sizeof text), 0);
		rig_down(&rig);
	}
}

static void test_offline__an_old_lone_record_stays_readable(void **state)
{
	struct rig rig;
	char text[256];
	(void)state;

	rig_up(&rig, 100, 100);
	assert_int_equal(rig_cat(&rig, 1, text, sizeof text), 0);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_fail(rig.org, FAKE_RETRIEVE, EHOSTUNREACH, NULL, -1);
	assert_int_equal(rig_cat(&rig, 1, text, sizeof text), 0);
	assert_int_equal(rig_cat(&rig, 2, text, sizeof text), -EHOSTUNREACH);
	rig_down(&rig);
}

static void test_offline__questions_fail_at_once_while_the_network_is_away(void **state)
{
	struct rig rig;
	char text[256];
	struct mirror_status status;
	(void)state;

	rig_up(&rig, 100, 100);
	assert_int_equal(rig_cat(&rig, 1, text, sizeof text), 0);
	fake_org_fail(rig.org, FAKE_RETRIEVE, EHOSTUNREACH, NULL, -1);
	for (unsigned i = 2; i < 12; i++) {
		assert_int_equal(rig_cat(&rig, i, text, sizeof text), -EHOSTUNREACH);
	}
	assert_int_equal(fake_org_count(rig.org, FAKE_RETRIEVE), 2);
	mirror_get_status(rig.mirror, &status);
	assert_true(status.offline);
	fake_org_fail(rig.org, FAKE_RETRIEVE, 0, NULL, 0);
	usleep(1200000); /* the breaker's first second */
	assert_int_equal(rig_cat(&rig, 12, text, sizeof text), 0);
	mirror_get_status(rig.mirror, &status);
	assert_false(status.offline);
	rig_down(&rig);
}

static void test_offline__a_stuck_check_holds_nobody_up_for_long(void **state)
{
	struct rig rig;
	char text[256];
	(void)state;

	rig_up(&rig, 100, 100);
	rig_list(&rig);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_slow(rig.org, FAKE_CHANGES, 60000);
	rig_cat(&rig, 50, text, sizeof text); /* may wait its share */
	int64_t began_ms = clock_mono_ms();
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(rig_cat(&rig, i, text, sizeof text), 0);
	}
	assert_true(clock_mono_ms() - began_ms < 1000);
	rig_down(&rig);
}

static void test_offline__a_stuck_org_is_waited_for_once(void **state)
{
	struct rig rig;
	struct mirror_object object;
	char text[256];
	(void)state;

	rig_up(&rig, 100, 100);
	rig_list(&rig);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_slow(rig.org, FAKE_OBJECTS, 60000);
	fake_org_slow(rig.org, FAKE_CHANGES, 60000);
	/* this one may wait its share */
	assert_int_equal(mirror_object_next(rig.mirror, 0, rig_until(&rig), &object, NULL), 1);
	int64_t began_ms = clock_mono_ms();
	for (unsigned i = 0; i < 10; i++) {
		assert_int_equal(
			mirror_object_next(rig.mirror, 0, rig_until(&rig), &object, NULL), 1);
		assert_int_equal(rig_cat(&rig, i, text, sizeof text), 0);
	}
	assert_true(clock_mono_ms() - began_ms < 1000);
	rig_down(&rig);
}

static void test_offline__errors_keep_salesforces_code(void **state)
{
	struct rig rig;
	struct mirror_record rec;
	struct error err = {0};
	struct id id;
	(void)state;

	rig_up(&rig, 100, 100);
	fake_org_id(3, &id);
	fake_org_fail(rig.org, FAKE_RETRIEVE, EDQUOT, "REQUEST_LIMIT_EXCEEDED", 1);
	assert_int_equal(
		mirror_record_find(rig.mirror, rig.account, &id, rig_until(&rig), &rec, &err),
		-EDQUOT);
	assert_string_equal(err.code, "REQUEST_LIMIT_EXCEEDED");
	rig_down(&rig);
}

static void test_offline__limits_are_kept_for_minutes(void **state)
{
	struct rig rig;
	struct limits limits;
	(void)state;

	rig_up(&rig, 1, 1);
	assert_int_equal(mirror_limits(rig.mirror, NULL, &limits, NULL, NULL), -EWOULDBLOCK);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
			mirror_limits(rig.mirror, rig_until(&rig), &limits, NULL, NULL), 0);
	}
	assert_int_equal(limits.data_left_mb, 1000);
	assert_int_equal(fake_org_count(rig.org, FAKE_LIMITS), 1);
	rig_remount(&rig);
	assert_int_equal(mirror_limits(rig.mirror, NULL, &limits, NULL, NULL), 0);
	fake_org_move_time(rig.org, 10 * 60 * 1000);
	AUTO(buf) struct buf raw;
	buf_init(&raw, 10000);
	assert_int_equal(mirror_limits(rig.mirror, NULL, &limits, NULL, NULL), 0);
	assert_int_equal(mirror_limits(rig.mirror, NULL, &limits, &raw, NULL), -EWOULDBLOCK);
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offline__cached_records_stay_readable),
		cmocka_unit_test(test_offline__an_old_lone_record_stays_readable),
		cmocka_unit_test(test_offline__questions_fail_at_once_while_the_network_is_away),
		cmocka_unit_test(test_offline__a_stuck_check_holds_nobody_up_for_long),
		cmocka_unit_test(test_offline__a_stuck_org_is_waited_for_once),
		cmocka_unit_test(test_offline__errors_keep_salesforces_code),
		cmocka_unit_test(test_offline__limits_are_kept_for_minutes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
