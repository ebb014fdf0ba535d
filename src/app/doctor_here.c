/* SPDX-License-Identifier: MIT */
#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "figures.h"
#include "quoted.h"
#include "settings_command.h"
#include "settings_file.h"

#define FUSE_DEVICE     "/dev/fuse"
#define FUSE_MAJOR      10
#define FUSE_MINOR      229
#define CAPABILITY_BIT  21 /* CAP_SYS_ADMIN */
#define SPACE_LEAST     (INT64_C(32) << 20)
#define HELPER          "fusermount3"
#define HELPER_PATH_END ":/usr/bin:/bin"

/* ---- FUSE ---- */

void doctor_fuse_device(const char *device, struct finding *f)
{
	struct stat st;
	AUTO_CLOSE int fd = open(device, O_RDWR | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
		major(st.st_rdev) == FUSE_MAJOR && minor(st.st_rdev) == FUSE_MINOR) {
		finding_set(f, DOCTOR_OK, "%s can be used", device);
	} else if (fd >= 0) {
		finding_set(
			f, DOCTOR_FAILED, "%s is not the FUSE device; run: modprobe fuse", device);
	} else if (errno == ENOENT || errno == ENODEV || errno == ENXIO) {
		finding_set(f, DOCTOR_FAILED,
			"there is no %s; run: modprobe fuse (a container has to be given the "
			"device: --device %s)",
			device, device);
	} else {
		finding_set(f, DOCTOR_FAILED,
			"%s cannot be opened: %s; run: chmod 666 %s (a container has to be given "
			"the device: --device %s)",
			device, strerror(errno), device, device);
	}
}

static bool root_may_mount(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	unsigned long long rights = 0;
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "CapEff: %llx", &rights) == 1) {
			break;
		}
	}
	if (file) {
		fclose(file);
	}
	return rights >> CAPABILITY_BIT & 1;
}

/* The helper in $PATH; false if there is none. */
static bool find_helper(char *path, size_t size)
{
	const char *given = getenv("PATH");
	AUTO(buf) struct buf all;
	buf_init(&all, 65536);
	buf_addf(&all, "%s" HELPER_PATH_END, given ? given : "");
	for (const char *dir = buf_str(&all); *dir; dir += strcspn(dir, ":"), dir += *dir == ':') {
		int n = snprintf(path, size, "%.*s/" HELPER, (int)strcspn(dir, ":"), dir);
		if (*dir == '/' && n > 0 && (size_t)n < size && access(path, X_OK) == 0) {
			return true;
		}
	}
	return false;
}

/* An ordinary user mounts through a helper that is root's. */
static void check_helper(struct finding *f)
{
	char path[PATH_MAX];
	struct stat st;
	if (!find_helper(path, sizeof(path))) {
		finding_set(f, DOCTOR_FAILED,
			HELPER " is not installed, and only root can mount without it; run: apt "
			       "install fuse3");
	} else if (stat(path, &st) < 0 || !(st.st_mode & S_ISUID) || st.st_uid != 0) {
		finding_set(f, DOCTOR_FAILED,
			"%s has lost its rights (setuid root); install the package fuse3 again",
			path);
	} else {
		finding_set(f, DOCTOR_OK, FUSE_DEVICE " and %s can be used", path);
	}
}

void doctor_fuse(struct doctor *d, struct finding *f)
{
	(void)d;
	doctor_fuse_device(FUSE_DEVICE, f);
	if (f->state != DOCTOR_OK) {
		return;
	}
	if (geteuid() != 0) {
		check_helper(f);
	} else if (!root_may_mount()) {
		finding_set(f, DOCTOR_FAILED,
			"root has no right to mount here (CAP_SYS_ADMIN); a container has to be "
			"given it: --cap-add SYS_ADMIN");
	}
}

/* ---- settings ---- */

void doctor_file(struct doctor *d, struct finding *f)
{
	struct error err = {0};
	if (settings_file_find(&d->file, &err) < 0) {
		finding_fail(f, &err);
		return;
	}
	FILE *file = fopen(d->file, "re");
	if (!file) {
		char space[QUOTED_MAX];
		finding_set(f, DOCTOR_FAILED,
			"%s cannot be read: %s; look at who owns it with ls -l, and run: chmod "
			"u+r %s",
			d->file, strerror(errno), quoted(d->file, space));
		return;
	}
	fclose(file);
	finding_set(f, DOCTOR_OK, "%s", d->file);
}

