/* SPDX-License-Identifier: MIT */
/* A store from opening to closing, and making its file anew. */
#include "store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/paths.h"

#define HEAP_BYTES   (24 << 20)  /* of SQLite; beyond it page caches give way */
#define MEMORY_BYTES (256 << 20) /* at most, in place of a disk that is full */

static void init_gate(struct store *s)
{
	pthread_rwlockattr_t attr;
	pthread_rwlockattr_init(&attr);
	/* Else a steady stream of readers keeps a rebuild waiting for ever. */
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&s->gate, &attr);
	pthread_rwlockattr_destroy(&attr);
}

static void store_free(struct store *s)
{
	if (!s) {
		return;
	}
	table_clear(s);
	for (int i = 0; i < STORE_NAMES; i++) {
		free(s->paths[i]);
	}
	scope_close(&s->lock_fd);
	pthread_mutex_destroy(&s->evict_lock);
	pthread_mutex_destroy(&s->table_lock);
	pthread_cond_destroy(&s->pool_given);
	pthread_mutex_destroy(&s->pool_lock);
	pthread_mutex_destroy(&s->writer_lock);
	pthread_rwlock_destroy(&s->gate);
	free(s->name);
	free(s->dir);
	free(s);
}
DEFINE_PTR_CLEANER(store, struct store, store_free)

static struct store *store_new(const struct store_config *config)
{
	struct store *s = calloc(1, sizeof(*s));
	if (!s) {
		return NULL;
	}
	s->lock_fd = -1;
	s->path = ":memory:";
	s->limit_bytes = config->limit_bytes;
	s->writer.store = s;
	s->used_saved_ms = clock_mono_ms();
	init_gate(s);
	pthread_mutex_init(&s->writer_lock, NULL);
	pthread_mutex_init(&s->pool_lock, NULL);
	pthread_cond_init(&s->pool_given, NULL);
	pthread_mutex_init(&s->table_lock, NULL);
	pthread_mutex_init(&s->evict_lock, NULL);
	s->dir = config->dir ? strdup(config->dir) : NULL;
	s->name = strdup(config->name ? config->name : "");
	if (!s->name || (config->dir && !s->dir)) {
		store_free(s);
		return NULL;
	}
	return s;
}

/* In a folder that everyone may write to, files can be put in our way at any time. */
static int prepare_dir(const char *dir, struct error *err)
{
	struct stat st;
	int r = paths_make_dir(dir, err);
	if (r < 0) {
		return r;
	}
	if (stat(dir, &st) < 0) {
		return error_errno(err, errno, "cannot use the cache folder %s", dir);
	}
	if (st.st_mode & S_IWOTH) {
		return error_set(err, EACCES,
			"every user can write to the cache folder %s; set cache_dir to a folder "
			"of your own",
			dir);
	}
	return 0;
}

/* The writer on a file that is empty: tables made, objects that are known put back. */
static int open_empty(struct store *s, struct error *err)
{
	int r = conn_open_writer(s, err);
	if (r == 0) {
		r = schema_make(&s->writer, err);
	}
	if (r == 0) {
		r = table_save_all(&s->writer, err);
	}
	if (r < 0) {
		conn_close(&s->writer);
	}
	return r;
}

static int open_anew(struct store *s, struct error *err)
{
	int r = store_on_disk(s) ? file_make(s, err) : 0;
	return r < 0 ? r : open_empty(s, err);
}

/* The writer on a file that was found; leaves it closed unless *ret is SCHEMA_GOOD. */
static int open_found(struct store *s, enum schema_state *ret, struct error *err)
{
	enum schema_state state = SCHEMA_DAMAGED;
	struct error found = {0};
	int r = conn_open_writer(s, &found);
	if (r == 0) {
		r = conn_exec(&s->writer, "PRAGMA journal_mode=WAL", &found);
	}
	if (r == 0) {
		r = schema_judge(&s->writer, &state, &found);
	}
	if (r == 0 && state == SCHEMA_GOOD) {
		r = table_load(&s->writer, &found);
	}
	if (r == -EUCLEAN) {
		state = SCHEMA_DAMAGED;
		r = 0;
	}
	if (r < 0 && err) {
		*err = found;
	}
	if (r < 0 || state != SCHEMA_GOOD) {
		table_clear(s);
		conn_close(&s->writer);
	}
	if (r == 0) {
		*ret = state;
	}
	return r;
}

/* On a full disk the mount still serves what the file has. */
static int set_unclean(struct store *s, struct error *err)
{
	struct error full;
	int r = schema_set_clean(&s->writer, false, &full);
	if (r < 0 && r != -ENOSPC && err) {
		*err = full;
	}
	return r == -ENOSPC ? 0 : r;
}

