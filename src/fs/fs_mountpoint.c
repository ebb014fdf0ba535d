/* SPDX-License-Identifier: MIT */
/* Getting onto a mountpoint, with a sentence for each way it can fail. */
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <paths.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forcefs/base/scope.h"
#include "fs_priv.h"

#define FSTYPE "fuse.forcefs"
#define DEVICE "/dev/fuse"

extern char **environ;

/* ---- what is mounted there ---- */

enum mounted { MOUNTED_NOTHING, MOUNTED_OURS, MOUNTED_OTHER };

/* By the kernel's table, so that a dead mount can be told. */
static enum mounted what_is_mounted(const char *mountpoint)
{
	enum mounted found = MOUNTED_NOTHING;
	FILE *f = setmntent("/proc/self/mounts", "re");
	if (!f) {
		return found;
	}
	struct mntent entry;
	char strings[8192];
	while (getmntent_r(f, &entry, strings, sizeof(strings))) {
		if (strcmp(entry.mnt_dir, mountpoint) == 0) {
			found = strcmp(entry.mnt_type, FSTYPE) == 0 ? MOUNTED_OURS : MOUNTED_OTHER;
		}
	}
	endmntent(f);
	return found;
}

/* ---- a dead mount ---- */

static int run_fusermount(const char *mountpoint, struct error *err)
{
	const char *const argv[] = {"fusermount3", "-u", "-z", "--", mountpoint, NULL};
	pid_t pid;
	int status;
	int r = posix_spawnp(&pid, argv[0], NULL, NULL, (char *const *)argv, environ);
	if (r != 0) {
		return error_errno(err, r, "starting fusermount3 (package fuse3)");
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EBUSY;
}

static int take_away(const char *mountpoint, struct error *err)
{
	if (umount2(mountpoint, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 ||
		run_fusermount(mountpoint, err) == 0) {
		return 0;
	}
	return error_set(err, EBUSY,
		"a mount that has lost its program is left on %s and could not be taken away; "
		"try: fusermount3 -u -z %s",
		mountpoint, mountpoint);
}

static int check_dead(const char *mountpoint, struct error *err)
{
	switch (what_is_mounted(mountpoint)) {
	case MOUNTED_OURS:
		return take_away(mountpoint, err);
	case MOUNTED_OTHER:
		return error_set(err, EBUSY,
			"another filesystem that has lost its program is left on %s; "
			"unmount it first: fusermount3 -u -z %s",
			mountpoint, mountpoint);
	default:
		return error_errno(err, ENOTCONN, "looking at %s", mountpoint);
	}
}

/* A plain stat may be answered from the kernel's memory for as long as it believes the attributes
 * of the root. */
static bool is_dead(const char *mountpoint)
{
	struct statx st;
	return statx(AT_FDCWD, mountpoint, AT_STATX_FORCE_SYNC | AT_NO_AUTOMOUNT, STATX_BASIC_STATS,
		       &st) < 0 &&
	       errno == ENOTCONN;
}

/* ---- before mounting ---- */

static int check_directory(const char *mountpoint, struct error *err)
{
	struct stat st;
	if (is_dead(mountpoint)) {
		int r = check_dead(mountpoint, err);
		if (r < 0) {
			return r;
		}
	}
	if (stat(mountpoint, &st) < 0) {
		return errno == ENOENT
			       ? error_set(err, ENOENT, "%s is not there; make it: mkdir -p %s",
					 mountpoint, mountpoint)
			       : error_errno(err, errno, "looking at %s", mountpoint);
	}
	if (!S_ISDIR(st.st_mode)) {
		return error_set(err, ENOTDIR, "%s is not a directory; mount on an empty directory",
			mountpoint);
	}
	if (what_is_mounted(mountpoint) == MOUNTED_OURS) {
		return error_set(err, EBUSY,
			"%s has a forcefs mount already; unmount it first: forcefs umount %s",
			mountpoint, mountpoint);
	}
	return 0;
}

static int check_device(struct error *err)
{
	AUTO_CLOSE int fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		return 0;
	}
	if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
		return error_set(err, ENODEV,
			"there is no " DEVICE ": load the module (modprobe fuse), or give "
			"the container the device (--device /dev/fuse)");
	}
	return errno == EACCES || errno == EPERM
		       ? error_set(err, EACCES,
				 "you may not open " DEVICE "; it should have mode 0666, or ask "
				 "to become a member of its group")
		       : error_errno(err, errno, "opening " DEVICE);
}

