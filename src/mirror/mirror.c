/* SPDX-License-Identifier: MIT */
/* The mirror as a whole: opening and closing, the damaged store, limits, status. */
#include "mirror_priv.h"

#include <errno.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/log.h"

#define FLIGHT_THREADS 24
#define FLIGHT_QUEUE   4096
#define LIMITS_KEEP_MS (5 * 60 * 1000) /* Salesforce's own figures lag by as much */
/* For the size of the disk alone: find and grep -r ask for it at every start. */
#define STORAGE_KEEP_MS (60 * 60 * 1000)
#define LIMITS_DOC      "limits"
#define LIMITS_BYTES    (4 * 1024 * 1024)
/* A listing whose last page is not older than this is on its way. */
#define MOVING_MS 2000

/* While the rows go, what is not there may be there all the same: it is asked for. */
static void mirror_evicted(void *payload, uint32_t index, bool gone)
{
	struct mirror *m = payload;
	struct object *o = object_by_index(m, index);

	if (!o) {
		return;
	}
	pthread_mutex_lock(&o->lock);
	object_forget_listing(o);
	o->going = !gone;
	pthread_cond_broadcast(&o->cond);
	pthread_mutex_unlock(&o->lock);
	if (gone) {
		news_push(m, NEWS_OBJECT_CHANGED, index, 0, NULL);
	}
}

static void limits_load(struct mirror *m);

static int mirror_new(const struct mirror_config *config, const struct remote *remote,
	struct store *store, struct mirror **ret, struct error *err)
{
	struct mirror *m = calloc(1, sizeof *m);

