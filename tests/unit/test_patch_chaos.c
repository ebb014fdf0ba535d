/* SPDX-License-Identifier: MIT */
/*
 * Saves that went wrong: the edited text cut at every byte, flipped at every bit, mixed at random,
 * and every allocation of our own failing once. Whatever comes: an error with a sentence that holds
 * nothing of the record's content, or a change that loads, has as many fields as it says, and names
 * only fields that may be written; and no byte read that is not ours (each text lies in memory of
 * exactly its size, for the address sanitizer).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include <jansson.h>

#include "forcefs/model/json_text.h"
#include "patch_fixture.h"

#define CANARY "Kanarienvogel"

static struct schema *schema;
static char *base;   /* with the canary in each text */
static char *edited; /* with changes of several kinds */

static void check_change(const struct buf *out, size_t fields)
{
	AUTO(buf) struct buf scratch;
	json_t *tree = NULL;
	const char *key;
	json_t *value;

	assert_true((fields == 0) == (out->len == 0));
	if (fields == 0) {
		return;
	}
	buf_init(&scratch, 1 << 20);
	assert_int_equal(json_text_load(out->data, out->len, &scratch, &tree, NULL), 0);
	assert_int_equal(json_object_size(tree), fields);
	json_object_foreach(tree, key, value)
	{
		const struct field *f = schema_field(schema, key);

		assert_non_null(f);
		assert_true(f->updateable);
	}
	json_decref(tree);
}

static void check_refusal(int r, const struct error *err, const struct buf *out)
{
	assert_true(r == -EINVAL || r == -EACCES || r == -EFBIG);
	assert_int_equal(err->errnum, -r);
	assert_true(err->text[0] != 0);
	assert_null(strstr(err->text, CANARY));
	assert_int_equal(out->len, 0);
	for (const char *p = err->text; *p; p++) {
		assert_true((unsigned char)*p >= 0x20);
	}
}

static int try_text(const char *bytes, size_t len)
{
	AUTO_FREE char *text = malloc(len ? len : 1);
	AUTO(buf) struct buf out;
	struct error err = {0};
	size_t fields = 0;
	int r;

	assert_non_null(text);
	memcpy(text, bytes, len);
	buf_init(&out, 1 << 20);
	r = patch_make(schema, base, strlen(base), text, len, &out, &fields, &err);
	if (r) {
		check_refusal(r, &err, &out);
	} else {
		check_change(&out, fields);
	}
	buf_clear(&out);
	patch_create(schema, text, len, &out, NULL);
	buf_clear(&out);
	const struct patch_sides sides = {
		{base, strlen(base)}, {text, len}, {base, strlen(base)}, {edited, strlen(edited)}};
	patch_merge(schema, &sides, &out, &fields, NULL);
	return r;
}

/* A cut save is always noticed: the closing bracket is missing. */
static void test_patch_chaos__cut_at_every_byte(void **state)
{
	size_t whole = strlen(edited) - 1; /* the newline may go */

	(void)state;
	for (size_t len = 0; len < whole; len++) {
		assert_int_equal(try_text(edited, len), -EINVAL);
	}
	assert_int_equal(try_text(edited, whole), 0);
}

static void test_patch_chaos__front_cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t len = 0; len <= strlen(edited); len++) {
		try_text(edited + len, strlen(edited) - len);
	}
}

/* A file system's crash leaves zeros where data should be. */
static void test_patch_chaos__zeros_from_every_byte(void **state)
{
	size_t len = strlen(edited);
	AUTO_FREE char *text = strdup(edited);

	(void)state;
	assert_non_null(text);
	while (len-- > 0) {
		text[len] = 0;
		assert_int_equal(try_text(text, strlen(edited)), -EINVAL);
	}
}

static void test_patch_chaos__every_bit_flipped(void **state)
{
	size_t len = strlen(edited);
	AUTO_FREE char *text = strdup(edited);

	(void)state;
	assert_non_null(text);
	for (size_t bit = 0; bit < len * 8; bit++) {
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		try_text(text, len);
		text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void test_patch_chaos__bytes_put_in_and_taken_out(void **state)
{
	static const char tricky[] = "{}[]\",:\\u0001#'/\n\0\xff\xc3\x80-+.eE019NInft ";
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		char text[4000];
		size_t len = strlen(edited);

		assert_true(len < sizeof(text) - 20);
		memcpy(text, edited, len);
		for (uint32_t k = next_random(&seed) % 6; k < 6; k++) {
			size_t at = next_random(&seed) % len;
			char c = tricky[next_random(&seed) % (sizeof(tricky) - 1)];
			uint32_t what = next_random(&seed) % 3;

			if (what == 0) {
				text[at] = c;
			} else if (what == 1) {
				memmove(text + at, text + at + 1, len - at - 1);
				len--;
			} else {
				memmove(text + at + 1, text + at, len - at);
				text[at] = c;
				len++;
			}
		}
		try_text(text, len);
	}
}

/* The nth allocation from now fails; negative: none. */
static long fail_at = -1;

static bool fails(void)
{
	return fail_at >= 0 && fail_at-- == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

static int run_make(struct buf *out, struct error *err)
{
	size_t fields;

	return patch_make(schema, base, strlen(base), edited, strlen(edited), out, &fields, err);
}

static int run_merge(struct buf *out, struct error *err)
{
	size_t fields;

	const struct json_slice old = {base, strlen(base)};
	const struct patch_sides sides = {old, {edited, strlen(edited)}, old, old};
	return patch_merge(schema, &sides, out, &fields, err);
}

static int run_create(struct buf *out, struct error *err)
{
	static const char text[] = "{\"Na\\u006de\":\"A\",\"Count\":1.0,\"Any\":[1,{}]}";

	return patch_create(schema, text, strlen(text), out, err);
}

static void test_patch_chaos__every_allocation_fails_once(void **state)
{
	static int (*const runs[])(struct buf *, struct error *) = {
		run_make, run_merge, run_create};

	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(*runs); i++) {
		int r = -ENOMEM;
		long n = 0;

		for (; r; n++) {
			AUTO(buf) struct buf out;
			struct error err = {0};

			buf_init(&out, 1 << 20);
			fail_at = n;
			r = runs[i](&out, &err);
			fail_at = -1;
			assert_true(r == 0 || r == -ENOMEM);
			assert_int_equal(err.errnum, -r);
			assert_true((r == 0) == (out.len > 0));
			assert_true(n < 1000);
		}
		assert_true(n > 3);
	}
}

static int set_up(void **state)
{
	AUTO_FREE char *one = replaced(patch_base, "+1 (555) 123", CANARY);
	AUTO_FREE char *two = replaced(one, "key/1", CANARY);
	AUTO_FREE char *three = NULL;
	AUTO_FREE char *four = NULL;

	(void)state;
	base = replaced(two, "****1234", CANARY);
	three = replaced(base, CANARY, "2 " CANARY);
	four = replaced(three, "42", "43");
	edited = replaced(four, "12.000Z", "13.000Z");
	return schema_parse(patch_describe, strlen(patch_describe), &schema, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	schema_unref(schema);
	free(base);
	free(edited);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patch_chaos__cut_at_every_byte),
		cmocka_unit_test(test_patch_chaos__front_cut_at_every_byte),
		cmocka_unit_test(test_patch_chaos__zeros_from_every_byte),
		cmocka_unit_test(test_patch_chaos__every_bit_flipped),
		cmocka_unit_test(test_patch_chaos__bytes_put_in_and_taken_out),
		cmocka_unit_test(test_patch_chaos__every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
