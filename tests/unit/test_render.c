/* SPDX-License-Identifier: MIT */
/* Records to files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "forcefs/model/json_text.h"
#include "forcefs/model/render.h"
#include "recorded.h"

#define ID "001dM00003jU9GxQAK"

static const char describe[] =
	"{\"name\":\"Thing__c\",\"fields\":["
	"{\"name\":\"Id\",\"type\":\"id\"},{\"name\":\"IsDeleted\",\"type\":\"boolean\"},"
	"{\"name\":\"Name\",\"type\":\"string\",\"nameField\":true},"
	"{\"name\":\"A\",\"type\":\"string\"},{\"name\":\"B\",\"type\":\"anyType\"},"
	"{\"name\":\"SystemModstamp\",\"type\":\"datetime\"}]}";

struct fixture {
	struct schema *schema;
	struct buf scratch, out;
};

static int set_up(void **state)
{
	static struct fixture f;

	buf_init(&f.scratch, 1 << 20);
	buf_init(&f.out, 1 << 20);
	*state = &f;
	return schema_parse(describe, strlen(describe), &f.schema, NULL);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	schema_unref(f->schema);
	buf_release(&f->scratch);
	buf_release(&f->out);
	return 0;
}

static int render(struct fixture *f, const char *json, struct rendered *ret, struct error *err)
{
	buf_clear(&f->out);
	return render_record(f->schema, json, strlen(json), &f->scratch, &f->out, ret, err);
}

static void test_render_record__the_whole_file(void **state)
{
	struct fixture *f = *state;
	struct rendered r;

	assert_int_equal(render(f,
				 "{\"attributes\":{\"type\":\"Thing__c\",\"url\":\"/x\"},"
				 "\"SystemModstamp\":\"2026-07-01T10:11:12.000+0000\",\"B\":1.50,"
				 "\"Name\":\"Acme\",\"Id\":\"001dM00003jU9Gx\",\"IsDeleted\":true,"
				 "\"Unknown\":{\"Name\":\"x\"}}",
				 &r, NULL),
		0);
	assert_string_equal(buf_str(&f->out),
		"{\n"
		"  \"Id\": \"" ID "\",\n"
		"  \"Name\": \"Acme\",\n"
		"  \"A\": null,\n"
		"  \"B\": 1.50,\n"
		"  \"IsDeleted\": true,\n"
		"  \"SystemModstamp\": \"2026-07-01T10:11:12.000+0000\"\n"
		"}\n");
	assert_string_equal(r.id.text, ID);
	assert_int_equal(r.stamp_ms, INT64_C(1782900672000));
	assert_true(r.deleted);
}

/* How a value that is sent stands in the file. */
static void test_render_record__values(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *sent, *shown;
	} table[] = {
		{"null", "null"},
		{"true", "true"},
		{"false", "false"},
		{"\"\"", "\"\""},
		/* numbers exactly */
		{"0.1", "0.1"},
		{"150000.0", "150000.0"},
		{"1.0E7", "1.0E7"},
		{"-0.0", "-0.0"},
		{"123456789012345678", "123456789012345678"},
		{"NaN", "NaN"},
		{"-Infinity", "-Infinity"},
		/* one way to write a text */
		{"\"a/b\"", "\"a/b\""},
		{"\"a\\/b\"", "\"a/b\""},
		{"\"\\u0041bc\"", "\"Abc\""},
		{"\"line 1\\r\\nline 2\"", "\"line 1\\r\\nline 2\""},
		{"\"say \\\"hi\\\" \\\\ \"", "\"say \\\"hi\\\" \\\\ \""},
		{"\"tab\\u0009\\b\\f\"", "\"tab\\t\\b\\f\""},
		{"\"nul \\u0000 \\u001b\"", "\"nul \\u0000 \\u001B\""},
		{"\"\\u007f\x7f\"", "\"\x7f\x7f\""},
		{"\"caf\\u00e9 caf\xc3\xa9\"", "\"caf\xc3\xa9 caf\xc3\xa9\""},
		{"\"\\ud83d\\ude00 \xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\x80 \xf0\x9f\x98\x80\""},
		{"\"\\u2028\xe2\x80\xa8\"", "\"\xe2\x80\xa8\xe2\x80\xa8\""},
		{"\"\\u003cb\\u003e &lt; '\"", "\"<b> &lt; '\""},
		{"\"\\u0001#1\"", "\"\\u0001#1\""},
		{"\"\\u0001\"", "\"\\u0001\""},
		/* nested */
		{"{}", "{}"},
		{"[ ]", "[]"},
		{"{ \"z\" : [ 1.0E7 , \"\\u00e9\" ] ,\n \"a\" : { \"b\" : null } }",
			"{\"z\":[1.0E7,\"\xc3\xa9\"],\"a\":{\"b\":null}}"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char json[500], wanted[500];
		struct rendered r;
		struct error err = {0};

		snprintf(json, sizeof(json), "{\"Id\":\"" ID "\",\"B\":%s}", table[i].sent);
		snprintf(wanted, sizeof(wanted),
			"{\n  \"Id\": \"" ID
			"\",\n  \"Name\": null,\n  \"A\": null,\n  \"B\": %s,\n"
			"  \"IsDeleted\": null,\n  \"SystemModstamp\": null\n}\n",
			table[i].shown);
		if (render(f, json, &r, &err)) {
			fail_msg("%s: %s", table[i].sent, err.text);
		}
		assert_string_equal(buf_str(&f->out), wanted);
		assert_int_equal(r.stamp_ms, 0);
		assert_false(r.deleted);
		/* what is shown, sent, is shown again */
		snprintf(json, sizeof(json), "{\"B\":%s,\"Id\":\"" ID "\"}", table[i].shown);
		assert_int_equal(render(f, json, &r, NULL), 0);
		assert_string_equal(buf_str(&f->out), wanted);
	}
}

