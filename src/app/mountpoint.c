/* SPDX-License-Identifier: MIT */
/* The questions whose answers fusermount3 gives in words nobody understands. */
#include "mountpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

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

/* fusermount3 lets only the owner of a directory (or who may write to a non-sticky one) mount. */
static int check_right(const char *dir, struct error *err)
{
	struct stat st;
	if (geteuid() == 0 || stat(dir, &st) < 0 || access(dir, W_OK) == 0) {
		return 0;
	}
	return error_set(
		err, EACCES, "you cannot write to %s; mount on a directory of your own", dir);
}

static int check_device(struct error *err)
{
	if (access("/dev/fuse", R_OK | W_OK) == 0) {
		return 0;
	}
	if (errno == EACCES) {
		return error_set(err, EACCES,
			"you may not use /dev/fuse; ask for membership in the group fuse, or for: "
			"chmod 666 /dev/fuse");
	}
	return error_errno(err, errno, "/dev/fuse is not there; load FUSE with: modprobe fuse");
}

static bool user_allow_other(void)
{
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	bool found = false;
	FILE *file = fopen("/etc/fuse.conf", "re");
	while (file && !found && getline(&line, &size, file) > 0) {
		char word[32];
		found = sscanf(line, " %31s", word) == 1 && strcmp(word, "user_allow_other") == 0;
	}
	if (file) {
		fclose(file);
	}
	return found;
}

static int check_allow_other(const struct options *o, struct error *err)
{
	if (!o->allow_other || geteuid() == 0 || user_allow_other()) {
		return 0;
	}
	return error_set(err, EPERM,
		"allow_other needs a line user_allow_other in /etc/fuse.conf, which only root can "
		"add");
}

int mountpoint_check(const char *dir, const struct options *o, char **ret, struct error *err)
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
		r = check_right(path, err);
	}
	if (r == 0) {
		r = check_device(err);
	}
	if (r == 0) {
		r = check_allow_other(o, err);
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
