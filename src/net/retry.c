/* SPDX-License-Identifier: MIT */
/* The retry policy. */
#include "forcefs/net/retry.h"

#include <errno.h>
#include <stddef.h>

#define MAX_TRIES     5
#define FIRST_WAIT_MS 500
#define MAX_WAIT_MS   10000
#define ATTEMPT_MS    500 /* less than this is not enough for a try */
#define SPREAD_MS     250 /* on top of Retry-After, so that a herd does not come back as one */

/* How often a request may be sent in all when it was answered with this status; 0: no retry. */
static int tries_for_status(int status)
{
	switch (status) {
	case 420: /* the org has no route; mostly for good */
		return 2;
	case 406:
	case 429:
	case 500:
	case 502:
	case 503:
	case 504:
		return MAX_TRIES;
	default:
		return 0;
	}
}

static int tries_for_errnum(int errnum)
{
	return errnum == EHOSTUNREACH || errnum == EPROTO || errnum == ETIMEDOUT ? MAX_TRIES : 0;
}

/* Half of the doubled wait is fixed, half is chance. */
static int64_t backoff_ms(int attempt, uint32_t random)
{
	int64_t full = FIRST_WAIT_MS;
	for (int i = 1; i < attempt && full < MAX_WAIT_MS; i++) {
		full *= 2;
	}
	if (full > MAX_WAIT_MS) {
		full = MAX_WAIT_MS;
	}
	return full / 2 + random % (full / 2 + 1);
}

/* What the server asked for and a little more, or our own back-off where it asked for nothing. */
static int64_t wait_ms(const struct retry_case *c)
{
	if (c->retry_after_ms < 0) {
		return backoff_ms(c->attempt, c->random);
	}
	int64_t wait = c->retry_after_ms + c->random % SPREAD_MS;
	return wait < MAX_WAIT_MS ? wait : MAX_WAIT_MS;
}

int64_t retry_delay_ms(const struct retry_case *c)
{
	int tries = c->errnum ? tries_for_errnum(c->errnum) : tries_for_status(c->status);
	if (!c->idempotent || c->attempt >= tries || c->retry_after_ms > MAX_WAIT_MS) {
		return -1;
	}
	int64_t wait = wait_ms(c);
	return wait + ATTEMPT_MS < c->left_ms ? wait : -1;
}
