/* SPDX-License-Identifier: MIT */
/* The absolute path without links, made without ever asking one of our own mounts. */
#include "mounts.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 40

struct walk {
	const struct mounts *mounts;
	char done[PATH_MAX]; /* "" for the root */
	char todo[PATH_MAX]; /* what is left to walk */
	int links;
	bool ours; /* done lies in one of our mounts: nothing is asked any more */
};

/* True if the text fits. */
static bool put(char *dst, const char *a, const char *middle, const char *b)
{
	char text[2 * PATH_MAX + 2];
	size_t la = strlen(a), lm = strlen(middle), lb = strlen(b);
	if (la + lm + lb >= PATH_MAX) {
		return false;
	}
	memcpy(text, a, la);
	memcpy(text + la, middle, lm);
	memcpy(text + la + lm, b, lb + 1);
	memcpy(dst, text, la + lm + lb + 1);
	return true;
}

static void step_up(struct walk *w)
{
	char *slash = strrchr(w->done, '/');
	if (slash) {
		*slash = '\0';
	}
	w->ours = mounts_above(w->mounts, w->done[0] ? w->done : "/") != NULL;
}

/* name is the next part of the path; a link's target takes its place. */
static int step_down(struct walk *w, const char *name)
{
	char next[PATH_MAX], target[PATH_MAX];
	if (!put(next, w->done, "/", name)) {
		return -ENAMETOOLONG;
	}
	w->ours = w->ours || mount_is_ours(mounts_at(w->mounts, next));
	ssize_t n = w->ours ? -1 : readlink(next, target, sizeof(target) - 1);
	if (n < 0) {
		memcpy(w->done, next, strlen(next) + 1);
		return 0;
	}
	target[n] = '\0';
	if (++w->links > LINKS_MAX) {
		return -ELOOP;
	}
	if (target[0] == '/') {
		w->done[0] = '\0';
	}
	return put(w->todo, target, "/", w->todo) ? 0 : -ENAMETOOLONG;
}

static int take_step(struct walk *w)
{
	char name[PATH_MAX];
	size_t skip = strspn(w->todo, "/"), len = strcspn(w->todo + skip, "/");
	memcpy(name, w->todo + skip, len);
	name[len] = '\0';
	memmove(w->todo, w->todo + skip + len, strlen(w->todo + skip + len) + 1);
	if (len == 0 || strcmp(name, ".") == 0) {
		return 0;
	}
	if (strcmp(name, "..") == 0) {
		step_up(w);
		return 0;
	}
	return step_down(w, name);
}

/* The working directory is asked only for relative paths: it may be gone. */
static int start(struct walk *w, const char *path)
{
	char here[PATH_MAX] = "";
	if (path[0] != '/' && !getcwd(here, sizeof(here))) {
		return -errno;
	}
	if (!put(w->todo, here, "/", path)) {
		return -ENAMETOOLONG;
	}
	return *path ? 0 : -ENOENT;
}

int mounts_resolve(const struct mounts *m, const char *path, char **ret, struct error *err)
{
	AUTO_FREE struct walk *w = calloc(1, sizeof(*w));
	if (!w) {
		return error_set(err, ENOMEM, "out of memory");
	}
	w->mounts = m;
	int r = start(w, path);
	while (r == 0 && w->todo[0]) {
		r = take_step(w);
	}
	if (r < 0) {
		return error_errno(err, -r, "%s", *path ? path : "an empty path");
	}
	*ret = strdup(w->done[0] ? w->done : "/");
	return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
}
