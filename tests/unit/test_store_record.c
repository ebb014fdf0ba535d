/* SPDX-License-Identifier: MIT */
/* Records: put, read, list, delete, sweep; each test runs on a file and in memory. */
#include "store_fixture.h"

static void test_store_record__absent_is_enoent(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_record record;
	char id[19];
	assert_int_equal(
		store_record_by_key(f->s, store_key(account, 1), &record, NULL, &f->err), -ENOENT);
	assert_int_equal(
		store_record_by_id(f->s, account, id_of(1, id), &record, NULL, &f->err), -ENOENT);
	assert_int_equal(
		store_record_by_id(f->s, 900, id_of(1, id), &record, NULL, &f->err), -ENOENT);
	assert_string_equal(f->err.text, "");
	assert_int_equal(store_record_next(f->s, account, 0, &record, 1, &f->err), 0);
}

static void test_store_record__all_columns_come_back(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_record by_key, by_id;
	struct store_put p = {.id = "001Ab00000C1dEfIAJ",
		.stamp_ms = -5,
		.hash = UINT64_MAX - 1,
		.body = "a\0b",
		.size = 3};
	AUTO(buf) struct buf body;
	buf_init(&body, 1000);
	assert_int_equal(store_record_put(f->s, account, 3, 4444, &p, 1, &f->err), 0);
	assert_int_equal(p.ret_change, STORE_ADDED);
	assert_int_equal(store_key_object(p.ret_key), account);
	assert_int_equal(store_key_row(p.ret_key), 1);
	assert_int_equal(buf_add_str(&body, "before:"), 0);
	assert_int_equal(store_record_by_key(f->s, p.ret_key, &by_key, &body, &f->err), 0);
	assert_int_equal(body.len, 10);
	assert_memory_equal(body.data, "before:a\0b", 11);
	assert_int_equal(by_key.key, p.ret_key);
	assert_string_equal(by_key.id, p.id);
	assert_int_equal(by_key.stamp_ms, -5);
	assert_true(by_key.hash == UINT64_MAX - 1);
	assert_int_equal(by_key.size, 3);
	assert_int_equal(by_key.checked_ms, 4444);
	assert_int_equal(store_record_by_id(f->s, account, p.id, &by_id, NULL, &f->err), 0);
	assert_int_equal(by_id.key, p.ret_key);
}

static void test_store_record__sizes(void **state)
{
	static const size_t sizes[] = {0, 1, 8100, 8192, 100000, 5000000};
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		AUTO(buf) struct buf body;
		struct store_record record;
		buf_init(&body, 1 << 24);
		assert_int_equal(put_many(f->s, account, 1, i, 1, sizes[i], 'z', &f->err), 0);
		assert_int_equal(store_record_by_key(
					 f->s, store_key(account, i + 1), &record, &body, &f->err),
			0);
		assert_int_equal(record.size, sizes[i]);
		assert_int_equal(body.len, sizes[i]);
		assert_int_equal(strspn(buf_str(&body), "z"), sizes[i]);
	}
}

static void test_store_record__a_full_buffer_is_said(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	AUTO(buf) struct buf body;
	struct store_record record;
	buf_init(&body, 4);
	uint64_t key = put_one(f->s, account, 1, 1, "12345").ret_key;
	assert_int_equal(store_record_by_key(f->s, key, &record, &body, &f->err), -EFBIG);
	assert_int_equal(body.len, 0);
}

static void test_store_record__put_tells_the_change(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_put rows[4];
	put_one(f->s, account, 1, 10, "old");
	put_one(f->s, account, 1, 11, "same");
	fill_put(&rows[0], 12, "new", 3);
	fill_put(&rows[1], 11, "same", 4);
	fill_put(&rows[2], 10, "changed", 7);
	fill_put(&rows[3], 12, "new", 3);
	assert_int_equal(store_record_put(f->s, account, 1, 1000, rows, 4, &f->err), 0);
	assert_int_equal(rows[0].ret_change, STORE_ADDED);
	assert_int_equal(rows[1].ret_change, STORE_SAME);
	assert_int_equal(rows[2].ret_change, STORE_CHANGED);
	assert_int_equal(rows[3].ret_change, STORE_SAME);
	assert_int_equal(rows[0].ret_key, store_key(account, 3));
	assert_int_equal(rows[1].ret_key, store_key(account, 2));
	assert_int_equal(rows[2].ret_key, store_key(account, 1));
	assert_int_equal(rows[3].ret_key, store_key(account, 3));
	assert_string_equal(body_of(f->s, account, 10), "changed");
	assert_int_equal(records_of(f->s, account), 3);
}

