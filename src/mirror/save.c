/* SPDX-License-Identifier: MIT */
/*
 * Changes on their way to the org. Saves of one object that come while another is under way go
 * together in the next question, each with its own result; creates and deletes go one by one, in
 * the order they came.
 *
 *      waiting --taken--> sent --answered--> done
 *         |                  |
 *      withdrawn          left behind: who waited goes, the answer still enters the store
 *
 * A change that was not sent yet can be withdrawn without a trace. One that was sent cannot: who
 * leaves then is told that it may have happened.
 */
#include "mirror_priv.h"

#include <errno.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/model/patch.h"

/* How long one who is interrupted still waits for the answer to what was sent already. */
#define SENT_PATIENCE_MS 2000
/* Row locks: tries and the pause before the next, doubling. */
#define LOCKED_TRIES    5
#define LOCKED_PAUSE_MS 200

/* ---- one change ---- */

struct save *save_new(enum save_kind kind, struct schema *schema, struct error *err)
{
	struct save *s = calloc(1, sizeof *s);

	if (!s) {
		error_set(err, ENOMEM, "out of memory");
		return NULL;
	}
	s->kind = kind;
	s->schema = schema_ref(schema);
	buf_init(&s->json, 64 * 1024 * 1024);
	s->refs = 1;
	return s;
}

/* Under o->lock. */
static void save_unref(struct save *s)
{
	if (--s->refs == 0) {
		schema_unref(s->schema);
		buf_release(&s->json);
		free(s);
	}
}

/* ---- the queue, under o->lock ---- */

static void queue_put(struct object *o, struct save *s)
{
	s->next = NULL;
	s->refs++;
	if (o->saves_last) {
		o->saves_last->next = s;
	} else {
		o->saves_first = s;
	}
	o->saves_last = s;
	o->saves_waiting++;
}

/* Takes s, which stands behind `before` (NULL: first), out of the queue. */
static void queue_take(struct object *o, struct save *before, struct save *s)
{
	if (before) {
		before->next = s->next;
	} else {
		o->saves_first = s->next;
	}
	if (o->saves_last == s) {
		o->saves_last = before;
	}
	o->saves_waiting--;
}

static void queue_withdraw(struct object *o, struct save *s)
{
	struct save *before = NULL;

	for (struct save *x = o->saves_first; x && x != s; x = x->next) {
		before = x;
	}
	queue_take(o, before, s);
	save_unref(s);
}

static bool batch_has(struct save **batch, size_t count, const struct save *s)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(batch[i]->id.text, s->id.text) == 0) {
			return true;
		}
	}
	return false;
}

/* The next changes to send together: one create or delete, or updates of different records that
 * were made by the same schema. */
static size_t queue_take_batch(struct object *o, struct save **batch)
{
	struct save *before = NULL, *next;
	size_t count = 0;

	for (struct save *s = o->saves_first; s && count < REMOTE_SAVES_MAX; s = next) {
		next = s->next;
		if (count > 0 && (s->kind != SAVE_UPDATE || batch[0]->kind != SAVE_UPDATE)) {
			break;
		}
		if (batch_has(batch, count, s) || (count && s->schema != batch[0]->schema)) {
			before = s;
			continue;
		}
		queue_take(o, before, s);
		s->sent = true;
		batch[count++] = s;
	}
	return count;
}

/* Waits out the window in which more may come, if several wait already. */
static size_t queue_next(struct object *o, struct save **batch)
{
	LOCK_SCOPE(&o->lock);
	int64_t until_ms = o->saves_began_ms + GATHER_WINDOW_MS;

	while (o->saves_waiting > 1 && o->saves_waiting < REMOTE_SAVES_MAX &&
		clock_mono_ms() < until_ms) {
		clock_cond_wait(&o->cond, &o->lock, until_ms);
	}
	o->saves_began_ms = clock_mono_ms();
	return queue_take_batch(o, batch);
}

/* ---- sending ---- */

static int send_updates(struct object *o, struct save **batch, size_t count,
	const struct remote_sink *sink, const struct until *until, struct error *err)
{
	struct mirror *m = o->mirror;
	struct remote_save saves[REMOTE_SAVES_MAX];

	for (size_t i = 0; i < count; i++) {
		saves[i] = (struct remote_save){.id = batch[i]->id,
			.json = buf_str(&batch[i]->json),
			.len = batch[i]->json.len,
			.unmodified_since_ms = batch[i]->unmodified_since_ms};
	}
	int r = m->remote->update(
		m->remote->self, batch[0]->schema, saves, count, sink, until, err);
	for (size_t i = 0; i < count; i++) {
		batch[i]->result = r < 0 ? r : saves[i].result;
		batch[i]->err = r < 0 ? *err : saves[i].err;
		batch[i]->read_back = r == 0 && saves[i].read_back;
	}
	return r;
}

