/* SPDX-License-Identifier: MIT */
/*
 * Bodies: the content of a record's base64 field, fetched when it is first read, on disk and never
 * in memory.
 *
 *      nothing --first read--> loading --all bytes, and as many as described--> whole
 *         ^                       |
 *         |                    broken off: reads that need more fail; the next open, or a read
 *         +-----------------------+       after a second, begins anew
 *
 * A body is loaded by one thread of a pool of its own, whoever waits for it; the remote hands it
 * its bytes (body_take), and who waits is woken as they come. The list holds the bodies that are in
 * use, and some that were: a READ of the kernel says nothing of a file that is open. What was
 * fetched is kept in the folder of blobs as well, if it fits there; what does not fit lives as long
 * as it is in the list.
 *
 * The stamp is part of what a body is: a record that has changed has another body, until somebody
 * looks. If what comes is not as long as described, the record is asked for once more: it may have
 * changed since, and then what came may be its new body.
 */
#include "mirror_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/clock.h"

#define LOAD_THREADS 8
#define LOAD_QUEUE   1000
/* A reader that failed comes back at once (the kernel asks page by page): it gets the same answer.
 */
#define FAILED_MS 1000
/* Not in use, but kept open: so many of those that have a name in the folder, ... */
#define NAMED_MAX 16
/* ... and of those that have none, but of these no more bytes than the folder may have (one may
 * always stay). */
#define NAMELESS_MAX 128

/* ---- the list, under bodies.lock ---- */

static void body_free(struct body *b)
{
	scope_close(&b->fd);
	cancel_release(&b->cancel);
	pthread_cond_destroy(&b->cond);
	free(b);
}

static void list_put(struct bodies *all, struct body *b)
{
	b->next = all->first;
	all->first = b;
	b->listed = true;
}

static struct body **list_place(struct bodies *all, uint64_t key)
{
	struct body **at = &all->first;

	while (*at && (*at)->key != key) {
		at = &(*at)->next;
	}
	return at;
}

/* Out of the list; goes when nobody uses it any more. */
static void list_drop(struct body **at)
{
	struct body *b = *at;

	*at = b->next;
	b->listed = false;
	if (b->refs == 0) {
		body_free(b);
	}
}

/* Lets go of what was used longest ago, if there is too much of it. */
static void list_trim(struct bodies *all)
{
	unsigned named = 0, nameless = 0;
	uint64_t bytes = 0;
	struct body **at = &all->first;

	while (*at) {
		struct body *b = *at;
		bool idle = b->refs == 0;
		bool go = false;
		if (idle && b->named) {
			go = ++named > NAMED_MAX;
		} else if (idle) {
			bytes += b->have;
			go = ++nameless > NAMELESS_MAX ||
			     (nameless > 1 && all->limit_bytes && bytes > all->limit_bytes);
		}
		if (go) {
			list_drop(at);
		} else {
			at = &b->next;
		}
	}
}

void body_put(struct body *b)
{
	struct bodies *all = &b->mirror->bodies;
	LOCK_SCOPE(&all->lock);

	b->refs--;
	if (b->refs == 0 && !b->listed) {
		body_free(b);
	}
	list_trim(all);
}

/* The body of this version of the record, with a reference; NULL if it is not in the list. Another
 * version of it goes. */
static struct body *list_find(struct bodies *all, uint64_t key, int64_t stamp_ms)
{
	LOCK_SCOPE(&all->lock);
	struct body **at = list_place(all, key), *b = *at;

	if (!b) {
		return NULL;
	}
	if (b->stamp_ms != stamp_ms) {
		list_drop(at);
		return NULL;
	}
	*at = b->next;
	list_put(all, b);
	b->refs++;
	return b;
}

static struct body *body_new(struct mirror *m, const struct mirror_record *rec)
{
	struct body *b = calloc(1, sizeof *b);
	uint64_t size;

	if (!b) {
		return NULL;
	}
	b->mirror = m;
	b->key = rec->key;
	memcpy(b->id.text, rec->id, sizeof b->id.text);
	b->stamp_ms = rec->stamp_ms;
	b->size = rec->body_size;
	b->fd = -1;
	b->refs = 1;
	cancel_init(&b->cancel);
	clock_cond_init(&b->cond);
	if (blobs_find(m->bodies.blobs, rec->id, rec->stamp_ms, &b->fd, &size) == 0) {
		b->whole = b->named = true;
		b->have = size;
		b->size = (int64_t)size;
	}
	return b;
}

/* With a reference; found, or made of what is on disk. */
static struct body *body_get(struct mirror *m, const struct mirror_record *rec)
{
	struct bodies *all = &m->bodies;
	struct body *b = list_find(all, rec->key, rec->stamp_ms);

