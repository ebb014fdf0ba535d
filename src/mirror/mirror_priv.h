/* SPDX-License-Identifier: MIT */
/*
 * What the files of the mirror share.
 *
 * An object (a directory) owns one lock for everything that changes about it and one condition that
 * is broadcast when any of its flights lands. Lock order: mirror.save_lock, then object.lock or
 * mirror.lock (never both); news and breaker locks are leaves. The store and the remote are called
 * under none of them, with one exception: save_lock orders the saves of object states.
 */
#ifndef FORCEFS_MIRROR_PRIV_H
#define FORCEFS_MIRROR_PRIV_H

#include <pthread.h>
#include <stdatomic.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/pool.h"
#include "forcefs/mirror/mirror.h"
#include "forcefs/model/catalog.h"
#include "forcefs/model/schema.h"

/* How far back a check for changes looks before the last one: commits become visible late
 * (salesforce-api.md 3.6 asks for 1 to 5 minutes). */
#define OVERLAP_MS (5 * 60 * 1000)
/* Salesforce keeps the delete log for 15 days; after 14 the object is listed again. */
#define LONGEST_SPAN_MS (INT64_C(14) * 24 * 3600 * 1000)
/* A describe older than this is asked for again before the org is asked with its fields. */
#define DESCRIBE_TRUST_MS (10 * 60 * 1000)
/* How long an access waits for a check while it could answer from the cache. */
#define CHECK_PATIENCE_MS 2000
/* After a failed check the next one is not tried before this. */
#define CHECK_BACKOFF_MS 5000
/* Ids of one scattered read; Salesforce takes 2000 (salesforce-api.md 2.8). */
#define GATHER_MAX 2000
/* When several wait already, at least so long between the starts of two scattered reads. */
#define GATHER_WINDOW_MS 50

struct object;

/* One question that many may wait for: at most one thread asks it, see flight.c. */
struct flight {
	struct mirror *mirror;
	pthread_mutex_t *lock; /* the subject's; protects all below but job and cancel */
	pthread_cond_t *cond;
	int (*run)(struct flight *f, const struct until *until, struct error *err);
	void *subject;
	struct pool_job job;
	struct cancel cancel; /* fired when the mirror closes */
	bool flying;
	uint64_t landed;   /* flights that have ended */
	uint64_t progress; /* moves while a long flight gets on: who waits goes on waiting */
	int64_t began_ms;  /* monotonic */
	int result;        /* of the last that landed */
	struct error err;
};

/* One who waits for one record; lives on the waiter's stack, linked under object.lock. */
struct want {
	struct id id;
	struct want *next, *prev;
	struct want **head; /* the list it is in, NULL when in none */
	bool done;
	int result;
	struct error err;
};

enum save_kind { SAVE_UPDATE, SAVE_CREATE, SAVE_REMOVE };

/* One change on its way to the org; shared by who waits for it and the thread that sends it. */
struct save {
	enum save_kind kind;
	struct id id;    /* of a create: filled when it was made */
	struct buf json; /* the fields to send */
	int64_t unmodified_since_ms;
	struct schema *schema;
	/* protected by object.lock */
	int refs;
	bool sent, done;
	bool read_back; /* the record as it is afterwards is in the store */
	int result;
	struct error err;
	struct save *next;
};

struct object {
	struct mirror *mirror;
	uint32_t index; /* set once */
	char name[81];  /* set once */
	pthread_mutex_t lock;
	pthread_cond_t cond;
	/* all below protected by lock */
	struct catalog_entry entry; /* flags and prefix; name and label are not used */
	bool exists;                /* in the catalogue, and within `objects` */
	bool hidden;                /* by `hide` */
	struct store_object
		state;         /* as saved; state.next is the next page of the running listing */
	struct schema *schema; /* NULL until needed */
	char describe_modified[64];
	int64_t describe_checked_ms; /* wall clock */
	bool refill;  /* rows were rendered by an older schema: list again before showing */
	int restarts; /* of the running listing, because the org had lost the place */
	bool going;   /* its rows are being evicted: what is written now may go with them */
	bool relist;  /* a listing that was complete is being listed again */
	int64_t relist_began_ms; /* the org's clock */
	int64_t stale_before_ms; /* rows answered before this are not believed; wall clock */
	int64_t doubted_ms;      /* neither a check nor a row's own answer from before this proves
				     anything; wall clock */
	int64_t fill_began_ms;   /* wall clock when the running listing began */
	int64_t fill_active_ms;  /* wall clock when the last page came */
	uint64_t page_first_row; /* first new row of the last page */
	uint64_t fill_records;   /* brought by the running listing since the mount */
	int64_t fill_claimed;    /* records that there are, says the org */
	int64_t next_check_ms;   /* monotonic; no check before it */
	int64_t mtime_ms;
	struct flight describe, page, check;
	/* scattered reads */
	struct want *waiting, *asked;
	unsigned waiting_count;
	bool gathering;
	int64_t gather_began_ms; /* monotonic */
	struct pool_job gather_job;
	struct cancel gather_cancel;
	/* saves, creates and deletes, in the order they came */
	struct save *saves_first, *saves_last;
	unsigned saves_waiting;
	bool saving;
	int64_t saves_began_ms; /* monotonic */
	struct pool_job save_job;
	struct cancel save_cancel;
};

