/* SPDX-License-Identifier: MIT */
/* forcefs demo, umount and why on a real mount of the practice org; skipped without FUSE. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[] = "/tmp/forcefs-test-XXXXXX";

/* Runs a shell line in the test's folder, with $F as the program; both streams in out. */
static int run(const char *line, char *out, size_t size)
{
	char command[2000];
	snprintf(command, sizeof(command), "cd %s && { %s; } 2>&1", base, line);
	FILE *p = popen(command, "r");
	assert_non_null(p);
	size_t n = fread(out, 1, size - 1, p);
	out[n] = '\0';
	int status = pclose(p);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* One line after the other, each with its status and a part of what it prints. */
struct step {
	const char *line;
	int status;
	const char *text; /* NULL: prints nothing */
};

static void walk(const struct step *steps, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char out[16384];
		int status = run(steps[i].line, out, sizeof(out));
		const char *text = steps[i].text;
		if (status != steps[i].status || (text ? !strstr(out, text) : out[0] != '\0')) {
			fail_msg("%s: status %d, %s", steps[i].line, status, out);
		}
	}
}
#define WALK(...)                                                                                  \
	do {                                                                                       \
		static const struct step steps_[] = {__VA_ARGS__};                                 \
		walk(steps_, sizeof(steps_) / sizeof(steps_[0]));                                  \
	} while (0)

/* The pid in status.json, as a shell would find it. */
#define PID "$(sed -n 's/.*\"pid\": \\([0-9]*\\).*/\\1/p' m/.forcefs/status.json)"

static void need_fuse(void)
{
	if (access("/dev/fuse", R_OK | W_OK) < 0 || system("command -v python3 >/dev/null") != 0) {
		skip();
	}
}

static void test_demo__whole_session(void **state)
{
	(void)state;
	need_fuse();
	WALK({"$F demo --records Account=3 m", 0, "A practice org is mounted on"},
		{"ls m/Account | wc -l", 0, "3"},
		{"head -c 9 \"$(ls -d m/Account/* | head -n 1)\"", 0, "\"Id\":"},
		{"$F demo m", 1, "demo is already mounted there"},
		{"$F why m/Account", 0, "Account: nothing failed here"},
		{"$F why --json m", 0, "null"}, {"ls -d tmp/forcefs-demo-*", 0, "forcefs-demo"},
		{"$F umount m/", 0, NULL}, {"$F umount m", 1, "is not a forcefs mount"},
		{"ls tmp", 0, NULL});
}

static void test_umount__says_who_is_in_the_way(void **state)
{
	(void)state;
	need_fuse();
	WALK({"$F demo m >/dev/null", 0, NULL},
		{"cd m && $F umount .", 1, "its working directory: ."},
		{"exec 8<m/.forcefs/status.json; $F umount --json m", 1, "an open file"},
		{"$F umount --json m", 0, "\"unmounted\": true"});
}

static void test_umount__takes_a_dead_mount_away(void **state)
{
	(void)state;
	need_fuse();
	WALK({"$F demo m >/dev/null", 0, NULL},
		{"kill -9 " PID "; sleep 0.2; $F why m", 1, "forcefs umount"},
		{"ln -sfn m link; $F umount link", 0, NULL}, {"ls m", 0, NULL},
		{"rm -r tmp/forcefs-demo-*", 0, NULL});
}

static void test_demo__a_locked_file_of_the_caller_is_let_go(void **state)
{
	(void)state;
	need_fuse();
	WALK({"exec 9>lock; flock -n 9 && $F demo m >/dev/null", 0, NULL},
		{"exec 9>lock; flock -n 9 && echo free", 0, "free"}, {"$F umount m", 0, NULL});
}

static void test_demo__foreground_ends_with_sigint(void **state)
{
	(void)state;
	need_fuse();
	WALK({"$F demo -f m >fg.out 2>&1 & p=$!; for i in $(seq 300); do grep -qs Try fg.out && "
	      "break; sleep 0.1; done; ls m/Account >/dev/null; kill -INT $p; wait $p",
		     0, NULL},
		{"cat fg.out", 0, "was unmounted"}, {"ls m; ls tmp", 0, NULL});
}

static void test_demo__failures_leave_nothing_behind(void **state)
{
	(void)state;
	need_fuse();
	WALK({"$F demo --records Nope=3 new", 1, "no such object: Nope"},
		{"PATH=/nowhere $F demo new", 1, "needs python3"},
		{"FORCEFS_PRACTICE_ORG=/nowhere $F demo new", 1, "no practice org is there"},
		{"ls -d new tmp/*", 2, "No such file"});
}

static int set_up(void **state)
{
	char path[100];
	(void)state;
	if (!mkdtemp(base)) {
		return 1;
	}
	snprintf(path, sizeof(path), "%s/tmp", base);
	setenv("TMPDIR", path, 1);
	unsetenv("XDG_RUNTIME_DIR");
	setenv("F", FORCEFS, 1);
	char out[100];
	return run("mkdir m tmp", out, sizeof(out));
}

static int tear_down(void **state)
{
	char out[4096];
	(void)state;
	run("test -e m/.forcefs && $F umount m", out, sizeof(out)); /* after a failure */
	return run("rm -r --one-file-system $PWD", out, sizeof(out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_demo__whole_session),
		cmocka_unit_test(test_umount__says_who_is_in_the_way),
		cmocka_unit_test(test_umount__takes_a_dead_mount_away),
		cmocka_unit_test(test_demo__a_locked_file_of_the_caller_is_let_go),
		cmocka_unit_test(test_demo__foreground_ends_with_sigint),
		cmocka_unit_test(test_demo__failures_leave_nothing_behind),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
