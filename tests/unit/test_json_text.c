/* SPDX-License-Identifier: MIT */
/* JSON as text: numbers kept, places of mistakes, walkers, canonical writing. */
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

static int load(const char *text, size_t len, json_t **ret, struct error *err)
{
	AUTO(buf) struct buf scratch;

	buf_init(&scratch, 1 << 20);
	return json_text_load(text, len, &scratch, ret, err);
}

/* Loaded and dumped again. */
static void round_trip(const char *text, size_t len, struct buf *out)
{
	struct error err = {0};
	json_t *value = NULL;

	buf_clear(out);
	if (load(text, len, &value, &err)) {
		fail_msg("%s: %s", text, err.text);
	}
	assert_int_equal(json_text_dump(value, out), 0);
	json_decref(value);
}

static void test_json_text__keeps_every_number(void **state)
{
	(void)state;
	static const char *const numbers[] = {"0", "-0", "-0.0", "1", "42", "150000.0", "1.0E7",
		"1.5e-10", "1E+400", "0.1", "123456789012345678", "-999999999999999999",
		"123456789012345678901234567890", "3.141592653589793238462643", "NaN", "Infinity",
		"-Infinity"};
	AUTO(buf) struct buf out;

	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		char text[200];
		json_t *value = NULL;
		size_t len;

		round_trip(numbers[i], strlen(numbers[i]), &out);
		assert_string_equal(buf_str(&out), numbers[i]);
		snprintf(text, sizeof(text), "{\"a\":[%s,%s],\"b\":%s}", numbers[i], numbers[i],
			numbers[i]);
		round_trip(text, strlen(text), &out);
		assert_string_equal(buf_str(&out), text);

		assert_int_equal(load(numbers[i], strlen(numbers[i]), &value, NULL), 0);
		assert_string_equal(json_text_number(value, &len), numbers[i]);
		assert_int_equal(len, strlen(numbers[i]));
		assert_null(json_text_string(value, &len));
		json_decref(value);
	}
}

static void test_json_text__refuses(void **state)
{
	(void)state;
	static const char *const wrong[] = {/* numbers that JSON does not know */
		"01", "1.", "+1", ".5", "-", "--1", "1e", "1e+", "1.e5", "0x10", "1_000", "00",
		"-01", "1.2.3", "1e5.0", "nan", "inf", "-NaN", "+Infinity", "Infinity1", "1true",
		"truefalse", "True", "nul", "undefined",
		/* other things that are not JSON */
		"", " ", "{", "}", "[", "]", "[1,]", "[,1]", "{\"a\":1,}", "{\"a\"}", "{a:1}",
		"{1:2}", "{1 : 2}", "{NaN:1}", "{\"a\":1 \"b\":2}", "[1 2]", "1 2", "1\"a\"",
		"\"a\"1", "\"", "\"a", "\"\\\"", "'a'", "\"\t\"", "\"\n\"", "\"\\x\"", "\"\\u12\"",
		"[1}", "{\"a\":1]", "[1]]", "/* */ 1", "1 // one", "\"\\ud83d\"", "\"\\ude00\"",
		"\"\\ud83dx\"", "\xef\xbb\xbf{}",
		/* UTF-8 */
		"\"\xff\"", "\"\xc3\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"",
		"\xc3\xa9",
		/* keys */
		"{\"a\":1,\"a\":2}", "{\"a\":1,\"\\u0061\":2}", "[{\"a\":{\"b\":1,\"b\":1}}]",
		"{\"a\\u0000b\":1}"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct error err = {0};
		json_t *value = NULL;
		int r = load(wrong[i], strlen(wrong[i]), &value, &err);

		if (r != -EPROTO) {
			fail_msg("<%s> gives %d", wrong[i], r);
		}
		assert_null(value);
		assert_int_equal(err.errnum, EPROTO);
		assert_non_null(strstr(err.text, "Line "));
		assert_int_equal(load(wrong[i], strlen(wrong[i]), &value, NULL), -EPROTO);
	}
	json_t *value = NULL;
	assert_int_equal(load(NULL, 0, &value, NULL), -EPROTO);
	assert_int_equal(load("1\0", 2, &value, NULL), -EPROTO);
	assert_int_equal(load("\"a\0b\"", 5, &value, NULL), -EPROTO);
}

