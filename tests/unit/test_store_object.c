/* SPDX-License-Identifier: MIT */
/* Documents and objects of the store; each test runs on a file and in memory. */
#include "store_fixture.h"

static void test_store_doc__absent_is_enoent(void **state)
{
	struct fixture *f = *state;
	struct store_doc d = {0};
	assert_int_equal(store_doc_get(f->s, "describe/None", &d, &f->err), -ENOENT);
	assert_int_equal(store_doc_touch(f->s, "describe/None", 5, &f->err), -ENOENT);
	assert_string_equal(f->err.text, "");
}

static void test_store_doc__put_get_replace(void **state)
{
	struct fixture *f = *state;
	char text[] = "{\"a\":\0 1}";
	struct store_doc d = {.data = text, .len = 9, .modified = "Mon, 01 Jan", .checked_ms = 77};
	struct store_doc got;
	assert_int_equal(store_doc_put(f->s, "d", &d, &f->err), 0);
	assert_int_equal(store_doc_get(f->s, "d", &got, &f->err), 0);
	assert_int_equal(got.len, 9);
	assert_memory_equal(got.data, text, 10);
	assert_string_equal(got.modified, "Mon, 01 Jan");
	assert_int_equal(got.checked_ms, 77);
	store_doc_release(&got);
	assert_null(got.data);
	struct store_doc empty = {.data = text, .len = 0, .checked_ms = 78};
	assert_int_equal(store_doc_put(f->s, "d", &empty, &f->err), 0);
	assert_int_equal(store_doc_get(f->s, "d", &got, &f->err), 0);
	assert_int_equal(got.len, 0);
	assert_string_equal(got.data, "");
	assert_string_equal(got.modified, "");
	store_doc_release(&got);
}

static void test_store_doc__touch_sets_only_the_time(void **state)
{
	struct fixture *f = *state;
	char text[] = "body";
	struct store_doc d = {.data = text, .len = 4, .modified = "m", .checked_ms = 1};
	struct store_doc got;
	assert_int_equal(store_doc_put(f->s, "d", &d, NULL), 0);
	assert_int_equal(store_doc_touch(f->s, "d", 99, NULL), 0);
	assert_int_equal(store_doc_get(f->s, "d", &got, NULL), 0);
	assert_int_equal(got.checked_ms, 99);
	assert_string_equal(got.modified, "m");
	assert_string_equal(got.data, "body");
	store_doc_release(&got);
}

static void test_store_doc__large(void **state)
{
	struct fixture *f = *state;
	size_t len = 3 << 20;
	AUTO_FREE char *text = malloc(len + 1);
	assert_non_null(text);
	memset(text, 'd', len);
	struct store_doc d = {.data = text, .len = len}, got;
	assert_int_equal(store_doc_put(f->s, "big", &d, NULL), 0);
	assert_int_equal(store_doc_get(f->s, "big", &got, NULL), 0);
	assert_int_equal(got.len, len);
	assert_memory_equal(got.data, text, len);
	store_doc_release(&got);
}

static void test_store_object__new_is_zero(void **state)
{
	struct fixture *f = *state;
	struct store_object o, again, zero = {0};
	memset(&o, 0x55, sizeof(o));
	assert_int_equal(store_object_get(f->s, "Account", &o, &f->err), 0);
	assert_string_equal(o.name, "Account");
	assert_in_range(o.index, 1, STORE_OBJECT_MAX);
	assert_int_equal(o.listed_ms | o.checked_ms | o.fill_ms, 0);
	assert_int_equal(o.generation, 0);
	assert_int_equal(o.schema_hash, 0);
	assert_null(o.next);
	assert_int_equal(o.verdict, 0);
	assert_string_equal(o.verdict_code, zero.verdict_code);
	assert_string_equal(o.verdict_text, zero.verdict_text);
	assert_int_equal(store_object_get(f->s, "Account", &again, &f->err), 0);
	assert_int_equal(again.index, o.index);
	assert_int_not_equal(object_of(f->s, "Contact"), o.index);
}

