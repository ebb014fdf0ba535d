/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_org.h"
#include "forcefs/base/clock.h"

/* One who edits record i: reads it, writes another name, saves. */
struct editor {
	struct rig *rig;
	unsigned i;
	char name[64];
	char base[512];
	int result;
	struct error err;
	uint64_t key, author;
};

static struct json_slice text_of(const char *text)
{
	return (struct json_slice){text, strlen(text)};
}

static void editor_open(struct editor *e)
{
	struct mirror_record rec;
	struct id id;

	assert_int_equal(rig_cat(e->rig, e->i, e->base, sizeof e->base), 0);
	fake_org_id(e->i, &id);
	assert_int_equal(mirror_record_find(e->rig->mirror, e->rig->account, &id, rig_until(e->rig),
				 &rec, NULL),
		0);
	e->key = rec.key;
}

static int editor_save(struct editor *e)
{
	struct mirror_record rec;
	char text[128];
	struct until until = {.deadline_ms = clock_mono_ms() + 5000};
	int len = snprintf(text, sizeof text, "{\"Name\":\"%s\"}", e->name);

	e->err = (struct error){0};
	e->result = mirror_record_save(e->rig->mirror, e->key, 0, text_of(e->base),
		(struct json_slice){text, (size_t)len}, &until, &rec, &e->err);
	return e->result;
}

static void *editor_thread(void *arg)
{
	editor_save(arg);
	return NULL;
}

static bool shows(struct rig *rig, unsigned i, const char *name)
{
	char text[512], line[100];

	assert_int_equal(rig_cat(rig, i, text, sizeof text), 0);
	snprintf(line, sizeof line, "\"Name\": \"%s\"", name);
	return strstr(text, line) != NULL;
}

static void test_save__sends_once_and_shows_the_truth(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	struct editor e = {.rig = &rig, .i = 3, .name = "Edited"};
	editor_open(&e);
	assert_int_equal(editor_save(&e), 0);
	assert_int_equal(fake_org_count(rig.org, FAKE_UPDATE), 1);
	assert_true(shows(&rig, 3, "Edited"));
	assert_int_equal(fake_org_count(rig.org, FAKE_RETRIEVE), 1); /* the first cat */
	rig_down(&rig);
}

static void test_save__nothing_changed_sends_nothing(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	struct editor e = {.rig = &rig, .i = 3, .name = "Name 3"};
	editor_open(&e);
	assert_int_equal(editor_save(&e), 0);
	assert_int_equal(fake_org_count(rig.org, FAKE_UPDATE), 0);
	rig_down(&rig);
}