static void test_json_text__names_the_place_in_the_original_text(void **state)
{
	(void)state;
	static const struct {
		const char *text, *place;
	} table[] = {
		{"{\n  \"a\": 01\n}", "Line 2, column 8:"},
		{"{\"a\": 1.5, \"b\": 2.5,\n\"c\": 3, \"d\": tru}", "Line 2, column 14:"},
		{"[1, 2, 3, 4, 5, 6, 7, 8, 9\n 10]", "Line 2, column 4:"},
		{"{\"a\": 1, \"b\": 2\n\"c\": 3}", "Line 2, column 4:"},
		{"[\"\xc3\xa9\xc3\xa9\", +1]", "Line 1, column 8:"},
		{"[1,2,3", "Line 1, column 7:"},
		{"{\"a\": 1,\n \"b\": \"open\n}", "Line 2, column 7:"},
		{"{\"a\": 1,\n \"b\": 2,\n \"a\": 3}", "Line 3, column 5:"},
		{"[1,2,\n 3] 4", "Line 2, column 6:"},
		{"{\"a\": \"\\u0001#1\",\n\"b\": 2 2}", "Line 2, column 9:"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct error err = {0};
		json_t *value = NULL;

		assert_int_equal(load(table[i].text, strlen(table[i].text), &value, &err), -EPROTO);
		if (strncmp(err.text, table[i].place, strlen(table[i].place)) != 0) {
			fail_msg("%s\ngives: %s\nwanted: %s", table[i].text, err.text,
				table[i].place);
		}
	}
}

static void test_json_text__error_texts_hold_no_data(void **state)
{
	(void)state;
	static const char *const texts[] = {"{\"Name\": \"Top Secret\" \"x\": 1}", "\"Secret",
		"[Secret]", "{\"Secret\":1,\"Secret\":2}", "{\"a\":\"Secret\xff\"}"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct error err = {0};
		json_t *value = NULL;

		assert_int_equal(load(texts[i], strlen(texts[i]), &value, &err), -EPROTO);
		assert_null(strstr(err.text, "Secret"));
	}
}

static void test_json_text__nesting_has_a_limit(void **state)
{
	(void)state;
	char text[200];
	json_t *value = NULL;
	AUTO(buf) struct buf out;

	buf_init(&out, 1000);
	memset(text, '[', 64);
	memset(text + 64, ']', 64);
	round_trip(text, 128, &out);
	assert_int_equal(out.len, 128);
	assert_memory_equal(out.data, text, 128);
	memset(text, '[', 65);
	memset(text + 65, ']', 65);
	assert_int_equal(load(text, 130, &value, NULL), -EPROTO);
	memset(text, '[', 200);
	assert_int_equal(load(text, 200, &value, NULL), -EPROTO);
}

/* Texts that look like marked numbers stay texts, in values and in keys. */
static void test_json_text__text_is_never_taken_for_a_number(void **state)
{
	(void)state;
	static const char *const texts[] = {"\"\\u0001#1\"", "\"\\u0001\"", "\"\\u0001#\"",
		"\"\\u0001\\u0001#1\"", "\"\\u0001\\u0001\"", "\"#1\"", "\"x\\u0001#1\"",
		"{\"\\u0001#1\":\"\\u0001#2\",\"\\u0001\\u0001#1\":3}"};
	AUTO(buf) struct buf out;

	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		round_trip(texts[i], strlen(texts[i]), &out);
		assert_string_equal(buf_str(&out), texts[i]);
	}
	json_t *value = NULL;
	size_t len;
	assert_int_equal(load("\"\\u0001#1\"", 10, &value, NULL), 0);
	assert_null(json_text_number(value, &len));
	assert_memory_equal(json_text_string(value, &len), "\x01#1", 3);
	assert_int_equal(len, 3);
	json_decref(value);
}

