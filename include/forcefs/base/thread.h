/* SPDX-License-Identifier: MIT */
/* Threads with a name and with every signal blocked, so that signals reach the main loop only. */
#ifndef FORCEFS_BASE_THREAD_H
#define FORCEFS_BASE_THREAD_H

#include <pthread.h>

#include "forcefs/base/error.h"

/* Starts run(arg) on a joinable thread. name: at most 15 characters (pthread_setname_np).
 * Stack: 1 MiB of address space. 0 or -EAGAIN/-ENOMEM. */
int thread_start(
	pthread_t *ret, const char *name, void *(*run)(void *), void *arg, struct error *err);

#endif
