/* SPDX-License-Identifier: MIT */
/*
 * Salesforce's datetimes. Calendar arithmetic of our own: timegm takes a lock for the time zone
 * and accepts the 31st of February, strftime follows the locale.
 */
#include "forcefs/model/stamp.h"

#include <stdio.h>
#include <string.h>

#define MS_PER_DAY 86400000

/* The dates that Salesforce knows, so that a literal is always one that it accepts. */
#define MS_MIN INT64_C(-8520336000000) /* 1700-01-01T00:00:00.000 */
#define MS_MAX INT64_C(64092211199999) /* 4000-12-31T23:59:59.999 */

struct civil {
	int year, month, day, hour, minute, second, ms;
	int weekday; /* 0 is Sunday */
};

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from 1970-01-01 to the first of January of a year in 1..9999. */
static int64_t year_start(int year)
{
	int64_t y = year - 1;

	return y * 365 + y / 4 - y / 100 + y / 400 - 719162;
}

static int64_t civil_to_ms(const struct civil *c)
{
	int64_t days = year_start(c->year) + c->day - 1;
	int64_t seconds;

	for (int m = 1; m < c->month; m++) {
		days += month_days(c->year, m);
	}
	seconds = days * 86400 + c->hour * 3600 + c->minute * 60 + c->second;
	return seconds * 1000 + c->ms;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static void civil_from_ms(int64_t ms, struct civil *c)
{
	int64_t days, rest;

	ms = ms < MS_MIN ? MS_MIN : ms > MS_MAX ? MS_MAX : ms;
	days = floor_div(ms, MS_PER_DAY);
	rest = ms - days * MS_PER_DAY;
	c->ms = (int)(rest % 1000);
	c->second = (int)(rest / 1000 % 60);
	c->minute = (int)(rest / 60000 % 60);
	c->hour = (int)(rest / 3600000);
	c->weekday = (int)((days % 7 + 11) % 7); /* day 0 was a Thursday */
	/* Too late by a year at most: 365.2425 days are a year, on the average. */
	c->year = (int)(1970 + floor_div(days * 10000, 3652425) + 1);
	while (year_start(c->year) > days) {
		c->year--;
	}
	days -= year_start(c->year);
	for (c->month = 1; days >= month_days(c->year, c->month); c->month++) {
		days -= month_days(c->year, c->month);
	}
	c->day = (int)days + 1;
}

/* Reading: each step takes its characters off the front, false if they are not there. */
struct reader {
	const char *p;
	const char *end;
};

static bool read_number(struct reader *r, int digits, int *ret)
{
	int n = 0;

	if (r->end - r->p < digits) {
		return false;
	}
	for (int i = 0; i < digits; i++, r->p++) {
		if (*r->p < '0' || *r->p > '9') {
			return false;
		}
		n = n * 10 + (*r->p - '0');
	}
	*ret = n;
	return true;
}

static bool read_char(struct reader *r, char c)
{
	if (r->p == r->end || *r->p != c) {
		return false;
	}
	r->p++;
	return true;
}

/* ".1" to ".123456789"; what is finer than a millisecond is dropped. */
static bool read_fraction(struct reader *r, int *ret_ms)
{
	int weight = 100;
	int digit;
	int count = 0;

	*ret_ms = 0;
	if (!read_char(r, '.')) {
		return true;
	}
	for (; count < 9 && read_number(r, 1, &digit); count++) {
		*ret_ms += digit * weight;
		weight /= 10;
	}
	return count > 0;
}

static bool read_zone(struct reader *r, int *ret_minutes)
{
	int sign = 1;
	int hours, minutes;

	*ret_minutes = 0;
	if (read_char(r, 'Z')) {
		return true;
	}
	if (read_char(r, '-')) {
		sign = -1;
	} else if (!read_char(r, '+')) {
		return false;
	}
	if (!read_number(r, 2, &hours)) {
		return false;
	}
	read_char(r, ':');
	if (!read_number(r, 2, &minutes) || hours > 23 || minutes > 59) {
		return false;
	}
	*ret_minutes = sign * (hours * 60 + minutes);
	return true;
}

static bool read_civil(struct reader *r, struct civil *c)
{
	bool shaped =
		read_number(r, 4, &c->year) && read_char(r, '-') && read_number(r, 2, &c->month) &&
		read_char(r, '-') && read_number(r, 2, &c->day) && read_char(r, 'T') &&
		read_number(r, 2, &c->hour) && read_char(r, ':') && read_number(r, 2, &c->minute) &&
		read_char(r, ':') && read_number(r, 2, &c->second) && read_fraction(r, &c->ms);

	return shaped && c->year >= 1 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
	       c->day <= month_days(c->year, c->month) && c->hour <= 23 && c->minute <= 59 &&
	       c->second <= 59;
}

bool stamp_parse(const char *s, size_t len, int64_t *ret_ms)
{
	struct reader r = {s, s + len};
	struct civil c;
	int zone;

	if (!read_civil(&r, &c) || !read_zone(&r, &zone) || r.p != r.end) {
		return false;
	}
	*ret_ms = civil_to_ms(&c) - zone * INT64_C(60000);
	return true;
}

void stamp_soql(int64_t ms, char *buf, size_t size)
{
	struct civil c;

	civil_from_ms(ms, &c);
	snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day, c.hour,
		c.minute, c.second, c.ms);
}

void stamp_http(int64_t ms, char *buf, size_t size)
{
	static const char days[7][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	struct civil c;

	civil_from_ms(ms, &c);
	snprintf(buf, size, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[c.weekday], c.day,
		months[c.month - 1], c.year, c.hour, c.minute, c.second);
}

void stamp_mtime(int64_t stamp_ms, uint64_t content_hash, int64_t *ret_s, long *ret_ns)
{
	int64_t s = floor_div(stamp_ms, 1000);

	*ret_s = s;
	*ret_ns = (long)((stamp_ms - s * 1000) * 1000000 + (int64_t)(content_hash % 1000000));
}
