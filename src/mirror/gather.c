/* SPDX-License-Identifier: MIT */
/*
 * Scattered reads of one object, gathered. The first goes out at once; those that come while it is
 * under way go together in the next question, up to 2000 of them. When several wait, the next
 * question starts no sooner than 50 ms after the last: many processes that start at once need not
 * cost a question each, and a lone reader never waits.
 */
#include "mirror_priv.h"

#include <errno.h>
#include <string.h>

#include "forcefs/base/clock.h"

/* ---- records that the org said are not there ---- */

/* Under m->lock; NULL if it is not noted. */
static struct missing *missing_find(struct mirror *m, uint32_t object, const char *id18)
{
	for (unsigned i = 0; i < MISSING_MAX; i++) {
		struct missing *x = &m->missing[i];
		if (x->object == object && strcmp(x->id.text, id18) == 0) {
			return x;
		}
	}
	return NULL;
}

bool missing_known(struct mirror *m, uint32_t object, const struct id *id)
{
	LOCK_SCOPE(&m->lock);
	const struct missing *x = missing_find(m, object, id->text);
	return x && clock_mono_ms() < x->until_ms;
}

void missing_add(struct mirror *m, uint32_t object, const struct id *id)
{
	LOCK_SCOPE(&m->lock);
	struct missing *x = missing_find(m, object, id->text);
	x = x ? x : &m->missing[m->missing_next++ % MISSING_MAX];
	*x = (struct missing){.object = object, .id = *id, .until_ms = clock_mono_ms() + m->ttl_ms};
}

void missing_drop(struct mirror *m, uint32_t object, const char *id18)
{
	LOCK_SCOPE(&m->lock);
	struct missing *x = missing_find(m, object, id18);
	if (x) {
		x->object = 0;
	}
}

/* ---- records that this mount deleted: an answer from before does not bring them back ---- */

void removed_add(struct mirror *m, uint32_t object, const struct id *id)
{
	LOCK_SCOPE(&m->lock);
	m->removed[m->removed_next++ % REMOVED_MAX] =
		(struct removed){.object = object, .id = *id, .at_ms = clock_wall_ms()};
}

/* From the last one back: mostly that one is older than the question already. */
bool removed_since(struct mirror *m, uint32_t object, const char *id18, int64_t asked_ms)
{
	int64_t now_ms = clock_wall_ms();
	LOCK_SCOPE(&m->lock);

	for (unsigned i = 1; i <= REMOVED_MAX; i++) {
		const struct removed *x = &m->removed[(m->removed_next - i) % REMOVED_MAX];
		if (x->at_ms < asked_ms || x->at_ms > now_ms) { /* or the clock was set back */
			return false;
		}
		if (x->object == object && strcmp(x->id.text, id18) == 0) {
			return true;
		}
	}
	return false;
}

/* ---- the waiting lists, all under o->lock ---- */

static void want_link(struct want *w, struct want **head)
{
	w->head = head;
	w->prev = NULL;
	w->next = *head;
	if (*head) {
		(*head)->prev = w;
	}
	*head = w;
}

static void want_unlink(struct want *w)
{
	if (w->prev) {
		w->prev->next = w->next;
	} else {
		*w->head = w->next;
	}
	if (w->next) {
		w->next->prev = w->prev;
	}
	w->head = NULL;
}

static void want_finish(struct want *w, int r, const struct error *err)
{
	want_unlink(w);
	w->done = true;
	w->result = r;
	w->err = *err;
}

/* ---- asking ---- */

static int id_compare(const void *a, const void *b)
{
	return strcmp(((const struct id *)a)->text, ((const struct id *)b)->text);
}

static size_t ids_unique(struct id *ids, size_t count)
{
	size_t kept = 0;

	qsort(ids, count, sizeof *ids, id_compare);
	for (size_t i = 0; i < count; i++) {
		if (i == 0 || id_compare(&ids[i], &ids[i - 1]) != 0) {
			ids[kept++] = ids[i];
		}
	}
	return kept;
}

/* Waits out the window if several wait; moves them to `asked` and copies their Ids. */
static size_t gather_take(struct object *o, struct id *ids)
{
	size_t count = 0;
	LOCK_SCOPE(&o->lock);

	while (o->waiting_count > 1 && o->waiting_count < GATHER_MAX &&
		clock_mono_ms() < o->gather_began_ms + GATHER_WINDOW_MS) {
		clock_cond_wait(&o->cond, &o->lock, o->gather_began_ms + GATHER_WINDOW_MS);
	}
	while (o->waiting && count < GATHER_MAX) {
		struct want *w = o->waiting;
		want_unlink(w);
		want_link(w, &o->asked);
		o->waiting_count--;
		ids[count++] = w->id;
	}
	o->gather_began_ms = clock_mono_ms();
	return count;
}