struct news_queue {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct news *items; /* ring */
	size_t cap, head, count;
	uint64_t pushed, passed;
	bool handed_out; /* one item is being passed on */
	bool stopped;
};

struct breaker {
	pthread_mutex_t lock;
	int failures;             /* network failures in a row */
	int64_t open_until_ms;    /* monotonic */
	int64_t offline_since_ms; /* wall clock; 0 while the network is believed to be there */
	bool stuck;               /* somebody lost patience, and no answer came since */
	struct error last;        /* the last failure of any kind */
	int64_t last_ms;
};

struct missing {
	uint32_t object;
	struct id id;
	int64_t until_ms; /* monotonic */
};
#define MISSING_MAX 256

/* A record that this mount deleted, see gather.c. */
struct removed {
	uint32_t object;
	struct id id;
	int64_t at_ms; /* wall clock */
};
#define REMOVED_MAX 1024

/* What a running program saved last of a record: see author.c. */
struct author {
	uint64_t who, key;
	struct buf text, seen; /* see patch_learn */
	uint64_t used;
};
#define AUTHORS_MAX 64
struct authors {
	pthread_mutex_t lock;
	/* protected by lock */
	struct author list[AUTHORS_MAX]; /* who 0: free */
	uint64_t clock;                  /* of uses */
	size_t bytes;
};

/* A body that is being fetched or read, see bodies.c. */
struct body {
	struct mirror *mirror;
	uint64_t key; /* set once, as id */
	struct id id;
	struct pool_job job;
	struct cancel cancel;
	pthread_cond_t cond;
	/* protected by bodies.lock */
	int64_t stamp_ms; /* of the record that it belongs to */
	int64_t size;     /* as described; -1: not known */
	int fd;           /* -1: nothing here yet */
	uint64_t have;    /* bytes in fd */
	bool whole, loading, named;
	int result; /* of the last download that failed; 0: none */
	struct error err;
	int64_t failed_ms; /* monotonic */
	int refs;          /* of who reads or loads it */
	bool listed;       /* in the list; who is last frees it if not */
	struct body *next; /* used longer ago */
	struct body *next_load;
};

struct bodies {
	pthread_mutex_t lock;
	/* protected by lock */
	struct body *first; /* the last used first */
	struct body *loads;
	bool stopping;
	/* set once */
	uint64_t limit_bytes;
	struct blobs *blobs;
	struct blobs *own; /* the same, where the mirror made it; else NULL */
	struct pool *pool; /* downloads: their own, so that long ones hold up no question */
};

struct mirror {
	atomic_int_fast64_t ttl_ms;
	int timeout_ms;
	char *objects_pattern, *hide_pattern;
	bool may_update, may_create, may_delete;
	const struct remote *remote;
	struct store *store;
	struct pool *pool;

	pthread_mutex_t lock;
	pthread_cond_t cond;
	/* protected by lock */
	struct catalog *catalog; /* NULL until known */
	char catalog_modified[64];
	int64_t catalog_checked_ms;    /* wall clock */
	int64_t catalog_next_check_ms; /* monotonic; after a failure */
	struct object **table;         /* by index, STORE_OBJECT_MAX + 1 places */
	uint32_t index_max;
	struct flight catalog_flight, limits_flight;
	struct buf limits_raw;
	struct limits limits;
	int64_t limits_ms;                   /* monotonic; 0: never */
	struct missing missing[MISSING_MAX]; /* ring of records that the org said are not there */
	unsigned missing_next;
	struct removed removed[REMOVED_MAX]; /* ring */
	unsigned removed_next;

	pthread_mutex_t save_lock;
	pthread_mutex_t mend_lock;
	struct news_queue news;
	struct breaker breaker;
	struct authors authors;
	int64_t doubted_before_ms; /* set once; wall clock, 0: never; see crash.c */
	atomic_bool marked;        /* in the store, see crash.c */
	atomic_bool unsure;        /* the mark stays for the next mount */
	struct bodies bodies;
	atomic_uint_fast64_t hits, misses, checks, downloads;
	atomic_bool closing;
};

/* flight.c */
void flight_init(struct flight *f, struct mirror *m, pthread_mutex_t *lock, pthread_cond_t *cond,
	int (*run)(struct flight *, const struct until *, struct error *), void *subject);
