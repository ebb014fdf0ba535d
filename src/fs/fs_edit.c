/* SPDX-License-Identifier: MIT */
/*
 * Records that are open for writing, and their saving.
 *
 * A save happens at FSYNC, at FLUSH (a program closes one of its descriptors) and, for what comes
 * after the last FLUSH (a shared mapping), at RELEASE. The same content is sent once: who closes a
 * second descriptor gets the first one's result again. A FLUSH of a file that was only emptied is
 * none: shells flush between the truncation and the first byte.
 *
 * When the last program closes the file, what could not be saved is kept in .forcefs/rejected and
 * the org's truth shows again before the close returns: editors look at the file's time right
 * after.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"
#include "fs_write.h"
#include "fs_reply.h"

/* ---- what is shown ---- */

void attr_draft(struct fs *fs, const struct draft *draft, struct stat *ret)
{
	mode_t type = draft->kind == DRAFT_LINK ? S_IFLNK : S_IFREG;

	memset(ret, 0, sizeof *ret);
	ret->st_ino = draft->inode;
	ret->st_mode = type | draft->mode;
	ret->st_nlink = 1;
	ret->st_uid = fs->config.uid;
	ret->st_gid = fs->config.gid;
	ret->st_size = (off_t)draft_size(draft);
	ret->st_blksize = 4096;
	ret->st_blocks = (ret->st_size + 511) / 512;
	ret->st_mtim = ret->st_ctim = ret->st_atim = draft->mtime;
}

bool edit_attr(struct fs *fs, uint64_t inode, struct stat *ret)
{
	struct draft *draft = draft_find(&fs->drafts, inode);

	if (!draft) {
		return false;
	}
	bool dirty = draft_dirty(&fs->drafts, draft);
	if (dirty) {
		LOCK_SCOPE(&fs->drafts.lock);
		attr_draft(fs, draft, ret);
	}
	draft_unref(&fs->drafts, draft);
	return dirty;
}

/* ---- saving ---- */

/* One attempt: copies of what to send, taken under the lock. */
struct attempt {
	struct buf base, edited;
	uint64_t version, author;
};

static void attempt_release(struct attempt *a)
{
	buf_release(&a->base);
	buf_release(&a->edited);
}
DEFINE_CLEANER(attempt, struct attempt, attempt_release)

/* Under the lock. True: the attempt is ready; false: nothing has to be sent, *ret is the result. */
static bool attempt_begin(
	struct draft *d, const struct until *until, struct attempt *a, int *ret, struct error *err)
{
	if (d->version == d->tried) {
		*ret = d->result;
		*err = d->err;
		return false;
	}
	if (d->version == d->saved || draft_size(d) == 0) {
		*ret = 0;
		return false;
	}
	if (!until) {
		*ret = -EWOULDBLOCK;
		return false;
	}
	a->version = d->version;
	a->author = d->author;
	if (buf_add(&a->base, buf_str(&d->base), d->base.len) < 0 ||
		(d->kind == DRAFT_EDIT &&
			buf_add(&a->edited, buf_str(&d->data), d->data.len) < 0)) {
		*ret = error_set(err, ENOMEM, "out of memory");
		return false;
	}
	d->saving = true;
	return true;
}

/* What the org made of it is the new base. */
static void attempt_adopt(
	struct fs *fs, struct draft *d, const struct attempt *a, const struct until *until)
{
	AUTO(buf) struct buf body;
	struct mirror_record rec;

	buf_init(&body, DRAFT_MAX_BYTES);
	int r = mirror_record_get(fs->mirror, d->key, until, &rec, &body, NULL);
	draft_adopt(&fs->drafts, d, a->version, r == 0 ? &body : NULL);
}

static void attempt_end(
	struct fs *fs, struct draft *d, const struct attempt *a, int r, const struct error *err)
{
	LOCK_SCOPE(&fs->drafts.lock);
	d->saving = false;
	if (r != -EINTR || strcmp(err->code, "MAYBE_SENT") == 0) {
		d->tried = a->version;
		d->result = r;
		d->err = *err;
	} else {
		d->left = a->version;
	}
	pthread_cond_broadcast(&fs->drafts.cond);
}

