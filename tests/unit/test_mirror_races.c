/* SPDX-License-Identifier: MIT */
/* What happens while a question is under way, and what is left when it breaks off. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_org.h"
#include "forcefs/base/clock.h"

#include "mirror_priv.h"

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

/* Ten records that are known one by one, or as a complete listing. */
static void rig_up_as(struct rig *rig, bool listed)
{
	rig_up(rig, 10, 100);
	if (listed) {
		rig_list(rig);
	}
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

static int actor_save(struct actor *a, const char *name)
{
	struct until until = {.deadline_ms = clock_mono_ms() + 5000};
	struct mirror_record rec;
	char text[128];
	int len = snprintf(text, sizeof text, "{\"Name\":\"%s\"}", name);

	a->result = mirror_record_save(a->rig->mirror, a->key, 0, (struct json_slice){"{}", 2},
		(struct json_slice){text, (size_t)len}, &until, &rec, NULL);
	return a->result;
}

static void *actor_edit(void *arg)
{
	actor_save(arg, "Edited");
	return NULL;
}

static void *actor_create(void *arg)
{
	static const char text[] = "{\"Name\":\"Made\"}";
	struct actor *a = arg;
	struct until until = {.deadline_ms = clock_mono_ms() + 5000};
	struct mirror_record rec;

	a->result = mirror_record_create(
		a->rig->mirror, a->rig->account, text, sizeof text - 1, &until, &rec, NULL);
	return NULL;
}

static void await_go(void *arg)
{
	sem_wait(&((struct actor *)arg)->go);
}

static void let_go(void *arg)
{
	struct actor *a = arg;

	sem_post(&a->go);
	pthread_join(a->thread, NULL);
	assert_int_equal(a->result, 0);
}

static void await_call(struct rig *rig, enum fake_call call, unsigned count)
{
	while (fake_org_count(rig->org, call) < count) {
		usleep(1000);
	}
}

/* ---- writes while something is asked ---- */

static void remove_it(void *arg)
{
	struct actor *a = arg;
	struct until until = {.deadline_ms = clock_mono_ms() + 5000};

	assert_int_equal(mirror_record_delete(a->rig->mirror, a->key, &until, NULL), 0);
}

static void test_races__an_answer_from_before_does_not_bring_back_what_was_deleted(void **state)
{
	static const enum fake_call questions[] = {FAKE_CHANGES, FAKE_LIST, FAKE_RETRIEVE};
	(void)state;

	for (size_t k = 0; k < sizeof questions / sizeof *questions; k++) {
		struct rig rig;
		rig_up(&rig, 100, 100);
		if (questions[k] == FAKE_CHANGES) {
			rig_list(&rig);
		}
		struct actor a = {.rig = &rig, .key = key_of(&rig, 5)};
		fake_org_move_time(rig.org, AFTER_TTL_MS);
		fake_org_change(rig.org, 5, "Changed");
		fake_org_answer_old(rig.org);
		fake_org_meanwhile(rig.org, questions[k], remove_it, &a);
		if (questions[k] == FAKE_RETRIEVE) {
			name_of(&rig, 5, "");
		} else {
			rig_list(&rig); /* may have seen it before it went */
			assert_int_equal(rig_list(&rig), 99);
		}
		assert_int_equal(name_of(&rig, 5, ""), -ENOENT);
		rig_down(&rig);
	}
}

/* The second page of the listing: the record stands on the first. */
static void then_let_go(void *arg)
{
	struct actor *a = arg;

	fake_org_meanwhile(a->rig->org, FAKE_LIST, let_go, a);
}

static void test_races__a_save_does_not_take_its_record_out_of_a_listing(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 20, 10);
	fake_org_no_stamps(rig.org);
	rig_list(&rig);
	struct actor a = {.rig = &rig, .key = key_of(&rig, 3)};
	sem_init(&a.go, 0, 0);
	fake_org_meanwhile(rig.org, FAKE_UPDATE, await_go, &a);
	pthread_create(&a.thread, NULL, actor_edit, &a);
	await_call(&rig, FAKE_UPDATE, 1);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_meanwhile(rig.org, FAKE_LIST, then_let_go, &a);
	assert_int_equal(rig_list(&rig), 20);
	assert_int_equal(name_of(&rig, 3, "Edited"), 1);
	assert_int_equal(key_of(&rig, 3), a.key);
	rig_down(&rig);
}

