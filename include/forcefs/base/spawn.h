/* SPDX-License-Identifier: MIT */
/*
 * Running a child for a short while and taking what it prints. stdin is /dev/null, no other file
 * of ours reaches it, signals are as a shell would leave them. For a process without threads of its
 * own, or children that exec at once.
 */
#ifndef FORCEFS_BASE_SPAWN_H
#define FORCEFS_BASE_SPAWN_H

#include <stdbool.h>
#include <stddef.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/cancel.h"
#include "forcefs/base/error.h"

struct spawn {
	/* Runs in the child and returns its exit status, if it does not exec. */
	int (*run)(void *payload);
	void *payload;
	int timeout_ms;     /* then the child is killed */
	size_t limit_bytes; /* of its output; more is thrown away */
	/* Also when this is over; NULL: no matter. */
	const struct until *until;
	/* In a session of its own, and killed with all that it has started. Not for commands that
	 * may ask something at the terminal. */
	bool apart;
};

struct spawn_result {
	int status;          /* as of waitpid */
	bool timed_out;      /* or until was cancelled */
	struct buf out;      /* stdout */
	char complaint[256]; /* the first line of stderr, control characters escaped */
};

/* 0 when the child has run, whatever became of it. */
int spawn_run(const struct spawn *s, struct spawn_result *ret, struct error *err);
void spawn_result_release(struct spawn_result *r); /* wipes the output */

/* True if it ended by itself with status 0. */
bool spawn_succeeded(const struct spawn_result *r);

/* Marks everything above stderr to be closed on exec; for the child. */
void spawn_hide_files(void);

DEFINE_CLEANER(spawn_result, struct spawn_result, spawn_result_release)

#endif