/* The kernel holds the author's bytes; the file now has the org's. */
static void show_truth(struct fs *fs, uint64_t inode, const struct until *until)
{
	mirror_news_drain(fs->mirror, until);
	fuse_lowlevel_notify_inval_inode(fs->session, inode, 0, 0);
}

int draft_lock_idle(struct fs *fs, struct draft *d, const struct until *until, struct error *err)
{
	int r = 0;

	if (until) {
		until_watch(until, &fs->drafts.lock, &fs->drafts.cond);
	}
	pthread_mutex_lock(&fs->drafts.lock);
	while (d->saving && r == 0) {
		r = until ? until_wait(until, &fs->drafts.cond, &fs->drafts.lock, err)
			  : -EWOULDBLOCK;
	}
	if (r < 0) {
		draft_unlock_idle(fs, until);
	}
	return r;
}

void draft_unlock_idle(struct fs *fs, const struct until *until)
{
	pthread_mutex_unlock(&fs->drafts.lock);
	if (until) {
		until_unwatch(until);
	}
}

int edit_save(struct fs *fs, struct draft *d, const struct until *until, struct error *err)
{
	AUTO(attempt) struct attempt a = {0};
	struct mirror_record rec;
	struct error local = {0};

	buf_init(&a.base, DRAFT_MAX_BYTES);
	buf_init(&a.edited, DRAFT_MAX_BYTES);
	int r = draft_lock_idle(fs, d, until, err);
	if (r < 0) {
		return r;
	}
	bool mine = attempt_begin(d, until, &a, &r, err);
	draft_unlock_idle(fs, until);
	if (!mine) {
		return r;
	}
	r = d->kind == DRAFT_BODY
		    ? blob_save(fs, d, &a.base, &a.version, until, &rec, &local)
		    : save_update(fs, d->key, a.author, &a.base, &a.edited, until, &rec, &local);
	if (r == 0) {
		attempt_adopt(fs, d, &a, until);
	} else {
		*err = local;
	}
	attempt_end(fs, d, &a, r, &local);
	if (r == 0) {
		show_truth(fs, d->inode, until);
	}
	return r;
}

/* ---- OPEN for writing ---- */

/* The record's edit, begun from its file as it is now; one that is there already and was not
 * written to since the last save begins anew. */
static int edit_get(struct op *op, uint64_t key, const struct until *until, struct draft **ret,
	struct error *err)
{
	struct fs *fs = op->fs;
	AUTO(buf) struct buf body;
	struct mirror_record rec;

	buf_init(&body, DRAFT_MAX_BYTES);
	*ret = draft_find(&fs->drafts, inode_of_record(key));
	if (*ret && draft_dirty(&fs->drafts, *ret)) {
		return 0;
	}
	int r = mirror_record_get(fs->mirror, key, until, &rec, &body, err);
	if (r == 0 && *ret) {
		draft_renew(&fs->drafts, *ret, &body);
		return 0;
	}
	if (r < 0) {
		draft_unref(&fs->drafts, take_ptr(ret));
	} else {
		r = draft_edit(&fs->drafts, key, buf_str(&body), body.len, ret, err);
	}
	if (r == 0) {
		LOCK_SCOPE(&fs->drafts.lock);
		(*ret)->mode = 0644 & ~fs->config.umask;
		memcpy((*ret)->id, rec.id, sizeof rec.id);
	}
	return r;
}

int draft_open(struct op *op, struct draft *d, bool truncate, struct error *err)
{
	struct fs *fs = op->fs;
	int r = truncate ? draft_truncate(&fs->drafts, d, 0, err) : 0;

	if (r == 0) {
		LOCK_SCOPE(&fs->drafts.lock);
		d->opens++;
	}
	return r;
}

int edit_open(struct op *op, uint64_t key, bool truncate, const struct until *until,
	struct draft **ret, struct error *err)
{
	int r = edit_get(op, key, until, ret, err);

	if (r == 0) {
		uint64_t author = caller_author(op->pid);
		pthread_mutex_lock(&op->fs->drafts.lock);
		(*ret)->author = author;
		pthread_mutex_unlock(&op->fs->drafts.lock);
		r = draft_open(op, *ret, truncate, err);
		if (r < 0) {
			draft_unref(&op->fs->drafts, take_ptr(ret));
		}
	}
	return r;
}

