/* SPDX-License-Identifier: MIT */
/*
 * The files of a store: "<name>.sqlite" with its "-wal", and "<name>.lock". The lock file is held
 * with flock for the life of the store, so that two processes never share a cache file; it is never
 * removed, since another process may be waiting at it. Links and files of other users are refused.
 */
#include "store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forcefs/base/paths.h"

static const char *const companions[] = {"", "-wal", "-shm", "-journal"};
#define COMPANIONS (sizeof(companions) / sizeof(companions[0]))

/* "<dir>/<name>[.N]<ending>", new. */
static char *file_path(const struct store *s, int number, const char *ending)
{
	char *path = NULL;
	int r = number == 0 ? asprintf(&path, "%s/%s%s", s->dir, s->name, ending)
			    : asprintf(&path, "%s/%s.%d%s", s->dir, s->name, number + 1, ending);
	return r < 0 ? NULL : path;
}

static int refuse_stranger(const char *path, const struct stat *st, struct error *err)
{
	if (!S_ISREG(st->st_mode)) {
		return error_set(err, EACCES,
			"%s is not a plain file; remove it, or set cache_dir to another folder",
			path);
	}
	if (st->st_uid != geteuid()) {
		return error_set(err, EACCES,
			"%s belongs to another user; remove it, or set cache_dir to a folder of "
			"your own",
			path);
	}
	return 0;
}

/* Opens (and makes) a file of ours with mode 0600 whatever the umask is. */
static int open_ours(const char *path, int flags, int *ret, struct stat *ret_st, struct error *err)
{
	struct stat st;
	int r = lstat(path, &st) == 0 ? refuse_stranger(path, &st, err) : 0;
	if (r < 0) {
		return r;
	}
	AUTO_CLOSE int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
	if (fd < 0 || fstat(fd, &st) < 0) {
		int errnum = errno;
		return error_set(err, errnum, "cannot open the cache file %s: %s%s", path,
			strerror(errnum),
			errnum == EACCES ? "; see with ls -l whether it and its folder are yours, "
					   "or set cache_dir to another folder"
					 : "");
	}
	r = refuse_stranger(path, &st, err);
	if (r < 0) {
		return r;
	}
	if ((st.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0) {
		return error_errno(err, errno, "cannot make %s private", path);
	}
	*ret = fd;
	*ret_st = st;
	fd = -1;
	return 0;
}

/* 1: locked, 0: another mount has it. */
static int try_lock(struct store *s, int number, struct error *err)
{
	AUTO_FREE char *path = file_path(s, number, ".lock");
	if (!path) {
		return error_set(err, ENOMEM, "out of memory");
	}
	AUTO_CLOSE int fd = -1;
	struct stat st;
	int r = open_ours(path, O_RDWR | O_CREAT, &fd, &st, err);
	if (r < 0) {
		return r;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		return errno == EWOULDBLOCK ? 0 : error_errno(err, errno, "cannot lock %s", path);
	}
	s->lock_fd = fd;
	fd = -1;
	return 1;
}

static int set_path(struct store *s, int number, struct error *err)
{
	if (!s->paths[number]) {
		s->paths[number] = file_path(s, number, ".sqlite");
	}
	if (!s->paths[number]) {
		return error_set(err, ENOMEM, "out of memory");
	}
	s->path = s->paths[number];
	return 0;
}

int file_choose(struct store *s, struct error *err)
{
	for (int number = 0; number < STORE_NAMES; number++) {
		int r = try_lock(s, number, err);
		if (r != 0) {
			return r < 0 ? r : set_path(s, number, err);
		}
	}
	return error_set(err, EBUSY,
		"%d mounts of this org use the cache folder %s already; unmount one of them, or "
		"set cache_dir to another folder",
		STORE_NAMES, s->dir);
}

/* The path of the lock file still names what we hold. */
static bool lock_is_ours(const struct store *s)
{
	bool same = false;
	for (int number = 0; number < STORE_NAMES; number++) {
		if (s->paths[number] && s->paths[number] == s->path) {
			AUTO_FREE char *path = file_path(s, number, ".lock");
			struct stat at, held;
			same = path && lstat(path, &at) == 0 && fstat(s->lock_fd, &held) == 0 &&
			       at.st_dev == held.st_dev && at.st_ino == held.st_ino;
		}
	}
	return same;
}

int file_keep_lock(struct store *s, struct error *err)
{
	if (s->lock_fd >= 0 && lock_is_ours(s)) {
		return 0;
	}
	if (s->lock_fd >= 0) {
		close(s->lock_fd);
		s->lock_fd = -1;
	}
	int r = paths_make_dir(s->dir, err);
	return r < 0 ? r : file_choose(s, err);
}

/* The log too: SQLite would follow a link that lies where it wants to write. */
static int check_companions(const struct store *s, struct error *err)
{
	int r = 0;
	for (size_t i = 1; r == 0 && i < COMPANIONS; i++) {
		AUTO_FREE char *path = NULL;
		struct stat st;
		if (asprintf(&path, "%s%s", s->path, companions[i]) < 0) {
			path = NULL;
			r = error_set(err, ENOMEM, "out of memory");
		} else if (lstat(path, &st) == 0) {
			r = refuse_stranger(path, &st, err);
		}
	}
	return r;
}

static int open_file(struct store *s, int flags, off_t *ret_size, struct error *err)
{
	AUTO_CLOSE int fd = -1;
	struct stat st = {0};
	int r = open_ours(s->path, O_RDWR | O_CREAT | flags, &fd, &st, err);
	if (r < 0) {
		return r;
	}
	s->dev = st.st_dev;
	s->ino = st.st_ino;
	*ret_size = st.st_size;
	return 0;
}

int file_take(struct store *s, bool *ret_empty, struct error *err)
{
	off_t size = 0;
	int r = check_companions(s, err);
	if (r == 0) {
		r = open_file(s, 0, &size, err);
	}
	if (r == 0) {
		*ret_empty = size == 0;
	}
	return r;
}

void file_remove(struct store *s)
{
	for (size_t i = 0; s->dir && i < COMPANIONS; i++) {
		AUTO_FREE char *path = NULL;
		if (asprintf(&path, "%s%s", s->path, companions[i]) < 0) {
			path = NULL;
		} else {
			unlink(path);
		}
	}
}

int file_make(struct store *s, struct error *err)
{
	off_t size = 0;
	file_remove(s);
	return open_file(s, O_EXCL, &size, err);
}

bool file_is_ours(const struct store *s)
{
	struct stat st;
	return lstat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino;
}
