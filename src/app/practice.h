/* SPDX-License-Identifier: MIT */
/* The practice org as a child process: it ends when its stdin does, so it never outlives us. */
#ifndef FORCEFS_APP_PRACTICE_H
#define FORCEFS_APP_PRACTICE_H

#include <stddef.h>
#include <sys/types.h>

#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"

#define PRACTICE_ARGS_MAX 64

struct practice {
	const char *args[PRACTICE_ARGS_MAX]; /* more of its options; borrowed */
	size_t arg_count;
	const char *log; /* file for what it writes to stderr; borrowed */
	pid_t pid;       /* 0: not started */
	int stdin_fd;
	char *url, *client_id, *client_secret, *refresh_token;
};

/* Starts it and waits until it listens. */
int practice_start(struct practice *p, struct error *err);
void practice_stop(struct practice *p); /* not started is fine */

/* Where it lies: $FORCEFS_PRACTICE_ORG, beside the installed program, or the source folder. New. */
int practice_find(char **ret, struct error *err);

#endif