/* Those that the org did not send are not there: out of the store with them. */
static int gather_drop_missing(
	struct object *o, const struct id *ids, size_t count, struct intake *in, struct error *err)
{
	int r = 0;

	qsort(in->seen, in->seen_count, sizeof *in->seen, id_compare);
	for (size_t i = 0; i < count && r == 0; i++) {
		if (!bsearch(&ids[i], in->seen, in->seen_count, sizeof *in->seen, id_compare)) {
			missing_add(o->mirror, o->index, &ids[i]);
			r = intake_deleted(in, &ids[i], err);
		}
	}
	return r == 0 ? intake_flush(in, err) : r;
}

static int gather_ask_with(struct object *o, const struct schema *schema, const struct id *ids,
	size_t count, const struct until *until, struct error *err)
{
	struct mirror *m = o->mirror;
	AUTO(intake) struct intake in = {0};
	struct remote_sink sink = {.record = intake_record, .payload = &in};

	object_await_eviction(o);
	int r = intake_init(&in, o, schema, object_generation(o), err);
	if (r < 0) {
		return r;
	}
	AUTO_FREE struct id *seen = calloc(count, sizeof *seen);
	if (!seen) {
		return error_set(err, ENOMEM, "out of memory");
	}
	in.seen = seen;
	in.seen_max = count;
	in.asked_ms = clock_wall_ms();
	in.tell = true;
	r = breaker_enter(m, err);
	if (r == 0) {
		r = m->remote->retrieve(m->remote->self, schema, ids, count, &sink, until, err);
		breaker_note(m, r, err);
	}
	r = r < 0 ? r : intake_flush(&in, err);
	return r < 0 ? r : gather_drop_missing(o, ids, count, &in, err);
}

static int gather_ask(struct object *o, const struct id *ids, size_t count, struct error *err)
{
	struct until patience = mirror_patience(o->mirror, &o->gather_cancel);
	int r = 0;

	for (int tries = 0; tries < 2; tries++) {
		AUTO(schema) struct schema *schema = NULL;
		r = object_schema(o, &patience, &schema, err);
		r = r < 0 ? r : gather_ask_with(o, schema, ids, count, &patience, err);
		if (r != -EINVAL || strcmp(err->code, "INVALID_FIELD") != 0) {
			break;
		}
		object_doubt_schema(o);
	}
	return r;
}

static void gather_answer(struct object *o, int r, const struct error *err)
{
	LOCK_SCOPE(&o->lock);
	while (o->asked) {
		want_finish(o->asked, r, err);
	}
	pthread_cond_broadcast(&o->cond);
}

static bool gather_goes_on(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	o->gathering = o->waiting != NULL;
	return o->gathering;
}

/* Under o->lock: tells everybody who still waits that it failed. */
static void gather_refuse(struct object *o, int r, const struct error *err)
{
	while (o->waiting) {
		want_finish(o->waiting, r, err);
	}
	o->waiting_count = 0;
	o->gathering = false;
	pthread_cond_broadcast(&o->cond);
}

void gather_run(struct pool_job *job)
{
	struct object *o = (struct object *)((char *)job - offsetof(struct object, gather_job));
	AUTO_FREE struct id *ids = calloc(GATHER_MAX, sizeof *ids);
	struct error err = {0};

	if (!ids) {
		error_set(&err, ENOMEM, "out of memory");
		LOCK_SCOPE(&o->lock);
		gather_refuse(o, -ENOMEM, &err);
		return;
	}
	do {
		size_t count = ids_unique(ids, gather_take(o, ids));
		int r = count ? gather_ask(o, ids, count, &err) : 0;
		gather_answer(o, r, &err);
	} while (gather_goes_on(o));
}

/* Under o->lock. */
static void gather_start(struct object *o)
{
	if (o->gathering) {
		return;
	}
	o->gathering = true;
	if (pool_add(o->mirror->pool, &o->gather_job) < 0) {
		struct error err = {0};
		error_set(&err, EAGAIN,
			"too many questions to the org are waiting already; try again in a moment");
		gather_refuse(o, -EAGAIN, &err);
	}
}

int gather_fetch(
	struct object *o, const struct id *id, const struct until *until, struct error *err)
{
	struct want w = {.id = *id};
	int r = 0;

	until_watch(until, &o->lock, &o->cond);
	pthread_mutex_lock(&o->lock);
	want_link(&w, &o->waiting);
	o->waiting_count++;
	gather_start(o);
	while (!w.done && r == 0) {
		r = until_wait(until, &o->cond, &o->lock, err);
	}
	if (w.done) {
		r = w.result;
		if (r < 0 && err) {
			*err = w.err;
		}
	} else {
		o->waiting_count -= w.head == &o->waiting;
		want_unlink(&w);
	}
	pthread_mutex_unlock(&o->lock);
	until_unwatch(until);
	return r;
}