void flight_release(struct flight *f);
/* Waits for the flight under way, or for a new one. until must not be NULL. */
int flight_join(struct flight *f, const struct until *until, struct error *err);
/* The same from inside another flight: flies in this thread if nobody does yet. */
int flight_fly(struct flight *f, const struct until *until, struct error *err);
/* Joins one for an answer that is better than the known one, but can be done without: waits a
 * while, and not at all while the org is known to be stuck. 0 or -EINTR. */
int flight_join_briefly(struct flight *f, const struct until *until, struct error *err);
/* Starts one unless one is under way; waits for nothing. */
void flight_start(struct flight *f);
/* Tells those who wait that the flight gets on. */
void flight_progress(struct flight *f);
/* The patience of work done by the mirror itself, from now. */
struct until mirror_patience(struct mirror *m, struct cancel *cancel);
/* The earlier of until and ms from now. */
struct until until_within(const struct until *until, int64_t ms);

/* breaker.c */
int breaker_enter(struct mirror *m, struct error *err);
/* Notes the outcome of a request and returns it. */
int breaker_note(struct mirror *m, int r, const struct error *err);
void breaker_note_stuck(struct mirror *m);
bool breaker_is_stuck(struct mirror *m);

/* objects.c */
struct object *object_by_index(struct mirror *m, uint32_t index); /* NULL if there is none */
int object_save(struct object *o, struct error *err);
/* Under o->lock: the listing has to begin anew. */
void object_forget_listing(struct object *o);
/* Of the listing under way or done; moves on when it is forgotten. */
uint32_t object_generation(struct object *o);
/* Waits until its rows are gone if it is being evicted, which takes a moment. */
void object_await_eviction(struct object *o);
void object_free(struct object *o);
int catalog_run(struct flight *f, const struct until *until, struct error *err);
int catalog_load(struct mirror *m, struct error *err);
/* Our clock up to which the object's rows as a whole are true; 0 if it was never listed. */
int64_t object_true_ms(const struct object *o);
/* How long the listing as a whole may be believed, ms. Under o->lock. */
int64_t object_whole_fresh_ms(const struct object *o);
/* How long what is known of a row may be believed, ms. Under o->lock. */
int64_t object_fresh_ms(const struct object *o, int64_t row_checked_ms);

/* describe.c */
int describe_run(struct flight *f, const struct until *until, struct error *err);
/* The schema, asked for if unknown or too old to trust; new reference. From inside flights. */
int object_schema(
	struct object *o, const struct until *until, struct schema **ret, struct error *err);
/* The schema as it is known, however old; else as object_schema. For questions that ask about the
 * describe themselves. */
int object_schema_known(
	struct object *o, const struct until *until, struct schema **ret, struct error *err);
/* The schema without asking for it: from memory or the store. -ENOENT (no text). */
int object_schema_peek(struct object *o, struct schema **ret);
/* Forgets how fresh the describe is, so that the next object_schema asks. */
void object_doubt_schema(struct object *o);

/* intake.c: records from the org into the store */
struct intake {
	struct object *object;
	const struct schema *schema;
	uint32_t generation;
	int64_t asked_ms;  /* wall clock when the question was put */
	bool tell;         /* changed and deleted rows are news for the kernel */
	bool answered_now; /* rows count as answered when they are written, whatever generation says;
			      see save.c */
	struct buf scratch, bodies;
	struct store_put *rows;
	size_t *offsets;
	size_t count;
	char (*gone)[19];
	size_t gone_count;
	struct id *seen; /* the caller's, or NULL: Ids of the live records given, as they came */
	size_t seen_count, seen_max;
	uint64_t added, changed, deleted; /* so far */
	uint64_t renamed;                 /* bodies that are called otherwise now */
	uint64_t first_row;               /* first new row; 0: none yet */
};
int intake_init(struct intake *in, struct object *o, const struct schema *schema,
	uint32_t generation, struct error *err);
void intake_release(struct intake *in);
int intake_record(void *payload, const char *json, size_t len, struct error *err);
int intake_deleted(void *payload, const struct id *id, struct error *err);
int intake_flush(struct intake *in, struct error *err);
DEFINE_CLEANER(intake, struct intake, intake_release)

/* listing.c */
int page_run(struct flight *f, const struct until *until, struct error *err);
/* Lists the whole object anew, page by page; `own` is the flight that makes progress. */
int listing_again(
	struct object *o, struct flight *own, const struct until *until, struct error *err);

/* check.c */
int check_run(struct flight *f, const struct until *until, struct error *err);
int object_check(struct object *o, const struct until *until, struct error *err);

/* records.c */
void record_show(struct object *o, const struct store_record *rec, struct mirror_record *ret);
/* The record as it is known, however old; -ESTALE when it is gone. */
int record_known(struct mirror *m, uint64_t key, struct mirror_record *ret, struct error *err);

