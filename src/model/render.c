/* SPDX-License-Identifier: MIT */
/*
 * A record of a reply -> its file. This is what a cold grep -r spends its time in: nearly all
 * values already stand in the reply as the file shows them, so they are found by the walker and
 * copied; only the others (escapes, UTF-8 to be checked, nested values) are parsed and written
 * again.
 */
#include "forcefs/model/render.h"

#include <errno.h>
#include <string.h>

#include "forcefs/model/json_text.h"
#include "forcefs/model/stamp.h"
#include "json_lex.h"
#include "json_write.h"
#include "pick.h"

struct render {
	const struct schema *schema;
	struct json_slice *values; /* one a field; text NULL where the reply has none */
	size_t next;               /* where the next member is likely to belong */
	struct buf *scratch;
	struct buf *out;
	struct error *err;
};

static bool name_is(const struct field *f, struct json_slice key)
{
	return strlen(f->name) == key.len && memcmp(f->name, key.text, key.len) == 0;
}

/* The index of the field, or field_count. Replies mostly keep the order that was asked for. */
static size_t find_field(struct render *r, struct json_slice key)
{
	size_t count = r->schema->field_count;

	for (size_t i = 0; i < count; i++) {
		size_t at = r->next + i < count ? r->next + i : r->next + i - count;

		if (name_is(&r->schema->fields[at], key)) {
			r->next = at + 1 < count ? at + 1 : 0;
			return at;
		}
	}
	return count;
}

static int take_member(void *payload, struct json_slice key, struct json_slice value)
{
	struct render *r = payload;
	size_t at;

	if (memchr(key.text, '\\', key.len)) {
		return error_set(r->err, EPROTO, "A field's name is written with escapes.");
	}
	at = find_field(r, key);
	if (at == r->schema->field_count) {
		return 0;
	}
	if (r->values[at].text) {
		return error_set(r->err, EPROTO, "The field %s stands there twice.",
			r->schema->fields[at].name);
	}
	r->values[at] = value;
	return 0;
}

/* The value of the field; none if the object has no such field. */
static struct json_slice value_of(const struct render *r, const char *name)
{
	for (size_t i = 0; i < r->schema->field_count; i++) {
		if (strcmp(r->schema->fields[i].name, name) == 0) {
			return r->values[i];
		}
	}
	return (struct json_slice){NULL, 0};
}

static bool is_word(struct json_slice v, const char *word)
{
	return v.text && v.len == strlen(word) && memcmp(v.text, word, v.len) == 0;
}

/* Nothing escaped, nothing to be escaped, nothing beyond ASCII. */
static bool is_plain_string(struct json_slice v)
{
	if (v.len < 2 || v.text[0] != '"') {
		return false;
	}
	for (size_t i = 1; i < v.len - 1; i++) {
		unsigned char c = (unsigned char)v.text[i];

		if (c < 0x20 || c >= 0x80 || c == '\\') {
			return false;
		}
	}
	return true;
}

static int read_id(const struct render *r, struct id *ret)
{
	struct json_slice v = value_of(r, "Id");

	if (!v.text || !is_plain_string(v) || !id_parse(v.text + 1, v.len - 2, ret)) {
		return error_set(r->err, EPROTO, "It has no valid Id.");
	}
	return 0;
}

static int read_stamp(const struct render *r, int64_t *ret)
{
	const char *name = r->schema->stamp_field;
	struct json_slice v = {NULL, 0};

	*ret = 0;
	if (name) {
		v = value_of(r, name);
	}
	if (!v.text || is_word(v, "null")) {
		return 0;
	}
	if (!is_plain_string(v) || !stamp_parse(v.text + 1, v.len - 2, ret)) {
		return error_set(r->err, EPROTO, "Its %s is no date and time.", name);
	}
	return 0;
}

static int put_parsed(const struct render *r, struct json_slice v)
{
	AUTO(json) json_t *value = NULL;
	int e = json_text_load(v.text, v.len, r->scratch, &value, r->err);

	if (!e) {
		write_value(r->out, value, false);
	}
	return e;
}

static int put_value(const struct render *r, struct json_slice v)
{
	const char *end = v.text + v.len;

	if (is_plain_string(v) || lex_is_literal(v.text, end) || lex_is_number(v.text, end)) {
		buf_add(r->out, v.text, v.len);
		return 0;
	}
	return put_parsed(r, v);
}

static int put_field(const struct render *r, size_t at, const struct id *id)
{
	const char *name = r->schema->fields[at].name;
	struct json_slice v = r->values[at];
	int e;

	buf_add_str(r->out, at == 0 ? "\n  \"" : ",\n  \"");
	buf_add_str(r->out, name);
	buf_add(r->out, "\": ", 3);
	if (strcmp(name, "Id") == 0) {
		json_text_add_string(r->out, id->text, ID18_LEN);
		return 0;
	}
	if (!v.text) {
		buf_add(r->out, "null", 4);
		return 0;
	}
	e = put_value(r, v);
	return e ? error_prefix(r->err, e, "The field %s", name) : 0;
}

static int put_record(const struct render *r, const struct id *id)
{
	int e = 0;

	buf_add(r->out, "{", 1);
	for (size_t i = 0; !e && i < r->schema->field_count; i++) {
		e = put_field(r, i, id);
	}
	buf_add(r->out, "\n}\n", 3);
	if (!e && buf_failed(r->out)) {
		e = error_set(r->err, -buf_failed(r->out), "Its file is larger than %zu bytes.",
			r->out->limit_bytes);
	}
	return e;
}

static int render(struct render *r, const char *json, size_t len, struct rendered *ret)
{
	struct rendered made = {0};
	int e = json_text_members(json, len, take_member, r, r->err);

	if (!e) {
		e = read_id(r, &made.id);
	}
	if (!e) {
		e = read_stamp(r, &made.stamp_ms);
	}
	if (!e) {
		e = put_record(r, &made.id);
	}
	if (e) {
		return e;
	}
	made.deleted = is_word(value_of(r, "IsDeleted"), "true");
	*ret = made;
	return 0;
}

int render_record(const struct schema *s, const char *json, size_t len, struct buf *scratch,
	struct buf *out, struct rendered *ret, struct error *err)
{
	AUTO_FREE struct json_slice *values = calloc(s->field_count + 1, sizeof(*values));
	struct render r = {
		.schema = s, .values = values, .scratch = scratch, .out = out, .err = err};
	size_t before = out->len;
	int e;

	if (!values) {
		return error_set(err, ENOMEM, "Out of memory while reading a record.");
	}
	e = render(&r, json, len, ret);
	if (e && out->data) {
		out->len = before;
		out->data[before] = 0;
	}
	return e ? error_prefix(err, e, "The org sent a record that cannot be read") : 0;
}