	if (b) {
		return b;
	}
	struct body *made = body_new(m, rec);
	if (!made) {
		return NULL;
	}
	b = list_find(all, rec->key, rec->stamp_ms); /* somebody else was as quick */
	LOCK_SCOPE(&all->lock);
	if (b) {
		body_free(made);
		return b;
	}
	list_put(all, made);
	return made;
}

/* ---- waiting ---- */

/* Under the lock: the bytes before `end` are here. The last ones count only with the rest of the
 * answer: then it is known that there is no more and no less. */
static bool is_here(const struct body *b, uint64_t end)
{
	if (b->whole) {
		return true;
	}
	return b->loading && b->size >= 0 && end < (uint64_t)b->size && end <= b->have;
}

static bool has_failed(const struct body *b)
{
	return !b->loading && b->result < 0 && clock_mono_ms() - b->failed_ms < FAILED_MS;
}

static int tell_failure(const struct body *b, struct error *err)
{
	if (err) {
		*err = b->err;
	}
	return b->result;
}

/* Under the lock. As long as bytes come, the patience begins anew. */
static int await_bytes(struct body *b, uint64_t end, const struct until *until, struct error *err)
{
	struct until patience = *until;
	int64_t span_ms = until->deadline_ms - clock_mono_ms();
	uint64_t have = b->have;
	int r = 0;

	while (!is_here(b, end) && b->loading && r == 0) {
		r = until_wait(&patience, &b->cond, &b->mirror->bodies.lock, err);
		if (b->have != have && r != -EINTR) {
			have = b->have;
			patience.deadline_ms = clock_mono_ms() + span_ms;
			r = 0;
		}
	}
	if (is_here(b, end)) {
		return 0;
	}
	return b->loading ? r : tell_failure(b, err);
}

/* *ret_fd is a descriptor of its own: the body's is replaced when it is loaded once more. */
static int body_await(
	struct body *b, uint64_t end, const struct until *until, int *ret_fd, struct error *err)
{
	struct bodies *all = &b->mirror->bodies;
	int r = 0;

	if (until) {
		until_watch(until, &all->lock, &b->cond);
	}
	pthread_mutex_lock(&all->lock);
	if (!is_here(b, end) && has_failed(b)) {
		r = tell_failure(b, err);
	} else if (!is_here(b, end) && !until) {
		r = -EWOULDBLOCK;
	} else if (!is_here(b, end)) {
		if (!b->loading) {
			body_load_start(b);
		}
		r = await_bytes(b, end, until, err);
	}
	if (r == 0) {
		*ret_fd = fcntl(b->fd, F_DUPFD_CLOEXEC, 0);
		r = *ret_fd < 0 ? error_errno(err, errno, "reading the cached file") : 0;
	}
	pthread_mutex_unlock(&all->lock);
	if (until) {
		until_unwatch(until);
	}
	return r;
}

/* ---- the door ---- */

static int body_open(struct mirror *m, uint64_t key, struct mirror_record *rec, struct body **ret,
	struct error *err)
{
	int r = record_known(m, key, rec, err);

	if (r == 0 && !rec->ext[0]) {
		r = error_set(err, ESTALE, "the record has no file any more");
	}
	if (r < 0 || rec->body_size == 0) {
		*ret = NULL;
		return r;
	}
	*ret = body_get(m, rec);
	return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int read_fd(int fd, void *buf, size_t size, uint64_t off, size_t *ret_len, struct error *err)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)buf + done, size - done, (off_t)(off + done));
		if (n < 0) {
			return error_errno(err, errno, "reading the cached file");
		}
		if (n == 0) {
			break;
		}
		done += (size_t)n;
	}
	*ret_len = done;
	return 0;
}

int mirror_body_read(struct mirror *m, uint64_t key, uint64_t off, void *buf, size_t size,
	const struct until *until, size_t *ret_len, struct error *err)
{
	struct mirror_record rec;
	struct body *b;
	int r = body_open(m, key, &rec, &b, err);

	if (r < 0 || !b) {
		*ret_len = 0;
		return r;
	}
	AUTO_CLOSE int fd = -1;
	r = body_await(b, off + size, until, &fd, err);
	if (r == 0) {
		r = read_fd(fd, buf, size, off, ret_len, err);
	}
	body_put(b);
	return r;
}

int mirror_body_fetch(struct mirror *m, uint64_t key, const struct until *until, uint64_t *ret_size,
	struct error *err)
{
	struct mirror_record rec;
	struct body *b;
	int r = body_open(m, key, &rec, &b, err);

	if (r < 0 || !b) {
		*ret_size = 0;
		return r;
	}
	AUTO_CLOSE int fd = -1;
	r = body_await(b, UINT64_MAX, until, &fd, err);
	pthread_mutex_lock(&m->bodies.lock);
	*ret_size = b->have;
	pthread_mutex_unlock(&m->bodies.lock);
	body_put(b);
	return r;
}

