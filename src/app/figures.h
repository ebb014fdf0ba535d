/* SPDX-License-Identifier: MIT */
/* Numbers as people read them. Pure; results by value, so they stand in a printf as they are. */
#ifndef FORCEFS_APP_FIGURES_H
#define FORCEFS_APP_FIGURES_H

#include <stdbool.h>
#include <stdint.h>

struct figure {
	char text[40];
};

struct figure figure_count(int64_t n);  /* "12,345" */
struct figure figure_bytes(uint64_t n); /* "512 B", "1.5 KiB", "228 MiB" */
struct figure figure_span(int64_t ms);  /* "0 s", "59 s", "5 min", "2 h 5 min", "3 d 4 h" */
struct figure figure_ago(int64_t ms);   /* "just now", "5 min ago" */
struct figure figure_percent(
	double part); /* "33 %" of 0.33; "< 0.1 %", "0.4 %" and "99.7 %" near the ends */

/* At most this many cells in a bar. */
#define FIGURE_BAR_MAX 60

struct figure_bar {
	char text[FIGURE_BAR_MAX + 3];
};

/* "[####......|...]" with so many cells: part of whole is filled, and a | stands where mark of
 * whole is (negative: none). What is neither nothing nor all never looks so. */
struct figure_bar figure_bar(int cells, double part, double mark);

#endif
