/* SPDX-License-Identifier: MIT */
/* Attributes of every kind of node, and how long the kernel may believe them. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "forcefs/model/stamp.h"
#include "fs_priv.h"
#include "fs_reply.h"

#define MIB              (1024 * 1024)
#define GETATTR_DRAIN_MS 100

/* ---- the parts of a struct stat ---- */

void attr_fill(const struct fs *fs, uint64_t inode, mode_t mode, off_t size, struct stat *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->st_ino = inode;
	ret->st_mode = mode & ~fs->config.umask;
	ret->st_nlink = S_ISDIR(mode) ? 2 : 1;
	ret->st_uid = fs->config.uid;
	ret->st_gid = fs->config.gid;
	ret->st_size = size;
	ret->st_blksize = 4096;
	ret->st_blocks = (size + 511) / 512;
}

static void set_time(struct stat *st, int64_t s, long ns)
{
	st->st_mtim = (struct timespec){.tv_sec = s, .tv_nsec = ns};
	st->st_ctim = st->st_atim = st->st_mtim;
}

/* Our own files: a changed text always shows another time, see stamp_mtime(). */
void attr_set_time(struct stat *st, int64_t ms, uint64_t hash)
{
	int64_t s;
	long ns;
	stamp_mtime(ms, hash, &s, &ns);
	set_time(st, s, ns);
}

void attr_root(struct fs *fs, struct stat *ret)
{
	attr_fill(fs, INODE_ROOT_NUMBER, S_IFDIR | 0555, 0, ret);
	attr_set_time(ret, atomic_load(&fs->root_mtime_ms), 0);
}

void attr_object(struct fs *fs, const struct mirror_object *object, struct stat *ret)
{
	bool writable = object->updateable || object->createable || object->deletable;
	mode_t mode = writable && !fs->config.read_only ? 0755 : 0555;
	attr_fill(fs, inode_of_object(object->index), S_IFDIR | mode, 0, ret);
	attr_set_time(ret, object->mtime_ms, 0);
}

void attr_record(struct fs *fs, const struct mirror_object *object,
	const struct mirror_record *record, struct stat *ret)
{
	mode_t mode = object->updateable && !fs->config.read_only ? 0644 : 0444;
	attr_fill(fs, inode_of_record(record->key), S_IFREG | mode, (off_t)record->size, ret);
	attr_set_time(ret, record->stamp_ms, record->hash);
}

void attr_control_dir(struct fs *fs, enum control control, struct stat *ret)
{
	attr_fill(fs, inode_of_control(control), S_IFDIR | 0555, 0, ret);
	attr_set_time(ret, fs->started_ms, 0);
}

void attr_doc(struct fs *fs, uint64_t inode, const struct doc *doc, struct stat *ret)
{
	attr_fill(fs, inode, S_IFREG | 0444, doc ? (off_t)doc->len : 0, ret);
	attr_set_time(ret, doc ? doc->mtime_ms : fs->started_ms, doc ? doc->hash : 0);
}

/* ---- freshness ---- */

double fresh_long(const struct fs *fs)
{
	if (fs->config.read_only) {
		int ttl_s = atomic_load(&fs->ttl_s);
		return ttl_s > FRESH_LONG_RO_S ? ttl_s : FRESH_LONG_RO_S;
	}
	return FRESH_LONG_S;
}

double fresh_object(struct fs *fs, uint32_t object)
{
	return (double)mirror_object_fresh_ms(fs->mirror, object) / 1000;
}

bool object_followed(struct fs *fs, uint32_t object)
{
	uint32_t found;
	struct mirror_object_status status;
	return mirror_object_status(fs->mirror, object - 1, &found, &status) == 1 &&
	       found == object && status.complete;
}

double fresh_row(const struct fs *fs, bool followed, const struct mirror_record *record)
{
	if (record->fresh_ms <= 0) {
		return 0;
	}
	return followed ? fresh_long(fs) : (double)record->fresh_ms / 1000;
}

double fresh_record(struct fs *fs, const struct mirror_record *record)
{
	bool followed = record->fresh_ms > 0 && object_followed(fs, store_key_object(record->key));
	return fresh_row(fs, followed, record);
}