static void test_json_text__writes_text_in_one_way(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} table[] = {
		{"\"\"", "\"\""},
		{"\"a\\/b/c\"", "\"a/b/c\""},
		{"\"\\u0041\\u00e9\\u00E9\xc3\xa9\"", "\"A\xc3\xa9\xc3\xa9\xc3\xa9\""},
		{"\"\\\"\\\\\\n\\r\\t\\b\\f\"", "\"\\\"\\\\\\n\\r\\t\\b\\f\""},
		{"\"\\u0022\\u005c\\u000a\\u000d\\u0009\\u0008\\u000c\"",
			"\"\\\"\\\\\\n\\r\\t\\b\\f\""},
		{"\"a\\u0000b\\u0001\\u001f\\u000b\"", "\"a\\u0000b\\u0001\\u001F\\u000B\""},
		{"\"\\u007f\x7f\"", "\"\x7f\x7f\""},
		{"\"\\ud83d\\ude00\xf0\x9f\x98\x80\"", "\"\xf0\x9f\x98\x80\xf0\x9f\x98\x80\""},
		{"\"\\u2028\\u2029\xe2\x80\xa8\\ufeff\"",
			"\"\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xa8\xef\xbb\xbf\""},
		{"\"&lt;\\u003cscript\\u003e'\"", "\"&lt;<script>'\""},
		{" { \"b\" : [ ] , \"a\" : { } , \"c\" : [ { \"z\" : null , \"y\" : true } , false "
		 "] } ",
			"{\"b\":[],\"a\":{},\"c\":[{\"z\":null,\"y\":true},false]}"},
	};
	AUTO(buf) struct buf out;

	buf_init(&out, 1000);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		round_trip(table[i].in, strlen(table[i].in), &out);
		assert_string_equal(buf_str(&out), table[i].out);
		round_trip(table[i].out, strlen(table[i].out), &out);
		assert_string_equal(buf_str(&out), table[i].out);
	}
}

static void test_json_text_add_string__every_byte(void **state)
{
	(void)state;
	AUTO(buf) struct buf out;

	buf_init(&out, 1000);
	for (int c = 0; c < 0x80; c++) {
		char s[3] = {'a', (char)c, 'b'};
		json_t *value = NULL;
		size_t len;

		buf_clear(&out);
		assert_int_equal(json_text_add_string(&out, s, 3), 0);
		assert_int_equal(load(out.data, out.len, &value, NULL), 0);
		assert_memory_equal(json_text_string(value, &len), s, 3);
		assert_int_equal(len, 3);
		json_decref(value);
	}
	buf_clear(&out);
	assert_int_equal(json_text_add_string(&out, "", 0), 0);
	assert_string_equal(buf_str(&out), "\"\"");
}

static void test_json_text_dump__numbers_of_our_own(void **state)
{
	(void)state;
	AUTO(buf) struct buf out;
	json_t *value = json_pack("{s:i,s:I,s:f,s:s}", "a", 1, "b", INT64_MIN, "c", 0.5, "d", "x");

	buf_init(&out, 1000);
	assert_int_equal(json_text_dump(value, &out), 0);
	assert_string_equal(
		buf_str(&out), "{\"a\":1,\"b\":-9223372036854775808,\"c\":0.5,\"d\":\"x\"}");
	json_decref(value);
}

static void test_json_text__limits_are_kept(void **state)
{
	(void)state;
	AUTO(buf) struct buf small;
	struct error err = {0};
	json_t *value = NULL;

	buf_init(&small, 20);
	assert_int_equal(json_text_load("[1,2,3,4]", 9, &small, &value, &err), -EFBIG);
	assert_non_null(strstr(err.text, "20"));
	assert_int_equal(json_text_load("[true]", 6, &small, &value, NULL), 0); /* usable again */
	json_decref(value);
	value = json_string("a long text that does not fit there");
	buf_clear(&small);
	assert_int_equal(json_text_dump(value, &small), -EFBIG);
	json_decref(value);
	buf_clear(&small);
	assert_int_equal(json_text_indent("[true,true,true,true]", 21, &small, &err), -EFBIG);
}

