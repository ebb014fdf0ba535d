/* SPDX-License-Identifier: MIT */
/* JSON text to trees and back by jansson, with the numbers kept as they were sent. */
#include "forcefs/model/json_text.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "json_guard.h"
#include "json_lex.h"
#include "json_write.h"
#include "pick.h"

#define MARK     JSON_NUMBER_MARK
#define MARK_LEN (sizeof(MARK) - 1)

/* jansson's own words quote the text, which may be anyone's data. */
static const char *reason(enum json_error_code code)
{
	switch (code) {
	case json_error_premature_end_of_input:
		return "the JSON is cut short";
	case json_error_end_of_input_expected:
		return "something follows the end of the JSON";
	case json_error_invalid_utf8:
		return "this text is not UTF-8";
	case json_error_duplicate_key:
		return "this key stands twice in its object";
	case json_error_null_byte_in_key:
		return "a key holds a NUL character";
	case json_error_stack_overflow:
		return "the values are nested too deeply";
	default:
		return "this is not JSON";
	}
}

static int parse_fail(const char *text, size_t len, const json_error_t *e, struct error *err)
{
	size_t pos = e->position > 0 ? (size_t)e->position : 0;

	/* jansson finds no words when it is out of memory. */
	if (json_error_code(e) == json_error_out_of_memory || !e->text[0]) {
		return error_set(err, ENOMEM, "Out of memory while reading JSON.");
	}
	return lex_fail(err, text, guard_locate(text, len, pos), reason(json_error_code(e)));
}

int json_text_load(
	const char *text, size_t len, struct buf *scratch, struct json_t **ret, struct error *err)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL;
	const char *start = len ? text : "";
	json_error_t e;
	json_t *value;
	int r;

	buf_clear(scratch);
	r = guard_numbers(start, len, scratch, err);
	if (r) {
		return r;
	}
	value = json_loadb(buf_str(scratch), scratch->len, flags, &e);
	if (!value) {
		return parse_fail(start, len, &e, err);
	}
	*ret = value;
	return 0;
}

const char *json_text_number(const struct json_t *value, size_t *ret_len)
{
	const char *s = json_string_value(value);

	if (!s || strncmp(s, MARK, MARK_LEN) != 0) {
		return NULL;
	}
	*ret_len = json_string_length(value) - MARK_LEN;
	return s + MARK_LEN;
}

const char *json_text_string(const struct json_t *value, size_t *ret_len)
{
	const char *s = json_string_value(value);
	size_t skip;

	if (!s || strncmp(s, MARK, MARK_LEN) == 0) {
		return NULL;
	}
	skip = s[0] == MARK[0] && s[1] == MARK[0];
	*ret_len = json_string_length(value) - skip;
	return s + skip;
}

int json_text_dump(const struct json_t *value, struct buf *out)
{
	return write_value(out, value, false);
}

int json_text_indent(const char *text, size_t len, struct buf *out, struct error *err)
{
	AUTO(buf) struct buf scratch;
	AUTO(json) json_t *value = NULL;
	int r;

	buf_init(&scratch, SIZE_MAX / 2);
	r = json_text_load(text, len, &scratch, &value, err);
	if (r) {
		return r;
	}
	buf_release(&scratch);
	write_value(out, value, true);
	r = buf_add_char(out, '\n');
	if (!r) {
		r = buf_failed(out);
	}
	return r ? error_set(err, -r, "The indented JSON does not fit into %zu bytes.",
			   out->limit_bytes)
		 : 0;
}
