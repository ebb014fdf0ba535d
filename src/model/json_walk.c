/* SPDX-License-Identifier: MIT */
/*
 * Walkers that cut a big object or array into slices without building a tree. They find where
 * values end, not whether they are right inside: whoever uses a slice parses it.
 */
#include "forcefs/model/json_text.h"

#include <stdbool.h>
#include <stdint.h>

#include "json_lex.h"

struct walk {
	const char *text;
	const char *end;
	const char *p;
	struct error *err;
	int (*member)(void *payload, struct json_slice key, struct json_slice value);
	int (*element)(void *payload, struct json_slice value);
	void *payload;
};

static int walk_fail(const struct walk *w, const char *what)
{
	return lex_fail(w->err, w->text, w->p, w->p == w->end ? "the JSON is cut short" : what);
}

/* Past one byte that has to be here, and the space behind it. */
static int walk_expect(struct walk *w, char c, const char *what)
{
	if (w->p == w->end || *w->p != c) {
		return walk_fail(w, what);
	}
	w->p = lex_space_end(w->p + 1, w->end);
	return 0;
}

static int walk_string(struct walk *w, struct json_slice *ret)
{
	const char *inside = w->p + 1;
	const char *past = lex_string_end(inside, w->end);

	if (!past) {
		return walk_fail(w, "this text has no closing quote");
	}
	ret->text = inside;
	ret->len = (size_t)(past - 1 - inside);
	w->p = past;
	return 0;
}

/* Past an object or array. One bit a level remembers which of the two has to close. */
static int walk_nested(struct walk *w)
{
	uint64_t objects = 0;
	int depth = 0;
	struct json_slice ignored;

	for (; w->p < w->end; w->p++) {
		char c = *w->p;

		if (c == '"') {
			int r = walk_string(w, &ignored);

			if (r) {
				return r;
			}
			w->p--;
		} else if (c == '{' || c == '[') {
			if (++depth > LEX_DEPTH_MAX) {
				return walk_fail(w, "the values are nested too deeply");
			}
			objects = objects << 1 | (c == '{');
		} else if (c == '}' || c == ']') {
			if ((objects & 1) != (c == '}')) {
				return walk_fail(w, "this bracket closes nothing");
			}
			objects >>= 1;
			if (--depth == 0) {
				w->p++;
				return 0;
			}
		}
	}
	return walk_fail(w, "");
}

static int walk_value(struct walk *w, struct json_slice *ret)
{
	const char *start = w->p;
	struct json_slice ignored;
	int r = 0;

	if (start == w->end) {
		return walk_fail(w, "");
	}
	if (*start == '"') {
		r = walk_string(w, &ignored);
	} else if (*start == '{' || *start == '[') {
		r = walk_nested(w);
	} else {
		w->p = lex_word_end(start, w->end);
		if (w->p == start) {
			return walk_fail(w, "here should be a value");
		}
	}
	if (r) {
		return r;
	}
	ret->text = start;
	ret->len = (size_t)(w->p - start);
	w->p = lex_space_end(w->p, w->end);
	return 0;
}

static int walk_key(struct walk *w, struct json_slice *ret)
{
	int r;

	if (w->p == w->end || *w->p != '"') {
		return walk_fail(w, "here should be a key in quotes");
	}
	r = walk_string(w, ret);
	if (r) {
		return r;
	}
	w->p = lex_space_end(w->p, w->end);
	return walk_expect(w, ':', "here should be a colon");
}

static int walk_item(struct walk *w)
{
	struct json_slice key = {NULL, 0};
	struct json_slice value = {NULL, 0};
	int r = w->member ? walk_key(w, &key) : 0;

	if (!r) {
		r = walk_value(w, &value);
	}
	if (r) {
		return r;
	}
	r = w->member ? w->member(w->payload, key, value) : w->element(w->payload, value);
	return r < 0 ? r : 0;
}

static int walk_items(struct walk *w, char close)
{
	if (w->p < w->end && *w->p == close) {
		return 0;
	}
	for (;;) {
		int r = walk_item(w);

		if (r) {
			return r;
		}
		if (w->p == w->end || *w->p != ',') {
			return 0;
		}
		w->p = lex_space_end(w->p + 1, w->end);
	}
}

static int walk_run(struct walk *w, char open, char close, const char *what)
{
	int r;

	w->p = lex_space_end(lex_mark_end(w->text, w->end), w->end);
	r = walk_expect(w, open, what);
	if (!r) {
		r = walk_items(w, close);
	}
	if (!r) {
		r = walk_expect(w, close, "here should be a comma or the closing bracket");
	}
	if (!r && w->p != w->end) {
		r = walk_fail(w, "something follows the end of the JSON");
	}
	return r;
}

int json_text_members(const char *text, size_t len,
	int (*member)(void *payload, struct json_slice key, struct json_slice value), void *payload,
	struct error *err)
{
	const char *start = len ? text : "";
	struct walk w = {.text = start,
		.end = start + len,
		.err = err,
		.member = member,
		.payload = payload};

	return walk_run(&w, '{', '}', "here should be an object");
}

struct search {
	const char *name;
	size_t name_len;
	struct json_slice found;
};

static int find_member(void *payload, struct json_slice key, struct json_slice value)
{
	struct search *s = payload;

	if (key.len == s->name_len && memcmp(key.text, s->name, key.len) == 0) {
		s->found = value;
	}
	return 0;
}

int json_text_find(const char *text, size_t len, const char *name, size_t name_len,
	struct json_slice *ret, struct error *err)
{
	struct search s = {.name = name, .name_len = name_len};
	int r = json_text_members(text, len, find_member, &s, err);

	*ret = s.found;
	return r;
}

int json_text_elements(const char *text, size_t len,
	int (*element)(void *payload, struct json_slice value), void *payload, struct error *err)
{
	const char *start = len ? text : "";
	struct walk w = {.text = start,
		.end = start + len,
		.err = err,
		.element = element,
		.payload = payload};

	return walk_run(&w, '[', ']', "here should be an array");
}
