/* SPDX-License-Identifier: MIT */
/*
 * The number guard: one lexical pass that copies a JSON text and only inserts into it.
 *
 *   12.50          ->  "\u0001#12.50"       a number becomes a marked string
 *   "\u0001# me"   ->  "\u0001\u0001# me"   a text that could be taken for one gets a second mark
 *
 * Because bytes are only inserted, a place in the result can be led back to the text: the pass is
 * run again without output until the insertions have grown past that place (guard_locate). That
 * costs nothing while the text is right.
 */
#include "json_guard.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "json_lex.h"

#define MARK_ESCAPED "\\u0001"

enum { LOCATED = 1 };

struct guard {
	const char *text;
	const char *end;
	const char *span; /* copied up to here */
	struct buf *out;  /* NULL while locating */
	size_t grown;     /* bytes inserted so far */
	size_t stop;      /* locating: the place in the result */
	int depth;
	struct error *err;
};

static int guard_insert(struct guard *g, const char *at, const char *extra)
{
	size_t len = strlen(extra);

	if ((size_t)(at - g->text) + g->grown >= g->stop) {
		return LOCATED;
	}
	if (g->out) {
		buf_add(g->out, g->span, (size_t)(at - g->span));
		buf_add(g->out, extra, len);
	}
	g->span = at;
	g->grown += len;
	return 0;
}

static int guard_string(struct guard *g, const char **p)
{
	const char *inside = *p + 1;
	const char *past = lex_string_end(inside, g->end);
	size_t mark_len = strlen(MARK_ESCAPED);

	if (!past) {
		return lex_fail(g->err, g->text, *p, "this text has no closing quote");
	}
	*p = past;
	if ((size_t)(past - inside) > mark_len && memcmp(inside, MARK_ESCAPED, mark_len) == 0) {
		return guard_insert(g, inside, MARK_ESCAPED);
	}
	return 0;
}

static int guard_word(struct guard *g, const char **p)
{
	const char *word = *p;
	const char *past = lex_word_end(word, g->end);
	const char *next = lex_space_end(past, g->end);
	int r;

	*p = past;
	if (lex_is_literal(word, past)) {
		return 0;
	}
	if (!lex_is_number(word, past)) {
		return lex_fail(g->err, g->text, word,
			"this is neither a number, nor true, false or null, nor text in quotes");
	}
	/* As a string it would make a legal key. */
	if (next < g->end && *next == ':') {
		return lex_fail(g->err, g->text, word, "a number cannot be a key");
	}
	r = guard_insert(g, word, "\"" MARK_ESCAPED "#");
	return r ? r : guard_insert(g, past, "\"");
}

static int guard_token(struct guard *g, const char **p)
{
	switch (**p) {
	case '"':
		return guard_string(g, p);
	case '{':
	case '[':
		if (++g->depth > LEX_DEPTH_MAX) {
			return lex_fail(g->err, g->text, *p, "the values are nested too deeply");
		}
		break;
	case '}':
	case ']':
		g->depth -= g->depth > 0;
		break;
	default:
		if (lex_is_word(**p)) {
			return guard_word(g, p);
		}
	}
	++*p;
	return 0;
}

static int guard_run(struct guard *g)
{
	const char *p = g->text;

	while (p < g->end) {
		int r = guard_token(g, &p);

		if (r) {
			return r;
		}
	}
	return 0;
}

int guard_numbers(const char *text, size_t len, struct buf *out, struct error *err)
{
	struct guard g = {
		.text = text,
		.end = text + len,
		.span = text,
		.out = out,
		.stop = SIZE_MAX,
		.err = err,
	};
	int r = guard_run(&g);

	if (r < 0) {
		return r;
	}
	buf_add(out, g.span, (size_t)(g.end - g.span));
	r = buf_failed(out);
	if (r) {
		return error_set(err, -r,
			r == -EFBIG ? "The JSON is larger than the limit of %zu bytes."
				    : "Out of memory while reading JSON (limit %zu bytes).",
			out->limit_bytes);
	}
	return 0;
}

const char *guard_locate(const char *text, size_t len, size_t pos)
{
	struct guard g = {.text = text, .end = text + len, .span = text, .stop = pos};
	size_t reach;

	guard_run(&g);
	reach = pos > g.grown ? pos - g.grown : 0;
	if (reach < (size_t)(g.span - text)) {
		return g.span; /* inside what was inserted */
	}
	return reach < len ? text + reach : text + len;
}