static void test_races__a_record_made_during_a_listing_stays(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	struct actor a = {.rig = &rig};
	sem_init(&a.go, 0, 0);
	fake_org_answer_old(rig.org);
	fake_org_meanwhile(rig.org, FAKE_CREATE, await_go, &a);
	fake_org_meanwhile(rig.org, FAKE_LIST, let_go, &a);
	pthread_create(&a.thread, NULL, actor_create, &a);
	await_call(&rig, FAKE_CREATE, 1);
	assert_int_equal(rig_list(&rig), 11);
	assert_int_equal(name_of(&rig, 10, "Made"), 1);
	rig_down(&rig);
}

static void save_and_lose_the_answer(void *arg)
{
	struct actor *a = arg;

	fake_org_fail(a->rig->org, FAKE_UPDATE, EIO, "MAYBE_SENT", 1);
	assert_int_equal(actor_save(a, "Edited"), -EIO);
	fake_org_change(a->rig->org, a->i, "Edited"); /* it did happen */
}

static void test_races__an_answer_from_before_does_not_end_a_doubt(void **state)
{
	static const enum fake_call questions[] = {FAKE_CHANGES, FAKE_LIST};
	(void)state;

	for (size_t k = 0; k < sizeof questions / sizeof *questions; k++) {
		struct rig rig;
		rig_up(&rig, 10, 100);
		if (questions[k] == FAKE_CHANGES) {
			rig_list(&rig);
		}
		struct actor a = {.rig = &rig, .i = 3, .key = key_of(&rig, 3)};
		fake_org_move_time(rig.org, AFTER_TTL_MS);
		fake_org_answer_old(rig.org);
		fake_org_meanwhile(rig.org, questions[k], save_and_lose_the_answer, &a);
		rig_list(&rig);
		assert_int_equal(name_of(&rig, 3, "Edited"), 1);
		rig_down(&rig);
	}
}

static void test_races__what_was_made_but_not_read_says_so(void **state)
{
	static const char text[] = "{\"Name\":\"Made\"}";
	struct mirror_record rec;
	struct error err = {0};
	struct rig rig;
	struct id id;
	(void)state;

	rig_up(&rig, 10, 100);
	fake_org_no_read_back(rig.org);
	fake_org_fail(rig.org, FAKE_RETRIEVE, EIO, "UNKNOWN_EXCEPTION", 1);
	assert_int_equal(mirror_record_create(rig.mirror, rig.account, text, sizeof text - 1,
				 rig_until(&rig), &rec, &err),
		-EIO);
	fake_org_id(10, &id);
	assert_non_null(strstr(err.text, id.text)); /* or the person makes it once more */
	assert_int_equal(name_of(&rig, 10, "Made"), 1);
	rig_down(&rig);
}

static void test_races__a_doubt_does_not_outlast_a_clock_that_was_set_back(void **state)
{
	(void)state;

	for (int listed = 0; listed < 2; listed++) {
		struct rig rig;
		rig_up_as(&rig, listed);
		struct actor a = {.rig = &rig, .i = 3, .key = key_of(&rig, 3)};
		save_and_lose_the_answer(&a);
		fake_org_move_time(rig.org, -DAY_MS);
		unsigned before = fake_org_count_all(rig.org);
		for (int i = 0; i < 5; i++) {
			assert_true(name_of(&rig, 3, "") >= 0);
		}
		assert_true(fake_org_count_all(rig.org) <= before + 3);
		rig_down(&rig);
	}
}

static void test_races__what_was_saved_but_not_read_is_asked_for(void **state)
{
	(void)state;

	for (int listed = 0; listed < 2; listed++) {
		struct rig rig;
		rig_up_as(&rig, listed);
		struct actor a = {.rig = &rig, .key = key_of(&rig, 3)};
		fake_org_no_read_back(rig.org);
		fake_org_fail(rig.org, FAKE_RETRIEVE, EIO, "UNKNOWN_EXCEPTION", 1);
		assert_int_equal(actor_save(&a, "Edited"), 0);
		assert_int_equal(name_of(&rig, 3, "Edited"), 1);
		rig_down(&rig);
	}
}

