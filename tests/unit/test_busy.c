/* SPDX-License-Identifier: MIT */
/* Who holds a directory: a child does, in several ways. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "busy.h"

enum hold { HOLD_NOTHING, HOLD_CWD, HOLD_FILE, HOLD_MAP };

static void hold(enum hold how, const char *dir)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/file", dir);
	if (how == HOLD_CWD && chdir(dir) < 0) {
		_exit(1);
	}
	if (how == HOLD_FILE || how == HOLD_MAP) {
		int fd = open(path, O_RDWR | O_CREAT, 0600);
		if (fd < 0 || write(fd, "x", 1) != 1) {
			_exit(1);
		}
		if (how == HOLD_MAP) {
			mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0);
			close(fd);
		}
	}
}

/* What busy_find says of a child that holds dir. Gives the count. */
static size_t with_child(enum hold how, const char *dir, struct busy *ret, pid_t *ret_pid)
{
	int ready[2];
	char c;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		hold(how, dir);
		if (write(ready[1], "r", 1) == 1) {
			pause();
		}
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	size_t n = busy_find(dir, ret, 1);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	*ret_pid = pid;
	return n;
}

static void test_busy__names_the_process_and_what_it_holds(void **state)
{
	static const struct {
		enum hold how;
		const char *holds, *path;
	} cases[] = {{HOLD_CWD, "its working directory", "."}, {HOLD_FILE, "an open file", "file"},
		{HOLD_MAP, "a mapped file", "file"}};
	char dir[] = "/tmp/forcefs-test-XXXXXX", path[100];
	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct busy b;
		pid_t pid;
		assert_int_equal(with_child(cases[i].how, dir, &b, &pid), 1);
		assert_int_equal(b.pid, pid);
		assert_string_equal(b.holds, cases[i].holds);
		assert_string_equal(b.path, cases[i].path);
		assert_string_equal(b.command, "test_busy");
		assert_true(b.user[0] != '\0');
	}
	struct busy b;
	pid_t pid;
	assert_int_equal(with_child(HOLD_NOTHING, dir, &b, &pid), 0);
	snprintf(path, sizeof(path), "%s/file", dir);
	unlink(path);
	rmdir(dir);
}

/* A neighbour whose name only begins alike is not meant. */
static void test_busy__whole_names_only(void **state)
{
	char dir[] = "/tmp/forcefs-test-XXXXXX", shorter[sizeof(dir)];
	struct busy b;
	pid_t pid;
	(void)state;
	assert_non_null(mkdtemp(dir));
	memcpy(shorter, dir, sizeof(dir));
	shorter[sizeof(dir) - 2] = '\0';
	assert_int_equal(with_child(HOLD_CWD, dir, &b, &pid), 1);
	int ready[2];
	char c;
	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		hold(HOLD_CWD, dir);
		if (write(ready[1], "r", 1) == 1) {
			pause();
		}
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(busy_find(shorter, &b, 1), 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(ready[0]);
	close(ready[1]);
	rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_busy__names_the_process_and_what_it_holds),
		cmocka_unit_test(test_busy__whole_names_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
