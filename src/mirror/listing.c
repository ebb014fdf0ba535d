/* SPDX-License-Identifier: MIT */
/*
 * Listings: page by page, each page a flight, as far as readers have got and one page more.
 *
 *   never listed   fill_ms = 0
 *   running        fill_ms = the org's clock when the first page was asked for, listed_ms = 0,
 *                  next = where the next page is; rows may be shown as they come
 *   complete       listed_ms = fill_ms, next = NULL
 *   again          complete (its rows go on being shown), relist set, next = the new listing's
 *                  next page; for objects whose changes cannot be asked for
 *
 * Every listing has a generation; rows that the org still has carry it at the end and all others
 * are swept out. A row keeps its number over listings, so directory offsets and inode numbers stay.
 */
#include "mirror_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/clock.h"

#define SWEEP_ROWS   1000
#define RESTARTS_MAX 3 /* each costs the pages anew */

/* What one page is fetched with; copied under the lock. */
struct page_job {
	uint32_t generation;
	char *next;
	bool first;
};

static void page_job_release(struct page_job *j)
{
	free(take_ptr(&j->next));
}
DEFINE_CLEANER(page_job, struct page_job, page_job_release)

/* 1 if there is a page to fetch, 0 if the listing is complete. Under o->lock. */
static int page_job_take(struct object *o, struct page_job *ret, struct error *err)
{
	if (o->state.listed_ms && !o->relist) {
		return 0;
	}
	ret->first = o->state.next == NULL;
	if (ret->first) {
		o->fill_records = 0;
		o->fill_claimed = 0;
		o->state.generation++;
		o->fill_began_ms = clock_wall_ms();
	} else if (!(ret->next = strdup(o->state.next))) {
		return error_set(err, ENOMEM, "out of memory");
	}
	ret->generation = o->state.generation;
	return 1;
}

/* Rows that the complete listing no longer has. */
static int listing_sweep(struct object *o, uint32_t generation, struct error *err)
{
	struct mirror *m = o->mirror;
	AUTO_FREE struct store_gone *gone = calloc(SWEEP_ROWS, sizeof *gone);
	size_t count = SWEEP_ROWS;
	int r = gone ? 0 : error_set(err, ENOMEM, "out of memory");

	while (r == 0 && count == SWEEP_ROWS) {
		WITH_ROOM(m, r,
			store_record_sweep(
				m->store, o->index, generation, gone, SWEEP_ROWS, &count, err));
		for (size_t i = 0; r == 0 && i < count; i++) {
			news_push(m, NEWS_DELETED, o->index, gone[i].key, gone[i].id);
		}
	}
	return r;
}

/* The page is in the store: moves the listing on. True if that was the last one. */
static bool listing_advance(
	struct object *o, const struct page_job *job, struct remote_page *page, uint64_t first_row)
{
	int64_t now_ms = clock_wall_ms();
	LOCK_SCOPE(&o->lock);

	if (job->generation != o->state.generation) { /* begun anew meanwhile */
		return false;
	}
	int64_t began_ms = page->server_ms ? page->server_ms : o->fill_began_ms;
	if (job->first && !o->state.listed_ms) {
		o->state.fill_ms = began_ms;
		o->state.checked_ms = o->fill_began_ms;
	} else if (job->first) { /* again: the old listing holds until the new one is complete */
		o->relist = true;
		o->relist_began_ms = began_ms;
	}
	free(o->state.next);
	o->state.next = take_ptr(&page->next);
	o->page_first_row = first_row;
	o->fill_active_ms = now_ms;
	o->fill_records += page->records;
	o->fill_claimed = page->total;
	return o->state.next == NULL;
}

static int listing_complete(struct object *o, uint32_t generation, struct error *err)
{
	int r = listing_sweep(o, generation, err);

	if (r < 0) {
		return r;
	}
	LOCK_SCOPE(&o->lock);
	if (generation == o->state.generation) {
		if (o->relist) {
			o->state.fill_ms = o->relist_began_ms;
		}
		o->state.listed_ms = o->state.fill_ms;
		o->state.checked_ms = o->fill_began_ms;
		o->relist = o->refill = false;
		o->restarts = 0;
		o->mtime_ms = clock_wall_ms();
	}
	return 0;
}

