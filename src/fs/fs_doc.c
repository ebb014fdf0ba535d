/* SPDX-License-Identifier: MIT */
/*
 * The rendered files under .forcefs, a few of them, by inode. LOOKUP and GETATTR render anew what
 * may say something else by now and so settle size and time; READ takes what they settled. A text
 * that did not change keeps its time, so the kernel keeps its pages.
 */
#include <errno.h>
#include <stdlib.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/hash.h"
#include "forcefs/base/scope.h"
#include "fs_priv.h"

#define KEEP_MAX      32
#define DOC_MAX_BYTES (32u * 1024 * 1024)

void docs_init(struct docs *d)
{
	pthread_mutex_init(&d->lock, NULL);
	d->first = NULL;
}

static void unref_locked(struct doc *doc)
{
	if (doc && --doc->refs == 0) {
		free(doc->data);
		free(doc);
	}
}

void docs_release(struct docs *d)
{
	while (d->first) {
		struct doc *doc = d->first;
		d->first = doc->next;
		unref_locked(doc);
	}
	pthread_mutex_destroy(&d->lock);
}

void doc_unref(struct docs *d, struct doc *doc)
{
	LOCK_SCOPE(&d->lock);
	unref_locked(doc);
}

/* Takes the document out of the list and hands its reference on; NULL if there is none. */
static struct doc *take_locked(struct docs *d, uint64_t inode)
{
	struct doc **at = &d->first;
	while (*at && (*at)->inode != inode) {
		at = &(*at)->next;
	}
	struct doc *doc = *at;
	if (doc) {
		*at = doc->next;
	}
	return doc;
}

/* Puts it in front, and lets go of the least used one when there are too many. */
static void put_locked(struct docs *d, struct doc *doc)
{
	doc->next = d->first;
	d->first = doc;
	struct doc **at = &d->first;
	for (int i = 0; *at && i < KEEP_MAX; i++) {
		at = &(*at)->next;
	}
	if (*at) {
		struct doc *last = *at;
		*at = last->next;
		unref_locked(last);
	}
}

static bool is_young(const struct doc *doc, uint64_t version)
{
	return (version && doc->version == version) ||
	       clock_mono_ms() - doc->mono_ms <= control_age_ms(doc->inode);
}

/* The one in the list, with a reference; NULL if it is not there or (unless `kept`) too old. */
static struct doc *find(struct docs *d, uint64_t inode, bool kept, uint64_t version)
{
	LOCK_SCOPE(&d->lock);
	struct doc *doc = take_locked(d, inode);
	if (!doc) {
		return NULL;
	}
	put_locked(d, doc);
	if (!kept && !is_young(doc, version)) {
		return NULL;
	}
	doc->refs++;
	return doc;
}

static struct doc *doc_new(uint64_t inode, uint64_t version, struct buf *text)
{
	struct doc *doc = calloc(1, sizeof(*doc));
	if (doc) {
		doc->inode = inode;
		doc->data = buf_take(text, &doc->len);
		doc->hash = hash_bytes(doc->data, doc->len);
		doc->version = version;
		doc->mtime_ms = clock_wall_ms() - 1; /* the hash's part adds up to 1 ms */
		doc->mono_ms = clock_mono_ms();
	}
	return doc;
}

/* Keeps the new version, or the old one if it says the same; takes fresh. With a reference. */
static struct doc *keep(struct docs *d, struct doc *fresh)
{
	LOCK_SCOPE(&d->lock);
	struct doc *old = take_locked(d, fresh->inode);
	fresh->refs = 1;
	if (old && old->hash == fresh->hash && old->len == fresh->len) {
		old->mono_ms = fresh->mono_ms;
		old->version = fresh->version;
		unref_locked(fresh);
		fresh = old;
	} else {
		unref_locked(old);
	}
	put_locked(d, fresh);
	fresh->refs++;
	return fresh;
}

int doc_get(struct fs *fs, uint64_t inode, bool kept, const struct until *until, struct doc **ret,
	struct error *err)
{
	uint64_t version = control_version(fs, inode);
	struct doc *doc = find(&fs->docs, inode, kept, version);
	if (!doc) {
		AUTO(buf) struct buf text;
		buf_init(&text, DOC_MAX_BYTES);
		int r = control_render(fs, inode, until, &text, err);
		if (r < 0) {
			return r;
		}
		doc = doc_new(inode, version, &text);
		if (!doc) {
			return -ENOMEM;
		}
		doc = keep(&fs->docs, doc);
	}
	*ret = doc;
	return 0;
}
