/* SPDX-License-Identifier: MIT */
/*
 * What the kernel should be told, as data on a queue: flights push, one thread of fs takes off. The
 * queue never makes a flight wait (the taker may be stuck behind a lock of the kernel that only the
 * end of that flight frees); past its limit an object's news become the one item "everything".
 */
#include "mirror_priv.h"

#include <errno.h>
#include <string.h>

#include "forcefs/base/clock.h"

#define NEWS_MAX      65536 /* items; 40 bytes each */
#define DRAIN_MOST_MS 2000

int news_init(struct news_queue *q, struct error *err)
{
	pthread_mutex_init(&q->lock, NULL);
	clock_cond_init(&q->cond);
	q->cap = 256;
	q->items = calloc(q->cap, sizeof *q->items);
	return q->items ? 0 : error_set(err, ENOMEM, "out of memory");
}

void news_release(struct news_queue *q)
{
	free(q->items);
	pthread_cond_destroy(&q->cond);
	pthread_mutex_destroy(&q->lock);
}

static struct news *news_at(struct news_queue *q, size_t i)
{
	return &q->items[(q->head + i) % q->cap];
}

static bool news_grow(struct news_queue *q)
{
	if (q->cap >= NEWS_MAX) {
		return false;
	}
	struct news *items = calloc(q->cap * 2, sizeof *items);
	if (!items) {
		return false;
	}
	for (size_t i = 0; i < q->count; i++) {
		items[i] = *news_at(q, i);
	}
	free(q->items);
	q->items = items;
	q->cap *= 2;
	q->head = 0;
	return true;
}

/* Takes the object's news out. Under the lock. True if there were any. */
static bool news_remove(struct news_queue *q, uint32_t object)
{
	size_t kept = 0;

	for (size_t i = 0; i < q->count; i++) {
		struct news n = *news_at(q, i);
		if (n.object != object) {
			*news_at(q, kept++) = n;
		}
	}
	bool any = kept < q->count;
	q->passed += q->count - kept;
	q->count = kept;
	return any;
}

static void news_append(struct news_queue *q, const struct news *n)
{
	*news_at(q, q->count) = *n;
	q->count++;
	q->pushed++;
	pthread_cond_broadcast(&q->cond);
}

static bool news_says_everything(struct news_queue *q, uint32_t object)
{
	struct news *last = q->count ? news_at(q, q->count - 1) : NULL;

	return last && last->object == object && last->kind == NEWS_OBJECT_CHANGED;
}

/* Makes room in a full queue: one object's news become "everything". True if `object` is that one,
 * so that nothing more need be said of it. */
static bool news_make_room(struct news_queue *q, uint32_t object)
{
	uint32_t victim = object;

	if (!news_remove(q, object)) {
		victim = news_at(q, 0)->object;
		news_remove(q, victim);
	}
	news_append(q, &(struct news){.kind = NEWS_OBJECT_CHANGED, .object = victim});
	return victim == object;
}

void news_push(
	struct mirror *m, enum news_kind kind, uint32_t object, uint64_t key, const char *id18)
{
	struct news_queue *q = &m->news;
	struct news n = {.kind = kind, .object = object, .key = key};

	if (id18) {
		memcpy(n.id, id18, sizeof n.id);
	}
	LOCK_SCOPE(&q->lock);
	if (q->stopped || news_says_everything(q, object)) {
		return;
	}
	if (q->count == q->cap && !news_grow(q) && news_make_room(q, object)) {
		return;
	}
	if (q->count < q->cap) {
		news_append(q, &n);
	}
}

int mirror_news_next(struct mirror *m, struct news *ret)
{
	struct news_queue *q = &m->news;
	LOCK_SCOPE(&q->lock);
	if (q->handed_out) {
		q->handed_out = false;
		q->passed++;
		pthread_cond_broadcast(&q->cond);
	}
	while (q->count == 0 && !q->stopped) {
		clock_cond_wait(&q->cond, &q->lock, INT64_MAX);
	}
	if (q->stopped) {
		return 0;
	}
	*ret = *news_at(q, 0);
	q->head = (q->head + 1) % q->cap;
	q->count--;
	q->handed_out = true;
	return 1;
}

void mirror_news_drain(struct mirror *m, const struct until *until)
{
	struct news_queue *q = &m->news;
	struct until patience = until_within(until, DRAIN_MOST_MS);

	until_watch(&patience, &q->lock, &q->cond);
	pthread_mutex_lock(&q->lock);
	uint64_t target = q->pushed;
	while (q->passed < target && !q->stopped) {
		if (until_wait(&patience, &q->cond, &q->lock, NULL) < 0) {
			break;
		}
	}
	pthread_mutex_unlock(&q->lock);
	until_unwatch(&patience);
}

void mirror_news_stop(struct mirror *m)
{
	LOCK_SCOPE(&m->news.lock);
	m->news.stopped = true;
	pthread_cond_broadcast(&m->news.cond);
}
