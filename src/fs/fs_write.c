/* SPDX-License-Identifier: MIT */
/*
 * What changes something. This version only reads, so all of it is refused here, with a text that
 * says so. Files are opened for writing only to be refused: with ATOMIC_O_TRUNC the truncation
 * comes with the OPEN, so nothing has been lost by then.
 */
#include <errno.h>
#include <fcntl.h>

#include "fs_priv.h"

static int refuse(struct error *err)
{
	return error_set(err, EROFS,
		"this version reads only; change the record in Salesforce, it shows here then");
}

int write_open_check(struct fs *fs, uint64_t inode, int flags, struct error *err)
{
	struct mirror_object object;
	if ((flags & O_ACCMODE) == O_RDONLY && !(flags & O_TRUNC)) {
		return 0;
	}
	if (inode_kind(inode) != INODE_RECORD) {
		return -EACCES;
	}
	if (mirror_object_by_index(fs->mirror, inode_object(inode), &object) < 0) {
		return -ESTALE;
	}
	if (!object.updateable) {
		return error_set(err, EACCES,
			"records of %s cannot be changed: neither you in Salesforce nor `allow` "
			"in the settings permit it, or not both",
			object.name);
	}
	return refuse(err);
}

static int run_refuse(struct op *op, const struct until *until, struct error *err)
{
	(void)op;
	(void)until;
	return refuse(err);
}

static void begin(fuse_req_t req, fuse_ino_t ino, const char *name, const struct op_kind *kind)
{
	op_begin(&(struct op){
		.fs = fuse_req_userdata(req), .req = req, .kind = kind, .ino = ino, .name = name});
}

#define REFUSED_BY_NAME(op)                                                                        \
	static const struct op_kind op_##op = {.name = #op, .run = run_refuse, .by_name = true}
#define REFUSED(op) static const struct op_kind op_##op = {.name = #op, .run = run_refuse}

REFUSED_BY_NAME(create);
REFUSED_BY_NAME(mknod);
REFUSED_BY_NAME(mkdir);
REFUSED_BY_NAME(symlink);
REFUSED_BY_NAME(link);
REFUSED_BY_NAME(unlink);
REFUSED_BY_NAME(rmdir);
REFUSED_BY_NAME(rename);
REFUSED(setattr);
REFUSED(write);

static void do_create(
	fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, struct fuse_file_info *fi)
{
	(void)mode;
	(void)fi;
	begin(req, parent, name, &op_create);
}

static void do_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t rdev)
{
	(void)mode;
	(void)rdev;
	begin(req, parent, name, &op_mknod);
}

static void do_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	(void)mode;
	begin(req, parent, name, &op_mkdir);
}

static void do_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	(void)target;
	begin(req, parent, name, &op_symlink);
}

static void do_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t parent, const char *name)
{
	(void)ino;
	begin(req, parent, name, &op_link);
}

static void do_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	begin(req, parent, name, &op_unlink);
}

static void do_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	begin(req, parent, name, &op_rmdir);
}

static void do_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
	const char *new_name, unsigned int flags)
{
	(void)new_parent;
	(void)new_name;
	(void)flags;
	begin(req, parent, name, &op_rename);
}

static void do_setattr(
	fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set, struct fuse_file_info *fi)
{
	(void)attr;
	(void)to_set;
	(void)fi;
	begin(req, ino, NULL, &op_setattr);
}

static void do_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t off,
	struct fuse_file_info *fi)
{
	(void)data;
	(void)size;
	(void)off;
	(void)fi;
	begin(req, ino, NULL, &op_write);
}

void write_fill_ops(struct fuse_lowlevel_ops *ops)
{
	ops->create = do_create;
	ops->mknod = do_mknod;
	ops->mkdir = do_mkdir;
	ops->symlink = do_symlink;
	ops->link = do_link;
	ops->unlink = do_unlink;
	ops->rmdir = do_rmdir;
	ops->rename = do_rename;
	ops->setattr = do_setattr;
	ops->write = do_write;
}
