/* SPDX-License-Identifier: MIT */
/*
 * A glimpse of a value for the text of a conflict: one line, short, and harmless on a terminal. Two
 * long texts are shown where they part.
 */
#include "patch_priv.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/model/json_text.h"

#define SHOWN_CHARS 40
#define BEFORE      10 /* bytes shown of what two texts share */
#define ELLIPSIS    "\xe2\x80\xa6"

static bool is_inside_char(char c)
{
	return ((unsigned char)c & 0xC0) == 0x80;
}

/* Controls of ASCII and Latin-1, line separators, and what turns the direction of writing. */
static bool is_control(const unsigned char *s, size_t len)
{
	if (len == 1) {
		return s[0] < 0x20 || s[0] == 0x7F;
	}
	if (len == 2) {
		return s[0] == 0xC2 && s[1] < 0xA0;
	}
	if (len != 3 || s[0] != 0xE2) {
		return false;
	}
	return (s[1] == 0x80 && ((s[2] >= 0xA8 && s[2] <= 0xAE) || s[2] == 0x8E || s[2] == 0x8F)) ||
	       (s[1] == 0x81 && s[2] >= 0xA6 && s[2] <= 0xA9);
}

static size_t char_len(const char *s, size_t len)
{
	size_t n = 1;

	while (n < len && is_inside_char(s[n])) {
		n++;
	}
	return n;
}

size_t patch_clean(char *dst, size_t size, const char *s, size_t len, size_t chars)
{
	const size_t room = size - sizeof(ELLIPSIS);
	size_t used = 0;

	for (size_t i = 0; i < len;) {
		size_t n = char_len(s + i, len - i);

		if (chars-- == 0 || n > room - used) {
			memcpy(dst + used, ELLIPSIS, strlen(ELLIPSIS));
			used += strlen(ELLIPSIS);
			break;
		}
		if (is_control((const unsigned char *)s + i, n)) {
			dst[used++] = ' ';
		} else {
			memcpy(dst + used, s + i, n);
			used += n;
		}
		i += n;
	}
	dst[used] = 0;
	return used;
}

/* Where to begin: at the front if all of it fits, else a little before the texts part. */
static size_t start_of(const char *s, size_t len, const json_t *other)
{
	size_t other_len = 0;
	const char *o = other ? json_text_string(other, &other_len) : NULL;
	size_t at = 0;

	if (!o || len <= SHOWN_CHARS) {
		return 0;
	}
	while (at < len && at < other_len && s[at] == o[at]) {
		at++;
	}
	at = at > BEFORE ? at - BEFORE : 0;
	while (at > 0 && at < len && is_inside_char(s[at])) {
		at--;
	}
	return at < 2 * BEFORE ? 0 : at;
}

static void show_text(const char *s, size_t len, const json_t *other, char *dst)
{
	size_t start = start_of(s, len, other);
	char piece[PATCH_SHOW_SIZE - 8];

	patch_clean(piece, sizeof(piece), s + start, len - start, SHOWN_CHARS);
	snprintf(dst, PATCH_SHOW_SIZE, "%s\"%s\"", start > 0 ? ELLIPSIS : "", piece);
}

void patch_show(const struct field *f, const json_t *value, const json_t *other, char *dst)
{
	size_t len;
	const char *s;

	if (patch_empty(f, value)) {
		snprintf(dst, PATCH_SHOW_SIZE, "empty");
	} else if (strcmp(f->type, "encryptedstring") == 0) {
		snprintf(dst, PATCH_SHOW_SIZE, "a value that is not shown");
	} else if ((s = json_text_string(value, &len)) != NULL) {
		show_text(s, len, other, dst);
	} else if ((s = json_text_number(value, &len)) != NULL) {
		patch_clean(dst, PATCH_SHOW_SIZE, s, len, SHOWN_CHARS);
	} else if (json_is_boolean(value)) {
		snprintf(dst, PATCH_SHOW_SIZE, "%s", json_is_true(value) ? "true" : "false");
	} else {
		snprintf(dst, PATCH_SHOW_SIZE, "a list or an object");
	}
}
