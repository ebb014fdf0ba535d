/* SPDX-License-Identifier: MIT */
/* One message over a pipe, small enough that the kernel never splits it. */
#include "daemon.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define REAP_MS      5000
#define REAP_STEP_MS 20
#define FILES_MAX    4096

struct message {
	int failed;
	struct error err; /* text holds the note when nothing failed */
};
static_assert(sizeof(struct message) <= PIPE_BUF, "a message is one write");

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static void end_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
}

/* What the caller had open beyond 0 to 2 (a lock, a pipe) is not ours to hold for days. */
static void close_inherited(int keep)
{
	struct rlimit files;
	int last = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_MAX
			   ? (int)files.rlim_cur
			   : FILES_MAX;
	for (int fd = 3; fd < last; fd++) {
		if (fd != keep) {
			close(fd);
		}
	}
}

static void begin_child(struct daemon *d)
{
	close_inherited(d->fd);
	sigprocmask(SIG_SETMASK, &d->signals, NULL);
	umask(077);
	if (chdir("/") < 0) {
		/* then it stays where it is, which keeps that file system busy and no more */
	}
}

int daemon_fork(struct daemon *d, struct error *err)
{
	int ends[2];
	sigset_t block;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return error_errno(err, errno, "making a pipe");
	}
	fflush(NULL);
	end_signals(&block); /* until the parent knows its child */
	sigprocmask(SIG_BLOCK, &block, &d->signals);
	d->child = fork();
	if (d->child < 0) {
		int errnum = errno;
		sigprocmask(SIG_SETMASK, &d->signals, NULL);
		close(ends[0]);
		close(ends[1]);
		return error_errno(err, errnum, "going to the background");
	}
	d->fd = d->child ? ends[0] : ends[1];
	close(d->child ? ends[1] : ends[0]);
	if (d->child == 0) {
		begin_child(d);
	}
	return d->child != 0;
}

/* ---- parent ---- */

/* Ends the child and waits until it is gone. */
static void end_child(struct daemon *d)
{
	struct timespec step = {.tv_nsec = REAP_STEP_MS * 1000000L};
	kill(d->child, SIGTERM);
	for (int waited = 0; waited < REAP_MS; waited += REAP_STEP_MS) {
		if (waitpid(d->child, NULL, WNOHANG) != 0) {
			return;
		}
		nanosleep(&step, NULL);
	}
	kill(d->child, SIGKILL);
	waitpid(d->child, NULL, 0);
}

/* The child ended without a word. */
static int judge_silence(struct daemon *d, struct error *err)
{
	int status = 0;
	waitpid(d->child, &status, 0);
	if (WIFSIGNALED(status)) {
		return error_set(err, EIO, "the background process was ended by signal %d",
			WTERMSIG(status));
	}
	return error_set(
		err, EIO, "the background process ended with status %d", WEXITSTATUS(status));
}

static int judge(struct daemon *d, const struct message *m, ssize_t n, char *note, size_t size,
	struct error *err)
{
	if (n != (ssize_t)sizeof(*m)) {
		return judge_silence(d, err);
	}
	if (!m->failed) {
		snprintf(note, size, "%s", m->err.text);
		return 0;
	}
	waitpid(d->child, NULL, 0);
	if (err) {
		*err = m->err;
	}
	return -m->err.errnum;
}

/* 1 when the pipe has something to say, 0 on an interrupt. */
static int wait_for_word(struct daemon *d)
{
	struct pollfd p = {.fd = d->fd, .events = POLLIN};
	while (!interrupted) {
		if (ppoll(&p, 1, NULL, &d->signals) > 0) {
			return 1;
		}
	}
	return 0;
}

int daemon_wait(struct daemon *d, char *note, size_t size, struct error *err)
{
	struct sigaction catch = {.sa_handler = on_signal}, old[3];
	const int numbers[3] = {SIGINT, SIGTERM, SIGHUP};
	for (int i = 0; i < 3; i++) {
		sigaction(numbers[i], &catch, &old[i]);
	}
	int r;
	if (wait_for_word(d)) {
		struct message m = {0};
		r = judge(d, &m, read(d->fd, &m, sizeof(m)), note, size, err);
	} else {
		end_child(d);
		r = error_set(err, EINTR, "interrupted");
	}
	for (int i = 0; i < 3; i++) {
		sigaction(numbers[i], &old[i], NULL);
	}
	sigprocmask(SIG_SETMASK, &d->signals, NULL);
	close(d->fd);
	d->fd = -1;
	return r;
}

/* ---- child ---- */

static void tell(struct daemon *d, const struct message *m)
{
	if (d->fd < 0) {
		return;
	}
	if (write(d->fd, m, sizeof(*m)) < 0) {
		/* nobody listens any more */
	}
	close(d->fd);
	d->fd = -1;
}

void daemon_ready(struct daemon *d, const char *note)
{
	struct message m = {0};
	snprintf(m.err.text, sizeof(m.err.text), "%s", note);
	setsid();
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; nothing >= 0 && fd <= 2; fd++) {
		dup2(nothing, fd);
	}
	if (nothing > 2) {
		close(nothing);
	}
	tell(d, &m);
}

void daemon_failed(struct daemon *d, const struct error *err)
{
	struct message m = {.failed = 1, .err = *err};
	tell(d, &m);
}
