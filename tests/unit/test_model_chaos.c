/* SPDX-License-Identifier: MIT */
/*
 * Inputs that went wrong on their way: cut at every byte, flipped at every bit, mixed at random.
 * Whatever comes, the functions must answer with success or an error and touch no byte that is not
 * theirs: each input lies in memory of exactly its size, so that the address sanitizer can see.
 * And every allocation of our own fails once in turn (the linker leads malloc and its kin here);
 * jansson's do not: version 2.14 itself crashes and leaks when some of them fail.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "forcefs/model/catalog.h"
#include "forcefs/model/json_text.h"
#include "forcefs/model/names.h"
#include "forcefs/model/render.h"
#include "forcefs/model/stamp.h"

static const char describe[] =
	"{\"name\":\"Thing__c\",\"keyPrefix\":\"a01\",\"queryable\":true,\"fields\":["
	"{\"name\":\"Id\",\"type\":\"id\",\"length\":18},"
	"{\"name\":\"Name\",\"type\":\"string\",\"nameField\":true,\"length\":80},"
	"{\"name\":\"LastName\",\"type\":\"string\",\"compoundFieldName\":\"Name\"},"
	"{\"name\":\"Body\",\"type\":\"base64\"},"
	"{\"name\":\"N\",\"type\":\"double\",\"picklistValues\":[{\"value\":\"\\u00e9\"}]},"
	"{\"name\":\"X\",\"type\":\"anyType\"},"
	"{\"name\":\"SystemModstamp\",\"type\":\"datetime\",\"filterable\":true}]}";

static const char objects[] =
	"{\"encoding\":\"UTF-8\",\"maxBatchSize\":200,\"sobjects\":["
	"{\"name\":\"Account\",\"label\":\"Acc\\\"ount\",\"keyPrefix\":\"001\",\"queryable\":true},"
	"{\"name\":\"B__c\",\"label\":null,\"keyPrefix\":null,\"urls\":{\"a\":[1,{}]}}]}";

static const char record[] =
	"{\"attributes\":{\"type\":\"Thing__c\",\"n\":[1,2,{}]},\"Id\":\"001dM00003jU9GxQAK\","
	"\"LastName\":\"A \\\"q\\\" \\\\ \\u00e9\xc3\xa9 \\ud83d\\ude00 \\u0000\",\"N\":-1.50E+7,"
	"\"X\":[true,null,{\"a\":\"\\u0001#1\",\"b\":1.0E7}],"
	"\"SystemModstamp\":\"2026-07-01T10:11:12.000+0000\"}";

static struct schema *schema;

static int ignore_member(void *payload, struct json_slice key, struct json_slice value)
{
	size_t *sum = payload;

	for (size_t i = 0; i < key.len; i++) {
		*sum += (unsigned char)key.text[i];
	}
	for (size_t i = 0; i < value.len; i++) {
		*sum += (unsigned char)value.text[i];
	}
	return 0;
}

static int ignore_element(void *payload, struct json_slice value)
{
	return ignore_member(payload, value, value);
}

/* Success that is no success would be as bad as a crash: what was rendered must load. */
static void check_rendered(const struct buf *out)
{
	AUTO(buf) struct buf scratch;
	json_t *value = NULL;

	buf_init(&scratch, 1 << 20);
	assert_int_equal(json_text_load(out->data, out->len, &scratch, &value, NULL), 0);
	assert_int_equal(json_object_size(value), schema->field_count);
	json_decref(value);
}

static void try_json(const char *text, size_t len)
{
	AUTO(buf) struct buf scratch;
	AUTO(buf) struct buf out;
	json_t *value = NULL;
	size_t sum = 0;

	buf_init(&scratch, 1 << 20);
	buf_init(&out, 1 << 20);
	if (json_text_load(text, len, &scratch, &value, NULL) == 0) {
		assert_int_equal(json_text_dump(value, &out), 0);
		json_decref(value);
		value = NULL;
		assert_int_equal(json_text_load(out.data, out.len, &scratch, &value, NULL), 0);
		json_decref(value);
	}
	json_text_members(text, len, ignore_member, &sum, NULL);
	json_text_elements(text, len, ignore_element, &sum, NULL);
	buf_clear(&out);
	json_text_indent(text, len, &out, NULL);
}

static void try_all(const char *bytes, size_t len)
{
	struct catalog *c = NULL;
	struct schema *s = NULL;
	struct error err = {0};
	struct rendered r;
	AUTO(buf) struct buf scratch;
	AUTO(buf) struct buf out;
	AUTO_FREE char *text = malloc(len ? len : 1);
	int64_t ms;
	struct id id;

	assert_non_null(text);
	memcpy(text, bytes, len);
	try_json(text, len);
	if (catalog_parse(text, len, &c, &err) == 0) {
		catalog_free(c);
	}
	if (schema_parse(text, len, &s, &err) == 0) {
		schema_unref(s);
	}
	buf_init(&scratch, 1 << 20);
	buf_init(&out, 1 << 20);
	if (render_record(schema, text, len, &scratch, &out, &r, &err) == 0) {
		check_rendered(&out);
	}
	stamp_parse(text, len, &ms);
	id_parse(text, len, &id);
}

static const char *const seeds[] = {describe, objects, record};

static void test_chaos__cut_at_every_byte(void **state)
{
	(void)state;
	for (size_t s = 0; s < sizeof(seeds) / sizeof(*seeds); s++) {
		for (size_t len = 0; len <= strlen(seeds[s]); len++) {
			try_all(seeds[s], len);
			try_all(seeds[s] + len, strlen(seeds[s]) - len);
		}
	}
}

