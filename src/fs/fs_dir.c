/* SPDX-License-Identifier: MIT */
/*
 * Listings. The directory offset of an entry is its index plus 2, after "." at 1 and ".." at 2;
 * that of a record comes from its row: 2 * row + 2 behind its JSON where its body is still to come,
 * 2 * row + 3 behind all of it. So it is stable while records come and go, and over remounts. A
 * READDIR gives what is at hand; it waits only when it would otherwise have nothing to give, so the
 * first names appear with the first page.
 *
 * The kernel may keep listings (CACHE_DIR with KEEP_CACHE; on read-only mounts it always does).
 * That is sound: it marks one as whole only after a READDIR that gave nothing, which we answer when
 * the listing has really ended, and NEWS_LISTING drops it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/model/names.h"
#include "fs_priv.h"
#include "fs_reply.h"

#define OFF_DOT    1
#define OFF_DOTDOT 2
#define BATCH_MAX  64
/* Local names come after all records; a row has 40 bits. */
#define OFF_LOCAL (INT64_C(1) << 50)

struct listing {
	struct op *op;
	bool plus;
	char *buf;
	size_t used;
	off_t off; /* of the last entry that went in, or where the kernel wants to go on */
	bool full;
};

/* False when it does not fit any more. */
static bool add(struct listing *l, const char *name, const struct fuse_entry_param *e, off_t off)
{
	size_t room = l->op->size - l->used;
	char *at = l->buf + l->used;
	size_t need = l->plus ? fuse_add_direntry_plus(l->op->req, at, room, name, e, off)
			      : fuse_add_direntry(l->op->req, at, room, name, &e->attr, off);
	if (need > room) {
		l->full = true;
		return false;
	}
	l->used += need;
	l->off = off;
	return true;
}

/* An entry whose attributes the kernel shall ask for itself: no node is made from it. */
static bool add_bare(struct listing *l, const char *name, uint64_t inode, mode_t type, off_t off)
{
	struct fuse_entry_param e = {.attr = {.st_ino = inode, .st_mode = type}};
	return add(l, name, &e, off);
}

static bool add_dots(struct listing *l)
{
	return (l->off >= OFF_DOT || add_bare(l, ".", l->op->ino, S_IFDIR, OFF_DOT)) &&
	       (l->off >= OFF_DOTDOT || add_bare(l, "..", INODE_ROOT_NUMBER, S_IFDIR, OFF_DOTDOT));
}

/* Once there is something to give, nothing is worth waiting for. */
static const struct until *patience(const struct listing *l, const struct until *until)
{
	return l->used > 0 ? NULL : until;
}

/* What a batch's end means: an error counts only if it is the first thing. */
static int verdict(const struct listing *l, int r)
{
	return r < 0 && l->used == 0 ? r : 0;
}

/* ---- one per kind of directory; each goes on after l->off ---- */

static int list_objects(
	struct listing *l, bool as_describes, const struct until *until, struct error *err)
{
	struct fs *fs = l->op->fs;
	struct mirror_object object;
	int r;
	while ((r = mirror_object_next(fs->mirror, (uint32_t)(l->off - OFF_DOTDOT),
			patience(l, until), &object, err)) == 1) {
		off_t off = (off_t)object.index + OFF_DOTDOT;
		char name[81 + 5];
		struct fuse_entry_param e;
		if (as_describes) {
			/* The size of each would cost a call. */
			snprintf(name, sizeof(name), "%s.json", object.name);
			if (!add_bare(l, name, inode_of_describe(object.index), S_IFREG, off)) {
				break;
			}
			continue;
		}
		entry_object(fs, &object, &e);
		if (!add(l, object.name, &e, off)) {
			break;
		}
	}
	return verdict(l, r);
}

static int list_root(struct listing *l, const struct until *until, struct error *err)
{
	atomic_store(&l->op->fs->root_listed, true);
	return list_objects(l, false, until, err);
}

