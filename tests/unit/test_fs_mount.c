/* SPDX-License-Identifier: MIT */
/* Mounts the fake mirror and uses it as programs do. Skipped where FUSE cannot be used. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_mirror.h"
#include "forcefs/base/clock.h"
#include "forcefs/base/log.h"
#include "forcefs/fs/fs.h"

#define RECORDS 300

struct mount {
	struct mirror *mirror;
	struct fake_knobs *knobs;
	struct fs *fs;
	pthread_t thread;
	char dir[64];
	bool running;
};

static struct mount mount;
static bool read_only;
static int timeout_ms;
static size_t body_bytes;

/* ---- making and ending the mount ---- */

static void *serve(void *arg)
{
	(void)arg;
	fs_run(mount.fs, NULL);
	return NULL;
}

static void begin(void)
{
	struct error err = {0};
	if (access("/dev/fuse", R_OK | W_OK) < 0) {
		skip();
	}
	log_set_level(LOG_LEVEL_ERROR);
	mount = (struct mount){0};
	snprintf(mount.dir, sizeof(mount.dir), "/tmp/forcefs-test.XXXXXX");
	assert_non_null(mkdtemp(mount.dir));
	mount.mirror = fake_mirror_new(RECORDS, body_bytes ? body_bytes : 1024, &mount.knobs);
	struct fs_config config = {.source = "acme",
		.mountpoint = mount.dir,
		.read_only = read_only,
		.uid = (uid_t)-1,
		.gid = (gid_t)-1,
		.timeout_ms = timeout_ms ? timeout_ms : 10000,
		.ttl_s = 60};
	if (fs_mount(&config, mount.mirror, &mount.fs, &err) < 0) {
		print_message("cannot mount here: %s\n", err.text);
		fake_mirror_free(mount.mirror);
		rmdir(mount.dir);
		skip();
	}
	assert_int_equal(pthread_create(&mount.thread, NULL, serve, NULL), 0);
	mount.running = true;
}

static void end(void)
{
	kill(getpid(), SIGTERM); /* taken by the mount's own thread */
	pthread_join(mount.thread, NULL);
	fs_unmount(mount.fs);
	fake_mirror_free(mount.mirror);
	assert_int_equal(rmdir(mount.dir), 0);
	mount.running = false;
}

static int setup_rw(void **state)
{
	(void)state;
	read_only = false;
	timeout_ms = 0;
	body_bytes = 0;
	return 0;
}

static int setup_ro(void **state)
{
	setup_rw(state);
	read_only = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (mount.running) {
		mount.knobs->delay_ms = 0;
		end();
	}
	return 0;
}

/* ---- little helpers ---- */

static const char *path(const char *below)
{
	static _Thread_local char buf[256];
	snprintf(buf, sizeof(buf), "%s/%s", mount.dir, below);
	return buf;
}

static const char *record(uint32_t object, uint64_t row)
{
	char id[19], below[64];
	fake_id(object, row, id);
	snprintf(below, sizeof(below), "%s/%s.json", object == 1 ? "Account" : "Contact", id);
	return path(below);
}

/* The whole file; NULL with errno. Free it. */
static char *slurp(const char *file, size_t *ret_len)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return NULL;
	}
	size_t cap = 8u << 20, len = 0;
	char *buf = malloc(cap);
	ssize_t n;
	while ((n = read(fd, buf + len, 65536)) > 0) {
		len += (size_t)n;
		assert_true(len + 65536 < cap);
	}
	int saved = errno;
	close(fd);
	if (n < 0) {
		free(buf);
		errno = saved;
		return NULL;
	}
	buf[len] = '\0';
	*ret_len = len;
	return buf;
}

static unsigned count_entries(const char *dir)
{
	unsigned n = 0;
	DIR *d = opendir(dir);
	assert_non_null(d);
	while (readdir(d)) {
		n++;
	}
	closedir(d);
	return n - 2;
}

static int open_errno(const char *file, int flags)
{
	int fd = open(file, flags | O_CLOEXEC, 0644);
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	return errno;
}

/* ---- tests that hold for both kinds of mount ---- */

