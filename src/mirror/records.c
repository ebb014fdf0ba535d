/* SPDX-License-Identifier: MIT */
/* Records: from the store while they may be believed, else from the org. */
#include "mirror_priv.h"

#include <errno.h>
#include <string.h>

/* The body that was just fetched can be the one that is evicted to keep the limit. */
#define REFETCHES 3

/* Runs `expression`, which reads the store; a damaged file is made anew and read once more. */
#define WITH_MENDING(m, r, err, expression)                                                        \
	do {                                                                                       \
		(r) = (expression);                                                                \
		if ((r) == -EUCLEAN && mirror_mend(m, err) == 0) {                                 \
			(r) = (expression);                                                        \
		}                                                                                  \
	} while (0)

static void record_show_body(
	struct object *o, const struct store_record *rec, struct mirror_record *ret)
{
	AUTO(schema) struct schema *schema = NULL;
	struct body_facts facts;

	ret->body_size = -1;
	if (!rec->tag[0]) {
		return;
	}
	body_tag_read(rec->tag, &facts);
	memcpy(ret->ext, facts.ext, sizeof ret->ext);
	ret->body_size = facts.size >= 0 ? facts.size : body_known_size(o->mirror, rec);
	object_schema_peek(o, &schema); /* so that the object shows what may be done with it */
}

void record_show(struct object *o, const struct store_record *rec, struct mirror_record *ret)
{
	*ret = (struct mirror_record){
		.key = rec->key, .stamp_ms = rec->stamp_ms, .hash = rec->hash, .size = rec->size};
	memcpy(ret->id, rec->id, sizeof ret->id);
	record_show_body(o, rec, ret);
	LOCK_SCOPE(&o->lock);
	ret->fresh_ms = object_fresh_ms(o, rec->checked_ms);
}

enum listing_state { LISTING_NONE, LISTING_PARTIAL, LISTING_COMPLETE };

static enum listing_state listing_state(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	if (o->state.fill_ms == 0) {
		return LISTING_NONE;
	}
	return o->state.listed_ms ? LISTING_COMPLETE : LISTING_PARTIAL;
}

static int record_load(
	struct object *o, const struct id *id, struct mirror_record *ret, struct error *err)
{
	struct mirror *m = o->mirror;
	struct store_record rec;
	int r;

	WITH_MENDING(m, r, err, store_record_by_id(m->store, o->index, id->text, &rec, NULL, err));
	if (r == 0) {
		record_show(o, &rec, ret);
	}
	return r;
}

static int record_hit(struct mirror *m)
{
	atomic_fetch_add_explicit(&m->hits, 1, memory_order_relaxed);
	return 0;
}

static int no_such_record(struct object *o, const struct id *id, struct error *err)
{
	return error_set(
		err, ENOENT, "%s has no record %s, or it may not be seen", o->name, id->text);
}

/* Asks the org for this one record. An old copy is shown if the org cannot be asked. */
static int record_fetch_once(struct object *o, const struct id *id, bool have_old,
	const struct until *until, struct mirror_record *ret, struct error *err)
{
	struct mirror *m = o->mirror;
	struct error local = {0};

	atomic_fetch_add_explicit(&m->misses, 1, memory_order_relaxed);
	int r = gather_fetch(o, id, until, &local);
	if (r < 0 && (r == -EINTR || !have_old)) {
		if (err) {
			*err = local;
		}
		return r;
	}
	int found = record_load(o, id, ret, err);
	return found == -ENOENT ? no_such_record(o, id, err) : found;
}

/* Once more if the cache of the object was forgotten meanwhile: the row may have gone with it. */
static int record_fetch(struct object *o, const struct id *id, bool have_old,
	const struct until *until, struct mirror_record *ret, struct error *err)
{
	uint32_t generation = object_generation(o);
	struct error local = {0};
	int r = record_fetch_once(o, id, have_old, until, ret, &local);

	if (r == -ENOENT && generation != object_generation(o)) {
		return record_fetch_once(o, id, have_old, until, ret, err);
	}
	if (r < 0 && err) {
		*err = local;
	}
	return r;
}

int mirror_record_find(struct mirror *m, uint32_t object, const struct id *id,
	const struct until *until, struct mirror_record *ret, struct error *err)
{
	struct object *o = object_by_index(m, object);

	if (!o) {
		return -ENOENT;
	}
	store_object_used(m->store, object);
	int checked = object_check(o, until, err);
	if (checked < 0) {
		return checked;
	}
	int r = record_load(o, id, ret, err);
	if (r == 0 && (ret->fresh_ms > 0 || listing_state(o) != LISTING_NONE)) {
		return record_hit(m);
	}
	if (r != 0 && r != -ENOENT) {
		return r;
	}
	if (r == -ENOENT &&
		(listing_state(o) == LISTING_COMPLETE || missing_known(m, object, id))) {
		record_hit(m);
		return no_such_record(o, id, err);
	}
	return until ? record_fetch(o, id, r == 0, until, ret, err) : -EWOULDBLOCK;
}

