/* SPDX-License-Identifier: MIT */
/* Drafts and their contents; see the header. */
#include "fs_draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"
#include "fs_inode.h"

void drafts_init(struct drafts *d)
{
	pthread_mutex_init(&d->lock, NULL);
	clock_cond_init(&d->cond);
	d->next_seq = 1;
}

/* ---- under the lock ---- */

static void count_any(struct drafts *d)
{
	atomic_store_explicit(&d->any, d->count + d->name_count, memory_order_release);
}

static void destroy(struct drafts *d, struct draft *draft)
{
	struct draft **at = &d->first;

	while (*at != draft) {
		at = &(*at)->next;
	}
	*at = draft->next;
	d->count--;
	d->bytes -= draft->data.len + draft->base.len;
	draft_file_drop(d, draft);
	buf_release(&draft->data);
	buf_release(&draft->base);
	free(draft);
	count_any(d);
}

static void unref_locked(struct drafts *d, struct draft *draft)
{
	if (--draft->refs == 0) {
		destroy(d, draft);
	}
}

static struct draft *find_locked(struct drafts *d, uint64_t inode)
{
	for (struct draft *x = d->first; x; x = x->next) {
		if (x->inode == inode) {
			x->refs++;
			return x;
		}
	}
	return NULL;
}

static void touch(struct draft *draft)
{
	draft->version++;
	clock_gettime(CLOCK_REALTIME, &draft->mtime);
}

static struct draft *make(
	struct drafts *d, enum draft_kind kind, uint64_t inode, uint32_t object, struct error *err)
{
	struct draft *draft = d->count < DRAFTS_MAX ? calloc(1, sizeof *draft) : NULL;

	if (!draft) {
		error_set(err, d->count < DRAFTS_MAX ? ENOMEM : ENOSPC,
			"too many files of editors are open on this mount; close some");
		return NULL;
	}
	draft->kind = kind;
	draft->inode = inode;
	draft->object = object;
	draft->refs = 1;
	draft->fd = -1;
	buf_init(&draft->data, DRAFT_MAX_BYTES);
	buf_init(&draft->base, DRAFT_MAX_BYTES);
	clock_gettime(CLOCK_REALTIME, &draft->mtime);
	draft->made_ms = clock_mono_ms();
	draft->next = d->first;
	d->first = draft;
	d->count++;
	count_any(d);
	return draft;
}

