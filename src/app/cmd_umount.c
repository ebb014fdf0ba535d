/* SPDX-License-Identifier: MIT */
/* forcefs umount: takes a mount away, or says who is using it. */
#include "command.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "busy.h"
#include "forcefs/base/spawn.h"
#include "mounts.h"
#include "report.h"
#include "report_json.h"
#include "special.h"

#define DOING        "umount"
#define STATUS_MS    3000
#define STATUS_BYTES (4u << 20)
#define HELPER_MS    30000
#define PASSING_MS   1000
#define SAVES_MS     120000
#define AGAIN_MS     50
#define DAEMON_MS    10000
#define BUSY_MAX     10

struct target {
	struct mounts mounts;
	const struct mount_entry *mount; /* in mounts */
	char *dir;
	bool dead; /* its process is gone */
	bool as_json;
	pid_t pid;  /* of that process, 0: not known */
	int pid_fd; /* -1: none */
	struct busy busy[BUSY_MAX];
	size_t busy_count;
};

static void target_release(struct target *t)
{
	mounts_release(&t->mounts);
	free(t->dir);
	if (t->pid_fd >= 0) {
		close(t->pid_fd);
	}
}
DEFINE_CLEANER(target, struct target, target_release)

/* ---- what is to be unmounted ---- */

static int find_target(struct target *t, const char *path, struct error *err)
{
	int r = mounts_load(&t->mounts, err);
	if (r == 0) {
		r = mounts_resolve(&t->mounts, path, &t->dir, err);
	}
	if (r < 0) {
		return r;
	}
	t->mount = mounts_at(&t->mounts, t->dir);
	if (mount_is_ours(t->mount)) {
		return 0;
	}
	const struct mount_entry *above = mounts_above(&t->mounts, t->dir);
	return error_set(err, EINVAL, "%s is not a forcefs mount%s%s", t->dir,
		above ? "; it lies in the one on " : "", above ? above->dir : "");
}

static void find_process(struct target *t)
{
	AUTO(buf) struct buf text;
	buf_init(&text, STATUS_BYTES);
	struct error err = {0};
	int r = special_read(t->mount, "status.json", STATUS_MS, &text, &err);
	t->dead = r == -ENOTCONN;
	if (r == -ETIMEDOUT) {
		report(DOING, "%s; going on without waiting for its process", err.text);
	}
	if (r < 0) {
		return;
	}
	json_t *status = json_loadb(buf_str(&text), text.len, 0, NULL);
	t->pid = (pid_t)json_integer_value(json_object_get(status, "pid"));
	json_decref(status);
#ifdef SYS_pidfd_open
	t->pid_fd = t->pid > 1 ? (int)syscall(SYS_pidfd_open, t->pid, 0) : -1;
#endif
}

/* ---- unmounting ---- */

static int run_helper(void *payload)
{
	const struct target *t = payload;
	setenv("LC_ALL", "C", 1);
	execlp("fusermount3", "fusermount3", t->dead ? "-uz" : "-u", "--", t->dir, (char *)NULL);
	return 127;
}

static int ask_helper(struct target *t, struct error *err)
{
	AUTO(spawn_result) struct spawn_result result = {0};
	const struct spawn s = {
		.run = run_helper, .payload = t, .timeout_ms = HELPER_MS, .limit_bytes = 4096};
	int r = spawn_run(&s, &result, err);
	if (r < 0 || spawn_succeeded(&result)) {
		return r;
	}
	if (WIFEXITED(result.status) && WEXITSTATUS(result.status) == 127) {
		return error_set(err, ENOENT, "fusermount3 is not installed; install fuse3");
	}
	bool busy = strstr(result.complaint, "busy") != NULL;
	return error_set(err, busy ? EBUSY : EPERM, "%s",
		result.complaint[0] ? result.complaint : "fusermount3 failed");
}

/* A dead mount is of no use to those who still hold it: it goes whoever they are. */
static int unmount(struct target *t, struct error *err)
{
	if (chdir("/") < 0) { /* else this process could be in its own way */
		return error_errno(err, errno, "/");
	}
	if (geteuid() != 0 && t->mount->uid != geteuid()) {
		return error_set(err, EPERM,
			"%s was mounted by another user (number %u); that user or root can take it "
			"away",
			t->dir, t->mount->uid);
	}
	if (geteuid() != 0) {
		return ask_helper(t, err);
	}
	if (umount2(t->dir, UMOUNT_NOFOLLOW | (t->dead ? MNT_DETACH : 0)) == 0) {
		return 0;
	}
	return error_errno(err, errno, "unmounting %s", t->dir);
}

