/* SPDX-License-Identifier: MIT */
/* Helpers shared by the files of base. */
#ifndef FORCEFS_BASE_PRIV_H
#define FORCEFS_BASE_PRIV_H

#include <stddef.h>

/* Bytes in the UTF-8 sequence that starts with this byte; 1 for anything that starts none. */
static inline size_t utf8_need(unsigned char lead)
{
	if (lead >= 0xf0 && lead < 0xf8) {
		return 4;
	}
	if (lead >= 0xe0 && lead < 0xf0) {
		return 3;
	}
	return lead >= 0xc2 && lead < 0xe0 ? 2 : 1;
}

/* The length of s without a UTF-8 sequence that a truncation cut in two at its end. */
static inline size_t utf8_whole(const char *s, size_t len)
{
	size_t back = 0;
	while (back < 3 && back < len && ((unsigned char)s[len - 1 - back] & 0xc0) == 0x80) {
		back++;
	}
	if (back < len && utf8_need((unsigned char)s[len - 1 - back]) > back + 1) {
		return len - 1 - back;
	}
	return len;
}

#endif
