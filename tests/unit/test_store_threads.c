/* SPDX-License-Identifier: MIT */
/* Many readers beside a writer, an eviction and a rebuild. Meant to be run under tsan. */
#include "store_fixture.h"

#include <pthread.h>
#include <stdatomic.h>

#define READERS 20 /* more than the pool holds */
#define RECORDS 500

struct run {
	struct store *s;
	uint32_t object;
	atomic_bool stop;
	atomic_uint failures;
	atomic_uint reads;
	atomic_uint evictions;
	bool may_be_absent;
};

/* A body is one letter repeated: a torn one would show. */
static bool whole(const struct buf *b)
{
	return b->len > 0 && strspn(buf_str(b), (char[2]){b->data[0], 0}) == b->len;
}

static bool read_one(struct run *run, uint64_t n, struct buf *body)
{
	struct store_record record;
	char id[19];
	buf_clear(body);
	int r = n % 2 ? store_record_by_id(run->s, run->object, id_of(n, id), &record, body, NULL)
		      : store_record_by_key(
				run->s, store_key(run->object, n + 1), &record, body, NULL);
	if (r == 0) {
		return whole(body) && body->len == record.size;
	}
	return run->may_be_absent && (r == -ENOENT || r == -ENODATA);
}

static void *reader(void *arg)
{
	struct run *run = arg;
	struct store_record page[50];
	struct store_count count;
	struct store_stats stats;
	AUTO(buf) struct buf body;
	buf_init(&body, 10000);
	for (uint64_t n = 0; !atomic_load(&run->stop); n = (n + 7) % RECORDS) {
		bool good = read_one(run, n, &body);
		good = store_record_next(run->s, run->object, n, page, 50, NULL) >= 0 && good;
		store_object_used(run->s, run->object);
		store_object_count(run->s, run->object, &count);
		store_get_stats(run->s, &stats);
		atomic_fetch_add(&run->failures, !good);
		atomic_fetch_add(&run->reads, 1);
	}
	return NULL;
}

static void start(struct run *run, pthread_t *threads)
{
	assert_int_equal(put_many(run->s, run->object, 1, 0, RECORDS, 1000, 'a', NULL), 0);
	for (int i = 0; i < READERS; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, reader, run), 0);
	}
}

static void finish(struct run *run, pthread_t *threads)
{
	atomic_store(&run->stop, true);
	for (int i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
	}
	assert_int_equal(atomic_load(&run->failures), 0);
	assert_true(atomic_load(&run->reads) > 0);
}

static void test_store_threads__readers_beside_a_writer(void **state)
{
	struct fixture *f = *state;
	struct run run = {.s = f->s, .object = object_of(f->s, "Account")};
	pthread_t threads[READERS];
	start(&run, threads);
	for (int i = 0; i < 25; i++) {
		assert_int_equal(put_many(f->s, run.object, 1, 0, RECORDS, 900 + (size_t)i,
					 (char)('a' + i % 26), NULL),
			0);
	}
	finish(&run, threads);
	assert_int_equal(records_of(f->s, run.object), RECORDS);
}

static void count_evicted(void *payload, uint32_t object, bool gone)
{
	struct run *run = payload;
	(void)object;
	atomic_fetch_add(&run->evictions, gone);
}

static int setup_small(void **state)
{
	struct fixture *f = fixture_new();
	f->limit_bytes = 2 << 20;
	*state = f;
	return fixture_open(f);
}

static void *other_writer(void *arg)
{
	struct run *run = arg;
	uint32_t object = object_of(run->s, "Other");
	for (uint64_t n = 0; !atomic_load(&run->stop); n += 300) {
		int r = put_many(run->s, object, 1, n, 300, 1000, 'o', NULL);
		atomic_fetch_add(&run->failures, r != 0);
	}
	return NULL;
}

static void test_store_threads__eviction_beside_two_writers(void **state)
{
	struct fixture *f = *state;
	struct run run = {.s = f->s, .object = object_of(f->s, "Account"), .may_be_absent = true};
	pthread_t threads[READERS], other;
	struct store_stats stats;
	store_on_evicted(f->s, count_evicted, &run);
	start(&run, threads);
	assert_int_equal(pthread_create(&other, NULL, other_writer, &run), 0);
	while (records_of(f->s, object_of(f->s, "Other")) == 0) {
		usleep(1000); /* or there may be nothing to evict */
	}
	for (uint64_t i = 0; i < 25; i++) {
		assert_int_equal(
			put_many(f->s, run.object, 1, i * 100, RECORDS, 1000, 'a', NULL), 0);
	}
	finish(&run, threads);
	pthread_join(other, NULL);
	assert_int_equal(atomic_load(&run.failures), 0);
	assert_true(atomic_load(&run.evictions) > 0);
	put_one(f->s, run.object, 1, 1, "settles it");
	store_get_stats(f->s, &stats);
	assert_true(stats.file_bytes <= stats.limit_bytes);
	assert_int_equal(records_of(f->s, run.object), listed_of(f->s, run.object));
}

static void test_store_threads__rebuild_beside_readers(void **state)
{
	struct fixture *f = *state;
	struct run run = {.s = f->s, .object = object_of(f->s, "Account"), .may_be_absent = true};
	pthread_t threads[READERS];
	start(&run, threads);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(store_rebuild(f->s, &f->err), 0);
		assert_int_equal(put_many(f->s, run.object, 1, 0, RECORDS, 1000, 'b', NULL), 0);
	}
	finish(&run, threads);
	assert_int_equal(records_of(f->s, run.object), RECORDS);
}

#define IN_FILE(t)   cmocka_unit_test_setup_teardown(t, setup_file, teardown)
#define IN_MEMORY(t) cmocka_unit_test_setup_teardown(t, setup_memory, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FILE(test_store_threads__readers_beside_a_writer),
		IN_MEMORY(test_store_threads__readers_beside_a_writer),
		cmocka_unit_test_setup_teardown(
			test_store_threads__eviction_beside_two_writers, setup_small, teardown),
		IN_FILE(test_store_threads__rebuild_beside_readers),
		IN_MEMORY(test_store_threads__rebuild_beside_readers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
