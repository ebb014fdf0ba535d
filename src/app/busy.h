/* SPDX-License-Identifier: MIT */
/* Who keeps a mount busy: processes with a working directory, program, open or mapped file in it.
 * Reads /proc only and never the mount, so that a dead one can be asked about too. */
#ifndef FORCEFS_APP_BUSY_H
#define FORCEFS_APP_BUSY_H

#include <stddef.h>
#include <sys/types.h>

struct busy {
	pid_t pid;
	char user[33];
	char command[64];
	const char *holds; /* "its working directory", …; static */
	char path[256];    /* relative to the mount, "." for its root */
};

/* Fills up to max and returns how many there are, perhaps more than max. This process itself is
 * left out; of other users' processes only root sees everything. */
size_t busy_find(const char *dir, struct busy *ret, size_t max);

#endif