	if (!m) {
		return error_set(err, ENOMEM, "out of memory");
	}
	m->ttl_ms = (int64_t)config->ttl_s * 1000;
	m->timeout_ms = config->timeout_ms;
	m->may_update = config->may_update;
	m->may_create = config->may_create;
	m->may_delete = config->may_delete;
	m->remote = remote;
	m->store = store;
	pthread_mutex_init(&m->lock, NULL);
	pthread_mutex_init(&m->save_lock, NULL);
	pthread_mutex_init(&m->mend_lock, NULL);
	pthread_mutex_init(&m->breaker.lock, NULL);
	authors_init(&m->authors);
	pthread_mutex_init(&m->bodies.lock, NULL);
	clock_cond_init(&m->cond);
	buf_init(&m->limits_raw, LIMITS_BYTES);
	flight_init(&m->catalog_flight, m, &m->lock, &m->cond, catalog_run, m);
	flight_init(&m->limits_flight, m, &m->lock, &m->cond, limits_run, m);
	m->objects_pattern = strdup(config->objects ? config->objects : "");
	m->hide_pattern = strdup(config->hide ? config->hide : "");
	m->table = calloc(STORE_OBJECT_MAX + 1, sizeof *m->table);
	*ret = m;
	if (!m->objects_pattern || !m->hide_pattern || !m->table) {
		return error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

int mirror_open(const struct mirror_config *config, const struct remote *remote,
	struct store *store, struct mirror **ret, struct error *err)
{
	struct mirror *m = NULL;
	int r = mirror_new(config, remote, store, &m, err);

	if (r == 0) {
		r = news_init(&m->news, err);
	}
	if (r == 0) {
		r = body_table_init(m, config->blobs, err);
	}
	if (r == 0) {
		r = pool_new("ask", FLIGHT_THREADS, FLIGHT_QUEUE, &m->pool, err);
	}
	if (r < 0) {
		mirror_close(m);
		return r;
	}
	store_on_evicted(store, mirror_evicted, m);
	crash_look(m);
	catalog_load(m, NULL); /* whatever is wrong with it, the org has another */
	limits_load(m);
	*ret = m;
	return 0;
}

void mirror_set_ttl(struct mirror *m, int ttl_s)
{
	atomic_store(&m->ttl_ms, (int64_t)ttl_s * 1000);
}

/* Ends every wait of the mirror's own threads. */
static void mirror_cancel(struct mirror *m)
{
	atomic_store(&m->closing, true);
	body_table_stop(m);
	cancel_fire(&m->catalog_flight.cancel);
	cancel_fire(&m->limits_flight.cancel);
	for (uint32_t i = 1; m->table && i <= m->index_max; i++) {
		struct object *o = m->table[i];
		if (o) {
			cancel_fire(&o->describe.cancel);
			cancel_fire(&o->page.cancel);
			cancel_fire(&o->check.cancel);
			cancel_fire(&o->gather_cancel);
			cancel_fire(&o->save_cancel);
		}
	}
}

void mirror_close(struct mirror *m)
{
	if (!m) {
		return;
	}
	mirror_cancel(m);
	body_table_release(m);
	pool_free(m->pool);
	crash_clear(m);
	store_on_evicted(m->store, NULL, NULL);
	for (uint32_t i = 1; m->table && i <= m->index_max; i++) {
		object_free(m->table[i]);
	}
	free(m->table);
	catalog_free(m->catalog);
	flight_release(&m->catalog_flight);
	flight_release(&m->limits_flight);
	news_release(&m->news);
	buf_release(&m->limits_raw);
	free(m->objects_pattern);
	free(m->hide_pattern);
	pthread_cond_destroy(&m->cond);
	authors_release(&m->authors);
	pthread_mutex_destroy(&m->bodies.lock);
	pthread_mutex_destroy(&m->breaker.lock);
	pthread_mutex_destroy(&m->mend_lock);
	pthread_mutex_destroy(&m->save_lock);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static void mirror_evict_all(struct mirror *m)
{
	for (uint32_t i = 1; i <= m->index_max; i++) {
		if (object_by_index(m, i)) {
			mirror_evicted(m, i, true);
		}
	}
}

int mirror_mend(struct mirror *m, struct error *err)
{
	LOCK_SCOPE(&m->mend_lock);
	int r = store_rebuild(m->store, err);

	if (r == 0) {
		mirror_evict_all(m);
	}
	return r;
}

int mirror_leave_disk(struct mirror *m)
{
	LOCK_SCOPE(&m->mend_lock);
	if (!store_on_disk(m->store)) {
		return 0; /* another thread was first */
	}
	const char *path = store_path(m->store);
	int r = store_leave_disk(m->store, NULL);

	if (r == 0) {
		log_warn("mirror",
			"no space is left for the cache %s: this mount goes on in memory; free "
			"some space there and mount again",
			path);
		mirror_evict_all(m);
	}
	return r;
}

/* ---- limits ---- */

static int limits_adopt(
	struct mirror *m, const char *json, size_t len, int64_t asked_ms, struct error *err)
{
	struct limits limits;
	int r = limits_parse(json, len, &limits, err);

	if (r < 0) {
		return r;
	}
	LOCK_SCOPE(&m->lock);
	buf_clear(&m->limits_raw);
	m->limits = limits;
	m->limits_ms = asked_ms;
	return buf_add(&m->limits_raw, json, len);
}

static void limits_load(struct mirror *m)
{
	AUTO(store_doc) struct store_doc doc = {0};

	if (store_doc_get(m->store, LIMITS_DOC, &doc, NULL) == 0) {
		limits_adopt(m, doc.data, doc.len, doc.checked_ms, NULL);
	}
}

int limits_run(struct flight *f, const struct until *until, struct error *err)
{
	struct mirror *m = f->mirror;
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct store_doc kept = {.checked_ms = clock_wall_ms()};
	struct error local = {0};

	int r = breaker_enter(m, &local);
	if (r == 0) {
		r = m->remote->limits(m->remote->self, until, &doc, &local);
		breaker_note(m, r, &local);
	}
	if (r == 0) {
		r = limits_adopt(m, doc.json, doc.len, kept.checked_ms, &local);
	}
	if (r < 0) {
		if (err) {
			*err = local;
		}
		return r;
	}
	kept.data = doc.json;
	kept.len = doc.len;
	WITH_ROOM(m, r, store_doc_put(m->store, LIMITS_DOC, &kept, err));
	return r;
}

/* True if the figures are young enough (max_ms; -1: any); fills ret and raw. */
static bool limits_known(struct mirror *m, int64_t max_ms, struct limits *ret, struct buf *raw)
{
	LOCK_SCOPE(&m->lock);
	int64_t age_ms = clock_wall_ms() - m->limits_ms;
	if (!m->limits_ms || (max_ms >= 0 && (age_ms < 0 || age_ms > max_ms))) {
		return false;
	}
	*ret = m->limits;
	return !raw || buf_add(raw, buf_str(&m->limits_raw), m->limits_raw.len) == 0;
}

int mirror_limits(struct mirror *m, const struct until *until, struct limits *ret, struct buf *raw,
	struct error *err)
{
	if (limits_known(m, raw ? LIMITS_KEEP_MS : STORAGE_KEEP_MS, ret, raw)) {
		return 0;
	}
	if (!until) {
		return -EWOULDBLOCK;
	}
	int r = flight_join(&m->limits_flight, until, err);
	if (r == -EINTR || !limits_known(m, -1, ret, raw)) {
		return r < 0 ? r : error_set(err, EIO, "the org sent no limits");
	}
	return 0; /* older figures, if the org could not be asked */
}

/* ---- status ---- */

void mirror_get_status(struct mirror *m, struct mirror_status *ret)
{
	*ret = (struct mirror_status){
		.hits = atomic_load(&m->hits),
		.misses = atomic_load(&m->misses),
		.checks = atomic_load(&m->checks),
		.downloads = atomic_load(&m->downloads),
	};
	blobs_get_stats(m->bodies.blobs, &ret->bodies);
	m->remote->usage(m->remote->self, &ret->usage);
	store_get_stats(m->store, &ret->store);
	LOCK_SCOPE(&m->breaker.lock);
	ret->offline_since_ms = m->breaker.offline_since_ms;
	ret->offline = ret->offline_since_ms != 0;
	ret->last_failure = m->breaker.last;
	ret->last_failure_ms = m->breaker.last_ms;
}

/* Where the listing of the object is, if it is not at its end. Under o->lock. */
static void listing_status(
	const struct object *o, uint64_t records, struct mirror_object_status *ret)
{
	bool begun = o->state.fill_ms != 0 || o->page.flying;

	ret->listing = o->relist || (!o->state.listed_ms && begun);
	if (ret->listing) {
		ret->moving = o->page.flying || clock_wall_ms() - o->fill_active_ms < MOVING_MS;
		ret->listed = o->relist ? o->fill_records : records;
		ret->claimed = o->fill_claimed;
	}
}

static bool object_status(struct object *o, struct mirror_object_status *ret)
{
	struct store_count count;

	store_object_count(o->mirror->store, o->index, &count);
	LOCK_SCOPE(&o->lock);
	*ret = (struct mirror_object_status){
		.records = count.records,
		.bytes = count.bytes,
		.complete = o->state.listed_ms != 0,
		.checked_ms = o->state.checked_ms,
		.verdict = o->state.verdict,
	};
	memcpy(ret->name, o->name, sizeof ret->name);
	listing_status(o, count.records, ret);
	return count.records || ret->complete || ret->verdict || ret->listing;
}

int mirror_object_status(
	struct mirror *m, uint32_t after, uint32_t *ret_index, struct mirror_object_status *ret)
{
	for (uint32_t i = after + 1; i <= STORE_OBJECT_MAX; i++) {
		pthread_mutex_lock(&m->lock);
		bool past = i > m->index_max;
		struct object *o = m->table[i];
		pthread_mutex_unlock(&m->lock);
		if (past) {
			break;
		}
		if (o && object_status(o, ret)) {
			*ret_index = i;
			return 1;
		}
	}
	return 0;
}
