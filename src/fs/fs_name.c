/* SPDX-License-Identifier: MIT */
/* The local names over an object's directory; see fs_draft.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"
#include "fs_draft.h"

/* ---- under the lock ---- */

static void count_any(struct drafts *d)
{
	atomic_store_explicit(&d->any, d->count + d->name_count, memory_order_release);
}

static struct draft_name **place_of(struct drafts *d, uint32_t object, const char *name)
{
	struct draft_name **at = &d->names;

	while (*at && ((*at)->object != object || strcmp((*at)->name, name) != 0)) {
		at = &(*at)->next;
	}
	return at;
}

/* Takes the name out; its draft is to be let go of by the caller, without the lock. */
static struct draft *take_out(struct drafts *d, struct draft_name **at)
{
	struct draft_name *n = *at;
	struct draft *draft = n->draft;

	*at = n->next;
	d->name_count--;
	if (draft) {
		draft->names--;
	}
	free(n);
	count_any(d);
	return draft;
}

static bool expired(const struct draft_name *n)
{
	return n->kind == NAME_HIDDEN && clock_mono_ms() >= n->until_ms;
}

static struct draft_name *put(
	struct drafts *d, uint32_t object, const char *name, enum name_kind kind, struct error *err)
{
	struct draft_name *n = d->name_count < DRAFTS_MAX ? calloc(1, sizeof *n) : NULL;

	if (!n) {
		error_set(err, ENOSPC, "too many files of editors on this mount; remove some");
		return NULL;
	}
	n->object = object;
	n->kind = kind;
	n->seq = d->next_seq++;
	snprintf(n->name, sizeof n->name, "%s", name);
	n->next = d->names;
	d->names = n;
	d->name_count++;
	count_any(d);
	return n;
}

/* ---- the door ---- */

enum name_kind name_find(struct drafts *d, uint32_t object, const char *name, struct name_view *ret)
{
	struct name_view none = {.kind = NAME_NONE};

	*ret = none;
	if (!drafts_any(d)) {
		return NAME_NONE;
	}
	LOCK_SCOPE(&d->lock);
	struct draft_name **at = place_of(d, object, name);
	if (*at && expired(*at)) {
		take_out(d, at);
	} else if (*at) {
		*ret = (struct name_view){
			.kind = (*at)->kind, .draft = (*at)->draft, .key = (*at)->key};
		if (ret->draft) {
			ret->draft->refs++;
		}
	}
	return ret->kind;
}

void name_view_release(struct drafts *d, struct name_view *v)
{
	draft_unref(d, take_ptr(&v->draft));
}

void name_drop(struct drafts *d, uint32_t object, const char *name)
{
	struct draft *draft = NULL;

	pthread_mutex_lock(&d->lock);
	struct draft_name **at = place_of(d, object, name);
	if (*at) {
		draft = take_out(d, at);
	}
	pthread_mutex_unlock(&d->lock);
	draft_unref(d, draft);
}

/* Drops the old name, adds the new one. */
static int replace(struct drafts *d, uint32_t object, const char *name, enum name_kind kind,
	struct draft *draft, uint64_t key, int ms, struct error *err)
{
	name_drop(d, object, name);
	LOCK_SCOPE(&d->lock);
	struct draft_name *n = put(d, object, name, kind, err);
	if (!n) {
		return -ENOSPC;
	}
	n->key = key;
	n->until_ms = clock_mono_ms() + ms;
	n->draft = draft;
	if (draft) {
		draft->refs++;
		draft->names++;
	}
	return 0;
}

int name_set(
	struct drafts *d, uint32_t object, const char *name, struct draft *draft, struct error *err)
{
	return replace(d, object, name, NAME_SCRATCH, draft, 0, 0, err);
}

int name_hide(struct drafts *d, uint32_t object, const char *name, uint64_t key, int ms,
	struct error *err)
{
	return replace(d, object, name, NAME_HIDDEN, NULL, key, ms, err);
}

int name_alias(struct drafts *d, uint32_t object, const char *name, uint64_t key, struct error *err)
{
	return replace(d, object, name, NAME_ALIAS, NULL, key, 0, err);
}

bool name_has_copy(struct drafts *d, uint64_t key)
{
	LOCK_SCOPE(&d->lock);
	for (struct draft *x = d->first; x; x = x->next) {
		if (x->kind == DRAFT_FILE && x->key == key && !x->became && x->names > 0 &&
			clock_mono_ms() - x->made_ms < COPY_MS) {
			return true;
		}
	}
	return false;
}

bool name_next(struct drafts *d, uint32_t object, uint64_t after, uint64_t *ret_seq, char *name,
	uint64_t *ret_inode, mode_t *ret_type)
{
	const struct draft_name *best = NULL;
	LOCK_SCOPE(&d->lock);

	for (const struct draft_name *n = d->names; n; n = n->next) {
		if (n->object == object && n->kind == NAME_SCRATCH && n->seq > after &&
			(!best || n->seq < best->seq)) {
			best = n;
		}
	}
	if (!best) {
		return false;
	}
	*ret_seq = best->seq;
	*ret_inode = best->draft->inode;
	*ret_type = best->draft->kind == DRAFT_LINK ? S_IFLNK : S_IFREG;
	memcpy(name, best->name, sizeof best->name);
	return true;
}

void name_of(struct drafts *d, uint64_t inode, char *name, size_t size)
{
	LOCK_SCOPE(&d->lock);
	name[0] = '\0';
	for (const struct draft_name *n = d->names; n; n = n->next) {
		if (n->draft && n->draft->inode == inode) {
			snprintf(name, size, "%s", n->name);
			return;
		}
	}
}
