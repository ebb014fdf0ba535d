/* SPDX-License-Identifier: MIT */
/* Keeping the limit: whole objects, the oldest first; bodies of the one that alone is too large. */
#include "store_fixture.h"

#define LIMIT (4 << 20)
#define ROOM  (1 << 20) /* what one put may add before the limit is looked at */

struct told {
	struct store *s;
	uint32_t going;
	uint32_t objects[16];
	int count;
	int64_t listed_ms; /* as the store had it when we were told, all together */
};

/* Uses the store, which deadlocks if it calls with a lock held. */
static void on_evicted(void *payload, uint32_t object, bool gone)
{
	struct told *t = payload;
	struct store_object o;
	char name[16];
	if (!gone) {
		assert_int_equal(t->going, 0);
		t->going = object;
		assert_true(records_of(t->s, object) > 0);
		assert_int_equal(listed_of(t->s, object), records_of(t->s, object));
		return;
	}
	assert_int_equal(t->going, object);
	t->going = 0;
	snprintf(name, sizeof(name), "Object%u", object);
	assert_true(t->count < 16);
	t->objects[t->count++] = object;
	assert_int_equal(records_of(t->s, object), 0);
	assert_int_equal(listed_of(t->s, object), 0);
	assert_int_equal(store_object_get(t->s, name, &o, NULL), 0);
	assert_int_equal(o.index, object);
	t->listed_ms += o.listed_ms + o.checked_ms + o.fill_ms + (o.next != NULL);
	o.listed_ms = 12345; /* out of date: must not be believed */
	assert_int_equal(store_object_save(t->s, &o, NULL), 0);
	store_object_release(&o);
}

static int setup_limit(void **state)
{
	struct fixture *f = *state ? *state : fixture_new();
	f->limit_bytes = LIMIT;
	*state = f;
	return fixture_open(f);
}

static int setup_limit_memory(void **state)
{
	*state = calloc(1, sizeof(struct fixture));
	return setup_limit(state);
}

/* Makes the objects 1 … count, each listed and with about kib KiB of bodies. */
static void fill_objects(struct store *s, uint32_t count, size_t kib)
{
	for (uint32_t i = 1; i <= count; i++) {
		char name[16], next[] = "/next";
		struct store_object o;
		snprintf(name, sizeof(name), "Object%u", i);
		assert_int_equal(store_object_get(s, name, &o, NULL), 0);
		assert_int_equal(o.index, i);
		o.listed_ms = o.checked_ms = o.fill_ms = 55;
		o.generation = 3;
		o.next = next;
		assert_int_equal(store_object_save(s, &o, NULL), 0);
		assert_int_equal(put_many(s, i, 3, 1, kib, 1000, 'a', NULL), 0);
	}
}

static void check_limit(struct fixture *f)
{
	struct store_stats stats;
	store_get_stats(f->s, &stats);
	assert_int_equal(stats.limit_bytes, LIMIT);
	assert_true(stats.file_bytes > 0);
	assert_true(stats.file_bytes <= LIMIT);
	assert_true(size_of(f, ".sqlite") <= LIMIT + ROOM);
}

static void test_store_evict__nothing_below_the_limit(void **state)
{
	struct fixture *f = *state;
	struct told t = {.s = f->s};
	struct store_stats stats;
	store_on_evicted(f->s, on_evicted, &t);
	fill_objects(f->s, 3, 900);
	store_get_stats(f->s, &stats);
	assert_int_equal(t.count, 0);
	assert_int_equal(stats.evictions, 0);
}

static void test_store_evict__oldest_object_goes(void **state)
{
	struct fixture *f = *state;
	struct told t = {.s = f->s};
	struct store_stats stats;
	store_on_evicted(f->s, on_evicted, &t);
	fill_objects(f->s, 3, 900);
	store_object_used(f->s, 1);
	assert_int_equal(put_many(f->s, 3, 3, 5000, 1250, 1000, 'b', &f->err), 0);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.objects[0], 2);
	assert_int_equal(t.listed_ms, 0);
	assert_int_equal(records_of(f->s, 1), 900);
	assert_int_equal(records_of(f->s, 2), 0);
	assert_int_equal(records_of(f->s, 3), 2150);
	check_limit(f);
	store_get_stats(f->s, &stats);
	assert_int_equal(stats.evictions, 1);
	AUTO(store_object) struct store_object o;
	assert_int_equal(store_object_get(f->s, "Object2", &o, NULL), 0);
	assert_int_equal(o.listed_ms, 0);
	assert_int_equal(o.generation, 3);
	/* New rows go on behind those that went. */
	assert_int_equal(put_one(f->s, 2, 4, 1, "again").ret_key, store_key(2, 901));
}

static void test_store_evict__limit_kept_with_many_objects(void **state)
{
	struct fixture *f = *state;
	struct told t = {.s = f->s};
	store_on_evicted(f->s, on_evicted, &t);
	fill_objects(f->s, 12, 700);
	check_limit(f);
	assert_in_range(t.count, 6, 9);
	for (int i = 0; i < t.count; i++) {
		assert_int_equal(t.objects[i], (uint32_t)i + 1);
	}
	assert_int_equal(records_of(f->s, 12), 700);
}

