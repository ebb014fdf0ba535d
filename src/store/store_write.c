/* SPDX-License-Identifier: MIT */
/*
 * Changing records: put, delete, sweep. The object's counts and next row change in the same
 * transaction as its rows, and in memory after it.
 */
#include "store_priv.h"

#include <errno.h>
#include <string.h>

#include "forcefs/base/clock.h"

#define CHECKED_SLACK_MS 1000 /* a check that moved by less is not worth a write */

int change_begin(struct conn *c, uint32_t object, struct change *ret, struct error *err)
{
	struct change ch = {.c = c, .object = object};
	if (!table_get(c->store, object, &ch.now)) {
		return error_set(err, ENOENT, "object %u is not in the cache", object);
	}
	ch.before = ch.now;
	int r = tx_begin(c, err);
	if (r == 0) {
		*ret = ch;
	}
	return r;
}

static bool counts_moved(const struct slot *a, const struct slot *b)
{
	return a->next_row != b->next_row || a->count.records != b->count.records ||
	       a->count.bytes != b->count.bytes;
}

int change_end(struct change *ch, int r, struct error *err)
{
	if (r == 0 && counts_moved(&ch->before, &ch->now)) {
		r = sql_run(ch->c, STMT_OBJECT_COUNTS, err, "iiii", (int64_t)ch->object,
			(int64_t)ch->now.next_row, (int64_t)ch->now.count.records,
			(int64_t)ch->now.count.bytes);
	}
	r = tx_end(ch->c, r, err);
	if (r == 0) {
		table_set_counts(ch->c->store, ch->object, &ch->now);
	}
	return r;
}

/* A row as it is before the change. */
struct found {
	struct store_record record;
	bool held;
	uint32_t generation;
};

/* 1: found, 0: not there. */
static int find(struct change *ch, const char *id18, struct found *ret, struct error *err)
{
	AUTO(stmt) sqlite3_stmt *st = NULL;
	int r = sql_bind(ch->c, STMT_RECORD_BY_ID, &st, err, "tii", id18,
		(int64_t)store_key(ch->object, 0), (int64_t)store_key(ch->object, STORE_ROW_MAX));
	if (r == 0) {
		r = sql_step(ch->c, st, err);
	}
	if (r <= 0) {
		return r;
	}
	ret->held = sqlite3_column_int(st, COLUMN_HELD);
	ret->generation = (uint32_t)sqlite3_column_int64(st, COLUMN_LAST);
	r = record_from_row(ch->c, st, &ret->record, err);
	return r < 0 ? r : 1;
}

/* A body goes out of the counts; a wrong count is damage, not a reason to wrap around. */
static void uncount_body(struct change *ch, const struct found *old)
{
	uint64_t size = old->held ? old->record.size : 0;
	ch->now.count.bytes -= size < ch->now.count.bytes ? size : ch->now.count.bytes;
}

/* ---- put ---- */

/* So many replaced versions are kept, none larger than this. */
#define FORMER_ROWS  2000
#define FORMER_BYTES (256 * 1024)

struct putting {
	struct change change;
	uint32_t generation;
	int64_t checked_ms;
};

static int put_new(struct putting *p, struct store_put *row, struct error *err)
{
	struct change *ch = &p->change;
	if (ch->now.next_row > STORE_ROW_MAX) {
		return error_set(err, ENOSPC,
			"the object %s has used up its row numbers; unmount and remove %s",
			ch->now.name, ch->c->store->path);
	}
	row->ret_key = store_key(ch->object, ch->now.next_row++);
	row->ret_change = STORE_ADDED;
	ch->now.count.records++;
	ch->now.count.bytes += row->size;
	int r = sql_run(ch->c, STMT_RECORD_ADD, err, "itiiiiit", (int64_t)row->ret_key, row->id,
		row->stamp_ms, (int64_t)row->hash, (int64_t)row->size, p->checked_ms,
		(int64_t)p->generation, row->tag);
	if (r == 0) {
		r = sql_run(ch->c, STMT_BODY_ADD, err, "ib", (int64_t)row->ret_key, row->body,
			row->size);
	}
	return r;
}

static bool worth_writing(
	const struct putting *p, const struct store_put *row, const struct found *old)
{
	int64_t moved = p->checked_ms - old->record.checked_ms;
	return row->ret_change != STORE_SAME || !old->held ||
	       row->stamp_ms != old->record.stamp_ms || p->generation > old->generation ||
	       moved > CHECKED_SLACK_MS || moved < -CHECKED_SLACK_MS;
}

/* True if the row holds the answer to a later question than this one. A row from the future is the
 * mark of a clock that was set back: it never stands in the way. */
