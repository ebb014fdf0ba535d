/* SPDX-License-Identifier: MIT */
/*
 * Names that come and go while somebody saves: UNLINK and RENAME. A record's name may
 * vanish and come back within one save; nothing of that reaches the org but the one change at the
 * end.
 *
 *   record  -> other name   its file is copied to a scratch file of that name, the record's name is
 *                           hidden until it is made again or the copy is moved back
 *   scratch -> record name  the save: sent now, and its failure is RENAME's failure
 *   scratch -> other name   local
 *   unlink of a scratch     local
 *   unlink of a record      a deletion where `allow` has delete; else refused, except right in the
 *                           middle of a save (a copy of it was made, or the caller is a program
 *                           known to make the file anew at once: fs_caller.c), where the name is
 *                           hidden
 *
 * The body of a record (the file beside its JSON) goes the same ways, but it is never deleted by
 * itself: it goes with its record.
 *
 * The kernel moves its own entry to the new name when RENAME succeeds, with the old node behind it.
 * Where the new name stands for another node it is told to forget the entry (tell_entry), after the
 * reply and from another thread, because it holds the directory's lock until then.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/scope.h"
#include "forcefs/model/json_text.h"
#include "forcefs/model/names.h"
#include "fs_place.h"
#include "fs_reply.h"

/* ---- UNLINK ---- */

/* A body's name goes away only where it is to come back at once. */
static int unlink_body(struct op *op, const struct place *p, const struct mirror_object *object,
	const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	struct mirror_record rec;
	int r = place_record(fs, p, until, &rec, err);

	if (r < 0) {
		return r;
	}
	uint64_t inode = inode_of_body(rec.key);
	if (object->bodies_updateable && name_has_copy(&fs->drafts, inode) && !caller_removes(op)) {
		return name_hide(&fs->drafts, p->object, p->name, rec.key, HIDDEN_MS, err);
	}
	if (object->bodies_updateable && caller_replaces(op, inode)) {
		return name_hide(&fs->drafts, p->object, p->name, rec.key, REPLACE_MS, err);
	}
	return error_set(err, EPERM,
		"%s is the file of a record and goes with it: it cannot be deleted alone", p->name);
}

static int unlink_record(struct op *op, const struct place *p, const struct mirror_object *object,
	const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	struct mirror_record rec;

	int r = place_record(fs, p, until, &rec, err);
	if (r < 0) {
		return r;
	}
	if (object->updateable && name_has_copy(&fs->drafts, rec.key) && !caller_removes(op)) {
		return name_hide(&fs->drafts, p->object, p->name, rec.key, HIDDEN_MS, err);
	}
	if (object->updateable && caller_replaces(op, rec.key)) {
		return name_hide(&fs->drafts, p->object, p->name, rec.key, REPLACE_MS, err);
	}
	if (!object->deletable) {
		return error_set(err, EPERM,
			"%s was not deleted: add delete to `allow` in the settings (or -o "
			"allow=…) if records of %s may be deleted here",
			p->name, object->name);
	}
	if (!until) {
		return -EWOULDBLOCK;
	}
	r = save_delete(fs, rec.key, until, err);
	if (r == 0 && p->local.kind == NAME_ALIAS) {
		name_drop(&fs->drafts, p->object, p->name);
	}
	return r;
}

static int unlink_in_object(struct op *op, const struct until *until, struct error *err)
{
	struct mirror_object object;
	struct place p;
	int r = writable_dir(op->fs, op->ino, &object, err);

	if (r < 0) {
		return r;
	}
	place_look(op->fs, &object, op->name, &p);
	if (p.local.kind == NAME_SCRATCH) {
		name_drop(&op->fs->drafts, p.object, op->name);
	} else if (p.local.kind == NAME_HIDDEN) {
		r = -ENOENT;
	} else if (p.is_body && place_is_body(op->fs, &p, until, &r)) {
		r = r < 0 ? r : unlink_body(op, &p, &object, until, err);
	} else {
		r = unlink_record(op, &p, &object, until, err);
	}
	place_release(op->fs, &p);
	return r;
}

static int reply_done(struct op *op)
{
	op_succeed(op);
	fuse_reply_err(op->req, 0);
	return 0;
}

