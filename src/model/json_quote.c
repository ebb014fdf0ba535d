/* SPDX-License-Identifier: MIT */
/* Quotes text that may hold anything; the escaping itself is json_text's. */
#include "forcefs/model/json_quote.h"

#include <stdbool.h>
#include <stdint.h>

#include "forcefs/model/json_text.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

/* How many bytes follow a first byte, and what the second one may be: this range alone keeps out
 * overlong forms, surrogates and numbers above U+10FFFF. */
static int lead(unsigned char c, unsigned char *ret_min, unsigned char *ret_max)
{
	*ret_min = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	*ret_max = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (c < 0x80) {
		return 0;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		return 1;
	}
	return c >= 0xe0 && c <= 0xef ? 2 : c >= 0xf0 && c <= 0xf4 ? 3 : -1;
}

/* Bytes of the character at s, 0 if it is none. */
static size_t char_len(const char *s, size_t len)
{
	unsigned char min, max;
	int more = lead((unsigned char)s[0], &min, &max);
	if (more < 0 || (size_t)more >= len) {
		return 0;
	}
	for (int i = 1; i <= more; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c < min || c > max) {
			return 0;
		}
		min = 0x80;
		max = 0xbf;
	}
	return (size_t)more + 1;
}

/* The length of the text's beginning that is UTF-8. */
static size_t valid_len(const char *s, size_t len)
{
	size_t at = 0;
	while (at < len) {
		size_t n = char_len(s + at, len - at);
		if (n == 0) {
			break;
		}
		at += n;
	}
	return at;
}

int json_quote(const char *s, size_t len, struct buf *out)
{
	size_t good = valid_len(s, len);
	if (good == len) {
		return json_text_add_string(out, s, len);
	}
	AUTO(buf) struct buf clean;
	buf_init(&clean, out->limit_bytes);
	while (good < len) {
		buf_add(&clean, s, good);
		buf_add_str(&clean, REPLACEMENT);
		s += good + 1;
		len -= good + 1;
		good = valid_len(s, len);
	}
	buf_add(&clean, s, len);
	return buf_failed(&clean) ? buf_failed(&clean)
				  : json_text_add_string(out, buf_str(&clean), clean.len);
}
