/* SPDX-License-Identifier: MIT */
/*
 * The folder of big contents; see the door. A file is called <Id>.<stamp in ms>. It gets its name
 * by linkat, when it is whole; so what has a name is whole, and a crash leaves nothing behind where
 * the file system has files without a name (O_TMPFILE). Elsewhere it has a name that begins with a
 * dot while it is made.
 *
 * The table of files is a list in the order of their use, and a hash over Ids.
 */
#include "forcefs/store/blobs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "forcefs/base/hash.h"
#include "forcefs/base/paths.h"
#include "forcefs/base/scope.h"

#define ID_LEN    18
#define NAME_SIZE 48
#define BUCKETS   4096
#define BLOCK     4096 /* even a small file takes as much of a disk */

struct blob {
	char id[ID_LEN + 1];
	int64_t stamp_ms;
	uint64_t size;
	int64_t used_s;           /* while the folder is read */
	struct blob *next, *prev; /* next: used longer ago */
	struct blob *same;        /* in the bucket */
};

struct blobs {
	char *dir; /* NULL: memory; set once, as limit_bytes */
	int dir_fd;
	uint64_t limit_bytes;
	atomic_uint_fast64_t serial;
	pthread_mutex_t lock;
	/* protected by lock */
	struct blob *first, *last;
	struct blob *buckets[BUCKETS];
	uint64_t files, bytes, evictions;
};

/* ---- the list, under the lock ---- */

static uint64_t cost(const struct blob *x)
{
	return (x->size + BLOCK - 1) / BLOCK * BLOCK;
}

static struct blob **bucket_of(struct blobs *b, const char *id18)
{
	return &b->buckets[hash_bytes(id18, ID_LEN) % BUCKETS];
}

static void link_first(struct blobs *b, struct blob *x)
{
	struct blob **bucket = bucket_of(b, x->id);

	x->prev = NULL;
	x->next = b->first;
	*(b->first ? &b->first->prev : &b->last) = x;
	b->first = x;
	x->same = *bucket;
	*bucket = x;
	b->files++;
	b->bytes += cost(x);
}

static void unlink_blob(struct blobs *b, struct blob *x)
{
	struct blob **at = bucket_of(b, x->id);

	while (*at != x) {
		at = &(*at)->same;
	}
	*at = x->same;
	*(x->prev ? &x->prev->next : &b->first) = x->next;
	*(x->next ? &x->next->prev : &b->last) = x->prev;
	b->files--;
	b->bytes -= cost(x);
}

static void name_of(const char *id18, int64_t stamp_ms, char name[NAME_SIZE])
{
	snprintf(name, NAME_SIZE, "%s.%" PRId64, id18, stamp_ms);
}

/* Takes it out of the list and removes its file. */
static void remove_blob(struct blobs *b, struct blob *x)
{
	char name[NAME_SIZE];

	name_of(x->id, x->stamp_ms, name);
	unlinkat(b->dir_fd, name, 0);
	unlink_blob(b, x);
	free(x);
}

static struct blob *find_blob(struct blobs *b, const char *id18, int64_t stamp_ms)
{
	struct blob *x = *bucket_of(b, id18);

	while (x && (x->stamp_ms != stamp_ms || strcmp(x->id, id18) != 0)) {
		x = x->same;
	}
	return x;
}

static void keep_limit(struct blobs *b)
{
	while (b->limit_bytes && b->bytes > b->limit_bytes && b->last) {
		remove_blob(b, b->last);
		b->evictions++;
	}
}

static void drop_others(struct blobs *b, const char *id18, int64_t but_stamp_ms)
{
	struct blob *next;

	for (struct blob *x = *bucket_of(b, id18); x; x = next) {
		next = x->same;
		if (x->stamp_ms != but_stamp_ms && strcmp(x->id, id18) == 0) {
			remove_blob(b, x);
		}
	}
}

/* ---- opening ---- */

/* "<Id>.<stamp>", as name_of writes it. */
static bool parse_name(const char *name, struct blob *ret)
{
	char again[NAME_SIZE], *end;

	if (strlen(name) <= ID_LEN + 1 || name[0] == '.' || name[ID_LEN] != '.') {
		return false;
	}
	memcpy(ret->id, name, ID_LEN);
	ret->id[ID_LEN] = '\0';
	ret->stamp_ms = strtoll(name + ID_LEN + 1, &end, 10);
	name_of(ret->id, ret->stamp_ms, again);
	return strcmp(again, name) == 0;
}

