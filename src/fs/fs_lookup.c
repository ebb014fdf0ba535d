/* SPDX-License-Identifier: MIT */
/*
 * LOOKUP: which names stand under which node. A name that cannot be there costs no call.
 *
 * Locks of the kernel: while a LOOKUP waits, its parent directory is locked. A LOOKUP of an
 * object's directory (parent: the root) may therefore wait until the notifier has passed its news
 * on; one inside an object's directory must not, because to pass on a deletion there the notifier
 * needs that very lock.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "forcefs/model/names.h"
#include "fs_priv.h"
#include "fs_reply.h"

/* ENOENT for a name that can never exist. On a read-only mount the kernel may remember that; on
 * others it could become the name of an editor's file. */
static int reply_impossible(struct op *op)
{
	if (!op->fs->config.read_only) {
		return -ENOENT;
	}
	return reply_entry(op, &(struct fuse_entry_param){.entry_timeout = FRESH_LONG_RO_S});
}

/* Letters, digits and _: an sObject's API name has no other. Shells and desktops ask for .git,
 * .Trash and the like all the time. */
static bool could_be_object(const char *name)
{
	const char *p = name;
	while (isascii(*p) && (isalnum((unsigned char)*p) || *p == '_')) {
		p++;
	}
	return !*p && p > name && p - name <= 80;
}

static int lookup_object(struct op *op, const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	struct mirror_object object;
	struct fuse_entry_param entry;
	int r = mirror_object_find(fs->mirror, op->name, until, &object, err);
	if (r == 0) {
		r = object_refresh(op, object.index, until, DRAIN_MS, err);
	}
	if (r < 0) {
		return r;
	}
	if (mirror_object_by_index(fs->mirror, object.index, &object) < 0) {
		return -ENOENT;
	}
	entry_object(fs, &object, &entry);
	return reply_entry(op, &entry);
}

static int lookup_in_root(struct op *op, const struct until *until, struct error *err)
{
	struct fuse_entry_param entry;
	if (strcmp(op->name, control_name(CONTROL_DIR)) == 0) {
		entry_control_dir(op->fs, CONTROL_DIR, &entry);
		return reply_entry(op, &entry);
	}
	if (!could_be_object(op->name)) {
		return reply_impossible(op);
	}
	return lookup_object(op, until, err);
}

/* A local name over the records. 1: that answered; 0: what is behind it is record *ret_key (0:
 * there is no local name). */
static int lookup_local(struct op *op, uint64_t *ret_key)
{
	struct fs *fs = op->fs;
	struct name_view view;
	struct fuse_entry_param entry = {0};
	*ret_key = 0;
	switch (name_find(&fs->drafts, inode_object(op->ino), op->name, &view)) {
	case NAME_NONE:
		return 0;
	case NAME_HIDDEN:
		return -ENOENT;
	case NAME_ALIAS:
		*ret_key = view.key;
		return 0;
	case NAME_SCRATCH:
		break;
	}
	entry.ino = view.draft->inode;
	pthread_mutex_lock(&fs->drafts.lock);
	attr_draft(fs, view.draft, &entry.attr);
	pthread_mutex_unlock(&fs->drafts.lock);
	name_view_release(&fs->drafts, &view);
	reply_entry(op, &entry);
	return 1;
}

static int lookup_alias(struct op *op, const struct mirror_object *object, uint64_t key,
	const struct until *until, struct error *err)
{
	struct mirror_record record;
	int r = mirror_record_get(op->fs->mirror, key, until, &record, NULL, err);
	if (r < 0) {
		return r == -ESTALE ? -ENOENT : r;
	}
	struct fuse_entry_param entry = {.ino = inode_of_record(key)};
	attr_record(op->fs, object, &record, &entry.attr);
	return reply_entry(op, &entry);
}

