/* SPDX-License-Identifier: MIT */
/* Folders by the XDG base directory rules, and whole files read and replaced. */
#include "forcefs/base/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/scope.h"

#define READ_STEP 16384

static const struct {
	const char *variable;
	const char *below_home;
} kinds[] = {
	[PATHS_CONFIG] = {"XDG_CONFIG_HOME", ".config"},
	[PATHS_CACHE] = {"XDG_CACHE_HOME", ".cache"},
	[PATHS_STATE] = {"XDG_STATE_HOME", ".local/state"},
};

char *paths_join(const char *dir, const char *name)
{
	char *path;
	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

/* New string, NULL when there is no home or memory is out. */
static char *home_dir(void)
{
	const char *home = getenv("HOME");
	if (home && home[0] == '/') {
		return strdup(home);
	}
	char space[4096];
	struct passwd entry, *found = NULL;
	getpwuid_r(getuid(), &entry, space, sizeof(space), &found);
	if (!found || !found->pw_dir || found->pw_dir[0] != '/') {
		return NULL;
	}
	return strdup(found->pw_dir);
}

int paths_dir(enum paths_kind kind, char **ret, struct error *err)
{
	const char *base = getenv(kinds[kind].variable);
	char *path;
	if (base && base[0] == '/') {
		path = paths_join(base, "forcefs");
	} else {
		AUTO_FREE char *home = home_dir();
		if (!home) {
			return error_set(err, ENOENT, "there is no home directory; set HOME or %s",
				kinds[kind].variable);
		}
		AUTO_FREE char *above = paths_join(home, kinds[kind].below_home);
		path = above ? paths_join(above, "forcefs") : NULL;
	}
	if (!path) {
		return error_set(err, ENOMEM, "out of memory");
	}
	*ret = path;
	return 0;
}

static int make_one(const char *path, struct error *err)
{
	struct stat st;
	if (mkdir(path, 0700) == 0) {
		return 0;
	}
	/* A folder that is there may well sit where we could not make one (EROFS, EACCES). */
	int errnum = errno;
	if (stat(path, &st) == 0) {
		errnum = S_ISDIR(st.st_mode) ? 0 : ENOTDIR;
	}
	return errnum ? error_errno(err, errnum, "making the folder %s", path) : 0;
}

int paths_make_dir(const char *path, struct error *err)
{
	AUTO_FREE char *copy = strdup(path);
	if (!copy) {
		return error_set(err, ENOMEM, "out of memory");
	}
	for (char *p = copy; *p; p++) {
		if (*p == '/' && p != copy && p[-1] != '/') {
			*p = '\0';
			int r = make_one(copy, err);
			*p = '/';
			if (r < 0) {
				return r;
			}
		}
	}
	return make_one(copy, err);
}

/* 0 or a negative errno. */
static int write_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return fsync(fd) < 0 ? -errno : 0;
}

/* Makes the rename itself durable; some file systems cannot sync a folder, which is no harm. */
static void sync_parent(const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *dir =
		slash ? strndup(path, slash > path ? (size_t)(slash - path) : 1) : strdup(".");
	AUTO_CLOSE int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd >= 0) {
		fsync(fd);
	}
}

/* Writes to the open temporary file and gives it its name. 0 or a negative errno. */
static int write_and_rename(
	int fd, const char *temporary, const char *path, const void *data, size_t len)
{
	int r = write_all(fd, data, len);
	if (close(fd) < 0 && r == 0) {
		r = -errno;
	}
	if (r == 0 && rename(temporary, path) < 0) {
		r = -errno;
	}
	return r;
}

int paths_write_file(const char *path, const void *data, size_t len, struct error *err)
{
	AUTO_FREE char *temporary = NULL;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	int fd = mkostemp(temporary, O_CLOEXEC); /* mode 0600 */
	if (fd < 0) {
		return error_errno(err, errno, "writing %s", path);
	}
	int r = write_and_rename(fd, temporary, path, data, len);
	if (r < 0) {
		unlink(temporary);
		return error_errno(err, -r, "writing %s", path);
	}
	sync_parent(path);
	return 0;
}

/* Reads fd to its end; 0 or a negative errno. */
static int read_all(int fd, struct buf *into)
{
	char step[READ_STEP];
	int r = buf_reserve(into, 0);
	while (r == 0) {
		ssize_t n = read(fd, step, sizeof(step));
		if (n == 0) {
			break;
		}
		if (n > 0) {
			r = buf_add(into, step, (size_t)n);
		} else if (errno != EINTR) {
			r = -errno;
		}
	}
	return r;
}

int paths_read_file(
	const char *path, size_t limit_bytes, char **ret, size_t *ret_len, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return error_errno(err, errno, "reading %s", path);
	}
	AUTO(buf) struct buf content;
	buf_init(&content, limit_bytes);
	int r = read_all(fd, &content);
	if (r == -EFBIG) {
		return error_set(err, EFBIG, "%s is larger than %zu bytes; is it the right file?",
			path, limit_bytes);
	}
	if (r < 0) {
		return error_errno(err, -r, "reading %s", path);
	}
	*ret = buf_take(&content, ret_len);
	return 0;
}
