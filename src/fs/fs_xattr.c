/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes: user.forcefs.*. Tools that ask for ACLs and capabilities of every file get
 * EOPNOTSUPP, which ls remembers for the whole mount.
 */
#include <errno.h>
#include <string.h>

#include "forcefs/base/scope.h"
#include "forcefs/model/stamp.h"
#include "fs_priv.h"
#include "fs_reply.h"

#define PREFIX          "user.forcefs."
#define VALUE_MAX_BYTES 4096

/* What the getters work on: the node and its object. */
struct subject {
	struct fs *fs;
	uint64_t inode;
	struct mirror_object object;
	struct mirror_record record; /* of a RECORD or BODY */
};

static int get_id(const struct subject *s, struct buf *out)
{
	return buf_add_str(out, s->record.id);
}

static int get_type(const struct subject *s, struct buf *out)
{
	return buf_add_str(out, s->object.name);
}

static int get_url(const struct subject *s, struct buf *out)
{
	return mirror_record_url(s->fs->mirror, s->object.index, s->record.id, out);
}

static int get_modified(const struct subject *s, struct buf *out)
{
	char text[32];
	stamp_soql(s->record.stamp_ms, text, sizeof(text));
	return s->record.stamp_ms ? buf_add_str(out, text) : -ENODATA;
}

static int get_error(const struct subject *s, struct buf *out)
{
	char path[FAULT_PATH_MAX];
	if (!fault_any(&s->fs->faults)) {
		return -ENODATA;
	}
	path_of_inode(s->fs, s->inode, path, sizeof(path));
	return fault_of_path(&s->fs->faults, path, out);
}

static const struct {
	const char *name;
	bool on_object; /* on directories too */
	int (*get)(const struct subject *s, struct buf *out);
} attributes[] = {
	{PREFIX "id", false, get_id},
	{PREFIX "type", true, get_type},
	{PREFIX "url", false, get_url},
	{PREFIX "modified", false, get_modified},
	{PREFIX "error", true, get_error},
};
#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

static bool has_attributes(uint64_t inode)
{
	enum inode_kind kind = inode_kind(inode);
	return kind == INODE_OBJECT || kind == INODE_RECORD || kind == INODE_BODY;
}

static int find_subject(
	struct op *op, const struct until *until, struct subject *ret, struct error *err)
{
	ret->fs = op->fs;
	ret->inode = op->ino;
	if (!has_attributes(op->ino)) {
		return -ENODATA;
	}
	if (mirror_object_by_index(op->fs->mirror, inode_object(op->ino), &ret->object) < 0) {
		return -ESTALE;
	}
	if (inode_kind(op->ino) == INODE_OBJECT) {
		return 0;
	}
	return mirror_record_get(
		op->fs->mirror, inode_key(op->ino), until, &ret->record, NULL, err);
}

/* ---- GETXATTR ---- */

static int get_value(const struct subject *s, const char *name, struct buf *out)
{
	bool record = inode_kind(s->inode) != INODE_OBJECT;
	for (size_t i = 0; i < ATTRIBUTES; i++) {
		if (strcmp(attributes[i].name, name) == 0 && (record || attributes[i].on_object)) {
			return attributes[i].get(s, out);
		}
	}
	return -ENODATA;
}

static int run_getxattr(struct op *op, const struct until *until, struct error *err)
{
	struct subject s;
	AUTO(buf) struct buf out;
	buf_init(&out, VALUE_MAX_BYTES);
	int r = find_subject(op, until, &s, err);
	if (r == 0) {
		r = get_value(&s, op->name, &out);
	}
	return r < 0 ? r : reply_xattr(op, buf_str(&out), out.len);
}

static const struct op_kind op_getxattr = {.name = "getxattr", .run = run_getxattr};

void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size)
{
	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0) {
		fuse_reply_err(req, strncmp(name, "user.", 5) == 0 ? ENODATA : EOPNOTSUPP);
		return;
	}
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = &op_getxattr,
		.ino = ino,
		.name = name,
		.size = size});
}

/* ---- LISTXATTR ---- */

/* Those that have a value just now. */
static int run_listxattr(struct op *op, const struct until *until, struct error *err)
{
	struct subject s;
	AUTO(buf) struct buf names, value;
	buf_init(&names, VALUE_MAX_BYTES);
	buf_init(&value, VALUE_MAX_BYTES);
	int r = find_subject(op, until, &s, err);
	if (r < 0 && r != -ENODATA) {
		return r;
	}
	for (size_t i = 0; r == 0 && i < ATTRIBUTES; i++) {
		buf_clear(&value);
		if (get_value(&s, attributes[i].name, &value) == 0) {
			buf_add(&names, attributes[i].name, strlen(attributes[i].name) + 1);
		}
	}
	return reply_xattr(op, buf_str(&names), names.len);
}

static const struct op_kind op_listxattr = {.name = "listxattr", .run = run_listxattr};

void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size)
{
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = &op_listxattr,
		.ino = ino,
		.size = size});
}

/* ---- they cannot be set ---- */

void fs_setxattr(
	fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size, int flags)
{
	(void)ino;
	(void)name;
	(void)value;
	(void)size;
	(void)flags;
	fuse_reply_err(req, EOPNOTSUPP);
}

void fs_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)ino;
	(void)name;
	fuse_reply_err(req, EOPNOTSUPP);
}