/* How many records of the usual name fit; at least 1, so that the end is noticed. */
static int batch_size(const struct listing *l)
{
	static const char name[] = "000000000000000AAA.json";
	size_t one = l->plus ? fuse_add_direntry_plus(l->op->req, NULL, 0, name, NULL, 0)
			     : fuse_add_direntry(l->op->req, NULL, 0, name, NULL, 0);
	size_t fit = (l->op->size - l->used) / one;
	return fit < 1 ? 1 : fit > BATCH_MAX ? BATCH_MAX : (int)fit;
}

static bool hidden(struct fs *fs, uint32_t object, const char *name)
{
	struct name_view view;
	bool is = name_find(&fs->drafts, object, name, &view) == NAME_HIDDEN;
	name_view_release(&fs->drafts, &view);
	return is;
}

/* Behind the record's JSON, and behind its body too. */
static off_t off_json(const struct mirror_record *record)
{
	return (off_t)(2 * store_key_row(record->key)) + OFF_DOTDOT;
}

static off_t off_whole(const struct mirror_record *record)
{
	return off_json(record) + 1;
}

/* The row after which a listing goes on: a row whose body is still to come is looked at again. */
static uint64_t row_before(off_t off)
{
	uint64_t place = (uint64_t)(off - OFF_DOTDOT);
	return place % 2 || place == 0 ? place / 2 : place / 2 - 1;
}

static void add_json(struct listing *l, const struct mirror_object *object,
	const struct mirror_record *record, bool followed)
{
	struct fs *fs = l->op->fs;
	char name[RECORD_NAME_LEN + 1];
	struct id id;
	off_t off = record->ext[0] ? off_json(record) : off_whole(record);
	memcpy(id.text, record->id, sizeof(id.text));
	record_name_write(&id, name);
	if (hidden(fs, object->index, name)) {
		l->off = off;
		return;
	}
	struct fuse_entry_param e = {.ino = inode_of_record(record->key)};
	attr_record(fs, object, record, &e.attr);
	e.attr_timeout = e.entry_timeout = fresh_row(fs, followed, record);
	if (edit_attr(fs, e.ino, &e.attr)) {
		e.attr_timeout = 0;
	}
	add(l, name, &e, off);
}

static void add_body(struct listing *l, const struct mirror_object *object,
	const struct mirror_record *record, bool followed)
{
	char name[BODY_NAME_LEN + 1];
	struct id id;
	struct fuse_entry_param e;
	memcpy(id.text, record->id, sizeof(id.text));
	body_name_write(&id, record->ext, name);
	if (hidden(l->op->fs, object->index, name)) {
		l->off = off_whole(record);
		return;
	}
	entry_body(l->op->fs, object, record, followed, &e);
	add(l, name, &e, off_whole(record));
}

static void add_records(struct listing *l, const struct mirror_object *object,
	const struct mirror_record *records, int count)
{
	bool followed = l->plus && count > 0 && object_followed(l->op->fs, object->index);
	for (int i = 0; i < count && !l->full; i++) {
		const struct mirror_record *record = &records[i];
		if (l->off < off_json(record)) {
			add_json(l, object, record, followed);
		}
		if (!l->full && record->ext[0]) {
			add_body(l, object, record, followed);
		} else if (!l->full) {
			l->off = off_whole(record);
		}
	}
}

/* Files of editors, after the records. */
static void list_local(struct listing *l, uint32_t object)
{
	char name[NAME_MAX + 1];
	uint64_t seq = l->off >= OFF_LOCAL ? (uint64_t)(l->off - OFF_LOCAL) : 0, inode;
	mode_t type;
	while (drafts_any(&l->op->fs->drafts) &&
		name_next(&l->op->fs->drafts, object, seq, &seq, name, &inode, &type) &&
		add_bare(l, name, inode, type, OFF_LOCAL + (off_t)seq)) {
	}
}

static int list_rejected(struct listing *l)
{
	char name[NAME_MAX + 1];
	for (unsigned i = (unsigned)(l->off - OFF_DOTDOT);
		reject_next(l->op->fs, i, name, sizeof(name)) == 1; i++) {
		if (!add_bare(l, name, reject_inode(name), S_IFREG, (off_t)i + 1 + OFF_DOTDOT)) {
			break;
		}
	}
	return 0;
}