static void test_json_text_indent__table(void **state)
{
	(void)state;
	static const struct {
		const char *in, *out;
	} table[] = {
		{"1", "1\n"},
		{"{}", "{}\n"},
		{"[ ]", "[]\n"},
		{"{\"b\":1.0E7,\"a\":[1,{\"x\":null}],\"e\":{},\"f\":[]}",
			"{\n  \"b\": 1.0E7,\n  \"a\": [\n    1,\n    {\n      \"x\": null\n    }\n "
			" ],\n"
			"  \"e\": {},\n  \"f\": []\n}\n"},
	};
	AUTO(buf) struct buf out, again;

	buf_init(&out, 1000);
	buf_init(&again, 1000);
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		buf_clear(&out);
		buf_clear(&again);
		assert_int_equal(json_text_indent(table[i].in, strlen(table[i].in), &out, NULL), 0);
		assert_string_equal(buf_str(&out), table[i].out);
		assert_int_equal(json_text_indent(out.data, out.len, &again, NULL), 0);
		assert_string_equal(buf_str(&again), table[i].out);
	}
	assert_int_equal(json_text_indent("{", 1, &out, NULL), -EPROTO);
}

/* The walkers write down what they see. */
struct log {
	struct buf text;
	int stop_at; /* 0: never */
	int calls;
};

static int log_member(void *payload, struct json_slice key, struct json_slice value)
{
	struct log *log = payload;

	buf_addf(&log->text, "<%.*s|%.*s>", (int)key.len, key.text, (int)value.len, value.text);
	return ++log->calls == log->stop_at ? -ECANCELED : 1;
}

static int log_element(void *payload, struct json_slice value)
{
	struct log *log = payload;

	buf_addf(&log->text, "<%.*s>", (int)value.len, value.text);
	return ++log->calls == log->stop_at ? -ECANCELED : 0;
}

static void test_json_text_members__table(void **state)
{
	(void)state;
	static const struct {
		const char *in, *seen;
		int r;
	} table[] = {
		{"{}", "", 0},
		{" \n{ }\r\n\t", "", 0},
		{"\xef\xbb\xbf{\"a\":1}", "<a|1>", 0},
		{" \xef\xbb\xbf{\"a\":1}", "", -EPROTO},
		{"\xef\xbb\xbf", "", -EPROTO},
		{"{\"a\":1}", "<a|1>", 0},
		{"{ \"a\" : -1.5 , \"b\" : \"x\" , \"c\" : null }", "<a|-1.5><b|\"x\"><c|null>", 0},
		{"{\"a\":{\"b\":[1,{\"c\":\"}]\"}]},\"d\":[]}",
			"<a|{\"b\":[1,{\"c\":\"}]\"}]}><d|[]>", 0},
		{"{\"a\\\"b\":\"c\\\\\",\"d\":\"\\\\\\\"\"}", "<a\\\"b|\"c\\\\\"><d|\"\\\\\\\"\">",
			0},
		{"{\"\":\"\"}", "<|\"\">", 0},
		{"", "", -EPROTO},
		{"  ", "", -EPROTO},
		{"[]", "", -EPROTO},
		{"1", "", -EPROTO},
		{"{", "", -EPROTO},
		{"{]", "", -EPROTO},
		{"{}x", "", -EPROTO},
		{"{}{}", "", -EPROTO},
		{"{\"a\":1,}", "<a|1>", -EPROTO},
		{"{,}", "", -EPROTO},
		{"{a:1}", "", -EPROTO},
		{"{\"a\" 1}", "", -EPROTO},
		{"{\"a\":}", "", -EPROTO},
		{"{\"a\":1 2}", "<a|1>", -EPROTO},
		{"{\"a\":1]", "<a|1>", -EPROTO},
		{"{\"a\":[1}}", "", -EPROTO},
		{"{\"a\":{]}", "", -EPROTO},
		{"{\"a\":\"x}", "", -EPROTO},
		{"{\"a\":\"x\\\"}", "", -EPROTO},
		{"{\"a\\\":1}", "", -EPROTO},
		{"{\"a\":,\"b\":1}", "", -EPROTO},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct log log = {.stop_at = 0};
		struct error err = {0};

		buf_init(&log.text, 1000);
		assert_int_equal(
			json_text_members(table[i].in, strlen(table[i].in), log_member, &log, &err),
			table[i].r);
		assert_string_equal(buf_str(&log.text), table[i].seen);
		assert_int_equal(err.errnum, -table[i].r);
		buf_release(&log.text);
	}
	assert_int_equal(json_text_members(NULL, 0, log_member, NULL, NULL), -EPROTO);
}

