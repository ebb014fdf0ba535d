/* SPDX-License-Identifier: MIT */
/*
 * Open files that are written: CREATE, WRITE, SETATTR, FLUSH, FSYNC, RELEASE. What is written goes
 * into drafts (fs_draft.h); what becomes of names is in fs_rename.c, saving in fs_edit.c.
 *
 * fh of a file open for writing is its draft, with a reference; that of one open for reading is 0.
 */
#include "fs_write.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "forcefs/base/scope.h"
#include "forcefs/model/names.h"
#include "fs_reply.h"

static struct draft *draft_of(uint64_t fh)
{
	return (struct draft *)(uintptr_t)fh;
}

static uint64_t fh_of(struct draft *draft)
{
	return (uint64_t)(uintptr_t)draft;
}

/* ---- OPEN ---- */

bool opens_for_writing(int flags)
{
	return (flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC;
}

static int check_record(struct fs *fs, uint64_t inode, struct error *err)
{
	struct mirror_object object;

	if (mirror_object_by_index(fs->mirror, inode_object(inode), &object) < 0) {
		return -ESTALE;
	}
	if (fs->config.read_only) {
		return error_set(err, EROFS, "this mount is read-only");
	}
	if (!object.updateable) {
		return error_set(err, EACCES,
			"records of %s cannot be changed: neither you in Salesforce nor `allow` "
			"in the settings permit it, or not both",
			object.name);
	}
	return 0;
}

/* The key of the record that a scratch file was saved as; 0 if it was not. */
static uint64_t became_key(struct fs *fs, struct draft *d)
{
	LOCK_SCOPE(&fs->drafts.lock);
	return d->became ? d->key : 0;
}

static int open_scratch(
	struct op *op, const struct until *until, struct draft **ret, struct error *err)
{
	struct draft *d = draft_find(&op->fs->drafts, op->ino);
	uint64_t key = d ? became_key(op->fs, d) : 0;
	int r = d ? 0 : -ESTALE;

	if (key) {
		draft_unref(&op->fs->drafts, take_ptr(&d));
		r = key_is_body(key)
			    ? blob_open(op, inode_key(key), op->flags & O_TRUNC, until, &d, err)
			    : edit_open(op, key, op->flags & O_TRUNC, until, &d, err);
	} else if (r == 0) {
		r = draft_open(op, d, op->flags & O_TRUNC, err);
	}
	if (r == 0) {
		*ret = d;
	} else {
		draft_unref(&op->fs->drafts, d);
	}
	return r;
}

/* Also for reading a scratch file: it lives on while it is open, whatever becomes of its name. */
int open_for_writing(struct op *op, const struct until *until, struct error *err)
{
	struct draft *d = NULL;
	int r;

	if (inode_kind(op->ino) == INODE_SCRATCH) {
		r = open_scratch(op, until, &d, err);
	} else if (inode_kind(op->ino) == INODE_RECORD) {
		r = check_record(op->fs, op->ino, err);
		r = r < 0 ? r : object_refresh(op, inode_object(op->ino), until, DRAIN_MS, err);
		r = r < 0 ? r
			  : edit_open(op, inode_key(op->ino), op->flags & O_TRUNC, until, &d, err);
	} else if (inode_kind(op->ino) == INODE_BODY) {
		r = blob_writable(op->fs, inode_object(op->ino), err);
		r = r < 0 ? r : object_refresh(op, inode_object(op->ino), until, DRAIN_MS, err);
		r = r < 0 ? r
			  : blob_open(op, inode_key(op->ino), op->flags & O_TRUNC, until, &d, err);
	} else {
		return error_set(err, EACCES, "files of forcefs itself cannot be written");
	}
	if (r < 0) {
		return r;
	}
	struct fuse_file_info fi = {.fh = fh_of(d), .noflush = !opens_for_writing(op->flags)};
	op_succeed(op);
	if (fuse_reply_open(op->req, &fi) < 0) { /* interrupted: there will be no RELEASE */
		draft_abandon(op->fs, d);
	}
	return 0;
}

void draft_abandon(struct fs *fs, struct draft *d)
{
	pthread_mutex_lock(&fs->drafts.lock);
	d->opens--;
	pthread_mutex_unlock(&fs->drafts.lock);
	draft_unref(&fs->drafts, d);
}

/* ---- CREATE ---- */

static int reply_create(struct op *op, struct draft *d)
{
	struct fuse_entry_param entry = {.ino = d->inode};
	struct fuse_file_info fi = {.fh = fh_of(d)};

	pthread_mutex_lock(&op->fs->drafts.lock);
	attr_draft(op->fs, d, &entry.attr);
	pthread_mutex_unlock(&op->fs->drafts.lock);
	op_succeed(op);
	if (fuse_reply_create(op->req, &entry, &fi) < 0) {
		draft_abandon(op->fs, d);
	}
	return 0;
}

/* A record's name: only one that is there can be made anew. */
static int create_record(
	struct op *op, const struct id *id, const struct until *until, struct error *err)
{
	struct mirror_record rec;
	struct draft *d;
	uint32_t object = inode_object(op->ino);

	int r = mirror_record_find(op->fs->mirror, object, id, until, &rec, err);
	if (r == -ENOENT) {
		return error_set(err, EPERM,
			"Salesforce gives records their Ids: a new record gets another name, like "
			"new.json, where `allow` has create");
	}
	r = r < 0 ? r : check_record(op->fs, inode_of_record(rec.key), err);
	r = r < 0 ? r : edit_open(op, rec.key, true, until, &d, err);
	if (r == 0) {
		name_drop(&op->fs->drafts, object, op->name);
		reply_create(op, d);
	}
	return r;
}

static int create_scratch(struct op *op, struct error *err)
{
	struct drafts *drafts = &op->fs->drafts;
	struct draft *d;

	int r = draft_new(drafts, DRAFT_FILE, inode_object(op->ino), op->mode & 07777, &d, err);
	if (r < 0) {
		return r;
	}
	d->author = caller_author(op->pid);
	r = name_set(drafts, inode_object(op->ino), op->name, d, err);
	r = r < 0 ? r : draft_open(op, d, false, err);
	if (r < 0) {
		draft_unref(drafts, d);
		return r;
	}
	return reply_create(op, d);
}

int writable_dir(struct fs *fs, uint64_t inode, struct mirror_object *ret, struct error *err)
{
	if (fs->config.read_only) {
		return error_set(err, EROFS, "this mount is read-only");
	}
	if (inode_kind(inode) != INODE_OBJECT) {
		return error_set(
			err, EPERM, "only records can be written, in the directories of objects");
	}
	if (mirror_object_by_index(fs->mirror, inode_object(inode), ret) < 0) {
		return -ESTALE;
	}
	if (!ret->updateable && !ret->createable && !ret->deletable) {
		return error_set(err, EACCES,
			"records of %s cannot be changed: neither you in Salesforce nor `allow` "
			"in the settings permit it, or not both",
			ret->name);
	}
	return 0;
}

/* The name that a new record was given, which an editor has just moved away: it leads there again.
 */
static int create_alias(struct op *op, uint64_t key, const struct until *until, struct error *err)
{
	struct draft *d;
	int r = check_record(op->fs, inode_of_record(key), err);

	r = r < 0 ? r : edit_open(op, key, true, until, &d, err);
	if (r == 0) {
		name_alias(&op->fs->drafts, inode_object(op->ino), op->name, key, NULL);
		reply_create(op, d);
	}
	return r;
}

static int create_other(struct op *op, const struct until *until, struct error *err)
{
	struct name_view local;

	name_find(&op->fs->drafts, inode_object(op->ino), op->name, &local);
	bool leads = local.kind == NAME_HIDDEN || local.kind == NAME_ALIAS;
	int r = leads ? create_alias(op, local.key, until, err) : create_scratch(op, err);
	name_view_release(&op->fs->drafts, &local);
	return r;
}

/* The same for the body of a record; *ret_other: it is the name of none. */
static int create_body(struct op *op, const struct id *id, const char *ext, bool *ret_other,
	const struct until *until, struct error *err)
{
	struct mirror_record rec;
	struct draft *d;
	uint32_t object = inode_object(op->ino);

	int r = mirror_record_find(op->fs->mirror, object, id, until, &rec, err);
	*ret_other = r == -ENOENT || (r == 0 && strcmp(rec.ext, ext) != 0);
	if (*ret_other) {
		return 0;
	}
	r = r < 0 ? r : blob_writable(op->fs, object, err);
	r = r < 0 ? r : blob_open(op, rec.key, true, until, &d, err);
	if (r == 0) {
		name_drop(&op->fs->drafts, object, op->name);
		reply_create(op, d);
	}
	return r;
}

static int run_create(struct op *op, const struct until *until, struct error *err)
{
	struct mirror_object object;
	struct id id;
	int r = writable_dir(op->fs, op->ino, &object, err);

	if (r < 0) {
		return r;
	}
	if (record_name_parse(op->name, object.key_prefix, &id)) {
		return create_record(op, &id, until, err);
	}
	char ext[BODY_EXT_MAX + 1];
	bool other = true;
	if (object.has_bodies && body_name_parse(op->name, object.key_prefix, &id, ext)) {
		r = create_body(op, &id, ext, &other, until, err);
	}
	return other ? create_other(op, until, err) : r;
}

static const struct op_kind op_create = {
	.name = "create", .run = run_create, .by_name = true, .writes = true};

static void do_create(
	fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	(void)fi;
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = &op_create,
		.ino = parent,
		.name = name,
		.mode = mode,
		.pid = fuse_req_ctx(req)->pid});
}

