/* SPDX-License-Identifier: MIT */
/*
 * From trees to text. Strings are written in one canonical way: UTF-8 as it is, escapes only where
 * JSON demands them, so that the same text gives the same bytes however the org escaped it.
 */
#include "json_write.h"

#include <errno.h>
#include <string.h>

#include "forcefs/model/json_text.h"
#include "json_lex.h"

struct writer {
	struct buf *out;
	bool indented;
};

static bool needs_escape(unsigned char c)
{
	return c < 0x20 || c == '"' || c == '\\';
}

static void add_escape(struct buf *out, unsigned char c)
{
	static const char plain[] = "\"\\\n\r\t\b\f";
	static const char letters[] = "\"\\nrtbf";
	static const char hex[] = "0123456789ABCDEF";
	const char *at = c ? strchr(plain, c) : NULL;

	if (at) {
		buf_add(out, (char[]){'\\', letters[at - plain]}, 2);
	} else {
		buf_add(out, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
	}
}

int json_text_add_string(struct buf *out, const char *s, size_t len)
{
	const char *end = s + len;
	const char *span = s;

	buf_add_char(out, '"');
	for (const char *p = s; p < end; p++) {
		if (needs_escape((unsigned char)*p)) {
			buf_add(out, span, (size_t)(p - span));
			add_escape(out, (unsigned char)*p);
			span = p + 1;
		}
	}
	buf_add(out, span, (size_t)(end - span));
	buf_add_char(out, '"');
	return buf_failed(out);
}

static void put_break(struct writer *w, int depth)
{
	if (!w->indented) {
		return;
	}
	buf_add_char(w->out, '\n');
	for (int i = 0; i < depth; i++) {
		buf_add(w->out, "  ", 2);
	}
}

static int put_value(struct writer *w, const json_t *value, int depth);

static int put_array(struct writer *w, const json_t *array, int depth)
{
	size_t count = json_array_size(array);

	buf_add_char(w->out, '[');
	for (size_t i = 0; i < count; i++) {
		int r;

		put_break(w, depth + 1);
		r = put_value(w, json_array_get(array, i), depth + 1);
		if (r) {
			return r;
		}
		if (i + 1 < count) {
			buf_add_char(w->out, ',');
		}
	}
	if (count > 0) {
		put_break(w, depth);
	}
	return buf_add_char(w->out, ']');
}

/* Keys went through the guard like any text. */
static void put_key(struct writer *w, const char *key)
{
	size_t skip = key[0] == '\x01' && key[1] == '\x01';

	json_text_add_string(w->out, key + skip, strlen(key + skip));
	buf_add(w->out, ": ", w->indented ? 2 : 1);
}

static int put_object(struct writer *w, const json_t *value, int depth)
{
	json_t *object = (json_t *)value; /* jansson's iterators only read */
	void *iter = json_object_iter(object);

	buf_add_char(w->out, '{');
	if (!iter) {
		return buf_add_char(w->out, '}');
	}
	while (iter) {
		int r;

		put_break(w, depth + 1);
		put_key(w, json_object_iter_key(iter));
		r = put_value(w, json_object_iter_value(iter), depth + 1);
		if (r) {
			return r;
		}
		iter = json_object_iter_next(object, iter);
		if (iter) {
			buf_add_char(w->out, ',');
		}
	}
	put_break(w, depth);
	return buf_add_char(w->out, '}');
}

static int put_string(struct writer *w, const json_t *value)
{
	size_t len;
	const char *s = json_text_number(value, &len);

	if (s) {
		return buf_add(w->out, s, len);
	}
	s = json_text_string(value, &len);
	return json_text_add_string(w->out, s, len);
}

/* Numbers that were not loaded but put into the tree by us. */
static int put_own_number(struct writer *w, const json_t *value)
{
	char text[64];
	size_t len = json_dumpb(value, text, sizeof(text), JSON_ENCODE_ANY);

	if (len == 0 || len > sizeof(text)) {
		return -EPROTO;
	}
	return buf_add(w->out, text, len);
}

static int put_value(struct writer *w, const json_t *value, int depth)
{
	if (!value || depth > LEX_DEPTH_MAX) {
		return -EPROTO;
	}
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return put_object(w, value, depth);
	case JSON_ARRAY:
		return put_array(w, value, depth);
	case JSON_STRING:
		return put_string(w, value);
	case JSON_TRUE:
		return buf_add_str(w->out, "true");
	case JSON_FALSE:
		return buf_add_str(w->out, "false");
	case JSON_NULL:
		return buf_add_str(w->out, "null");
	case JSON_INTEGER:
	case JSON_REAL:
		return put_own_number(w, value);
	}
	return -EPROTO;
}

int write_value(struct buf *out, const json_t *value, bool indented)
{
	struct writer w = {.out = out, .indented = indented};
	int r = put_value(&w, value, 0);

	return r ? r : buf_failed(out);
}
