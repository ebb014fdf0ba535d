/* SPDX-License-Identifier: MIT */
/* Text laid out for a terminal: labels in a column, what follows them wrapped beside it. Control
 * characters are made visible. Pure. */
#ifndef FORCEFS_APP_PAGE_H
#define FORCEFS_APP_PAGE_H

#include <stddef.h>

#include "forcefs/base/buf.h"

#define PAGE_LABEL_COLUMN 13

struct page {
	struct buf *out;
	int width; /* columns; 0: nothing is wrapped */
};

/* Of the terminal that this stream is, or 0 if it is none. */
int page_width_of(int fd);

/* Columns of a UTF-8 text, taking each character for one. */
int page_columns(const char *text);

/* Appends words from column `at` on, further lines from column `indent` on, and a newline. */
void page_wrap(struct page *p, int at, int indent, const char *text);

/* "  label      text", the text wrapped at PAGE_LABEL_COLUMN; "" as the label goes on below. */
void page_line(struct page *p, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Appends text, cut to `columns` with a … at its end, or filled up to them with blanks. */
void page_cell(struct page *p, int columns, const char *text);

#endif
