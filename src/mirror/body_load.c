/* SPDX-License-Identifier: MIT */
/*
 * Fetching a body, in a thread of the fetch pool; bodies.c has the whole. What goes wrong here is
 * told to who waits, and what readers were given of it before is taken back from the kernel.
 */
#include "mirror_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/clock.h"

#define LOAD_TRIES 2 /* if the record has changed meanwhile */

/* A thread of the remote's. */
static int body_take(void *payload, const void *data, size_t len)
{
	struct body *b = payload;
	struct bodies *all = &b->mirror->bodies;

	pthread_mutex_lock(&all->lock);
	uint64_t have = b->have;
	bool too_much = b->size >= 0 && have + len > (uint64_t)b->size;
	int fd = b->fd;
	pthread_mutex_unlock(&all->lock);
	if (too_much) {
		return -EOVERFLOW;
	}
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, (const char *)data + done, len - done, (off_t)(have + done));
		if (n <= 0) {
			return n < 0 ? -errno : -EIO;
		}
		done += (size_t)n;
	}
	LOCK_SCOPE(&all->lock);
	b->have = have + len;
	pthread_cond_broadcast(&b->cond);
	return 0;
}

/* A file to load into, empty. */
static int load_prepare(struct body *b, struct error *err)
{
	struct bodies *all = &b->mirror->bodies;
	int fd = -1;
	int r = blobs_new(all->blobs, &fd, err);

	if (r == 0) {
		LOCK_SCOPE(&all->lock);
		scope_close(&b->fd);
		b->fd = fd;
		b->have = 0;
	}
	return r;
}

static int load_ask(struct body *b, struct object *o, struct error *err)
{
	struct mirror *m = b->mirror;
	AUTO(schema) struct schema *schema = NULL;
	struct until patience = mirror_patience(m, &b->cancel);
	const struct remote_taker taker = {.take = body_take, .payload = b};
	int64_t size;

	int r = object_schema_peek(o, &schema);
	r = r < 0 ? object_schema(o, &patience, &schema, err) : r;
	r = r < 0 ? r : breaker_enter(m, err);
	if (r < 0) {
		return r;
	}
	pthread_mutex_lock(&m->bodies.lock);
	size = b->size;
	pthread_mutex_unlock(&m->bodies.lock);
	atomic_fetch_add(&m->downloads, 1);
	r = m->remote->body(m->remote->self, schema, &b->id, size, &taker, &patience, err);
	breaker_note(m, r == -EOVERFLOW ? 0 : r, err);
	if (r == -ENOSPC && !err->http_status) {
		return error_set(err, ENOSPC,
			"this machine's disk has no room for the file: make some, or set cache_dir "
			"to "
			"a folder on another disk");
	}
	if (r == -ENOENT) {
		err->errnum = ESTALE;
		return error_prefix(err, -ESTALE, "Salesforce has no such file any more");
	}
	return r;
}

/* What came is not what the record said. 1: it is what the record says now; 0: load once more, for
 * the record has changed; -EPROTO: neither. */
static int load_look_again(
	struct body *b, struct object *o, uint64_t had, bool more, struct error *err)
{
	struct mirror *m = b->mirror;
	struct until patience = mirror_patience(m, &b->cancel);
	struct store_record rec;
	struct body_facts facts;
	int64_t before_ms, size;

	int r = gather_fetch(o, &b->id, &patience, err);
	r = r < 0 ? r : store_record_by_key(m->store, b->key, &rec, NULL, err);
	if (r < 0) {
		return r == -ENOENT ? error_set(err, ESTALE, "the record is gone") : r;
	}
	body_tag_read(rec.tag, &facts);
	pthread_mutex_lock(&m->bodies.lock);
	before_ms = b->stamp_ms;
	size = b->size;
	b->stamp_ms = rec.stamp_ms;
	b->size = facts.size;
	pthread_mutex_unlock(&m->bodies.lock);
	if (!more && rec.stamp_ms != before_ms && facts.size >= 0 && (uint64_t)facts.size == had) {
		return 1;
	}
	if (rec.stamp_ms != before_ms) {
		return 0;
	}
	return error_set(err, EPROTO,
		"Salesforce sent %s of the file than the %lld bytes that the record says it has; "
		"try again, and if it stays so look at the file in a browser",
		more ? "more" : "less", (long long)size);
}

