/* SPDX-License-Identifier: MIT */
/*
 * Who is asking, as far as it matters.
 *
 * Who saves? An editor that saves twice is one author; a process is told by its number and when it
 * began.
 *
 * Who takes a record's name away? UNLINK is the same request whether a program makes room for the
 * file that it makes anew at once (install, tar), has just carried the file elsewhere (mv to
 * another disk), or means to delete the record (rm). The program's name tells the first from the
 * last, and whether it has opened the record for reading before tells the second.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/hash.h"
#include "forcefs/base/scope.h"
#include "fs_write.h"

#define GENERATIONS 8

static const char *const replacing[] = {"install", "cp", "mv", "tar", "bsdtar", "ginstall", NULL};
static const char *const removing[] = {"rm", "find", "unlink", NULL};

/* The beginning of /proc/PID/name; false if there is none. */
static bool read_proc(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);
	buf[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* A number of /proc/PID/status, by the name of its line; 0 if not known. */
static pid_t status_of(pid_t pid, const char *name)
{
	char status[1024], begin[16];
	const char *line;

	if (pid <= 0 || !read_proc(pid, "status", status, sizeof status)) {
		return 0;
	}
	snprintf(begin, sizeof begin, "\n%s:", name);
	line = strstr(status, begin);
	return line ? (pid_t)atoi(line + strlen(begin)) : 0;
}

/* When it began, in ticks since the boot: field 22 of stat, behind a name in brackets (proc(5)). */
static bool began(pid_t process, char *ret, size_t size)
{
	char stat[1024];

	if (!read_proc(process, "stat", stat, sizeof stat)) {
		return false;
	}
	const char *at = strrchr(stat, ')');
	for (int field = 2; at && field < 22; field++) {
		at = strchr(at + 1, ' ');
	}
	if (at) {
		snprintf(ret, size, "%.*s", (int)strcspn(at + 1, " "), at + 1);
	}
	return at;
}

/* The kernel tells the thread that asked. */
uint64_t caller_author(pid_t thread)
{
	char name[64], start[32];
	pid_t process = status_of(thread, "Tgid");

	if (process == 0 || !began(process, start, sizeof start)) {
		return 0;
	}
	int len = snprintf(name, sizeof name, "%d %s", (int)process, start);
	return hash_bytes(name, (size_t)len) | 1;
}

bool caller_is_child(pid_t thread, uint64_t author)
{
	pid_t parent = thread;

	for (int i = 0; i < GENERATIONS && parent > 1; i++) {
		parent = status_of(parent, "PPid");
		if (author && caller_author(parent) == author) {
			return true;
		}
	}
	return false;
}

/* True if the process is one of the programs. */
static bool runs(pid_t pid, const char *const *programs)
{
	char comm[32];

	if (!read_proc(pid, "comm", comm, sizeof comm)) {
		return false;
	}
	comm[strcspn(comm, "\n")] = '\0';
	while (*programs && strcmp(comm, *programs) != 0) {
		programs++;
	}
	return *programs;
}

bool caller_removes(const struct op *op)
{
	return runs(op->pid, removing);
}

/* One word a slot, so that readers never wait for each other; a slot that was taken over meanwhile
 * only means that a name comes back by itself instead of not going away. */
static uint64_t reading(pid_t pid, uint64_t key)
{
	return key ^ (uint64_t)pid << 32;
}

void caller_reads(struct op *op, uint64_t key)
{
	atomic_store_explicit(&op->fs->readers[(unsigned)op->pid % READERS], reading(op->pid, key),
		memory_order_relaxed);
}

bool caller_replaces(const struct op *op, uint64_t key)
{
	uint64_t last = atomic_load_explicit(
		&op->fs->readers[(unsigned)op->pid % READERS], memory_order_relaxed);

	return last != reading(op->pid, key) && runs(op->pid, replacing);
}