static void test_render_record__refuses(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *json, *says;
	} table[] = {
		{"", "cut short"},
		{"null", "object"},
		{"[]", "object"},
		{"{", "cut short"},
		{"{}", "Id"},
		{"{\"Id\":null}", "Id"},
		{"{\"Id\":7}", "Id"},
		{"{\"Id\":\"001\"}", "Id"},
		{"{\"Id\":\"001dM00003jU9GxQAL\"}", "Id"},
		{"{\"Id\":{\"Id\":\"" ID "\"}}", "Id"},
		{"{\"Id\":\"" ID "\"", "cut short"},
		{"{\"Id\":\"" ID "\"} x", "follows"},
		{"{\"Id\":\"" ID "\",\"Id\":\"" ID "\"}", "Id stands there twice"},
		{"{\"Id\":\"" ID "\",\"N\\u0061me\":1}", "escapes"},
		{"{\"Id\":\"" ID "\",\"Name\":\"\xff\"}", "field Name"},
		{"{\"Id\":\"" ID "\",\"Name\":\"\xc3\"}", "UTF-8"},
		{"{\"Id\":\"" ID "\",\"Name\":\"a\nb\"}", "field Name"},
		{"{\"Id\":\"" ID "\",\"Name\":\"\\ud83d\"}", "field Name"},
		{"{\"Id\":\"" ID "\",\"Name\":\"\\q\"}", "field Name"},
		{"{\"Id\":\"" ID "\",\"B\":01}", "field B"},
		{"{\"Id\":\"" ID "\",\"B\":yes}", "field B"},
		{"{\"Id\":\"" ID "\",\"B\":[1,]}", "field B"},
		{"{\"Id\":\"" ID "\",\"B\":{\"x\":1,\"x\":2}}", "field B"},
		{"{\"Id\":\"" ID "\",\"SystemModstamp\":\"yesterday\"}", "SystemModstamp"},
		{"{\"Id\":\"" ID "\",\"SystemModstamp\":7}", "SystemModstamp"},
		{"{\"Id\":\"" ID "\",\"SystemModstamp\":\"\"}", "SystemModstamp"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct rendered r = {.stamp_ms = 42};
		struct error err = {0};

		if (render(f, table[i].json, &r, &err) != -EPROTO) {
			fail_msg("%s is rendered", table[i].json);
		}
		assert_int_equal(err.errnum, EPROTO);
		if (!strstr(err.text, table[i].says)) {
			fail_msg("%s: %s", table[i].json, err.text);
		}
		assert_int_equal(r.stamp_ms, 42);
		assert_int_equal(f->out.len, 0);
	}
	struct rendered r;
	assert_int_equal(
		render_record(f->schema, NULL, 0, &f->scratch, &f->out, &r, NULL), -EPROTO);
}

/* A key with a NUL in it is no field's name, however the name begins. */
static void test_render_record__keys_are_bytes(void **state)
{
	struct fixture *f = *state;
	static const char json[] = "{\"Id\":\"" ID "\",\"Name\0Name\":7}";
	struct rendered r;

	buf_clear(&f->out);
	assert_int_equal(
		render_record(f->schema, json, sizeof(json) - 1, &f->scratch, &f->out, &r, NULL),
		0);
	assert_non_null(strstr(buf_str(&f->out), "\"Name\": null"));
}

static void test_render_record__appends_or_leaves_as_it_was(void **state)
{
	struct fixture *f = *state;
	struct rendered r;
	struct error err = {0};
	AUTO(buf) struct buf small;

	buf_init(&small, 100);
	assert_int_equal(buf_add_str(&small, "before"), 0);
	assert_int_equal(
		render_record(f->schema, "{\"Id\":\"" ID "\"}", 27, &f->scratch, &small, &r, &err),
		-EFBIG);
	assert_string_equal(buf_str(&small), "before");
	assert_non_null(strstr(err.text, "100"));
	buf_clear(&f->out);
	assert_int_equal(buf_add_str(&f->out, "before"), 0);
	assert_int_equal(
		render_record(f->schema, "{\"Id\":1}", 8, &f->scratch, &f->out, &r, NULL), -EPROTO);
	assert_string_equal(buf_str(&f->out), "before");
	assert_int_equal(
		render_record(f->schema, "{\"Id\":\"" ID "\"}", 27, &f->scratch, &f->out, &r, NULL),
		0);
	assert_memory_equal(f->out.data, "before{\n  \"Id\"", 14);
}

