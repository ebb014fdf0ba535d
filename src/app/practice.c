/* SPDX-License-Identifier: MIT */
/* Starts python3 on the practice org's folder and reads the one line that says where it listens. */
#include "practice.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/clock.h"
#include "forcefs/base/log.h"
#include "forcefs/base/paths.h"
#include "forcefs/base/spawn.h"

#define START_MS       30000
#define LINE_MAX_LEN   16384
#define STOP_MS        3000
#define STOP_STEP_MS   20
#define EXIT_NO_PYTHON 127

/* ---- where it lies ---- */

static bool is_there(const char *dir)
{
	AUTO_FREE char *start = dir ? paths_join(dir, "__main__.py") : NULL;
	return start && access(start, R_OK) == 0;
}

/* <bindir>/../share/forcefs/practice_org; new string or NULL. */
static char *installed_dir(void)
{
	char exe[PATH_MAX], *path;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	if (n <= 0) {
		return NULL;
	}
	exe[n] = '\0';
	char *slash = strrchr(exe, '/');
	if (!slash) {
		return NULL;
	}
	*slash = '\0';
	return asprintf(&path, "%s/../share/forcefs/practice_org", exe) < 0 ? NULL : path;
}

int practice_find(char **ret, struct error *err)
{
	const char *named = getenv("FORCEFS_PRACTICE_ORG");
	if (named && *named && !is_there(named)) {
		return error_set(err, ENOENT,
			"$FORCEFS_PRACTICE_ORG names %s, and no practice org "
			"is there",
			named);
	}
	AUTO_FREE char *installed = installed_dir();
	const char *dir = named && *named       ? named
			  : is_there(installed) ? installed
						: FORCEFS_PRACTICE_ORG_DIR;
	if (!is_there(dir)) {
		return error_set(err, ENOENT,
			"the practice org is not installed: looked in %s and %s; "
			"$FORCEFS_PRACTICE_ORG may name its folder",
			installed ? installed : "../share/forcefs", dir);
	}
	*ret = realpath(dir, NULL); /* the child runs elsewhere */
	return *ret ? 0 : error_errno(err, errno, "%s", dir);
}

/* ---- starting ---- */

/* In the child: never returns. */
static void run_python(const struct practice *p, const char *dir, int in, int out)
{
	const char *argv[PRACTICE_ARGS_MAX + 8] = {
		"python3", "-B", dir, "--port", "0", "--until-eof"};
	memcpy(&argv[6], p->args, p->arg_count * sizeof(*argv));
	int log = open(p->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	setsid(); /* Ctrl-C is for the mount, which ends this in its own time */
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || log < 0 ||
		dup2(log, STDERR_FILENO) < 0) {
		_exit(126);
	}
	spawn_hide_files();
	execvp("python3", (char *const *)argv);
	_exit(EXIT_NO_PYTHON);
}

/* Starts it; *ret_out is the reading end of its stdout. */
static int start_child(struct practice *p, const char *dir, int *ret_out, struct error *err)
{
	int in[2], out[2];
	if (pipe2(in, O_CLOEXEC) < 0) {
		return error_errno(err, errno, "making a pipe");
	}
	if (pipe2(out, O_CLOEXEC) < 0) {
		int errnum = errno;
		close(in[0]);
		close(in[1]);
		return error_errno(err, errnum, "making a pipe");
	}
	pid_t pid = fork();
	if (pid == 0) {
		run_python(p, dir, in[0], out[1]);
	}
	int errnum = errno;
	close(in[0]);
	close(out[1]);
	if (pid < 0) {
		close(in[1]);
		close(out[0]);
		return error_errno(err, errnum, "starting the practice org");
	}
	p->pid = pid;
	p->stdin_fd = in[1];
	*ret_out = out[0];
	return 0;
}

