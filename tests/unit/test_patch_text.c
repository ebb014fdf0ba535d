/* SPDX-License-Identifier: MIT */
/* Texts as editors, tools and hands leave them: what is no change, and what is no JSON. */
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

static struct schema *schema;

static int make(const char *edited, size_t len, char *ret_patch, size_t size, struct error *err)
{
	AUTO(buf) struct buf out;
	size_t fields;
	int r;

	buf_init(&out, 1 << 20);
	r = patch_make(schema, patch_base, strlen(patch_base), edited, len, &out, &fields, err);
	snprintf(ret_patch, size, "%s", buf_str(&out));
	return r;
}

/* The whole file through a tool, once untouched and once with another Phone. */
static void check_tool(const char *untouched, size_t len)
{
	AUTO_FREE char *copy = strndup(untouched, len);
	AUTO_FREE char *edited = replaced(copy, "(555)", "(556)");
	char patch[1000];
	struct error err = {0};

	if (make(untouched, len, patch, sizeof(patch), &err)) {
		fail_msg("%s", err.text);
	}
	assert_string_equal(patch, "");
	if (make(edited, strlen(edited), patch, sizeof(patch), &err)) {
		fail_msg("%s", err.text);
	}
	assert_string_equal(patch, "{\"Phone\":\"+1 (556) 123\"}");
}

static void test_patch_text__no_newline_at_the_end(void **state)
{
	(void)state;
	check_tool(patch_base, strlen(patch_base) - 1);
}

static void test_patch_text__crlf(void **state)
{
	AUTO(buf) struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	for (const char *p = patch_base; *p; p++) {
		buf_add_str(&text, *p == '\n' ? "\r\n" : (char[]){*p, 0});
	}
	check_tool(text.data, text.len);
}

static void test_patch_text__byte_order_mark(void **state)
{
	AUTO(buf) struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	buf_add_str(&text, "\xef\xbb\xbf");
	buf_add_str(&text, patch_base);
	check_tool(text.data, text.len);
}

static void test_patch_text__space_around(void **state)
{
	AUTO(buf) struct buf text;

	(void)state;
	buf_init(&text, 1 << 20);
	buf_addf(&text, "\n\t \r\n%s\n\n \t\n", patch_base);
	check_tool(text.data, text.len);
}

/* jq's -S, --tab and -c, python's json.dump with ASCII only. */
static void test_patch_text__written_again_by_a_tool(void **state)
{
	static const size_t flags[] = {JSON_INDENT(4) | JSON_SORT_KEYS, JSON_COMPACT,
		JSON_INDENT(1) | JSON_ENSURE_ASCII, JSON_ESCAPE_SLASH | JSON_SORT_KEYS};

	(void)state;
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		json_t *tree = json_loads(patch_base, JSON_ALLOW_NUL, NULL);
		AUTO_FREE char *text = json_dumps(tree, flags[i] | JSON_ALLOW_NUL);

		json_decref(tree);
		assert_non_null(text);
		check_tool(text, strlen(text));
	}
}

