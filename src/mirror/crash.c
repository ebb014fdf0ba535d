/* SPDX-License-Identifier: MIT */
/*
 * What a crash leaves behind: a change that the org has and the cache has not. A mark stands in the
 * store from the first change that is sent until the mirror is closed in order, and beyond that
 * where it is not known what the org made of a change. Who finds it at the start notes the time:
 * what was checked before it is not believed, so that each object is asked once for what changed,
 * whichever mount looks at it first.
 */
#include "mirror_priv.h"

#include "forcefs/base/clock.h"

#define MARK_DOC  "changing" /* checked_ms: since when; 0: not */
#define DOUBT_DOC "doubted"  /* checked_ms: what is older is not believed */

static int64_t doc_ms(struct mirror *m, const char *name)
{
	AUTO(store_doc) struct store_doc doc = {0};

	return store_doc_get(m->store, name, &doc, NULL) == 0 ? doc.checked_ms : 0;
}

static int put_ms(struct mirror *m, const char *name, int64_t ms)
{
	char none[] = "{}";
	const struct store_doc doc = {.data = none, .len = 2, .checked_ms = ms};

	return store_doc_put(m->store, name, &doc, NULL);
}

void crash_look(struct mirror *m)
{
	if (doc_ms(m, MARK_DOC) && put_ms(m, DOUBT_DOC, clock_wall_ms()) == 0) {
		put_ms(m, MARK_DOC, 0);
	}
	m->doubted_before_ms = doc_ms(m, DOUBT_DOC);
}

/* A store that takes no mark keeps nothing of the answers either. */
void crash_mark(struct mirror *m)
{
	if (!atomic_exchange(&m->marked, true) && put_ms(m, MARK_DOC, clock_wall_ms()) < 0) {
		atomic_store(&m->marked, false);
	}
}

void crash_clear(struct mirror *m)
{
	if (atomic_load(&m->marked) && !atomic_load(&m->unsure)) {
		put_ms(m, MARK_DOC, 0);
	}
}

void crash_doubt(const struct mirror *m, struct object *o)
{
	o->doubted_ms = m->doubted_before_ms;
}