static int lookup_record(struct op *op, const struct until *until, struct error *err)
{
	struct id id;
	struct fs *fs = op->fs;
	struct mirror_object object;
	struct mirror_record record;
	uint32_t index = inode_object(op->ino);
	if (mirror_object_by_index(fs->mirror, index, &object) < 0) {
		return -ESTALE;
	}
	uint64_t key;
	int r = lookup_local(op, &key);
	if (r != 0 || key) {
		return r > 0 ? 0 : r < 0 ? r : lookup_alias(op, &object, key, until, err);
	}
	if (!record_name_parse(op->name, object.key_prefix, &id)) {
		r = lookup_body(op, &object, until, err);
		return r == 0 ? reply_impossible(op) : r < 0 ? r : 0;
	}
	r = mirror_record_find(fs->mirror, index, &id, until, &record, err);
	if (r < 0) {
		return r;
	}
	struct fuse_entry_param entry = {.ino = inode_of_record(record.key)};
	attr_record(fs, &object, &record, &entry.attr);
	entry.attr_timeout = entry.entry_timeout = fresh_record(fs, &record);
	if (edit_attr(fs, entry.ino, &entry.attr)) {
		entry.attr_timeout = 0;
	}
	return reply_entry(op, &entry);
}

/* A file of our own: its size has to be right, so it is rendered now. */
static int lookup_doc(struct op *op, uint64_t inode, const struct until *until, struct error *err)
{
	struct doc *doc;
	struct fuse_entry_param entry = {.ino = inode};
	int r = doc_get(op->fs, inode, false, until, &doc, err);
	if (r < 0) {
		return r;
	}
	attr_doc(op->fs, inode, doc, &entry.attr);
	doc_unref(&op->fs->docs, doc);
	return reply_entry(op, &entry);
}

static int lookup_describe(struct op *op, const struct until *until, struct error *err)
{
	char name[81];
	struct mirror_object object;
	if (!control_describe_name(op->name, name) || !could_be_object(name)) {
		return -ENOENT;
	}
	int r = mirror_object_find(op->fs->mirror, name, until, &object, err);
	return r < 0 ? r : lookup_doc(op, inode_of_describe(object.index), until, err);
}

static int lookup_rejected(struct op *op)
{
	struct fuse_entry_param entry = {.ino = reject_inode(op->name)};
	int r = reject_attr(op->fs, op->name, &entry.attr);
	return r < 0 ? r : reply_entry(op, &entry);
}

static int lookup_control(struct op *op, const struct until *until, struct error *err)
{
	struct fuse_entry_param entry;
	enum control dir = inode_control(op->ino);
	if (dir == CONTROL_DESCRIBE_DIR) {
		return lookup_describe(op, until, err);
	}
	if (dir == CONTROL_REJECTED_DIR) {
		return lookup_rejected(op);
	}
	enum control control = control_find(dir, op->name);
	if (control == CONTROL_NONE) {
		return -ENOENT;
	}
	if (!control_is_dir(control)) {
		return lookup_doc(op, inode_of_control(control), until, err);
	}
	entry_control_dir(op->fs, control, &entry);
	return reply_entry(op, &entry);
}

static int run_lookup(struct op *op, const struct until *until, struct error *err)
{
	switch (inode_kind(op->ino)) {
	case INODE_ROOT:
		return lookup_in_root(op, until, err);
	case INODE_OBJECT:
		return lookup_record(op, until, err);
	case INODE_CONTROL:
		return lookup_control(op, until, err);
	default:
		return -ENOTDIR;
	}
}

static const struct op_kind op_lookup = {.name = "lookup", .run = run_lookup, .by_name = true};

void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = &op_lookup,
		.ino = parent,
		.name = name});
}

/* Numbers say what they stand for: nothing was kept, nothing is to be freed. */
void fs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	(void)ino;
	(void)count;
	fuse_reply_none(req);
}

void fs_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	(void)count;
	(void)forgets;
	fuse_reply_none(req);
}