static int list_records(struct listing *l, const struct until *until, struct error *err)
{
	struct mirror *m = l->op->fs->mirror;
	struct mirror_object object;
	struct mirror_record records[BATCH_MAX];
	uint32_t index = inode_object(l->op->ino);
	int n = 1;
	if (mirror_object_by_index(m, index, &object) < 0) {
		return -ESTALE;
	}
	while (!l->full && n > 0 && l->off < OFF_LOCAL) {
		n = mirror_record_next(m, index, row_before(l->off), patience(l, until), records,
			batch_size(l), err);
		if (n > 0 && mirror_object_by_index(m, index, &object) < 0) {
			return -ESTALE; /* with the first records its describe is known */
		}
		add_records(l, &object, records, n);
	}
	if (n == 0 || l->off >= OFF_LOCAL) {
		n = 0;
		list_local(l, index);
	}
	return verdict(l, n);
}

static int list_control(struct listing *l, const struct until *until, struct error *err)
{
	enum control dir = inode_control(l->op->ino);
	if (dir == CONTROL_DESCRIBE_DIR) {
		return list_objects(l, true, until, err);
	}
	if (dir == CONTROL_REJECTED_DIR) {
		return list_rejected(l);
	}
	enum control control;
	for (unsigned i = (unsigned)(l->off - OFF_DOTDOT);
		(control = control_entry(dir, i)) != CONTROL_NONE; i++) {
		mode_t type = control_is_dir(control) ? S_IFDIR : S_IFREG;
		if (!add_bare(l, control_name(control), inode_of_control(control), type,
			    (off_t)i + 1 + OFF_DOTDOT)) {
			break;
		}
	}
	return 0;
}

static int list(struct listing *l, const struct until *until, struct error *err)
{
	switch (inode_kind(l->op->ino)) {
	case INODE_ROOT:
		return list_root(l, until, err);
	case INODE_OBJECT:
		return list_records(l, until, err);
	case INODE_CONTROL:
		return list_control(l, until, err);
	default:
		return -ENOTDIR;
	}
}

/* ---- READDIR and READDIRPLUS ---- */

static int run_readdir(struct op *op, const struct until *until, struct error *err)
{
	struct listing l = {.op = op, .plus = op->flags, .off = op->off};
	if (op->off == 0 && inode_kind(op->ino) == INODE_OBJECT) {
		/* No waiting for the notifier: the directory is locked by its reader. */
		int r = mirror_object_check(op->fs->mirror, inode_object(op->ino), until, err);
		if (r < 0) {
			return r;
		}
	}
	AUTO_FREE char *buf = malloc(op->size);
	if (!buf) {
		return -ENOMEM;
	}
	l.buf = buf;
	int r = add_dots(&l) ? list(&l, until, err) : 0;
	if (r == -ENOENT || (r == -ESTALE && err->errnum)) {
		r = -EIO; /* the C library takes ENOENT for the end: a listing cut short */
	}
	return r < 0 ? r : reply_buf(op, l.buf, l.used);
}

static const struct op_kind op_readdir = {.name = "readdir", .run = run_readdir};

void fs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = &op_readdir,
		.ino = ino,
		.size = size,
		.off = off});
}

void fs_readdirplus(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = &op_readdir,
		.ino = ino,
		.size = size,
		.off = off,
		.flags = true});
}

/* ---- OPENDIR ---- */

static int run_opendir(struct op *op, const struct until *until, struct error *err)
{
	struct fuse_file_info fi = {0};
	if (inode_kind(op->ino) == INODE_OBJECT) {
		int r = object_refresh(op, inode_object(op->ino), until, DRAIN_MS, err);
		if (r < 0) {
			return r;
		}
		fi.cache_readdir = 1;
		fi.keep_cache = 1;
	}
	return reply_open(op, &fi);
}

static const struct op_kind op_opendir = {.name = "opendir", .run = run_opendir};

void fs_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	(void)fi;
	if (fs->no_open) {
		fuse_reply_err(req, ENOSYS); /* for ever: the kernel opens directories by itself */
		return;
	}
	op_begin(&(struct op){.fs = fs, .req = req, .kind = &op_opendir, .ino = ino});
}
