/* SPDX-License-Identifier: MIT */
/* Walks /proc and compares the text of links; the first reason found stands for the process. */
#include "busy.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forcefs/base/log.h"
#include "forcefs/base/scope.h"

/* Where path lies below dir: "." for dir itself, NULL when outside. Borrowed. */
static const char *below(const char *path, const char *dir)
{
	size_t len = strlen(dir);
	if (strncmp(path, dir, len) != 0 || (path[len] && path[len] != '/')) {
		return NULL;
	}
	return path[len] && path[len + 1] ? path + len + 1 : ".";
}

static bool note(struct busy *b, const char *holds, const char *path)
{
	b->holds = holds;
	log_escape(b->path, sizeof(b->path), path);
	return true;
}

static bool link_holds(struct busy *b, const char *link, const char *dir, const char *holds)
{
	char target[PATH_MAX];
	ssize_t n = readlink(link, target, sizeof(target) - 1);
	if (n < 0) {
		return false;
	}
	target[n] = '\0';
	const char *path = below(target, dir);
	return path && note(b, holds, path);
}

static bool open_file_holds(struct busy *b, const char *proc, const char *dir)
{
	char name[PATH_MAX];
	snprintf(name, sizeof(name), "%s/fd", proc);
	DIR *fds = opendir(name);
	bool found = false;
	for (struct dirent *e; fds && !found && (e = readdir(fds)) != NULL;) {
		if (isdigit((unsigned char)e->d_name[0])) {
			snprintf(name, sizeof(name), "%s/fd/%s", proc, e->d_name);
			found = link_holds(b, name, dir, "an open file");
		}
	}
	if (fds) {
		closedir(fds);
	}
	return found;
}

static bool map_holds(struct busy *b, const char *proc, const char *dir)
{
	char name[64];
	AUTO_FREE char *line = NULL;
	size_t size = 0;
	bool found = false;
	snprintf(name, sizeof(name), "%s/maps", proc);
	FILE *maps = fopen(name, "re");
	while (maps && !found && getline(&line, &size, maps) > 0) {
		char *start = strchr(line, '/');
		const char *path = NULL;
		if (start) {
			start[strcspn(start, "\n")] = '\0';
			path = below(start, dir);
		}
		found = path && note(b, "a mapped file", path);
	}
	if (maps) {
		fclose(maps);
	}
	return found;
}

static bool holds(struct busy *b, const char *dir)
{
	static const struct {
		const char *link;
		const char *what;
	} links[] = {{"cwd", "its working directory"}, {"root", "its root directory"},
		{"exe", "its program"}};
	char proc[32], name[64];
	snprintf(proc, sizeof(proc), "/proc/%d", (int)b->pid);
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		snprintf(name, sizeof(name), "%s/%s", proc, links[i].link);
		if (link_holds(b, name, dir, links[i].what)) {
			return true;
		}
	}
	return open_file_holds(b, proc, dir) || map_holds(b, proc, dir);
}

static void read_command(struct busy *b)
{
	char name[64], text[64] = "?";
	snprintf(name, sizeof(name), "/proc/%d/comm", (int)b->pid);
	FILE *file = fopen(name, "re");
	if (file) {
		if (fgets(text, sizeof(text), file)) {
			text[strcspn(text, "\n")] = '\0';
		}
		fclose(file);
	}
	log_escape(b->command, sizeof(b->command), text);
}

static void read_user(struct busy *b)
{
	char name[32], space[4096];
	struct stat st;
	struct passwd entry, *found = NULL;
	snprintf(name, sizeof(name), "/proc/%d", (int)b->pid);
	if (stat(name, &st) < 0) {
		snprintf(b->user, sizeof(b->user), "?");
		return;
	}
	getpwuid_r(st.st_uid, &entry, space, sizeof(space), &found);
	if (found) {
		snprintf(b->user, sizeof(b->user), "%s", found->pw_name);
	} else {
		snprintf(b->user, sizeof(b->user), "%u", (unsigned)st.st_uid);
	}
}

size_t busy_find(const char *dir, struct busy *ret, size_t max)
{
	size_t count = 0;
	DIR *proc = opendir("/proc");
	for (struct dirent *e; proc && (e = readdir(proc)) != NULL;) {
		struct busy b = {.pid = (pid_t)atoi(e->d_name)};
		if (b.pid <= 0 || b.pid == getpid() || !holds(&b, dir)) {
			continue;
		}
		if (count < max) {
			read_command(&b);
			read_user(&b);
			ret[count] = b;
		}
		count++;
	}
	if (proc) {
		closedir(proc);
	}
	return count;
}
