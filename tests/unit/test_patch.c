/* SPDX-License-Identifier: MIT */
/* What was edited -> what is sent, or why nothing is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "forcefs/model/render.h"
#include "patch_fixture.h"
#include "recorded.h"

#define LONG_NAME "a2345678901234567890123456789012345678901234567890123456789012345678901234567890"

static struct schema *schema;

struct outcome {
	struct buf out;
	size_t fields;
	struct error err;
	int r;
};

static void make(struct outcome *o, const char *base, const char *edited, size_t len)
{
	buf_init(&o->out, 1 << 20);
	buf_add_str(&o->out, "before");
	o->fields = 99;
	o->err = (struct error){0};
	o->r = patch_make(schema, base, strlen(base), edited, len, &o->out, &o->fields, &o->err);
	assert_memory_equal(buf_str(&o->out), "before", strlen("before"));
	if (o->r) {
		assert_int_equal(o->err.errnum, -o->r);
		assert_string_equal(buf_str(&o->out), "before");
		assert_int_equal(o->fields, 99);
	} else {
		assert_int_equal(o->err.errnum, 0);
		assert_true((o->out.len > strlen("before")) == (o->fields > 0));
	}
}

static const char *sent(const struct outcome *o)
{
	return o->out.data + strlen("before"); /* make() has put something there */
}

