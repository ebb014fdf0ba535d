/* SPDX-License-Identifier: MIT */
/*
 * Behind the door of the store: connections, statements, the table of objects in memory.
 *
 * Lock order: evict_lock, gate, writer_lock, then table_lock or pool_lock (never both). Every
 * operation holds the gate shared, through the connection it took; rebuilding the file and cutting
 * the log hold it alone, so that no connection is in use then.
 */
#ifndef FORCEFS_STORE_PRIV_H
#define FORCEFS_STORE_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include <sqlite3.h>

#include "forcefs/base/scope.h"
#include "forcefs/store/store.h"

/* The statements, each prepared once per connection when first used; the texts are in
 * store_pool.c. */
enum stmt {
	STMT_BEGIN,
	STMT_COMMIT,
	STMT_PAGES,
	STMT_FREE_PAGES,
	STMT_META_GET,
	STMT_META_SET,
	STMT_DOC_GET,
	STMT_DOC_PUT,
	STMT_DOC_PUT_DATA,
	STMT_DOC_TOUCH,
	STMT_OBJECT_ALL,
	STMT_OBJECT_GET,
	STMT_OBJECT_ADD,
	STMT_OBJECT_SAVE,
	STMT_OBJECT_COUNTS,
	STMT_OBJECT_USED,
	STMT_OBJECT_RESET,
	STMT_RECORD_BY_KEY,
	STMT_RECORD_BY_ID,
	STMT_READ_BY_KEY,
	STMT_READ_BY_ID,
	STMT_RECORD_NEXT,
	STMT_RECORD_ADD,
	STMT_RECORD_UPDATE,
	STMT_RECORD_DROP,
	STMT_BODY_ADD,
	STMT_BODY_PUT,
	STMT_BODY_DROP,
	STMT_FORMER_KEEP,
	STMT_FORMER_TRIM,
	STMT_FORMER_GET,
	STMT_FORMER_CLEAR,
	STMT_SWEEP_FIND,
	STMT_EVICT_CHUNK,
	STMT_EVICT_RECORDS,
	STMT_EVICT_BODIES,
	STMT_BODIES_CHUNK,
	STMT_BODIES_UNHOLD,
	STMT_COUNT
};

struct conn {
	struct store *store;
	sqlite3 *db; /* NULL: closed */
	sqlite3_stmt *stmts[STMT_COUNT];
	struct conn *next; /* in the pool; protected by pool_lock */
};

/* What is known of an object without asking the file. */
struct slot {
	char *name;
	uint64_t next_row; /* the next new row */
	struct store_count count;
	int64_t used_ms;
	bool used_changed; /* used_ms is newer than the file's */
	bool evicting;     /* listing states saved now are out of date */
	uint32_t sweep_generation;
	uint64_t sweep_row; /* where the next call of a sweep goes on */
};

#define STORE_PAGE_SIZE 8192
#define STORE_NAMES     8 /* "<name>", "<name>.2" … "<name>.8" */

struct store {
	char *dir; /* NULL: memory; these two set once */
	char *name;
	atomic_bool left_disk;        /* set by store_leave_disk, gate held alone */
	_Atomic uint64_t limit_bytes; /* 0: none */

	pthread_rwlock_t gate;
	char *paths[STORE_NAMES]; /* made when first tried, kept to the end; protected by gate */
	const char *path;         /* one of them, or ":memory:"; protected by gate */
	int lock_fd;              /* protected by gate */
	dev_t dev;                /* of the file; protected by gate */
	ino_t ino;
	unsigned excused;    /* calls of store_rebuild that come too late; protected by gate */
	atomic_uint damages; /* -EUCLEAN returned since the file was made or opened */

	pthread_mutex_t writer_lock;
	struct conn writer; /* protected by writer_lock */
	int wal_frames;     /* pages in the write-ahead log; protected by writer_lock */

	pthread_mutex_t pool_lock;
	pthread_cond_t pool_given;
	struct conn *idle; /* last in, first out; protected by pool_lock */
	int readers;       /* open, idle or not; protected by pool_lock */

	pthread_mutex_t table_lock;
	struct slot *slots; /* slots[i - 1] is the object i; all below protected by table_lock */
	uint32_t slot_count;
	uint32_t slot_room;
	int64_t last_used_ms; /* greatest used_ms ever given */
	int64_t used_saved_ms;
	uint64_t in_use; /* bytes */
	uint64_t evictions;

	pthread_mutex_t evict_lock;
	void (*evicted)(
		void *payload, uint32_t object, bool gone); /* set once before threads start */
	void *evicted_payload;
};