static void test_store_record__same_follows_the_checks(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_record record;
	struct store_put p;
	fill_put(&p, 1, "same", 4);
	assert_int_equal(store_record_put(f->s, account, 1, 10000, &p, 1, NULL), 0);
	assert_int_equal(store_record_put(f->s, account, 0, 10900, &p, 1, NULL), 0);
	assert_int_equal(store_record_by_key(f->s, p.ret_key, &record, NULL, NULL), 0);
	assert_int_equal(record.checked_ms, 10000); /* not worth a write */
	assert_int_equal(store_record_put(f->s, account, 0, 12000, &p, 1, NULL), 0);
	assert_int_equal(p.ret_change, STORE_SAME);
	assert_int_equal(store_record_by_key(f->s, p.ret_key, &record, NULL, NULL), 0);
	assert_int_equal(record.checked_ms, 12000);
	p.stamp_ms += 5;
	assert_int_equal(store_record_put(f->s, account, 0, 12000, &p, 1, NULL), 0);
	assert_int_equal(p.ret_change, STORE_SAME);
	assert_int_equal(store_record_by_key(f->s, p.ret_key, &record, NULL, NULL), 0);
	assert_int_equal(record.stamp_ms, p.stamp_ms);
	assert_string_equal(body_of(f->s, account, 1), "same");
}

static void test_store_record__an_older_answer_does_not_replace_a_newer_one(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_record record;
	struct store_put newer = {.id = "001Ab00000C1dEfIAJ", .hash = 2, .body = "new", .size = 3};
	struct store_put older = {
		.id = "001Ab00000C1dEfIAJ", .hash = 1, .body = "older", .size = 5};
	AUTO(buf) struct buf body;
	buf_init(&body, 1000);
	assert_int_equal(store_record_put(f->s, account, 1, 60000, &newer, 1, &f->err), 0);
	assert_int_equal(store_record_put(f->s, account, 2, 50000, &older, 1, &f->err), 0);
	assert_int_equal(older.ret_change, STORE_SAME);
	assert_int_equal(store_record_by_key(f->s, newer.ret_key, &record, &body, &f->err), 0);
	assert_string_equal(buf_str(&body), "new");
	assert_int_equal(record.checked_ms, 60000);
	/* it was seen by that listing all the same */
	struct store_gone gone[2];
	size_t count = 9;
	assert_int_equal(store_record_sweep(f->s, account, 2, gone, 2, &count, &f->err), 0);
	assert_int_equal(count, 0);
	/* a row from the future tells of a clock that was set back: it is replaced */
	assert_int_equal(store_record_put(f->s, account, 2, INT64_MAX - 5, &newer, 1, &f->err), 0);
	assert_int_equal(store_record_put(f->s, account, 2, 70000, &older, 1, &f->err), 0);
	assert_int_equal(older.ret_change, STORE_CHANGED);
}

static void test_store_record__replaced_versions_are_kept_a_while(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_put p = {
		.id = "001Ab00000C1dEfIAJ", .stamp_ms = 1, .hash = 1, .body = "one", .size = 3};
	AUTO(buf) struct buf body;
	buf_init(&body, 1000);
	assert_int_equal(store_record_put(f->s, account, 1, 1000, &p, 1, &f->err), 0);
	assert_int_equal(store_record_former(f->s, p.ret_key, 1, 0, &body, &f->err), -ENOENT);
	p.stamp_ms = p.hash = 2;
	p.body = "two";
	assert_int_equal(store_record_put(f->s, account, 1, 2000, &p, 1, &f->err), 0);
	p.stamp_ms = p.hash = 3;
	p.body = "six";
	assert_int_equal(store_record_put(f->s, account, 0, 3000, &p, 1, &f->err), 0);
	assert_int_equal(store_record_former(f->s, p.ret_key, 1, 0, &body, &f->err), 0);
	assert_string_equal(buf_str(&body), "one");
	assert_int_equal(store_record_former(f->s, p.ret_key, 2, 0, &body, &f->err), 0);
	assert_string_equal(buf_str(&body), "onetwo");
	assert_int_equal(store_record_former(f->s, p.ret_key, 3, 0, &body, &f->err), -ENOENT);
}

