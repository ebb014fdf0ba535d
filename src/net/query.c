/* SPDX-License-Identifier: MIT */
#include "forcefs/net/query.h"

#include <errno.h>
#include <string.h>

/* 0 to 15, or -1. */
static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c | 0x20) : NULL;

	return found && *found ? (int)(found - digits) : -1;
}

int query_decode(const char *text, size_t len, bool plus, struct buf *out)
{
	for (size_t i = 0; i < len; i++) {
		int high = text[i] == '%' && len - i > 2 ? hex_digit(text[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(text[i + 2]) : -1;

		if (low >= 0) {
			if (high == 0 && low == 0) {
				return -EINVAL;
			}
			buf_add_char(out, (char)(high << 4 | low));
			i += 2;
		} else {
			buf_add_char(out, plus && text[i] == '+' ? ' ' : text[i]);
		}
	}
	return buf_failed(out);
}

int query_get(const char *text, size_t len, const char *name, bool plus, struct buf *out)
{
	size_t name_len = strlen(name);

	for (const char *p = text, *end = text + len; p < end;) {
		const char *stop = memchr(p, '&', (size_t)(end - p));
		size_t n = (size_t)((stop ? stop : end) - p);

		if (n > name_len && p[name_len] == '=' && !memcmp(p, name, name_len)) {
			return query_decode(p + name_len + 1, n - name_len - 1, plus, out);
		}
		p += n + 1;
	}
	return -ENOENT;
}
