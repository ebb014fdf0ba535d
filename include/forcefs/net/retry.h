/* SPDX-License-Identifier: MIT */
/*
 * When to send a request again: a pure function. Only idempotent requests; statuses 406, 420, 429,
 * 500, 502, 503, 504 and broken connections; at most 5 tries (420: 2); 0.5 s doubling with jitter,
 * Retry-After honoured. Where Retry-After asks for more than 10 s, or less than half a second would
 * be left for the try, it gives up: an answer now is worth more, and what really failed is told
 * instead of a time-out. The figures follow the JavaScript client's policy (salesforce-api.md 6.2).
 */
#ifndef FORCEFS_NET_RETRY_H
#define FORCEFS_NET_RETRY_H

#include <stdbool.h>
#include <stdint.h>

struct retry_case {
	bool idempotent;
	int attempt;            /* 1 for the first */
	int status;             /* HTTP status, or 0 */
	int errnum;             /* positive errno of a failed transfer, or 0 */
	int64_t retry_after_ms; /* from the reply, or -1 */
	int64_t left_ms;        /* until the caller's deadline */
	uint32_t random;        /* for the jitter */
};

/* Milliseconds to wait before the next attempt, or -1: give up. */
int64_t retry_delay_ms(const struct retry_case *c);

#endif
