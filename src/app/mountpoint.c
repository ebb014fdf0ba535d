/* SPDX-License-Identifier: MIT */
/* What can be told without the org: fs asks the rest, when the org has answered. */
#include "mountpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "mounts.h"

#define FUSE_MAGIC 0x65735546 /* FUSE_SUPER_MAGIC, magic.h lacks it in older headers */

static int check_mounted(const struct mounts *m, const char *dir, struct error *err)
{
	const struct mount_entry *e = mounts_at(m, dir);
	struct statfs fs;
	/* A dead mount of ours is healed by mounting. */
	if (!mount_is_ours(e) || (statfs(dir, &fs) < 0 && errno == ENOTCONN)) {
		return 0;
	}
	return error_set(err, EBUSY, "%s is already mounted there; forcefs umount %s takes it away",
		e->source, dir);
}

static int check_dir(const char *dir, struct error *err)
{
	struct stat st;
	if (stat(dir, &st) == 0) {
		return S_ISDIR(st.st_mode) ? 0
					   : error_set(err, ENOTDIR, "%s is not a directory", dir);
	}
	if (errno == ENOTCONN) {
		return 0;
	}
	if (errno == ENOENT) {
		return error_set(err, ENOENT, "%s does not exist; mkdir %s makes it", dir, dir);
	}
	return error_errno(err, errno, "%s", dir);
}

int mountpoint_check(const char *dir, char **ret, struct error *err)
{
	AUTO(mounts) struct mounts m = {0};
	AUTO_FREE char *path = NULL;
	int r = mounts_load(&m, err);
	if (r == 0) {
		r = mounts_resolve(&m, dir, &path, err);
	}
	if (r == 0) {
		r = check_mounted(&m, path, err);
	}
	if (r == 0) {
		r = check_dir(path, err);
	}
	if (r == 0) {
		*ret = take_ptr(&path);
	}
	return r;
}

int mountpoint_verify(const char *dir, struct error *err)
{
	struct stat st;
	struct statfs fs;
	if (stat(dir, &st) < 0 || statfs(dir, &fs) < 0) {
		return error_errno(err, errno, "mounted, but %s does not answer", dir);
	}
	if (fs.f_type != FUSE_MAGIC) {
		return error_set(
			err, EIO, "%s is not mounted after all; the system log may say why", dir);
	}
	return 0;
}
