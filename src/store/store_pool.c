/* SPDX-License-Identifier: MIT */
/*
 * Connections: one that writes, and up to READERS_MAX that read, opened when they are needed.
 *
 * The idle readers are a stack, so that the one with the warmest page cache is taken first and the
 * number open is the number that was ever needed at once. In memory there is no second connection
 * to the same data: the writer's is the only one, and its lock makes readers take turns.
 */
#include "store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define READERS_MAX     16
#define BUSY_TIMEOUT_MS 10000

#define ROWS_OF_OBJECT "key BETWEEN ?1 AND ?2"

static const char *const texts[STMT_COUNT] = {
	[STMT_BEGIN] = "BEGIN IMMEDIATE",
	[STMT_COMMIT] = "COMMIT",
	[STMT_PAGES] = "PRAGMA page_count",
	[STMT_FREE_PAGES] = "PRAGMA freelist_count",
	[STMT_META_GET] = "SELECT value FROM meta WHERE key=?1",
	[STMT_META_SET] = "INSERT OR REPLACE INTO meta(key,value) VALUES(?1,?2)",
	[STMT_DOC_GET] = "SELECT d.modified,d.checked_ms,b.data FROM doc d "
			 "LEFT JOIN doc_data b ON b.id=d.id WHERE d.name=?1",
	[STMT_DOC_PUT] = "INSERT INTO doc(name,modified,checked_ms) VALUES(?1,?2,?3) "
			 "ON CONFLICT(name) DO UPDATE "
			 "SET modified=excluded.modified,checked_ms=excluded.checked_ms",
	[STMT_DOC_PUT_DATA] = "INSERT OR REPLACE INTO doc_data(id,data) "
			      "SELECT id,?2 FROM doc WHERE name=?1",
	[STMT_DOC_TOUCH] = "UPDATE doc SET checked_ms=?2 WHERE name=?1",
	[STMT_OBJECT_ALL] = "SELECT idx,name,next_row,records,bytes,used_ms FROM object "
			    "ORDER BY idx",
	[STMT_OBJECT_GET] = "SELECT idx,name,listed_ms,checked_ms,fill_ms,generation,schema_hash,"
			    "next,verdict,verdict_code,verdict_text FROM object WHERE name=?1",
	[STMT_OBJECT_ADD] = "INSERT INTO object(idx,name,next_row,used_ms) VALUES(?1,?2,?3,?4)",
	[STMT_OBJECT_SAVE] = "UPDATE object SET listed_ms=?2,checked_ms=?3,fill_ms=?4,"
			     "generation=?5,schema_hash=?6,next=?7,verdict=?8,verdict_code=?9,"
			     "verdict_text=?10 WHERE idx=?1",
	[STMT_OBJECT_COUNTS] = "UPDATE object SET next_row=?2,records=?3,bytes=?4 WHERE idx=?1",
	[STMT_OBJECT_USED] = "UPDATE object SET used_ms=?2 WHERE idx=?1",
	[STMT_OBJECT_RESET] = "UPDATE object SET listed_ms=0,checked_ms=0,fill_ms=0,next=NULL "
			      "WHERE idx=?1",
	[STMT_RECORD_BY_KEY] = "SELECT " RECORD_COLUMNS ",r.generation FROM record r "
			       "WHERE r.key=?1",
	[STMT_RECORD_BY_ID] = "SELECT " RECORD_COLUMNS ",r.generation FROM record r "
			      "INDEXED BY record_by_id "
			      "WHERE r.id=?1 AND r.key BETWEEN ?2 AND ?3",
	[STMT_READ_BY_KEY] = "SELECT " RECORD_COLUMNS ",b.body FROM record r "
			     "LEFT JOIN body b ON b.key=r.key WHERE r.key=?1",
	[STMT_READ_BY_ID] = "SELECT " RECORD_COLUMNS ",b.body FROM record r "
			    "INDEXED BY record_by_id "
			    "LEFT JOIN body b ON b.key=r.key "
			    "WHERE r.id=?1 AND r.key BETWEEN ?2 AND ?3",
	[STMT_RECORD_NEXT] = "SELECT " RECORD_COLUMNS " FROM record r "
			     "WHERE r.key BETWEEN ?1 AND ?2 ORDER BY r.key LIMIT ?3",
	[STMT_RECORD_ADD] = "INSERT INTO record(key,id,stamp_ms,hash,size,checked_ms,held,"
			    "generation,tag) VALUES(?1,?2,?3,?4,?5,?6,1,?7,?8)",
	[STMT_RECORD_UPDATE] = "UPDATE record SET stamp_ms=?2,hash=?3,size=?4,checked_ms=?5,held=1,"
			       "generation=?6,tag=?7 WHERE key=?1",
	[STMT_RECORD_DROP] = "DELETE FROM record WHERE key=?1",
	[STMT_BODY_ADD] = "INSERT INTO body(key,body) VALUES(?1,?2)",
	[STMT_BODY_PUT] = "INSERT OR REPLACE INTO body(key,body) VALUES(?1,?2)",
	[STMT_BODY_DROP] = "DELETE FROM body WHERE key=?1",
	[STMT_FORMER_KEEP] = "INSERT INTO former(key,stamp_ms,body) SELECT r.key,r.stamp_ms,b.body "
			     "FROM record r JOIN body b ON b.key=r.key "
			     "WHERE r.key=?1 AND length(b.body)<=?2",
	[STMT_FORMER_TRIM] = "DELETE FROM former WHERE seq<=(SELECT max(seq) FROM former)-?1",
	[STMT_FORMER_GET] = "SELECT body FROM former WHERE key=?1 AND stamp_ms=?2 "
			    "ORDER BY seq DESC LIMIT 1 OFFSET ?3",
	[STMT_FORMER_CLEAR] = "DELETE FROM former",
	[STMT_SWEEP_FIND] = "SELECT " RECORD_COLUMNS " FROM record r "
			    "WHERE r.key BETWEEN ?1 AND ?2 AND r.generation<>?3 "
			    "ORDER BY r.key LIMIT ?4",
	[STMT_EVICT_CHUNK] = "SELECT min(key),max(key),count(*),sum(size*held) "
			     "FROM (SELECT key,size,held "
			     "FROM record WHERE " ROWS_OF_OBJECT " ORDER BY key LIMIT ?3)",
	[STMT_EVICT_RECORDS] = "DELETE FROM record WHERE " ROWS_OF_OBJECT,
	[STMT_EVICT_BODIES] = "DELETE FROM body WHERE " ROWS_OF_OBJECT,
	[STMT_BODIES_CHUNK] = "SELECT min(key),max(key),count(*),sum(n) "
			      "FROM (SELECT key,length(body) AS n "
			      "FROM body WHERE " ROWS_OF_OBJECT " ORDER BY key LIMIT ?3)",
	[STMT_BODIES_UNHOLD] = "UPDATE record SET held=0 WHERE " ROWS_OF_OBJECT " AND held",
};