/* The object cannot be listed, says the org: remembered, so that it costs one call only. */
static int listing_refused(struct object *o, int r, const struct error *err)
{
	if (r == -EPERM) {
		pthread_mutex_lock(&o->lock);
		o->state.verdict = EPERM;
		snprintf(o->state.verdict_code, sizeof o->state.verdict_code, "%s", err->code);
		snprintf(o->state.verdict_text, sizeof o->state.verdict_text, "%.399s", err->text);
		pthread_mutex_unlock(&o->lock);
		object_save(o, NULL);
		news_push(o->mirror, NEWS_CATALOG, 0, 0, NULL);
	}
	return r;
}

static int page_ask(struct object *o, const struct page_job *job, const struct schema *schema,
	const struct until *until, struct remote_page *ret, uint64_t *ret_first_row,
	struct error *err)
{
	struct mirror *m = o->mirror;
	AUTO(intake) struct intake in = {0};
	struct remote_sink sink = {.record = intake_record, .payload = &in};

	int r = intake_init(&in, o, schema, job->generation, err);
	if (r < 0) {
		return r;
	}
	in.asked_ms = clock_wall_ms();
	in.tell = true;
	r = breaker_enter(m, err);
	if (r == 0) {
		r = m->remote->list(m->remote->self, schema, job->next, &sink, until, ret, err);
		breaker_note(m, r, err);
	}
	r = r < 0 ? r : intake_flush(&in, err);
	*ret_first_row = in.first_row;
	return r;
}

/* The next page, once. -ESTALE: the place is no longer known, begin anew. */
static int page_fetch(struct object *o, const struct until *until, struct error *err)
{
	AUTO(page_job) struct page_job job = {0};
	AUTO(schema) struct schema *schema = NULL;
	AUTO(remote_page) struct remote_page page = {0};
	uint64_t first_row = 0;

	int r = object_schema(o, until, &schema, err);
	if (r < 0) {
		return r;
	}
	object_await_eviction(o);
	pthread_mutex_lock(&o->lock);
	r = page_job_take(o, &job, err);
	pthread_mutex_unlock(&o->lock);
	if (r > 0 && job.first) { /* rows on disk never have a generation that is given again */
		int saved = object_save(o, err);
		r = saved < 0 ? saved : r;
	}
	if (r <= 0) {
		return r;
	}
	r = page_ask(o, &job, schema, until, &page, &first_row, err);
	if (r < 0) {
		return listing_refused(o, r, err);
	}
	if (listing_advance(o, &job, &page, first_row)) {
		r = listing_complete(o, job.generation, err);
	}
	return r < 0 ? r : object_save(o, err);
}

static void listing_restart(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	free(take_ptr(&o->state.next));
}

/* Whether the org may lose the place once more. If not, the next reader begins anew. */
static bool listing_has_patience(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	if (o->restarts < RESTARTS_MAX) {
		o->restarts++;
		return true;
	}
	o->restarts = 0;
	return false;
}

int page_run(struct flight *f, const struct until *until, struct error *err)
{
	struct object *o = f->subject;
	struct error local = {0};
	int r = page_fetch(o, until, &local);

	if (r == -ESTALE) {
		listing_restart(o);
		r = listing_has_patience(o) ? page_fetch(o, until, &local) : r;
	} else if (r == -EINVAL && strcmp(local.code, "INVALID_FIELD") == 0) {
		object_doubt_schema(o);
		listing_restart(o);
		r = page_fetch(o, until, &local);
	}
	if (r < 0 && err) {
		*err = local;
		error_prefix(err, r, "listing %s", o->name);
	}
	return r;
}

static bool listing_is_complete(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	return o->state.listed_ms && !o->relist;
}

int listing_again(
	struct object *o, struct flight *own, const struct until *until, struct error *err)
{
	int r = 0;

	pthread_mutex_lock(&o->lock);
	if (!o->relist) {
		o->relist = o->state.listed_ms != 0;
		free(take_ptr(&o->state.next));
	}
	pthread_mutex_unlock(&o->lock);
	while (r == 0 && !listing_is_complete(o)) {
		struct until patience = mirror_patience(o->mirror, until->cancel);
		r = flight_fly(&o->page, &patience, err);
		flight_progress(own);
	}
	if (r == 0) {
		news_push(o->mirror, NEWS_LISTING, o->index, 0, NULL);
	}
	return r;
}