/* base line -> edited line -> patch ("" for no change). */
static void test_patch_make__changes(void **state)
{
	static const struct {
		const char *from, *to, *patch;
	} table[] = {
		/* text */
		{"\"+1 (555) 123\"", "\"1\"", "{\"Phone\":\"1\"}"},
		{"\"+1 (555) 123\"", "null", "{\"Phone\":null}"},
		{"\"+1 (555) 123\"", "\"\"", "{\"Phone\":\"\"}"},
		{"\"+1 (555) 123\"", "\"+1 (555) 123 \"", "{\"Phone\":\"+1 (555) 123 \"}"},
		{"\"+1 (555) 123\"", "\"\\u002b1 (555) 123\"", ""},
		{"\"Stage\": null", "\"Stage\": \"\"", ""},
		{"\"Stage\": null", "\"Stage\": \"New\"", "{\"Stage\":\"New\"}"},
		{"\"Stage\": null", "\"Stage\": \"A;B\"", "{\"Stage\":\"A;B\"}"},
		{"\"Acme\"", "\"1234567890\"", "{\"Name\":\"1234567890\"}"},
		{"\"Acme\"", "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80\"",
			"{\"Name\":\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\xf0\x9f\x98\x80"
			"\xf0\x9f\x98\x80\"}"},
		{"\"Acme\"", "\"\\ud83d\\ude00\"", "{\"Name\":\"\xf0\x9f\x98\x80\"}"},
		{"\\r\\nc", "\\nc",
			"{\"Note__c\":\"a \\\"b\\\"\\nc\\u0000d "
			"\xc3\xa9\xf0\x9f\x98\x80\"}"},
		{"\\r\\nc", "\\u000D\\u000ac", ""},
		{"\xc3\xa9", "\\u00e9", ""},
		{"\xc3\xa9", "\\u00E9", ""},
		{"\xf0\x9f\x98\x80", "\\ud83d\\ude00", ""},
		{"c\\u0000d", "cd",
			"{\"Note__c\":\"a \\\"b\\\"\\r\\ncd \xc3\xa9\xf0\x9f\x98\x80\"}"},
		{"\"+1 (555) 123\"", "\"\\u0001#12\"", "{\"Phone\":\"\\u0001#12\"}"},
		{"\"+1 (555) 123\"", "\"{\\\"x\\\"\"", "{\"Phone\":\"{\\\"x\\\"\"}"},
		/* numbers by value */
		{"150000.0", "150000", ""},
		{"150000.0", "1.5E5", ""},
		{"150000.0", "1.5e+5", ""},
		{"150000.0", "15000000e-2", ""},
		{"150000.0", "150000.00000000000000000000", ""},
		{"150000.0", "150000.00000000000000000001",
			"{\"Amount\":150000.00000000000000000001}"},
		{"150000.0", "-150000", "{\"Amount\":-150000}"},
		{"150000.0", "150000.10", "{\"Amount\":150000.10}"},
		{"150000.0", "0", "{\"Amount\":0}"},
		{"150000.0", "null", "{\"Amount\":null}"},
		{"150000.0", "1.0E7", "{\"Amount\":1.0E7}"},
		{"123456789012345678", "123456789012345679", "{\"Big__c\":123456789012345679}"},
		{"123456789012345678", "123456789012345678.0", ""},
		{"123456789012345678", "1.23456789012345678e17", ""},
		{"123456789012345678", "12", "{\"Big__c\":12}"},
		{"\"Long\": 1.0E7", "\"Long\": 10000000", ""},
		{"\"Long\": 1.0E7", "\"Long\": 1.5E1", "{\"Long\":15}"},
		{"\"Long\": 1.0E7", "\"Long\": 9223372036854775807",
			"{\"Long\":9223372036854775807}"},
		{"42", "42.0", ""},
		{"42", "42.0E0", ""},
		{"42", "4.3e1", "{\"Count\":43}"},
		{"42", "43.00", "{\"Count\":43}"},
		{"42", "0.0", "{\"Count\":0}"},
		{"42", "-2147483648", "{\"Count\":-2147483648}"},
		{"-0.0", "0", ""},
		{"-0.0", "0e5", ""},
		/* the rest */
		{"true", "false", "{\"Active\":false}"},
		{"2026-07-01\"", "2026-02-28\"", "{\"Due\":\"2026-02-28\"}"},
		{"\"2026-07-01\"", "null", "{\"Due\":null}"},
		{"12.000+0000\",\n  \"Cl", "12Z\",\n  \"Cl", ""},
		{"12.000+0000\",\n  \"Cl", "12.000Z\",\n  \"Cl", ""},
		{"10:11:12.000+0000\",\n  \"Cl", "12:11:12+02:00\",\n  \"Cl", ""},
		{"12.000+0000\",\n  \"Cl", "13Z\",\n  \"Cl", "{\"At\":\"2026-07-01T10:11:13Z\"}"},
		{"10:11:12.000Z", "10:11:12Z", ""},
		{"10:11:12.000Z", "10:11:12.5Z", "{\"Clock\":\"10:11:12.5Z\"}"},
		{"005dM00000abcdeQAA", "005dM00000abcde", ""},
		{"005dM00000abcdeQAA", "005dM00000zzzzz", "{\"OwnerId\":\"005dM00000zzzzz\"}"},
		{"\"ParentId\": null", "\"ParentId\": \"001dM00003jU9GyQAK\"",
			"{\"ParentId\":\"001dM00003jU9GyQAK\"}"},
		{"key/1", "key/2", "{\"Outside__c\":\"key/2\"}"},
		{"{\"a\":[1.0,null],\"b\":\"x\"}", "{ \"b\": \"x\", \"a\": [1, null] }", ""},
		{"{\"a\":[1.0,null],\"b\":\"x\"}", "{\"a\":[1.0,null]}",
			"{\"Any\":{\"a\":[1.0,null]}}"},
		{"{\"a\":[1.0,null],\"b\":\"x\"}", "{\"a\":[null,1.0],\"b\":\"x\"}",
			"{\"Any\":{\"a\":[null,1.0],\"b\":\"x\"}}"},
		{"{\"a\":[1.0,null],\"b\":\"x\"}", "{\"a\":[1.0],\"b\":\"x\"}",
			"{\"Any\":{\"a\":[1.0],\"b\":\"x\"}}"},
		{"{\"a\":[1.0,null],\"b\":\"x\"}", "true", "{\"Any\":true}"},
		{"{\"a\":[1.0,null],\"b\":\"x\"}", "0.10", "{\"Any\":0.10}"},
		/* Ids, missing and foreign keys */
		{"001dM00003jU9GxQAK", "001dM00003jU9Gx", ""},
		{"  \"Id\": \"001dM00003jU9GxQAK\",\n", "", ""},
		{"  \"Phone\": \"+1 (555) 123\",\n", "", ""},
		{"  \"Id\"", "  \"attributes\": {\"type\": \"Thing__c\"},\n  \"Id\"", ""},
		{"\"Phone\"", "\"Ph\\u006fne\"", ""},
		{"\"Phone\": \"+", "\"Ph\\u006fne\": \"-", "{\"Phone\":\"-1 (555) 123\"}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		AUTO_FREE char *edited = replaced(patch_base, table[i].from, table[i].to);
		struct outcome o;

		make(&o, patch_base, edited, strlen(edited));
		if (o.r) {
			fail_msg("%s -> %s: %s", table[i].from, table[i].to, o.err.text);
		}
		assert_string_equal(sent(&o), table[i].patch);
		assert_int_equal(o.fields, table[i].patch[0] ? 1 : 0);
		buf_release(&o.out);
	}
}

/* base line -> edited line -> why not: errno, field, line, and a word of the hint. */
static void test_patch_make__refusals(void **state)
{
	static const struct {
		const char *from, *to;
		int errnum;
		const char *field;
		int line;
		const char *word;
	} table[] = {
		/* types */
		{"\"+1 (555) 123\"", "1555123", EINVAL, "Phone", 4, "double quotes"},
		{"\"+1 (555) 123\"", "true", EINVAL, "Phone", 4, "double quotes"},
		{"\"+1 (555) 123\"", "[]", EINVAL, "Phone", 4, "no list"},
		{"\"+1 (555) 123\"", "{}", EINVAL, "Phone", 4, "no object"},
		{"150000.0", "\"5\"", EINVAL, "Amount", 7, "quotes away"},
		{"150000.0", "\"1.5E5\"", EINVAL, "Amount", 7, "quotes away"},
		{"150000.0", "\"150,000\"", EINVAL, "Amount", 7, "without quotes"},
		{"150000.0", "\"\"", EINVAL, "Amount", 7, "null"},
		{"150000.0", "true", EINVAL, "Amount", 7, "number"},
		{"150000.0", "[5]", EINVAL, "Amount", 7, "number"},
		{"150000.0", "NaN", EINVAL, "Amount", 7, "beyond"},
		{"150000.0", "-Infinity", EINVAL, "Amount", 7, "beyond"},
		{"150000.0", "1e309", EINVAL, "Amount", 7, "beyond"},
		{"150000.0", "1e99999999999999999999", EINVAL, "Amount", 7, "beyond"},
		{"42", "42.5", EINVAL, "Count", 9, "fraction"},
		{"42", "1e-1", EINVAL, "Count", 9, "fraction"},
		{"42", "2147483648", EINVAL, "Count", 9, "too large"},
		{"1.0E7", "9223372036854775808", EINVAL, "Long", 10, "whole"},
		{"123456789012345678", "123456789012345680", EINVAL, "Big__c", 8, "rounded"},
		{"123456789012345678", "1.2345678901234568e+17", EINVAL, "Big__c", 8, "rounded"},
		{"true", "\"true\"", EINVAL, "Active", 11, "without quotes"},
		{"true", "1", EINVAL, "Active", 11, "without quotes"},
		{"true", "null", EINVAL, "Active", 11, "cannot be null"},
		{"\"2026-07-01\"", "\"2026-7-1\"", EINVAL, "Due", 12, "2026-07-01"},
		{"\"2026-07-01\"", "\"2026-02-30\"", EINVAL, "Due", 12, "calendar"},
		{"\"2026-07-01\"", "\"2026-07-01T00:00:00Z\"", EINVAL, "Due", 12, "date"},
		{"\"2026-07-01\"", "\"0999-07-01\"", EINVAL, "Due", 12, "date"},
		{"\"2026-07-01\"", "\"\"", EINVAL, "Due", 12, "null"},
		{"\"2026-07-01\"", "20260701", EINVAL, "Due", 12, "date"},
		{"12.000+0000\",\n  \"Cl", "13\",\n  \"Cl", EINVAL, "At", 13, "zone"},
		{"T10:11:12.000+0000\",\n  \"Cl", "\",\n  \"Cl", EINVAL, "At", 13, "time"},
		{"\"2026-07-01T10:11:12.000+0000\",\n  \"Cl", "17,\n  \"Cl", EINVAL, "At", 13,
			"time"},
		{"10:11:12.000Z", "25:00:00Z", EINVAL, "Clock", 14, "10:11"},
		{"10:11:12.000Z", "10:11", EINVAL, "Clock", 14, "10:11"},
		{"10:11:12.000Z", "10:11:12", EINVAL, "Clock", 14, "10:11"},
		{"10:11:12.000Z", "10:11:12.000000000000000000000000000000000000000000000Z", EINVAL,
			"Clock", 14, "10:11"},
		{"\"10:11:12.000Z\"", "1", EINVAL, "Clock", 14, "10:11"},
		{"005dM00000abcdeQAA", "me", EINVAL, "OwnerId", 15, "Id"},
		{"005dM00000abcdeQAA", "005dM00000abcdeQAB", EINVAL, "OwnerId", 15, "Id"},
		{"\"005dM00000abcdeQAA\"", "5", EINVAL, "OwnerId", 15, "Id"},
		{"key/1", "123456789012345678901", EINVAL, "Outside__c", 17, "21 characters"},
		{"****1234", "123456789012345678901", EINVAL, "Secret__c", 18, "holds 20"},
		/* empty and too long */
		{"\"Acme\"", "null", EINVAL, "Name", 3, "must not be empty"},
		{"\"Acme\"", "\"\"", EINVAL, "Name", 3, "must not be empty"},
		{"\"005dM00000abcdeQAA\"", "null", EINVAL, "OwnerId", 15, "must not be empty"},
		{"Acme", "12345678901", EINVAL, "Name", 3, "11 characters"},
		{"Acme", "1234567890\\u00e9", EINVAL, "Name", 3, "11 characters"},
		/* not to be changed */
		{"001dM00003jU9GxQAK", "001dM00003jU9GyQAK", EINVAL, "Id", 2, "never changes"},
		{"\"001dM00003jU9GxQAK\"", "null", EINVAL, "Id", 2, "never changes"},
		{"\"001dM00003jU9GxQAK\"", "\"\"", EINVAL, "Id", 2, "never changes"},
		{"-0.0", "1", EACCES, "Formula__c", 20, "computes"},
		{"-0.0", "\"x\"", EACCES, "Formula__c", 20, "computes"},
		{"\"Locked__c\": null", "\"Locked__c\": \"x\"", EACCES, "Locked__c", 21,
			"read-only"},
		{"2025-01-01", "2025-01-02", EACCES, "CreatedDate", 22, "read-only"},
		{"2025-01-01T00:00:00.000+0000", "x", EACCES, "CreatedDate", 22, "read-only"},
		{"\"IsDeleted\": false", "\"IsDeleted\": true", EACCES, "IsDeleted", 24,
			"read-only"},
		/* keys */
		{"\"Phone\"", "\"phone\"", EINVAL, "phone", 4, "Did you mean Phone?"},
		{"\"Phone\"", "\"Fone\"", EINVAL, "Fone", 4, "Did you mean Phone?"},
		{"\"Big__c\"", "\"Big\"", EINVAL, "Big", 8, "Did you mean Big__c?"},
		{"\"Phone\"", "\"Favourite colour\"", EINVAL, "Favourite colour", 4,
			"shows no such field. Take"},
		{"\"Phone\"", "\"\"", EINVAL, "", 4, "shows no such field"},
		{"\"Phone\"", "\"P\\u0001\\u001b[2Jhone\"", EINVAL, "P  [2Jhone", 4, "shows no"},
		{"\"Phone\": \"+1 (555) 123\"", "\"Body\": \"eA==\"", EINVAL, "Body", 4, "no text"},
		{"\"Phone\": \"+1 (555) 123\"", "\"attributes\": 1", EINVAL, "attributes", 4,
			"shows no such field"},
		{"\"Phone\"", "\"" LONG_NAME LONG_NAME "\"", EINVAL, LONG_NAME "\xe2\x80\xa6", 4,
			"shows no such field"},
		{"\"Stage\"", "\"Phone\"", EINVAL, "Phone", 6, "first on line 4"},
		{"\"Stage\"", "\"Ph\\u006fne\"", EINVAL, "Phone", 6, "first on line 4"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		AUTO_FREE char *edited = replaced(patch_base, table[i].from, table[i].to);
		struct outcome o;
		char start[200];

		make(&o, patch_base, edited, strlen(edited));
		if (o.r != -table[i].errnum) {
			fail_msg("%s: %d %s", table[i].to, o.r, o.r ? o.err.text : sent(&o));
		}
		snprintf(start, sizeof(start), "line %d: %s: ", table[i].line, table[i].field);
		if (strncmp(o.err.text, start, strlen(start)) != 0 ||
			!strstr(o.err.text, table[i].word)) {
			fail_msg("%s: %s", table[i].to, o.err.text);
		}
		assert_string_equal(o.err.fields, table[i].field);
		buf_release(&o.out);
	}
}

static void test_patch_make__several_fields_in_the_files_order(void **state)
{
	static const char edited[] =
		"{\"Count\":null,\"Phone\":\"2\",\"Name\":\"B\",\"Active\":true}";
	struct outcome o;

	(void)state;
	make(&o, patch_base, edited, strlen(edited));
	assert_int_equal(o.r, 0);
	assert_string_equal(sent(&o), "{\"Name\":\"B\",\"Phone\":\"2\",\"Count\":null}");
	assert_int_equal(o.fields, 3);
	buf_release(&o.out);
}

/* What jq 1.6 makes of a file, with and without another change. */
static void test_patch_make__digits_lost_by_a_program(void **state)
{
	static const struct {
		const char *base, *edited, *patch; /* NULL: refused */
	} table[] = {
		{"\"Big__c\":123456789012345678,\"Phone\":\"1\"",
			"\"Big__c\":123456789012345680,\"Phone\":\"2\"", "{\"Phone\":\"2\"}"},
		{"\"Big__c\":1.23456789012345677E17,\"Phone\":\"1\"",
			"\"Big__c\":123456789012345680,\"Phone\":\"2\"", "{\"Phone\":\"2\"}"},
		{"\"Formula__c\":123456789012345678", "\"Formula__c\":123456789012345680", ""},
		{"\"Formula__c\":33.333333333333333333,\"Phone\":\"1\"",
			"\"Formula__c\":33.3333333333333,\"Phone\":\"2\"", "{\"Phone\":\"2\"}"},
		{"\"Big__c\":123456789012345678", "\"Big__c\":123456789012345680", NULL},
		{"\"Big__c\":1234567890123456", "\"Big__c\":1.23456789012346e15", NULL},
		{"\"Big__c\":1234567890123456,\"Phone\":\"1\"",
			"\"Big__c\":1.23456789012346e15,\"Phone\":\"2\"", NULL},
		{"\"Big__c\":NaN,\"Amount\":-Infinity,\"Phone\":\"1\"",
			"\"Big__c\":null,\"Amount\":-1.7976931348623157e+308,\"Phone\":\"2\"",
			"{\"Phone\":\"2\"}"},
		{"\"Big__c\":NaN", "\"Big__c\":null", NULL},
		{"\"Big__c\":Infinity", "\"Big__c\":1.7976931348623157e+308", NULL},
		{"\"Big__c\":1234567890123456,\"Phone\":\"1\"",
			"\"Big__c\":1.2345678901235e+15,\"Phone\":\"2\"", NULL}, /* Lua */
		/* not the work of a program */
		{"\"Big__c\":NaN", "\"Big__c\":0", "{\"Big__c\":0}"},
		{"\"Big__c\":1.5", "\"Big__c\":null", "{\"Big__c\":null}"},
		{"\"Big__c\":123456789012345678,\"Phone\":\"1\"",
			"\"Big__c\":123456789012345679,\"Phone\":\"1\"",
			"{\"Big__c\":123456789012345679}"},
		{"\"Big__c\":12345678901234567", "\"Big__c\":12345678901234000",
			"{\"Big__c\":12345678901234000}"},
		{"\"Big__c\":0.1", "\"Big__c\":0.10000000000000001",
			"{\"Big__c\":0.10000000000000001}"},
		{"\"Big__c\":123456789012345", "\"Big__c\":123456789012340",
			"{\"Big__c\":123456789012340}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char base[200], edited[200];
		struct outcome o;

		snprintf(base, sizeof(base), "{%s}", table[i].base);
		snprintf(edited, sizeof(edited), "{%s}", table[i].edited);
		make(&o, base, edited, strlen(edited));
		if (o.r != (table[i].patch ? 0 : -EINVAL)) {
			fail_msg("%s: %d %s %s", table[i].edited, o.r, o.err.text, sent(&o));
		}
		assert_string_equal(sent(&o), table[i].patch ? table[i].patch : "");
		buf_release(&o.out);
	}
}

/* Look-ups to external objects hold keys of another system. */
static void test_patch_make__a_foreign_key_is_no_id(void **state)
{
	static const char base[] = "{\"Outside__c\":\"123456789012345\"}";
	static const char edited[] = "{\"Outside__c\":\"123456789012345AAA\"}";
	struct outcome o;

	(void)state;
	make(&o, base, edited, strlen(edited));
	assert_int_equal(o.r, 0);
	assert_string_equal(sent(&o), edited);
	buf_release(&o.out);
}

static void test_patch_make__nothing_given_is_nothing_changed(void **state)
{
	struct outcome o;

	(void)state;
	make(&o, patch_base, "{}", 2);
	assert_int_equal(o.r, 0);
	assert_int_equal(o.fields, 0);
	buf_release(&o.out);
	make(&o, patch_base, patch_base, strlen(patch_base));
	assert_int_equal(o.r, 0);
	assert_int_equal(o.fields, 0);
	buf_release(&o.out);
}

static void test_patch_make__object_that_cannot_be_changed(void **state)
{
	struct outcome o;

	(void)state;
	schema->updateable = false;
	make(&o, patch_base, "{\"Phone\":\"1\"}", strlen("{\"Phone\":\"1\"}"));
	schema->updateable = true;
	assert_int_equal(o.r, -EACCES);
	assert_string_equal(o.err.fields, "Phone");
	buf_release(&o.out);
}

/* Fields come and go while a file is open. */
static void test_patch_make__base_of_an_older_schema(void **state)
{
	static const char base[] = "{\"Gone__c\":1,\"Phone\":\"1\"}";
	static const char edited[] = "{\"Phone\":\"2\",\"Stage\":null,\"Count\":7}";
	struct outcome o;

	(void)state;
	make(&o, base, edited, strlen(edited));
	assert_int_equal(o.r, 0);
	assert_string_equal(sent(&o), "{\"Phone\":\"2\",\"Count\":7}");
	buf_release(&o.out);
}

static void test_patch_make__base_that_is_no_record(void **state)
{
	static const char *const bases[] = {"", "{", "[]", "7", "{\"Phone\":1,\"Phone\":2}"};
	struct outcome o;

	(void)state;
	for (size_t i = 0; i < sizeof(bases) / sizeof(*bases); i++) {
		make(&o, bases[i], "{\"Phone\":\"1\"}", strlen("{\"Phone\":\"1\"}"));
		assert_int_equal(o.r, -EIO);
		buf_release(&o.out);
	}
}

static void test_patch_make__without_an_error_to_fill(void **state)
{
	AUTO(buf) struct buf out;
	size_t fields;

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(patch_make(schema, patch_base, strlen(patch_base), "{\"Phone\":1}",
				 strlen("{\"Phone\":1}"), &out, &fields, NULL),
		-EINVAL);
	assert_int_equal(
		patch_make(schema, patch_base, strlen(patch_base), "{,}", 3, &out, &fields, NULL),
		-EINVAL);
}

static void test_patch_make__too_large_a_change(void **state)
{
	static const char edited[] = "{\"Phone\":\"12345678901234567890\",\"Count\":1}";
	AUTO(buf) struct buf out;
	struct error err = {0};
	size_t fields = 99;

	(void)state;
	buf_init(&out, 20);
	buf_add_str(&out, "x");
	assert_int_equal(patch_make(schema, patch_base, strlen(patch_base), edited, strlen(edited),
				 &out, &fields, &err),
		-EFBIG);
	assert_int_equal(err.errnum, EFBIG);
	assert_string_equal(buf_str(&out), "x");
	assert_int_equal(fields, 99);
}

/* Real objects, a record of each: what is rendered and saved again is no change, and each field
 * that may be written can be cleared or is told by its name. */
static void test_patch_make__recorded_objects(void **state)
{
	static const char *const names[] = {"cumulusci-Account", "cumulusci-Contact",
		"cumulusci-Opportunity", "cumulusci-Event", "nango-v60-Task", "toolkit-net-User"};
	static const char record[] = "{\"Id\":\"001dM00003jU9GxQAK\"}";

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		AUTO(schema) struct schema *s = NULL;
		AUTO(buf) struct buf scratch;
		AUTO(buf) struct buf file;
		AUTO(buf) struct buf out;
		char path[200];
		size_t len, fields;
		struct rendered made;
		AUTO_FREE char *text = NULL;

		snprintf(path, sizeof(path), "describe/%s.json", names[i]);
		text = recorded(path, &len);
		if (!text) {
			skip();
		}
		assert_int_equal(schema_parse(text, len, &s, NULL), 0);
		buf_init(&scratch, 1 << 20);
		buf_init(&file, 1 << 20);
		buf_init(&out, 1 << 20);
		assert_int_equal(
			render_record(s, record, strlen(record), &scratch, &file, &made, NULL), 0);
		buf_add_char(&file, '\n'); /* not the same bytes */
		assert_int_equal(patch_make(s, file.data, file.len - 1, file.data, file.len, &out,
					 &fields, NULL),
			0);
		assert_int_equal(fields, 0);
		assert_int_equal(out.len, 0);
	}
}

static int set_up(void **state)
{
	(void)state;
	return schema_parse(patch_describe, strlen(patch_describe), &schema, NULL);
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
		cmocka_unit_test(test_patch_make__changes),
		cmocka_unit_test(test_patch_make__refusals),
		cmocka_unit_test(test_patch_make__several_fields_in_the_files_order),
		cmocka_unit_test(test_patch_make__digits_lost_by_a_program),
		cmocka_unit_test(test_patch_make__a_foreign_key_is_no_id),
		cmocka_unit_test(test_patch_make__nothing_given_is_nothing_changed),
		cmocka_unit_test(test_patch_make__object_that_cannot_be_changed),
		cmocka_unit_test(test_patch_make__base_of_an_older_schema),
		cmocka_unit_test(test_patch_make__base_that_is_no_record),
		cmocka_unit_test(test_patch_make__without_an_error_to_fill),
		cmocka_unit_test(test_patch_make__too_large_a_change),
		cmocka_unit_test(test_patch_make__recorded_objects),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
