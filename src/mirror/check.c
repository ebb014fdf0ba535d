/* SPDX-License-Identifier: MIT */
/*
 * After ttl: what changed in an object since it was last known to be true. One API call for any
 * number of records, as long as the changes fit a page. Objects whose changes cannot be asked for
 * are listed again.
 */
#include "mirror_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/clock.h"

/* True if the org can tell what changed in such an object, and what was deleted. What this user may
 * not update or delete changes all the same: a job's status, a history that is cleared away. */
static bool changes_can_be_told(const struct schema *s)
{
	return s->stamp_field && s->stamp_filterable && s->stamp_moves &&
	       (s->has_is_deleted || s->replicateable);
}

/* The changes are in the store; until this moment of the org's clock the object is known. */
static int check_done(
	struct object *o, const struct intake *in, int64_t server_ms, struct error *err)
{
	pthread_mutex_lock(&o->lock);
	if (server_ms > o->state.fill_ms) {
		o->state.fill_ms = server_ms;
		o->state.listed_ms = o->state.listed_ms ? server_ms : 0;
	}
	o->state.checked_ms = in->asked_ms;
	if (o->describe_modified[0]) { /* the describe was part of the question */
		o->describe_checked_ms = in->asked_ms;
	}
	pthread_mutex_unlock(&o->lock);
	return object_save(o, err);
}

/* Also when the answer broke off: what came of it is in the store, and is no news next time. */
static void check_tell(struct object *o, const struct intake *in)
{
	if (!in->added && !in->deleted && !in->renamed) {
		return;
	}
	pthread_mutex_lock(&o->lock);
	o->mtime_ms = clock_wall_ms();
	pthread_mutex_unlock(&o->lock);
	news_push(o->mirror, NEWS_LISTING, o->index, 0, NULL);
}

struct check_job {
	uint32_t generation;
	int64_t since_ms;
	char describe_modified[64];
};

static void check_job_take(struct object *o, struct check_job *ret)
{
	LOCK_SCOPE(&o->lock);
	ret->generation = o->state.generation;
	ret->since_ms = o->state.fill_ms;
	snprintf(ret->describe_modified, sizeof ret->describe_modified, "%s", o->describe_modified);
}

static int check_ask(struct object *o, const struct schema *schema, const struct check_job *job,
	const struct until *until, struct remote_changes *ret, struct error *err)
{
	struct mirror *m = o->mirror;
	AUTO(intake) struct intake in = {0};
	struct remote_sink sink = {
		.record = intake_record, .deleted = intake_deleted, .payload = &in};

	int r = intake_init(&in, o, schema, job->generation, err);
	if (r < 0) {
		return r;
	}
	in.asked_ms = clock_wall_ms();
	in.tell = true;
	r = breaker_enter(m, err);
	if (r == 0) {
		atomic_fetch_add(&m->checks, 1);
		r = m->remote->changes(m->remote->self, schema, job->describe_modified,
			job->since_ms - OVERLAP_MS, &sink, until, ret, err);
		breaker_note(m, r, err);
	}
	r = r < 0 ? r : intake_flush(&in, err);
	check_tell(o, &in);
	if (r < 0 || ret->describe_changed || ret->gap) {
		return r;
	}
	return check_done(o, &in, ret->server_ms, err);
}

static bool object_needs_refill(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	return o->refill;
}

/* One attempt. 1: the describe had changed, once more. renewed: it was asked for just now, and is
 * not asked about again (the org may well give it another date each time). */
static int check_once(struct object *o, struct flight *own, const struct until *until, bool renewed,
	struct error *err)
{
	AUTO(schema) struct schema *schema = NULL;
	struct check_job job;
	struct remote_changes changes = {0};

	int r = object_schema_known(o, until, &schema, err);
	if (r < 0) {
		return r;
	}
	check_job_take(o, &job);
	if (renewed) {
		job.describe_modified[0] = '\0';
	}
	if (object_needs_refill(o) || !changes_can_be_told(schema) ||
		clock_wall_ms() - job.since_ms > LONGEST_SPAN_MS) {
		return listing_again(o, own, until, err);
	}
	r = check_ask(o, schema, &job, until, &changes, err);
	if (r == 0 && changes.gap) {
		return listing_again(o, own, until, err);
	}
	if (r == 0 && changes.describe_changed) {
		object_doubt_schema(o);
		return 1;
	}
	return r;
}

int check_run(struct flight *f, const struct until *until, struct error *err)
{
	struct object *o = f->subject;
	struct error local = {0};
	int r = check_once(o, f, until, false, &local);

	if (r == -EINVAL && strcmp(local.code, "INVALID_FIELD") == 0) {
		object_doubt_schema(o);
		r = 1;
	}
	if (r == 1) {
		r = check_once(o, f, until, true, &local);
	}
	if (r < 0) {
		pthread_mutex_lock(&o->lock);
		o->next_check_ms = clock_mono_ms() + CHECK_BACKOFF_MS;
		pthread_mutex_unlock(&o->lock);
		if (err) {
			*err = local;
			error_prefix(err, r, "checking %s for changes", o->name);
		}
	}
	return r;
}

/* True if the object was listed, ttl has passed (or all is to be listed again), and waiting for a
 * check makes sense. */
static bool check_is_due(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	if (!o->refill && (o->state.fill_ms == 0 || object_whole_fresh_ms(o) > 0)) {
		return false;
	}
	int64_t now_ms = clock_mono_ms();
	bool late = o->check.flying && now_ms - o->check.began_ms > CHECK_PATIENCE_MS;
	return !late && now_ms >= o->next_check_ms;
}

int object_check(struct object *o, const struct until *until, struct error *err)
{
	if (!check_is_due(o)) {
		return 0;
	}
	if (!until) {
		return -EWOULDBLOCK;
	}
	/* what is cached will do; the status says that it is old */
	return flight_join_briefly(&o->check, until, err);
}

int mirror_object_check(
	struct mirror *m, uint32_t index, const struct until *until, struct error *err)
{
	struct object *o = object_by_index(m, index);

	return o ? object_check(o, until, err) : 0;
}