/* The file is read here already: whether others may see it depends on what it holds. */
void doctor_permissions(struct doctor *d, struct finding *f)
{
	struct stat st = {0};
	int r = settings_load_file(d->file, d->org, &d->settings, &d->fault);
	d->has_settings = r == 0;
	if (r == -EACCES) {
		finding_fail(f, &d->fault);
		return;
	}
	if (stat(d->file, &st) == 0 && st.st_mode & 077) {
		finding_set(f, DOCTOR_OK, "other users can read it (mode %03o), %s",
			(unsigned)st.st_mode & 0777,
			d->has_settings ? "and it holds no secret"
					: "which is fine while it holds no secret");
	} else {
		finding_set(f, DOCTOR_OK, "mode %03o: nobody else can read it",
			(unsigned)st.st_mode & 0777);
	}
}

void doctor_settings(struct doctor *d, struct finding *f)
{
	struct error err = d->fault;
	d->fault = (struct error){0};
	if (!d->has_settings) {
		finding_fail(f, &err);
	} else if (settings_check(&d->settings, &err) < 0) {
		finding_fail(f, &err);
	} else {
		finding_set(f, DOCTOR_OK, "[%s] in line %d, login_url %s", d->org,
			d->settings.section_line, d->settings.login_url);
	}
}

void doctor_commands(struct doctor *d, struct finding *f)
{
	const struct settings *s = &d->settings;
	struct error err = {0};
	bool any = s->client_secret_command || s->refresh_token_command;
	if (settings_run_commands(&d->settings, &err) < 0) {
		finding_fail(f, &err);
	} else {
		finding_set(f, DOCTOR_OK, "%s",
			any ? "the commands that print secrets work"
			    : "no command is needed for a secret");
	}
}

/* ---- the cache's folder ---- */

/* The nearest folder above that exists. */
static void existing_above(char *path)
{
	struct stat st;
	while (stat(path, &st) < 0 && strlen(path) > 1) {
		char *slash = strrchr(path, '/');
		if (!slash || slash == path) {
			strcpy(path, "/");
			return;
		}
		*slash = '\0';
	}
}

/* Whether a file can really be made there: rights alone do not tell. 0 or an errno. */
static int try_to_write(const char *dir)
{
	char path[PATH_MAX];
	if (snprintf(path, sizeof(path), "%s/.forcefs-doctor-%d", dir, (int)getpid()) >=
		(int)sizeof(path)) {
		return ENAMETOOLONG;
	}
	int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		return errno;
	}
	close(fd);
	unlink(path);
	return 0;
}

static void judge_space(const char *dir, const char *there, int64_t need, struct finding *f)
{
	struct statvfs vfs;
	if (statvfs(there, &vfs) < 0) {
		finding_set(
			f, DOCTOR_WARNING, "%s can be written, how much is free is not known", dir);
		return;
	}
	int64_t left = (int64_t)vfs.f_bavail * (int64_t)vfs.f_frsize;
	if (left < SPACE_LEAST) {
		finding_set(f, DOCTOR_FAILED,
			"only %s are free in %s; make room, or set cache_dir to another folder or "
			"to memory",
			figure_bytes((uint64_t)left).text, dir);
	} else if (left < need) {
		finding_set(f, DOCTOR_WARNING,
			"%s free in %s, less than cache_size (%s); lower cache_size or make room",
			figure_bytes((uint64_t)left).text, dir, figure_bytes((uint64_t)need).text);
	} else {
		finding_set(f, DOCTOR_OK, "%s can be written, %s free", dir,
			figure_bytes((uint64_t)left).text);
	}
}

void doctor_cache_dir(const char *dir, int64_t need, struct finding *f)
{
	char there[PATH_MAX];
	struct stat st;
	snprintf(there, sizeof(there), "%s", dir);
	existing_above(there);
	int errnum = stat(there, &st) == 0 && !S_ISDIR(st.st_mode) ? ENOTDIR : try_to_write(there);
	if (errnum) {
		finding_set(f, DOCTOR_FAILED,
			"%s cannot be written: %s; set cache_dir to a folder of yours, or to "
			"memory",
			there, strerror(errnum));
	} else if (strcmp(there, dir) == 0 && st.st_mode & S_IWOTH) {
		char space[QUOTED_MAX];
		finding_set(f, DOCTOR_FAILED, "everyone can write to %s; run: chmod 700 %s", dir,
			quoted(dir, space));
	} else {
		judge_space(dir, there, need, f);
	}
}

void doctor_cache(struct doctor *d, struct finding *f)
{
	struct error err = {0};
	AUTO_FREE char *dir = NULL;
	if (compose_cache_dir(&d->settings, &dir, &err) < 0) {
		finding_fail(f, &err);
	} else if (!dir) {
		finding_set(f, DOCTOR_OK, "kept in memory: nothing is written");
	} else {
		doctor_cache_dir(dir, d->settings.cache_size_bytes, f);
	}
}
