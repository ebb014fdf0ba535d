/* SPDX-License-Identifier: MIT */
/*
 * The smallest pieces of JSON's lexis, shared by the number guard and the walkers. They look at
 * bytes between p and end only, whatever those bytes are.
 */
#ifndef MODEL_JSON_LEX_H
#define MODEL_JSON_LEX_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "forcefs/base/error.h"

#define LEX_DEPTH_MAX 64

/* Past the closing quote of a string whose first byte inside is p; NULL if it never closes. */
static inline const char *lex_string_end(const char *p, const char *end)
{
	const char *start = p;

	while ((p = memchr(p, '"', (size_t)(end - p))) != NULL) {
		const char *slash = p;

		while (slash > start && slash[-1] == '\\') {
			slash--;
		}
		p++;
		if ((p - 1 - slash) % 2 == 0) {
			return p;
		}
	}
	return NULL;
}

/* Past a byte-order mark, if there is one. */
static inline const char *lex_mark_end(const char *p, const char *end)
{
	return end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0 ? p + 3 : p;
}

static inline const char *lex_space_end(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t')) {
		p++;
	}
	return p;
}

static inline bool lex_is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '-' || c == '+' || c == '.' || c == '_';
}

/* Past a run of letters, digits, signs and points: a number or a literal, right or wrong. */
static inline const char *lex_word_end(const char *p, const char *end)
{
	while (p < end && lex_is_word(*p)) {
		p++;
	}
	return p;
}

/* What the whole of p..end is: true, false or null; a number by JSON's grammar, or one of the three
 * that Salesforce's Java writes beyond it. */
bool lex_is_literal(const char *p, const char *end);
bool lex_is_number(const char *p, const char *end);

/* -EPROTO, with the line and column (in characters, from 1) of `at` in the text. */
int lex_fail(struct error *err, const char *text, const char *at, const char *what);

#endif