static void test_fs_mount__lists_and_reads(void **state)
{
	(void)state;
	begin();
	struct stat st;
	size_t len;
	assert_int_equal(count_entries(mount.dir), 3);
	assert_int_equal(count_entries(path("Account")), RECORDS);
	DIR *d = opendir(path("Account"));
	struct dirent *e;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.') {
			continue;
		}
		assert_int_equal(fstatat(dirfd(d), e->d_name, &st, 0), 0);
		assert_true(st.st_ino == e->d_ino);
		assert_int_equal(st.st_size, 1024);
		assert_int_equal(e->d_type, DT_REG);
	}
	closedir(d);
	char *text = slurp(record(1, 7), &len);
	assert_int_equal(len, 1024);
	assert_int_equal(text[len - 1], '\n');
	free(text);
	assert_int_equal(mount.knobs->asked, 0);
	end();
}

static void test_fs_mount__names(void **state)
{
	(void)state;
	begin();
	mount.knobs->cold_records = true;
	static const char *const impossible[] = {"Account/.git", "Account/001.json",
		"Account/001000000000001AAB.json", "Account/003000000000001AAQ.json",
		"Account/001000000000001AAA", ".git", "No such", "Nosuch"};
	for (size_t i = 0; i < sizeof(impossible) / sizeof(impossible[0]); i++) {
		assert_int_equal(open_errno(path(impossible[i]), O_RDONLY), ENOENT);
	}
	assert_int_equal(mount.knobs->asked, 0);
	struct stat a, b;
	assert_int_equal(stat(path("Account/001000000000001.json"), &a), 0);
	assert_int_equal(stat(record(1, 1), &b), 0);
	assert_true(a.st_ino == b.st_ino);
	end();
}

static void test_fs_mount__change_and_deletion_are_seen(void **state)
{
	(void)state;
	begin();
	size_t len;
	struct stat before, after;
	free(slurp(record(1, 5), &len));
	assert_int_equal(stat(record(1, 5), &before), 0);
	assert_int_equal(count_entries(path("Account")), RECORDS);
	fake_change(mount.mirror, 1, 5);
	fake_delete(mount.mirror, 1, 6);
	usleep(200000);
	char *text = slurp(record(1, 5), &len);
	assert_non_null(strstr(text, "\"Version\": \"2\""));
	free(text);
	assert_int_equal(stat(record(1, 5), &after), 0);
	assert_true(before.st_mtim.tv_sec != after.st_mtim.tv_sec);
	assert_int_equal(open_errno(record(1, 6), O_RDONLY), ENOENT);
	assert_int_equal(count_entries(path("Account")), RECORDS - 1);
	end();
}

static void test_fs_mount__big_file_in_pieces(void **state)
{
	(void)state;
	body_bytes = 3000000;
	begin();
	size_t len;
	char *text = slurp(record(1, 3), &len);
	assert_int_equal(len, body_bytes);
	assert_string_equal(text + len - 4, "\"\n}\n");
	free(text);
	assert_true(mount.knobs->reads < 8); /* not a whole body for each piece */
	end();
}

static void test_fs_mount__refused_listing_says_why(void **state)
{
	(void)state;
	begin();
	DIR *d = opendir(path("Refused"));
	assert_non_null(d);
	errno = 0;
	while (readdir(d)) {
	}
	assert_int_equal(errno, EPERM);
	closedir(d);
	size_t len;
	char *text = slurp(path(".forcefs/errors.ndjson"), &len);
	assert_non_null(strstr(text, "Refused cannot be listed as a whole"));
	free(text);
	char value[2048];
	assert_true(getxattr(path("Refused"), "user.forcefs.error", value, sizeof(value)) > 0);
	end();
}