int object_refresh(
	struct op *op, uint32_t object, const struct until *until, int drain_ms, struct error *err)
{
	struct mirror *m = op->fs->mirror;
	int r = mirror_object_check(m, object, until, err);
	if (r < 0 || !until) {
		return r;
	}
	struct until drain = *until;
	int64_t end_ms = clock_mono_ms() + drain_ms;
	drain.deadline_ms = end_ms < until->deadline_ms ? end_ms : until->deadline_ms;
	mirror_news_drain(m, &drain);
	return 0;
}

/* ---- entries ---- */

void entry_object(struct fs *fs, const struct mirror_object *object, struct fuse_entry_param *ret)
{
	*ret = (struct fuse_entry_param){.ino = inode_of_object(object->index)};
	attr_object(fs, object, &ret->attr);
	ret->attr_timeout = ret->entry_timeout = fresh_object(fs, object->index);
}

void entry_control_dir(struct fs *fs, enum control control, struct fuse_entry_param *ret)
{
	*ret = (struct fuse_entry_param){.ino = inode_of_control(control)};
	attr_control_dir(fs, control, &ret->attr);
	ret->attr_timeout = ret->entry_timeout = FRESH_LONG_S;
}

/* ---- GETATTR ---- */

/* The list of objects is looked at again where the kernel may hold an old one: it keeps listings of
 * the root only where it opens directories by itself. Only as a favour: the root has attributes
 * whatever the org says. Elsewhere a look at the root costs nothing, and every path through it is
 * one where the kernel judges permissions (allow_other). */
static int getattr_root(struct op *op, const struct until *until, struct error *err)
{
	struct stat st;
	struct mirror_object first;
	if (op->fs->no_open && atomic_load(&op->fs->root_listed)) {
		int r = mirror_object_next(op->fs->mirror, 0, until, &first, err);
		if (r == -EWOULDBLOCK || r == -EINTR) {
			return r;
		}
	}
	attr_root(op->fs, &st);
	return reply_attr(op, &st, atomic_load(&op->fs->ttl_s));
}

/* A reader of a cached directory asks this with the directory's lock held, and to pass on a
 * deletion the notifier needs that lock: so there is little patience for the notifier here. */
static int getattr_object(struct op *op, const struct until *until, struct error *err)
{
	struct stat st;
	struct mirror_object object;
	uint32_t index = inode_object(op->ino);
	int r = object_refresh(op, index, until, GETATTR_DRAIN_MS, err);
	if (r < 0) {
		return r;
	}
	if (mirror_object_by_index(op->fs->mirror, index, &object) < 0) {
		return -ESTALE;
	}
	attr_object(op->fs, &object, &st);
	return reply_attr(op, &st, fresh_object(op->fs, index));
}

static int getattr_record(struct op *op, const struct until *until, struct error *err)
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
	if (mirror_object_by_index(fs->mirror, inode_object(op->ino), &object) < 0) {
		return -ESTALE;
	}
	attr_record(fs, &object, &record, &st);
	return reply_attr(op, &st, fresh_record(fs, &record));
}

/* A scratch file that was saved as a record looks like it, but for its number. */
static int getattr_scratch(struct op *op, const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	struct mirror_object object;
	struct mirror_record record;
	struct stat st;
	struct draft *d = draft_find(&fs->drafts, op->ino);
	if (!d) {
		return -ESTALE;
	}
	pthread_mutex_lock(&fs->drafts.lock);
	attr_draft(fs, d, &st);
	uint64_t key = d->became ? d->key : 0;
	pthread_mutex_unlock(&fs->drafts.lock);
	draft_unref(&fs->drafts, d);
	if (key) {
		int r = mirror_record_get(fs->mirror, inode_key(key), until, &record, NULL, err);
		if (r < 0 ||
			mirror_object_by_index(fs->mirror, inode_object(op->ino), &object) < 0) {
			return r < 0 ? r : -ESTALE;
		}
		if (key_is_body(key)) {
			attr_body(fs, &object, &record, &st);
		} else {
			attr_record(fs, &object, &record, &st);
		}
		st.st_ino = op->ino;
	}
	return reply_attr(op, &st, 0);
}

static int getattr_rejected(struct op *op)
{
	char name[NAME_MAX + 1];
	struct stat st;
	int r = reject_find(op->fs, op->ino, name, sizeof(name));
	r = r < 0 ? r : reject_attr(op->fs, name, &st);
	return r < 0 ? r : reply_attr(op, &st, 0);
}

