/* SPDX-License-Identifier: MIT */
/*
 * Bodies: the content of a record's base64 field as a file beside its JSON. Looking at one costs no
 * call; reading it fetches it (mirror_body_read).
 *
 * A body whose size no field tells is shown with a placeholder and no time-out, and is fetched as a
 * whole when it is opened; from then on its size is known. Where the kernel opens files by itself
 * (read-only mounts) the first READ does that, and its short answer tells the kernel the size.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/scope.h"
#include "fs_priv.h"
#include "fs_reply.h"

#define UNKNOWN_BYTES (1024 * 1024)

/* ---- attributes ---- */

void attr_body(struct fs *fs, const struct mirror_object *object,
	const struct mirror_record *record, struct stat *ret)
{
	mode_t mode = object->bodies_updateable && !fs->config.read_only ? 0644 : 0444;
	int64_t size = record->body_size >= 0 ? record->body_size : UNKNOWN_BYTES;
	attr_fill(fs, inode_of_body(record->key), S_IFREG | mode, (off_t)size, ret);
	attr_set_time(ret, record->stamp_ms, record->hash);
}

/* The name is looked up again after ttl even where the kernel is told of changes: it goes with the
 * name that somebody gives the file in Salesforce. */
void entry_body(struct fs *fs, const struct mirror_object *object,
	const struct mirror_record *record, bool followed, struct fuse_entry_param *ret)
{
	double fresh = fresh_row(fs, followed, record);
	*ret = (struct fuse_entry_param){.ino = inode_of_body(record->key)};
	attr_body(fs, object, record, &ret->attr);
	ret->attr_timeout = record->body_size >= 0 ? fresh : 0;
	if (edit_attr(fs, ret->ino, &ret->attr)) {
		ret->attr_timeout = 0;
	}
	ret->entry_timeout = fresh < fs->config.ttl_s ? fresh : fs->config.ttl_s;
}

int getattr_body(struct op *op, const struct until *until, struct error *err)
{
	struct stat st;
	struct mirror_object object;
	struct mirror_record record;
	struct fs *fs = op->fs;
	if (edit_attr(fs, op->ino, &st)) {
		return reply_attr(op, &st, 0);
	}
	int r = mirror_record_get(fs->mirror, inode_key(op->ino), until, &record, NULL, err);
	if (r < 0) {
		return r;
	}
	if (!record.ext[0] ||
		mirror_object_by_index(fs->mirror, inode_object(op->ino), &object) < 0) {
		return -ESTALE;
	}
	attr_body(fs, &object, &record, &st);
	return reply_attr(op, &st, record.body_size >= 0 ? fresh_record(fs, &record) : 0);
}

/* ---- LOOKUP ---- */

int lookup_body(struct op *op, const struct mirror_object *object, const struct until *until,
	struct error *err)
{
	struct id id;
	char ext[BODY_EXT_MAX + 1];
	struct fs *fs = op->fs;
	struct mirror_record record;
	struct mirror_object now;
	struct fuse_entry_param entry;
	if (!body_name_parse(op->name, object->key_prefix, &id, ext)) {
		return 0;
	}
	int r = mirror_object_bodies(fs->mirror, object->index, until, err);
	if (r <= 0) {
		return r;
	}
	r = mirror_record_find(fs->mirror, object->index, &id, until, &record, err);
	if (r < 0) {
		return r;
	}
	if (strcmp(record.ext, ext) != 0 ||
		mirror_object_by_index(fs->mirror, object->index, &now) < 0) {
		return -ENOENT;
	}
	entry_body(fs, &now, &record, object_followed(fs, object->index), &entry);
	reply_entry(op, &entry);
	return 1;
}

/* ---- OPEN and READ ---- */

int open_body(struct op *op, const struct until *until, struct error *err)
{
	struct mirror *m = op->fs->mirror;
	struct mirror_record record;
	uint64_t key = inode_key(op->ino), size;
	int r = object_refresh(op, inode_object(op->ino), until, DRAIN_MS, err);
	r = r < 0 ? r : mirror_record_get(m, key, until, &record, NULL, err);
	if (r < 0) {
		return r;
	}
	mirror_body_opened(m, key);
	return record.body_size >= 0 ? 0 : mirror_body_fetch(m, key, until, &size, err);
}

int read_blob(struct op *op, const struct until *until, struct error *err)
{
	size_t len;
	AUTO_FREE char *buf = malloc(op->size);
	if (!buf) {
		return -ENOMEM;
	}
	int r = mirror_body_read(op->fs->mirror, inode_key(op->ino), (uint64_t)op->off, buf,
		op->size, until, &len, err);
	return r < 0 ? r : reply_buf(op, buf, len);
}
