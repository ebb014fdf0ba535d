/* SPDX-License-Identifier: MIT */
/*
 * The tables, and whether a file that is found can be trusted.
 *
 * Records and their bodies lie in two tables under the same key. So a listing touches only small
 * rows (some 120 to a page), and marking a record as seen again does not write its body again. The
 * index over Ids holds the key as every index does: an Id is looked up together with the key range
 * of its object.
 *
 * The log makes the file survive a killed process, so a file that was not closed properly gets a
 * full check only while that is quick; a large one is probed at its ends.
 */
#include "store_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define APPLICATION_ID   1179010886 /* says "FFSF" in the file's header */
#define SCHEMA_VERSION   3
#define FULL_CHECK_BYTES (64 << 20)

#define TEXT_OF(x)   #x
#define NUMBER_OF(x) TEXT_OF(x)

static const char tables[] =
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE doc(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" modified TEXT NOT NULL, checked_ms INTEGER NOT NULL);"
	"CREATE TABLE doc_data(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"
	"CREATE TABLE object(idx INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" listed_ms INTEGER NOT NULL DEFAULT 0, checked_ms INTEGER NOT NULL DEFAULT 0,"
	" fill_ms INTEGER NOT NULL DEFAULT 0, generation INTEGER NOT NULL DEFAULT 0,"
	" schema_hash INTEGER NOT NULL DEFAULT 0, next TEXT,"
	" verdict INTEGER NOT NULL DEFAULT 0, verdict_code TEXT NOT NULL DEFAULT '',"
	" verdict_text TEXT NOT NULL DEFAULT '', next_row INTEGER NOT NULL,"
	" records INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,"
	" used_ms INTEGER NOT NULL DEFAULT 0);"
	"CREATE TABLE record(key INTEGER PRIMARY KEY, id TEXT NOT NULL,"
	" stamp_ms INTEGER NOT NULL, hash INTEGER NOT NULL, size INTEGER NOT NULL,"
	" checked_ms INTEGER NOT NULL, held INTEGER NOT NULL, generation INTEGER NOT NULL,"
	" tag TEXT NOT NULL DEFAULT '');"
	"CREATE INDEX record_by_id ON record(id);"
	"CREATE TABLE body(key INTEGER PRIMARY KEY, body BLOB NOT NULL);"
	"CREATE TABLE former(seq INTEGER PRIMARY KEY, key INTEGER NOT NULL,"
	" stamp_ms INTEGER NOT NULL, body BLOB NOT NULL);"
	"CREATE INDEX former_by_key ON former(key);"
	"PRAGMA application_id=" NUMBER_OF(APPLICATION_ID) ";"
							   "PRAGMA user_version=" NUMBER_OF(
								   SCHEMA_VERSION) ";";

/* One value of one row as a number; a query without a row leaves *ret alone. */
static int ask(struct conn *c, const char *sql, int64_t *ret, struct error *err)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(c->db, sql, -1, &st, NULL);
	if (code != SQLITE_OK) {
		return sql_error(c, code, err);
	}
	int r = sql_step(c, st, err);
	if (r > 0) {
		*ret = sqlite3_column_int64(st, 0);
	}
	sqlite3_finalize(st);
	return r < 0 ? r : 0;
}

int schema_make(struct conn *c, struct error *err)
{
	int r = conn_exec(c, "PRAGMA page_size=" NUMBER_OF(STORE_PAGE_SIZE), err);
	if (r == 0 && store_on_disk(c->store)) {
		r = conn_exec(c, "PRAGMA journal_mode=WAL", err);
	}
	if (r == 0) {
		r = tx_begin(c, err);
	}
	if (r == 0) {
		r = tx_end(c, conn_exec(c, tables, err), err);
	}
	return r;
}

int schema_set_clean(struct conn *c, bool clean, struct error *err)
{
	return sql_run(c, STMT_META_SET, err, "ti", "clean", (int64_t)clean);
}

