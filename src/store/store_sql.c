/* SPDX-License-Identifier: MIT */
/* Statements run, transactions, and what SQLite's codes mean to a caller of the store. */
#include "store_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int sql_damaged(struct conn *c, const char *what, struct error *err)
{
	atomic_fetch_add(&c->store->damages, 1);
	return error_set(err, EUCLEAN,
		"the cache file %s is damaged (%s); it must be made anew: unmount, remove it and "
		"mount again if that does not happen by itself",
		c->store->path, what);
}

static int sql_full(struct conn *c, struct error *err)
{
	return error_set(err, ENOSPC,
		"no space left for the cache file %s; free some space there, or set cache_dir to "
		"another disk or cache_size to less",
		c->store->path);
}

/* Our statements are constant: SQLite can only find fault with them when the file's tables are not
 * ours any more, and constraints only fail when the file contradicts what is kept in memory. */
static bool means_damage(int code, int sys)
{
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_ERROR:
	case SQLITE_SCHEMA:
	case SQLITE_MISMATCH:
	case SQLITE_CONSTRAINT:
		return true;
	case SQLITE_CANTOPEN:
		return sys == ENOENT;
	default:
		return code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS ||
		       code == SQLITE_READONLY_DBMOVED;
	}
}

static bool means_full(int code, int sys)
{
	int kind = code & 0xff;
	bool wrote = kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN;
	return kind == SQLITE_FULL || (wrote && (sys == ENOSPC || sys == EDQUOT || sys == EFBIG));
}

int sql_error(struct conn *c, int code, struct error *err)
{
	int left = errno;
	int sys = c->db ? sqlite3_system_errno(c->db) : 0;
	sys = sys ? sys : left; /* SQLite does not note it when a commit fails */
	const char *why = sqlite3_errstr(code);
	if (means_damage(code, sys)) {
		return sql_damaged(c, why, err);
	}
	if (means_full(code, sys)) {
		return sql_full(c, err);
	}
	switch (code & 0xff) {
	case SQLITE_NOMEM:
		return error_set(
			err, ENOMEM, "out of memory while using the cache file %s", c->store->path);
	case SQLITE_TOOBIG:
		return error_set(err, EFBIG, "too large for the cache file %s", c->store->path);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return error_set(err, EBUSY,
			"the cache file %s is held by another program; end that program",
			c->store->path);
	default:
		return code == SQLITE_IOERR_NOMEM
			       ? error_set(err, ENOMEM,
					 "out of memory while using the cache file %s",
					 c->store->path)
			       : error_set(err, EIO,
					 "cannot use the cache file %s: %s (%s); check the disk "
					 "and the "
					 "rights to the folder",
					 c->store->path, why, sys ? error_name(sys) : "no errno");
	}
}

void sql_reset(sqlite3_stmt *st)
{
	sqlite3_reset(st);
}

static int bind_one(sqlite3_stmt *st, int at, char kind, va_list *args)
{
	switch (kind) {
	case 'i':
		return sqlite3_bind_int64(st, at, va_arg(*args, int64_t));
	case 't':
		return sqlite3_bind_text(st, at, va_arg(*args, const char *), -1, SQLITE_STATIC);
	default: {
		const void *data = va_arg(*args, const void *);
		size_t len = va_arg(*args, size_t);
		return sqlite3_bind_blob64(st, at, data ? data : "", len, SQLITE_STATIC);
	}
	}
}

static int bind_all(struct conn *c, enum stmt which, sqlite3_stmt **ret, const char *kinds,
	va_list *args, struct error *err)
{
	sqlite3_stmt *st = NULL;
	int r = sql_prepare(c, which, &st, err);
	for (int i = 0; r == 0 && kinds[i]; i++) {
		int code = bind_one(st, i + 1, kinds[i], args);
		if (code != SQLITE_OK) {
			r = sql_error(c, code, err);
		}
	}
	if (r == 0) {
		*ret = st;
	}
	return r;
}

int sql_bind(struct conn *c, enum stmt which, sqlite3_stmt **ret, struct error *err,
	const char *kinds, ...)
{
	va_list args;
	va_start(args, kinds);
	int r = bind_all(c, which, ret, kinds, &args, err);
	va_end(args);
	return r;
}

int sql_step(struct conn *c, sqlite3_stmt *st, struct error *err)
{
	errno = 0;
	int code = sqlite3_step(st);
	if (code == SQLITE_ROW) {
		return 1;
	}
	return code == SQLITE_DONE ? 0 : sql_error(c, code, err);
}

int sql_run(struct conn *c, enum stmt which, struct error *err, const char *kinds, ...)
{
	AUTO(stmt) sqlite3_stmt *st = NULL;
	va_list args;
	va_start(args, kinds);
	int r = bind_all(c, which, &st, kinds, &args, err);
	va_end(args);
	if (r == 0) {
		r = sql_step(c, st, err);
	}
	return r < 0 ? r : 0;
}

int sql_number(struct conn *c, enum stmt which, uint64_t *ret, struct error *err)
{
	AUTO(stmt) sqlite3_stmt *st = NULL;
	int r = sql_bind(c, which, &st, err, "");
	if (r == 0) {
		r = sql_step(c, st, err);
	}
	if (r > 0) {
		*ret = (uint64_t)sqlite3_column_int64(st, 0);
	}
	return r < 0 ? r : 0;
}

void sql_text(sqlite3_stmt *st, int column, char *dst, size_t size)
{
	const unsigned char *text = sqlite3_column_text(st, column);
	snprintf(dst, size, "%s", text ? (const char *)text : "");
}

int tx_begin(struct conn *c, struct error *err)
{
	wal_fold(c->store);
	return sql_run(c, STMT_BEGIN, err, "");
}

static void tx_rollback(struct conn *c)
{
	if (!sqlite3_get_autocommit(c->db)) {
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	}
}

int tx_end(struct conn *c, int r, struct error *err)
{
	if (r == 0) {
		r = sql_run(c, STMT_COMMIT, err, "");
	}
	if (r < 0) {
		tx_rollback(c);
		return r;
	}
	/* The counting of space must not turn a committed change into a failed one. */
	table_measure(c, NULL);
	return 0;
}
