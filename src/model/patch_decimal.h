/* SPDX-License-Identifier: MIT */
/* Numbers as JSON writes them, by value and to the last digit; no double is involved. */
#ifndef MODEL_PATCH_DECIMAL_H
#define MODEL_PATCH_DECIMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct decimal {
	const char *first, *last; /* significant digits, a point may be among them; NULL for 0 */
	size_t digits;            /* how many */
	int64_t magnitude;        /* 0.[first…last] times 10 to this power */
	bool negative;            /* never of 0 */
};

/* False for NaN, Infinity and powers beyond a milliard. Borrows the text. */
bool decimal_read(const char *text, size_t len, struct decimal *ret);

/* 1.0E7 and 10000000, 0.1 and 0.10, -0.0 and 0 are equal; what cannot be read is equal to the same
 * text only. */
bool decimal_equal(const char *a, size_t a_len, const char *b, size_t b_len);

/* The number without point and power; false if it is not whole or does not fit in 64 bits. */
bool decimal_to_int64(const char *text, size_t len, int64_t *ret);

/* What a program that keeps numbers as C doubles has done to one of more digits than they hold. */
enum decimal_loss {
	DECIMAL_INTACT,
	DECIMAL_SAME_DOUBLE, /* `now` is written with fewer digits, but read as the same double, or is
			      * what a program without a word for NaN and Infinity writes */
	DECIMAL_ROUNDED,     /* `now` is written with 14 to 16 digits and is another double */
};

/* Tells what made `now` of `was`; both end with a 0 byte behind their length. */
enum decimal_loss decimal_loss(const char *was, size_t was_len, const char *now, size_t now_len);

#endif