/* store_file.c */
int file_choose(struct store *s, struct error *err);    /* locks the first free name, sets path */
int file_keep_lock(struct store *s, struct error *err); /* locks again if the lock was removed */
int file_make(struct store *s, struct error *err);      /* throws away and makes an empty one */
int file_take(struct store *s, bool *ret_empty, struct error *err); /* checks, makes if missing */
void file_remove(struct store *s);
bool file_is_ours(const struct store *s); /* the path still names the file that was opened */

/* store_schema.c */
enum schema_state { SCHEMA_GOOD, SCHEMA_NONE, SCHEMA_OTHER_VERSION, SCHEMA_DAMAGED };
int schema_make(struct conn *c, struct error *err);
int schema_judge(struct conn *c, enum schema_state *ret, struct error *err);
int schema_set_clean(struct conn *c, bool clean, struct error *err);

/* store_pool.c */
int conn_open_writer(struct store *s, struct error *err);
void conn_close(struct conn *c);
void pool_close_all(struct store *s); /* gate held alone */
int conn_exec(struct conn *c, const char *sql, struct error *err);
int reader_take(struct store *s, struct conn **ret, struct error *err);
int writer_take(struct store *s, struct conn **ret, struct error *err);
void conn_give(struct conn *c); /* of either kind; NULL is fine */
DEFINE_PTR_CLEANER(conn, struct conn, conn_give)

/* store_sql.c: binding letters are i (int64_t), t (text, may be NULL), b (pointer, size_t). Bound
 * memory is borrowed until the statement is reset. */
int sql_error(struct conn *c, int code, struct error *err);
int sql_damaged(struct conn *c, const char *what, struct error *err);
int sql_prepare(struct conn *c, enum stmt which, sqlite3_stmt **ret, struct error *err);
int sql_bind(struct conn *c, enum stmt which, sqlite3_stmt **ret, struct error *err,
	const char *kinds, ...);
int sql_step(struct conn *c, sqlite3_stmt *st, struct error *err); /* 1: a row, 0: end */
int sql_run(struct conn *c, enum stmt which, struct error *err, const char *kinds, ...);
int sql_number(struct conn *c, enum stmt which, uint64_t *ret, struct error *err);
void sql_text(sqlite3_stmt *st, int column, char *dst, size_t size);
int tx_begin(struct conn *c, struct error *err);
/* Commits if r is 0, else rolls back; returns r or the commit's failure. */
int tx_end(struct conn *c, int r, struct error *err);
void sql_reset(sqlite3_stmt *st);
DEFINE_PTR_CLEANER(stmt, sqlite3_stmt, sql_reset)

/* store_wal.c; writer_lock held except for wal_cut, called with no lock. */
void wal_watch(struct store *s);
void wal_fold(struct store *s);
bool wal_is_long(const struct store *s);
void wal_cut(struct store *s);

/* store_table.c */
int table_add(struct store *s, uint32_t index, const struct slot *slot); /* steals slot->name */
void table_drop_last(struct store *s, uint32_t index);
void table_clear(struct store *s);
bool table_get(struct store *s, uint32_t index, struct slot *ret); /* name borrowed */
void table_set_counts(struct store *s, uint32_t index, const struct slot *now);
uint32_t table_next_index(struct store *s);
uint32_t table_oldest(struct store *s, uint32_t keep); /* 0: none */
void table_set_sweep(struct store *s, uint32_t index, uint32_t generation, uint64_t row);
void table_set_evicting(struct store *s, uint32_t index, bool evicting);
void table_forget_rows(struct store *s); /* the file is empty now */
int table_load(struct conn *c, struct error *err);
int table_save_all(struct conn *c, struct error *err); /* into an empty file */
int table_save_used(struct conn *c, bool now, struct error *err);
int table_measure(struct conn *c, struct error *err); /* sets in_use */

/* store_record.c; the columns of struct store_record come first, in its order, then these. */
#define COLUMN_TAG     6
#define COLUMN_HELD    7
#define COLUMN_LAST    8 /* generation or body */
#define RECORD_COLUMNS "r.key,r.id,r.stamp_ms,r.hash,r.size,r.checked_ms,r.tag,r.held"
int record_from_row(struct conn *c, sqlite3_stmt *st, struct store_record *ret, struct error *err);

/* store_write.c: rows of one object change; the counts follow in the same transaction. */
struct change {
	struct conn *c;
	uint32_t object;
	struct slot before;
	struct slot now; /* counts and next row as they will be */
};
int change_begin(struct conn *c, uint32_t object, struct change *ret, struct error *err);
int change_end(struct change *ch, int r, struct error *err); /* as tx_end */

/* store_evict.c: called with no lock held. */
void evict(struct store *s, uint32_t keep);

#endif
