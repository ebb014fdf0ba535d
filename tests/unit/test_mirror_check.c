/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "fake_org.h"
#include "forcefs/base/clock.h"

#define AFTER_TTL_MS 61000

static int name_of(struct rig *rig, unsigned i, const char *expected)
{
	char text[256], line[80];
	int r = rig_cat(rig, i, text, sizeof text);

	snprintf(line, sizeof line, "\"Name\": \"%s\"", expected);
	return r < 0 ? r : strstr(text, line) != NULL;
}

static void test_check__within_ttl_nothing_is_asked(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 100, 100);
	rig_list(&rig);
	fake_org_change(rig.org, 5, "Changed");
	unsigned before = fake_org_count_all(rig.org);
	assert_int_equal(name_of(&rig, 5, "Name 5"), 1);
	assert_int_equal(fake_org_count_all(rig.org), before);
	rig_down(&rig);
}

static void test_check__one_call_finds_changed_created_and_deleted(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 100, 100);
	rig_list(&rig);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_change(rig.org, 5, "Changed");
	fake_org_delete(rig.org, 7);
	unsigned made = fake_org_create(rig.org, "Made");
	unsigned before = fake_org_count_all(rig.org);
	assert_int_equal(rig_list(&rig), 100);
	assert_int_equal(name_of(&rig, 5, "Changed"), 1);
	assert_int_equal(name_of(&rig, 7, ""), -ENOENT);
	assert_int_equal(name_of(&rig, made, "Made"), 1);
	assert_int_equal(fake_org_count_all(rig.org), before + 1);
	rig_down(&rig);
}

static void test_check__after_a_remount_one_call(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 100, 100);
	rig_list(&rig);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_change(rig.org, 5, "Changed");
	rig_remount(&rig);
	unsigned before = fake_org_count_all(rig.org);
	assert_int_equal(rig_list(&rig), 100);
	assert_int_equal(name_of(&rig, 5, "Changed"), 1);
	assert_int_equal(fake_org_count_all(rig.org), before + 1);
	rig_down(&rig);
}

static void test_check__objects_without_stamps_are_listed_again(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 250, 100);
	fake_org_no_stamps(rig.org);
	assert_int_equal(rig_list(&rig), 250);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_change(rig.org, 5, "Changed");
	fake_org_delete(rig.org, 7);
	assert_int_equal(rig_list(&rig), 249);
	assert_int_equal(name_of(&rig, 5, "Changed"), 1);
	assert_int_equal(name_of(&rig, 7, ""), -ENOENT);
	assert_int_equal(fake_org_count(rig.org, FAKE_LIST), 6);
	assert_int_equal(fake_org_count(rig.org, FAKE_CHANGES), 0);
	rig_down(&rig);
}

static void test_check__a_new_field_is_seen_in_every_file(void **state)
{
	struct rig rig;
	char text[256];
	(void)state;

	rig_up(&rig, 250, 100);
	rig_list(&rig);
	fake_org_add_field(rig.org);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	assert_int_equal(rig_list(&rig), 250);
	assert_int_equal(rig_cat(&rig, 200, text, sizeof text), 0);
	assert_non_null(strstr(text, "\"New__c\": null"));
	assert_int_equal(fake_org_count(rig.org, FAKE_LIST), 6);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	unsigned before = fake_org_count_all(rig.org);
	assert_int_equal(rig_list(&rig), 250);
	assert_int_equal(fake_org_count_all(rig.org), before + 1);
	rig_down(&rig);
}

static void test_check__a_lone_record_is_asked_for_again(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 100, 100);
	assert_int_equal(name_of(&rig, 5, "Name 5"), 1);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_change(rig.org, 5, "Changed");
	assert_int_equal(name_of(&rig, 5, "Changed"), 1);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_delete(rig.org, 5);
	assert_int_equal(name_of(&rig, 5, ""), -ENOENT);
	assert_int_equal(fake_org_count(rig.org, FAKE_RETRIEVE), 3);
	rig_down(&rig);
}

static void test_check__an_old_schema_is_doubted_on_invalid_field(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	assert_int_equal(name_of(&rig, 5, "Name 5"), 1);
	fake_org_fail(rig.org, FAKE_LIST, EINVAL, "INVALID_FIELD", 1);
	assert_int_equal(rig_list(&rig), 10);
	assert_int_equal(fake_org_count(rig.org, FAKE_DESCRIBE), 2);
	rig_down(&rig);
}

static void test_check__catalogue_is_asked_for_again_after_ttl(void **state)
{
	struct rig rig;
	struct mirror_object object;
	(void)state;

	rig_up(&rig, 10, 100);
	assert_int_equal(mirror_object_next(rig.mirror, 0, rig_until(&rig), &object, NULL), 1);
	assert_int_equal(fake_org_count(rig.org, FAKE_OBJECTS), 1);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	assert_int_equal(mirror_object_next(rig.mirror, 0, rig_until(&rig), &object, NULL), 1);
	assert_int_equal(fake_org_count(rig.org, FAKE_OBJECTS), 2);
	rig_down(&rig);
}

static void test_check__impossible_object_names_cost_nothing(void **state)
{
	static const char *const names[] = {".git", "a b", "x-y", "", "1abc", "\xc3\xa4", "a.json"};
	struct rig rig;
	struct mirror_object object;
	(void)state;

	rig_up(&rig, 10, 100);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	unsigned before = fake_org_count_all(rig.org);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		assert_int_equal(
			mirror_object_find(rig.mirror, names[i], rig_until(&rig), &object, NULL),
			-ENOENT);
	}
	assert_int_equal(fake_org_count_all(rig.org), before);
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check__within_ttl_nothing_is_asked),
		cmocka_unit_test(test_check__one_call_finds_changed_created_and_deleted),
		cmocka_unit_test(test_check__after_a_remount_one_call),
		cmocka_unit_test(test_check__objects_without_stamps_are_listed_again),
		cmocka_unit_test(test_check__a_new_field_is_seen_in_every_file),
		cmocka_unit_test(test_check__a_lone_record_is_asked_for_again),
		cmocka_unit_test(test_check__an_old_schema_is_doubted_on_invalid_field),
		cmocka_unit_test(test_check__catalogue_is_asked_for_again_after_ttl),
		cmocka_unit_test(test_check__impossible_object_names_cost_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