static void test_fs_mount__xattrs(void **state)
{
	(void)state;
	begin();
	char value[512];
	ssize_t n = getxattr(record(1, 9), "user.forcefs.id", value, sizeof(value));
	assert_int_equal(n, 18);
	assert_int_equal(getxattr(record(1, 9), "user.forcefs.id", NULL, 0), 18);
	assert_int_equal(getxattr(record(1, 9), "user.forcefs.id", value, 3), -1);
	assert_int_equal(errno, ERANGE);
	n = getxattr(record(1, 9), "user.forcefs.modified", value, sizeof(value));
	assert_true(n >= 20 && value[n - 1] == 'Z');
	assert_int_equal(getxattr(record(1, 9), "user.forcefs.error", value, sizeof(value)), -1);
	assert_int_equal(errno, ENODATA);
	assert_int_equal(getxattr(path("Account"), "user.forcefs.type", value, sizeof(value)), 7);
	assert_true(listxattr(record(1, 9), value, sizeof(value)) > 18);
	assert_int_equal(setxattr(record(1, 9), "user.x", "1", 1, 0), -1);
	end();
}

static void test_fs_mount__control_tree(void **state)
{
	(void)state;
	begin();
	static const char *const files[] = {"status.json", "limits.json", "describe/Account.json"};
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char below[64];
		size_t len;
		struct stat st;
		snprintf(below, sizeof(below), ".forcefs/%s", files[i]);
		assert_int_equal(stat(path(below), &st), 0);
		char *text = slurp(path(below), &len);
		assert_non_null(text);
		assert_int_equal(text[0], '{');
		assert_int_equal(text[len - 1], '\n');
		free(text);
	}
	assert_int_equal(count_entries(path(".forcefs")), 6);
	assert_int_equal(count_entries(path(".forcefs/describe")), 3);
	assert_int_equal(count_entries(path(".forcefs/rejected")), 0);
	struct statvfs vfs;
	assert_int_equal(statvfs(mount.dir, &vfs), 0);
	assert_int_equal(vfs.f_blocks, 1024);
	assert_int_equal(vfs.f_bavail, 1000);
	end();
}

static void test_fs_mount__deadline_then_healed(void **state)
{
	(void)state;
	timeout_ms = 300;
	begin();
	mount.knobs->cold_records = true;
	mount.knobs->delay_ms = -1;
	int64_t start_ms = clock_mono_ms();
	assert_int_equal(open_errno(record(1, 11), O_RDONLY), ETIMEDOUT);
	assert_true(clock_mono_ms() - start_ms < 3000);
	size_t len;
	char *text = slurp(path(".forcefs/errors.ndjson"), &len);
	assert_non_null(strstr(text, "\"errno\": \"ETIMEDOUT\""));
	free(text);
	mount.knobs->delay_ms = 0;
	char value[512];
	assert_int_equal(getxattr(record(1, 11), "user.forcefs.error", value, sizeof(value)), -1);
	assert_int_equal(errno, ENODATA);
	end();
}