/* ---- FLUSH, RELEASE ---- */

static void note(struct fs *fs, uint64_t inode, const struct error *err)
{
	char path[FAULT_PATH_MAX];

	path_of_inode(fs, inode, path, sizeof path);
	fault_note(&fs->faults, path, "save", err);
}

/* What was not saved is kept aside, and the truth shows again; not if more than `opens` have it open
 * by now, because then it is theirs. */
static void edit_drop(struct fs *fs, struct draft *d, int opens, const struct until *until)
{
	AUTO(buf) struct buf text;
	struct error err = {0};

	buf_init(&text, DRAFT_MAX_BYTES);
	pthread_mutex_lock(&fs->drafts.lock);
	bool lost = d->version != d->saved && d->opens <= opens;
	bool empty = draft_size(d) == 0;
	if (lost) {
		buf_add(&text, buf_str(&d->data), d->data.len);
		err = d->err;
		d->saved = d->version;
	}
	pthread_mutex_unlock(&fs->drafts.lock);
	if (!lost) {
		return;
	}
	if (!empty && d->kind == DRAFT_BODY) {
		blob_reject(fs, d, &err);
	} else if (!empty) {
		reject_keep(fs, d->object, d->id, &text, &err);
	} else {
		error_set(&err, EINVAL,
			"the file was emptied and closed: nothing was saved, the "
			"record is as it was");
		note(fs, d->inode, &err);
	}
	show_truth(fs, d->inode, until);
}

bool draft_closed_by_child(const struct op *op, struct draft *d)
{
	pthread_mutex_lock(&op->fs->drafts.lock);
	uint64_t author = d->author;
	pthread_mutex_unlock(&op->fs->drafts.lock);
	return caller_is_child(op->pid, author);
}

int edit_close(struct op *op, struct draft *d, const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;

	/* A body is saved as it is, whatever it is: only the one who opened it knows when it is
	 * whole. */
	if (d->kind == DRAFT_BODY && draft_closed_by_child(op, d)) {
		return 0;
	}
	int r = edit_save(fs, d, until, err);

	if (r == 0 || r == -EWOULDBLOCK || r == -EINTR) {
		return r;
	}
	pthread_mutex_lock(&fs->drafts.lock);
	bool last = d->opens == 1 && d->version != d->saved;
	pthread_mutex_unlock(&fs->drafts.lock);
	last = last && !draft_closed_by_child(op, d);
	if (last && !until) {
		return -EWOULDBLOCK;
	}
	if (last) {
		edit_drop(fs, d, 1, until);
	}
	return r;
}

/* Saves what came after the last FLUSH; nobody hears of a failure but through the fault. */
static int save_late(struct fs *fs, struct draft *d, const struct until *until)
{
	struct error err = {0};

	pthread_mutex_lock(&fs->drafts.lock);
	bool tried = d->version == d->tried, left = d->version == d->left;
	pthread_mutex_unlock(&fs->drafts.lock);
	if (left) {
		return -EINTR; /* who was told that nothing was sent is right */
	}
	int r = edit_save(fs, d, until, &err);
	if (r < 0 && r != -EWOULDBLOCK && !tried) {
		note(fs, d->inode, &err);
	}
	return r;
}

int draft_close(struct op *op, struct draft *d, const struct until *until)
{
	struct fs *fs = op->fs;

	pthread_mutex_lock(&fs->drafts.lock);
	bool drops = d->opens == 1 && draft_is_edit(d) && d->version != d->saved;
	if (!drops) {
		d->opens--; /* in the same moment, or two who close at once would both not be last */
	}
	pthread_mutex_unlock(&fs->drafts.lock);
	if (drops && !until) {
		return -EWOULDBLOCK; /* saving waits, and so does telling the kernel */
	}
	if (drops) {
		save_late(fs, d, until);
		pthread_mutex_lock(&fs->drafts.lock);
		d->opens--;
		pthread_mutex_unlock(&fs->drafts.lock);
		edit_drop(fs, d, 0, until);
	}
	draft_unref(&fs->drafts, d);
	return 0;
}