static void test_store_record__one_id_in_two_objects(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	uint32_t contact = object_of(f->s, "Contact");
	put_one(f->s, contact, 1, 5, "in Contact");
	put_one(f->s, account, 1, 5, "in Account");
	assert_string_equal(body_of(f->s, account, 5), "in Account");
	assert_string_equal(body_of(f->s, contact, 5), "in Contact");
	char ids[1][19];
	struct store_gone gone[1];
	size_t n = 0;
	id_of(5, ids[0]);
	assert_int_equal(
		store_record_delete(f->s, account, (const char(*)[19])ids, 1, gone, &n, NULL), 0);
	assert_string_equal(body_of(f->s, account, 5), "-");
	assert_string_equal(body_of(f->s, contact, 5), "in Contact");
}

static void test_store_record__bad_rows_change_nothing(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_put rows[2];
	fill_put(&rows[0], 1, "one", 3);
	fill_put(&rows[1], 2, "two", 3);
	rows[1].id[5] = '\0';
	assert_int_equal(store_record_put(f->s, account, 1, 1, rows, 2, &f->err), -EINVAL);
	assert_int_equal(records_of(f->s, account), 0);
	assert_string_equal(body_of(f->s, account, 1), "-");
	assert_int_equal(store_record_put(f->s, 700, 1, 1, rows, 1, &f->err), -ENOENT);
	assert_int_equal(store_record_put(f->s, account, 1, 1, rows, 0, &f->err), 0);
	assert_int_equal(put_one(f->s, account, 1, 1, "one").ret_key, store_key(account, 1));
}

static void test_store_record__next_lists_in_row_order(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	uint32_t contact = object_of(f->s, "Contact");
	struct store_record page[7];
	uint64_t after = 0, seen = 0;
	int n;
	assert_int_equal(put_many(f->s, account, 1, 100, 50, 10, 'a', NULL), 0);
	assert_int_equal(put_many(f->s, contact, 1, 100, 3, 10, 'c', NULL), 0);
	while ((n = store_record_next(f->s, account, after, page, 7, &f->err)) > 0) {
		for (int i = 0; i < n; i++) {
			char id[19];
			assert_int_equal(page[i].key, store_key(account, ++seen));
			assert_string_equal(page[i].id, id_of(99 + seen, id));
			assert_int_equal(page[i].size, 10);
		}
		after = store_key_row(page[n - 1].key);
	}
	assert_int_equal(n, 0);
	assert_int_equal(seen, 50);
	assert_int_equal(store_record_next(f->s, account, 0, page, 0, NULL), 0);
	assert_int_equal(store_record_next(f->s, account, STORE_ROW_MAX, page, 7, NULL), 0);
	assert_int_equal(store_record_next(f->s, contact, 0, page, 7, NULL), 3);
}