static int open_file(struct store *s, enum store_origin *ret_origin, struct error *err)
{
	static const enum store_origin origins[] = {
		[SCHEMA_GOOD] = STORE_WARM,
		[SCHEMA_NONE] = STORE_NEW,
		[SCHEMA_OTHER_VERSION] = STORE_REBUILT_VERSION,
		[SCHEMA_DAMAGED] = STORE_REBUILT_DAMAGED,
	};
	enum schema_state state = SCHEMA_NONE;
	bool empty = false;
	int r = prepare_dir(s->dir, err);
	if (r == 0) {
		r = file_choose(s, err);
	}
	if (r == 0) {
		r = file_take(s, &empty, err);
	}
	if (r == 0 && !empty) {
		r = open_found(s, &state, err);
	}
	if (r == 0 && state != SCHEMA_GOOD) {
		r = open_anew(s, err);
	}
	if (r == 0) {
		r = set_unclean(s, err);
	}
	if (r == 0) {
		*ret_origin = origins[state];
	}
	return r;
}

int store_open(const struct store_config *config, struct store **ret, enum store_origin *ret_origin,
	struct error *err)
{
	if (config->dir && (!config->name || !*config->name || strchr(config->name, '/'))) {
		return error_set(err, EINVAL, "a cache file needs a name without a slash");
	}
	AUTO(store) struct store *s = store_new(config);
	if (!s) {
		return error_set(err, ENOMEM, "out of memory");
	}
	enum store_origin origin = STORE_NEW;
	if (s->dir) {
		sqlite3_soft_heap_limit64(HEAP_BYTES);
	}
	int r = s->dir ? open_file(s, &origin, err) : open_empty(s, err);
	if (r == 0) {
		r = table_measure(&s->writer, err);
	}
	if (r < 0) {
		conn_close(&s->writer);
		return r;
	}
	atomic_store(&s->damages, 0);
	*ret_origin = origin;
	*ret = take_ptr(&s);
	return 0;
}

/* What is left to write; a failure costs a check at the next opening and the times of use. */
static void settle(struct store *s)
{
	struct conn *c = &s->writer;
	if (store_on_disk(s) && c->db && tx_begin(c, NULL) == 0) {
		int r = table_save_used(c, true, NULL);
		tx_end(c, r == 0 ? schema_set_clean(c, true, NULL) : r, NULL);
	}
}

void store_close(struct store *s)
{
	if (!s) {
		return;
	}
	pool_close_all(s);
	settle(s);
	conn_close(&s->writer);
	if (store_on_disk(s) && atomic_load(&s->damages) > 0 && file_is_ours(s)) {
		file_remove(s);
	}
	store_free(s);
}

const char *store_path(const struct store *s)
{
	pthread_rwlock_t *gate = (pthread_rwlock_t *)&s->gate;
	pthread_rwlock_rdlock(gate);
	const char *path = s->path;
	pthread_rwlock_unlock(gate);
	return path;
}

static int rebuild(struct store *s, struct error *err)
{
	pool_close_all(s);
	conn_close(&s->writer);
	table_forget_rows(s);
	int r = store_on_disk(s) ? file_keep_lock(s, err) : 0;
	if (r == 0) {
		r = open_anew(s, err);
	}
	if (r == 0 && store_on_disk(s)) {
		r = set_unclean(s, err);
	}
	return r;
}

/* When several threads met the same damage, each calls; only the first call makes the file anew,
 * the others come too late to throw away what was stored since. */
int store_rebuild(struct store *s, struct error *err)
{
	int r = 0;
	pthread_rwlock_wrlock(&s->gate);
	unsigned damages = atomic_load(&s->damages);
	if (damages == 0 && s->excused > 0) {
		s->excused--;
	} else {
		r = rebuild(s, err);
		if (r == 0) {
			s->excused = damages > 0 ? damages - 1 : 0;
			atomic_store(&s->damages, 0);
		}
	}
	pthread_rwlock_unlock(&s->gate);
	return r;
}

bool store_on_disk(const struct store *s)
{
	return s->dir && !atomic_load(&s->left_disk);
}

/* The lock stays ours, so that no other mount writes to the file meanwhile. */
static int leave_disk(struct store *s, struct error *err)
{
	pool_close_all(s);
	conn_close(&s->writer);
	table_forget_rows(s);
	atomic_store(&s->left_disk, true);
	s->path = ":memory:";
	sqlite3_soft_heap_limit64(0);
	if (s->limit_bytes == 0 || s->limit_bytes > MEMORY_BYTES) {
		s->limit_bytes = MEMORY_BYTES;
	}
	int r = open_empty(s, err);
	r = r < 0 ? r : table_measure(&s->writer, err);
	if (r == 0) {
		s->excused = 0;
		atomic_store(&s->damages, 0);
	}
	return r;
}

int store_leave_disk(struct store *s, struct error *err)
{
	pthread_rwlock_wrlock(&s->gate);
	int r = store_on_disk(s) ? leave_disk(s, err) : 0;
	pthread_rwlock_unlock(&s->gate);
	return r;
}

void store_get_stats(struct store *s, struct store_stats *ret)
{
	LOCK_SCOPE(&s->table_lock);
	ret->file_bytes = s->in_use;
	ret->limit_bytes = s->limit_bytes;
	ret->evictions = s->evictions;
	ret->left_disk = atomic_load(&s->left_disk);
}

void store_on_evicted(
	struct store *s, void (*evicted)(void *payload, uint32_t object, bool gone), void *payload)
{
	s->evicted = evicted;
	s->evicted_payload = payload;
}