/* True if the line "user_allow_other" stands in the file. */
static bool conf_allows_other(void)
{
	char line[256], word[32];
	bool found = false;
	FILE *f = fopen("/etc/fuse.conf", "re");
	while (f && !found && fgets(line, sizeof(line), f)) {
		found = sscanf(line, "%31s", word) == 1 && strcmp(word, "user_allow_other") == 0;
	}
	if (f) {
		fclose(f);
	}
	return found;
}

static bool has_fusermount(void)
{
	char path[4096];
	const char *dirs = getenv("PATH");
	dirs = dirs && dirs[0] ? dirs : _PATH_STDPATH;
	for (const char *p = dirs; *p;) {
		size_t len = strcspn(p, ":");
		snprintf(path, sizeof(path), "%.*s/fusermount3", (int)len, p);
		if (access(path, X_OK) == 0) {
			return true;
		}
		p += len + (p[len] == ':');
	}
	return access("/usr/bin/fusermount3", X_OK) == 0 || access("/bin/fusermount3", X_OK) == 0;
}

/* What only others than root need. */
static int check_unprivileged(const struct fs_config *config, struct error *err)
{
	if (!has_fusermount()) {
		return error_set(err, ENOENT,
			"fusermount3 is missing, and only root can mount without it; "
			"install the package fuse3");
	}
	if (config->allow_other && !conf_allows_other()) {
		return error_set(err, EPERM,
			"allow_other is not permitted to you; let root add the line "
			"user_allow_other to /etc/fuse.conf, or mount without allow_other");
	}
	if (access(config->mountpoint, W_OK) < 0) {
		return error_set(err, EACCES,
			"you may not write to %s, and only root may mount on such a directory; "
			"take one of your own",
			config->mountpoint);
	}
	return 0;
}

int mountpoint_prepare(const struct fs_config *config, struct error *err)
{
	int r = check_directory(config->mountpoint, err);
	if (r == 0) {
		r = check_device(err);
	}
	if (r == 0 && geteuid() != 0) {
		r = check_unprivileged(config, err);
	}
	return r;
}

/* ---- mounting ---- */

/* libfuse and fusermount3 say why they fail on stderr only: it is a file of ours meanwhile. */
struct capture {
	int saved, file;
};

static void capture_begin(struct capture *c)
{
	fflush(stderr);
	c->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	c->file = memfd_create("forcefs-mount", MFD_CLOEXEC);
	if (c->saved >= 0 && c->file >= 0) {
		dup2(c->file, STDERR_FILENO);
	}
}

/* The words without "fuse: " and the like in front and newlines inside. */
static void capture_end(struct capture *c, char *words, size_t size)
{
	fflush(stderr);
	words[0] = '\0';
	if (c->saved >= 0 && c->file >= 0) {
		dup2(c->saved, STDERR_FILENO);
		ssize_t n = pread(c->file, words, size - 1, 0);
		words[n > 0 ? n : 0] = '\0';
	}
	for (size_t len = strlen(words); len > 0 && words[len - 1] == '\n'; len--) {
		words[len - 1] = '\0';
	}
	for (char *p = words; (p = strchr(p, '\n'));) {
		*p = ';';
	}
	if (c->saved >= 0) {
		close(c->saved);
	}
	if (c->file >= 0) {
		close(c->file);
	}
}

int mountpoint_mount(
	struct fuse_session *session, const struct fs_config *config, struct error *err)
{
	struct capture capture;
	char words[400];
	capture_begin(&capture);
	int r = fuse_session_mount(session, config->mountpoint);
	int errnum = errno;
	capture_end(&capture, words, sizeof(words));
	if (r == 0) {
		return 0;
	}
	if (errnum != EPERM && errnum != EACCES && errnum != EBUSY && errnum != ENOMEM) {
		errnum = EIO;
	}
	return error_set(err, errnum,
		"the system refused to mount on %s (%s); `forcefs doctor` checks what a mount "
		"needs",
		config->mountpoint, words[0] ? words : "no reason was given");
}

/* ---- the connection ---- */

dev_t mountpoint_device(const char *mountpoint)
{
	struct statx st;
	if (statx(AT_FDCWD, mountpoint, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE, &st) <
		0) {
		return 0;
	}
	return makedev(st.stx_dev_major, st.stx_dev_minor);
}

void mountpoint_abort(dev_t device)
{
	char path[64];
	if (device == 0) {
		return;
	}
	snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort", minor(device));
	AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) < 0) {
		return; /* nothing more can be done */
	}
}
