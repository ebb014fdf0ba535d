/* SPDX-License-Identifier: MIT */
/* FNV-1a against its published test vectors. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "forcefs/base/hash.h"

static void test_hash_bytes__published_vectors(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t hash;
	} rows[] = {
		{"", UINT64_C(0xcbf29ce484222325)},
		{"a", UINT64_C(0xaf63dc4c8601ec8c)},
		{"foobar", UINT64_C(0x85944171f73967e8)},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(hash_bytes(rows[i].text, strlen(rows[i].text)) == rows[i].hash);
	}
	assert_true(hash_bytes("\0", 1) != hash_bytes("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_bytes__published_vectors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