static int send_one(struct object *o, struct save *s, struct intake *in,
	const struct remote_sink *sink, const struct until *until, struct error *err)
{
	const struct remote *remote = o->mirror->remote;
	int r;

	if (s->kind == SAVE_CREATE) {
		r = remote->create(remote->self, s->schema, buf_str(&s->json), s->json.len, sink,
			until, &s->id, err);
	} else {
		r = remote->remove(remote->self, s->schema, &s->id, until, err);
		if (r == 0) {
			removed_add(o->mirror, o->index, &s->id);
			r = intake_deleted(in, &s->id, err);
		}
	}
	s->result = r;
	if (r < 0) {
		s->err = *err;
	}
	return r;
}

/* Nobody knows what the org has now: the next access asks. */
void object_doubt_records(struct object *o)
{
	pthread_mutex_lock(&o->lock);
	o->doubted_ms = clock_wall_ms() + 2; /* an answer that is under way does not end it */
	pthread_mutex_unlock(&o->lock);
	atomic_store(&o->mirror->unsure, true); /* the next mount asks as well */
}

/* Sends the batch and writes what the org made of it into the store. The rows count as answered
 * now, not when the question was put: an answer to a question put before is older than they are. */
static void send_batch(struct object *o, struct save **batch, size_t count)
{
	struct mirror *m = o->mirror;
	struct until patience = mirror_patience(m, &o->save_cancel);
	struct error err = {0};
	AUTO(intake) struct intake in = {0};
	struct remote_sink sink = {.record = intake_record, .payload = &in};

	int r = intake_init(&in, o, batch[0]->schema, 0, &err);
	in.answered_now = true;
	in.tell = true;
	if (r == 0) {
		r = breaker_enter(m, &err);
	}
	if (r < 0) {
		for (size_t i = 0; i < count; i++) {
			batch[i]->result = r;
			batch[i]->err = err;
		}
		return;
	}
	crash_mark(m);
	r = batch[0]->kind == SAVE_UPDATE ? send_updates(o, batch, count, &sink, &patience, &err)
					  : send_one(o, batch[0], &in, &sink, &patience, &err);
	breaker_note(m, r, &err);
	for (size_t i = 0; i < count; i++) {
		if (batch[i]->result < 0 && strcmp(batch[i]->err.code, "MAYBE_SENT") == 0) {
			object_doubt_records(o);
		}
	}
	if (intake_flush(&in, NULL) < 0) { /* the org still has it */
		object_doubt_records(o);
	}
	if (in.added || in.deleted) {
		news_push(m, NEWS_LISTING, o->index, 0, NULL);
	}
}

static bool batch_done(struct object *o, struct save **batch, size_t count)
{
	LOCK_SCOPE(&o->lock);
	for (size_t i = 0; i < count; i++) {
		batch[i]->done = true;
		save_unref(batch[i]);
	}
	pthread_cond_broadcast(&o->cond);
	o->saving = o->saves_first != NULL;
	return !o->saving;
}

void save_run(struct pool_job *job)
{
	struct object *o = (struct object *)((char *)job - offsetof(struct object, save_job));
	struct save *batch[REMOTE_SAVES_MAX];
	bool idle = false;

	while (!idle) {
		size_t count = queue_next(o, batch);
		if (count) {
			send_batch(o, batch, count);
		}
		idle = batch_done(o, batch, count);
	}
}

/* ---- waiting ---- */

/* Under o->lock. */
static int queue_start(struct object *o, struct save *s, struct error *err)
{
	queue_put(o, s);
	if (!o->saving) {
		o->saving = true;
		if (pool_add(o->mirror->pool, &o->save_job) < 0) {
			o->saving = false;
			queue_withdraw(o, s);
			return error_set(err, EAGAIN,
				"too many questions to the org are waiting already; save again");
		}
	}
	return 0;
}

static int await_sent(struct object *o, struct save *s, const struct until *until)
{
	struct until rest = {.deadline_ms = clock_mono_ms() + SENT_PATIENCE_MS};

	rest.deadline_ms =
		rest.deadline_ms < until->deadline_ms ? rest.deadline_ms : until->deadline_ms;
	int r = 0;
	while (!s->done && r == 0) {
		r = until_wait(&rest, &o->cond, &o->lock, NULL);
	}
	return r;
}

/* Under o->lock, when the wait ended with r before the answer came. */
static int save_left(
	struct object *o, struct save *s, int r, const struct until *until, struct error *err)
{
	if (!s->sent) {
		queue_withdraw(o, s);
		return error_prefix(err, r, "nothing was sent");
	}
	if (r == -EINTR && await_sent(o, s, until) == 0) {
		return 0;
	}
	return error_set_code(err, -r, 0, "MAYBE_SENT",
		"the change was sent, but the wait ended before Salesforce answered: it may have "
		"happened; read the record to find out");
}