static void check_loaded(struct fixture *f, const struct store_object *o)
{
	AUTO(store_object) struct store_object got;
	assert_int_equal(store_object_get(f->s, o->name, &got, &f->err), 0);
	assert_int_equal(got.index, o->index);
	assert_int_equal(got.listed_ms, o->listed_ms);
	assert_int_equal(got.checked_ms, o->checked_ms);
	assert_int_equal(got.fill_ms, o->fill_ms);
	assert_int_equal(got.generation, o->generation);
	assert_true(got.schema_hash == o->schema_hash);
	assert_string_equal(got.next, o->next);
	assert_int_equal(got.verdict, o->verdict);
	assert_string_equal(got.verdict_code, o->verdict_code);
	assert_string_equal(got.verdict_text, o->verdict_text);
}

static void test_store_object__saved_as_it_is(void **state)
{
	struct fixture *f = *state;
	struct store_object o;
	char next[] = "/query/01g-2000";
	assert_int_equal(store_object_get(f->s, "Account", &o, &f->err), 0);
	o.listed_ms = INT64_MAX;
	o.checked_ms = -3;
	o.fill_ms = 1700000000001;
	o.generation = UINT32_MAX;
	o.schema_hash = UINT64_MAX - 5;
	o.next = next;
	o.verdict = 95;
	strcpy(o.verdict_code, "MALFORMED_QUERY");
	memset(o.verdict_text, 't', sizeof(o.verdict_text) - 1);
	assert_int_equal(store_object_save(f->s, &o, &f->err), 0);
	check_loaded(f, &o);
	if (*f->dir) {
		fixture_reopen(f);
		check_loaded(f, &o);
	}
	o.next = NULL;
	assert_int_equal(store_object_save(f->s, &o, &f->err), 0);
	assert_int_equal(store_object_get(f->s, "Account", &o, &f->err), 0);
	assert_null(o.next);
}

static void test_store_object__unknown_or_badly_named(void **state)
{
	struct fixture *f = *state;
	char longest[82];
	struct store_object o = {.index = 77};
	assert_int_equal(store_object_save(f->s, &o, &f->err), -ENOENT);
	assert_int_equal(store_object_get(f->s, "", &o, &f->err), -EINVAL);
	memset(longest, 'n', 81);
	longest[81] = '\0';
	assert_int_equal(store_object_get(f->s, longest, &o, &f->err), -EINVAL);
	longest[80] = '\0';
	assert_int_equal(store_object_get(f->s, longest, &o, &f->err), 0);
	assert_string_equal(o.name, longest);
}

static void test_store_object__next_has_a_limit(void **state)
{
	struct fixture *f = *state;
	struct store_object o;
	AUTO_FREE char *next = malloc(70000);
	assert_int_equal(store_object_get(f->s, "Account", &o, &f->err), 0);
	memset(next, 'n', 69999);
	next[69999] = '\0';
	o.next = next;
	assert_int_equal(store_object_save(f->s, &o, &f->err), -EFBIG);
}

static void test_store_object__counts_follow(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_count n;
	store_object_count(f->s, account + 50, &n);
	assert_int_equal(n.records | n.bytes, 0);
	put_one(f->s, account, 1, 1, "12345");
	put_one(f->s, account, 1, 2, "123");
	put_one(f->s, account, 1, 1, "1");
	store_object_count(f->s, account, &n);
	assert_int_equal(n.records, 2);
	assert_int_equal(n.bytes, 4);
	if (*f->dir) {
		fixture_reopen(f);
		store_object_count(f->s, account, &n);
		assert_int_equal(n.records, 2);
		assert_int_equal(n.bytes, 4);
	}
}

static void test_store_object__many(void **state)
{
	struct fixture *f = *state;
	char name[32];
	for (unsigned i = 1; i <= 1500; i++) {
		snprintf(name, sizeof(name), "Object_%u__c", i);
		assert_int_equal(object_of(f->s, name), i);
	}
	store_object_used(f->s, 1500);
	store_object_used(f->s, 1501);
}

#define BOTH(t)                                                                                    \
	cmocka_unit_test_setup_teardown(t, setup_file, teardown),                                  \
		cmocka_unit_test_setup_teardown(t, setup_memory, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_store_doc__absent_is_enoent),
		BOTH(test_store_doc__put_get_replace),
		BOTH(test_store_doc__touch_sets_only_the_time),
		BOTH(test_store_doc__large),
		BOTH(test_store_object__new_is_zero),
		BOTH(test_store_object__saved_as_it_is),
		BOTH(test_store_object__unknown_or_badly_named),
		BOTH(test_store_object__next_has_a_limit),
		BOTH(test_store_object__counts_follow),
		BOTH(test_store_object__many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