/* gather.c */
int gather_fetch(
	struct object *o, const struct id *id, const struct until *until, struct error *err);
void gather_run(struct pool_job *job);
bool missing_known(struct mirror *m, uint32_t object, const struct id *id);
void missing_add(struct mirror *m, uint32_t object, const struct id *id);
void missing_drop(struct mirror *m, uint32_t object, const char *id18);
void removed_add(struct mirror *m, uint32_t object, const struct id *id);
/* True if it was deleted since the question that was asked at this time (wall clock). */
bool removed_since(struct mirror *m, uint32_t object, const char *id18, int64_t asked_ms);

/* crash.c */
void crash_look(struct mirror *m);  /* before objects are loaded */
void crash_mark(struct mirror *m);  /* before a change is sent */
void crash_clear(struct mirror *m); /* at the end, when none is under way */
void crash_doubt(const struct mirror *m, struct object *o);

/* save.c */
void save_run(struct pool_job *job);
/* A change may have been made: what is cached of the object is asked for again. */
void object_doubt_records(struct object *o);
struct save *save_new(enum save_kind kind, struct schema *schema, struct error *err);
void save_drop(struct object *o, struct save *s);
/* Sends s and waits for its own result. */
int save_send(struct object *o, struct save *s, const struct until *until, struct error *err);
/* The same, again when the record's row is locked by another transaction. */
int save_send_patiently(
	struct object *o, struct save *s, const struct until *until, struct error *err);
/* If the org did not send the record along: reads it, so that the store has what is true. */
int save_read_back(struct object *o, struct save *s, const struct until *until, struct error *err);
/* What If-Unmodified-Since compares with, of a record's text; 0 if it has none. */
int64_t save_modified_ms(struct json_slice text);
int object_writable(struct object *o, struct error *err);
int save_show(struct object *o, const struct id *id, struct mirror_record *ret, struct error *err);

/* save_assume.c */
/* s was carried out, but the record could not be read: until it can be, it is shown with what was
 * sent. 0 or -errno; the next access asks the org in either case. */
int save_assume(struct object *o, const struct save *s, uint64_t key);

/* author.c */
void authors_init(struct authors *a);
void authors_release(struct authors *a);
/* 1 and both texts appended, or 0 if the author has not saved this record lately. -ENOMEM, -EFBIG.
 */
int author_find(struct authors *a, uint64_t who, uint64_t key, struct buf *text, struct buf *seen);
/* Copies the texts; without room it forgets instead. */
void author_note(struct authors *a, uint64_t who, uint64_t key, const struct buf *text,
	const struct buf *seen);

/* bodies.c */
int body_table_init(struct mirror *m, struct blobs *blobs, struct error *err);
void body_table_stop(struct mirror *m); /* ends all downloads */
void body_table_release(struct mirror *m);
/* The record has changed, or (INT64_MIN) is gone: only the body of this stamp is worth keeping. */
void body_table_drop(struct mirror *m, const char *id18, int64_t but_stamp_ms);
/* What the org has now is in fd: no download is needed. */
void body_table_adopt(struct mirror *m, const struct mirror_record *rec, int fd);
void body_put(struct body *b); /* gives a reference back */
/* A descriptor (the caller's) of the record's body if it is here as a whole; -1 if not. */
int body_table_peek(struct mirror *m, const struct mirror_record *rec);
/* Under bodies.lock: has it fetched. */
void body_load_start(struct body *b);
/* The size of a body that is here; -1. */
int64_t body_known_size(struct mirror *m, const struct store_record *rec);

/* news.c */
int news_init(struct news_queue *q, struct error *err);
void news_release(struct news_queue *q);
void news_push(
	struct mirror *m, enum news_kind kind, uint32_t object, uint64_t key, const char *id18);

/* Runs `expression`, which writes to the store; if the disk is full the store goes on in memory, if
 * its file is damaged it is made anew, and it is run once more. No object's lock may be held. */
#define WITH_ROOM(m, r, expression)                                                                \
	do {                                                                                       \
		bool on_disk_ = store_on_disk((m)->store);                                         \
		(r) = (expression);                                                                \
		if (((r) == -ENOSPC && on_disk_ && mirror_leave_disk(m) == 0) ||                   \
			((r) == -EUCLEAN && mirror_mend(m, NULL) == 0)) {                          \
			(r) = (expression);                                                        \
		}                                                                                  \
	} while (0)

/* mirror.c */
/* The store's disk is full: forgets what was cached and goes on in memory. */
int mirror_leave_disk(struct mirror *m);
/* The store said -EUCLEAN: makes it anew and forgets what was cached. */
int mirror_mend(struct mirror *m, struct error *err);
int limits_run(struct flight *f, const struct until *until, struct error *err);

#endif