/* Not even where the org cannot be asked any more. */
static void test_races__what_was_saved_but_not_read_is_shown(void **state)
{
	(void)state;

	for (int listed = 0; listed < 2; listed++) {
		struct rig rig;
		rig_up_as(&rig, listed);
		struct actor a = {.rig = &rig, .key = key_of(&rig, 3)};
		fake_org_no_read_back(rig.org);
		fake_org_fail(rig.org, FAKE_RETRIEVE, EPROTO, "", -1);
		fake_org_fail(rig.org, FAKE_CHANGES, EPROTO, "", -1);
		fake_org_fail(rig.org, FAKE_LIST, EPROTO, "", -1);
		assert_int_equal(actor_save(&a, "Edited"), 0);
		assert_int_equal(name_of(&rig, 3, "Edited"), 1);
		fake_org_change(rig.org, 3, "Made of it");
		fake_org_fail(rig.org, FAKE_RETRIEVE, 0, "", 0);
		fake_org_fail(rig.org, FAKE_CHANGES, 0, "", 0);
		fake_org_move_time(rig.org, 10);
		rig_remount(&rig); /* which does not pause after a check that failed */
		assert_int_equal(name_of(&rig, 3, "Made of it"), 1);
		rig_down(&rig);
	}
}

/* ---- the describe ---- */

static void learn_of_a_new_field(void *arg)
{
	struct actor *a = arg;
	struct until until = {.deadline_ms = clock_mono_ms() + 5000};
	AUTO(buf) struct buf text;

	buf_init(&text, 1 << 20);
	fake_org_add_field(a->rig->org);
	fake_org_move_time(a->rig->org, 11 * 60000); /* the describe is not trusted any more */
	assert_int_equal(mirror_describe(a->rig->mirror, a->rig->account, &until, &text, NULL), 0);
}

static void test_races__a_page_of_an_older_schema_does_not_count(void **state)
{
	struct rig rig;
	char text[512];
	(void)state;

	rig_up(&rig, 250, 100);
	struct actor a = {.rig = &rig};
	fake_org_meanwhile(rig.org, FAKE_LIST, learn_of_a_new_field, &a);
	assert_int_equal(rig_list(&rig), 250);
	for (unsigned i = 0; i < 250; i += 50) {
		assert_int_equal(rig_cat(&rig, i, text, sizeof text), 0);
		assert_non_null(strstr(text, "\"New__c\": null"));
	}
	rig_down(&rig);
}

static void test_races__a_describe_that_always_seems_new_costs_no_call_for_each_access(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	rig_list(&rig);
	fake_org_describe_drifts(rig.org);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_change(rig.org, 3, "Changed");
	unsigned before = fake_org_count_all(rig.org);
	assert_int_equal(name_of(&rig, 3, "Changed"), 1);
	assert_true(fake_org_count_all(rig.org) <= before + 3);
	before = fake_org_count_all(rig.org);
	assert_int_equal(name_of(&rig, 3, "Changed"), 1);
	assert_int_equal(fake_org_count_all(rig.org), before);
	rig_down(&rig);
}

static void test_races__a_field_that_is_always_refused_costs_no_call_for_each_access(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	rig_list(&rig);
	fake_org_fail(rig.org, FAKE_CHANGES, EINVAL, "INVALID_FIELD", -1);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	unsigned before = fake_org_count_all(rig.org);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(name_of(&rig, 3, "Name 3"), 1);
	}
	assert_true(fake_org_count_all(rig.org) <= before + 3);
	rig_down(&rig);
}

static void test_races__a_listing_that_fails_is_not_tried_for_each_cached_record(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 20, 100);
	rig_list(&rig);
	fake_org_add_field(rig.org); /* all have to be listed again */
	fake_org_fail(rig.org, FAKE_LIST, EIO, "UNKNOWN_EXCEPTION", -1);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	for (unsigned i = 0; i < 20; i++) {
		assert_true(name_of(&rig, i, "") >= 0);
	}
	assert_true(fake_org_count(rig.org, FAKE_LIST) <= 3);
	rig_down(&rig);
}

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