/* No mmap: pages read through it would count as memory of the daemon, and a file cut short under it
 * would kill the daemon. Checking every cell of a page that is read costs a reader a third of its
 * time; the writer does, so that damage is not carried further. */
#define PRAGMAS                                                                                    \
	"PRAGMA temp_store=MEMORY; PRAGMA mmap_size=0; PRAGMA synchronous=NORMAL;"                 \
	"PRAGMA trusted_schema=OFF; PRAGMA secure_delete=FAST;"
#define WRITER_PRAGMAS                                                                             \
	PRAGMAS "PRAGMA cache_size=-4096; PRAGMA cell_size_check=ON;"                              \
		"PRAGMA wal_autocheckpoint=0; PRAGMA journal_size_limit=25165824;"
#define READER_PRAGMAS PRAGMAS "PRAGMA cache_size=-512; PRAGMA query_only=ON;"

int sql_prepare(struct conn *c, enum stmt which, sqlite3_stmt **ret, struct error *err)
{
	if (!c->stmts[which]) {
		int code = sqlite3_prepare_v3(
			c->db, texts[which], -1, SQLITE_PREPARE_PERSISTENT, &c->stmts[which], NULL);
		if (code != SQLITE_OK) {
			return sql_error(c, code, err);
		}
	}
	*ret = c->stmts[which];
	return 0;
}

