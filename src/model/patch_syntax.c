/* SPDX-License-Identifier: MIT */
/*
 * What a person's hand does to JSON, said in words. It runs only over texts that the parser has
 * refused, and finds the first place where a token stands that cannot stand there:
 *
 *   want    may come next          then
 *   VALUE   value, [ { or ]*       COMMA
 *   KEY     "key" or }*            COLON
 *   COLON   :                      VALUE
 *   COMMA   , or the bracket       KEY or VALUE; COMMA or END
 *   END     nothing
 *
 * (* only right behind the opening bracket)
 */
#include "patch_priv.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "json_lex.h"

enum want { WANT_VALUE, WANT_KEY, WANT_COLON, WANT_COMMA, WANT_END };

struct syntax {
	const char *p;
	const char *end;
	const char *last; /* where the token before p begins */
	uint64_t objects; /* one bit a level: is it an object? */
	int depth;
	enum want want;
	const char *at; /* what is wrong */
};

static const char *wrong(struct syntax *s, const char *at, const char *what)
{
	s->at = at;
	return what;
}

static enum want after_value(const struct syntax *s)
{
	return s->depth > 0 ? WANT_COMMA : WANT_END;
}

static bool begins(const struct syntax *s, const char *with)
{
	size_t len = strlen(with);

	return (size_t)(s->end - s->p) >= len && memcmp(s->p, with, len) == 0;
}

/* ---- strings ---- */

static bool read_hex4(const char *p, const char *end, unsigned *ret)
{
	unsigned n = 0;

	if (end - p < 4) {
		return false;
	}
	for (int i = 0; i < 4; i++) {
		unsigned char c = (unsigned char)p[i];
		unsigned lower = c | 0x20U;

		if (c >= '0' && c <= '9') {
			n = n * 16 + (c - '0');
		} else if (lower >= 'a' && lower <= 'f') {
			n = n * 16 + (lower - 'a' + 10);
		} else {
			return false;
		}
	}
	*ret = n;
	return true;
}

/* \uD83D\uDE00 is one character; neither half is one. */
static const char *take_unicode(struct syntax *s, const char **p)
{
	const char *at = *p;
	unsigned first, second;

	if (!read_hex4(at + 2, s->end, &first)) {
		return wrong(s, at, "\\u is followed by four hexadecimal digits");
	}
	*p = at + 6;
	if (first < 0xD800 || first > 0xDFFF) {
		return NULL;
	}
	if (first <= 0xDBFF && s->end - at >= 12 && at[6] == '\\' && at[7] == 'u' &&
		read_hex4(at + 8, s->end, &second) && second >= 0xDC00 && second <= 0xDFFF) {
		*p = at + 12;
		return NULL;
	}
	return wrong(s, at, "this is only one half of a character, the other \\uXXXX is missing");
}

static const char *take_escape(struct syntax *s, const char **p)
{
	char c = s->end - *p > 1 ? (*p)[1] : 0;

	if (c == 'u') {
		return take_unicode(s, p);
	}
	if (!c || !strchr("\"\\/bfnrt", c)) {
		return wrong(s, *p, "a backslash in a text is written \\\\");
	}
	*p += 2;
	return NULL;
}

static const char *control_in_text(struct syntax *s, const char *at)
{
	switch (*at) {
	case '\n':
	case '\r':
		return wrong(s, s->p,
			"this text has no closing quote on its line (a line break inside a text is "
			"written \\n)");
	case '\t':
		return wrong(s, at, "a tab inside a text is written \\t");
	case 0:
		return wrong(s, at, "a NUL byte stands in this text, the file looks damaged");
	default:
		return wrong(s, at,
			"a control character inside a text is written \\u00 and two "
			"hexadecimal digits");
	}
}

static const char *take_text(struct syntax *s)
{
	const char *p = s->p + 1;

	while (p < s->end && *p != '"') {
		const char *what = NULL;

		if (*p == '\\') {
			what = take_escape(s, &p);
		} else if ((unsigned char)*p < 0x20) {
			what = control_in_text(s, p);
		} else {
			p++;
		}
		if (what) {
			return what;
		}
	}
	if (p >= s->end) {
		return wrong(s, s->p, "this text has no closing quote");
	}
	s->p = p + 1;
	return NULL;
}

/* ---- tokens ---- */

static const char *value_in_wrong_place(struct syntax *s)
{
	switch (s->want) {
	case WANT_KEY:
		return wrong(s, s->p, "here should be a key in double quotes");
	case WANT_COLON:
		return wrong(s, s->p, "a colon is missing between the key and its value");
	case WANT_COMMA:
		return wrong(s, s->last, "a comma is missing after this value");
	default:
		return wrong(s, s->p, "something follows the end of the JSON");
	}
}

static const char *take_quoted(struct syntax *s)
{
	const char *start = s->p;
	const char *what;

	if (s->want != WANT_VALUE && s->want != WANT_KEY) {
		return value_in_wrong_place(s);
	}
	what = take_text(s);
	if (!what) {
		s->last = start;
		s->want = s->want == WANT_KEY ? WANT_COLON : after_value(s);
	}
	return what;
}

