/* SPDX-License-Identifier: MIT */
/*
 * Going to the background without leaving the person in the dark: the parent waits until the child
 * says that it works, or why it does not. The fork comes before any thread.
 *
 *	daemon_fork ─┬─ 1, parent: daemon_wait ── 0 or the child's error
 *	             └─ 0, child: … daemon_ready, or daemon_failed and exit
 */
#ifndef FORCEFS_APP_DAEMON_H
#define FORCEFS_APP_DAEMON_H

#include <signal.h>
#include <sys/types.h>

#include "forcefs/base/error.h"

struct daemon {
	pid_t child;      /* in the parent */
	int fd;           /* the pipe's end, -1: closed */
	sigset_t signals; /* the mask before the fork */
};

/* 1 in the parent, 0 in the child (in /, umask 077), negative: no fork. The child stays in the
 * caller's process group until it is ready: to an automount point, the kernel lets only the group
 * of the automounter through while that mounts. */
int daemon_fork(struct daemon *d, struct error *err);

/* Parent. note (size bytes) is what daemon_ready was given. An interrupt here ends the child. */
int daemon_wait(struct daemon *d, char *note, size_t size, struct error *err);

/* Child: it gets a session of its own, 0 to 2 become /dev/null, then the parent is told. Any
 * thread; once. */
void daemon_ready(struct daemon *d, const char *note);
void daemon_failed(struct daemon *d, const struct error *err);

#endif
