/* SPDX-License-Identifier: MIT */
/* Compares numbers digit by digit: 18 digits and more lose nothing, and nothing is allocated. */
#include "patch_decimal.h"

#include <errno.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define POWER_MAX     1000000000
#define DOUBLE_DIGITS 15 /* a double keeps any number of so many digits */
#define FEWEST_DIGITS 14 /* that a program writes: Lua; Perl 15, others what a double needs */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool read_power(const char *p, const char *end, int64_t *ret)
{
	bool negative = p < end && *p == '-';
	int64_t n = 0;

	p += p < end && (*p == '-' || *p == '+');
	if (p == end) {
		return false;
	}
	for (; p < end; p++) {
		if (!is_digit(*p)) {
			return false;
		}
		n = n * 10 + (*p - '0');
		if (n > POWER_MAX) {
			return false;
		}
	}
	*ret = negative ? -n : n;
	return true;
}

/* Digits and a point, from p on; returns where they end. */
static const char *read_digits(const char *p, const char *end, struct decimal *d)
{
	bool point = false;
	size_t since_first = 0;

	for (; p < end && (is_digit(*p) || *p == '.'); p++) {
		if (*p == '.') {
			point = true;
			continue;
		}
		if (*p != '0' && !d->first) {
			d->first = p;
		}
		if (d->first) {
			since_first++;
			d->magnitude += !point;
		} else {
			d->magnitude -= point;
		}
		if (*p != '0') {
			d->last = p;
			d->digits = since_first;
		}
	}
	return p;
}

bool decimal_read(const char *text, size_t len, struct decimal *ret)
{
	const char *end = text + len;
	const char *p = text;
	struct decimal d = {0};
	int64_t power = 0;

	d.negative = p < end && *p == '-';
	p += d.negative;
	if (p == end || !is_digit(*p)) {
		return false;
	}
	p = read_digits(p, end, &d);
	if (p < end && ((*p != 'e' && *p != 'E') || !read_power(p + 1, end, &power))) {
		return false;
	}
	d.magnitude += power;
	*ret = d.first ? d : (struct decimal){0};
	return true;
}

static bool same_digits(const struct decimal *a, const struct decimal *b)
{
	const char *p = a->first;
	const char *q = b->first;

	for (size_t i = 0; i < a->digits; i++, p++, q++) {
		p += *p == '.';
		q += *q == '.';
		if (*p != *q) {
			return false;
		}
	}
	return true;
}

bool decimal_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct decimal x, y;

	if (!decimal_read(a, a_len, &x) || !decimal_read(b, b_len, &y)) {
		return a_len == b_len && memcmp(a, b, a_len) == 0;
	}
	return x.negative == y.negative && x.digits == y.digits && x.magnitude == y.magnitude &&
	       same_digits(&x, &y);
}

bool decimal_to_int64(const char *text, size_t len, int64_t *ret)
{
	struct decimal d;
	char digits[24];
	char *w = digits;
	const char *p;

	if (!decimal_read(text, len, &d) || d.magnitude > 19 || (int64_t)d.digits > d.magnitude) {
		return false;
	}
	if (!d.first) {
		*ret = 0;
		return true;
	}
	if (d.negative) {
		*w++ = '-';
	}
	p = d.first;
	for (int64_t i = 0; i < d.magnitude; i++) {
		if ((size_t)i >= d.digits) {
			*w++ = '0';
			continue;
		}
		p += *p == '.';
		*w++ = *p++;
	}
	*w = 0;
	errno = 0;
	*ret = strtoll(digits, NULL, 10);
	return errno == 0;
}

enum decimal_loss decimal_loss(const char *was, size_t was_len, const char *now, size_t now_len)
{
	struct decimal d;
	double rounded;

	if (!decimal_read(was, was_len, &d)) { /* jq writes the largest number for Infinity */
		rounded = strtod(now, NULL);
		return rounded == DBL_MAX || rounded == -DBL_MAX ? DECIMAL_SAME_DOUBLE
								 : DECIMAL_INTACT;
	}
	if (d.digits <= DOUBLE_DIGITS) {
		return DECIMAL_INTACT;
	}
	rounded = strtod(was, NULL);
	for (int digits = FEWEST_DIGITS; digits <= 17; digits++) {
		char text[64];
		int len = snprintf(text, sizeof(text), "%.*g", digits, rounded);

		if (len > 0 && decimal_equal(text, (size_t)len, now, now_len)) {
			return strtod(now, NULL) == rounded ? DECIMAL_SAME_DOUBLE : DECIMAL_ROUNDED;
		}
	}
	return DECIMAL_INTACT;
}