void mirror_body_opened(struct mirror *m, uint64_t key)
{
	LOCK_SCOPE(&m->bodies.lock);
	struct body *b = *list_place(&m->bodies, key);

	if (b && !b->loading) {
		b->result = 0;
	}
}

/* Objects that are known to have a base64 field: only for these is a describe asked for where a
 * name alone asks for it. Elsewhere names like "<Id>.txt" are what shells and editors try out. */
static bool likely_has_bodies(const char *object)
{
	static const char *const names[] = {"Attachment", "ContentNote", "ContentVersion",
		"Document", "EventLogFile", "MailmergeTemplate", "StaticResource"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		if (strcmp(names[i], object) == 0) {
			return true;
		}
	}
	return false;
}

int mirror_object_bodies(
	struct mirror *m, uint32_t index, const struct until *until, struct error *err)
{
	struct object *o = object_by_index(m, index);
	AUTO(schema) struct schema *schema = NULL;

	if (!o) {
		return -ESTALE;
	}
	int r = object_schema_peek(o, &schema);
	if (r == -ENOENT && !likely_has_bodies(o->name)) {
		return 0;
	}
	if (r == -ENOENT && !until) {
		return -EWOULDBLOCK;
	}
	r = r == -ENOENT ? object_schema(o, until, &schema, err) : r;
	return r < 0 ? r : schema->blob_field != NULL;
}

void body_table_adopt(struct mirror *m, const struct mirror_record *rec, int fd)
{
	struct bodies *all = &m->bodies;

	body_table_drop(m, rec->id, INT64_MIN);
	bool named = blobs_keep(all->blobs, rec->id, rec->stamp_ms, fd, NULL) == 1;
	struct body *b = body_new(m, rec);
	if (!b) {
		return;
	}
	if (!b->whole) { /* it could not be kept under a name */
		b->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		b->whole = b->fd >= 0;
		b->have = (uint64_t)rec->body_size;
	}
	b->named = named;
	pthread_mutex_lock(&all->lock);
	if (*list_place(all, rec->key)) {
		list_drop(list_place(all, rec->key));
	}
	list_put(all, b);
	pthread_mutex_unlock(&all->lock);
	body_put(b);
}

int body_table_peek(struct mirror *m, const struct mirror_record *rec)
{
	struct body *b = body_get(m, rec);
	int fd = -1;

	if (b) {
		pthread_mutex_lock(&m->bodies.lock);
		fd = b->whole ? fcntl(b->fd, F_DUPFD_CLOEXEC, 0) : -1;
		pthread_mutex_unlock(&m->bodies.lock);
		body_put(b);
	}
	return fd;
}

int64_t body_known_size(struct mirror *m, const struct store_record *rec)
{
	uint64_t size;

	if (blobs_size(m->bodies.blobs, rec->id, rec->stamp_ms, &size) == 0) {
		return (int64_t)size;
	}
	LOCK_SCOPE(&m->bodies.lock);
	const struct body *b = *list_place(&m->bodies, rec->key);
	return b && b->whole && b->stamp_ms == rec->stamp_ms ? (int64_t)b->have : -1;
}

void body_table_drop(struct mirror *m, const char *id18, int64_t but_stamp_ms)
{
	blobs_drop(m->bodies.blobs, id18, but_stamp_ms);
	LOCK_SCOPE(&m->bodies.lock);
	for (struct body **at = &m->bodies.first; *at;) {
		struct body *b = *at;
		if (b->stamp_ms != but_stamp_ms && strcmp(b->id.text, id18) == 0 && !b->loading) {
			list_drop(at);
		} else {
			at = &b->next;
		}
	}
}

/* ---- the beginning and the end ---- */

int body_table_init(struct mirror *m, struct blobs *blobs, struct error *err)
{
	const struct blobs_config nowhere = {.limit_bytes = 0};
	int r = 0;

	m->bodies.blobs = blobs;
	if (!blobs) {
		r = blobs_open(&nowhere, &m->bodies.own, err);
		m->bodies.blobs = m->bodies.own;
	}
	if (r == 0) {
		struct blobs_stats stats;
		blobs_get_stats(m->bodies.blobs, &stats);
		m->bodies.limit_bytes = stats.limit_bytes;
	}
	return r < 0 ? r : pool_new("fetch", LOAD_THREADS, LOAD_QUEUE, &m->bodies.pool, err);
}

void body_table_stop(struct mirror *m)
{
	LOCK_SCOPE(&m->bodies.lock);
	m->bodies.stopping = true;
	for (struct body *b = m->bodies.loads; b; b = b->next_load) {
		cancel_fire(&b->cancel); /* nobody watches with this lock */
	}
}

void body_table_release(struct mirror *m)
{
	pool_free(m->bodies.pool);
	while (m->bodies.first) {
		m->bodies.first->refs = 0;
		list_drop(&m->bodies.first);
	}
	blobs_close(m->bodies.own);
}
