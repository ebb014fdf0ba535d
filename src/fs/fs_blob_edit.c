/* SPDX-License-Identifier: MIT */
/*
 * Bodies that are written. They go through the same drafts as records (fs_edit.c): a save happens
 * at FSYNC, at FLUSH and when another file is renamed over the body, and its error is the error of
 * that call. What is different: the content lies on disk, and nothing of it is looked at.
 *
 * A file that is opened without being emptied is fetched first, as it may be changed in part.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/log.h"
#include "forcefs/base/scope.h"
#include "fs_write.h"

#define BASE_BYTES (16u * 1024 * 1024)

int blob_writable(struct fs *fs, uint32_t object, struct error *err)
{
	struct mirror_object o;

	if (mirror_object_by_index(fs->mirror, object, &o) < 0) {
		return -ESTALE;
	}
	if (fs->config.read_only) {
		return error_set(err, EROFS, "this mount is read-only");
	}
	if (!o.updateable) {
		return error_set(err, EACCES,
			"records of %s cannot be changed: neither you in Salesforce nor `allow` "
			"in the settings permit it, or not both",
			o.name);
	}
	if (!o.bodies_updateable) {
		return error_set(err, EACCES,
			"Salesforce does not let the file of a %s be replaced; upload a new one "
			"there",
			o.name);
	}
	return 0;
}

/* ---- OPEN ---- */

static int blob_get(struct op *op, uint64_t key, bool truncate, const struct until *until,
	struct draft **ret, struct error *err)
{
	struct fs *fs = op->fs;
	AUTO(buf) struct buf base;
	struct mirror_record rec;
	uint64_t size;
	int fd;

	buf_init(&base, BASE_BYTES);
	*ret = draft_find(&fs->drafts, inode_of_body(key));
	if (*ret && draft_dirty(&fs->drafts, *ret)) {
		return 0;
	}
	draft_unref(&fs->drafts, take_ptr(ret));
	int r = mirror_body_edit(fs->mirror, key, truncate, until, &fd, &size, &base, err);
	r = r < 0 ? r : draft_body(&fs->drafts, key, fd, size, &base, ret, err);
	r = r < 0 ? r : mirror_record_get(fs->mirror, key, NULL, &rec, NULL, NULL);
	if (*ret) {
		LOCK_SCOPE(&fs->drafts.lock);
		(*ret)->mode = 0644 & ~fs->config.umask;
		if (r == 0) {
			memcpy((*ret)->id, rec.id, sizeof rec.id);
		}
		r = 0;
	}
	return r;
}

int blob_open(struct op *op, uint64_t key, bool truncate, const struct until *until,
	struct draft **ret, struct error *err)
{
	struct fs *fs = op->fs;
	uint64_t author = caller_author(op->pid);
	int r = blob_get(op, key, truncate, until, ret, err);

	if (r < 0) {
		return r;
	}
	pthread_mutex_lock(&fs->drafts.lock);
	(*ret)->author = author;
	pthread_mutex_unlock(&fs->drafts.lock);
	r = draft_open(op, *ret, truncate, err);
	if (r < 0) {
		draft_unref(&fs->drafts, take_ptr(ret));
	}
	return r;
}

/* ---- saving ---- */

int blob_save(struct fs *fs, struct draft *d, const struct buf *base, uint64_t *ret_version,
	const struct until *until, struct mirror_record *ret, struct error *err)
{
	AUTO_CLOSE int fd = -1;
	uint64_t size;
	int r = draft_snapshot(&fs->drafts, d, &fd, &size, ret_version, err);

	return r < 0 ? r : save_body(fs, d->key, base, fd, size, until, ret, err);
}

void blob_reject(struct fs *fs, struct draft *d, const struct error *why)
{
	AUTO_CLOSE int fd = -1;
	struct error err = {0};
	uint64_t size, version;

	if (draft_snapshot(&fs->drafts, d, &fd, &size, &version, &err) < 0) {
		log_error("save", "a file that could not be saved could not be kept either: %s",
			err.text);
		return;
	}
	reject_keep_file(fs, d->object, d->id[0] ? d->id : "file", fd, size, why);
}

int blob_save_over(struct op *op, struct draft *d, const struct mirror_record *rec,
	const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	AUTO(buf) struct buf base;
	AUTO_CLOSE int fd = -1;
	struct mirror_record now;
	struct error local = {0};
	uint64_t size, version;

	buf_init(&base, BASE_BYTES);
	if (!until) {
		return -EWOULDBLOCK;
	}
	int r = blob_writable(fs, store_key_object(rec->key), err);
	r = r < 0 ? r : mirror_record_get(fs->mirror, rec->key, until, &now, &base, err);
	r = r < 0 ? r : draft_snapshot(&fs->drafts, d, &fd, &size, &version, err);
	if (r < 0) {
		return r;
	}
	r = save_body(fs, rec->key, &base, fd, size, until, &now, &local);
	if (r < 0) {
		reject_keep_file(fs, store_key_object(rec->key), rec->id, fd, size, &local);
		*err = local;
	}
	return r;
}

/* ---- a copy ---- */

int blob_copy(struct fs *fs, uint64_t key, const struct until *until, struct draft **ret,
	struct error *err)
{
	AUTO(buf) struct buf base;
	struct draft *d;
	uint64_t size;
	int fd;

	buf_init(&base, BASE_BYTES);
	int r = mirror_body_edit(fs->mirror, key, false, until, &fd, &size, &base, err);
	if (r < 0) {
		return r;
	}
	r = draft_new(&fs->drafts, DRAFT_FILE, store_key_object(key), 0644, &d, err);
	if (r < 0) {
		close(fd);
		return r;
	}
	d->key = inode_of_body(key);
	draft_take_file(&fs->drafts, d, fd, size);
	*ret = d;
	return 0;
}
