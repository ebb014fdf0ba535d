/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "forcefs/store/store.h"
#include "fs_inode.h"

static void test_fs_inode__record_round_trip(void **state)
{
	(void)state;
	static const struct {
		uint32_t object;
		uint64_t row;
	} rows[] = {{1, 1}, {1, STORE_ROW_MAX}, {STORE_OBJECT_MAX, 1},
		{STORE_OBJECT_MAX, STORE_ROW_MAX}, {300, 1234567890123}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t key = store_key(rows[i].object, rows[i].row & STORE_ROW_MAX);
		uint64_t inode = inode_of_record(key);
		assert_int_equal(inode_kind(inode), INODE_RECORD);
		assert_true(inode_key(inode) == key);
		assert_int_equal(inode_object(inode), rows[i].object);
		assert_int_equal(inode_control(inode), CONTROL_NONE);
		uint64_t body = inode_of_body(key);
		assert_int_equal(inode_kind(body), INODE_BODY);
		assert_true(inode_key(body) == key && body != inode);
		assert_true(key_is_body(body) && !key_is_body(key));
	}
}

static void test_fs_inode__directories_and_files_of_an_object(void **state)
{
	(void)state;
	for (uint32_t object = 1; object <= STORE_OBJECT_MAX; object += 77) {
		assert_int_equal(inode_kind(inode_of_object(object)), INODE_OBJECT);
		assert_int_equal(inode_object(inode_of_object(object)), object);
		assert_int_equal(inode_kind(inode_of_describe(object)), INODE_DESCRIBE);
		assert_int_equal(inode_object(inode_of_describe(object)), object);
	}
}

static void test_fs_inode__control(void **state)
{
	(void)state;
	for (int c = CONTROL_DIR; c < CONTROL_COUNT; c++) {
		uint64_t inode = inode_of_control((enum control)c);
		assert_int_equal(inode_kind(inode), INODE_CONTROL);
		assert_int_equal(inode_control(inode), c);
	}
}

static void test_fs_inode__strange_numbers_are_none(void **state)
{
	(void)state;
	static const uint64_t rows[] = {0, 2, UINT64_MAX, UINT64_C(0x7f) << 56,
		UINT64_C(0xff) << 56, (uint64_t)INODE_CONTROL << 56,
		((uint64_t)INODE_CONTROL << 56) + CONTROL_COUNT};
	assert_int_equal(inode_kind(INODE_ROOT_NUMBER), INODE_ROOT);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(inode_kind(rows[i]), INODE_NONE);
		assert_int_equal(inode_control(rows[i]), CONTROL_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fs_inode__record_round_trip),
		cmocka_unit_test(test_fs_inode__directories_and_files_of_an_object),
		cmocka_unit_test(test_fs_inode__control),
		cmocka_unit_test(test_fs_inode__strange_numbers_are_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
