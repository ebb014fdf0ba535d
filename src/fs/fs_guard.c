/* SPDX-License-Identifier: MIT */
/*
 * What ends a mount whose program was killed in the wrong moment.
 *
 * A thread that tells the kernel of a changed name sleeps there until the directory's lock is free,
 * and cannot be killed meanwhile. The lock may belong to a program whose request waits for our
 * answer. If we are killed just then, that thread stays, with it the connection to the kernel stays
 * open, and everybody who touches the mount waits for ever. So a child that holds nothing else
 * waits for our end, and if a thread of ours lingers then it closes the connection: by the control
 * file that was opened at the start where there is one (fusectl), else, as root, by the abort that
 * comes with a forced unmount. The dead mount itself stays where it is: an empty directory in its
 * place would be taken for an empty org. While the thread lingers no other mount can have the
 * number of this one, so that none is taken for it.
 *
 * The child is forked from a process with threads, so it calls what is safe in a signal handler
 * only.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fs_priv.h"

#define END_SIGNAL SIGUSR1
#define LOOK_MS    20
#define LINGER_MS  500 /* a process that ends takes a moment for it */
#define OLD_FILES  1024

struct watch {
	char stat[32]; /* /proc/PID/stat of the program */
	const char *mountpoint;
	dev_t device;
	int control; /* -1: none */
};

/* ---- in the child ---- */

enum life { LIVES, LINGERS, GONE };

/* "PID (name) STATE …", the number of threads is the 20th field (proc(5)). */
static enum life look(const struct watch *w)
{
	char stat[512];
	int fd = open(w->stat, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, stat, sizeof stat - 1);

	if (fd >= 0) {
		close(fd);
	}
	stat[n > 0 ? n : 0] = '\0';
	const char *at = strrchr(stat, ')');
	if (!at || at[1] == '\0') {
		return GONE;
	}
	if (at[2] != 'Z' && at[2] != 'X') {
		return LIVES;
	}
	for (int field = 2; at && field < 20; field++) {
		at = strchr(at + 1, ' ');
	}
	return at && (at[1] > '1' || (at[1] == '1' && at[2] != ' ')) ? LINGERS : GONE;
}

static enum life wait_for_end(const struct watch *w)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};
	enum life life = look(w);
	sigset_t set;
	int number;

	sigemptyset(&set);
	sigaddset(&set, END_SIGNAL);
	while (life == LIVES) {
		sigwait(&set, &number);
		for (int ms = 0; ms < LINGER_MS && (life = look(w)) != GONE; ms += LOOK_MS) {
			nanosleep(&pause, NULL);
		}
	}
	return life;
}

static bool is_ours(int mountpoint, dev_t device)
{
	struct statx st;

	return statx(mountpoint, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) == 0 &&
	       makedev(st.stx_dev_major, st.stx_dev_minor) == device;
}

static void close_connection(const struct watch *w)
{
	if (w->control >= 0) {
		if (write(w->control, "1", 1) < 0) {
			return; /* it is closed already */
		}
		return;
	}
	int busy = open(w->mountpoint, O_PATH | O_NOFOLLOW); /* so that it is not unmounted */
	if (busy >= 0 && is_ours(busy, w->device)) {
		umount2(w->mountpoint, MNT_FORCE | UMOUNT_NOFOLLOW);
	}
}

/* Nothing of ours stays open: not the connection, and no pipe whose other end waits for our end. */
static void let_go(struct watch *w)
{
	int nothing = open("/dev/null", O_RDWR);
	unsigned first = 3;

	for (int fd = 0; nothing >= 0 && fd <= 2; fd++) {
		dup2(nothing, fd);
	}
	if (w->control >= 0) {
		w->control = dup2(w->control, 3);
		first = 4;
	}
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0U, 0) == 0) {
		return;
	}
#endif
	for (unsigned fd = first; fd < OLD_FILES; fd++) {
		close((int)fd);
	}
}

static void child(struct watch *w)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	setsid();
	prctl(PR_SET_PDEATHSIG, END_SIGNAL);
	prctl(PR_SET_NAME, "forcefs-guard");
	let_go(w);
	if (wait_for_end(w) == LINGERS) {
		close_connection(w);
	}
	_exit(0);
}

/* ---- the door ---- */

pid_t guard_start(const char *mountpoint, dev_t device)
{
	char path[64];
	struct watch w = {.mountpoint = mountpoint, .device = device};

	snprintf(w.stat, sizeof w.stat, "/proc/%d/stat", (int)getpid());
	snprintf(path, sizeof path, "/sys/fs/fuse/connections/%u/abort", minor(device));
	w.control = device ? open(path, O_WRONLY | O_CLOEXEC) : -1;
	if (w.control < 0 && (geteuid() != 0 || !device)) {
		return 0;
	}
	pid_t pid = fork();
	if (pid == 0) {
		child(&w);
	}
	if (w.control >= 0) {
		close(w.control);
	}
	return pid > 0 ? pid : 0;
}

void guard_end(pid_t pid)
{
	if (pid > 0 && kill(pid, SIGKILL) == 0) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
		}
	}
}