static void test_races__a_listing_broken_off_before_a_remount_leaves_nothing_for_ever(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 600, 1000);
	fake_org_no_stamps(rig.org);
	rig_list(&rig);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_break_off(rig.org, FAKE_LIST);
	assert_int_equal(name_of(&rig, 7, "Name 7"), 1);
	rig_remount(&rig);
	fake_org_delete(rig.org, 7);
	assert_int_equal(rig_list(&rig), 599);
	assert_int_equal(name_of(&rig, 7, ""), -ENOENT);
	rig_down(&rig);
}

static void test_races__a_cached_record_does_not_wait_for_a_whole_listing(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 400, 10);
	fake_org_no_stamps(rig.org);
	rig_list(&rig);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	fake_org_slow(rig.org, FAKE_LIST, 500); /* a page; all 40 take 20 s */
	assert_int_equal(name_of(&rig, 3, "Name 3"), 1);
	assert_true(fake_org_count(rig.org, FAKE_LIST) < 75);
	rig_down(&rig);
}

/* ---- the store ---- */

static void test_races__an_object_larger_than_the_cache_can_be_read(void **state)
{
	const struct store_config config = {.name = "test", .limit_bytes = 4 << 20};
	struct rig rig;
	(void)state;

	rig_up_over(&rig, 20000, 2000, &config);
	assert_int_equal(rig_list(&rig), 20000);
	for (unsigned i = 0; i < 20000; i += 3) {
		char name[32];
		snprintf(name, sizeof name, "Name %u", i);
		assert_int_equal(name_of(&rig, i, name), 1);
	}
	rig_down(&rig);
}

struct reader {
	struct rig *rig;
	unsigned cats, lists; /* that told a lie */
	_Atomic bool stop;
};

static void *read_on(void *arg)
{
	struct reader *r = arg;
	struct rig own = *r->rig;

	for (unsigned i = 0; !r->stop; i = (i + 7919) % 20000) {
		r->cats += name_of(&own, i, "") == -ENOENT;
	}
	return NULL;
}

static void *list_on(void *arg)
{
	struct reader *r = arg;

	while (!r->stop) {
		struct rig own = *r->rig;
		int count = rig_list(&own);
		r->lists += count < 20000 && count != -ETIMEDOUT;
	}
	return NULL;
}

static int list_contacts(struct rig *rig)
{
	struct mirror_object contact;
	struct rig own = *rig;

	assert_int_equal(
		mirror_object_find(rig->mirror, "Contact", rig_until(&own), &contact, NULL), 0);
	own.account = contact.index;
	return rig_list(&own);
}

static void test_races__an_eviction_tells_no_lies(void **state)
{
	const struct store_config config = {.name = "test", .limit_bytes = 11 << 20};
	struct store_stats stats;
	struct rig rig;
	pthread_t cat, list;
	(void)state;

	rig_up_over(&rig, 20000, 2000, &config);
	assert_int_equal(rig_list(&rig), 20000);
	struct reader r = {.rig = &rig};
	pthread_create(&cat, NULL, read_on, &r);
	pthread_create(&list, NULL, list_on, &r);
	int count = list_contacts(&rig);
	r.stop = true;
	pthread_join(cat, NULL);
	pthread_join(list, NULL);
	store_get_stats(rig.store, &stats);
	assert_true(count == 20000 || count == -ETIMEDOUT);
	assert_true(stats.evictions > 0);
	assert_int_equal(r.cats, 0);
	assert_int_equal(r.lists, 0);
	rig_down(&rig);
}

/* The leaves of the index over Ids: SQLite's pages of 8 KiB begin with their kind. */
static unsigned spoil_index(const char *path)
{
	static char page[8192], rubbish[4096];
	int fd = open(path, O_RDWR | O_CLOEXEC);
	unsigned spoilt = 0;

	assert_true(fd >= 0);
	for (off_t off = 0; pread(fd, page, sizeof page, off) == sizeof page; off += sizeof page) {
		if (page[0] == 0x0a && memmem(page, sizeof page, "001Ab", 5)) {
			assert_int_equal(pwrite(fd, rubbish, sizeof rubbish, off), sizeof rubbish);
			spoilt++;
		}
	}
	close(fd);
	return spoilt;
}