static bool outdated(const struct putting *p, const struct found *old)
{
	return old->held && old->record.checked_ms > p->checked_ms &&
	       old->record.checked_ms <= clock_wall_ms() + CHECKED_SLACK_MS;
}

static int keep_old(
	struct putting *p, struct store_put *row, const struct found *old, struct error *err)
{
	row->ret_change = STORE_SAME;
	if (p->generation <= old->generation) {
		return 0;
	}
	return sql_run(p->change.c, STMT_RECORD_UPDATE, err, "iiiiiit", (int64_t)row->ret_key,
		old->record.stamp_ms, (int64_t)old->record.hash, (int64_t)old->record.size,
		old->record.checked_ms, (int64_t)p->generation, old->record.tag);
}

/* Keeps the version that is about to be replaced: a text that somebody is still editing may have
 * been made from it. Not in a listing that begins anew: there everything may change at once. */
static int keep_former(
	struct putting *p, const struct store_put *row, const struct found *old, struct error *err)
{
	struct conn *c = p->change.c;
	if (!old->held || row->stamp_ms == old->record.stamp_ms ||
		p->generation > old->generation) {
		return 0;
	}
	int r = sql_run(
		c, STMT_FORMER_KEEP, err, "ii", (int64_t)old->record.key, (int64_t)FORMER_BYTES);
	return r < 0 ? r : sql_run(c, STMT_FORMER_TRIM, err, "i", (int64_t)FORMER_ROWS);
}

static int put_old(
	struct putting *p, struct store_put *row, const struct found *old, struct error *err)
{
	struct change *ch = &p->change;
	bool same = row->hash == old->record.hash && row->size == old->record.size;
	uint32_t generation = p->generation > old->generation ? p->generation : old->generation;
	row->ret_key = old->record.key;
	if (outdated(p, old)) {
		return keep_old(p, row, old, err);
	}
	row->ret_change = same ? STORE_SAME : STORE_CHANGED;
	memcpy(row->ret_former, old->record.tag, sizeof(row->ret_former));
	if (!worth_writing(p, row, old)) {
		return 0;
	}
	int r = same ? 0 : keep_former(p, row, old, err);
	if (r < 0) {
		return r;
	}
	r = sql_run(ch->c, STMT_RECORD_UPDATE, err, "iiiiiit", (int64_t)row->ret_key, row->stamp_ms,
		(int64_t)row->hash, (int64_t)row->size, p->checked_ms, (int64_t)generation,
		row->tag);
	if (r == 0 && (!same || !old->held)) {
		uncount_body(ch, old);
		ch->now.count.bytes += row->size;
		r = sql_run(ch->c, STMT_BODY_PUT, err, "ib", (int64_t)row->ret_key, row->body,
			row->size);
	}
	return r;
}

static int put_one(struct putting *p, struct store_put *row, struct error *err)
{
	struct found old;
	if (strnlen(row->id, sizeof(row->id)) != 18) {
		return error_set(err, EINVAL, "a record's Id has 18 characters");
	}
	int r = find(&p->change, row->id, &old, err);
	if (r < 0) {
		return r;
	}
	return r == 0 ? put_new(p, row, err) : put_old(p, row, &old, err);
}

static int put_all(struct store *s, uint32_t object, struct putting *p, struct store_put *rows,
	size_t count, struct error *err)
{
	AUTO(conn) struct conn *c = NULL;
	int r = writer_take(s, &c, err);
	if (r == 0) {
		r = change_begin(c, object, &p->change, err);
	}
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; r == 0 && i < count; i++) {
		r = put_one(p, &rows[i], err);
	}
	if (r == 0) {
		r = table_save_used(c, false, err);
	}
	/* A sweep that is half through must look again at rows marked by a newer listing. */
	if (r == 0 && p->generation != 0 && p->change.now.sweep_row > 0 &&
		p->generation != p->change.now.sweep_generation) {
		table_set_sweep(s, object, 0, 0);
	}
	return change_end(&p->change, r, err);
}

int store_record_put(struct store *s, uint32_t object, uint32_t generation, int64_t checked_ms,
	struct store_put *rows, size_t count, struct error *err)
{
	struct putting p = {.generation = generation, .checked_ms = checked_ms};
	if (count == 0) {
		return 0;
	}
	store_object_used(s, object);
	int r = put_all(s, object, &p, rows, count, err);
	if (r == 0) {
		evict(s, object);
	}
	return r;
}

/* ---- delete ---- */

static int drop(struct change *ch, const struct found *old, struct error *err)
{
	int r = sql_run(ch->c, STMT_RECORD_DROP, err, "i", (int64_t)old->record.key);
	if (r == 0) {
		r = sql_run(ch->c, STMT_BODY_DROP, err, "i", (int64_t)old->record.key);
	}
	if (r == 0) {
		ch->now.count.records -= ch->now.count.records > 0;
		uncount_body(ch, old);
	}
	return r;
}

