/* SPDX-License-Identifier: MIT */
/*
 * Texts that could not be saved, kept on disk (mode 0600, in forcefs's state folder) so that an
 * edit is not lost: "<Object>.<Id>.<time>.json" and beside it ".why" with the reason. Shown under
 * .forcefs/rejected. Bounded: past the limits the oldest go.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/hash.h"
#include "forcefs/base/log.h"
#include "forcefs/base/paths.h"
#include "forcefs/base/scope.h"
#include "fs_write.h"

#define KEEP_FILES 200
#define KEEP_BYTES (64 * 1024 * 1024)
#define FILE_BYTES (64 * 1024 * 1024)

static void close_dir(DIR **dir)
{
	if (*dir) {
		closedir(*dir);
	}
}
#define AUTO_DIR __attribute__((cleanup(close_dir))) DIR *

static bool is_kept_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && ((len > 5 && strcmp(name + len - 5, ".json") == 0) ||
					 (len > 4 && (strcmp(name + len - 4, ".why") == 0 ||
							     strcmp(name + len - 4, ".bin") == 0)));
}

uint64_t reject_inode(const char *name)
{
	return inode_of_rejected(hash_bytes(name, strlen(name)));
}

/* ---- looking ---- */

int reject_next(struct fs *fs, unsigned skip, char *name, size_t size)
{
	AUTO_DIR dir = fs->config.rejected_dir ? opendir(fs->config.rejected_dir) : NULL;
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (is_kept_name(e->d_name) && skip-- == 0) {
			snprintf(name, size, "%s", e->d_name);
			return 1;
		}
	}
	return 0;
}

static int stat_name(struct fs *fs, const char *name, struct stat *ret)
{
	AUTO_FREE char *path = paths_join(fs->config.rejected_dir, name);

	if (!path) {
		return -ENOMEM;
	}
	return lstat(path, ret) == 0 && S_ISREG(ret->st_mode) ? 0 : -ENOENT;
}

int reject_attr(struct fs *fs, const char *name, struct stat *ret)
{
	struct stat st;
	int r = fs->config.rejected_dir && is_kept_name(name) ? stat_name(fs, name, &st) : -ENOENT;

	if (r == 0) {
		memset(ret, 0, sizeof *ret);
		ret->st_ino = reject_inode(name);
		ret->st_mode = S_IFREG | 0400;
		ret->st_nlink = 1;
		ret->st_uid = fs->config.uid;
		ret->st_gid = fs->config.gid;
		ret->st_size = st.st_size;
		ret->st_blksize = 4096;
		ret->st_blocks = st.st_blocks;
		ret->st_mtim = ret->st_ctim = ret->st_atim = st.st_mtim;
	}
	return r;
}

int reject_find(struct fs *fs, uint64_t inode, char *name, size_t size)
{
	AUTO_DIR dir = fs->config.rejected_dir ? opendir(fs->config.rejected_dir) : NULL;
	struct dirent *e;

	while (dir && (e = readdir(dir))) {
		if (is_kept_name(e->d_name) && reject_inode(e->d_name) == inode) {
			snprintf(name, size, "%s", e->d_name);
			return 0;
		}
	}
	return -ESTALE;
}

int reject_read(struct fs *fs, uint64_t inode, char **ret, size_t *ret_len, struct error *err)
{
	char name[NAME_MAX + 1];
	int r = reject_find(fs, inode, name, sizeof name);

	if (r < 0) {
		return r;
	}
	AUTO_FREE char *path = paths_join(fs->config.rejected_dir, name);
	return path ? paths_read_file(path, FILE_BYTES, ret, ret_len, err) : -ENOMEM;
}

int reject_remove(struct fs *fs, const char *name)
{
	AUTO_FREE char *path = fs->config.rejected_dir && is_kept_name(name)
				       ? paths_join(fs->config.rejected_dir, name)
				       : NULL;

	if (!path) {
		return -ENOENT;
	}
	return unlink(path) == 0 ? 0 : -errno;
}

/* ---- keeping ---- */