static bool is_saving(const struct target *t)
{
	AUTO(buf) struct buf text;
	buf_init(&text, STATUS_BYTES);
	if (special_read(t->mount, "status.json", STATUS_MS, &text, NULL) < 0) {
		return false;
	}
	json_t *status = json_loadb(buf_str(&text), text.len, 0, NULL);
	json_t *saves = json_object_get(status, "saves");
	bool saving = json_integer_value(json_object_get(saves, "in_progress")) > 0;
	json_decref(status);
	return saving;
}

/* Saves in progress hold their files open; they end first. So do programs that only pass by. */
static int unmount_patiently(struct target *t, struct error *err)
{
	int64_t begun_ms = clock_mono_ms();
	for (;;) {
		int r = unmount(t, err);
		int64_t waited_ms = clock_mono_ms() - begun_ms;
		if (r != -EBUSY || waited_ms > SAVES_MS ||
			(waited_ms > PASSING_MS && !is_saving(t))) {
			return r;
		}
		*err = (struct error){0};
		poll(NULL, 0, AGAIN_MS);
	}
}

/* Somebody else may have been quicker. */
static bool is_gone(const struct target *t)
{
	AUTO(mounts) struct mounts now = {0};
	return mounts_load(&now, NULL) == 0 && !mount_is_ours(mounts_at(&now, t->dir));
}

/* True if the process behind the mount is gone, or not known. */
static bool wait_for_process(const struct target *t)
{
	struct pollfd p = {.fd = t->pid_fd, .events = POLLIN};
	return t->pid_fd < 0 || poll(&p, 1, DAEMON_MS) > 0;
}

/* ---- telling ---- */

static void print_json(const struct target *t, bool unmounted, const char *text)
{
	json_t *users = json_array();
	for (size_t i = 0; i < t->busy_count && i < BUSY_MAX; i++) {
		const struct busy *b = &t->busy[i];
		json_array_append_new(
			users, json_pack("{s:i, s:o, s:o, s:s, s:o}", "pid", (int)b->pid, "user",
				       report_json(b->user), "command", report_json(b->command),
				       "holds", b->holds, "path", report_json(b->path)));
	}
	json_t *answer =
		json_pack("{s:o, s:b, s:o, s:o}", "directory", report_json(t->dir ? t->dir : ""),
			"unmounted", unmounted, "error", report_json(text), "used_by", users);
	json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(answer);
}

static int fail(struct target *t, const struct error *err)
{
	if (t->as_json) {
		print_json(t, false, err->text);
	}
	return report_error(DOING, err);
}

static void report_users(const struct target *t)
{
	for (size_t i = 0; i < t->busy_count && i < BUSY_MAX; i++) {
		const struct busy *b = &t->busy[i];
		fprintf(stderr, "  pid %-8d %-12s %-16s %s: %s\n", (int)b->pid, b->user, b->command,
			b->holds, b->path);
	}
	if (t->busy_count > BUSY_MAX) {
		fprintf(stderr, "  and %zu more\n", t->busy_count - BUSY_MAX);
	}
}

static int fail_busy(struct target *t)
{
	AUTO(mounts) struct mounts m = {0};
	struct error err = {0};
	t->busy_count = busy_find(t->dir, t->busy, BUSY_MAX);
	const struct mount_entry *inner =
		mounts_load(&m, NULL) == 0 ? mounts_below(&m, t->dir) : NULL;
	if (inner) {
		error_set(&err, EBUSY, "%s is in use: something is mounted on %s", t->dir,
			inner->dir);
	} else if (t->busy_count) {
		error_set(&err, EBUSY,
			"%s is in use by the processes below; leave the directory or "
			"end them, then try again",
			t->dir);
	} else {
		error_set(&err, EBUSY, "%s is in use%s", t->dir,
			geteuid() ? ", perhaps by another user's process; as root this command "
				    "shows whose"
				  : "; wait a moment and try again");
	}
	fail(t, &err);
	report_users(t);
	return EXIT_FAILED;
}

/* ---- the whole ---- */

static int umount_target(struct target *t, const char *path)
{
	struct error err = {0};
	if (find_target(t, path, &err) < 0) {
		return fail(t, &err);
	}
	find_process(t);
	int r = unmount_patiently(t, &err);
	if (r == -EBUSY) {
		return fail_busy(t);
	}
	if (r < 0 && !is_gone(t)) {
		return fail(t, &err);
	}
	if (!wait_for_process(t)) {
		error_set(&err, EBUSY,
			"%s is unmounted, but process %d has not ended within %d seconds", t->dir,
			(int)t->pid, DAEMON_MS / 1000);
		return fail(t, &err);
	}
	if (t->as_json) {
		print_json(t, true, "");
	}
	return EXIT_FINE;
}

int cmd_umount(int argc, char **argv)
{
	AUTO(target) struct target t = {.pid_fd = -1};
	const char *operand;
	int r = command_operand(
		argc, argv, DOING, "give one directory: forcefs umount DIR", &t.as_json, &operand);
	if (r != EXIT_FINE) {
		return r;
	}
	return umount_target(&t, operand);
}
