/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sf_priv.h"

#define BIG_BYTES (INT64_C(36000000) + 1)

/* Bytes that are a function of their place, given in uneven pieces. */
static ssize_t give(void *payload, uint64_t off, void *buf, size_t size)
{
	unsigned char *out = buf;
	size_t n = size < 1000 ? size : 1000;
	(void)payload;
	for (size_t i = 0; i < n; i++) {
		out[i] = (unsigned char)((off + i) * 31 + (off + i) / 256);
	}
	return (ssize_t)n;
}

static ssize_t give_nothing(void *payload, uint64_t off, void *buf, size_t size)
{
	(void)payload, (void)off, (void)buf, (void)size;
	return 0;
}

/* The whole body, fetched in pieces of this size. New, 0-ended. */
static char *collect(const struct upload *u, size_t piece)
{
	size_t len = (size_t)u->source.len, at = 0;
	char *all = calloc(1, len + piece + 1);
	while (at < len) {
		ssize_t n = u->source.give(u->source.payload, at, all + at, piece);
		assert_true(n > 0);
		at += (size_t)n;
	}
	assert_int_equal(at, len);
	assert_int_equal(u->source.give(u->source.payload, at, all + at, piece), 0);
	return all;
}

static int value_of(char c)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	return (int)(strchr(letters, c) - letters);
}

static void check_base64(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		const char *group = text + i / 3 * 4;
		unsigned v = (unsigned)value_of(group[0]) << 18 | (unsigned)value_of(group[1])
									  << 12;
		v |= group[2] == '=' ? 0 : (unsigned)value_of(group[2]) << 6;
		v |= group[3] == '=' ? 0 : (unsigned)value_of(group[3]);
		unsigned char want;
		give(NULL, i, &want, 1);
		assert_int_equal((v >> (16 - 8 * (i % 3))) & 255, want);
	}
}

static void test_upload__json_with_base64(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 1000, 65535, 65536, 200001};
	static const size_t pieces[] = {1, 2, 3, 5, 7, 16384, 65536};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		for (size_t j = sizes[i] > 1000 ? 5 : 0; j < sizeof(pieces) / sizeof(pieces[0]);
			j++) {
			const struct remote_giver content = {
				.len = (int64_t)sizes[i], .give = give};
			AUTO(upload) struct upload u = {0};
			assert_int_equal(upload_init(&u, "Body", "a.bin", &content, NULL), 0);
			assert_string_equal(u.type, "application/json");
			char *all = collect(&u, pieces[j]);
			assert_memory_equal(all, "{\"Body\":\"", 9);
			check_base64(all + 9, sizes[i]);
			assert_string_equal(all + 9 + (sizes[i] + 2) / 3 * 4, "\"}");
			free(all);
		}
	}
}

static void test_upload__a_form_beyond_what_json_may_hold(void **state)
{
	(void)state;
	const struct remote_giver content = {.len = BIG_BYTES, .give = give};
	AUTO(upload) struct upload u = {0};
	assert_int_equal(upload_init(&u, "Body", "a.bin", &content, NULL), 0);
	assert_non_null(strstr(u.type, "multipart/form-data; boundary=\""));
	char *all = collect(&u, 65536);
	char *part = strstr(all, "name=\"Body\"; filename=\"a.bin\"\r\n");
	assert_non_null(part);
	char *begin = strstr(part, "\r\n\r\n") + 4;
	for (size_t i = 0; i < (size_t)BIG_BYTES; i += 9973) {
		unsigned char want;
		give(NULL, i, &want, 1);
		assert_int_equal((unsigned char)begin[i], want);
	}
	char *boundary = strchr(u.type, '"') + 1;
	assert_memory_equal(begin + BIG_BYTES, "\r\n--", 4);
	assert_memory_equal(begin + BIG_BYTES + 4, boundary, 32);
	assert_string_equal(begin + BIG_BYTES + 36, "--\r\n");
	free(all);
}

static void test_upload__too_big_is_refused(void **state)
{
	(void)state;
	const struct remote_giver content = {.len = INT64_C(600) << 20, .give = give};
	AUTO(upload) struct upload u = {0};
	assert_int_equal(upload_init(&u, "Body", "a.bin", &content, NULL), -EFBIG);
}

static void test_upload__a_content_that_shrinks_is_an_error(void **state)
{
	(void)state;
	char piece[16];
	const struct remote_giver content = {.len = 10, .give = give_nothing};
	AUTO(upload) struct upload u = {0};
	assert_int_equal(upload_init(&u, "Body", "a.bin", &content, NULL), 0);
	assert_int_equal(u.source.give(u.source.payload, 9, piece, sizeof(piece)), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upload__json_with_base64),
		cmocka_unit_test(test_upload__a_form_beyond_what_json_may_hold),
		cmocka_unit_test(test_upload__too_big_is_refused),
		cmocka_unit_test(test_upload__a_content_that_shrinks_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
