/* SPDX-License-Identifier: MIT */
/* Reading records: one by key or Id, or the next ones of an object. */
#include "store_priv.h"

#include <errno.h>
#include <string.h>

int record_from_row(struct conn *c, sqlite3_stmt *st, struct store_record *ret, struct error *err)
{
	const unsigned char *id = sqlite3_column_text(st, 1);
	if (!id || sqlite3_column_bytes(st, 1) != 18) {
		return sql_damaged(c, "an Id in it is not one", err);
	}
	ret->key = (uint64_t)sqlite3_column_int64(st, 0);
	memcpy(ret->id, id, 18);
	ret->id[18] = '\0';
	ret->stamp_ms = sqlite3_column_int64(st, 2);
	ret->hash = (uint64_t)sqlite3_column_int64(st, 3);
	ret->size = (uint64_t)sqlite3_column_int64(st, 4);
	ret->checked_ms = sqlite3_column_int64(st, 5);
	ret->tag[0] = '\0';
	if (sqlite3_column_bytes(st, COLUMN_TAG) > 0) { /* mostly there is none */
		sql_text(st, COLUMN_TAG, ret->tag, sizeof(ret->tag));
	}
	return 0;
}

static int body_from_row(struct conn *c, sqlite3_stmt *st, const struct store_record *record,
	struct buf *body, struct error *err)
{
	if (!sqlite3_column_int(st, COLUMN_HELD)) {
		return -ENODATA;
	}
	const void *data = sqlite3_column_blob(st, COLUMN_LAST);
	size_t size = (size_t)sqlite3_column_bytes(st, COLUMN_LAST);
	if (!data && sqlite3_errcode(c->db) == SQLITE_NOMEM) {
		return sql_error(c, SQLITE_NOMEM, err);
	}
	if (sqlite3_column_type(st, COLUMN_LAST) != SQLITE_BLOB || size != record->size) {
		return sql_damaged(c, "a record's body is missing or cut", err);
	}
	int r = size > 0 ? buf_add(body, data, size) : 0;
	return r < 0 ? error_set(err, -r, "no room for a record of %zu bytes", size) : 0;
}

static int read_row(struct conn *c, sqlite3_stmt *st, struct store_record *ret, struct buf *body,
	struct error *err)
{
	int r = sql_step(c, st, err);
	if (r == 0) {
		return -ENOENT;
	}
	r = r < 0 ? r : record_from_row(c, st, ret, err);
	return r < 0 || !body ? r : body_from_row(c, st, ret, body, err);
}

int store_record_by_key(struct store *s, uint64_t key, struct store_record *ret, struct buf *body,
	struct error *err)
{
	enum stmt which = body ? STMT_READ_BY_KEY : STMT_RECORD_BY_KEY;
	AUTO(conn) struct conn *c = NULL;
	AUTO(stmt) sqlite3_stmt *st = NULL;
	int r = reader_take(s, &c, err);
	if (r == 0) {
		r = sql_bind(c, which, &st, err, "i", (int64_t)key);
	}
	return r < 0 ? r : read_row(c, st, ret, body, err);
}

int store_record_former(struct store *s, uint64_t key, int64_t stamp_ms, unsigned nth,
	struct buf *body, struct error *err)
{
	AUTO(conn) struct conn *c = NULL;
	AUTO(stmt) sqlite3_stmt *st = NULL;
	int r = reader_take(s, &c, err);
	if (r == 0) {
		r = sql_bind(
			c, STMT_FORMER_GET, &st, err, "iii", (int64_t)key, stamp_ms, (int64_t)nth);
	}
	r = r < 0 ? r : sql_step(c, st, err);
	if (r <= 0) {
		return r < 0 ? r : -ENOENT;
	}
	const void *data = sqlite3_column_blob(st, 0);
	size_t size = (size_t)sqlite3_column_bytes(st, 0);
	return size > 0 ? buf_add(body, data, size) : 0;
}

int store_record_by_id(struct store *s, uint32_t object, const char *id18, struct store_record *ret,
	struct buf *body, struct error *err)
{
	enum stmt which = body ? STMT_READ_BY_ID : STMT_RECORD_BY_ID;
	AUTO(conn) struct conn *c = NULL;
	AUTO(stmt) sqlite3_stmt *st = NULL;
	int r = reader_take(s, &c, err);
	if (r == 0) {
		r = sql_bind(c, which, &st, err, "tii", id18, (int64_t)store_key(object, 0),
			(int64_t)store_key(object, STORE_ROW_MAX));
	}
	r = r < 0 ? r : read_row(c, st, ret, body, err);
	if ((r == 0 || r == -ENODATA) && strcmp(ret->id, id18) != 0) {
		return sql_damaged(c, "its index names another record", err);
	}
	return r;
}

int store_record_next(struct store *s, uint32_t object, uint64_t after_row,
	struct store_record *ret, int max, struct error *err)
{
	if (after_row >= STORE_ROW_MAX || max <= 0) {
		return 0;
	}
	AUTO(conn) struct conn *c = NULL;
	AUTO(stmt) sqlite3_stmt *st = NULL;
	int n = 0;
	int r = reader_take(s, &c, err);
	if (r == 0) {
		r = sql_bind(c, STMT_RECORD_NEXT, &st, err, "iii",
			(int64_t)store_key(object, after_row + 1),
			(int64_t)store_key(object, STORE_ROW_MAX), (int64_t)max);
	}
	while (r == 0 && n < max) {
		r = sql_step(c, st, err);
		if (r <= 0) {
			break;
		}
		r = record_from_row(c, st, &ret[n++], err);
	}
	return r < 0 ? r : n;
}