static void test_json_text_find__table(void **state)
{
	(void)state;
	static const struct {
		const char *in, *name, *found; /* NULL: none */
		int r;
	} table[] = {
		{"{\"a\":1,\"ab\":[2],\"b\":3}", "ab", "[2]", 0},
		{"{\"a\":1,\"ab\":2}", "b", NULL, 0},
		{"{\"a\":1}", "", NULL, 0},
		{"{\"a\":1,\"a\":null}", "a", "null", 0},
		{"{\"b\":{\"a\":1}}", "a", NULL, 0},
		{"{\"a\":1,", "a", "1", -EPROTO},
		{"[]", "a", NULL, -EPROTO},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const char *in = table[i].in, *name = table[i].name, *found = table[i].found;
		struct json_slice slice;

		assert_int_equal(json_text_find(in, strlen(in), name, strlen(name), &slice, NULL),
			table[i].r);
		assert_int_equal(slice.len, found ? strlen(found) : 0);
		assert_true(found ? memcmp(slice.text, found, slice.len) == 0 : !slice.text);
	}
}

static void test_json_text_elements__table(void **state)
{
	(void)state;
	static const struct {
		const char *in, *seen;
		int r;
	} table[] = {
		{"[]", "", 0},
		{" [ 1 , [2] , {\"a\":\"]\"} ] ", "<1><[2]><{\"a\":\"]\"}>", 0},
		{"[null,true]", "<null><true>", 0},
		{"{}", "", -EPROTO},
		{"[1,]", "<1>", -EPROTO},
		{"[1", "<1>", -EPROTO},
		{"[1,", "<1>", -EPROTO},
		{"[1][2]", "<1>", -EPROTO},
		{"[[[", "", -EPROTO},
		{"", "", -EPROTO},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct log log = {.stop_at = 0};

		buf_init(&log.text, 1000);
		assert_int_equal(json_text_elements(
					 table[i].in, strlen(table[i].in), log_element, &log, NULL),
			table[i].r);
		assert_string_equal(buf_str(&log.text), table[i].seen);
		buf_release(&log.text);
	}
	assert_int_equal(json_text_elements(NULL, 0, log_element, NULL, NULL), -EPROTO);
}

static void test_json_text__walkers_stop_when_told(void **state)
{
	(void)state;
	struct log log = {.stop_at = 2};

	buf_init(&log.text, 1000);
	assert_int_equal(json_text_elements("[1,2,3]", 7, log_element, &log, NULL), -ECANCELED);
	assert_string_equal(buf_str(&log.text), "<1><2>");
	buf_clear(&log.text);
	log.calls = 0;
	assert_int_equal(json_text_members("{\"a\":1,\"b\":2,\"c\":3}", 19, log_member, &log, NULL),
		-ECANCELED);
	assert_string_equal(buf_str(&log.text), "<a|1><b|2>");
	buf_release(&log.text);
}

static void test_json_text__walkers_do_not_recurse_without_bound(void **state)
{
	(void)state;
	size_t len = 1 << 20;
	char *text = malloc(len);
	struct log log = {.stop_at = 0};

	assert_non_null(text);
	memset(text, '[', len);
	buf_init(&log.text, 1000);
	assert_int_equal(json_text_elements(text, len, log_element, &log, NULL), -EPROTO);
	buf_release(&log.text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_text__keeps_every_number),
		cmocka_unit_test(test_json_text__refuses),
		cmocka_unit_test(test_json_text__names_the_place_in_the_original_text),
		cmocka_unit_test(test_json_text__error_texts_hold_no_data),
		cmocka_unit_test(test_json_text__nesting_has_a_limit),
		cmocka_unit_test(test_json_text__text_is_never_taken_for_a_number),
		cmocka_unit_test(test_json_text__writes_text_in_one_way),
		cmocka_unit_test(test_json_text_add_string__every_byte),
		cmocka_unit_test(test_json_text_dump__numbers_of_our_own),
		cmocka_unit_test(test_json_text__limits_are_kept),
		cmocka_unit_test(test_json_text_indent__table),
		cmocka_unit_test(test_json_text_members__table),
		cmocka_unit_test(test_json_text_find__table),
		cmocka_unit_test(test_json_text_elements__table),
		cmocka_unit_test(test_json_text__walkers_stop_when_told),
		cmocka_unit_test(test_json_text__walkers_do_not_recurse_without_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