/* What is wrong, where, in words that help. */
static void test_patch_text__broken(void **state)
{
	static const struct {
		const char *text;
		const char *at; /* "line 1, column 2", or "" for texts without a place */
		const char *word;
	} table[] = {
		{"", "", "empty; the record was left as it is"},
		{" \n\t\r\n", "", "empty; the record was left as it is"},
		{"\xef\xbb\xbf", "", "empty; the record was left as it is"},
		{"\xef\xbb\xbf\n", "", "empty; the record was left as it is"},
		{"\xff\xfe{", "", "Save it as UTF-8"},
		{"[]", "", "one JSON object"},
		{"[{\"Phone\": \"1\"}]", "", "one JSON object"},
		{"\"x\"", "", "one JSON object"},
		{"7", "", "one JSON object"},
		{"null", "", "one JSON object"},
		/* commas and brackets */
		{"{\"Phone\": \"1\",}", "line 1, column 14", "comma stands before a closing"},
		{"{\n  \"Phone\": \"1\",\n  \"Count\": 2,\n}\n", "line 3, column 13",
			"comma stands before a closing"},
		{"{\"Any\": [1, 2,]}", "line 1, column 14", "comma stands before a closing"},
		{"{\n  \"Phone\": \"1\"\n  \"Count\": 2\n}\n", "line 2, column 12",
			"a comma is missing after this value"},
		{"{\n  \"Any\": []\n  \"Count\": 2\n}\n", "line 2, column 11",
			"a comma is missing after this value"},
		{"{\"Phone\": \"1\",, \"Count\": 2}", "line 1, column 15", "one comma too many"},
		{"{,}", "line 1, column 2", "not a comma"},
		{"{\"Count\": ,}", "line 1, column 11", "not a comma"},
		{"{\"Count\": }", "line 1, column 9", "no value"},
		{"{\"Count\"}", "line 1, column 2", "no value"},
		{"{\"Count\", 1}", "line 1, column 2", "no value"},
		{"{\"Count\" 1}", "line 1, column 10", "colon is missing"},
		{"{\"Count\" \"Phone\"}", "line 1, column 10", "colon is missing"},
		{"{\"Count\"= 1}", "line 1, column 9", "cannot stand here"},
		{"{\"Count\":: 1}", "line 1, column 10", "no colon"},
		{"{\"Count\": 1]", "line 1, column 12", "closes nothing"},
		{"{\"Count\": 1}}", "line 1, column 13", "closes nothing"},
		{"{\"Count\": 1} x", "line 1, column 14", "follows the end"},
		{"{\"Count\": 1}{\"Count\": 2}", "line 1, column 13", "follows the end"},
		{"{\"Count\": 1", "line 1, column 12", "cut off"},
		{"{\"Count\": 1,", "line 1, column 13", "cut off"},
		{"{\n", "line 2, column 1", "cut off"},
		/* quotes and texts */
		{"{'Phone': \"1\"}", "line 1, column 2", "double quotes"},
		{"{\"Phone\": '1'}", "line 1, column 11", "double quotes"},
		{"{\"Phone\": \xe2\x80\x9c"
		 "1\xe2\x80\x9d}",
			"line 1, column 11", "straight double quotes"},
		{"{Phone: \"1\"}", "line 1, column 2", "key in double quotes"},
		{"{\"Phone\": hello}", "line 1, column 11", "text stands in double quotes"},
		{"{\"Phone\": \"1}\n", "line 1, column 11", "no closing quote on its line"},
		{"{\"Phone\": \"1}", "line 1, column 11", "no closing quote"},
		{"{\"Phone\": \"say \"hi\" now\"}", "line 1, column 17", "not written \\\""},
		{"{\"Note__c\": \"a\nb\"}", "line 1, column 13", "written \\n"},
		{"{\"Note__c\": \"a\r\nb\"}", "line 1, column 13", "written \\n"},
		{"{\"Note__c\": \"a\tb\"}", "line 1, column 15", "written \\t"},
		{"{\"Note__c\": \"a\x1b[2J\"}", "line 1, column 15", "written \\u00"},
		{"{\"Note__c\": \"C:\\dir\"}", "line 1, column 16", "written \\\\"},
		{"{\"Note__c\": \"\\u12\"}", "line 1, column 14", "hexadecimal"},
		{"{\"Note__c\": \"\\ud83d\"}", "line 1, column 14", "half of a character"},
		{"{\"Note__c\": \"\\ud83d\\u0041\"}", "line 1, column 14", "half of a character"},
		{"{\"Note__c\": \"\\ud83d\\ude00\\q\"}", "line 1, column 26", "written \\\\"},
		{"{\"Note__c\": \"\\ude00\"}", "line 1, column 14", "half of a character"},
		{"{\"Note__c\": \"\xe9\"}", "line 1, column 14", "not UTF-8"},
		/* words and numbers */
		{"{\"Active\": True}", "line 1, column 12", "small letters"},
		{"{\"Active\": None}", "line 1, column 12", "small letters"},
		{"{\"Active\": undefined}", "line 1, column 12", "small letters"},
		{"{\"Amount\": 1,5}", "line 1, column 14", "begins with a point"},
		{"{\"Amount\": 01}", "line 1, column 12", "no number"},
		{"{\"Amount\": .5}", "line 1, column 12", "no number"},
		{"{\"Amount\": 5.}", "line 1, column 12", "no number"},
		{"{\"Amount\": +5}", "line 1, column 12", "no number"},
		{"{\"Amount\": $5}", "line 1, column 12", "cannot stand here"},
		{"{\"Due\": 2026-07-01}", "line 1, column 9", "double quotes"},
		{"{5: 1}", "line 1, column 2", "key"},
		{"{true: 1}", "line 1, column 2", "key"},
		/* what is no JSON at all */
		{"{\n  // new\n  \"Phone\": \"1\"\n}", "line 2, column 3", "no comments"},
		{"{\"Phone\": \"1\" # new\n}", "line 1, column 15", "no comments"},
		{"{\"Phone\": \"1\"} /* new */", "line 1, column 16", "no comments"},
		{"{\n<<<<<<< HEAD\n", "line 2, column 1", "a merge left behind"},
		{"{\"Phone\": \"1\"\n=======\n}", "line 2, column 1", "a merge left behind"},
		{"{\"Any\": {\"a\": 1, \"a\": 2}}", "line 1, column 21", "twice"},
		{"{\"Phone\\u0000\": \"1\"}", "line 1, column 15", "NUL"},
		{"hello", "line 1, column 1", "double quotes"},
		{"\xe2\x82\xac", "line 1, column 1", "cannot stand here"},
		/* columns count characters */
		{"{\"Note__c\": \"\xc3\xa9\xf0\x9f\x98\x80\" x}", "line 1, column 18", "comma"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char patch[100];
		struct error err = {0};
		int r = make(table[i].text, strlen(table[i].text), patch, sizeof(patch), &err);
		size_t at_len = strlen(table[i].at);

		if (r != -EINVAL || err.errnum != EINVAL ||
			strncmp(err.text, table[i].at, at_len) != 0 ||
			(at_len && strncmp(err.text + at_len, ": ", 2) != 0) ||
			!strstr(err.text, table[i].word)) {
			fail_msg("%s -> %d %s", table[i].text, r, err.text);
		}
		assert_string_equal(patch, "");
	}
}

static void check_bytes(const char *text, size_t len, int errnum, const char *word)
{
	char patch[100];
	struct error err = {0};

	assert_int_equal(make(text, len, patch, sizeof(patch), &err), -errnum);
	if (!strstr(err.text, word)) {
		fail_msg("%s", err.text);
	}
}

/* A crash can leave a file of its right size without its content. */
static void test_patch_text__nul_bytes(void **state)
{
	static const char nothing[500];
	static const char behind[] = "{\"Phone\": \"1\"}\0\0\0";
	static const char inside[] = "{\"Phone\": \"1\0\"}";

	(void)state;
	check_bytes(nothing, sizeof(nothing), EINVAL, "left as it is");
	check_bytes(nothing, 1, EINVAL, "left as it is");
	check_bytes(behind, sizeof(behind) - 1, EINVAL, "NUL");
	check_bytes(inside, sizeof(inside) - 1, EINVAL, "NUL");
}

static void test_patch_text__utf16(void **state)
{
	static const char little[] = "\xff\xfe{\0}\0";
	static const char big[] = "\xfe\xff\0{\0}";

	(void)state;
	check_bytes(little, sizeof(little) - 1, EINVAL, "UTF-16");
	check_bytes(big, sizeof(big) - 1, EINVAL, "UTF-16");
}

static void test_patch_text__has_a_limit(void **state)
{
	size_t len = PATCH_TEXT_MAX + 1;
	AUTO_FREE char *text = malloc(len);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', len);
	check_bytes(text, len, EFBIG, "16 MiB");
	memset(text, ',', 200000);
	check_bytes(text, 200000, EFBIG, "values");
	memset(text, '[', 200000);
	check_bytes(text, 200000, EFBIG, "values");
	/* inside a text they are only long */
	memset(text, ',', 200000);
	memcpy(text, "{\"Note__c\":\"", strlen("{\"Note__c\":\""));
	memcpy(text + 200000 - 2, "\"}", 2);
	check_bytes(text, 200000, EINVAL, "the field holds 1000");
}

static void test_patch_text__nesting_has_a_limit(void **state)
{
	char text[400] = "{\"Any\":";

	(void)state;
	memset(text + strlen(text), '[', 100);
	check_bytes(text, strlen(text), EINVAL, "nested too deeply");
}

/* `echo > file`, `: > file`, and editors that truncate before they write. */
static void test_patch_text__truncated_file_changes_nothing(void **state)
{
	(void)state;
	check_bytes("", 0, EINVAL, "left as it is");
	check_bytes("\n", 1, EINVAL, "left as it is");
	check_bytes(NULL, 0, EINVAL, "left as it is");
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
		cmocka_unit_test(test_patch_text__no_newline_at_the_end),
		cmocka_unit_test(test_patch_text__crlf),
		cmocka_unit_test(test_patch_text__byte_order_mark),
		cmocka_unit_test(test_patch_text__space_around),
		cmocka_unit_test(test_patch_text__written_again_by_a_tool),
		cmocka_unit_test(test_patch_text__broken),
		cmocka_unit_test(test_patch_text__nul_bytes),
		cmocka_unit_test(test_patch_text__utf16),
		cmocka_unit_test(test_patch_text__has_a_limit),
		cmocka_unit_test(test_patch_text__nesting_has_a_limit),
		cmocka_unit_test(test_patch_text__truncated_file_changes_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