static int full_check(struct conn *c, struct error *err)
{
	sqlite3_stmt *st = NULL;
	int code = sqlite3_prepare_v2(c->db, "PRAGMA quick_check(1)", -1, &st, NULL);
	if (code != SQLITE_OK) {
		return sql_error(c, code, err);
	}
	int r = sql_step(c, st, err);
	const unsigned char *said = r > 0 ? sqlite3_column_text(st, 0) : NULL;
	bool good = said && strcmp((const char *)said, "ok") == 0;
	sqlite3_finalize(st);
	if (r < 0) {
		return r;
	}
	return good ? 0 : sql_damaged(c, "the check of its structure failed", err);
}

/* Walks down every tree on both sides. */
static int probe(struct conn *c, struct error *err)
{
	static const char *const ends[] = {
		"SELECT min(key) FROM record",
		"SELECT max(key) FROM record",
		"SELECT min(id) FROM record",
		"SELECT max(id) FROM record",
		"SELECT min(key) FROM body",
		"SELECT max(key) FROM body",
		"SELECT count(*) FROM doc",
		"SELECT max(id) FROM doc_data",
	};
	int64_t ignored = 0;
	int r = 0;
	for (size_t i = 0; r == 0 && i < sizeof(ends) / sizeof(ends[0]); i++) {
		r = ask(c, ends[i], &ignored, err);
	}
	return r;
}

/* Only a file whose tables are ours can prepare all the statements. */
static int prepare_all(struct conn *c, struct error *err)
{
	int r = 0;
	sqlite3_stmt *ignored = NULL;
	for (int which = 0; r == 0 && which < STMT_COUNT; which++) {
		r = sql_prepare(c, (enum stmt)which, &ignored, err);
	}
	return r;
}

static int64_t file_bytes(const struct store *s)
{
	struct stat st;
	return stat(s->path, &st) == 0 ? (int64_t)st.st_size : 0;
}

/* Each object's next row must lie behind its last one. */
static int check_rows(struct conn *c, struct error *err)
{
	int64_t wrong = 0;
	int r = ask(c,
		"SELECT count(*) FROM object o WHERE o.next_row<=coalesce((SELECT max(key) FROM "
		"record WHERE key BETWEEN o.idx<<40 AND (o.idx<<40)+1099511627775),0)-(o.idx<<40)",
		&wrong, err);
	if (r == 0 && wrong > 0) {
		r = sql_damaged(c, "its row numbers contradict each other", err);
	}
	return r;
}

static int check_contents(struct conn *c, struct error *err)
{
	uint64_t clean = 0;
	AUTO(stmt) sqlite3_stmt *st = NULL;
	int r = prepare_all(c, err);
	if (r == 0) {
		r = sql_bind(c, STMT_META_GET, &st, err, "t", "clean");
	}
	if (r == 0) {
		r = sql_step(c, st, err);
	}
	if (r > 0) {
		clean = (uint64_t)sqlite3_column_int64(st, 0);
		r = 0;
	}
	if (r == 0) {
		r = probe(c, err);
	}
	if (r == 0 && !clean && file_bytes(c->store) < FULL_CHECK_BYTES) {
		r = full_check(c, err);
	}
	if (r == 0 && !clean) {
		r = check_rows(c, err);
	}
	return r;
}

int schema_judge(struct conn *c, enum schema_state *ret, struct error *err)
{
	int64_t id = 0, version = 0, things = 0;
	int r = ask(c, "PRAGMA application_id", &id, err);
	if (r == 0) {
		r = ask(c, "PRAGMA user_version", &version, err);
	}
	if (r == 0) {
		r = ask(c, "SELECT count(*) FROM sqlite_master", &things, err);
	}
	if (r == 0 && id == APPLICATION_ID && version == SCHEMA_VERSION) {
		r = check_contents(c, err);
	}
	if (r < 0) {
		return r;
	}
	if (id == APPLICATION_ID) {
		*ret = version == SCHEMA_VERSION ? SCHEMA_GOOD : SCHEMA_OTHER_VERSION;
	} else {
		*ret = things == 0 ? SCHEMA_NONE : SCHEMA_DAMAGED;
	}
	return 0;
}
