/* SPDX-License-Identifier: MIT */
/* Two pipes, one poll loop, one deadline. */
#include "forcefs/base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/log.h"

#define COMPLAINT_MAX   4096
#define REAP_STEP_MS    10
#define AFTER_KILL_MS   500
#define LOOK_STEP_MS    50
#define CLOEXEC_ON_THEM 4u /* CLOSE_RANGE_CLOEXEC, for older headers */

struct capture {
	pid_t pid;
	bool apart;
	bool ended; /* and status is how */
	int status;
	int64_t deadline_ms;
	const struct until *until; /* or NULL */
	struct pollfd ends[2];     /* stdout, stderr */
	struct buf *into[2];
};

void spawn_hide_files(void)
{
#ifdef SYS_close_range
	syscall(SYS_close_range, 3u, ~0u, CLOEXEC_ON_THEM);
#endif
}

/* Threads of ours block all signals and ignore SIGPIPE; both would outlive an exec. */
static void reset_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	signal(SIGPIPE, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void run_child(const struct spawn *s, int out, int complaints)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (nothing < 0 || dup2(nothing, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
		dup2(complaints, STDERR_FILENO) < 0) {
		_exit(126);
	}
	if (s->apart) {
		setsid();
	}
	reset_signals();
	spawn_hide_files();
	_exit(s->run(s->payload));
}

/* Reads once; past its limit the rest is thrown away. */
static void drain(struct capture *c, int i)
{
	char step[4096];
	ssize_t n = read(c->ends[i].fd, step, sizeof(step));
	if (n > 0) {
		size_t room = c->into[i]->limit_bytes - c->into[i]->len;
		buf_add(c->into[i], step, (size_t)n < room ? (size_t)n : room);
	} else if (n == 0 || errno != EINTR) {
		close(c->ends[i].fd);
		c->ends[i].fd = -1;
	}
	explicit_bzero(step, sizeof(step));
}

static bool is_over(const struct capture *c)
{
	return clock_mono_ms() >= c->deadline_ms || (c->until && until_check(c->until, NULL) < 0);
}

/* How long one poll may last; never less than nothing, which would be for ever. */
static int patience_ms(const struct capture *c)
{
	int64_t left = c->deadline_ms - clock_mono_ms();
	bool looks = c->until || c->ends[0].fd < 0; /* at what no pipe tells */
	int64_t most = looks && left > LOOK_STEP_MS ? LOOK_STEP_MS : left;
	return most > 0 ? (int)most : 0;
}

static bool has_ended(struct capture *c)
{
	if (!c->ended) {
		pid_t got = waitpid(c->pid, &c->status, WNOHANG);
		c->ended = got > 0 || (got < 0 && errno != EINTR);
	}
	return c->ended;
}

static void poll_ends(struct capture *c, int ms)
{
	poll(c->ends, 2, ms);
	for (int i = 0; i < 2; i++) {
		if (c->ends[i].fd >= 0 && c->ends[i].revents) {
			drain(c, i);
		}
	}
}

/* Until stdout ends and stderr or the child does, or the time is over: false. What the child leaves
 * behind (ssh a master, some a daemon) may keep its stderr for hours. */
static bool collect(struct capture *c)
{
	while (c->ends[0].fd >= 0 || (c->ends[1].fd >= 0 && !has_ended(c))) {
		if (is_over(c)) {
			return false;
		}
		poll_ends(c, patience_ms(c));
	}
	poll_ends(c, 0);
	return true;
}

/* Waits for the end of a child that may live on after closing its output. */
static bool reap(struct capture *c)
{
	struct timespec step = {.tv_nsec = REAP_STEP_MS * 1000000L};
	while (!has_ended(c)) {
		if (is_over(c)) {
			return false;
		}
		nanosleep(&step, NULL);
	}
	return true;
}

/* The child first: it may not have its own session yet, and then never gets it. */
static void kill_all(const struct capture *c)
{
	kill(c->pid, SIGKILL);
	if (c->apart) {
		kill(-c->pid, SIGKILL);
	}
}

static void finish(struct capture *c, struct spawn_result *ret)
{
	bool in_time = collect(c) && reap(c);
	for (int i = 0; i < 2; i++) {
		if (c->ends[i].fd >= 0) {
			close(c->ends[i].fd);
		}
	}
	if (!in_time) {
		/* A child stuck in the kernel survives even this for a while: not waited for. */
		ret->timed_out = true;
		kill_all(c);
		c->until = NULL;
		c->deadline_ms = clock_mono_ms() + AFTER_KILL_MS;
		reap(c);
	}
	ret->status = c->status;
	char *complaint = c->into[1]->data;
	if (complaint) {
		complaint[strcspn(complaint, "\r\n")] = '\0';
		log_escape(ret->complaint, sizeof(ret->complaint), complaint);
	}
}

int spawn_run(const struct spawn *s, struct spawn_result *ret, struct error *err)
{
	int out[2], complaints[2];
	if (pipe2(out, O_CLOEXEC) < 0) {
		return error_errno(err, errno, "making a pipe");
	}
	if (pipe2(complaints, O_CLOEXEC) < 0) {
		int errnum = errno;
		close(out[0]);
		close(out[1]);
		return error_errno(err, errnum, "making a pipe");
	}
	pid_t pid = fork();
	if (pid == 0) {
		run_child(s, out[1], complaints[1]);
	}
	int errnum = errno;
	close(out[1]);
	close(complaints[1]);
	if (pid < 0) {
		close(out[0]);
		close(complaints[0]);
		return error_errno(err, errnum, "starting a process");
	}
	*ret = (struct spawn_result){0};
	buf_init(&ret->out, s->limit_bytes);
	AUTO(buf) struct buf complaint;
	buf_init(&complaint, COMPLAINT_MAX);
	struct capture c = {.pid = pid,
		.apart = s->apart,
		.until = s->until,
		.deadline_ms = clock_mono_ms() + s->timeout_ms,
		.ends = {{.fd = out[0], .events = POLLIN}, {.fd = complaints[0], .events = POLLIN}},
		.into = {&ret->out, &complaint}};
	finish(&c, ret);
	return 0;
}

void spawn_result_release(struct spawn_result *r)
{
	if (r->out.data) {
		explicit_bzero(r->out.data, r->out.len);
	}
	buf_release(&r->out);
}

bool spawn_succeeded(const struct spawn_result *r)
{
	return !r->timed_out && WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0;
}
