/* SPDX-License-Identifier: MIT */
/* What happens while a question is under way, and what is left when it breaks off. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>

#include "fake_org.h"
#include "forcefs/base/clock.h"

#define AFTER_TTL_MS 61000
#define DAY_MS       INT64_C(86400000)

/* 1 if record i shows the name, 0 if another, or a negative errno. */
static int name_of(struct rig *rig, unsigned i, const char *expected)
{
	char text[512], line[80];
	int r = rig_cat(rig, i, text, sizeof text);

	snprintf(line, sizeof line, "\"Name\": \"%s\"", expected);
	return r < 0 ? r : strstr(text, line) != NULL;
}

static uint64_t key_of(struct rig *rig, unsigned i)
{
	struct until until = {.deadline_ms = clock_mono_ms() + 5000};
	struct mirror_record rec;
	struct id id;

	fake_org_id(i, &id);
	assert_int_equal(mirror_record_find(rig->mirror, rig->account, &id, &until, &rec, NULL), 0);
	return rec.key;
}

/* Somebody who does something of his own while the mirror waits for the org. */
struct actor {
	struct rig *rig;
	unsigned i;
	uint64_t key;
	int result;
	sem_t go;
	pthread_t thread;
};

/* ---- listing again ---- */

static void change_late(void *arg)
{
	struct actor *a = arg;

	fake_org_change(a->rig->org, a->i, "Late");
	fake_org_put_clock_on(a->rig->org, 10 * 60000);
}

static void then_change_late(void *arg)
{
	struct actor *a = arg;

	fake_org_meanwhile(a->rig->org, FAKE_LIST, change_late, a);
}

static void test_races__a_change_during_a_long_listing_is_found(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 30, 10);
	rig_list(&rig);
	struct actor a = {.rig = &rig, .i = 3};
	fake_org_move_time(rig.org, 15 * DAY_MS); /* longer than the delete log goes back */
	fake_org_meanwhile(rig.org, FAKE_LIST, then_change_late, &a);
	assert_int_equal(rig_list(&rig), 30);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	assert_int_equal(name_of(&rig, 3, "Late"), 1);
	rig_down(&rig);
}

/* ---- checks ---- */

static void test_races__a_record_that_came_back_is_there(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 100, 100);
	rig_list(&rig);
	uint64_t key = key_of(&rig, 5);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_restore(rig.org, 5);
	assert_int_equal(rig_list(&rig), 100);
	assert_int_equal(name_of(&rig, 5, "Name 5"), 1);
	assert_int_equal(key_of(&rig, 5), key);
	rig_down(&rig);
}

static void test_races__what_was_missing_before_is_asked_for_once(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	mirror_set_ttl(rig.mirror, 0);
	assert_int_equal(name_of(&rig, 77, ""), -ENOENT);
	mirror_set_ttl(rig.mirror, 60);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(name_of(&rig, 77, ""), -ENOENT);
	}
	assert_int_equal(fake_org_count(rig.org, FAKE_RETRIEVE), 2);
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_races__a_change_during_a_long_listing_is_found),
		cmocka_unit_test(test_races__a_record_that_came_back_is_there),
		cmocka_unit_test(test_races__what_was_missing_before_is_asked_for_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