static int run_unlink(struct op *op, const struct until *until, struct error *err)
{
	int r = inode_control(op->ino) == CONTROL_REJECTED_DIR ? reject_remove(op->fs, op->name)
							       : unlink_in_object(op, until, err);

	return r < 0 ? r : reply_done(op);
}

/* ---- RENAME ---- */

/* A record's name is moved away: the middle of some editor's save. */
static int park_record(struct op *op, const struct place *from, const struct place *to,
	const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	struct mirror_record rec;
	struct draft *copy;

	int r = 0;
	if (to->is_record || place_is_body(fs, to, until, &r)) {
		return r < 0 ? r : error_set(err, EPERM, "a record's Id cannot be changed");
	}
	r = place_record(fs, from, until, &rec, err);
	if (r == 0 && from->is_body) {
		r = blob_writable(fs, from->object, err);
		r = r < 0 ? r : blob_copy(fs, rec.key, until, &copy, err);
	} else if (r == 0) {
		r = copy_of_record(op, rec.key, until, &copy, err);
	}
	if (r < 0) {
		return r;
	}
	r = name_set(&fs->drafts, to->object, to->name, copy, err);
	draft_unref(&fs->drafts, copy);
	r = r < 0 ? r : name_hide(&fs->drafts, from->object, from->name, rec.key, HIDDEN_MS, err);
	if (r == 0) {
		tell_entry(fs, op->ino, to->name); /* the kernel has the record's node there */
	}
	return r;
}

/* The same for a body; *ret_other: no body stands there. */
static int save_over_body(struct op *op, const struct place *from, const struct place *to,
	bool *ret_other, const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	struct draft *d = from->local.draft;
	struct mirror_record rec;
	uint64_t version = draft_version(&fs->drafts, d);

	int r = place_record(fs, to, until, &rec, err);
	*ret_other = r == -ENOENT || d->kind != DRAFT_FILE;
	if (*ret_other) {
		return 0;
	}
	r = r < 0 ? r : blob_save_over(op, d, &rec, until, err);
	if (r < 0) {
		return r;
	}
	scratch_became(fs, d, inode_of_body(rec.key), version);
	fuse_lowlevel_notify_inval_inode(fs->session, d->inode, 0, 0);
	fuse_lowlevel_notify_inval_inode(fs->session, inode_of_body(rec.key), 0, 0);
	name_drop(&fs->drafts, from->object, from->name);
	name_drop(&fs->drafts, to->object, to->name);
	tell_entry(fs, op->ino, to->name);
	return 0;
}

/* The save: the scratch file's text becomes the record's. */
static int save_over(struct op *op, const struct place *from, const struct place *to,
	const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	struct draft *d = from->local.draft;
	struct mirror_record rec;
	uint64_t version = draft_version(&fs->drafts, d);

	int r = place_record(fs, to, until, &rec, err);
	if (r == -ENOENT) {
		return error_set(
			err, EPERM, "Salesforce gives records their Ids: there is no %s", to->name);
	}
	r = r < 0 ? r : scratch_save(op, d, rec.key, until, err);
	if (r < 0) {
		return r;
	}
	scratch_became(fs, d, rec.key, version);
	fuse_lowlevel_notify_inval_inode(
		fs->session, d->inode, 0, 0); /* it has the org's text now */
	name_drop(&fs->drafts, from->object, from->name);
	if (to->is_record) {
		name_drop(&fs->drafts, to->object, to->name);
	} else {
		name_alias(&fs->drafts, to->object, to->name, rec.key, NULL);
	}
	tell_entry(fs, op->ino, to->name);
	return 0;
}

static int rename_local(
	struct op *op, const struct place *from, const struct place *to, struct error *err)
{
	struct drafts *drafts = &op->fs->drafts;
	int r = name_set(drafts, to->object, to->name, from->local.draft, err);

	if (r == 0) {
		name_drop(drafts, from->object, from->name);
	}
	return r;
}