static int getattr_doc(struct op *op, const struct until *until, struct error *err)
{
	struct stat st;
	struct doc *doc;
	int r = doc_get(op->fs, op->ino, false, until, &doc, err);
	if (r < 0) {
		return r;
	}
	attr_doc(op->fs, op->ino, doc, &st);
	doc_unref(&op->fs->docs, doc);
	return reply_attr(op, &st, 0);
}

static int getattr_control(struct op *op, const struct until *until, struct error *err)
{
	struct stat st;
	enum control control = inode_control(op->ino);
	if (!control_is_dir(control)) {
		return getattr_doc(op, until, err);
	}
	attr_control_dir(op->fs, control, &st);
	return reply_attr(op, &st, FRESH_LONG_S);
}

int run_getattr(struct op *op, const struct until *until, struct error *err)
{
	switch (inode_kind(op->ino)) {
	case INODE_ROOT:
		return getattr_root(op, until, err);
	case INODE_OBJECT:
		return getattr_object(op, until, err);
	case INODE_RECORD:
		return getattr_record(op, until, err);
	case INODE_BODY:
		return getattr_body(op, until, err);
	case INODE_DESCRIBE:
		return getattr_doc(op, until, err);
	case INODE_SCRATCH:
		return getattr_scratch(op, until, err);
	case INODE_REJECTED:
		return getattr_rejected(op);
	case INODE_CONTROL:
		return getattr_control(op, until, err);
	case INODE_NONE:
		break;
	}
	return -ESTALE;
}

static const struct op_kind op_getattr = {.name = "getattr", .run = run_getattr};
static const struct op_kind op_getattr_root = {
	.name = "getattr", .run = run_getattr, .patience_ms = CHECK_PATIENCE_MS};

void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)fi;
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = inode_kind(ino) == INODE_ROOT ? &op_getattr_root : &op_getattr,
		.ino = ino});
}

/* ---- ACCESS: asked only where the kernel does not look at the mode itself ---- */

static bool may_write(struct fs *fs, uint64_t inode)
{
	struct mirror_object object;
	enum inode_kind kind = inode_kind(inode);
	if (kind == INODE_SCRATCH) {
		return true;
	}
	if (kind == INODE_BODY) {
		return mirror_object_by_index(fs->mirror, inode_object(inode), &object) == 0 &&
		       object.bodies_updateable;
	}
	if ((kind != INODE_OBJECT && kind != INODE_RECORD) ||
		mirror_object_by_index(fs->mirror, inode_object(inode), &object) < 0) {
		return false;
	}
	return object.updateable ||
	       (kind == INODE_OBJECT && (object.createable || object.deletable));
}

static bool is_dir(uint64_t inode)
{
	enum inode_kind kind = inode_kind(inode);
	return kind == INODE_ROOT || kind == INODE_OBJECT || control_is_dir(inode_control(inode));
}

void fs_access(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct fs *fs = fuse_req_userdata(req);
	int r = 0;
	if (mask & W_OK) {
		r = fs->config.read_only ? EROFS : may_write(fs, ino) ? 0 : EACCES;
	}
	if (!r && (mask & X_OK) && !is_dir(ino)) {
		r = EACCES;
	}
	fuse_reply_err(req, r);
}

/* ---- STATFS: the org's data storage ---- */

/* A failure gives zeros: df must neither fail nor hang for want of a figure. */
static int run_statfs(struct op *op, const struct until *until, struct error *err)
{
	struct limits limits;
	struct statvfs st = {.f_bsize = MIB, .f_frsize = MIB, .f_namemax = NAME_MAX};
	int r = mirror_limits(op->fs->mirror, until, &limits, NULL, err);
	if (r == -EWOULDBLOCK || r == -EINTR) {
		return r;
	}
	if (r == 0 && limits.has_data_storage) {
		st.f_blocks = (fsblkcnt_t)limits.data_max_mb;
		st.f_bfree = st.f_bavail = (fsblkcnt_t)limits.data_left_mb;
	}
	return reply_statfs(op, &st);
}

static const struct op_kind op_statfs = {
	.name = "statfs", .run = run_statfs, .patience_ms = STATFS_PATIENCE_MS};

void fs_statfs(fuse_req_t req, fuse_ino_t ino)
{
	op_begin(&(struct op){
		.fs = fuse_req_userdata(req), .req = req, .kind = &op_statfs, .ino = ino});
}