/* Sends s and waits for its own result. */
int save_send(struct object *o, struct save *s, const struct until *until, struct error *err)
{
	until_watch(until, &o->lock, &o->cond);
	pthread_mutex_lock(&o->lock);
	s->sent = s->done = false;
	int r = queue_start(o, s, err);
	bool queued = r == 0;
	while (r == 0 && !s->done) {
		r = until_wait(until, &o->cond, &o->lock, err);
	}
	if (queued && !s->done) {
		r = save_left(o, s, r, until, err);
	}
	if (s->done) {
		r = s->result;
		if (r < 0 && err) {
			*err = s->err;
		}
	}
	pthread_mutex_unlock(&o->lock);
	until_unwatch(until);
	return r;
}

/* The org did not send the record along: reads it, so that the store has what is true. */
int save_read_back(struct object *o, struct save *s, const struct until *until, struct error *err)
{
	pthread_mutex_lock(&o->lock);
	bool known = s->read_back;
	pthread_mutex_unlock(&o->lock);
	return known ? 0 : gather_fetch(o, &s->id, until, err);
}

void save_drop(struct object *o, struct save *s)
{
	LOCK_SCOPE(&o->lock);
	save_unref(s);
}

/* The same, again when the record's row is locked by another transaction. */
int save_send_patiently(
	struct object *o, struct save *s, const struct until *until, struct error *err)
{
	struct error local = {0};
	int r = save_send(o, s, until, &local);

	for (int i = 1; i < LOCKED_TRIES && r < 0; i++) {
		if (strcmp(local.code, "UNABLE_TO_LOCK_ROW") != 0) {
			break;
		}
		struct until pause = until_within(until, (int64_t)LOCKED_PAUSE_MS << (i - 1));
		until_watch(&pause, &o->lock, &o->cond);
		pthread_mutex_lock(&o->lock);
		int waited = 0;
		while (waited == 0) {
			waited = until_wait(&pause, &o->cond, &o->lock, NULL);
		}
		pthread_mutex_unlock(&o->lock);
		until_unwatch(&pause);
		if (waited == -EINTR || clock_mono_ms() >= until->deadline_ms) {
			break;
		}
		r = save_send(o, s, until, &local);
	}
	if (r < 0 && err) {
		*err = local;
	}
	return r;
}

/* ---- the doors ---- */

int save_show(struct object *o, const struct id *id, struct mirror_record *ret, struct error *err)
{
	struct store_record rec;
	int r = store_record_by_id(o->mirror->store, o->index, id->text, &rec, NULL, err);

	if (r == 0) {
		record_show(o, &rec, ret);
	}
	return r == -ENOENT ? error_set(err, ESTALE, "the record is gone") : r;
}

int mirror_record_create(struct mirror *m, uint32_t object, const char *text, size_t len,
	const struct until *until, struct mirror_record *ret, struct error *err)
{
	struct object *o = object_by_index(m, object);
	AUTO(schema) struct schema *schema = NULL;

	if (!o) {
		return -ENOENT;
	}
	if (!m->may_create) {
		return error_set(
			err, EPERM, "this mount may not make records: add create to `allow`");
	}
	int r = object_schema(o, until, &schema, err);
	if (r < 0) {
		return r;
	}
	struct save *s = save_new(SAVE_CREATE, schema, err);
	if (!s) {
		return -ENOMEM;
	}
	r = patch_create(schema, text, len, &s->json, err);
	r = r < 0 ? r : save_send(o, s, until, err);
	struct id id = s->id;
	save_drop(o, s);
	if (r == 0 && save_show(o, &id, ret, NULL) < 0) {
		r = gather_fetch(
			o, &id, until, err); /* made it is, but it could not be read along */
		r = r < 0 ? r : save_show(o, &id, ret, err);
		if (r < 0) {
			error_prefix(err, r,
				"the record was made, as %s, but it could not be read (do not save "
				"it again)",
				id.text);
		}
	}
	return r;
}

int mirror_record_delete(
	struct mirror *m, uint64_t key, const struct until *until, struct error *err)
{
	struct object *o = object_by_index(m, store_key_object(key));
	struct store_record rec;
	AUTO(schema) struct schema *schema = NULL;

	if (!m->may_delete) {
		return error_set(
			err, EPERM, "this mount may not delete records: add delete to `allow`");
	}
	int r = o ? store_record_by_key(m->store, key, &rec, NULL, err) : -ENOENT;
	if (r == -ENOENT) {
		return 0; /* gone already */
	}
	r = r == -ENODATA ? 0 : r;
	r = r < 0 ? r : object_schema(o, until, &schema, err);
	if (r < 0) {
		return r;
	}
	struct save *s = save_new(SAVE_REMOVE, schema, err);
	if (!s) {
		return -ENOMEM;
	}
	memcpy(s->id.text, rec.id, sizeof s->id.text);
	r = save_send_patiently(o, s, until, err);
	save_drop(o, s);
	return r;
}
