/* SPDX-License-Identifier: MIT */
/* Reads the mount table, line by line, and undoes its octal escapes. */
#include "mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIR_FIELD  4 /* of a line: the mountpoint */
#define DASH_FIELD 6 /* the first one that may be the "-" before type and source */

/* "\040" becomes a blank, in place; the kernel writes blanks, newlines, # and \ so. */
static void unescape(char *text)
{
	char *out = text;
	for (const char *in = text; *in; out++) {
		if (in[0] == '\\' && in[1] >= '0' && in[1] <= '3' && in[2] >= '0' && in[2] <= '7' &&
			in[3] >= '0' && in[3] <= '7') {
			*out = (char)((in[1] - '0') << 6 | (in[2] - '0') << 3 | (in[3] - '0'));
			in += 4;
		} else {
			*out = *in++;
		}
	}
	*out = '\0';
}

/* The number after name in "rw,user_id=0,group_id=0"; 0 if it is not there. */
static unsigned option_id(const char *options, const char *name)
{
	const char *at = strstr(options, name);
	return at ? (unsigned)strtoul(at + strlen(name), NULL, 10) : 0;
}

/* What matters of a line; borrowed from it. False if it is not such a line. */
static bool take_apart(char *line, struct mount_entry *ret)
{
	char *rest = line, *word;
	bool after_dash = false;
	*ret = (struct mount_entry){0};
	for (int i = 0; (word = strsep(&rest, " \n")) != NULL; i++) {
		if (i == DIR_FIELD) {
			ret->dir = word;
		} else if (after_dash && !ret->type) {
			ret->type = word;
		} else if (after_dash && !ret->source) {
			ret->source = word;
		} else if (after_dash && *word) {
			ret->uid = option_id(word, ",user_id=");
			ret->gid = option_id(word, ",group_id=");
		} else if (i >= DASH_FIELD && strcmp(word, "-") == 0) {
			after_dash = true;
		}
	}
	return ret->source != NULL;
}

static char *copy_unescaped(const char *text)
{
	char *copy = strdup(text);
	if (copy) {
		unescape(copy);
	}
	return copy;
}

static int add(struct mounts *m, const struct mount_entry *e, struct error *err)
{
	struct mount_entry *grown = realloc(m->list, (m->count + 1) * sizeof(*grown));
	if (!grown) {
		return error_set(err, ENOMEM, "out of memory");
	}
	m->list = grown;
	struct mount_entry *new = &m->list[m->count++];
	*new = (struct mount_entry){.dir = copy_unescaped(e->dir),
		.type = copy_unescaped(e->type),
		.source = copy_unescaped(e->source),
		.uid = e->uid,
		.gid = e->gid};
	return new->dir &&new->type &&new->source ? 0 : error_set(err, ENOMEM, "out of memory");
}

int mounts_read(FILE *file, struct mounts *ret, struct error *err)
{
	AUTO(mounts) struct mounts m = {0};
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	while (getline(&line, &size, file) > 0) {
		struct mount_entry e;
		int r = take_apart(line, &e) ? add(&m, &e, err) : 0;
		if (r < 0) {
			return r;
		}
	}
	if (ferror(file)) {
		return error_set(err, EIO, "the mount table cannot be read");
	}
	*ret = m;
	m = (struct mounts){0};
	return 0;
}

int mounts_load(struct mounts *ret, struct error *err)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	if (!file) {
		return error_errno(err, errno, "reading /proc/self/mountinfo");
	}
	int r = mounts_read(file, ret, err);
	fclose(file);
	return r;
}

void mounts_release(struct mounts *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->list[i].dir);
		free(m->list[i].type);
		free(m->list[i].source);
	}
	free(m->list);
	*m = (struct mounts){0};
}

bool mount_is_ours(const struct mount_entry *e)
{
	return e && strcmp(e->type, MOUNTS_OUR_TYPE) == 0;
}

const struct mount_entry *mounts_at(const struct mounts *m, const char *dir)
{
	for (size_t i = m->count; i > 0; i--) {
		if (strcmp(m->list[i - 1].dir, dir) == 0) {
			return &m->list[i - 1];
		}
	}
	return NULL;
}

/* True if path is dir or lies below it. */
static bool is_within(const char *path, const char *dir)
{
	size_t len = strcmp(dir, "/") == 0 ? 0 : strlen(dir);
	return strncmp(path, dir, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

const struct mount_entry *mounts_above(const struct mounts *m, const char *path)
{
	const struct mount_entry *best = NULL;
	for (size_t i = 0; i < m->count; i++) {
		const struct mount_entry *e = &m->list[i];
		if (is_within(path, e->dir) && (!best || strlen(e->dir) >= strlen(best->dir))) {
			best = e;
		}
	}
	return mount_is_ours(best) ? best : NULL;
}

const struct mount_entry *mounts_below(const struct mounts *m, const char *dir)
{
	for (size_t i = 0; i < m->count; i++) {
		const char *at = m->list[i].dir;
		if (strcmp(at, dir) != 0 && is_within(at, dir)) {
			return &m->list[i];
		}
	}
	return NULL;
}
