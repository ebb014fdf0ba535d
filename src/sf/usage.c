/* SPDX-License-Identifier: MIT */
/*
 * The org's budget of API requests: what Sforce-Limit-Info told, and when to stop calling.
 *
 * Once a call is refused nothing tells how the count falls, so every five minutes one call is let
 * through to find out.
 */
#include "sf_priv.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/clock.h"

#define KNOWN_FOR_MS (5 * 60 * 1000)

static bool read_number(const char **s, int64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)**s)) {
		return false;
	}
	errno = 0;
	*ret = strtoll(*s, &end, 10);
	*s = end;
	return errno == 0;
}

/* "api-usage=18/15000", alone or first of a list that goes on with "; per-app-api-usage=…". */
bool usage_parse(const char *limit_info, int64_t *ret_used, int64_t *ret_max)
{
	static const char name[] = "api-usage=";
	const char *s = limit_info;
	int64_t used, max;

	for (s = strstr(s, name); s; s = strstr(s + 1, name)) {
		if (s == limit_info || s[-1] == ' ' || s[-1] == ';' || s[-1] == ',') {
			break;
		}
	}
	if (!s) {
		return false;
	}
	s += sizeof(name) - 1;
	if (!read_number(&s, &used) || *s++ != '/' || !read_number(&s, &max)) {
		return false;
	}
	*ret_used = used;
	*ret_max = max;
	return true;
}

void usage_init(struct usage *u, int reserve_percent, int64_t reserve_calls)
{
	u->reserve_percent = reserve_percent;
	u->reserve_calls = reserve_calls;
	pthread_mutex_init(&u->lock, NULL);
	u->used = u->max = 0;
	u->seen_ms = u->probe_ms = 0;
	u->spent = false;
	u->calls = 0;
	memset(u->took, 0, sizeof(u->took));
	u->took_ms = 0;
}

void usage_release(struct usage *u)
{
	pthread_mutex_destroy(&u->lock);
}

/* u->lock held */
static int64_t reserve(const struct usage *u)
{
	if (u->reserve_percent > 0) {
		return u->max / 100 * u->reserve_percent + u->max % 100 * u->reserve_percent / 100;
	}
	return u->reserve_calls > 0 ? u->reserve_calls : 0;
}

/* u->lock held */
static bool is_known(const struct usage *u, int64_t now)
{
	int64_t last = u->seen_ms > u->probe_ms ? u->seen_ms : u->probe_ms;

	return now - last <= KNOWN_FOR_MS;
}

static int refuse(
	struct error *err, int64_t used, int64_t max, bool spent, int percent, int64_t calls)
{
	static const char after[] =
		"cached files stay readable; the count falls as the rolling day moves on";

	if (spent) {
		return error_set_code(err, EDQUOT, 0, "REQUEST_LIMIT_EXCEEDED",
			"the org's daily API requests are used up; %s", after);
	}
	if (percent > 0) {
		return error_set(err, EDQUOT,
			"%" PRId64 " of %" PRId64 " daily API requests used; forcefs stops at "
			"api_reserve=%d%%; %s",
			used, max, percent, after);
	}
	return error_set(err, EDQUOT,
		"%" PRId64 " of %" PRId64 " daily API requests used; forcefs stops at "
		"api_reserve=%" PRId64 "; %s",
		used, max, calls, after);
}

int usage_admit(struct usage *u, struct error *err)
{
	int64_t now = clock_mono_ms();
	int64_t used, max;
	bool spent;

	{
		LOCK_SCOPE(&u->lock);
		spent = u->spent;
		used = u->used;
		max = u->max;
		if (!spent && (max <= 0 || reserve(u) <= 0 || max - used >= reserve(u))) {
			return 0;
		}
		if (!is_known(u, now)) {
			u->probe_ms = now;
			return 0;
		}
	}
	return refuse(err, used, max, spent, u->reserve_percent, u->reserve_calls);
}

void usage_note(struct usage *u, const char *limit_info, int attempts)
{
	int64_t used, max;
	bool told = usage_parse(limit_info, &used, &max);

	LOCK_SCOPE(&u->lock);
	u->calls += (uint64_t)attempts;
	if (told) {
		u->used = used;
		u->max = max;
		u->seen_ms = clock_mono_ms();
		u->spent = false;
	}
}

void usage_took(struct usage *u, int64_t ms)
{
	int step = 0;

	while (step < REMOTE_TOOK_STEPS && ms > remote_took_ms[step]) {
		step++;
	}
	LOCK_SCOPE(&u->lock);
	u->took[step]++;
	u->took_ms += ms > 0 ? (uint64_t)ms : 0;
}

void usage_spent(struct usage *u)
{
	LOCK_SCOPE(&u->lock);
	if (u->used < u->max) {
		u->used = u->max;
	}
	u->spent = true;
	u->seen_ms = clock_mono_ms();
}

void usage_get(struct usage *u, struct remote_usage *ret)
{
	LOCK_SCOPE(&u->lock);
	ret->used = u->used;
	ret->max = u->max;
	ret->calls = u->calls;
	ret->reserve = reserve(u);
	memcpy(ret->took, u->took, sizeof(ret->took));
	ret->took_ms = u->took_ms;
}