static void report(struct store_gone *gone, size_t *n, const struct store_record *record)
{
	gone[*n].key = record->key;
	memcpy(gone[*n].id, record->id, sizeof(gone[*n].id));
	(*n)++;
}

int store_record_delete(struct store *s, uint32_t object, const char (*id18)[19], size_t count,
	struct store_gone *gone, size_t *ret_gone, struct error *err)
{
	AUTO(conn) struct conn *c = NULL;
	struct change ch;
	size_t n = 0;
	int r = writer_take(s, &c, err);
	if (r == 0) {
		r = change_begin(c, object, &ch, err);
	}
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; r == 0 && i < count; i++) {
		struct found old;
		int there = find(&ch, id18[i], &old, err);
		r = there > 0 ? drop(&ch, &old, err) : there;
		if (r == 0 && there > 0) {
			report(gone, &n, &old.record);
		}
	}
	r = change_end(&ch, r, err);
	if (r == 0) {
		*ret_gone = n;
	}
	return r;
}

/* ---- sweep ---- */

struct sweep {
	uint32_t object;
	uint32_t generation;
	uint64_t row; /* looked at up to here */
};

/* Candidates, by a reader: the walk over the rows that stay keeps nobody from writing. */
static int sweep_find(struct store *s, struct sweep *sw, struct store_gone *gone, size_t max,
	size_t *ret_found, struct error *err)
{
	AUTO(conn) struct conn *c = NULL;
	AUTO(stmt) sqlite3_stmt *st = NULL;
	size_t n = 0;
	int r = reader_take(s, &c, err);
	if (r == 0) {
		r = sql_bind(c, STMT_SWEEP_FIND, &st, err, "iiii",
			(int64_t)store_key(sw->object, sw->row + 1),
			(int64_t)store_key(sw->object, STORE_ROW_MAX), (int64_t)sw->generation,
			(int64_t)max);
	}
	while (r == 0 && n < max) {
		struct store_record record;
		r = sql_step(c, st, err);
		if (r <= 0) {
			break;
		}
		r = record_from_row(c, st, &record, err);
		if (r == 0) {
			report(gone, &n, &record);
		}
	}
	*ret_found = n;
	return r;
}

/* The row may have been put again, or may have gone, since it was found. 1 if it is dropped. */
static int sweep_one(struct change *ch, uint32_t generation, const char *id18, struct error *err)
{
	struct found old;
	int r = find(ch, id18, &old, err);
	if (r <= 0 || old.generation == generation) {
		return r < 0 ? r : 0;
	}
	r = drop(ch, &old, err);
	return r < 0 ? r : 1;
}

/* Of the found candidates those that were dropped stay in gone. */
static int sweep_drop(struct store *s, const struct sweep *sw, struct store_gone *gone,
	size_t found, size_t *ret_dropped, struct error *err)
{
	AUTO(conn) struct conn *c = NULL;
	struct change ch;
	size_t n = 0;
	int r = writer_take(s, &c, err);
	if (r == 0) {
		r = change_begin(c, sw->object, &ch, err);
	}
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; r == 0 && i < found; i++) {
		int dropped = sweep_one(&ch, sw->generation, gone[i].id, err);
		if (dropped > 0) {
			gone[n++] = gone[i];
		}
		r = dropped < 0 ? dropped : 0;
	}
	r = change_end(&ch, r, err);
	if (r == 0) {
		*ret_dropped = n;
	}
	return r;
}

/* One round, more only if candidates were put again meanwhile. A sweep in several calls goes on
 * where the last one stopped. */
int store_record_sweep(struct store *s, uint32_t object, uint32_t generation,
	struct store_gone *gone, size_t max, size_t *ret_gone, struct error *err)
{
	struct sweep sw = {.object = object, .generation = generation};
	struct slot slot;
	size_t n = 0;
	int r = 0;
	bool end = false;
	if (table_get(s, object, &slot) && slot.sweep_generation == generation) {
		sw.row = slot.sweep_row;
	}
	while (r == 0 && !end && n < max) {
		size_t found = 0, dropped = 0;
		r = sweep_find(s, &sw, gone + n, max - n, &found, err);
		if (r == 0 && found > 0) {
			sw.row = store_key_row(gone[n + found - 1].key);
			end = found < max - n;
			r = sweep_drop(s, &sw, gone + n, found, &dropped, err);
		} else {
			end = true;
		}
		n += dropped;
	}
	table_set_sweep(s, object, generation, r == 0 && !end ? sw.row : 0);
	if (r == 0) {
		*ret_gone = n;
	}
	return r;
}