static void test_save__those_that_come_together_travel_together(void **state)
{
	enum { EDITORS = 60 };
	static struct editor editors[EDITORS];
	pthread_t threads[EDITORS];
	struct rig rig;
	(void)state;

	rig_up(&rig, 100, 100);
	rig_list(&rig);
	fake_org_slow(rig.org, FAKE_UPDATE, 10);
	for (unsigned i = 0; i < EDITORS; i++) {
		editors[i] = (struct editor){.rig = &rig, .i = i};
		snprintf(editors[i].name, sizeof editors[i].name,
			i % 10 == 7 ? "invalid" : "Edited %u", i);
		editor_open(&editors[i]);
	}
	for (unsigned i = 0; i < EDITORS; i++) {
		pthread_create(&threads[i], NULL, editor_thread, &editors[i]);
	}
	for (unsigned i = 0; i < EDITORS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(editors[i].result, i % 10 == 7 ? -EINVAL : 0);
		if (i % 10 == 7) {
			assert_string_equal(
				editors[i].err.code, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
		} else {
			assert_true(shows(&rig, i, editors[i].name));
		}
	}
	assert_int_equal(fake_org_saved(rig.org), EDITORS);
	assert_true(fake_org_count(rig.org, FAKE_UPDATE) <= 10);
	rig_down(&rig);
}

static void test_save__the_same_field_changed_by_another_is_estale(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	struct editor e = {.rig = &rig, .i = 3, .name = "Mine"};
	editor_open(&e);
	fake_org_change(rig.org, 3, "Theirs");
	assert_int_equal(editor_save(&e), -ESTALE);
	assert_non_null(strstr(e.err.text, "Mine"));
	assert_non_null(strstr(e.err.text, "Theirs"));
	assert_true(shows(&rig, 3, "Theirs"));
	rig_down(&rig);
}

static void test_save__the_same_change_by_another_is_fine(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	struct editor e = {.rig = &rig, .i = 3, .name = "Same"};
	editor_open(&e);
	fake_org_change(rig.org, 3, "Same");
	assert_int_equal(editor_save(&e), 0);
	assert_int_equal(fake_org_count(rig.org, FAKE_UPDATE), 1);
	rig_down(&rig);
}

static void test_save__a_locked_row_is_tried_again(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	struct editor e = {.rig = &rig, .i = 3, .name = "Edited"};
	editor_open(&e);
	fake_org_fail(rig.org, FAKE_UPDATE, EAGAIN, "UNABLE_TO_LOCK_ROW", 2);
	assert_int_equal(editor_save(&e), 0);
	assert_int_equal(fake_org_count(rig.org, FAKE_UPDATE), 3);
	rig_down(&rig);
}

static void test_save__a_lost_answer_says_so(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	struct editor e = {.rig = &rig, .i = 3, .name = "Edited"};
	editor_open(&e);
	fake_org_fail(rig.org, FAKE_UPDATE, EHOSTUNREACH, "MAYBE_SENT", 1);
	assert_int_equal(editor_save(&e), -EHOSTUNREACH);
	assert_string_equal(e.err.code, "MAYBE_SENT");
	assert_int_equal(fake_org_count(rig.org, FAKE_UPDATE), 1);
	rig_down(&rig);
}

static void *fire_soon(void *arg)
{
	usleep(50000);
	cancel_fire(arg);
	return NULL;
}

static void test_save__one_who_leaves_is_told_that_it_may_have_happened(void **state)
{
	struct rig rig;
	struct cancel cancel;
	struct mirror_record rec;
	struct error err = {0};
	pthread_t thread;
	static const char text[] = "{\"Name\":\"Late\"}";
	(void)state;

	rig_up(&rig, 10, 100);
	struct editor e = {.rig = &rig, .i = 3};
	editor_open(&e);
	cancel_init(&cancel);
	fake_org_slow(rig.org, FAKE_UPDATE, 2500);
	struct until until = {.deadline_ms = clock_mono_ms() + 5000, .cancel = &cancel};
	pthread_create(&thread, NULL, fire_soon, &cancel);
	assert_int_equal(mirror_record_save(rig.mirror, e.key, 0, text_of(e.base), text_of(text),
				 &until, &rec, &err),
		-EINTR);
	assert_string_equal(err.code, "MAYBE_SENT");
	pthread_join(thread, NULL);
	usleep(700000);
	assert_true(shows(&rig, 3, "Late"));
	cancel_release(&cancel);
	rig_down(&rig);
}

static void test_save__create_and_delete(void **state)
{
	static const char text[] = "{\"Name\":\"Made\"}";
	struct mirror_record rec;
	struct error err = {0};
	struct rig rig;
	char out[256];
	(void)state;

	rig_up(&rig, 10, 100);
	rig_list(&rig);
	assert_int_equal(mirror_record_create(rig.mirror, rig.account, text, sizeof text - 1,
				 rig_until(&rig), &rec, &err),
		0);
	assert_int_equal(rig_list(&rig), 11);
	assert_true(shows(&rig, 10, "Made"));
	assert_int_equal(mirror_record_delete(rig.mirror, rec.key, rig_until(&rig), &err), 0);
	assert_int_equal(rig_list(&rig), 10);
	assert_int_equal(rig_cat(&rig, 10, out, sizeof out), -ENOENT);
	assert_int_equal(mirror_record_delete(rig.mirror, rec.key, rig_until(&rig), &err), 0);
	assert_int_equal(fake_org_count(rig.org, FAKE_REMOVE), 1);
	rig_down(&rig);
}

/* The text of the file as the editor read it, with another name in it. */
static int save_whole_text(struct editor *e, const char *now)
{
	struct mirror_record rec;
	char old[100], text[600];
	struct until until = {.deadline_ms = clock_mono_ms() + 5000};

	snprintf(old, sizeof old, "\"Name %u\"", e->i);
	char *at = strstr(e->base, old);
	assert_non_null(at);
	int len = snprintf(text, sizeof text, "%.*s\"%s\"%s", (int)(at - e->base), e->base, e->name,
		at + strlen(old));
	e->err = (struct error){0};
	return mirror_record_save(e->rig->mirror, e->key, e->author, text_of(now),
		(struct json_slice){text, (size_t)len}, &until, &rec, &e->err);
}

/* Read by the editor, changed by another, seen by a check, and only then opened for writing. */
static void test_save__the_text_says_which_version_it_was_made_from(void **state)
{
	struct rig rig;
	char now[512];
	(void)state;

	rig_up(&rig, 10, 100);
	rig_list(&rig);
	struct editor e = {.rig = &rig, .i = 3, .name = "Mine"};
	editor_open(&e);
	fake_org_move_time(rig.org, 61000);
	fake_org_change(rig.org, 3, "Theirs");
	rig_list(&rig);
	assert_int_equal(rig_cat(&rig, 3, now, sizeof now), 0);
	assert_non_null(strstr(now, "Theirs"));
	assert_int_equal(save_whole_text(&e, now), -ESTALE);
	assert_non_null(strstr(e.err.text, "Mine"));
	assert_non_null(strstr(e.err.text, "Theirs"));
	assert_int_equal(fake_org_count(rig.org, FAKE_UPDATE), 0);
	snprintf(e.name, sizeof e.name, "Name 3"); /* nothing changed by this one */
	assert_int_equal(save_whole_text(&e, now), 0);
	assert_int_equal(fake_org_count(rig.org, FAKE_UPDATE), 0);
	assert_true(shows(&rig, 3, "Theirs"));
	rig_down(&rig);
}

/* An editor that reads once and saves often: its text keeps the stamps of the first reading. */
static void test_save__an_author_saves_again_from_the_text_saved_before(void **state)
{
	static const char *const names[] = {"First", "Second", "Name 3"};
	struct rig rig;
	char now[512];
	(void)state;

	rig_up(&rig, 10, 100);
	rig_list(&rig);
	struct editor e = {.rig = &rig, .i = 3, .author = 7};
	editor_open(&e);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(rig_cat(&rig, 3, now, sizeof now), 0);
		snprintf(e.name, sizeof e.name, "%s", names[i]);
		assert_int_equal(save_whole_text(&e, now), 0);
		assert_true(shows(&rig, 3, names[i]));
		assert_int_equal(fake_org_count(rig.org, FAKE_UPDATE), i + 1);
	}
	assert_int_equal(rig_cat(&rig, 3, now, sizeof now), 0);
	assert_int_equal(save_whole_text(&e, now), 0); /* the same text again */
	assert_int_equal(fake_org_count(rig.org, FAKE_UPDATE), 3);
	fake_org_move_time(rig.org, 2000); /* the condition has a grain of one second */
	fake_org_change(rig.org, 3, "Theirs");
	snprintf(e.name, sizeof e.name, "Mine");
	assert_int_equal(save_whole_text(&e, now), -ESTALE);
	assert_non_null(strstr(e.err.text, "Theirs"));
	rig_down(&rig);
}

