/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <stdio.h>
#include <string.h>

#include "figures.h"
#include "page.h"

#define NAME_WIDTH  24
#define CELLS_LEAST 8
#define CELLS_MOST  30
/* A terminal that is narrower shows figures instead of the bar. */
#define BAR_WIDTH_LEAST 40

static double part_of(const struct fetch_progress *p)
{
	return p->records < p->total ? (double)p->records / (double)p->total : 1;
}

/* ---- the pieces of a line; one that has nothing to say adds nothing ---- */

static void add_count(const struct fetch_progress *p, struct buf *out)
{
	int64_t total = p->total > p->records ? p->total : p->records;
	buf_addf(out, "%s", figure_count(p->records).text);
	if (p->total > 0) {
		buf_addf(out, " of %s", figure_count(total).text);
	} else {
		buf_add_str(out, " records");
	}
}

static void add_calls(const struct fetch_progress *p, struct buf *out)
{
	buf_addf(out, "%s call%s", figure_count(p->calls).text, p->calls == 1 ? "" : "s");
}

static void add_rate(const struct fetch_progress *p, struct buf *out)
{
	if (p->rate >= 1) {
		buf_addf(out, "%s/s", figure_count((int64_t)p->rate).text);
	}
}

static void add_left(const struct fetch_progress *p, struct buf *out)
{
	if (p->rate >= 1 && p->total > p->records) {
		double left_s = (double)(p->total - p->records) / p->rate + 1;
		buf_addf(out, "%s left", figure_span((int64_t)left_s * 1000).text);
	}
}

/* In the order of their worth. */
static void (*const pieces[])(const struct fetch_progress *p, struct buf *out) = {
	add_count, add_left, add_calls, add_rate};
#define PIECES (sizeof(pieces) / sizeof(pieces[0]))

/* As many as fit into so many columns (0: all), each after `gap`. */
static void add_pieces(
	const struct fetch_progress *p, int columns, const char *gap, struct buf *out)
{
	for (size_t i = 0; i < PIECES; i++) {
		AUTO(buf) struct buf piece;
		buf_init(&piece, 256);
		pieces[i](p, &piece);
		int more = page_columns(gap) + page_columns(buf_str(&piece));
		if (piece.len && (columns == 0 || page_columns(buf_str(out)) + more <= columns)) {
			buf_addf(out, "%s%s", out->len ? gap : "", buf_str(&piece));
		}
	}
}

/* ---- the lines ---- */

static int plain_line(const struct fetch_progress *p, struct buf *out)
{
	AUTO(buf) struct buf rest;
	buf_init(&rest, 1024);
	if (p->total > 0) {
		buf_addf(&rest, "%s", figure_percent(part_of(p)).text);
	}
	add_pieces(p, 0, ", ", &rest);
	buf_addf(out, "%s: %s", p->object, buf_str(&rest));
	return buf_failed(out);
}

int fetch_line(const struct fetch_progress *p, int width, struct buf *out)
{
	if (width == 0) {
		return plain_line(p, out);
	}
	AUTO(buf) struct buf name, rest;
	buf_init(&name, 512);
	buf_init(&rest, 1024);
	struct page cell = {.out = &name};
	int columns = page_columns(p->object),
	    most = width / 2 < NAME_WIDTH ? width / 2 : NAME_WIDTH;
	page_cell(&cell, columns < most ? columns : most, p->object);
	if (p->total > 0) {
		buf_addf(&rest, "%s", figure_percent(part_of(p)).text);
	}
	columns = page_columns(buf_str(&name));
	int room = width - columns - 1;
	bool bar = p->total > 0 && width >= BAR_WIDTH_LEAST;
	add_pieces(p, bar ? room - CELLS_LEAST - 3 : room, "  ", &rest);
	int cells = width - columns - page_columns(buf_str(&rest)) - 4;
	cells = cells > CELLS_MOST ? CELLS_MOST : cells;
	buf_add_str(out, buf_str(&name));
	if (bar) {
		buf_addf(out, " %s", figure_bar(cells, part_of(p), -1).text);
	}
	buf_addf(out, " %s", buf_str(&rest));
	return buf_failed(out);
}

int fetch_sum(const struct fetch_progress *p, struct buf *out)
{
	buf_addf(out, "%s: %s record%s, ", p->object, figure_count(p->records).text,
		p->records == 1 ? "" : "s");
	add_calls(p, out);
	buf_addf(out, ", %s", figure_span(p->elapsed_ms).text);
	return buf_failed(out);
}
