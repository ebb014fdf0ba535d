/* SPDX-License-Identifier: MIT */
/*
 * The replies. Each ends the op and returns 0, so that a run function can say
 * `return reply_attr(…);`. Whether the kernel still wants the answer is of no interest: no node
 * holds anything that would have to be given back.
 */
#ifndef FS_REPLY_H
#define FS_REPLY_H

#include "fs_priv.h"

static inline int reply_entry(struct op *op, const struct fuse_entry_param *entry)
{
	op_succeed(op);
	fuse_reply_entry(op->req, entry);
	return 0;
}

static inline int reply_attr(struct op *op, const struct stat *attr, double timeout_s)
{
	op_succeed(op);
	fuse_reply_attr(op->req, attr, timeout_s);
	return 0;
}

static inline int reply_open(struct op *op, const struct fuse_file_info *fi)
{
	op_succeed(op);
	fuse_reply_open(op->req, fi);
	return 0;
}

static inline int reply_buf(struct op *op, const char *data, size_t len)
{
	op_succeed(op);
	fuse_reply_buf(op->req, data, len);
	return 0;
}

/* The part of data that a READ asks for. */
static inline int reply_slice(struct op *op, const char *data, size_t len)
{
	size_t off = (size_t)op->off < len ? (size_t)op->off : len;
	size_t n = len - off < op->size ? len - off : op->size;
	return reply_buf(op, n ? data + off : NULL, n);
}

/* The protocol of getxattr and listxattr: size 0 asks how long it is. */
static inline int reply_xattr(struct op *op, const char *data, size_t len)
{
	if (op->size > 0 && len > op->size) {
		return -ERANGE;
	}
	op_succeed(op);
	if (op->size == 0) {
		fuse_reply_xattr(op->req, len);
	} else {
		fuse_reply_buf(op->req, data, len);
	}
	return 0;
}

static inline int reply_statfs(struct op *op, const struct statvfs *st)
{
	op_succeed(op);
	fuse_reply_statfs(op->req, st);
	return 0;
}

#endif
