/* SPDX-License-Identifier: MIT */
/*
 * The last few bodies that were read in pieces, so that a big file does not cost the store a whole
 * body for every piece. Keyed by content: a piece is served from here only while the record's hash
 * is still the one that was kept. There is no snapshot per open file on purpose: the kernel's page
 * cache is shared by all who have the file open, so old bytes given to one late reader would be
 * kept for everybody after the news of the change had passed.
 */
#include <stdlib.h>

#include "forcefs/base/scope.h"
#include "fs_priv.h"

#define KEEP_MAX 8

struct body {
	uint64_t key, hash;
	char *data;
	size_t len;
	int refs; /* protected by bodies->lock, as next; the list holds one */
	struct body *next;
};

void bodies_init(struct bodies *b)
{
	pthread_mutex_init(&b->lock, NULL);
	b->first = NULL;
}

static void unref_locked(struct body *body)
{
	if (--body->refs == 0) {
		free(body->data);
		free(body);
	}
}

/* Takes the body at *at out of the list. */
static void unlink_at(struct body **at)
{
	struct body *body = *at;
	*at = body->next;
	unref_locked(body);
}

void bodies_release(struct bodies *b)
{
	while (b->first) {
		unlink_at(&b->first);
	}
	pthread_mutex_destroy(&b->lock);
}

struct body *body_find(struct bodies *b, uint64_t key, uint64_t hash)
{
	LOCK_SCOPE(&b->lock);
	struct body **at = &b->first;
	while (*at && ((*at)->key != key || (*at)->hash != hash)) {
		at = &(*at)->next;
	}
	struct body *body = *at;
	if (body) {
		*at = body->next;
		body->next = b->first;
		b->first = body;
		body->refs++;
	}
	return body;
}

void body_drop(struct bodies *b, uint64_t key)
{
	LOCK_SCOPE(&b->lock);
	struct body **at = &b->first;
	while (*at) {
		if ((*at)->key == key) {
			unlink_at(at);
		} else {
			at = &(*at)->next;
		}
	}
}

/* Drops what is kept of the record, and the least used one when the list is full. */
static void make_room(struct bodies *b, uint64_t key)
{
	int count = 1;
	struct body **at = &b->first;
	while (*at) {
		if ((*at)->key == key || count >= KEEP_MAX) {
			unlink_at(at);
		} else {
			count++;
			at = &(*at)->next;
		}
	}
}

void body_keep(struct bodies *b, uint64_t key, uint64_t hash, struct buf *buf)
{
	struct body *body = calloc(1, sizeof(*body));
	if (!body) {
		return;
	}
	body->key = key;
	body->hash = hash;
	body->refs = 1;
	body->data = buf_take(buf, &body->len);
	LOCK_SCOPE(&b->lock);
	make_room(b, key);
	body->next = b->first;
	b->first = body;
}

void body_unref(struct bodies *b, struct body *body)
{
	if (body) {
		LOCK_SCOPE(&b->lock);
		unref_locked(body);
	}
}

const char *body_bytes(const struct body *body, size_t *ret_len)
{
	*ret_len = body->len;
	return body->data;
}