static const char *take_open(struct syntax *s)
{
	if (s->want != WANT_VALUE) {
		return value_in_wrong_place(s);
	}
	if (++s->depth > LEX_DEPTH_MAX) {
		return wrong(s, s->p, "the values are nested too deeply");
	}
	s->objects = s->objects << 1 | (*s->p == '{');
	s->want = *s->p == '{' ? WANT_KEY : WANT_VALUE;
	s->last = s->p++;
	return NULL;
}

static const char *take_close(struct syntax *s)
{
	if (s->depth == 0 || (s->objects & 1) != (*s->p == '}')) {
		return wrong(s, s->p, "this bracket closes nothing");
	}
	if (s->want == WANT_COLON || *s->last == ':') {
		return wrong(s, s->last, "this key has no value (null clears a field)");
	}
	if (*s->last == ',') {
		return wrong(s, s->last,
			"this comma stands before a closing bracket. Take it away, the last value "
			"has no comma");
	}
	s->depth--;
	s->objects >>= 1;
	s->want = after_value(s);
	s->last = s->p++;
	return NULL;
}

static const char *take_comma(struct syntax *s)
{
	if (s->want == WANT_COLON) {
		return wrong(s, s->last, "this key has no value (null clears a field)");
	}
	if (s->want == WANT_END) {
		return value_in_wrong_place(s);
	}
	if (s->want != WANT_COMMA) {
		return wrong(s, s->p,
			*s->last == ',' ? "here is one comma too many"
					: "here should be a value, not a comma");
	}
	s->want = s->objects & 1 ? WANT_KEY : WANT_VALUE;
	s->last = s->p++;
	return NULL;
}

static const char *take_colon(struct syntax *s)
{
	if (s->want != WANT_COLON) {
		return wrong(s, s->p, "here should be no colon");
	}
	s->want = WANT_VALUE;
	s->last = s->p++;
	return NULL;
}

static bool is_any_of(const char *word, size_t len, const char *const *list)
{
	for (; *list; list++) {
		if (strlen(*list) == len && strncasecmp(word, *list, len) == 0) {
			return true;
		}
	}
	return false;
}

static const char *bad_word(struct syntax *s, size_t len)
{
	static const char *const literals[] = {
		"true", "false", "null", "none", "nil", "undefined", NULL};
	char c = *s->p;

	if (is_any_of(s->p, len, literals)) {
		return wrong(s, s->p, "this is written true, false or null, in small letters");
	}
	if ((c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.') {
		return wrong(s, s->p,
			"this is no number as JSON writes it (as 5, -0.5 or 1.0E7; dates, times "
			"and texts stand in double quotes)");
	}
	return wrong(s, s->p, "a text stands in double quotes");
}

static const char *take_word(struct syntax *s)
{
	const char *past = lex_word_end(s->p, s->end);

	if (s->want == WANT_COMMA && *s->last == '"') {
		return wrong(s, s->p,
			"a comma is missing, or a quote inside a text is not written \\\"");
	}
	if (s->want == WANT_KEY && *s->p >= '0' && *s->p <= '9' && *s->last == ',') {
		return wrong(s, s->p,
			"here should be a key (the fraction of a number begins with a point, and "
			"thousands are not parted)");
	}
	if (s->want != WANT_VALUE) {
		return value_in_wrong_place(s);
	}
	if (!lex_is_literal(s->p, past) && !lex_is_number(s->p, past)) {
		return bad_word(s, (size_t)(past - s->p));
	}
	s->last = s->p;
	s->p = past;
	s->want = after_value(s);
	return NULL;
}

/* Bytes that begin no token of JSON's. */
static const char *foreign(struct syntax *s)
{
	static const char *const merge_marks[] = {"<<<<<<<", "=======", ">>>>>>>", NULL};

	for (const char *const *m = merge_marks; *m; m++) {
		if (begins(s, *m)) {
			return wrong(s, s->p, "this is a mark that a merge left behind");
		}
	}
	if (*s->p == '/' || *s->p == '#') {
		return wrong(s, s->p, "JSON knows no comments. Take it away");
	}
	if (*s->p == '\'' || *s->p == '`') {
		return wrong(s, s->p, "keys and texts stand in double quotes (\")");
	}
	if (begins(s, "\xe2\x80")) {
		return wrong(s, s->p, "keys and texts stand in straight double quotes (\")");
	}
	if (*s->p == 0) {
		return wrong(s, s->p, "a NUL byte stands here, the file looks damaged");
	}
	return wrong(s, s->p, "this character cannot stand here");
}

static const char *take_token(struct syntax *s)
{
	switch (*s->p) {
	case '"':
		return take_quoted(s);
	case '{':
	case '[':
		return take_open(s);
	case '}':
	case ']':
		return take_close(s);
	case ',':
		return take_comma(s);
	case ':':
		return take_colon(s);
	default:
		return lex_is_word(*s->p) ? take_word(s) : foreign(s);
	}
}

const char *patch_syntax(const char *text, size_t len, const char **ret_at)
{
	struct syntax s = {.p = text, .end = text + len, .last = text, .want = WANT_VALUE};

	for (;;) {
		const char *what;

		s.p = lex_space_end(s.p, s.end);
		if (s.p == s.end) {
			*ret_at = s.end;
			return s.want == WANT_END ? NULL
						  : "the text ends before its closing bracket, it "
						    "looks cut off";
		}
		what = take_token(&s);
		if (what) {
			*ret_at = s.at;
			return what;
		}
	}
}