/* Another program with the same old text is not that author. */
static void test_save__who_saved_is_not_taken_for_another(void **state)
{
	struct rig rig;
	char now[512];
	(void)state;

	rig_up(&rig, 10, 100);
	rig_list(&rig);
	struct editor e = {.rig = &rig, .i = 3, .author = 7, .name = "First"};
	editor_open(&e);
	assert_int_equal(save_whole_text(&e, e.base), 0);
	assert_int_equal(rig_cat(&rig, 3, now, sizeof now), 0);
	e.author = 8;
	snprintf(e.name, sizeof e.name, "Second");
	assert_int_equal(save_whole_text(&e, now), -ESTALE);
	assert_true(shows(&rig, 3, "First"));
	rig_down(&rig);
}

static void *list_slowly(void *arg)
{
	return (void *)(intptr_t)rig_list(arg);
}

static void test_save__an_answer_from_before_does_not_undo_it(void **state)
{
	struct rig rig, mine;
	pthread_t thread;
	(void)state;

	rig_up(&rig, 10, 100);
	struct editor e = {.rig = &rig, .i = 3, .name = "Edited"};
	editor_open(&e);
	mine = rig;
	fake_org_slow(rig.org, FAKE_LIST, 300);
	fake_org_answer_old(rig.org); /* answers with what it saw when it was asked */
	pthread_create(&thread, NULL, list_slowly, &mine);
	usleep(100000);
	assert_int_equal(editor_save(&e), 0);
	pthread_join(thread, NULL);
	assert_true(shows(&rig, 3, "Edited"));
	rig_down(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_save__sends_once_and_shows_the_truth),
		cmocka_unit_test(test_save__nothing_changed_sends_nothing),
		cmocka_unit_test(test_save__those_that_come_together_travel_together),
		cmocka_unit_test(test_save__the_same_field_changed_by_another_is_estale),
		cmocka_unit_test(test_save__the_same_change_by_another_is_fine),
		cmocka_unit_test(test_save__a_locked_row_is_tried_again),
		cmocka_unit_test(test_save__a_lost_answer_says_so),
		cmocka_unit_test(test_save__one_who_leaves_is_told_that_it_may_have_happened),
		cmocka_unit_test(test_save__create_and_delete),
		cmocka_unit_test(test_save__the_text_says_which_version_it_was_made_from),
		cmocka_unit_test(test_save__an_author_saves_again_from_the_text_saved_before),
		cmocka_unit_test(test_save__who_saved_is_not_taken_for_another),
		cmocka_unit_test(test_save__an_answer_from_before_does_not_undo_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
