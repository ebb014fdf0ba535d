/* SPDX-License-Identifier: MIT */
/* Both sides changed a record; and the texts of new records. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "patch_fixture.h"

static struct schema *schema;

struct outcome {
	char patch[1000];
	size_t fields;
	struct error err;
	int r;
};

static struct json_slice text_of(const char *text)
{
	return (struct json_slice){text, strlen(text)};
}

static struct outcome merge_seen(
	const char *base, const char *edited, const char *seen, const char *theirs)
{
	const struct patch_sides sides = {.base = text_of(base),
		.edited = text_of(edited),
		.seen = text_of(seen),
		.theirs = text_of(theirs)};
	struct outcome o = {.fields = 99};
	AUTO(buf) struct buf out;

	buf_init(&out, 1 << 20);
	o.r = patch_merge(schema, &sides, &out, &o.fields, &o.err);
	snprintf(o.patch, sizeof(o.patch), "%s", buf_str(&out));
	assert_int_equal(o.err.errnum, -o.r);
	assert_true(o.r == 0 || out.len == 0);
	return o;
}

static struct outcome merge(const char *base, const char *edited, const char *theirs)
{
	return merge_seen(base, edited, base, theirs);
}

/* One field: base, mine, theirs -> what is still to be sent ("" nothing, NULL a conflict). */
static void test_patch_merge__matrix(void **state)
{
	static const struct {
		const char *base, *mine, *theirs, *patch;
	} table[] = {
		/* nobody, I, they, both alike, both */
		{"\"Phone\":\"a\"", "\"Phone\":\"a\"", "\"Phone\":\"a\"", ""},
		{"\"Phone\":\"a\"", "\"Phone\":\"b\"", "\"Phone\":\"a\"", "{\"Phone\":\"b\"}"},
		{"\"Phone\":\"a\"", "\"Phone\":\"a\"", "\"Phone\":\"b\"", ""},
		{"\"Phone\":\"a\"", "\"Phone\":\"b\"", "\"Phone\":\"b\"", ""},
		{"\"Phone\":\"a\"", "\"Phone\":\"b\"", "\"Phone\":\"c\"", NULL},
		/* null */
		{"\"Phone\":\"a\"", "\"Phone\":null", "\"Phone\":\"a\"", "{\"Phone\":null}"},
		{"\"Phone\":\"a\"", "\"Phone\":null", "\"Phone\":null", ""},
		{"\"Phone\":\"a\"", "\"Phone\":\"\"", "\"Phone\":null", ""},
		{"\"Phone\":\"a\"", "\"Phone\":null", "\"Phone\":\"b\"", NULL},
		{"\"Phone\":\"a\"", "\"Phone\":\"b\"", "\"Phone\":null", NULL},
		{"\"Phone\":null", "\"Phone\":\"b\"", "\"Phone\":null", "{\"Phone\":\"b\"}"},
		{"\"Phone\":null", "\"Phone\":\"b\"", "\"Phone\":\"c\"", NULL},
		{"\"Phone\":null", "\"Phone\":null", "\"Phone\":\"c\"", ""},
		/* a number that a program has rounded, beside and without a change */
		{"\"Big__c\":123456789012345678,\"Phone\":\"a\"",
			"\"Big__c\":123456789012345680,\"Phone\":\"b\"",
			"\"Big__c\":5,\"Phone\":\"a\"", "{\"Phone\":\"b\"}"},
		/* missing */
		{"\"Phone\":\"a\"", "", "\"Phone\":\"b\"", ""},
		{"", "\"Phone\":\"b\"", "\"Phone\":\"c\"", NULL},
		{"", "\"Phone\":\"b\"", "", "{\"Phone\":\"b\"}"},
		/* by value */
		{"\"Amount\":1.0", "\"Amount\":2", "\"Amount\":1", "{\"Amount\":2}"},
		{"\"Amount\":1.0", "\"Amount\":2", "\"Amount\":2.00", ""},
		{"\"Amount\":1.0", "\"Amount\":1", "\"Amount\":3", ""},
		{"\"Amount\":1.0", "\"Amount\":2", "\"Amount\":3", NULL},
		{"\"Active\":true", "\"Active\":false", "\"Active\":true", "{\"Active\":false}"},
		{"\"Active\":true", "\"Active\":false", "\"Active\":false", ""},
		{"\"At\":\"2026-07-01T10:11:12.000+0000\"", "\"At\":\"2026-07-01T11:00:00Z\"",
			"\"At\":\"2026-07-01T11:00:00.000+0000\"", ""},
		/* what the org makes of a value */
		{"\"Phone\":\"a\"", "\"Phone\":\" b \"", "\"Phone\":\"b\"", ""},
		{"\"Phone\":\"a\"", "\"Phone\":\" \"", "\"Phone\":null", ""},
		{"\"Phone\":\"a\"", "\"Phone\":\"b c\"", "\"Phone\":\"bc\"", NULL},
		{"\"Phone\":\"a\"", "\"Phone\":\"b\"", "\"Phone\":\"B\"", NULL},
		{"\"Note__c\":\"a\"", "\"Note__c\":\"b\\r\\nc\\rd\\n\"",
			"\"Note__c\":\"b\\nc\\nd\"", ""},
		{"\"Note__c\":\"a\"", "\"Note__c\":\"b\\n\\nc\"", "\"Note__c\":\"b\\nc\"", NULL},
		{"\"Mail__c\":null", "\"Mail__c\":\"Ann@X.org\"", "\"Mail__c\":\"ann@x.org\"", ""},
		{"\"Multi__c\":\"A\"", "\"Multi__c\":\"C;A\"", "\"Multi__c\":\"A;C\"", ""},
		{"\"Multi__c\":\"A\"", "\"Multi__c\":\"C;A\"", "\"Multi__c\":\"A;B;C\"", NULL},
		{"\"Multi__c\":\"A\"", "\"Multi__c\":\"C\"", "\"Multi__c\":null", NULL},
		{"\"At\":null", "\"At\":\"2026-07-01T11:00:00.123Z\"",
			"\"At\":\"2026-07-01T11:00:00.000+0000\"", ""},
		{"\"Amount\":1", "\"Amount\":2.345", "\"Amount\":2.35", NULL},
		/* other fields */
		{"\"Phone\":\"a\",\"Count\":1", "\"Phone\":\"b\",\"Count\":1",
			"\"Phone\":\"a\",\"Count\":2", "{\"Phone\":\"b\"}"},
		{"\"Phone\":\"a\",\"Count\":1", "\"Phone\":\"b\",\"Count\":2",
			"\"Phone\":\"b\",\"Count\":1", "{\"Count\":2}"},
		{"\"Phone\":\"a\",\"Count\":1", "\"Phone\":\"b\",\"Count\":2",
			"\"Phone\":\"c\",\"Count\":1", NULL},
		/* read-only fields move with the org: stamps, formulas */
		{"\"Formula__c\":1,\"Phone\":\"a\"", "\"Formula__c\":1,\"Phone\":\"b\"",
			"\"Formula__c\":2,\"Phone\":\"a\"", "{\"Phone\":\"b\"}"},
		{"\"Formula__c\":1,\"Phone\":\"a\"", "\"Formula__c\":2,\"Phone\":\"b\"",
			"\"Formula__c\":2,\"Phone\":\"a\"", "{\"Phone\":\"b\"}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char base[200], mine[200], theirs[200];
		struct outcome o;

		snprintf(base, sizeof(base), "{%s}", table[i].base);
		snprintf(mine, sizeof(mine), "{%s}\n", table[i].mine);
		snprintf(theirs, sizeof(theirs), "{%s}", table[i].theirs);
		o = merge(base, mine, theirs);
		if (o.r != (table[i].patch ? 0 : -ESTALE)) {
			fail_msg("%s %s %s: %d %s", base, mine, theirs, o.r, o.err.text);
		}
		assert_string_equal(o.patch, table[i].patch ? table[i].patch : "");
		assert_int_equal(o.fields, o.r ? 99 : o.patch[0] ? 1 : 0);
	}
}

/* The same checks as without a merge. */
static void test_patch_merge__refusals(void **state)
{
	struct outcome o;

	(void)state;
	o = merge("{\"Formula__c\":1}", "{\"Formula__c\":3}", "{\"Formula__c\":2}");
	assert_int_equal(o.r, -EACCES);
	o = merge("{\"Amount\":1}", "{\"Amount\":\"3\"}", "{\"Amount\":2}");
	assert_int_equal(o.r, -EINVAL);
	assert_string_equal(o.err.fields, "Amount");
	o = merge("{\"Amount\":1}", "{\"Amount\":3,}", "{\"Amount\":2}");
	assert_int_equal(o.r, -EINVAL);
	o = merge("{\"Amount\":1}", "{\"Amount\":3}", "{\"Amount\":");
	assert_int_equal(o.r, -EIO);
	/* a conflict first, then a mistake: the mistake can be mended before */
	o = merge("{\"Phone\":\"a\",\"Count\":1}", "{\"Phone\":\"b\",\"Count\":\"2\"}",
		"{\"Phone\":\"c\",\"Count\":1}");
	assert_int_equal(o.r, -EINVAL);
	assert_string_equal(o.err.fields, "Count");
}

static void test_patch_merge__the_same_bytes(void **state)
{
	struct outcome o = merge("{\"Phone\":\"a\"}", "{\"Phone\":\"a\"}", "{\"Phone\":\"b\"}");

	(void)state;
	assert_int_equal(o.r, 0);
	assert_int_equal(o.fields, 0);
}

/* How the values stand in the text of a conflict. */
static void test_patch_merge__both_values_are_shown(void **state)
{
	static const struct {
		const char *base, *mine, *theirs, *shown;
	} table[] = {
		{"\"Phone\":\"a\"", "\"Phone\":\"b\"", "\"Phone\":\"c\"",
			"line 1: Phone: Both sides changed this field: here to \"b\", in the org "
			"to "
			"\"c\". Open the file again and decide."},
		{"\"Phone\":\"a\"", "\"Phone\":null", "\"Phone\":\"c\"",
			"here to empty, in the org to \"c\""},
		{"\"Amount\":1", "\"Amount\":2.50", "\"Amount\":3.0E7",
			"here to 2.50, in the org to 3.0E7"},
		{"\"Active\":null", "\"Active\":true", "\"Active\":false",
			"here to true, in the org to false"},
		{"\"Any\":1", "\"Any\":[2]", "\"Any\":{}",
			"here to a list or an object, in the org to a list or an object"},
		{"\"Secret__c\":\"***1\"", "\"Secret__c\":\"4711\"", "\"Secret__c\":\"***2\"",
			"here to a value that is not shown, in the org to a value that is not "
			"shown"},
		/* one line, nothing that moves a cursor or turns the writing */
		{"\"Phone\":\"a\"", "\"Phone\":\"x\\n\\u001b[2J\\u0000y\"",
			"\"Phone\":\"\\u007f\\u009b\\u202e\\u2028\\u2066z\"",
			"here to \"x  [2J y\", in the org to \"     z\""},
		/* short */
		{"\"Note__c\":\"a\"", "\"Note__c\":\"1234567890123456789012345678901234567890+\"",
			"\"Note__c\":\"1234567890123456789012345678901234567890\"",
			"here to \xe2\x80\xa6\"1234567890+\", in the org to "
			"\"1234567890123456789012345678901234567890\""},
		{"\"Note__c\":\"a\"",
			"\"Note__c\":\"A 1234567890123456789012345678901234567890123456789\"",
			"\"Note__c\":\"B 1234567890123456789012345678901234567890123456789\"",
			"here to \"A 12345678901234567890123456789012345678\xe2\x80\xa6\", in the "
			"org to \"B 12345678901234567890123456789012345678\xe2\x80\xa6\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char base[200], mine[200], theirs[200];
		struct outcome o;

		snprintf(base, sizeof(base), "{%s}", table[i].base);
		snprintf(mine, sizeof(mine), "{%s}", table[i].mine);
		snprintf(theirs, sizeof(theirs), "{%s}", table[i].theirs);
		o = merge(base, mine, theirs);
		assert_int_equal(o.r, -ESTALE);
		if (!strstr(o.err.text, table[i].shown)) {
			fail_msg("%s", o.err.text);
		}
	}
}

/* Long texts of characters of several bytes: cut between characters, never too long. */
static void test_patch_merge__long_values(void **state)
{
	AUTO(buf) struct buf mine;
	AUTO(buf) struct buf theirs;
	struct outcome o;

	(void)state;
	buf_init(&mine, 1 << 20);
	buf_init(&theirs, 1 << 20);
	buf_add_str(&mine, "{\"Note__c\":\"");
	for (int i = 0; i < 500; i++) {
		buf_add_str(&mine, "\xf0\x9f\x98\x80");
	}
	buf_add(&theirs, mine.data, mine.len);
	buf_add_str(&mine, "\xf0\x9f\x98\x81 mine\"}");
	buf_add_str(&theirs, "\xf0\x9f\x98\x82 theirs\"}");
	o = merge("{}", mine.data, theirs.data);
	assert_int_equal(o.r, -ESTALE);
	assert_non_null(strstr(o.err.text, "\xf0\x9f\x98\x81 mine\""));
	assert_non_null(strstr(o.err.text, "\xf0\x9f\x98\x82 theirs\""));
	assert_non_null(strstr(o.err.text, "decide."));
}

static void test_patch_merge__several_conflicts_are_named(void **state)
{
	struct outcome o =
		merge("{}", "{\"Name\":\"x\",\"Count\":1,\"Phone\":\"1\",\"Stage\":\"s\"}",
			"{\"Name\":\"y\",\"Count\":2,\"Phone\":\"2\"}");

	(void)state;
	assert_int_equal(o.r, -ESTALE);
	assert_string_equal(o.err.fields, "Name,Phone,Count");
	assert_non_null(strstr(o.err.text, "line 1: Name: "));
	assert_non_null(strstr(o.err.text, "The same with: Phone,Count."));
}

static void test_patch_merge__without_an_error_to_fill(void **state)
{
	AUTO(buf) struct buf out;
	size_t fields;

	(void)state;
	buf_init(&out, 100);
	const struct patch_sides sides = {
		text_of("{}"), text_of("{\"Count\":1}"), text_of("{}"), text_of("{\"Count\":2}")};
	assert_int_equal(patch_merge(schema, &sides, &out, &fields, NULL), -ESTALE);
	assert_int_equal(patch_create(schema, "{}", 2, &out, NULL), -EINVAL);
}

/* ---- an author who saves again ---- */

/* One who saved `text` before and knows `seen` of the record saves `edited`; NULL is a conflict. */
static void test_patch_merge__again(void **state)
{
	static const struct {
		const char *text, *edited, *seen, *theirs, *patch;
	} table[] = {
		/* the field that was saved before: set anew, kept, put back */
		{"{\"Phone\":\"1\"}", "{\"Phone\":\"2\"}", "{\"Phone\":\"1\"}", "{\"Phone\":\"1\"}",
			"{\"Phone\":\"2\"}"},
		{"{\"Phone\":\"1\"}", "{\"Phone\":\"1\"}", "{\"Phone\":\"1\"}", "{\"Phone\":\"1\"}",
			""},
		/* the org trimmed what was saved: not the author's change, and no conflict */
		{"{\"Phone\":\" 1 \"}", "{\"Phone\":\" 1 \"}", "{\"Phone\":\"1\"}",
			"{\"Phone\":\"1\"}", ""},
		{"{\"Phone\":\" 1 \"}", "{\"Phone\":\"2\"}", "{\"Phone\":\"1\"}",
			"{\"Phone\":\"1\"}", "{\"Phone\":\"2\"}"},
		/* somebody changed it after the first save */
		{"{\"Phone\":\"1\"}", "{\"Phone\":\"2\"}", "{\"Phone\":\"1\"}", "{\"Phone\":\"9\"}",
			NULL},
		{"{\"Phone\":\"1\"}", "{\"Phone\":\"1\"}", "{\"Phone\":\"1\"}", "{\"Phone\":\"9\"}",
			""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct outcome o =
			merge_seen(table[i].text, table[i].edited, table[i].seen, table[i].theirs);
		assert_int_equal(o.r, table[i].patch ? 0 : -ESTALE);
		assert_string_equal(o.patch, table[i].patch ? table[i].patch : "");
	}
}

/* What is left out of a text is what it was; what the author did not touch is as it was seen. */
static void test_patch_learn__what_is_known_afterwards(void **state)
{
	const struct patch_sides sides = {
		.base = text_of("{\"Phone\":\"a\",\"Name\":\"b\",\"Count\":1}"),
		.edited = text_of("{\"Phone\":\" 2 \",\"Name\":\"b\"}"),
		.seen = text_of("{\"Phone\":\"a\",\"Name\":\"b\",\"Count\":1}"),
		.theirs = text_of("{\"Phone\":\"2\",\"Name\":\"by another\",\"Count\":7}")};
	AUTO(buf) struct buf text, seen;
	struct error err = {0};

	(void)state;
	buf_init(&text, 1000);
	buf_init(&seen, 1000);
	assert_int_equal(patch_learn(schema, &sides, &text, &seen, &err), 0);
	assert_non_null(strstr(buf_str(&text), "\"Phone\":\" 2 \""));
	assert_non_null(strstr(buf_str(&text), "\"Count\":1"));
	assert_non_null(strstr(buf_str(&seen), "\"Phone\":\"2\""));
	assert_non_null(strstr(buf_str(&seen), "\"Name\":\"b\""));
	assert_non_null(strstr(buf_str(&seen), "\"Count\":1"));
}

/* Two versions of one second: who wrote them tells which one a text was made from. */
static void test_patch_fits__by_what_nobody_can_change(void **state)
{
	const struct json_slice base = text_of("{\"Phone\":\"a\",\"Locked__c\":\"x\"}");
	struct error err = {0};

	(void)state;
	assert_int_equal(patch_fits(schema, base, base, &err), 1);
	assert_int_equal(patch_fits(schema, base, text_of("{\"Phone\":\"b\"}"), &err), 1);
	assert_int_equal(
		patch_fits(schema, base, text_of("{\"Phone\":\"a\",\"Locked__c\":\"y\"}"), &err),
		0);
	assert_int_equal(patch_fits(schema, text_of("{\"Formula__c\":33.333333333333333333}"),
				 text_of("{\"Formula__c\":33.333333333333336}"), &err),
		1);
	assert_int_equal(patch_fits(schema, text_of("{\"Formula__c\":33.333333333333333333}"),
				 text_of("{\"Formula__c\":33.4}"), &err),
		0);
	assert_int_equal(patch_fits(schema, base, text_of("{"), &err), -EINVAL);
	assert_int_equal(patch_fits(schema, base, text_of("{"), NULL), -EINVAL);
	assert_int_equal(patch_fits(schema, text_of("{"), base, NULL), -EIO);
}

static void test_patch_learn__no_room(void **state)
{
	const struct patch_sides sides = {text_of("{}"), text_of("{\"Phone\":\"1\"}"),
		text_of("{}"), text_of("{\"Phone\":\"1\"}")};
	AUTO(buf) struct buf text, seen;
	struct error err = {0};

	(void)state;
	buf_init(&text, 4);
	buf_init(&seen, 1000);
	assert_int_equal(patch_learn(schema, &sides, &text, &seen, &err), -EFBIG);
	assert_int_equal(err.errnum, EFBIG);
}

/* ---- new records ---- */

static struct outcome create(const char *text)
{
	struct outcome o = {0};
	AUTO(buf) struct buf out;

	buf_init(&out, 1 << 20);
	o.r = patch_create(schema, text, strlen(text), &out, &o.err);
	snprintf(o.patch, sizeof(o.patch), "%s", buf_str(&out));
	assert_int_equal(o.err.errnum, -o.r);
	assert_true(o.r == 0 || out.len == 0);
	return o;
}

static void test_patch_create__bodies(void **state)
{
	static const struct {
		const char *text, *body;
	} table[] = {
		{"{\"Name\":\"A\"}", "{\"Name\":\"A\"}"},
		{"{\"Phone\":\"1\",\"Name\":\"A\"}", "{\"Name\":\"A\",\"Phone\":\"1\"}"},
		{"{\"Name\":\"A\",\"Id\":null}", "{\"Name\":\"A\"}"},
		{"{\"Name\":\"A\",\"Id\":\"\"}", "{\"Name\":\"A\"}"},
		{"{\"Name\":\"A\",\"Phone\":null,\"CreatedDate\":null}", "{\"Name\":\"A\"}"},
		{"{\"Name\":\"A\",\"Phone\":\"\"}", "{\"Name\":\"A\"}"},
		{"{\"Name\":\"A\",\"Active\":null}", "{\"Name\":\"A\"}"},
		{"{\"Name\":\"A\",\"OwnerId\":null}", "{\"Name\":\"A\"}"},
		{"\xef\xbb\xbf{\"Name\":\"A\",\r\n\"Count\":5.0,\"attributes\":{}}\r\n",
			"{\"Name\":\"A\",\"Count\":5}"},
		{"{\"Name\":\"A\",\"Big__c\":123456789012345680}",
			"{\"Name\":\"A\",\"Big__c\":123456789012345680}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct outcome o = create(table[i].text);

		if (o.r) {
			fail_msg("%s: %s", table[i].text, o.err.text);
		}
		assert_string_equal(o.patch, table[i].body);
	}
}

static void test_patch_create__refusals(void **state)
{
	static const struct {
		const char *text;
		int errnum;
		const char *fields, *word;
	} table[] = {
		{"", EINVAL, "", "empty"},
		{"{", EINVAL, "", "cut off"},
		{"{}", EINVAL, "Name", "needs a value for 1 field: Name."},
		{"{\"Phone\":\"1\"}", EINVAL, "Name", "needs a value"},
		{"{\"Name\":null}", EINVAL, "Name", "needs a value"},
		{"{\"Name\":\"\"}", EINVAL, "Name", "needs a value"},
		{"{\"Name\":\"A\",\"Id\":\"001dM00003jU9GxQAK\"}", EINVAL, "Id", "line 1: Id: "},
		{"{\"Name\":\"A\",\n\"Formula__c\":1}", EACCES, "Formula__c", "line 2: Formula__c"},
		{"{\"Name\":\"A\",\"IsDeleted\":false}", EACCES, "IsDeleted", "cannot be given"},
		{"{\"Name\":\"A\",\"IsDeleted\":false,\"Locked__c\":null,\"Formula__c\":1}", EACCES,
			"Formula__c,IsDeleted", "Take the line away, and those of IsDeleted."},
		{"{\"Name\":\"A\",\"Count\":\"1\"}", EINVAL, "Count", "quotes away"},
		{"{\"Name\":\"12345678901\"}", EINVAL, "Name", "11 characters"},
		{"{\"Name\":\"A\",\"Nmae\":1}", EINVAL, "Nmae", "Did you mean Name?"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct outcome o = create(table[i].text);

		if (o.r != -table[i].errnum || !strstr(o.err.text, table[i].word)) {
			fail_msg("%s: %d %s %s", table[i].text, o.r, o.err.text, o.patch);
		}
		assert_string_equal(o.err.fields, table[i].fields);
	}
}

static void test_patch_create__names_all_that_is_missing(void **state)
{
	static const char describe[] = "{\"name\":\"X\",\"createable\":true,\"fields\":["
				       "{" RW "\"name\":\"A\",\"type\":\"string\"},{" RW
				       "\"name\":\"B\",\"type\":\"int\"},"
				       "{" RW "\"name\":\"C\",\"type\":\"boolean\"}]}";
	AUTO(schema) struct schema *s = NULL;
	AUTO(buf) struct buf out;
	struct error err = {0};

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(schema_parse(describe, strlen(describe), &s, NULL), 0);
	assert_int_equal(patch_create(s, "{}", 2, &out, &err), -EINVAL);
	assert_string_equal(err.fields, "A,B");
	assert_non_null(strstr(err.text, "2 fields: A,B."));
}

static void test_patch_create__object_needs_nothing_or_forbids_it(void **state)
{
	static const char describe[] = "{\"name\":\"X\",\"createable\":true,\"fields\":["
				       "{" RW NIL "\"name\":\"A\",\"type\":\"string\"}]}";
	AUTO(schema) struct schema *s = NULL;
	AUTO(buf) struct buf out;
	struct error err = {0};

	(void)state;
	buf_init(&out, 100);
	assert_int_equal(schema_parse(describe, strlen(describe), &s, NULL), 0);
	assert_int_equal(patch_create(s, "{}", 2, &out, &err), 0);
	assert_string_equal(buf_str(&out), "{}");
	s->createable = false;
	assert_int_equal(patch_create(s, "{}", 2, &out, &err), -EACCES);
	assert_string_equal(buf_str(&out), "{}");
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
		cmocka_unit_test(test_patch_merge__matrix),
		cmocka_unit_test(test_patch_merge__refusals),
		cmocka_unit_test(test_patch_merge__the_same_bytes),
		cmocka_unit_test(test_patch_merge__both_values_are_shown),
		cmocka_unit_test(test_patch_merge__long_values),
		cmocka_unit_test(test_patch_merge__several_conflicts_are_named),
		cmocka_unit_test(test_patch_merge__without_an_error_to_fill),
		cmocka_unit_test(test_patch_merge__again),
		cmocka_unit_test(test_patch_learn__what_is_known_afterwards),
		cmocka_unit_test(test_patch_fits__by_what_nobody_can_change),
		cmocka_unit_test(test_patch_learn__no_room),
		cmocka_unit_test(test_patch_create__bodies),
		cmocka_unit_test(test_patch_create__refusals),
		cmocka_unit_test(test_patch_create__names_all_that_is_missing),
		cmocka_unit_test(test_patch_create__object_needs_nothing_or_forbids_it),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
