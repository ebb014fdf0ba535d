/* SPDX-License-Identifier: MIT */
/* The test double of the mirror: objects and records in memory. */
#include "fake_mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/hash.h"
#include "forcefs/base/scope.h"

#define OBJECTS  3
#define NEWS_MAX 4096
#define STAMP_MS INT64_C(1782900000000)

struct mirror {
	struct fake_knobs knobs;
	unsigned records;
	size_t body_bytes;
	int64_t born_ms;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	/* protected by lock */
	unsigned *versions[OBJECTS + 1]; /* of each row; 0: deleted */
	struct news news[NEWS_MAX];
	unsigned pushed, taken, passed;
	bool stopped;
};

static const char *const names[] = {NULL, "Account", "Contact", "Refused"};
static const char *const prefixes[] = {NULL, "001", "003", "00X"};

struct mirror *fake_mirror_new(unsigned records, size_t body_bytes, struct fake_knobs **ret_knobs)
{
	struct mirror *m = calloc(1, sizeof(*m));
	pthread_mutex_init(&m->lock, NULL);
	clock_cond_init(&m->cond);
	m->records = records;
	m->body_bytes = body_bytes;
	m->born_ms = clock_wall_ms();
	m->knobs.fresh_ms = 60000;
	for (int o = 1; o <= OBJECTS; o++) {
		m->versions[o] = calloc(records + 1, sizeof(unsigned));
		for (unsigned i = 1; i <= records; i++) {
			m->versions[o][i] = 1;
		}
	}
	*ret_knobs = &m->knobs;
	return m;
}

