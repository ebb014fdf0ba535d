/* SPDX-License-Identifier: MIT */
/*
 * Who saved what: an editor that saves a second time makes its text from its first one, whose
 * stamps are those of the version that was opened, and not from what the org made of it. Without
 * knowing that, its own first save would look like somebody else's change.
 *
 * Bounded: the texts of AUTHORS_MAX saves and AUTHORS_BYTES; who used theirs last stay. Who was
 * forgotten gets a conflict, and nothing is lost.
 */
#include "mirror_priv.h"

#include <errno.h>

#define AUTHORS_BYTES (32u * 1024 * 1024)

void authors_init(struct authors *a)
{
	pthread_mutex_init(&a->lock, NULL);
	for (size_t i = 0; i < AUTHORS_MAX; i++) {
		buf_init(&a->list[i].text, AUTHORS_BYTES);
		buf_init(&a->list[i].seen, AUTHORS_BYTES);
	}
}

static void forget(struct authors *a, struct author *author)
{
	a->bytes -= author->text.len + author->seen.len;
	buf_release(&author->text);
	buf_release(&author->seen);
	author->who = 0;
}

void authors_release(struct authors *a)
{
	for (size_t i = 0; i < AUTHORS_MAX; i++) {
		forget(a, &a->list[i]);
	}
	pthread_mutex_destroy(&a->lock);
}

static struct author *lookup(struct authors *a, uint64_t who, uint64_t key)
{
	for (size_t i = 0; i < AUTHORS_MAX; i++) {
		if (a->list[i].who == who && a->list[i].key == key) {
			return &a->list[i];
		}
	}
	return NULL;
}

/* Of those in use; NULL if none is. */
static struct author *least_used(struct authors *a)
{
	struct author *least = NULL;

	for (size_t i = 0; i < AUTHORS_MAX; i++) {
		struct author *x = &a->list[i];
		least = x->who && (!least || x->used < least->used) ? x : least;
	}
	return least;
}

static struct author *free_place(struct authors *a)
{
	for (size_t i = 0; i < AUTHORS_MAX; i++) {
		if (!a->list[i].who) {
			return &a->list[i];
		}
	}
	struct author *least = least_used(a);
	forget(a, least);
	return least;
}

static void make_room(struct authors *a, size_t bytes)
{
	while (a->bytes + bytes > AUTHORS_BYTES && a->bytes) {
		forget(a, least_used(a));
	}
}

int author_find(struct authors *a, uint64_t who, uint64_t key, struct buf *text, struct buf *seen)
{
	LOCK_SCOPE(&a->lock);
	struct author *author = who ? lookup(a, who, key) : NULL;

	if (!author) {
		return 0;
	}
	author->used = ++a->clock;
	int r = buf_add(text, buf_str(&author->text), author->text.len);
	r = r < 0 ? r : buf_add(seen, buf_str(&author->seen), author->seen.len);
	return r < 0 ? r : 1;
}

void author_note(struct authors *a, uint64_t who, uint64_t key, const struct buf *text,
	const struct buf *seen)
{
	if (!who) {
		return;
	}
	LOCK_SCOPE(&a->lock);
	struct author *author = lookup(a, who, key);
	if (author) {
		forget(a, author);
	}
	if (text->len + seen->len > AUTHORS_BYTES) {
		return;
	}
	make_room(a, text->len + seen->len);
	author = free_place(a);
	if (buf_add(&author->text, text->data, text->len) < 0 ||
		buf_add(&author->seen, seen->data, seen->len) < 0) {
		buf_release(&author->text);
		buf_release(&author->seen);
		return;
	}
	author->who = who;
	author->key = key;
	author->used = ++a->clock;
	a->bytes += text->len + seen->len;
}