/* Room for a content of `len` bytes in place of the present one. */
static int make_room(struct drafts *d, struct draft *draft, size_t len, struct error *err)
{
	if (len > DRAFT_MAX_BYTES) {
		return error_set(err, EFBIG, "a file on this mount has at most %u MiB",
			DRAFT_MAX_BYTES >> 20);
	}
	if (d->bytes - draft->data.len + len > DRAFTS_MAX_BYTES) {
		return error_set(err, ENOSPC,
			"files of editors on this mount have at most %u MiB together; close some",
			DRAFTS_MAX_BYTES >> 20);
	}
	if (len > draft->data.len && buf_reserve(&draft->data, len - draft->data.len) < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

static void resize(struct drafts *d, struct draft *draft, size_t len)
{
	if (len > draft->data.len) {
		memset(draft->data.data + draft->data.len, 0, len - draft->data.len);
	}
	d->bytes += len - draft->data.len;
	draft->data.len = len;
	if (draft->data.data) {
		draft->data.data[len] = '\0';
	}
}

static void put_base(struct drafts *d, struct draft *draft, const struct buf *body)
{
	d->bytes -= draft->base.len;
	buf_clear(&draft->base);
	buf_add(&draft->base, buf_str(body), body->len);
	d->bytes += draft->base.len;
}

/* ---- the door ---- */

void drafts_release(struct drafts *d)
{
	while (d->names) {
		struct draft_name *n = d->names;
		d->names = n->next;
		if (n->draft) {
			unref_locked(d, n->draft);
		}
		free(n);
	}
	while (d->first) {
		destroy(d, d->first);
	}
	pthread_cond_destroy(&d->cond);
	pthread_mutex_destroy(&d->lock);
}

void drafts_unsaved(
	struct drafts *d, void (*see)(void *payload, struct draft *draft), void *payload)
{
	for (struct draft *x = d->first; x; x = x->next) {
		bool refused = x->kind == DRAFT_FILE && !x->became && x->tried && x->result < 0;
		bool unsaved = draft_is_edit(x) && x->version != x->saved;
		if ((refused || unsaved) && draft_size(x) > 0) {
			see(payload, x);
		}
	}
}

int draft_new(struct drafts *d, enum draft_kind kind, uint32_t object, mode_t mode,
	struct draft **ret, struct error *err)
{
	LOCK_SCOPE(&d->lock);
	struct draft *draft = make(d, kind, inode_of_scratch(object, d->next_seq), object, err);

	if (!draft) {
		return -ENOSPC;
	}
	d->next_seq++;
	draft->mode = mode;
	*ret = draft;
	return 0;
}

int draft_edit(struct drafts *d, uint64_t key, const char *body, size_t len, struct draft **ret,
	struct error *err)
{
	uint64_t inode = inode_of_record(key);
	LOCK_SCOPE(&d->lock);
	struct draft *draft = find_locked(d, inode);

	if (!draft) {
		draft = make(d, DRAFT_EDIT, inode, inode_object(inode), err);
		if (!draft) {
			return -ENOSPC;
		}
		draft->key = key;
		int r = make_room(d, draft, len, err);
		r = r < 0 ? r : buf_add(&draft->base, body, len);
		if (r < 0) {
			unref_locked(d, draft);
			return r;
		}
		resize(d, draft, len);
		memcpy(draft->data.data ? draft->data.data : (char[1]){0}, body, len);
		d->bytes += len;
	}
	*ret = draft;
	return 0;
}

int draft_body(struct drafts *d, uint64_t key, int fd, uint64_t size, const struct buf *base,
	struct draft **ret, struct error *err)
{
	uint64_t inode = inode_of_body(key);
	LOCK_SCOPE(&d->lock);
	struct draft *draft = find_locked(d, inode);
	int r = 0;

	if (!draft) {
		draft = make(d, DRAFT_BODY, inode, inode_object(inode), err);
		r = draft ? draft_file_room(d, draft, size, err) : -ENOSPC;
	}
	if (r < 0 || draft->version != draft->saved || draft->saving) {
		close(fd);
	} else {
		draft->key = key;
		draft_file_put(d, draft, fd, size);
		put_base(d, draft, base);
		draft->saved = draft->tried = ++draft->version;
		draft->result = 0;
	}
	if (r < 0 && draft) {
		unref_locked(d, draft);
	}
	*ret = r < 0 ? NULL : draft;
	return r;
}

void draft_take_file(struct drafts *d, struct draft *draft, int fd, uint64_t size)
{
	LOCK_SCOPE(&d->lock);
	draft_file_put(d, draft, fd, size);
	touch(draft);
}

struct draft *draft_find(struct drafts *d, uint64_t inode)
{
	if (!drafts_any(d)) {
		return NULL;
	}
	LOCK_SCOPE(&d->lock);
	return find_locked(d, inode);
}

void draft_unref(struct drafts *d, struct draft *draft)
{
	if (draft) {
		LOCK_SCOPE(&d->lock);
		unref_locked(d, draft);
	}
}

int draft_write(struct drafts *d, struct draft *draft, const char *data, size_t len, off_t off,
	struct error *err)
{
	LOCK_SCOPE(&d->lock);
	size_t end = (size_t)off + len;
	size_t size = end > draft->data.len ? end : draft->data.len;
	int r = draft_spill(d, draft, end, err);

	if (r == 0 && draft->fd >= 0) {
		r = draft_file_write(d, draft, data, len, off, err);
		if (r == 0) {
			touch(draft);
		}
		return r;
	}
	r = r < 0 ? r : make_room(d, draft, size, err);

	if (r < 0) {
		return r;
	}
	resize(d, draft, size);
	if (len) {
		memcpy(draft->data.data + off, data, len);
	}
	touch(draft);
	return 0;
}

int draft_truncate(struct drafts *d, struct draft *draft, off_t size, struct error *err)
{
	LOCK_SCOPE(&d->lock);
	int r = draft_spill(d, draft, (uint64_t)size, err);

	if (r == 0 && draft->fd >= 0) {
		r = draft_file_resize(d, draft, (uint64_t)size, err);
		if (r == 0) {
			touch(draft);
		}
		return r;
	}
	r = r < 0 ? r : make_room(d, draft, (size_t)size, err);
	if (r < 0) {
		return r;
	}
	resize(d, draft, (size_t)size);
	touch(draft);
	return 0;
}

int draft_set(
	struct drafts *d, struct draft *draft, const char *data, size_t len, struct error *err)
{
	LOCK_SCOPE(&d->lock);
	int r = make_room(d, draft, len, err);

	if (r < 0) {
		return r;
	}
	resize(d, draft, len);
	if (len) {
		memcpy(draft->data.data, data, len);
	}
	touch(draft);
	return 0;
}

static void put_data(struct drafts *d, struct draft *draft, const struct buf *body)
{
	if (make_room(d, draft, body->len, NULL) == 0) {
		resize(d, draft, body->len);
		memcpy(draft->data.data, body->data, body->len);
	}
}

void draft_renew(struct drafts *d, struct draft *draft, const struct buf *body)
{
	LOCK_SCOPE(&d->lock);

	if (draft->version == draft->saved && !draft->saving && body->len) {
		put_base(d, draft, body);
		put_data(d, draft, body);
		draft->saved = draft->tried = ++draft->version;
		draft->result = 0;
	}
}

void draft_adopt(struct drafts *d, struct draft *draft, uint64_t version, const struct buf *body)
{
	LOCK_SCOPE(&d->lock);
	bool untouched = draft->version == version;

	if (body) {
		put_base(d, draft, body);
	}
	if (untouched && body && body->len && draft->kind == DRAFT_EDIT) {
		put_data(d, draft, body);
	}
	if (untouched) {
		draft->saved = draft->version;
	}
}

int draft_copy(struct drafts *d, struct draft *draft, struct buf *out)
{
	LOCK_SCOPE(&d->lock);
	return draft_piece(draft, 0, (size_t)draft_size(draft), out);
}

uint64_t draft_version(struct drafts *d, struct draft *draft)
{
	LOCK_SCOPE(&d->lock);
	return draft->version;
}

bool draft_dirty(struct drafts *d, struct draft *draft)
{
	LOCK_SCOPE(&d->lock);
	return draft_is_edit(draft) && draft->version != draft->saved;
}