static bool load_is_complete(struct body *b)
{
	LOCK_SCOPE(&b->mirror->bodies.lock);
	return b->size < 0 || b->have == (uint64_t)b->size;
}

static void set_have(struct body *b, uint64_t have)
{
	LOCK_SCOPE(&b->mirror->bodies.lock);
	b->have = have;
}

/* Readers may have been given bytes of an answer that turned out to be none: they get no more of
 * it, and then the kernel is told not to keep what it has. How many bytes there were. */
static uint64_t load_disown(struct body *b)
{
	struct bodies *all = &b->mirror->bodies;

	pthread_mutex_lock(&all->lock);
	uint64_t had = b->have;
	b->have = 0;
	pthread_mutex_unlock(&all->lock);
	if (had > 0) {
		news_push(b->mirror, NEWS_CHANGED, store_key_object(b->key), b->key, b->id.text);
	}
	return had;
}

static int load(struct body *b, struct object *o, struct error *err)
{
	int r = 0;

	for (int tries = 0; tries < LOAD_TRIES && r == 0; tries++) {
		r = load_prepare(b, err);
		r = r < 0 ? r : load_ask(b, o, err);
		if (r == 0 && load_is_complete(b)) {
			return 0;
		}
		uint64_t had = load_disown(b);
		if (r == 0 || r == -EOVERFLOW) {
			r = load_look_again(b, o, had, r == -EOVERFLOW, err);
		}
		if (r == 1) {
			set_have(b, had);
			return 0;
		}
	}
	if (r == 0) {
		return error_set(err, ESTALE, "the file keeps changing; try again in a moment");
	}
	return r < 0 ? r : 0;
}

/* A body that is not to be kept stays readable all the same. */
static void load_keep(struct body *b)
{
	struct bodies *all = &b->mirror->bodies;

	pthread_mutex_lock(&all->lock);
	int64_t stamp_ms = b->stamp_ms;
	bool listed = b->listed;
	pthread_mutex_unlock(&all->lock);
	bool named = listed && blobs_keep(all->blobs, b->id.text, stamp_ms, b->fd, NULL) == 1;
	LOCK_SCOPE(&all->lock);
	b->named = named;
}

/* Under the lock. */
static void loads_remove(struct bodies *all, struct body *b)
{
	struct body **at = &all->loads;

	while (*at != b) {
		at = &(*at)->next_load;
	}
	*at = b->next_load;
}

static void load_run(struct pool_job *job)
{
	struct body *b = (struct body *)((char *)job - offsetof(struct body, job));
	struct bodies *all = &b->mirror->bodies;
	struct object *o = object_by_index(b->mirror, store_key_object(b->key));
	struct error err = {0};
	int r = o ? load(b, o, &err) : error_set(&err, ESTALE, "the object is gone");

	if (r == 0) {
		load_keep(b);
	}
	pthread_mutex_lock(&all->lock);
	loads_remove(all, b);
	b->loading = false;
	b->whole = r == 0;
	b->result = r;
	b->err = err;
	b->failed_ms = clock_mono_ms();
	if (r == 0) {
		b->size = (int64_t)b->have;
	}
	pthread_cond_broadcast(&b->cond);
	pthread_mutex_unlock(&all->lock);
	body_put(b);
}

/* Under the lock. */
void body_load_start(struct body *b)
{
	struct bodies *all = &b->mirror->bodies;

	b->loading = true;
	b->have = 0;
	b->result = 0;
	b->refs++;
	b->next_load = all->loads;
	all->loads = b;
	b->job.run = load_run;
	if (all->stopping || pool_add(all->pool, &b->job) < 0) {
		loads_remove(all, b);
		b->refs--;
		b->loading = false;
		b->failed_ms = clock_mono_ms();
		b->result = error_set(&b->err, EAGAIN,
			"too many files are being fetched already; try again in a moment");
	}
}