int conn_exec(struct conn *c, const char *sql, struct error *err)
{
	errno = 0;
	int code = sqlite3_exec(c->db, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? 0 : sql_error(c, code, err);
}

/* With "unix-excl" one process holds the file for itself and keeps the index of the log on the
 * heap: a read needs no system call for locks, and there is no mapped file that someone could cut
 * short under us. */
static const char *vfs_name(const struct store *s)
{
	return store_on_disk(s) && sqlite3_vfs_find("unix-excl") ? "unix-excl" : NULL;
}

static int conn_open(struct store *s, struct conn *c, const char *pragmas, struct error *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
	c->store = s;
	int code = sqlite3_open_v2(s->path, &c->db, flags, vfs_name(s));
	if (code != SQLITE_OK) {
		int r = sql_error(c, code, err);
		conn_close(c);
		return r;
	}
	sqlite3_extended_result_codes(c->db, 1);
	sqlite3_busy_timeout(c->db, BUSY_TIMEOUT_MS);
	int r = conn_exec(c, pragmas, err);
	if (r < 0) {
		conn_close(c);
	}
	return r;
}

void conn_close(struct conn *c)
{
	for (int i = 0; i < STMT_COUNT; i++) {
		sqlite3_finalize(c->stmts[i]);
		c->stmts[i] = NULL;
	}
	sqlite3_close(c->db);
	c->db = NULL;
}

int conn_open_writer(struct store *s, struct error *err)
{
	int r = conn_open(s, &s->writer, WRITER_PRAGMAS, err);
	if (r == 0) {
		wal_watch(s);
	}
	return r;
}

static int reader_open(struct store *s, struct conn **ret, struct error *err)
{
	struct conn *c = calloc(1, sizeof(*c));
	if (!c) {
		return error_set(err, ENOMEM, "out of memory");
	}
	int r = conn_open(s, c, READER_PRAGMAS, err);
	if (r == 0 && !file_is_ours(s)) {
		r = sql_damaged(c, "it was removed or replaced", err);
	}
	if (r < 0) {
		conn_close(c);
		free(c);
		return r;
	}
	*ret = c;
	return 0;
}

/* An idle reader, or the right to open one (*ret is NULL then). */
static void pool_take(struct store *s, struct conn **ret)
{
	LOCK_SCOPE(&s->pool_lock);
	while (!s->idle && s->readers >= READERS_MAX) {
		pthread_cond_wait(&s->pool_given, &s->pool_lock);
	}
	*ret = s->idle;
	if (s->idle) {
		s->idle = s->idle->next;
	} else {
		s->readers++;
	}
}

static void pool_give(struct store *s, struct conn *c)
{
	LOCK_SCOPE(&s->pool_lock);
	if (c) {
		c->next = s->idle;
		s->idle = c;
	} else {
		s->readers--;
	}
	pthread_cond_signal(&s->pool_given);
}

void pool_close_all(struct store *s)
{
	LOCK_SCOPE(&s->pool_lock);
	while (s->idle) {
		struct conn *c = s->idle;
		s->idle = c->next;
		conn_close(c);
		free(c);
		s->readers--;
	}
}

int reader_take(struct store *s, struct conn **ret, struct error *err)
{
	pthread_rwlock_rdlock(&s->gate);
	if (!store_on_disk(s)) {
		pthread_rwlock_unlock(&s->gate);
		return writer_take(s, ret, err);
	}
	struct conn *c = NULL;
	pool_take(s, &c);
	int r = c ? 0 : reader_open(s, &c, err);
	if (r < 0) {
		pool_give(s, NULL);
		pthread_rwlock_unlock(&s->gate);
		return r;
	}
	*ret = c;
	return 0;
}

int writer_take(struct store *s, struct conn **ret, struct error *err)
{
	pthread_rwlock_rdlock(&s->gate);
	pthread_mutex_lock(&s->writer_lock);
	if (s->writer.db) {
		*ret = &s->writer;
		return 0;
	}
	int r = sql_damaged(&s->writer, "making it anew has failed", err);
	pthread_mutex_unlock(&s->writer_lock);
	pthread_rwlock_unlock(&s->gate);
	return r;
}

static void writer_give(struct store *s)
{
	bool cut = wal_is_long(s);
	pthread_mutex_unlock(&s->writer_lock);
	pthread_rwlock_unlock(&s->gate);
	if (cut) {
		wal_cut(s);
	}
}

void conn_give(struct conn *c)
{
	if (!c) {
		return;
	}
	struct store *s = c->store;
	if (c == &s->writer) {
		writer_give(s);
		return;
	}
	pool_give(s, c);
	pthread_rwlock_unlock(&s->gate);
}
