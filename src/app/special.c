/* SPDX-License-Identifier: MIT */
/* Another process does the reading: a read of a stuck mount cannot be given up. */
#include "special.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forcefs/base/scope.h"
#include "forcefs/base/spawn.h"
#include "quoted.h"

#define STEP 65536

struct task {
	const struct mount_entry *mount;
	char *path;
};

int special_become_owner(const struct mount_entry *mount)
{
	if (geteuid() != 0 || mount->uid == 0) {
		return 0;
	}
	return setgroups(0, NULL) < 0 || setresgid(mount->gid, mount->gid, mount->gid) < 0 ||
			       setresuid(mount->uid, mount->uid, mount->uid) < 0
		       ? -1
		       : 0;
}

/* Copies the file to stdout; the exit status is the errno. */
static int copy_out(void *payload)
{
	const struct task *task = payload;
	static char step[STEP];
	ssize_t n;
	int fd =
		special_become_owner(task->mount) < 0 ? -1 : open(task->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return errno;
	}
	while ((n = read(fd, step, sizeof(step))) > 0) {
		for (ssize_t done = 0; done < n;) {
			ssize_t wrote = write(STDOUT_FILENO, step + done, (size_t)(n - done));
			if (wrote < 0) {
				return errno;
			}
			done += wrote;
		}
	}
	return n < 0 ? errno : 0;
}

static int judge(const struct spawn_result *result, const struct mount_entry *mount,
	const char *path, struct error *err)
{
	const char *dir = mount->dir;
	if (result->timed_out) {
		return error_set(err, ETIMEDOUT, "%s does not answer", dir);
	}
	if (WIFSIGNALED(result->status)) {
		return error_set(err, EIO, "reading %s was cut short", path);
	}
	int errnum = WEXITSTATUS(result->status);
	if (errnum == ENOTCONN) {
		char space[QUOTED_MAX];
		return error_set(err, ENOTCONN,
			"the process behind %s is gone; forcefs umount %s takes the mount away",
			dir, quoted(dir, space));
	}
	if (errnum == EACCES && mount->uid != geteuid()) {
		return error_set(err, EACCES,
			"%s is the mount of another user (number %u) and shows itself to nobody "
			"else; ask as that user or as root, or have it mounted with allow_other",
			dir, mount->uid);
	}
	return errnum ? error_errno(err, errnum, "reading %s", path) : 0;
}

int special_read(const struct mount_entry *mount, const char *name, int timeout_ms, struct buf *out,
	struct error *err)
{
	AUTO_FREE char *path = NULL;
	AUTO(spawn_result) struct spawn_result result = {0};
	if (asprintf(&path, "%s/.forcefs/%s", mount->dir, name) < 0) {
		path = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	struct task task = {.mount = mount, .path = path};
	const struct spawn s = {.run = copy_out,
		.payload = &task,
		.timeout_ms = timeout_ms,
		.limit_bytes = out->limit_bytes};
	int r = spawn_run(&s, &result, err);
	if (r == 0) {
		r = judge(&result, mount, path, err);
	}
	if (r == 0 && buf_add(out, buf_str(&result.out), result.out.len) < 0) {
		r = error_set(err, ENOMEM, "out of memory");
	}
	return r;
}