/* One pass over the folder: how much there is, and which file is the oldest. */
static void survey(struct fs *fs, unsigned *files, int64_t *bytes, char *oldest, size_t size)
{
	AUTO_DIR dir = opendir(fs->config.rejected_dir);
	struct dirent *e;
	struct stat st;
	int64_t oldest_ms = INT64_MAX;

	*files = 0;
	*bytes = 0;
	oldest[0] = '\0';
	while (dir && (e = readdir(dir))) {
		if (!is_kept_name(e->d_name) || stat_name(fs, e->d_name, &st) < 0) {
			continue;
		}
		int64_t ms = (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
		(*files)++;
		*bytes += st.st_size;
		if (ms < oldest_ms) {
			oldest_ms = ms;
			snprintf(oldest, size, "%s", e->d_name);
		}
	}
}

static void keep_limits(struct fs *fs)
{
	char oldest[NAME_MAX + 1];
	unsigned files;
	int64_t bytes;

	for (;;) {
		survey(fs, &files, &bytes, oldest, sizeof oldest);
		if ((files <= KEEP_FILES && bytes <= KEEP_BYTES) || !oldest[0] ||
			reject_remove(fs, oldest) < 0) {
			return;
		}
	}
}

/* "<Object>.<name>.<yyyymmdd-hhmmss-mmm>" */
static void stem_of(struct fs *fs, uint32_t object, const char *name, char *buf, size_t size)
{
	char path[FAULT_PATH_MAX], when[32];
	int64_t ms = clock_wall_ms();
	time_t s = (time_t)(ms / 1000);
	struct tm tm;

	path_of_inode(fs, inode_of_object(object), path, sizeof path);
	gmtime_r(&s, &tm);
	strftime(when, sizeof when, "%Y%m%d-%H%M%S", &tm);
	snprintf(buf, size, "%.80s.%.100s.%s-%03d", path, name, when, (int)(ms % 1000));
}

static int write_named(struct fs *fs, const char *stem, const char *ending, const char *data,
	size_t len, struct error *err)
{
	char name[NAME_MAX + 1];

	snprintf(name, sizeof name, "%s%s", stem, ending);
	AUTO_FREE char *path = paths_join(fs->config.rejected_dir, name);
	return path ? paths_write_file(path, data, len, err) : -ENOMEM;
}

static void tell_lost(const struct error *err)
{
	log_error("save", "what could not be saved could not be kept either: %s", err->text);
}

static int write_why(struct fs *fs, const char *stem, const struct error *why, const char *more,
	struct error *err)
{
	AUTO(buf) struct buf reason;

	buf_init(&reason, 4096);
	buf_addf(&reason, "%s%s%s: %s\n", error_name(why->errnum), why->code[0] ? " " : "",
		why->code, why->text);
	if (why->fields[0]) {
		buf_addf(&reason, "fields: %s\n", why->fields);
	}
	buf_add_str(&reason, more);
	return write_named(fs, stem, ".why", buf_str(&reason), reason.len, err);
}

static int keep_file(struct fs *fs, const char *stem, int fd, uint64_t size, struct error *err)
{
	char name[NAME_MAX + 1], piece[16384];
	ssize_t n = 0;

	snprintf(name, sizeof name, "%s.bin", stem);
	AUTO_FREE char *path = paths_join(fs->config.rejected_dir, name);
	AUTO_CLOSE int to = path ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	if (to < 0) {
		return error_errno(err, path ? errno : ENOMEM, "keeping a file");
	}
	for (uint64_t off = 0; off < size; off += (uint64_t)n) {
		n = pread(fd, piece, sizeof piece, (off_t)off);
		if (n <= 0 || write(to, piece, (size_t)n) != n) {
			int r = error_errno(err, errno ? errno : EIO, "keeping a file");
			unlink(path);
			return r;
		}
	}
	return 0;
}

void reject_keep_file(struct fs *fs, uint32_t object, const char *name, int fd, uint64_t size,
	const struct error *why)
{
	char stem[NAME_MAX - 8];
	struct error err = {0};
	bool fits = size <= FILE_BYTES;

	if (!fs->config.rejected_dir) {
		return;
	}
	stem_of(fs, object, name, stem, sizeof stem);
	int r = paths_make_dir(fs->config.rejected_dir, &err);
	r = r < 0 || !fits ? r : keep_file(fs, stem, fd, size, &err);
	r = r < 0 ? r
		  : write_why(fs, stem, why,
			    fits ? "" : "the file itself is too big to be kept here\n", &err);
	if (r < 0) {
		tell_lost(&err);
		return;
	}
	keep_limits(fs);
}

void reject_keep(struct fs *fs, uint32_t object, const char *name, const struct buf *text,
	const struct error *why)
{
	char stem[NAME_MAX - 8];
	struct error err = {0};

	if (!fs->config.rejected_dir) {
		return;
	}
	stem_of(fs, object, name, stem, sizeof stem);
	int r = paths_make_dir(fs->config.rejected_dir, &err);
	r = r < 0 ? r : write_why(fs, stem, why, "", &err);
	r = r < 0 ? r : write_named(fs, stem, ".json", buf_str(text), text->len, &err);
	if (r < 0) {
		tell_lost(&err);
		return;
	}
	keep_limits(fs);
}

static void keep_unsaved(void *payload, struct draft *draft)
{
	struct fs *fs = payload;
	struct error why = draft->err;
	char name[NAME_MAX + 1];

	name_of(&fs->drafts, draft->inode, name, sizeof name);
	if (!why.errnum) {
		error_set(&why, EINTR, "the mount ended before the file was closed");
	}
	if (draft->fd >= 0) {
		blob_reject(fs, draft, &why);
	} else {
		reject_keep(fs, draft->object, draft->id[0] ? draft->id : name, &draft->data, &why);
	}
}

void reject_unsaved(struct fs *fs)
{
	drafts_unsaved(&fs->drafts, keep_unsaved, fs);
}