static void test_store_evict__use_is_remembered(void **state)
{
	struct fixture *f = *state;
	struct told t = {0};
	fill_objects(f->s, 3, 900);
	store_object_used(f->s, 1);
	store_object_used(f->s, 2);
	fixture_reopen(f);
	t.s = f->s;
	store_on_evicted(f->s, on_evicted, &t);
	assert_int_equal(
		put_many(f->s, object_of(f->s, "Object4"), 3, 1, 1200, 1000, 'b', NULL), 0);
	assert_int_equal(t.count, 1);
	assert_int_equal(t.objects[0], 3);
}

static void test_store_evict__one_large_object_loses_bodies(void **state)
{
	struct fixture *f = *state;
	struct told t = {.s = f->s};
	struct store_record record;
	struct store_count count;
	AUTO(buf) struct buf body;
	char id[19];
	buf_init(&body, 10000);
	store_on_evicted(f->s, on_evicted, &t);
	uint32_t account = object_of(f->s, "Account");
	for (uint64_t n = 1; n <= 6000; n += 500) {
		assert_int_equal(put_many(f->s, account, 1, n, 500, 1000, 'a', &f->err), 0);
		check_limit(f);
	}
	assert_int_equal(t.count, 0);
	store_object_count(f->s, account, &count);
	assert_int_equal(count.records, 6000);
	assert_in_range(count.bytes, LIMIT / 3, LIMIT);
	assert_int_equal(listed_of(f->s, account), 6000);
	assert_int_equal(
		store_record_by_id(f->s, account, id_of(1, id), &record, &body, &f->err), -ENODATA);
	assert_string_equal(record.id, id);
	assert_int_equal(record.size, 1000);
	assert_int_equal(body.len, 0);
	assert_int_equal(store_record_by_key(f->s, record.key, &record, NULL, &f->err), 0);
	assert_int_equal(
		store_record_by_key(f->s, store_key(account, 6000), &record, &body, NULL), 0);
	assert_int_equal(body.len, 1000);
}

static void test_store_evict__a_body_comes_back(void **state)
{
	struct fixture *f = *state;
	struct store_count before, after;
	char ids[1][19];
	struct store_gone gone[1];
	size_t n = 0;
	char text[1001];
	uint32_t account = object_of(f->s, "Account");
	assert_int_equal(put_many(f->s, account, 1, 1, 6000, 1000, 'a', NULL), 0);
	assert_null(body_of(f->s, account, 1));
	store_object_count(f->s, account, &before);
	memset(text, 'a', 1000);
	text[1000] = '\0';
	struct store_put p = put_one(f->s, account, 0, 1, text);
	assert_int_equal(p.ret_change, STORE_SAME);
	assert_non_null(body_of(f->s, account, 1));
	store_object_count(f->s, account, &after);
	assert_int_equal(after.records, before.records);
	assert_int_equal(after.bytes, before.bytes + 1000);
	id_of(2, ids[0]); /* has no body: no bytes go with it */
	assert_int_equal(
		store_record_delete(f->s, account, (const char(*)[19])ids, 1, gone, &n, NULL), 0);
	assert_int_equal(n, 1);
	store_object_count(f->s, account, &before);
	assert_int_equal(before.records, after.records - 1);
	assert_int_equal(before.bytes, after.bytes);
}

static void test_store_evict__documents_stay(void **state)
{
	struct fixture *f = *state;
	struct told t = {.s = f->s};
	AUTO_FREE char *text = calloc(1, 2 << 20);
	struct store_doc d = {.data = text, .len = 2 << 20}, got;
	store_on_evicted(f->s, on_evicted, &t);
	fill_objects(f->s, 3, 900);
	assert_int_equal(store_doc_put(f->s, "describe/Large", &d, NULL), 0);
	assert_true(t.count > 0);
	assert_int_equal(store_doc_get(f->s, "describe/Large", &got, NULL), 0);
	assert_int_equal(got.len, 2 << 20);
	store_doc_release(&got);
	check_limit(f);
}

/* Replaced versions, of which many are kept, are worth less than what is there now. */
static void test_store_evict__former_versions_make_room(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	static char body[20000];
	put_one(f->s, account, 1, 2, "stays");
	memset(body, 'x', sizeof(body));
	for (int i = 0; i < 600; i++) {
		struct store_put p;
		fill_put(&p, 1, body, sizeof(body));
		p.stamp_ms += i;
		p.hash += (uint64_t)i;
		assert_int_equal(store_record_put(f->s, account, 1, 1000, &p, 1, &f->err), 0);
	}
	check_limit(f);
	assert_non_null(body_of(f->s, account, 2));
}

#define IN_FILE(t)   cmocka_unit_test_setup_teardown(t, setup_limit, teardown)
#define IN_MEMORY(t) cmocka_unit_test_setup_teardown(t, setup_limit_memory, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FILE(test_store_evict__nothing_below_the_limit),
		IN_MEMORY(test_store_evict__nothing_below_the_limit),
		IN_FILE(test_store_evict__oldest_object_goes),
		IN_MEMORY(test_store_evict__oldest_object_goes),
		IN_FILE(test_store_evict__limit_kept_with_many_objects),
		IN_MEMORY(test_store_evict__limit_kept_with_many_objects),
		IN_FILE(test_store_evict__use_is_remembered),
		IN_FILE(test_store_evict__one_large_object_loses_bodies),
		IN_MEMORY(test_store_evict__one_large_object_loses_bodies),
		IN_FILE(test_store_evict__a_body_comes_back),
		IN_FILE(test_store_evict__documents_stay),
		IN_FILE(test_store_evict__former_versions_make_room),
		IN_MEMORY(test_store_evict__former_versions_make_room),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