/* A cut reply is never taken for a whole one. */
static void test_chaos__cut_is_noticed(void **state)
{
	(void)state;
	AUTO(buf) struct buf scratch;
	AUTO(buf) struct buf out;

	buf_init(&scratch, 1 << 20);
	buf_init(&out, 1 << 20);
	for (size_t len = 0; len < strlen(record); len++) {
		struct rendered r;

		assert_int_equal(
			render_record(schema, record, len, &scratch, &out, &r, NULL), -EPROTO);
	}
	for (size_t len = 0; len < strlen(objects); len++) {
		struct catalog *c = NULL;

		assert_int_equal(catalog_parse(objects, len, &c, NULL), -EPROTO);
	}
	for (size_t len = 0; len < strlen(describe); len++) {
		struct schema *s = NULL;

		assert_int_equal(schema_parse(describe, len, &s, NULL), -EPROTO);
	}
}

static void test_chaos__every_bit_flipped(void **state)
{
	(void)state;
	for (size_t s = 0; s < sizeof(seeds) / sizeof(*seeds); s++) {
		size_t len = strlen(seeds[s]);
		AUTO_FREE char *text = strdup(seeds[s]);

		assert_non_null(text);
		for (size_t bit = 0; bit < len * 8; bit++) {
			text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
			try_all(text, len);
			text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
		}
	}
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void test_chaos__bytes_put_in_and_taken_out(void **state)
{
	(void)state;
	static const char tricky[] = "{}[]\",:\\u0001#\n\0\xff\xc3\x80-+.eE019NInft ";
	uint32_t seed = 1;

	for (int round = 0; round < 3000; round++) {
		const char *from = seeds[next_random(&seed) % 3];
		char text[2000];
		size_t len = strlen(from);

		memcpy(text, from, len);
		for (uint32_t k = next_random(&seed) % 6; k < 6; k++) {
			size_t at = next_random(&seed) % len;
			char c = tricky[next_random(&seed) % (sizeof(tricky) - 1)];

			if (next_random(&seed) % 2) {
				text[at] = c;
			} else if (next_random(&seed) % 2 && len > 2) {
				memmove(text + at, text + at + 1, len - at - 1);
				len--;
			} else if (len < sizeof(text) - 1) {
				memmove(text + at + 1, text + at, len - at);
				text[at] = c;
				len++;
			}
		}
		try_all(text, len);
	}
}

static void test_chaos__names(void **state)
{
	(void)state;
	static const char name[] = "001dM00003jU9GxQAK.json";

	for (size_t len = 0; len < sizeof(name); len++) {
		for (int c = 1; c < 256; c++) {
			AUTO_FREE char *text = strndup(name, len);
			struct id id;

			assert_non_null(text);
			if (len > 0) {
				text[len - 1] = (char)c;
			}
			record_name_parse(text, "001", &id);
		}
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
void *__real_reallocarray(void *p, size_t count, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t len);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_reallocarray(void *p, size_t count, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t len);

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

void *__wrap_reallocarray(void *p, size_t count, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, count, size);
}

char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t len)
{
	return fails() ? NULL : __real_strndup(s, len);
}

static int run_catalog(void)
{
	struct catalog *c = NULL;
	struct error err = {0};
	int r = catalog_parse(objects, strlen(objects), &c, &err);

	assert_int_equal(err.errnum, -r);
	catalog_free(c);
	return r;
}

static int run_schema(void)
{
	struct schema *s = NULL;
	struct error err = {0};
	int r = schema_parse(describe, strlen(describe), &s, &err);

	assert_int_equal(err.errnum, -r);
	schema_unref(s);
	return r;
}

static int run_render(void)
{
	AUTO(buf) struct buf scratch;
	AUTO(buf) struct buf out;
	struct rendered ret;
	struct error err = {0};
	int r;

	buf_init(&scratch, 1 << 20);
	buf_init(&out, 1 << 20);
	r = render_record(schema, record, strlen(record), &scratch, &out, &ret, &err);
	assert_int_equal(err.errnum, -r);
	assert_true(r == 0 || out.len == 0);
	return r;
}

static int run_indent(void)
{
	AUTO(buf) struct buf out;
	struct error err = {0};
	int r;

	buf_init(&out, 1 << 20);
	r = json_text_indent(describe, strlen(describe), &out, &err);
	assert_int_equal(err.errnum, -r);
	return r;
}

static void test_chaos__every_allocation_fails_once(void **state)
{
	(void)state;
	static int (*const runs[])(void) = {run_catalog, run_schema, run_render, run_indent};

	for (size_t i = 0; i < sizeof(runs) / sizeof(*runs); i++) {
		int r = -ENOMEM;
		long n = 0;

		for (; r; n++) {
			fail_at = n;
			r = runs[i]();
			fail_at = -1;
			assert_true(r == 0 || r == -ENOMEM);
			assert_true(n < 100000);
		}
		assert_true(n > 3);
	}
}

static int set_up(void **state)
{
	(void)state;
	return schema_parse(describe, strlen(describe), &schema, NULL);
}

static int tear_down(void **state)
{
	(void)state;
	schema_unref(schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chaos__cut_at_every_byte),
		cmocka_unit_test(test_chaos__cut_is_noticed),
		cmocka_unit_test(test_chaos__every_bit_flipped),
		cmocka_unit_test(test_chaos__bytes_put_in_and_taken_out),
		cmocka_unit_test(test_chaos__names),
		cmocka_unit_test(test_chaos__every_allocation_fails_once),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
