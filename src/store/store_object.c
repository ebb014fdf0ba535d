/* SPDX-License-Identifier: MIT */
/* Objects: found or made by name; the mirror's columns are saved and loaded as they are. */
#include "store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NEXT_LIMIT 65536 /* a next page's address is some hundred bytes */

static int object_from_row(sqlite3_stmt *st, struct store_object *ret, struct error *err)
{
	struct store_object o = {
		.index = (uint32_t)sqlite3_column_int64(st, 0),
		.listed_ms = sqlite3_column_int64(st, 2),
		.checked_ms = sqlite3_column_int64(st, 3),
		.fill_ms = sqlite3_column_int64(st, 4),
		.generation = (uint32_t)sqlite3_column_int64(st, 5),
		.schema_hash = (uint64_t)sqlite3_column_int64(st, 6),
		.verdict = sqlite3_column_int(st, 8),
	};
	const char *next = (const char *)sqlite3_column_text(st, 7);
	if (next) {
		o.next = strdup(next);
		if (!o.next) {
			return error_set(err, ENOMEM, "out of memory");
		}
	}
	sql_text(st, 1, o.name, sizeof(o.name));
	sql_text(st, 9, o.verdict_code, sizeof(o.verdict_code));
	sql_text(st, 10, o.verdict_text, sizeof(o.verdict_text));
	*ret = o;
	return 0;
}

/* 1: found, 0: there is none. */
static int find(struct conn *c, const char *name, struct store_object *ret, struct error *err)
{
	AUTO(stmt) sqlite3_stmt *st = NULL;
	struct slot slot;
	int r = sql_bind(c, STMT_OBJECT_GET, &st, err, "t", name);
	if (r == 0) {
		r = sql_step(c, st, err);
	}
	if (r <= 0) {
		return r;
	}
	if (!table_get(c->store, (uint32_t)sqlite3_column_int64(st, 0), &slot)) {
		return sql_damaged(c, "it holds an object that was not there before", err);
	}
	r = object_from_row(st, ret, err);
	return r < 0 ? r : 1;
}

static int find_by_reader(
	struct store *s, const char *name, struct store_object *ret, struct error *err)
{
	AUTO(conn) struct conn *c = NULL;
	int r = reader_take(s, &c, err);
	return r < 0 ? r : find(c, name, ret, err);
}

static int insert(struct conn *c, const char *name, struct error *err)
{
	struct store *s = c->store;
	uint32_t index = table_next_index(s);
	struct slot slot = {.next_row = 1, .name = strdup(name)};
	if (!slot.name) {
		return error_set(err, ENOMEM, "out of memory");
	}
	/* First in memory: the entry of a failed insertion does no harm, a missing one would. */
	if (table_add(s, index, &slot) < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	int r = tx_begin(c, err);
	if (r == 0) {
		r = tx_end(c,
			sql_run(c, STMT_OBJECT_ADD, err, "itii", (int64_t)index, name, (int64_t)1,
				(int64_t)0),
			err);
	}
	if (r < 0) {
		table_drop_last(s, index);
	}
	return r;
}

static int find_or_insert(
	struct store *s, const char *name, struct store_object *ret, struct error *err)
{
	AUTO(conn) struct conn *c = NULL;
	int r = writer_take(s, &c, err);
	if (r == 0) {
		r = find(c, name, ret, err);
	}
	if (r != 0) {
		return r;
	}
	if (table_next_index(s) > STORE_OBJECT_MAX) {
		return error_set(err, ENOSPC,
			"the cache file %s has room for %u objects and no more; unmount and "
			"remove it",
			s->path, STORE_OBJECT_MAX);
	}
	r = insert(c, name, err);
	return r < 0 ? r : find(c, name, ret, err);
}

int store_object_get(struct store *s, const char *name, struct store_object *ret, struct error *err)
{
	if (!*name || strlen(name) >= sizeof(ret->name)) {
		return error_set(err, EINVAL, "an object's name has 1 to %zu characters",
			sizeof(ret->name) - 1);
	}
	int r = find_by_reader(s, name, ret, err);
	if (r == 0) {
		r = find_or_insert(s, name, ret, err);
	}
	return r < 0 ? r : 0;
}

/* Called on a copy: an object whose rows are going must not be saved as listed. */
static int save(struct conn *c, const struct store_object *o, struct error *err)
{
	struct store_object now = *o;
	struct slot slot;
	if (!table_get(c->store, o->index, &slot)) {
		return error_set(err, ENOENT, "object %u is not in the cache", o->index);
	}
	if (slot.evicting) {
		now.listed_ms = now.checked_ms = now.fill_ms = 0;
		now.next = NULL;
	}
	return sql_run(c, STMT_OBJECT_SAVE, err, "iiiiiititt", (int64_t)now.index, now.listed_ms,
		now.checked_ms, now.fill_ms, (int64_t)now.generation, (int64_t)now.schema_hash,
		now.next, (int64_t)now.verdict, now.verdict_code, now.verdict_text);
}

int store_object_save(struct store *s, const struct store_object *o, struct error *err)
{
	if (o->next && strnlen(o->next, NEXT_LIMIT) == NEXT_LIMIT) {
		return error_set(err, EFBIG, "the next page's address is too long to be kept");
	}
	AUTO(conn) struct conn *c = NULL;
	int r = writer_take(s, &c, err);
	if (r == 0) {
		r = tx_begin(c, err);
	}
	if (r < 0) {
		return r;
	}
	r = save(c, o, err);
	if (r == 0) {
		r = table_save_used(c, false, err);
	}
	return tx_end(c, r, err);
}

void store_object_release(struct store_object *o)
{
	free(o->next);
	o->next = NULL;
}
