/* SPDX-License-Identifier: MIT */
/*
 * Keeping the limit. Over it, whole objects go, the one used longest ago first, until a tenth of
 * the limit is free again; never the one that is being filled. If that one alone is too large, the
 * replaced versions that are kept go, and then its bodies, from the lowest row on: names and sizes
 * stay, a body that is asked for again is fetched and put again.
 *
 * Everything goes in chunks with the locks released between them. While an object goes, what the
 * mirror saves of it is out of date; its listing state stays zero until the mirror has been told.
 * Freed pages stay in the file and are filled again.
 */
#include "store_priv.h"

#include <errno.h>

#define CHUNK_ROWS 2000

struct chunk {
	uint64_t first, last; /* keys */
	uint64_t rows;
	uint64_t bytes;
};

/* Narrows first and last to the first rows between them; sets rows and bytes. */
static int measure(struct conn *c, enum stmt which, struct chunk *k, struct error *err)
{
	AUTO(stmt) sqlite3_stmt *st = NULL;
	int r = sql_bind(c, which, &st, err, "iii", (int64_t)k->first, (int64_t)k->last,
		(int64_t)CHUNK_ROWS);
	if (r == 0) {
		r = sql_step(c, st, err);
	}
	if (r > 0) {
		k->rows = (uint64_t)sqlite3_column_int64(st, 2);
		k->bytes = (uint64_t)sqlite3_column_int64(st, 3);
		r = 0;
	}
	if (k->rows > 0) {
		k->first = (uint64_t)sqlite3_column_int64(st, 0);
		k->last = (uint64_t)sqlite3_column_int64(st, 1);
	}
	return r;
}

static void uncount(struct store_count *count, uint64_t records, uint64_t bytes)
{
	count->records -= records < count->records ? records : count->records;
	count->bytes -= bytes < count->bytes ? bytes : count->bytes;
}

static int run_on(struct conn *c, enum stmt which, const struct chunk *k, struct error *err)
{
	return sql_run(c, which, err, "ii", (int64_t)k->first, (int64_t)k->last);
}

static int drop_rows(struct change *ch, struct chunk *k, struct error *err)
{
	int r = measure(ch->c, STMT_EVICT_CHUNK, k, err);
	if (r == 0) {
		r = run_on(ch->c, STMT_EVICT_BODIES, k, err);
	}
	if (r == 0) {
		r = run_on(ch->c, STMT_EVICT_RECORDS, k, err);
	}
	if (r == 0) {
		r = sql_run(ch->c, STMT_OBJECT_RESET, err, "i", (int64_t)ch->object);
	}
	uncount(&ch->now.count, k->rows, k->bytes);
	return r;
}

static int drop_bodies(struct change *ch, struct chunk *k, struct error *err)
{
	int r = measure(ch->c, STMT_BODIES_CHUNK, k, err);
	if (r == 0) {
		r = run_on(ch->c, STMT_EVICT_BODIES, k, err);
	}
	if (r == 0) {
		r = run_on(ch->c, STMT_BODIES_UNHOLD, k, err);
	}
	uncount(&ch->now.count, 0, k->bytes);
	return r;
}

/* One chunk in one transaction. How many rows went, or a negative errno. */
static int run_chunk(struct store *s, uint32_t object, struct chunk *k,
	int (*drop)(struct change *ch, struct chunk *k, struct error *err))
{
	AUTO(conn) struct conn *c = NULL;
	struct change ch;
	int r = writer_take(s, &c, NULL);
	if (r == 0) {
		r = change_begin(c, object, &ch, NULL);
	}
	if (r == 0) {
		r = change_end(&ch, drop(&ch, k, NULL), NULL);
	}
	return r < 0 ? r : (int)k->rows;
}

static uint64_t in_use(struct store *s)
{
	LOCK_SCOPE(&s->table_lock);
	return s->in_use;
}

static void count_eviction(struct store *s)
{
	LOCK_SCOPE(&s->table_lock);
	s->evictions++;
}

/* The rows there are now; those put meanwhile belong to a listing that begins anew. */
static int evict_rows(struct store *s, uint32_t object)
{
	struct slot slot;
	int r = CHUNK_ROWS;
	if (!table_get(s, object, &slot)) {
		return -ENOENT;
	}
	while (r == CHUNK_ROWS) {
		struct chunk k = {.first = store_key(object, 1),
			.last = store_key(object, slot.next_row - 1)};
		r = run_chunk(s, object, &k, drop_rows);
	}
	return r < 0 ? r : 0;
}

static uint64_t goal(const struct store *s)
{
	return s->limit_bytes / 10 * 9;
}

static void tell(struct store *s, uint32_t object, bool gone)
{
	if (s->evicted) {
		s->evicted(s->evicted_payload, object, gone);
	}
}

/* Evicts one object. 1 if one went. */
static int evict_one(struct store *s, uint32_t keep)
{
	int r = 0;
	pthread_mutex_lock(&s->evict_lock);
	uint32_t object = in_use(s) > goal(s) ? table_oldest(s, keep) : 0;
	if (object) {
		table_set_evicting(s, object, true);
		tell(s, object, false);
		r = evict_rows(s, object);
	}
	pthread_mutex_unlock(&s->evict_lock);
	if (!object) {
		return 0;
	}
	if (r == 0) {
		count_eviction(s);
	}
	tell(s, object, true); /* also when it failed half-way: some rows are gone then */
	table_set_evicting(s, object, false);
	return r < 0 ? r : 1;
}

static void evict_former(struct store *s)
{
	AUTO(conn) struct conn *c = NULL;
	if (in_use(s) > s->limit_bytes && writer_take(s, &c, NULL) == 0 && tx_begin(c, NULL) == 0) {
		tx_end(c, sql_run(c, STMT_FORMER_CLEAR, NULL, ""), NULL);
	}
}

static void evict_own_bodies(struct store *s, uint32_t object)
{
	int r = CHUNK_ROWS;
	LOCK_SCOPE(&s->evict_lock);
	if (in_use(s) <= s->limit_bytes) {
		return;
	}
	while (r > 0 && in_use(s) > goal(s)) {
		struct chunk k = {
			.first = store_key(object, 1), .last = store_key(object, STORE_ROW_MAX)};
		r = run_chunk(s, object, &k, drop_bodies);
	}
	count_eviction(s);
}

/* Failures are not reported: what was put is put, and the next change meets them again. */
void evict(struct store *s, uint32_t keep)
{
	int r = 1;
	if (s->limit_bytes == 0 || in_use(s) <= s->limit_bytes) {
		return;
	}
	while (r > 0) {
		r = evict_one(s, keep);
	}
	if (r == 0 && keep) {
		evict_former(s);
		evict_own_bodies(s, keep);
	}
}