static void test_render_record__errors_hold_no_data(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {"{\"Id\":\"" ID "\",\"Name\":\"Secret \xff\"}",
		"{\"Id\":\"Secret\"}", "{\"Id\":\"" ID "\",\"Secret\":\"Secret", "{\"Id\":Secret}",
		"{\"Id\":\"" ID "\",\"SystemModstamp\":\"Secret\"}",
		"{\"Id\":\"" ID "\",\"B\":Secret}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct rendered r;
		struct error err = {0};

		assert_int_equal(render(f, texts[i], &r, &err), -EPROTO);
		assert_null(strstr(err.text, "Secret"));
	}
}

/* Every recorded record: the file loads, has every field, and rendered again it is the same. */
struct page {
	struct schema *schema;
	struct buf scratch, out, again;
	size_t records;
};

static int check_record(void *payload, struct json_slice record)
{
	struct page *p = payload;
	struct rendered r, r2;
	struct error err = {0};
	json_t *file = NULL;

	buf_clear(&p->out);
	buf_clear(&p->again);
	if (render_record(p->schema, record.text, record.len, &p->scratch, &p->out, &r, &err)) {
		fail_msg("%s", err.text);
	}
	assert_int_equal(json_text_load(p->out.data, p->out.len, &p->scratch, &file, NULL), 0);
	assert_int_equal(json_object_size(file), p->schema->field_count);
	json_decref(file);
	assert_int_equal(render_record(p->schema, p->out.data, p->out.len, &p->scratch, &p->again,
				 &r2, NULL),
		0);
	assert_string_equal(buf_str(&p->again), buf_str(&p->out));
	assert_int_equal(r.stamp_ms, r2.stamp_ms);
	p->records++;
	return 0;
}

static int check_member(void *payload, struct json_slice key, struct json_slice value)
{
	if (key.len != 7 || memcmp(key.text, "records", 7) != 0) {
		return 0;
	}
	return json_text_elements(value.text, value.len, check_record, payload, NULL);
}

static void test_render_record__recorded(void **state)
{
	(void)state;
	static const struct {
		const char *describe, *page;
		size_t records; /* 0: the file is one record */
	} table[] = {
		{"cumulusci-Account", "query/openstax-v51-schools-1811", 1811},
		{"nango-v58-Account", "query/nango-v59-accounts-2086-page2", 86},
		{"cumulusci-Account", "query/cumulusci-accounts-all-fields", 6},
		{"cumulusci-Contact", "query/nango-v59-contacts-213", 213},
		{"cumulusci-Case", "query/nango-v62-cases", 26},
		{"cumulusci-Opportunity", "query/nango-v59-opportunities", 31},
		{"nango-v58-Account", "record/nango-v62-Account", 0},
		{"nango-v58-Account", "record/netcoreforce-v57-Account", 0},
		{"cumulusci-Contact", "record/netcoreforce-v57-Contact", 0},
		{"toolkit-net-User", "record/nango-v60-User-by-external-id", 0},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct page page = {0};
		char file[200];
		size_t len, describe_len;

		snprintf(file, sizeof(file), "describe/%s.json", table[i].describe);
		AUTO_FREE char *text = recorded(file, &describe_len);
		snprintf(file, sizeof(file), "%s.json", table[i].page);
		AUTO_FREE char *json = recorded(file, &len);
		if (!text || !json) {
			skip();
		}
		assert_int_equal(schema_parse(text, describe_len, &page.schema, NULL), 0);
		buf_init(&page.scratch, 1 << 24);
		buf_init(&page.out, 1 << 24);
		buf_init(&page.again, 1 << 24);
		if (table[i].records) {
			assert_int_equal(
				json_text_members(json, len, check_member, &page, NULL), 0);
		} else {
			assert_int_equal(check_record(&page, (struct json_slice){json, len}), 0);
		}
		if (page.records != (table[i].records ? table[i].records : 1)) {
			fail_msg("%s holds %zu records", file, page.records);
		}
		schema_unref(page.schema);
		buf_release(&page.scratch);
		buf_release(&page.out);
		buf_release(&page.again);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_render_record__the_whole_file, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_render_record__values, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_render_record__refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_render_record__keys_are_bytes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_render_record__appends_or_leaves_as_it_was, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			test_render_record__errors_hold_no_data, set_up, tear_down),
		cmocka_unit_test(test_render_record__recorded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