/* The body was evicted: gets it once more. */
static int record_refetch(struct object *o, const struct store_record *rec,
	const struct until *until, struct error *err)
{
	struct id id;

	if (!until) {
		return -EWOULDBLOCK;
	}
	memcpy(id.text, rec->id, sizeof id.text);
	atomic_fetch_add_explicit(&o->mirror->misses, 1, memory_order_relaxed);
	return gather_fetch(o, &id, until, err);
}

static int record_read(struct object *o, uint64_t key, const struct until *until,
	struct store_record *rec, struct buf *body, struct error *err)
{
	struct mirror *m = o->mirror;
	int r;

	WITH_MENDING(m, r, err, store_record_by_key(m->store, key, rec, body, err));
	for (int tries = 0; r == -ENODATA && tries < REFETCHES; tries++) {
		r = record_refetch(o, rec, until, err);
		if (r == 0) {
			r = store_record_by_key(m->store, key, rec, body, err);
		}
	}
	if (r == -ENODATA) {
		return error_set(err, ENOSPC, "the cache has no room for it: raise cache_size");
	}
	if (r == -ENOENT) {
		return error_set(err, ESTALE, "the record is gone");
	}
	return r;
}

int record_known(struct mirror *m, uint64_t key, struct mirror_record *ret, struct error *err)
{
	struct object *o = object_by_index(m, store_key_object(key));
	struct store_record rec;
	int r = o ? record_read(o, key, NULL, &rec, NULL, err)
		  : error_set(err, ESTALE, "the object is gone");

	if (r == 0) {
		record_show(o, &rec, ret);
	}
	return r;
}

int mirror_record_get(struct mirror *m, uint64_t key, const struct until *until,
	struct mirror_record *ret, struct buf *body, struct error *err)
{
	struct object *o = object_by_index(m, store_key_object(key));
	struct store_record rec;

	if (!o) {
		return error_set(err, ESTALE, "the object is gone");
	}
	int r = record_read(o, key, until, &rec, body, err);
	if (r < 0) {
		return r;
	}
	record_show(o, &rec, ret);
	if (body || ret->fresh_ms > 0 || listing_state(o) != LISTING_NONE) {
		return record_hit(m);
	}
	struct id id;
	memcpy(id.text, rec.id, sizeof id.text);
	r = until ? record_fetch(o, &id, true, until, ret, err) : -EWOULDBLOCK;
	return r == -ENOENT ? -ESTALE : r;
}

/* ---- listing ---- */

/* What a reader of the list should know before it reads the store. */
struct list_view {
	bool complete;
	bool refill;
	uint32_t generation;
	uint64_t last_page_row;
};

static int list_view(struct object *o, struct list_view *ret, struct error *err)
{
	LOCK_SCOPE(&o->lock);
	if (o->state.verdict) {
		return error_set_code(err, o->state.verdict, 0, o->state.verdict_code,
			"%s cannot be listed, its records open by Id only: %s", o->name,
			o->state.verdict_text);
	}
	*ret = (struct list_view){
		.complete = o->state.listed_ms != 0,
		.refill = o->refill,
		.generation = o->state.generation,
		.last_page_row = o->page_first_row,
	};
	return 0;
}

static int list_read(
	struct object *o, uint64_t after, struct mirror_record *ret, int max, struct error *err)
{
	enum { BATCH = 256 };
	struct store_record rows[BATCH];
	struct mirror *m = o->mirror;
	int n;

	max = max < BATCH ? max : BATCH;
	WITH_MENDING(m, n, err, store_record_next(m->store, o->index, after, rows, max, err));
	for (int i = 0; i < n; i++) {
		record_show(o, &rows[i], &ret[i]);
	}
	return n;
}

int mirror_record_next(struct mirror *m, uint32_t object, uint64_t after, const struct until *until,
	struct mirror_record *ret, int max, struct error *err)
{
	struct object *o = object_by_index(m, object);
	struct list_view view = {0};

	if (!o) {
		return -ENOENT;
	}
	store_object_used(m->store, object);
	for (;;) {
		int r = list_view(o, &view, err);
		int n = r < 0 || view.refill ? 0 : list_read(o, after, ret, max, err);
		if (r < 0 || n < 0) {
			return r < 0 ? r : n;
		}
		if (n == 0 && view.generation != object_generation(o)) {
			continue; /* evicted while it was read: that was not the end */
		}
		if (n > 0 || (view.complete && !view.refill)) {
			/* past the first entries of the last page: bring the next one meanwhile */
			if (n > 0 && !view.complete && after >= view.last_page_row && after > 0) {
				flight_start(&o->page);
			}
			atomic_fetch_add_explicit(&m->hits, (uint64_t)n, memory_order_relaxed);
			return n;
		}
		if (!until) {
			return -EWOULDBLOCK;
		}
		atomic_fetch_add_explicit(&m->misses, 1, memory_order_relaxed);
		r = flight_join(view.refill ? &o->check : &o->page, until, err);
		if (r < 0) {
			return r;
		}
	}
}

int mirror_record_url(struct mirror *m, uint32_t object, const char *id, struct buf *out)
{
	struct object *o = object_by_index(m, object);
	struct id id18;

	if (!o || !id_parse(id, strlen(id), &id18)) {
		return -ENOENT;
	}
	return m->remote->record_url(m->remote->self, o->name, &id18, out);
}
