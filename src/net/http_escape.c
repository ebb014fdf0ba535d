/* SPDX-License-Identifier: MIT */
/* Percent-encoding. */

#include "forcefs/net/http.h"

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

int http_escape(const char *s, size_t len, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		const char coded[3] = {'%', hex[c >> 4], hex[c & 15]};
		int r = is_unreserved(s[i]) ? buf_add_char(out, s[i]) : buf_add(out, coded, 3);
		if (r < 0) {
			return r;
		}
	}
	return buf_failed(out);
}
