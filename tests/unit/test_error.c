/* SPDX-License-Identifier: MIT */
/* The error value: filling, prefixing, cutting to size. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "forcefs/base/error.h"

static void test_error_set__fills_and_returns_the_negative(void **state)
{
	(void)state;
	struct error e;
	memset(&e, 'x', sizeof(e));
	assert_int_equal(error_set(&e, EACCES, "no %s for %d", "entry", 7), -EACCES);
	assert_int_equal(e.errnum, EACCES);
	assert_int_equal(e.http_status, 0);
	assert_string_equal(e.code, "");
	assert_string_equal(e.fields, "");
	assert_string_equal(e.text, "no entry for 7");
}

static void test_error_set__accepts_null(void **state)
{
	(void)state;
	assert_int_equal(error_set(NULL, EIO, "x"), -EIO);
	assert_int_equal(error_set_code(NULL, EIO, 500, "X", "x"), -EIO);
	assert_int_equal(error_errno(NULL, EIO, "x"), -EIO);
	assert_int_equal(error_prefix(NULL, -EIO, "x"), -EIO);
}

static void test_error_set_code__keeps_code_and_status(void **state)
{
	(void)state;
	struct error e;
	assert_int_equal(
		error_set_code(&e, EDQUOT, 403, "REQUEST_LIMIT_EXCEEDED", "full"), -EDQUOT);
	assert_int_equal(e.http_status, 403);
	assert_string_equal(e.code, "REQUEST_LIMIT_EXCEEDED");
	assert_int_equal(error_set_code(&e, EIO, 500, NULL, "bad"), -EIO);
	assert_string_equal(e.code, "");
}

static void test_error_set__arguments_may_point_into_the_error(void **state)
{
	(void)state;
	struct error e;
	error_set_code(&e, EIO, 500, "CODE", "inner");
	error_set_code(&e, EIO, e.http_status, e.code, "outer (%s)", e.text);
	assert_string_equal(e.text, "outer (inner)");
	assert_string_equal(e.code, "CODE");
	assert_int_equal(e.http_status, 500);
}

static void test_error_prefix__goes_in_front_and_keeps_the_rest(void **state)
{
	(void)state;
	struct error e;
	int r = error_set_code(&e, EINVAL, 400, "INVALID_FIELD", "no such field");
	assert_int_equal(error_prefix(&e, r, "saving %s", "Account"), -EINVAL);
	assert_string_equal(e.text, "saving Account: no such field");
	assert_string_equal(e.code, "INVALID_FIELD");
	assert_int_equal(e.http_status, 400);
}

static void test_error_errno__appends_the_reason(void **state)
{
	(void)state;
	struct error e;
	assert_int_equal(error_errno(&e, ENOENT, "opening %s", "x"), -ENOENT);
	assert_string_equal(e.text, "opening x: No such file or directory");
}

static void test_error_text__drops_the_newline_at_its_end(void **state)
{
	(void)state;
	struct error e;
	error_set(&e, EIO, "a\nb\n\n");
	assert_string_equal(e.text, "a\nb");
}

/* Whatever the length at which the text is cut, no character may be cut in two. */
static void test_error_text__is_cut_between_characters(void **state)
{
	(void)state;
	static const char *const characters[] = {"é", "€", "😀"};
	for (size_t c = 0; c < 3; c++) {
		size_t len = strlen(characters[c]);
		for (size_t pad = 0; pad < 4; pad++) {
			char long_text[1200] = "aaaa";
			size_t n = pad;
			while (n + len < sizeof(long_text)) {
				memcpy(long_text + n, characters[c], len);
				n += len;
			}
			long_text[n] = '\0';
			struct error e;
			error_set(&e, EIO, "%s", long_text);
			size_t kept = strlen(e.text);
			assert_true(kept > sizeof(e.text) - 1 - len && kept < sizeof(e.text));
			assert_int_equal((kept - pad) % len, 0);
			error_prefix(&e, -EIO, "p");
			assert_memory_equal(e.text, "p: ", 3);
			assert_int_equal((strlen(e.text) - 3 - pad) % len, 0);
			error_set_code(&e, EIO, 0, long_text, "x");
			assert_int_equal((strlen(e.code) - pad) % len, 0);
		}
	}
}

static void test_error_name__knows_names(void **state)
{
	(void)state;
	static const struct {
		int errnum;
		const char *name;
	} rows[] = {{ENOENT, "ENOENT"}, {EAGAIN, "EAGAIN"}, {ESTALE, "ESTALE"}, {EDQUOT, "EDQUOT"},
		{EHOSTUNREACH, "EHOSTUNREACH"}, {0, "E?"}, {-2, "E?"}, {99999, "E?"}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(error_name(rows[i].errnum), rows[i].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_set__fills_and_returns_the_negative),
		cmocka_unit_test(test_error_set__accepts_null),
		cmocka_unit_test(test_error_set_code__keeps_code_and_status),
		cmocka_unit_test(test_error_set__arguments_may_point_into_the_error),
		cmocka_unit_test(test_error_prefix__goes_in_front_and_keeps_the_rest),
		cmocka_unit_test(test_error_errno__appends_the_reason),
		cmocka_unit_test(test_error_text__drops_the_newline_at_its_end),
		cmocka_unit_test(test_error_text__is_cut_between_characters),
		cmocka_unit_test(test_error_name__knows_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
