/* SPDX-License-Identifier: MIT */
/* The built program, where no mount is needed: exit status, and which stream says what. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char base[] = "/tmp/forcefs-test-XXXXXX";

/* Runs a shell line with $F as the program in the test's folder; both streams in out. */
static int run(const char *line, char *out, size_t size)
{
	char command[2000];
	snprintf(command, sizeof(command), "cd %s && ( %s ) 2>&1", base, line);
	FILE *p = popen(command, "r");
	assert_non_null(p);
	size_t n = fread(out, 1, size - 1, p);
	out[n] = '\0';
	int status = pclose(p);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_commands__status_and_text(void **state)
{
	static const struct {
		const char *line;
		int status;
		const char *text;
	} cases[] = {
		{"$F --version 2>/dev/null", 0, "forcefs 0."},
		{"$F --help 2>/dev/null", 0, "Usage: forcefs COMMAND"},
		{"$F help 2>/dev/null", 0, "umount"},
		{"$F help mount 2>/dev/null", 0, "api_reserve=SHARE"},
		{"$F mount --help 2>/dev/null", 0, "Usage: forcefs mount"},
		{"$F demo -h 2>/dev/null", 0, "--latency-ms"},
		{"$F --version >/dev/full", 1, "writing to standard output: No space left"},
		{"$F why --json . >/dev/full", 1, "writing to standard output"},
		{"$F help nothing", 2, "no command \"nothing\""},
		{"$F 2>&1 >/dev/null", 2, "forcefs: which command?"},
		{"$F moutn", 2, "did you mean mount?"},
		{"$F login", 2, "give one org"},
		{"$F login -o ttl=soon acme", 2, "-o ttl: \"soon\""},
		{"$F login -o redirect_uri=https://x.example/ acme", 1, "--paste"},
		{"$F logout a b", 2, "give one org"},
		{"$F mount acme", 2, "give the org and the directory"},
		{"$F mount a b c", 2, "give the org and the directory"},
		{"$F mount -z a b", 2, "no option -z"},
		{"$F mount a b -o", 2, "-o needs a value"},
		{"$F mount a b -o alow_other", 2, "did you mean allow_other?"},
		{"$F mount -o ttl=soon acme .", 2, "forcefs: mount: -o ttl: \"soon\""},
		{"$F mount acme nowhere", 1, "does not exist; mkdir"},
		{"$F mount acme 'no where'", 1, "no where does not exist; mkdir '/"},
		{"$F mount acme ''", 1, "mount: an empty path: No such file"},
		{"$F demo ''", 1, "demo: an empty path: No such file"},
		{"$F mount acme f.ini", 1, "is not a directory"},
		{"$F mount other .", 1, "f.ini has no org \"other\"; it has: acme"},
		{"FORCEFS_CONFIG=bad.ini $F mount acme .", 1,
			"forcefs: mount: bad.ini:2: there is no setting \"x\""},
		{"mkdir -p loop; ln -sfn .config loop/.config; env -u XDG_CONFIG_HOME "
		 "HOME=$PWD/loop "
		 "FORCEFS_CONFIG= $F mount acme .",
			1, "cannot be looked at: Too many"},
		{"touch home; env -u XDG_STATE_HOME HOME=$PWD/home $F logout acme", 1,
			"(XDG_STATE_HOME may name another place): making the folder"},
		{"FORCEFS_CONFIG=nothing $F mount acme .", 1, "$FORCEFS_CONFIG names nothing"},
		{"FORCEFS_CONFIG=open.ini $F mount acme .", 1, "chmod 600 open.ini"},
		{"FORCEFS_CONFIG=bare.ini $F mount acme .", 1,
			"bare.ini:1: the org \"acme\" has no "
			"client_id"},
		{"ln -sf \"$F\" mount.forcefs; ./mount.forcefs acme nowhere -o rw,nosuid", 1,
			"nowhere does not exist"},
		{"POSIXLY_CORRECT=1 ./mount.forcefs acme nowhere -o rw", 1,
			"nowhere does not exist"},
		{"./mount.forcefs acme nowhere -o rw,nosymfollow", 1, "nowhere does not exist"},
		{"./mount.forcefs acme nowhere -o remount,ro", 2, "unmount it, and mount it again"},
		{"./mount.forcefs acme nowhere -s -o rw,quux", 1, "nowhere does not exist"},
		{"$F umount", 2, "give one directory"},
		{"$F umount --quux .", 2, "no such option"},
		{"$F umount .", 1, "is not a forcefs mount"},
		{"$F umount --json . 2>/dev/null", 1, "\"unmounted\": false"},
		{"$F why .", 1, "does not lie in a forcefs mount"},
		{"$F why --json . 2>/dev/null", 1, "\"error\": \""},
		{"$F status --json ./ 2>/dev/null", 1, "\"error\": \""},
		{"$F umount --json \"$(printf 'b\\377d')\" 2>/dev/null", 1, "b\uFFFDd\""},
		{"$F login --json \"$(printf 'b\\377d')\" 2>/dev/null", 1, "b\uFFFDd\""},
		{"$F logout --json \"$(printf 'b\\377d')\" 2>/dev/null", 1, "b\uFFFDd\""},
		{"$F why a b", 2, "give one path"},
		{"$F demo", 2, "give one directory"},
		{"$F demo --records Account x", 2, "OBJECT=N"},
		{"$F demo --records Account=many x", 2, "OBJECT=N"},
		{"$F demo --latency-ms soon x", 2, "number of milliseconds"},
		{"$F demo -o quux x", 2, "no option \"quux\""},
		{"FORCEFS_PRACTICE_ORG=/nowhere TMPDIR=. $F demo f.ini", 1, "is not a directory"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char out[16384];
		int status = run(cases[i].line, out, sizeof(out));
		if (status != cases[i].status || !strstr(out, cases[i].text)) {
			fail_msg("%s: status %d, %s", cases[i].line, status, out);
		}
	}
}

/* In characters, not bytes. */
static size_t width(const char *line, size_t len)
{
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		n += (line[i] & 0xc0) != 0x80;
	}
	return n;
}

static void test_commands__help_fits_80_columns(void **state)
{
	static const char *const lines[] = {"$F help", "$F help mount", "$F help umount",
		"$F help why", "$F help demo", "$F help help"};
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char out[16384];
		assert_int_equal(run(lines[i], out, sizeof(out)), 0);
		for (const char *p = out; *p;) {
			size_t len = strcspn(p, "\n");
			if (width(p, len) > 80 || (len > 0 && p[len - 1] == ' ')) {
				fail_msg("%s: %.*s", lines[i], (int)len, p);
			}
			p += len + (p[len] == '\n');
		}
	}
}

static void write_file(const char *name, mode_t mode, const char *text)
{
	char path[200];
	snprintf(path, sizeof(path), "%s/%s", base, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(chmod(path, mode), 0);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(base)) {
		return 1;
	}
	write_file("f.ini", 0600, "[acme]\nlogin_url = https://127.0.0.1:9\nclient_id = x\n");
	write_file("bad.ini", 0600, "[acme]\nx = 1\n");
	write_file("open.ini", 0644, "[acme]\nclient_id = x\nclient_secret = y\n");
	write_file("bare.ini", 0600, "[acme]\n");
	setenv("F", FORCEFS, 1);
	setenv("FORCEFS_CONFIG", "f.ini", 1);
	return 0;
}

static int tear_down(void **state)
{
	char command[100];
	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", base);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commands__status_and_text),
		cmocka_unit_test(test_commands__help_fits_80_columns),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