/* A file that was written under another name may become a record now. */
static int rename_new(struct op *op, const struct place *from, const struct place *to,
	const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	struct draft *d = from->local.draft;
	int r = d->kind == DRAFT_FILE ? scratch_make_record(op, d, to->name, until, err) : 0;

	if (r < 0) {
		return r;
	}
	pthread_mutex_lock(&fs->drafts.lock);
	bool made = d->became;
	pthread_mutex_unlock(&fs->drafts.lock);
	if (!made) {
		return rename_local(op, from, to, err);
	}
	name_drop(&fs->drafts, from->object, from->name);
	return 0;
}

static int rename_in(struct op *op, const struct place *from, const struct place *to,
	const struct until *until, struct error *err)
{
	if (strcmp(from->name, to->name) == 0) {
		return 0;
	}
	if (from->local.kind == NAME_HIDDEN) {
		return -ENOENT;
	}
	if (from->local.kind != NAME_SCRATCH) {
		return park_record(op, from, to, until, err);
	}
	if (to->is_body) {
		bool other;
		int r = save_over_body(op, from, to, &other, until, err);
		if (!other) {
			return r;
		}
	}
	if (to->is_record || to->local.kind == NAME_ALIAS || to->local.kind == NAME_HIDDEN) {
		return save_over(op, from, to, until, err);
	}
	return rename_new(op, from, to, until, err);
}

static bool place_taken(struct fs *fs, const struct place *p, const struct until *until)
{
	struct mirror_record rec;

	return p->local.kind == NAME_SCRATCH || p->local.kind == NAME_ALIAS ||
	       (p->local.kind == NAME_NONE && place_record(fs, p, until, &rec, NULL) == 0);
}

static int run_rename(struct op *op, const struct until *until, struct error *err)
{
	struct mirror_object object;
	struct place from, to;
	int r = writable_dir(op->fs, op->ino, &object, err);

	if (r < 0) {
		return r;
	}
	if (op->new_parent != op->ino) {
		return -EXDEV;
	}
	if (op->flags & ~RENAME_NOREPLACE) {
		return -EINVAL;
	}
	place_look(op->fs, &object, op->name, &from);
	place_look(op->fs, &object, op->new_name, &to);
	r = op->flags & RENAME_NOREPLACE && place_taken(op->fs, &to, until)
		    ? -EEXIST
		    : rename_in(op, &from, &to, until, err);
	if (r != -EWOULDBLOCK && from.local.kind == NAME_SCRATCH) {
		op->name = op->new_name; /* how a save went is told of what it saves */
	}
	place_release(op->fs, &from);
	place_release(op->fs, &to);
	return r < 0 ? r : reply_done(op);
}

/* ---- the rest ---- */

static int run_refuse(struct op *op, const struct until *until, struct error *err)
{
	(void)until;
	return error_set(err, op->fs->config.read_only ? EROFS : EPERM,
		"the directories of a mount are the org's objects: none can be made or removed "
		"here");
}

#define BY_NAME(op)                                                                                \
	static const struct op_kind op_##op = {                                                    \
		.name = #op, .run = run_##op, .by_name = true, .writes = true}
BY_NAME(unlink);
BY_NAME(rename);
BY_NAME(refuse);

static struct op op_of(fuse_req_t req, fuse_ino_t ino, const char *name, const struct op_kind *kind)
{
	return (struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = kind,
		.ino = ino,
		.name = name,
		.pid = fuse_req_ctx(req)->pid};
}

static void do_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op = op_of(req, parent, name, &op_unlink);
	op_begin(&op);
}

static void do_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	const char *new_name, unsigned int flags)
{
	struct op op = op_of(req, parent, name, &op_rename);
	op.new_parent = new_parent;
	op.new_name = new_name;
	op.flags = (int)flags;
	op_begin(&op);
}

static void do_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	struct op op = op_of(req, parent, name, &op_refuse);
	(void)mode;
	op_begin(&op);
}

static void do_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	struct op op = op_of(req, parent, name, &op_refuse);
	op_begin(&op);
}

static void do_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	struct op op = op_of(req, parent, name, &op_refuse);
	(void)mode;
	(void)rdev;
	op_begin(&op);
}

void rename_fill_ops(struct fuse_lowlevel_ops *ops)
{
	ops->unlink = do_unlink;
	ops->rename = do_rename;
	ops->mkdir = do_mkdir;
	ops->rmdir = do_rmdir;
	ops->mknod = do_mknod;
}
