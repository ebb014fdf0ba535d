/* SPDX-License-Identifier: MIT */
#include "quoted.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define PLAIN   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,@%+="
#define LONGEST 4 /* bytes that one of text may become */

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

/* Letters beyond ASCII mean nothing to a shell. */
static bool is_plain(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (!((unsigned char)*p & 0x80) && !strchr(PLAIN, *p)) {
			return false;
		}
	}
	return *text != '\0' && *text != '-';
}

static bool has_control(const char *text)
{
	while (*text && !is_control(*text)) {
		text++;
	}
	return *text != '\0';
}

/* '…', or $'…' where a newline or the like has to be spelled. */
const char *quoted(const char *text, char space[QUOTED_MAX])
{
	bool spelled = has_control(text);
	char *out = space;
	if (is_plain(text) || strlen(text) > (QUOTED_MAX - 4) / LONGEST) {
		return text;
	}
	out += sprintf(out, "%s'", spelled ? "$" : "");
	for (const char *p = text; *p; p++) {
		if (is_control(*p)) {
			out += sprintf(out, "\\%03o", (unsigned)*p);
		} else if (*p == '\'') {
			out += sprintf(out, "%s", spelled ? "\\'" : "'\\''");
		} else if (*p == '\\' && spelled) {
			out += sprintf(out, "\\\\");
		} else {
			*out++ = *p;
		}
	}
	memcpy(out, "'", 2);
	return space;
}