/* ---- WRITE: the data is there for the call only, so it is taken at once ---- */

static void do_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off,
	struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	struct error err = {0};
	(void)ino;

	if (!fi->fh) {
		fuse_reply_err(req, EBADF);
		return;
	}
	int r = draft_write(&fs->drafts, draft_of(fi->fh), data, size, off, &err);
	if (r < 0) {
		char path[FAULT_PATH_MAX];
		path_of_inode(fs, ino, path, sizeof path);
		fault_note(&fs->faults, path, "write", &err);
		fuse_reply_err(req, -r);
	} else {
		fuse_reply_write(req, size);
	}
}

/* ---- SETATTR ---- */

/* Only a file that is open for writing can be cut: a cut alone is nothing that could be saved. */
static int set_size(struct op *op, struct error *err)
{
	struct drafts *drafts = &op->fs->drafts;
	struct draft *d = draft_find(drafts, op->ino);

	if (!d) {
		return error_set(err, EINVAL,
			"a record's file cannot be cut without writing it: nothing was changed");
	}
	int r = draft_truncate(drafts, d, op->off, err);
	draft_unref(drafts, d);
	return r;
}

static void set_scratch(struct op *op)
{
	struct drafts *drafts = &op->fs->drafts;
	struct draft *d = draft_find(drafts, op->ino);

	if (!d) {
		return;
	}
	pthread_mutex_lock(&drafts->lock);
	if (op->flags & FUSE_SET_ATTR_MODE) {
		d->mode = op->mode & 07777;
	}
	if (op->flags & FUSE_SET_ATTR_MTIME_NOW) {
		clock_gettime(CLOCK_REALTIME, &d->mtime);
	} else if (op->flags & FUSE_SET_ATTR_MTIME) {
		d->mtime = op->mtime;
	}
	pthread_mutex_unlock(&drafts->lock);
	draft_unref(drafts, d);
}