static int by_use(const void *a, const void *b)
{
	const struct blob *x = *(struct blob *const *)a, *y = *(struct blob *const *)b;

	return x->used_s < y->used_s ? -1 : x->used_s > y->used_s;
}

/* Adds what is ours to the list, removes everything else. */
static int take_over(struct blobs *b, const char *name)
{
	struct stat st;
	struct blob *x = calloc(1, sizeof(*x));

	if (!x) {
		return -ENOMEM;
	}
	if (fstatat(b->dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode) ||
		st.st_uid != geteuid() || !parse_name(name, x)) {
		free(x);
		unlinkat(b->dir_fd, name, 0);
		return 0;
	}
	x->size = (uint64_t)st.st_size;
	x->used_s = st.st_mtim.tv_sec;
	link_first(b, x);
	return 0;
}

/* The last used comes first. */
static int sort_list(struct blobs *b)
{
	size_t n = 0, count = b->files;
	AUTO_FREE struct blob **all = calloc(count + 1, sizeof(struct blob *));

	if (!all) {
		return -ENOMEM;
	}
	for (struct blob *x = b->first; x; x = x->next) {
		all[n++] = x;
	}
	qsort(all, n, sizeof(struct blob *), by_use);
	b->first = b->last = NULL;
	memset(b->buckets, 0, sizeof(b->buckets));
	b->files = b->bytes = 0;
	for (size_t i = 0; i < n; i++) {
		link_first(b, all[i]);
	}
	return 0;
}

static int read_folder(struct blobs *b)
{
	int fd = openat(b->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!dir) {
		r = -errno;
		scope_close(&fd);
		return r;
	}
	while (r == 0 && (e = readdir(dir))) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			r = take_over(b, e->d_name);
		}
	}
	closedir(dir);
	return r < 0 ? r : sort_list(b);
}

static int open_folder(struct blobs *b, struct error *err)
{
	struct stat st;
	int r = paths_make_dir(b->dir, err);

	if (r < 0) {
		return r;
	}
	b->dir_fd = open(b->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (b->dir_fd < 0 || fstat(b->dir_fd, &st) < 0) {
		return error_errno(err, errno, "cannot open the cache folder %s", b->dir);
	}
	if (st.st_uid != geteuid()) {
		return error_set(err, EACCES,
			"%s belongs to another user; remove it, or set cache_dir to a folder of "
			"your own",
			b->dir);
	}
	if ((st.st_mode & 07777) != 0700 && fchmod(b->dir_fd, 0700) < 0) {
		return error_errno(err, errno, "cannot make %s private", b->dir);
	}
	r = read_folder(b);
	if (r == 0) {
		keep_limit(b);
	}
	return r < 0 ? error_errno(err, -r, "cannot read the cache folder %s", b->dir) : 0;
}

int blobs_open(const struct blobs_config *config, struct blobs **ret, struct error *err)
{
	struct blobs *b = calloc(1, sizeof(*b));

	if (!b) {
		return error_set(err, ENOMEM, "out of memory");
	}
	b->dir_fd = -1;
	b->limit_bytes = config->limit_bytes;
	pthread_mutex_init(&b->lock, NULL);
	b->dir = config->dir ? strdup(config->dir) : NULL;
	int r = config->dir && !b->dir ? error_set(err, ENOMEM, "out of memory") : 0;
	if (r == 0 && b->dir) {
		r = open_folder(b, err);
	}
	if (r < 0) {
		blobs_close(b);
		return r;
	}
	*ret = b;
	return 0;
}

void blobs_close(struct blobs *b)
{
	if (!b) {
		return;
	}
	while (b->first) {
		struct blob *x = b->first;
		unlink_blob(b, x);
		free(x);
	}
	scope_close(&b->dir_fd);
	pthread_mutex_destroy(&b->lock);
	free(b->dir);
	free(b);
}

/* ---- using ---- */

int blobs_find(struct blobs *b, const char *id18, int64_t stamp_ms, int *ret_fd, uint64_t *ret_size)
{
	char name[NAME_SIZE];
	LOCK_SCOPE(&b->lock);
	struct blob *x = find_blob(b, id18, stamp_ms);
	struct stat st;

	if (!x) {
		return -ENOENT;
	}
	name_of(id18, stamp_ms, name);
	AUTO_CLOSE int fd = openat(b->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || (uint64_t)st.st_size != x->size) {
		remove_blob(b, x); /* somebody else was here */
		return -ENOENT;
	}
	futimens(fd, (struct timespec[2]){{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}});
	unlink_blob(b, x);
	link_first(b, x);
	*ret_fd = fd;
	*ret_size = x->size;
	fd = -1;
	return 0;
}

int blobs_size(struct blobs *b, const char *id18, int64_t stamp_ms, uint64_t *ret_size)
{
	LOCK_SCOPE(&b->lock);
	const struct blob *x = find_blob(b, id18, stamp_ms);

	if (!x) {
		return -ENOENT;
	}
	*ret_size = x->size;
	return 0;
}

/* A file with a name for a moment, where there are none without. */
static int new_named(struct blobs *b, const char *dir)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/.forcefs-%ld-%" PRIuFAST64, dir, (long)getpid(),
		atomic_fetch_add(&b->serial, 1));
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0) {
		unlink(path);
	}
	return fd;
}

