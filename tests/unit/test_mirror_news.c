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

#include "mirror_priv.h"

static void test_news__tell_exactly_what_changed(void **state)
{
	struct rig rig;
	struct news news;
	struct id id5, id7;
	(void)state;

	rig_up(&rig, 100, 100);
	rig_list(&rig);
	assert_int_equal(mirror_news_next(rig.mirror, &news), 1);
	assert_int_equal(news.kind, NEWS_CATALOG);
	fake_org_move_time(rig.org, 61000);
	fake_org_change(rig.org, 5, "Changed");
	fake_org_delete(rig.org, 7);
	fake_org_id(5, &id5);
	fake_org_id(7, &id7);
	rig_list(&rig);
	assert_int_equal(mirror_news_next(rig.mirror, &news), 1);
	assert_int_equal(news.kind, NEWS_CHANGED);
	assert_string_equal(news.id, id5.text);
	assert_int_equal(mirror_news_next(rig.mirror, &news), 1);
	assert_int_equal(news.kind, NEWS_DELETED);
	assert_string_equal(news.id, id7.text);
	assert_int_equal(mirror_news_next(rig.mirror, &news), 1);
	assert_int_equal(news.kind, NEWS_LISTING);
	mirror_news_stop(rig.mirror);
	assert_int_equal(mirror_news_next(rig.mirror, &news), 0);
	rig_down(&rig);
}

static void test_news__drain_waits_until_passed_on(void **state)
{
	struct rig rig;
	struct news news;
	(void)state;

	rig_up(&rig, 1, 1);
	assert_int_equal(mirror_news_next(rig.mirror, &news), 1);
	struct until until = {.deadline_ms = clock_mono_ms() + 50};
	int64_t began_ms = clock_mono_ms();
	mirror_news_drain(rig.mirror, &until); /* handed out, not yet passed on */
	assert_true(clock_mono_ms() - began_ms >= 50);
	mirror_news_stop(rig.mirror);
	mirror_news_drain(rig.mirror, rig_until(&rig));
	rig_down(&rig);
}

static void test_news__a_flood_becomes_everything(void **state)
{
	struct rig rig;
	struct news news;
	unsigned count = 0, everything = 0;
	(void)state;

	rig_up(&rig, 1, 1);
	for (unsigned i = 0; i < 200000; i++) {
		news_push(rig.mirror, NEWS_CHANGED, rig.account, i, NULL);
	}
	news_push(rig.mirror, NEWS_LISTING, 2, 0, NULL);
	do {
		assert_int_equal(mirror_news_next(rig.mirror, &news), 1);
		count++;
		everything += news.kind == NEWS_OBJECT_CHANGED && news.object == rig.account;
	} while (news.object != 2);
	assert_int_equal(everything, 1);
	assert_true(count < 70000);
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_news__tell_exactly_what_changed),
		cmocka_unit_test(test_news__drain_waits_until_passed_on),
		cmocka_unit_test(test_news__a_flood_becomes_everything),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