static void test_fs_mount__interrupt_ends_a_wait(void **state)
{
	(void)state;
	begin();
	mount.knobs->cold_records = true;
	mount.knobs->delay_ms = -1;
	const char *file = record(1, 12);
	pid_t pid = fork();
	if (pid == 0) {
		signal(SIGINT, SIG_DFL);
		sigset_t none;
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		open(file, O_RDONLY);
		_exit(0);
	}
	while (mount.knobs->waiting == 0) {
		usleep(1000);
	}
	int64_t start_ms = clock_mono_ms();
	int status;
	kill(pid, SIGINT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_true(clock_mono_ms() - start_ms < 1000);
	while (mount.knobs->waiting > 0) { /* and the org's question was given up too */
		assert_true(clock_mono_ms() - start_ms < 2000);
		usleep(1000);
	}
	end();
}

static void *stat_one(void *arg)
{
	struct stat st;
	return (void *)(intptr_t)(stat(record(1, (uint64_t)(uintptr_t)arg), &st) < 0 ? errno : 0);
}

#define MANY 60

static void start_many(pthread_t threads[MANY])
{
	for (uintptr_t i = 0; i < MANY; i++) {
		assert_int_equal(pthread_create(&threads[i], NULL, stat_one, (void *)(i + 20)), 0);
	}
}

/* Joins them; how many had this outcome. */
static int join_many(pthread_t threads[MANY], int wanted)
{
	int n = 0;
	for (int i = 0; i < MANY; i++) {
		void *ret;
		pthread_join(threads[i], &ret);
		n += (intptr_t)ret == wanted;
	}
	return n;
}

static void test_fs_mount__lookups_wait_side_by_side(void **state)
{
	(void)state;
	begin();
	pthread_t threads[MANY];
	mount.knobs->cold_records = true;
	mount.knobs->delay_ms = 300;
	int64_t start_ms = clock_mono_ms();
	start_many(threads);
	while (mount.knobs->waiting < MANY / 2) { /* more than libfuse has workers */
		assert_true(clock_mono_ms() - start_ms < 5000);
		usleep(1000);
	}
	struct stat st;
	int64_t now_ms = clock_mono_ms();
	assert_int_equal(stat(path("Contact"), &st), 0);
	assert_true(clock_mono_ms() - now_ms < 200);
	assert_int_equal(join_many(threads, 0), MANY);
	assert_true(clock_mono_ms() - start_ms < MANY * 300 / 3);
	end();
}

static void test_fs_mount__ends_at_once_with_many_parked(void **state)
{
	(void)state;
	begin();
	pthread_t threads[MANY];
	mount.knobs->cold_records = true;
	mount.knobs->delay_ms = -1;
	start_many(threads);
	while (mount.knobs->waiting < MANY / 2) {
		usleep(1000);
	}
	int64_t start_ms = clock_mono_ms();
	end();
	assert_true(clock_mono_ms() - start_ms < 2000);
	assert_true(join_many(threads, EINTR) > 0);
}

static void test_fs_mount__second_mount_is_refused(void **state)
{
	(void)state;
	begin();
	struct fs *fs;
	struct error err = {0};
	struct fs_config config = {.source = "acme", .mountpoint = mount.dir, .timeout_ms = 1000};
	assert_int_equal(fs_mount(&config, mount.mirror, &fs, &err), -EBUSY);
	assert_non_null(strstr(err.text, "forcefs umount"));
	config.mountpoint = "/tmp/forcefs-is-not-there";
	assert_int_equal(fs_mount(&config, mount.mirror, &fs, &err), -ENOENT);
	config.mountpoint = "/dev/null";
	assert_int_equal(fs_mount(&config, mount.mirror, &fs, &err), -ENOTDIR);
	end();
}

/* ---- writing ---- */

static void write_text(const char *to, int flags, const char *text)
{
	int fd = open(to, O_WRONLY | flags, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

static void test_fs_mount__what_may_not_be_written_is_refused(void **state)
{
	(void)state;
	begin();
	assert_int_equal(open_errno(record(2, 1), O_WRONLY), EACCES);
	assert_int_equal(
		open_errno(path("Account/001000000000000AAA.json"), O_WRONLY | O_CREAT), EPERM);
	assert_int_equal(mkdir(path("X"), 0755), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(unlink(record(1, 1)), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(open_errno(path("x"), O_WRONLY | O_CREAT), EPERM);
	assert_int_equal(mount.knobs->saves, 0);
	end();
}

static void test_fs_mount__closing_saves_once(void **state)
{
	(void)state;
	begin();
	write_text(record(1, 1), O_TRUNC, "{\"Name\": \"a\"}");
	assert_int_equal(mount.knobs->saves, 1);
	assert_string_equal(mount.knobs->saved, "{\"Name\": \"a\"}");
	size_t len;
	char *text = slurp(record(1, 1), &len); /* the org's truth: the fake changes nothing */
	assert_int_equal(len, 1024);
	free(text);
	int fd = open(record(1, 1), O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(mount.knobs->saves, 1);
	end();
}

static void test_fs_mount__a_refused_save_is_an_error_of_close_and_fsync(void **state)
{
	(void)state;
	begin();
	mount.knobs->refuse_saves = true;
	int fd = open(record(1, 1), O_WRONLY | O_TRUNC);
	assert_int_equal(write(fd, "{}", 2), 2);
	assert_int_equal(fsync(fd), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(close(fd), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(mount.knobs->saves, 1);
	size_t len;
	char *text = slurp(record(1, 1), &len);
	assert_int_equal(len, 1024);
	free(text);
	end();
}

static void test_fs_mount__scratch_files_are_local(void **state)
{
	(void)state;
	struct stat st;
	begin();
	write_text(path("Account/.x.swp"), O_CREAT | O_EXCL, "swap");
	assert_int_equal(stat(path("Account/.x.swp"), &st), 0);
	assert_int_equal(st.st_size, 4);
	char *to = strdup(path("Account/y~"));
	assert_int_equal(rename(path("Account/.x.swp"), to), 0);
	free(to);
	size_t len;
	char *text = slurp(path("Account/y~"), &len);
	assert_int_equal(len, 4);
	free(text);
	assert_int_equal(symlink("me@host.1", path("Account/.#x")), 0);
	assert_int_equal(unlink(path("Account/.#x")), 0);
	assert_int_equal(unlink(path("Account/y~")), 0);
	assert_int_equal(stat(path("Account/y~"), &st), -1);
	assert_int_equal(mount.knobs->saves, 0);
	end();
}

static void test_fs_mount__renaming_over_a_record_saves(void **state)
{
	(void)state;
	begin();
	write_text(path("Account/t"), O_CREAT, "{\"Name\": \"b\"}");
	char *to = strdup(record(1, 1));
	assert_int_equal(rename(path("Account/t"), to), 0);
	assert_int_equal(mount.knobs->saves, 1);
	size_t len;
	char *text = slurp(to, &len);
	assert_int_equal(len, 1024);
	free(text);
	free(to);
	end();
}

static void test_fs_mount__a_record_moved_away_comes_back(void **state)
{
	(void)state;
	struct stat st;
	begin();
	char *from = strdup(record(1, 1));
	assert_int_equal(rename(from, path("Account/backup~")), 0);
	assert_int_equal(stat(from, &st), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(rename(path("Account/backup~"), from), 0);
	assert_int_equal(stat(from, &st), 0);
	assert_int_equal(st.st_size, 1024);
	free(from);
	end();
}

static void test_fs_mount__read_only_is_the_kernels_word(void **state)
{
	(void)state;
	begin();
	struct stat st;
	assert_int_equal(open_errno(record(1, 1), O_WRONLY), EROFS);
	assert_int_equal(stat(record(1, 1), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(stat(path("Account"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0555);
	end();
}

#define BOTH(test)                                                                                 \
	cmocka_unit_test_setup_teardown(test, setup_rw, teardown),                                 \
		cmocka_unit_test_setup_teardown(test, setup_ro, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(test_fs_mount__lists_and_reads),
		BOTH(test_fs_mount__names),
		BOTH(test_fs_mount__change_and_deletion_are_seen),
		BOTH(test_fs_mount__big_file_in_pieces),
		BOTH(test_fs_mount__refused_listing_says_why),
		BOTH(test_fs_mount__xattrs),
		BOTH(test_fs_mount__control_tree),
		BOTH(test_fs_mount__deadline_then_healed),
		BOTH(test_fs_mount__interrupt_ends_a_wait),
		BOTH(test_fs_mount__lookups_wait_side_by_side),
		BOTH(test_fs_mount__ends_at_once_with_many_parked),
		BOTH(test_fs_mount__second_mount_is_refused),
		cmocka_unit_test_setup_teardown(
			test_fs_mount__what_may_not_be_written_is_refused, setup_rw, teardown),
		cmocka_unit_test_setup_teardown(
			test_fs_mount__closing_saves_once, setup_rw, teardown),
		cmocka_unit_test_setup_teardown(
			test_fs_mount__a_refused_save_is_an_error_of_close_and_fsync, setup_rw,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_fs_mount__scratch_files_are_local, setup_rw, teardown),
		cmocka_unit_test_setup_teardown(
			test_fs_mount__renaming_over_a_record_saves, setup_rw, teardown),
		cmocka_unit_test_setup_teardown(
			test_fs_mount__a_record_moved_away_comes_back, setup_rw, teardown),
		cmocka_unit_test_setup_teardown(
			test_fs_mount__read_only_is_the_kernels_word, setup_ro, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