int blobs_new(struct blobs *b, int *ret_fd, struct error *err)
{
	const char *tmp = getenv("TMPDIR");
	const char *dir = b->dir ? b->dir : tmp && tmp[0] == '/' ? tmp : "/tmp";
	/* In memory nothing is to get a name ever: O_EXCL forbids it. */
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC | (b->dir ? 0 : O_EXCL), 0600);

	if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == ENOENT)) {
		fd = new_named(b, dir);
	}
	if (fd < 0) {
		return error_errno(err, errno, "cannot make a file in %s", dir);
	}
	*ret_fd = fd;
	return 0;
}

/* Where the file has no name that linkat could take, its content is copied. */
static int copy_file(struct blobs *b, int fd, const char *name)
{
	char buf[65536];
	off_t off = 0;
	ssize_t n;
	AUTO_CLOSE int to = openat(b->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (to < 0) {
		return -errno;
	}
	while ((n = pread(fd, buf, sizeof(buf), off)) > 0) {
		if (write(to, buf, (size_t)n) != n) {
			n = -1;
			break;
		}
		off += n;
	}
	if (n < 0) {
		int r = errno ? -errno : -EIO;
		unlinkat(b->dir_fd, name, 0);
		return r;
	}
	return 0;
}

static int give_name(struct blobs *b, int fd, const char *name)
{
	char self[64];

	unlinkat(b->dir_fd, name, 0);
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, b->dir_fd, name, AT_SYMLINK_FOLLOW) == 0) {
		return 0;
	}
	return copy_file(b, fd, name);
}

int blobs_keep(struct blobs *b, const char *id18, int64_t stamp_ms, int fd, struct error *err)
{
	char name[NAME_SIZE];
	struct stat st;

	if (!b->dir || strlen(id18) != ID_LEN) {
		return 0;
	}
	if (fstat(fd, &st) < 0) {
		return error_errno(err, errno, "cannot look at a file in %s", b->dir);
	}
	if (b->limit_bytes && (uint64_t)st.st_size > b->limit_bytes) {
		return 0;
	}
	struct blob *x = calloc(1, sizeof(*x));
	if (!x) {
		return error_set(err, ENOMEM, "out of memory");
	}
	memcpy(x->id, id18, ID_LEN);
	x->stamp_ms = stamp_ms;
	x->size = (uint64_t)st.st_size;
	LOCK_SCOPE(&b->lock);
	drop_others(b, id18, INT64_MIN);
	name_of(id18, stamp_ms, name);
	int r = give_name(b, fd, name);
	if (r < 0) {
		free(x);
		return error_errno(err, -r, "cannot keep a file in %s", b->dir);
	}
	link_first(b, x);
	keep_limit(b);
	return 1;
}

void blobs_drop(struct blobs *b, const char *id18, int64_t but_stamp_ms)
{
	LOCK_SCOPE(&b->lock);
	drop_others(b, id18, but_stamp_ms);
}

void blobs_get_stats(struct blobs *b, struct blobs_stats *ret)
{
	LOCK_SCOPE(&b->lock);
	*ret = (struct blobs_stats){.files = b->files,
		.bytes = b->bytes,
		.limit_bytes = b->limit_bytes,
		.evictions = b->evictions};
}