/* Reads up to a newline; 0, -EPIPE at the end of the file, -ETIMEDOUT. */
static int read_line(int fd, struct buf *line)
{
	int64_t deadline_ms = clock_mono_ms() + START_MS;
	while (!line->len || line->data[line->len - 1] != '\n') {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline_ms - clock_mono_ms();
		if (left <= 0) {
			return -ETIMEDOUT;
		}
		char c;
		if (poll(&p, 1, (int)left) > 0) {
			ssize_t n = read(fd, &c, 1);
			if (n == 0) {
				return -EPIPE;
			}
			if (n == 1 && buf_add_char(line, c) < 0) {
				return -EPROTO;
			}
		}
	}
	return 0;
}

/* The last line it wrote to stderr, control characters escaped. */
static void last_complaint(const struct practice *p, char *dst, size_t size)
{
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	*dst = '\0';
	if (paths_read_file(p->log, 1 << 20, &text, &len, NULL) < 0 || !text) {
		return;
	}
	while (len > 0 && text[len - 1] == '\n') {
		text[--len] = '\0';
	}
	const char *newline = strrchr(text, '\n');
	log_escape(dst, size, newline ? newline + 1 : text);
}

static int judge_failure(struct practice *p, int r, struct error *err)
{
	char complaint[256];
	int status = 0;
	if (r == -ETIMEDOUT) {
		return error_set(err, ETIMEDOUT, "the practice org did not start within %d seconds",
			START_MS / 1000);
	}
	last_complaint(p, complaint, sizeof(complaint));
	waitpid(p->pid, &status, 0);
	p->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_PYTHON) {
		return error_set(err, ENOENT,
			"the practice org needs python3, which is not installed; on Debian and "
			"Ubuntu: sudo apt install python3, on Fedora: sudo dnf install python3");
	}
	return error_set(
		err, EIO, "the practice org did not start%s%s", *complaint ? ": " : "", complaint);
}

static char *member(const json_t *hello, const char *name)
{
	const char *value = json_string_value(json_object_get(hello, name));
	return value ? strdup(value) : NULL;
}

static int take_hello(struct practice *p, const struct buf *line, struct error *err)
{
	json_t *hello = json_loadb(buf_str(line), line->len, 0, NULL);
	p->url = member(hello, "url");
	p->client_id = member(hello, "client_id");
	p->client_secret = member(hello, "client_secret");
	p->refresh_token = member(hello, "refresh_token");
	json_decref(hello);
	if (!p->url || !p->client_id || !p->refresh_token) {
		return error_set(err, EPROTO,
			"the practice org did not say where it listens; is it of the same "
			"version?");
	}
	return 0;
}

int practice_start(struct practice *p, struct error *err)
{
	AUTO_FREE char *dir = NULL;
	AUTO_CLOSE int out = -1;
	AUTO(buf) struct buf line;
	buf_init(&line, LINE_MAX_LEN);
	int r = practice_find(&dir, err);
	if (r == 0) {
		r = start_child(p, dir, &out, err);
	}
	if (r < 0) {
		return r;
	}
	r = read_line(out, &line);
	r = r < 0 ? judge_failure(p, r, err) : take_hello(p, &line, err);
	if (r < 0) {
		practice_stop(p);
	}
	return r;
}

/* ---- stopping ---- */

static void end_child(struct practice *p)
{
	struct timespec step = {.tv_nsec = STOP_STEP_MS * 1000000L};
	for (int waited = 0; waited < STOP_MS; waited += STOP_STEP_MS) {
		if (waitpid(p->pid, NULL, WNOHANG) != 0) {
			return;
		}
		nanosleep(&step, NULL);
	}
	kill(p->pid, SIGKILL);
	waitpid(p->pid, NULL, 0);
}

void practice_stop(struct practice *p)
{
	if (p->stdin_fd > 0) {
		close(p->stdin_fd); /* which it takes as its end */
	}
	if (p->pid > 0) {
		end_child(p);
	}
	free(p->url);
	free(p->client_id);
	free(p->client_secret);
	free(p->refresh_token);
	p->url = p->client_id = p->client_secret = p->refresh_token = NULL;
	p->pid = 0;
	p->stdin_fd = 0;
}
