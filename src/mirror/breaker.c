/* SPDX-License-Identifier: MIT */
/*
 * Knows whether the network is there. While it is known to be away, questions fail at once instead
 * of each waiting for its own time-out. The first failure opens the breaker for a second, each
 * further one doubles that, at most 15 s; the first answer closes it.
 *
 * A lone time-out may be one slow question, so it takes two in a row; no route, a refused
 * connection or an unknown host are certain. An answer of the org's is none of these, whatever it
 * says: QUERY_TIMEOUT is a time-out too, but of one query.
 *
 * An org that takes a question and does not answer is found out sooner by those who have an old
 * answer and wait for a better one: the first of them to lose patience says so, and until the org
 * answers anything the others do not wait at all.
 */
#include "mirror_priv.h"

#include <errno.h>

#include "forcefs/base/clock.h"

#define OPEN_FIRST_MS 1000
#define OPEN_MOST_MS  15000

static bool is_network(int r, const struct error *err)
{
	return (r == -EHOSTUNREACH || r == -ETIMEDOUT) && !err->http_status;
}

int breaker_enter(struct mirror *m, struct error *err)
{
	struct breaker *b = &m->breaker;
	LOCK_SCOPE(&b->lock);
	if (b->failures == 0 || clock_mono_ms() >= b->open_until_ms) {
		return 0;
	}
	if (err) {
		*err = b->last;
	}
	return -b->last.errnum;
}

static void breaker_open(struct breaker *b, int r)
{
	int64_t span_ms = OPEN_FIRST_MS << (b->failures < 5 ? b->failures : 5);

	b->failures++;
	if (r == -ETIMEDOUT && b->failures < 2) {
		return;
	}
	b->open_until_ms = clock_mono_ms() + (span_ms < OPEN_MOST_MS ? span_ms : OPEN_MOST_MS);
	if (b->offline_since_ms == 0) {
		b->offline_since_ms = clock_wall_ms();
	}
}

int breaker_note(struct mirror *m, int r, const struct error *err)
{
	struct breaker *b = &m->breaker;

	if (r == -EINTR) {
		return r;
	}
	LOCK_SCOPE(&b->lock);
	if (is_network(r, err)) {
		breaker_open(b, r);
	} else {
		b->stuck = false;
		b->failures = 0;
		b->offline_since_ms = 0;
	}
	if (r < 0 && r != -ENOENT) {
		b->last = *err;
		b->last_ms = clock_wall_ms();
	}
	return r;
}

void breaker_note_stuck(struct mirror *m)
{
	LOCK_SCOPE(&m->breaker.lock);
	m->breaker.stuck = true;
}

bool breaker_is_stuck(struct mirror *m)
{
	LOCK_SCOPE(&m->breaker.lock);
	return m->breaker.stuck;
}