static void test_races__damage_that_only_writing_meets_is_mended(void **state)
{
	char dir[] = "/tmp/test_races.XXXXXX", path[64], name[80];
	const struct store_config config = {.dir = mkdtemp(dir), .name = "test"};
	static const char *const endings[] = {".sqlite", ".sqlite-wal", ".lock"};
	struct mirror_record first;
	struct rig rig;
	(void)state;

	rig_up_over(&rig, 6000, 2000, &config);
	assert_int_equal(
		mirror_record_next(rig.mirror, rig.account, 0, rig_until(&rig), &first, 1, NULL),
		1);
	rig_down(&rig);
	rig_up_over(&rig, 6000, 2000, &config);
	snprintf(path, sizeof path, "%s", store_path(rig.store));
	assert_true(spoil_index(path) > 2);
	assert_true(rig_list(&rig) >= 0); /* goes on with the second page */
	assert_int_equal(rig_list(&rig), 6000);
	assert_int_equal(name_of(&rig, 5, "Name 5"), 1);
	rig_down(&rig);
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		snprintf(name, sizeof name, "%s/test%s", dir, endings[i]);
		unlink(name);
	}
	rmdir(dir);
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

/* Of those that are waiting. */
static unsigned count_news(struct rig *rig, enum news_kind kind)
{
	const uint32_t end = 7777;
	struct news news = {0};
	unsigned count = 0;

	news_push(rig->mirror, NEWS_CATALOG, end, 0, NULL);
	while (news.object != end) {
		assert_int_equal(mirror_news_next(rig->mirror, &news), 1);
		count += news.kind == kind;
	}
	return count;
}

static void test_races__names_that_a_broken_check_brought_are_news(void **state)
{
	struct rig rig;
	(void)state;

	rig_up(&rig, 10, 100);
	rig_list(&rig);
	count_news(&rig, NEWS_LISTING);
	fake_org_move_time(rig.org, AFTER_TTL_MS);
	for (int i = 0; i < 600; i++) {
		fake_org_create(rig.org, "Made");
	}
	fake_org_break_off(rig.org, FAKE_CHANGES);
	rig_list(&rig);
	assert_true(count_news(&rig, NEWS_LISTING) > 0);
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
		cmocka_unit_test(
			test_races__an_answer_from_before_does_not_bring_back_what_was_deleted),
		cmocka_unit_test(test_races__a_save_does_not_take_its_record_out_of_a_listing),
		cmocka_unit_test(test_races__a_record_made_during_a_listing_stays),
		cmocka_unit_test(test_races__an_answer_from_before_does_not_end_a_doubt),
		cmocka_unit_test(test_races__what_was_made_but_not_read_says_so),
		cmocka_unit_test(test_races__a_doubt_does_not_outlast_a_clock_that_was_set_back),
		cmocka_unit_test(test_races__what_was_saved_but_not_read_is_asked_for),
		cmocka_unit_test(test_races__what_was_saved_but_not_read_is_shown),
		cmocka_unit_test(test_races__a_page_of_an_older_schema_does_not_count),
		cmocka_unit_test(
			test_races__a_describe_that_always_seems_new_costs_no_call_for_each_access),
		cmocka_unit_test(
			test_races__a_field_that_is_always_refused_costs_no_call_for_each_access),
		cmocka_unit_test(
			test_races__a_listing_that_fails_is_not_tried_for_each_cached_record),
		cmocka_unit_test(test_races__a_change_during_a_long_listing_is_found),
		cmocka_unit_test(
			test_races__a_listing_broken_off_before_a_remount_leaves_nothing_for_ever),
		cmocka_unit_test(test_races__a_cached_record_does_not_wait_for_a_whole_listing),
		cmocka_unit_test(test_races__an_object_larger_than_the_cache_can_be_read),
		cmocka_unit_test(test_races__an_eviction_tells_no_lies),
		cmocka_unit_test(test_races__damage_that_only_writing_meets_is_mended),
		cmocka_unit_test(test_races__a_record_that_came_back_is_there),
		cmocka_unit_test(test_races__names_that_a_broken_check_brought_are_news),
		cmocka_unit_test(test_races__what_was_missing_before_is_asked_for_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
