/* SPDX-License-Identifier: MIT */
/* JSON's numbers, and places in a text as people count them. */
#include "json_lex.h"

#include <errno.h>

static const char *digits_end(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9') {
		p++;
	}
	return p;
}

/* At least one digit: past them, else NULL. */
static const char *some_digits(const char *p, const char *end)
{
	const char *past = digits_end(p, end);

	return past > p ? past : NULL;
}

static const char *exponent_end(const char *p, const char *end)
{
	if (p == end || (*p != 'e' && *p != 'E')) {
		return p;
	}
	p++;
	if (p < end && (*p == '+' || *p == '-')) {
		p++;
	}
	return some_digits(p, end);
}

static bool word_is(const char *p, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - p) == len && memcmp(p, word, len) == 0;
}

bool lex_is_literal(const char *p, const char *end)
{
	return word_is(p, end, "null") || word_is(p, end, "true") || word_is(p, end, "false");
}

static bool is_plain_number(const char *p, const char *end)
{
	if (p < end && *p == '-') {
		p++;
	}
	if (p < end && *p == '0') {
		p++;
	} else if (!(p = some_digits(p, end))) {
		return false;
	}
	if (p < end && *p == '.' && !(p = some_digits(p + 1, end))) {
		return false;
	}
	p = exponent_end(p, end);
	return p == end;
}

bool lex_is_number(const char *p, const char *end)
{
	return is_plain_number(p, end) || word_is(p, end, "NaN") || word_is(p, end, "Infinity") ||
	       word_is(p, end, "-Infinity");
}

int lex_fail(struct error *err, const char *text, const char *at, const char *what)
{
	size_t line = 1;
	size_t column = 1;

	for (const char *p = text; p < at; p++) {
		if (*p == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)*p & 0xC0) != 0x80) {
			column++;
		}
	}
	return error_set(err, EPROTO, "Line %zu, column %zu: %s.", line, column, what);
}