void fake_mirror_free(struct mirror *m)
{
	for (int o = 1; o <= OBJECTS; o++) {
		free(m->versions[o]);
	}
	pthread_cond_destroy(&m->cond);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

void fake_id(uint32_t object, uint64_t row, char ret[19])
{
	char id15[16];
	struct id id;
	snprintf(id15, sizeof(id15), "%s%012llu", prefixes[object], (unsigned long long)row);
	id_parse(id15, 15, &id);
	memcpy(ret, id.text, 19);
}

static uint64_t row_of(const struct id *id)
{
	return strtoull((char[13]){id->text[3], id->text[4], id->text[5], id->text[6], id->text[7],
				id->text[8], id->text[9], id->text[10], id->text[11], id->text[12],
				id->text[13], id->text[14], 0},
		NULL, 10);
}

/* The org is asked: waits, fails, or not. */
static int ask(struct mirror *m, const struct until *until, struct error *err)
{
	if (!until) {
		return -EWOULDBLOCK;
	}
	atomic_fetch_add(&m->knobs.asked, 1);
	atomic_fetch_add(&m->knobs.waiting, 1);
	int64_t begin_ms = clock_mono_ms();
	int r = 0;
	until_watch(until, &m->lock, &m->cond);
	pthread_mutex_lock(&m->lock);
	for (;;) {
		int delay_ms = m->knobs.delay_ms;
		int64_t end_ms = delay_ms < 0 ? INT64_MAX : begin_ms + delay_ms;
		if (clock_mono_ms() >= end_ms) {
			break;
		}
		struct until nap = {.cancel = until->cancel};
		nap.deadline_ms = end_ms < until->deadline_ms ? end_ms : until->deadline_ms;
		r = until_wait(&nap, &m->cond, &m->lock, err);
		if (r < 0 && !(r == -ETIMEDOUT && nap.deadline_ms == end_ms)) {
			break;
		}
		r = 0;
	}
	pthread_mutex_unlock(&m->lock);
	until_unwatch(until);
	atomic_fetch_sub(&m->knobs.waiting, 1);
	int fail = m->knobs.fail_errno;
	return r < 0  ? r
	       : fail ? error_set_code(err, fail, 503, "SERVER_UNAVAILABLE", "the org is away")
		      : 0;
}

/* ---- objects ---- */

int mirror_object_by_index(struct mirror *m, uint32_t index, struct mirror_object *ret)
{
	if (index < 1 || index > OBJECTS) {
		return -ENOENT;
	}
	*ret = (struct mirror_object){
		.index = index, .updateable = index != 2, .mtime_ms = m->born_ms};
	snprintf(ret->name, sizeof(ret->name), "%s", names[index]);
	snprintf(ret->key_prefix, sizeof(ret->key_prefix), "%s", prefixes[index]);
	return 0;
}

int mirror_object_next(struct mirror *m, uint32_t after, const struct until *until,
	struct mirror_object *ret, struct error *err)
{
	(void)until;
	(void)err;
	return mirror_object_by_index(m, after + 1, ret) == 0;
}

int mirror_object_find(struct mirror *m, const char *name, const struct until *until,
	struct mirror_object *ret, struct error *err)
{
	(void)until;
	(void)err;
	for (uint32_t i = 1; i <= OBJECTS; i++) {
		if (strcmp(names[i], name) == 0) {
			return mirror_object_by_index(m, i, ret);
		}
	}
	return -ENOENT;
}

int mirror_object_check(
	struct mirror *m, uint32_t index, const struct until *until, struct error *err)
{
	(void)index;
	if (!m->knobs.due) {
		return 0;
	}
	int r = ask(m, until, err);
	if (r == -EWOULDBLOCK || r == -EINTR) {
		return r;
	}
	m->knobs.due = false;
	return 0;
}

int64_t mirror_object_fresh_ms(struct mirror *m, uint32_t index)
{
	(void)index;
	return m->knobs.fresh_ms;
}

int mirror_describe(struct mirror *m, uint32_t index, const struct until *until, struct buf *out,
	struct error *err)
{
	(void)m;
	(void)until;
	(void)err;
	return buf_addf(out, "{\"name\":\"%s\",\"fields\":[]}", names[index]);
}

/* ---- records ---- */

static void fill_body(struct mirror *m, const char *id, unsigned version, struct buf *out)
{
	static const char filler[] = "\",\n  \"Filler\": \"";
	buf_addf(out, "{\n  \"Id\": \"%s\",\n  \"Version\": \"%u", id, version);
	size_t tail = strlen("\"\n}\n");
	if (out->len + strlen(filler) + tail < m->body_bytes) {
		buf_add_str(out, filler);
		size_t n = m->body_bytes - out->len - tail;
		buf_reserve(out, n);
		memset(out->data + out->len, 'a' + (int)(version % 26), n);
		out->len += n;
	}
	buf_add_str(out, "\"\n}\n");
}

/* 0, or -ENOENT. */
static int fill_record(struct mirror *m, uint32_t object, uint64_t row, struct mirror_record *ret,
	struct buf *body)
{
	pthread_mutex_lock(&m->lock);
	unsigned version = row >= 1 && row <= m->records ? m->versions[object][row] : 0;
	pthread_mutex_unlock(&m->lock);
	if (!version) {
		return -ENOENT;
	}
	AUTO(buf) struct buf own;
	buf_init(&own, SIZE_MAX);
	struct buf *b = body ? body : &own;
	*ret = (struct mirror_record){.key = store_key(object, row),
		.stamp_ms = STAMP_MS + version * 1000,
		.hash = version * UINT64_C(1000003) + row,
		.fresh_ms = m->knobs.fresh_ms};
	fake_id(object, row, ret->id);
	if (body || m->body_bytes < 64) {
		fill_body(m, ret->id, version, b);
		ret->size = b->len;
	} else {
		ret->size = m->body_bytes;
	}
	if (body) {
		atomic_fetch_add(&m->knobs.reads, 1);
	}
	return 0;
}

int mirror_record_find(struct mirror *m, uint32_t object, const struct id *id,
	const struct until *until, struct mirror_record *ret, struct error *err)
{
	if (m->knobs.cold_records) {
		int r = ask(m, until, err);
		if (r < 0) {
			return r;
		}
	}
	return fill_record(m, object, row_of(id), ret, NULL);
}

int mirror_record_get(struct mirror *m, uint64_t key, const struct until *until,
	struct mirror_record *ret, struct buf *body, struct error *err)
{
	if (m->knobs.cold_records && body) {
		int r = ask(m, until, err);
		if (r < 0) {
			return r;
		}
	}
	int r = fill_record(m, store_key_object(key), store_key_row(key), ret, body);
	return r < 0 ? -ESTALE : 0;
}

/* Takes any text, remembers it, and changes nothing. */
int mirror_record_save(struct mirror *m, uint64_t key, uint64_t author, struct json_slice base,
	struct json_slice edited, const struct until *until, struct mirror_record *ret,
	struct error *err)
{
	(void)base;
	(void)author;
	int r = ask(m, until, err);
	if (r < 0) {
		return r;
	}
	snprintf(m->knobs.saved, sizeof(m->knobs.saved), "%.*s", (int)edited.len, edited.text);
	m->knobs.saves++;
	if (m->knobs.refuse_saves) {
		return error_set_code(
			err, EINVAL, 400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", "the fake refuses");
	}
	fill_record(m, store_key_object(key), store_key_row(key), ret, NULL);
	return 0;
}

int mirror_record_create(struct mirror *m, uint32_t object, const char *text, size_t len,
	const struct until *until, struct mirror_record *ret, struct error *err)
{
	(void)m;
	(void)object;
	(void)text;
	(void)len;
	(void)until;
	(void)ret;
	return error_set(err, EPERM, "the fake makes no records");
}

int mirror_record_delete(
	struct mirror *m, uint64_t key, const struct until *until, struct error *err)
{
	(void)m;
	(void)key;
	(void)until;
	return error_set(err, EPERM, "the fake deletes no records");
}

int mirror_record_next(struct mirror *m, uint32_t object, uint64_t after, const struct until *until,
	struct mirror_record *ret, int max, struct error *err)
{
	if (object == 3) {
		return error_set_code(
			err, EPERM, 400, "MALFORMED_QUERY", "Refused cannot be listed as a whole");
	}
	if (m->knobs.cold_lists) {
		int r = ask(m, until, err);
		if (r < 0) {
			return r;
		}
	}
	int n = 0;
	for (uint64_t row = after + 1; row <= m->records && n < max; row++) {
		n += fill_record(m, object, row, &ret[n], NULL) == 0;
	}
	return n;
}

int mirror_record_url(struct mirror *m, uint32_t object, const char *id, struct buf *out)
{
	(void)m;
	return buf_addf(out, "https://example.invalid/lightning/r/%s/%s/view", names[object], id);
}

/* ---- news ---- */

void fake_push(struct mirror *m, const struct news *news)
{
	LOCK_SCOPE(&m->lock);
	m->news[m->pushed++ % NEWS_MAX] = *news;
	pthread_cond_broadcast(&m->cond);
}

static void touch(struct mirror *m, uint32_t object, uint64_t row, enum news_kind kind)
{
	struct news news = {.kind = kind, .object = object, .key = store_key(object, row)};
	fake_id(object, row, news.id);
	pthread_mutex_lock(&m->lock);
	unsigned *version = &m->versions[object][row];
	*version = kind == NEWS_DELETED ? 0 : *version + 1;
	pthread_mutex_unlock(&m->lock);
	fake_push(m, &news);
}

void fake_change(struct mirror *m, uint32_t object, uint64_t row)
{
	touch(m, object, row, NEWS_CHANGED);
}

void fake_delete(struct mirror *m, uint32_t object, uint64_t row)
{
	touch(m, object, row, NEWS_DELETED);
	fake_push(m, &(struct news){.kind = NEWS_LISTING, .object = object});
}

int mirror_news_next(struct mirror *m, struct news *ret)
{
	LOCK_SCOPE(&m->lock);
	m->passed = m->taken;
	pthread_cond_broadcast(&m->cond);
	while (!m->stopped && m->taken == m->pushed) {
		pthread_cond_wait(&m->cond, &m->lock);
	}
	if (m->stopped) {
		return 0;
	}
	*ret = m->news[m->taken++ % NEWS_MAX];
	return 1;
}

void mirror_news_drain(struct mirror *m, const struct until *until)
{
	struct until most = *until;
	int64_t end_ms = clock_mono_ms() + 2000;
	most.deadline_ms = end_ms < most.deadline_ms ? end_ms : most.deadline_ms;
	atomic_fetch_add(&m->knobs.drains, 1);
	until_watch(&most, &m->lock, &m->cond);
	pthread_mutex_lock(&m->lock);
	unsigned goal = m->pushed;
	while (!m->stopped && m->passed < goal &&
		until_wait(&most, &m->cond, &m->lock, NULL) == 0) {
	}
	pthread_mutex_unlock(&m->lock);
	until_unwatch(&most);
}

void mirror_news_stop(struct mirror *m)
{
	LOCK_SCOPE(&m->lock);
	m->stopped = true;
	pthread_cond_broadcast(&m->cond);
}

/* ---- status ---- */

int mirror_limits(struct mirror *m, const struct until *until, struct limits *ret, struct buf *raw,
	struct error *err)
{
	if (m->knobs.cold_lists) {
		int r = ask(m, until, err);
		if (r < 0) {
			return r;
		}
	}
	*ret = (struct limits){.has_data_storage = true, .data_max_mb = 1024, .data_left_mb = 1000};
	return raw ? buf_add_str(raw, "{\"DataStorageMB\":{\"Max\":1024,\"Remaining\":1000}}") : 0;
}

void mirror_set_ttl(struct mirror *m, int ttl_s)
{
	(void)m;
	(void)ttl_s;
}

void mirror_get_status(struct mirror *m, struct mirror_status *ret)
{
	*ret = (struct mirror_status){
		.usage = {.used = 7, .max = 100}, .offline = m->knobs.fail_errno};
}

int mirror_object_status(
	struct mirror *m, uint32_t after, uint32_t *ret_index, struct mirror_object_status *ret)
{
	if (after >= OBJECTS) {
		return 0;
	}
	*ret_index = after + 1;
	*ret = (struct mirror_object_status){.records = m->records, .complete = true};
	snprintf(ret->name, sizeof(ret->name), "%s", names[after + 1]);
	return 1;
}

/* ---- bodies: its records have none ---- */

int mirror_object_bodies(
	struct mirror *m, uint32_t index, const struct until *until, struct error *err)
{
	(void)m, (void)index, (void)until, (void)err;
	return 0;
}

int mirror_body_read(struct mirror *m, uint64_t key, uint64_t off, void *buf, size_t size,
	const struct until *until, size_t *ret_len, struct error *err)
{
	(void)m, (void)key, (void)off, (void)buf, (void)size, (void)until, (void)ret_len;
	return error_set(err, ESTALE, "no body");
}

int mirror_body_fetch(struct mirror *m, uint64_t key, const struct until *until, uint64_t *ret_size,
	struct error *err)
{
	(void)m, (void)key, (void)until, (void)ret_size;
	return error_set(err, ESTALE, "no body");
}

void mirror_body_opened(struct mirror *m, uint64_t key)
{
	(void)m, (void)key;
}

int mirror_new_file(struct mirror *m, int *ret_fd, struct error *err)
{
	(void)m;
	*ret_fd = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return *ret_fd < 0 ? error_errno(err, errno, "a file without a name") : 0;
}

int mirror_body_edit(struct mirror *m, uint64_t key, bool empty, const struct until *until,
	int *ret_fd, uint64_t *ret_size, struct buf *base, struct error *err)
{
	(void)m, (void)key, (void)empty, (void)until, (void)ret_fd, (void)ret_size, (void)base;
	return error_set(err, ESTALE, "no body");
}

int mirror_body_save(struct mirror *m, uint64_t key, struct json_slice base, int fd, uint64_t size,
	const struct until *until, struct mirror_record *ret, struct error *err)
{
	(void)m, (void)key, (void)base, (void)fd, (void)size, (void)until, (void)ret;
	return error_set(err, ESTALE, "no body");
}