/* Mode, owner and times of a record are the org's: setting them succeeds and changes nothing, as
 * editors do it after every save. */
static int run_setattr(struct op *op, const struct until *until, struct error *err)
{
	int r = 0;

	if (op->flags & FUSE_SET_ATTR_SIZE && !until) {
		r = set_size(op, err);
	}
	if (r < 0) {
		return r;
	}
	op->flags &= ~FUSE_SET_ATTR_SIZE;
	if (inode_kind(op->ino) == INODE_SCRATCH) {
		set_scratch(op);
	}
	return run_getattr(op, until, err);
}

static const struct op_kind op_setattr = {.name = "setattr", .run = run_setattr};

static void do_setattr(
	fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	(void)fi;
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = &op_setattr,
		.ino = ino,
		.off = attr->st_size,
		.mode = attr->st_mode,
		.mtime = attr->st_mtim,
		.flags = to_set});
}

/* ---- FLUSH, FSYNC, RELEASE ---- */

#define OP_SYNC 1 /* in op.flags: FSYNC, the file stays open */

static int save_draft(struct op *op, const struct until *until, struct error *err)
{
	struct draft *d = draft_of(op->fh);

	if (draft_is_edit(d)) {
		return op->flags & OP_SYNC ? edit_save(op->fs, d, until, err)
					   : edit_close(op, d, until, err);
	}
	char name[NAME_MAX + 1];
	name_of(&op->fs->drafts, d->inode, name, sizeof name);
	return d->kind == DRAFT_FILE ? scratch_make_record(op, d, name, until, err) : 0;
}

