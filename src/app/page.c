/* SPDX-License-Identifier: MIT */
#include "page.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "forcefs/base/log.h"

#define TEXT_MAX     4096
#define WIDTH_LEAST  20
#define LABEL_INDENT 2
/* With less room than this beside a label, its text goes on near the left edge. */
#define ROOM_LEAST 24

int page_width_of(int fd)
{
	struct winsize size;
	if (!isatty(fd)) {
		return 0;
	}
	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_col == 0) {
		return 80;
	}
	return size.ws_col < WIDTH_LEAST ? WIDTH_LEAST : size.ws_col;
}

static bool starts_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static int columns_of(const char *text, size_t len)
{
	int n = 0;
	for (size_t i = 0; i < len; i++) {
		n += starts_character(text[i]);
	}
	return n;
}

/* Bytes of the first so many characters. */
static size_t bytes_of(const char *text, int columns)
{
	size_t i = 0;
	for (int n = 0; text[i]; i++) {
		if (starts_character(text[i]) && n++ == columns) {
			break;
		}
	}
	return i;
}

int page_columns(const char *text)
{
	return columns_of(text, strlen(text));
}

void page_wrap(struct page *p, int at, int indent, const char *text)
{
	char shown[TEXT_MAX];
	int column = at;
	bool first = true;
	log_escape(shown, sizeof(shown), text);
	for (const char *s = shown; *s;) {
		size_t len = strcspn(s, " ");
		int columns = columns_of(s, len);
		if (!first && p->width > 0 && column + 1 + columns > p->width) {
			buf_addf(p->out, "\n%*s", indent, "");
			column = indent;
			first = true;
		}
		buf_addf(p->out, "%s%.*s", first ? "" : " ", (int)len, s);
		column += columns + !first;
		first = false;
		s += len + strspn(s + len, " ");
	}
	buf_add_char(p->out, '\n');
}

void page_line(struct page *p, const char *label, const char *fmt, ...)
{
	char text[TEXT_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	bool narrow = p->width > 0 && p->width < PAGE_LABEL_COLUMN + ROOM_LEAST;
	int at = LABEL_INDENT + page_columns(label) + 1;
	at = at < PAGE_LABEL_COLUMN ? PAGE_LABEL_COLUMN : at;
	buf_addf(p->out, "%*s%-*s", LABEL_INDENT, "", at - LABEL_INDENT, label);
	page_wrap(p, at, narrow ? 2 * LABEL_INDENT : PAGE_LABEL_COLUMN, text);
}

void page_cell(struct page *p, int columns, const char *text)
{
	char shown[TEXT_MAX];
	log_escape(shown, sizeof(shown), text);
	int have = page_columns(shown);
	if (have <= columns) {
		buf_addf(p->out, "%s%*s", shown, columns - have, "");
		return;
	}
	int keep = columns > 1 ? columns - 1 : 0;
	buf_addf(p->out, "%.*s…", (int)bytes_of(shown, keep), shown);
}