static void test_store_record__delete_reports_what_was_there(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	char ids[4][19];
	struct store_gone gone[4];
	struct store_count count;
	size_t n = 9;
	assert_int_equal(put_many(f->s, account, 1, 1, 3, 10, 'a', NULL), 0);
	id_of(3, ids[0]);
	id_of(77, ids[1]);
	id_of(1, ids[2]);
	id_of(3, ids[3]);
	assert_int_equal(
		store_record_delete(f->s, account, (const char(*)[19])ids, 4, gone, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_string_equal(gone[0].id, ids[0]);
	assert_int_equal(gone[0].key, store_key(account, 3));
	assert_string_equal(gone[1].id, ids[2]);
	assert_int_equal(gone[1].key, store_key(account, 1));
	store_object_count(f->s, account, &count);
	assert_int_equal(count.records, 1);
	assert_int_equal(count.bytes, 10);
	assert_int_equal(listed_of(f->s, account), 1);
	assert_int_equal(
		store_record_delete(f->s, account, (const char(*)[19])ids, 0, gone, &n, NULL), 0);
	assert_int_equal(n, 0);
}

static void test_store_record__sweep_drops_other_generations(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_gone gone[10];
	size_t n = 0, total = 0;
	assert_int_equal(put_many(f->s, account, 1, 1, 100, 10, 'a', NULL), 0);
	assert_int_equal(put_many(f->s, account, 2, 1, 50, 10, 'a', NULL), 0);  /* the same */
	assert_int_equal(put_many(f->s, account, 2, 51, 5, 10, 'b', NULL), 0);  /* changed */
	assert_int_equal(put_many(f->s, account, 0, 56, 5, 10, 'b', NULL), 0);  /* keeps 1 */
	assert_int_equal(put_many(f->s, account, 2, 500, 5, 10, 'a', NULL), 0); /* new */
	do {
		assert_int_equal(store_record_sweep(f->s, account, 2, gone, 10, &n, &f->err), 0);
		for (size_t i = 0; i < n; i++) {
			char id[19];
			assert_int_equal(gone[i].key, store_key(account, 56 + total));
			assert_string_equal(gone[i].id, id_of(56 + total++, id));
		}
	} while (n == 10);
	assert_int_equal(total, 45);
	assert_int_equal(records_of(f->s, account), 60);
	assert_int_equal(listed_of(f->s, account), 60);
	assert_int_equal(store_record_sweep(f->s, account, 2, gone, 10, &n, NULL), 0);
	assert_int_equal(n, 0);
}

static void test_store_record__sweep_starts_again_after_a_newer_listing(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_gone gone[10];
	size_t n = 0;
	assert_int_equal(put_many(f->s, account, 1, 1, 5, 10, 'a', NULL), 0);
	assert_int_equal(put_many(f->s, account, 2, 6, 5, 10, 'a', NULL), 0);
	assert_int_equal(put_many(f->s, account, 1, 11, 9, 10, 'a', NULL), 0);
	assert_int_equal(store_record_sweep(f->s, account, 2, gone, 8, &n, NULL), 0);
	assert_int_equal(n, 8); /* stopped behind row 13 */
	assert_int_equal(put_many(f->s, account, 3, 6, 2, 10, 'a', NULL), 0);
	assert_int_equal(store_record_sweep(f->s, account, 2, gone, 10, &n, NULL), 0);
	assert_int_equal(n, 8); /* the two of generation 3 and the six left */
	assert_int_equal(records_of(f->s, account), 3);
}

static void test_store_record__sweep_of_nothing(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_gone gone[1];
	size_t n = 9;
	assert_int_equal(store_record_sweep(f->s, account, 1, gone, 1, &n, NULL), 0);
	assert_int_equal(n, 0);
	put_one(f->s, account, 1, 1, "x");
	assert_int_equal(store_record_sweep(f->s, account, 1, gone, 1, &n, NULL), 0);
	assert_int_equal(n, 0);
}

#define BOTH(t)                                                                                    \
	cmocka_unit_test_setup_teardown(t, setup_file, teardown),                                  \
		cmocka_unit_test_setup_teardown(t, setup_memory, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_store_record__absent_is_enoent),
		BOTH(test_store_record__all_columns_come_back),
		BOTH(test_store_record__sizes),
		BOTH(test_store_record__a_full_buffer_is_said),
		BOTH(test_store_record__put_tells_the_change),
		BOTH(test_store_record__same_follows_the_checks),
		BOTH(test_store_record__an_older_answer_does_not_replace_a_newer_one),
		BOTH(test_store_record__replaced_versions_are_kept_a_while),
		BOTH(test_store_record__one_id_in_two_objects),
		BOTH(test_store_record__bad_rows_change_nothing),
		BOTH(test_store_record__next_lists_in_row_order),
		BOTH(test_store_record__delete_reports_what_was_there),
		BOTH(test_store_record__sweep_drops_other_generations),
		BOTH(test_store_record__sweep_starts_again_after_a_newer_listing),
		BOTH(test_store_record__sweep_of_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
