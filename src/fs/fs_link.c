/* SPDX-License-Identifier: MIT */
/* LINK, SYMLINK, READLINK: backups and locks of editors, on this machine only. */
#include <errno.h>
#include <string.h>

#include "forcefs/base/scope.h"
#include "forcefs/model/names.h"
#include "fs_place.h"
#include "fs_reply.h"

static int reply_new(struct op *op, struct draft *d)
{
	struct fuse_entry_param entry = {.ino = d->inode};

	pthread_mutex_lock(&op->fs->drafts.lock);
	attr_draft(op->fs, d, &entry.attr);
	pthread_mutex_unlock(&op->fs->drafts.lock);
	return reply_entry(op, &entry);
}

/* A hard link of a record is a copy (some programs make their backup so); of a scratch file it is
 * one more name. */
static int run_link(struct op *op, const struct until *until, struct error *err)
{
	struct mirror_object object;
	struct draft *d = NULL;
	struct fs *fs = op->fs;
	struct id id;

	int r = writable_dir(fs, op->new_parent, &object, err);
	char ext[BODY_EXT_MAX + 1];
	if (r == 0 && (record_name_parse(op->new_name, object.key_prefix, &id) ||
			      (object.has_bodies && body_name_parse(op->new_name, object.key_prefix,
							    &id, ext)))) {
		r = error_set(err, EPERM, "a record's name cannot be given to another file");
	}
	if (r == 0 && inode_kind(op->ino) == INODE_SCRATCH) {
		d = draft_find(&fs->drafts, op->ino);
		r = d ? 0 : -ESTALE;
	} else if (r == 0) {
		r = inode_kind(op->ino) == INODE_BODY
			    ? blob_copy(fs, inode_key(op->ino), until, &d, err)
		    : inode_kind(op->ino) == INODE_RECORD
			    ? copy_of_record(op, inode_key(op->ino), until, &d, err)
			    : -EPERM;
	}
	r = r < 0 ? r : name_set(&fs->drafts, object.index, op->new_name, d, err);
	if (r == 0) {
		reply_new(op, d);
	}
	draft_unref(&fs->drafts, d);
	return r;
}

static int run_symlink(struct op *op, const struct until *until, struct error *err)
{
	struct mirror_object object;
	struct draft *d = NULL;
	struct fs *fs = op->fs;
	(void)until;

	int r = writable_dir(fs, op->ino, &object, err);
	r = r < 0 ? r : draft_new(&fs->drafts, DRAFT_LINK, object.index, 0777, &d, err);
	r = r < 0 ? r : draft_set(&fs->drafts, d, op->new_name, strlen(op->new_name), err);
	r = r < 0 ? r : name_set(&fs->drafts, object.index, op->name, d, err);
	if (r == 0) {
		reply_new(op, d);
	}
	draft_unref(&fs->drafts, d);
	return r;
}

static void do_readlink(fuse_req_t req, fuse_ino_t ino)
{
	struct fs *fs = fuse_req_userdata(req);
	struct draft *d = draft_find(&fs->drafts, ino);
	AUTO(buf) struct buf target;

	buf_init(&target, DRAFT_MAX_BYTES);
	if (!d || d->kind != DRAFT_LINK || draft_copy(&fs->drafts, d, &target) < 0) {
		fuse_reply_err(req, EINVAL);
	} else {
		fuse_reply_readlink(req, buf_str(&target));
	}
	draft_unref(&fs->drafts, d);
}

static const struct op_kind op_link = {.name = "link", .run = run_link, .writes = true};
static const struct op_kind op_symlink = {
	.name = "symlink", .run = run_symlink, .by_name = true, .writes = true};

static void do_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = &op_link,
		.ino = ino,
		.new_parent = new_parent,
		.new_name = new_name});
}

static void do_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = &op_symlink,
		.ino = parent,
		.name = name,
		.new_name = target});
}

void link_fill_ops(struct fuse_lowlevel_ops *ops)
{
	ops->link = do_link;
	ops->symlink = do_symlink;
	ops->readlink = do_readlink;
}