/* `{ head -n 3 x; tail -n +4 x; } >file`: each program closes the file that the shell has open,
 * with half of the text in it. The shell closes it last, and that close tells. */
static bool is_half_a_text(const struct op *op, int r, const struct error *err)
{
	return r == -EINVAL && !err->code[0] && draft_closed_by_child(op, draft_of(op->fh));
}

static int run_flush(struct op *op, const struct until *until, struct error *err)
{
	int r = op->fh ? save_draft(op, until, err) : 0;

	if (r == 0 || is_half_a_text(op, r, err)) {
		r = 0;
		op_succeed(op);
		fuse_reply_err(op->req, 0);
	}
	return r;
}

static int run_release(struct op *op, const struct until *until, struct error *err)
{
	int r = draft_close(op, draft_of(op->fh), until);
	(void)err;

	if (r == 0) {
		op_settle(op);
		fuse_reply_err(op->req, 0);
	}
	return r;
}

static const struct op_kind op_flush = {.name = "save", .run = run_flush, .writes = true};
static const struct op_kind op_release = {.name = "release", .run = run_release};

static void begin_fh(
	fuse_req_t req, fuse_ino_t ino, uint64_t fh, int flags, const struct op_kind *kind)
{
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = kind,
		.ino = ino,
		.fh = fh,
		.flags = flags,
		.pid = fuse_req_ctx(req)->pid});
}

static void do_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);

	if (fs->config.read_only) {
		fuse_reply_err(req, ENOSYS);
	} else if (!fi->fh) {
		fuse_reply_err(req, 0);
	} else {
		begin_fh(req, ino, fi->fh, 0, &op_flush);
	}
}

static void do_fsync(fuse_req_t req, fuse_ino_t ino, int datasync, struct fuse_file_info *fi)
{
	(void)datasync;
	if (!fi->fh) {
		fuse_reply_err(req, 0);
	} else {
		begin_fh(req, ino, fi->fh, OP_SYNC, &op_flush);
	}
}

static void do_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	if (!fi->fh) {
		fuse_reply_err(req, 0);
	} else {
		begin_fh(req, ino, fi->fh, 0, &op_release);
	}
}

void write_fill_ops(struct fuse_lowlevel_ops *ops)
{
	ops->create = do_create;
	ops->setattr = do_setattr;
	ops->write = do_write;
	ops->flush = do_flush;
	ops->fsync = do_fsync;
	ops->release = do_release;
	rename_fill_ops(ops);
	link_fill_ops(ops);
}
