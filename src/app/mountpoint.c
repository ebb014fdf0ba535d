/* SPDX-License-Identifier: MIT */
/* What can be told without the org: fs asks the rest, when the org has answered. */
#include "mountpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "mounts.h"
#include "quoted.h"

/* True if the program behind the mount is gone. A plain stat may be answered from the kernel's
 * memory, and statfs would cost the org a call. */
static bool is_dead(const char *dir)
{
	struct statx st;
	return statx(AT_FDCWD, dir, AT_STATX_FORCE_SYNC | AT_NO_AUTOMOUNT, STATX_BASIC_STATS, &st) <
		       0 &&
	       errno == ENOTCONN;
}

static int check_mounted(const struct mounts *m, const char *dir, struct error *err)
{
	const struct mount_entry *e = mounts_at(m, dir);
	/* A dead mount of ours is healed by mounting. */
	if (!mount_is_ours(e) || is_dead(dir)) {
		return 0;
	}
	char space[QUOTED_MAX];
	return error_set(err, EBUSY, "%s is already mounted there; forcefs umount %s takes it away",
		e->source, quoted(dir, space));
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
		char space[QUOTED_MAX];
		return error_set(err, ENOENT, "%s does not exist; mkdir %s makes it", dir,
			quoted(dir, space));
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
	AUTO(mounts) struct mounts m = {0};
	struct stat st;
	int r = mounts_load(&m, err);
	if (r == 0 && !mount_is_ours(mounts_at(&m, dir))) {
		return error_set(
			err, EIO, "%s is not mounted after all; the system log may say why", dir);
	}
	if (r == 0 && stat(dir, &st) < 0) {
		return error_errno(err, errno, "mounted, but %s does not answer", dir);
	}
	return r;
}
