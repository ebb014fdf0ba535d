/* SPDX-License-Identifier: MIT */
#include "figures.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct figure figure_count(int64_t n)
{
	struct figure f;
	char digits[24];
	bool minus = n < 0;
	uint64_t size = minus ? 0 - (uint64_t)n : (uint64_t)n;
	int len = snprintf(digits, sizeof(digits), "%" PRIu64, size);
	char *out = f.text;
	if (minus) {
		*out++ = '-';
	}
	for (int i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0) {
			*out++ = ',';
		}
		*out++ = digits[i];
	}
	*out = '\0';
	return f;
}

struct figure figure_bytes(uint64_t n)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	struct figure f;
	uint64_t tenths = 0; /* of the unit, where it is less than ten of them */
	int unit = 0;
	if (n < 1024) {
		snprintf(f.text, sizeof(f.text), "%" PRIu64 " B", n);
		return f;
	}
	while (n >= 1024) {
		tenths = (n % 1024) * 10 / 1024;
		n /= 1024;
		unit++;
	}
	if (n < 10) {
		snprintf(f.text, sizeof(f.text), "%" PRIu64 ".%" PRIu64 " %s", n, tenths,
			units[unit]);
	} else {
		snprintf(f.text, sizeof(f.text), "%" PRIu64 " %s", n, units[unit]);
	}
	return f;
}

struct figure figure_span(int64_t ms)
{
	struct figure f;
	long long s = ms > 0 ? ms / 1000 : 0;
	long long minutes = s / 60, hours = minutes / 60, days = hours / 24;
	if (s < 60) {
		snprintf(f.text, sizeof(f.text), "%lld s", s);
	} else if (minutes < 60) {
		snprintf(f.text, sizeof(f.text), "%lld min", minutes);
	} else if (hours < 24) {
		snprintf(f.text, sizeof(f.text), "%lld h %lld min", hours, minutes % 60);
	} else {
		snprintf(f.text, sizeof(f.text), "%lld d %lld h", days, hours % 24);
	}
	return f;
}

struct figure figure_ago(int64_t ms)
{
	struct figure f = {"just now"}, span = figure_span(ms);
	if (ms >= 1000) {
		snprintf(f.text, sizeof(f.text), "%.30s ago", span.text);
	}
	return f;
}

struct figure figure_percent(double part)
{
	struct figure f;
	double percent = part * 100;
	bool end = (percent > 0 && percent < 1) || (percent > 99 && percent < 100);
	/* rounded towards the middle, so that only all is 100 and only nothing is 0 */
	long tenths = (long)(percent * 10);
	if (percent > 0 && percent < 0.1) {
		snprintf(f.text, sizeof(f.text), "< 0.1 %%");
	} else if (end) {
		snprintf(f.text, sizeof(f.text), "%ld.%ld %%", tenths / 10, tenths % 10);
	} else {
		snprintf(f.text, sizeof(f.text), "%ld %%", tenths / 10);
	}
	return f;
}

static int cells_of(int cells, double part)
{
	int n = (int)(part * cells + 0.5);
	n = part > 0 && n == 0 ? 1 : n;
	n = part < 1 && n >= cells ? cells - 1 : n;
	return n < 0 ? 0 : n > cells ? cells : n;
}

struct figure_bar figure_bar(int cells, double part, double mark)
{
	struct figure_bar b;
	cells = cells < 1 ? 1 : cells > FIGURE_BAR_MAX ? FIGURE_BAR_MAX : cells;
	int full = cells_of(cells, part);
	b.text[0] = '[';
	memset(b.text + 1, '#', (size_t)full);
	memset(b.text + 1 + full, '.', (size_t)(cells - full));
	if (mark >= 0 && mark < 1) {
		int at = (int)(mark * cells);
		if (at >= full) {
			b.text[1 + at] = '|';
		}
	}
	b.text[cells + 1] = ']';
	b.text[cells + 2] = '\0';
	return b;
}
