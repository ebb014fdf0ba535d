/* SPDX-License-Identifier: MIT */
/* Another process does the reading: a read of a stuck mount cannot be given up. */
#include "special.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forcefs/base/scope.h"
#include "spawn.h"

#define STEP 65536

/* Copies the file to stdout; the exit status is the errno. */
static int copy_out(void *payload)
{
	static char step[STEP];
	ssize_t n;
	int fd = open(payload, O_RDONLY | O_CLOEXEC);
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

static int judge(
	const struct spawn_result *result, const char *dir, const char *path, struct error *err)
{
	if (result->timed_out) {
		return error_set(err, ETIMEDOUT, "%s does not answer", dir);
	}
	if (WIFSIGNALED(result->status)) {
		return error_set(err, EIO, "reading %s was cut short", path);
	}
	int errnum = WEXITSTATUS(result->status);
	return errnum ? error_errno(err, errnum, "reading %s", path) : 0;
}

int special_read(
	const char *dir, const char *name, int timeout_ms, struct buf *out, struct error *err)
{
	AUTO_FREE char *path = NULL;
	AUTO(spawn_result) struct spawn_result result = {0};
	if (asprintf(&path, "%s/.forcefs/%s", dir, name) < 0) {
		path = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	const struct spawn s = {.run = copy_out,
		.payload = path,
		.timeout_ms = timeout_ms,
		.limit_bytes = out->limit_bytes};
	int r = spawn_run(&s, &result, err);
	if (r == 0) {
		r = judge(&result, dir, path, err);
	}
	if (r == 0 && buf_add(out, buf_str(&result.out), result.out.len) < 0) {
		r = error_set(err, ENOMEM, "out of memory");
	}
	return r;
}
