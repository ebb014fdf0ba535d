/* SPDX-License-Identifier: MIT */
/* Starts threads that never take a signal. */
#include "forcefs/base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

/* jansson recurses up to 2048 levels deep in what a server sends; only touched pages cost. */
#define STACK_BYTES (1024 * 1024)

static int create(pthread_t *ret, void *(*run)(void *), void *arg)
{
	pthread_attr_t attr;
	int r = pthread_attr_init(&attr);
	if (r != 0) {
		return r;
	}
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(ret, &attr, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

int thread_start(
	pthread_t *ret, const char *name, void *(*run)(void *), void *arg, struct error *err)
{
	pthread_t thread;
	int r = create(&thread, run, arg);
	if (r != 0) {
		return error_errno(err, r == ENOMEM ? ENOMEM : EAGAIN, "starting thread %s", name);
	}
	char short_name[16];
	snprintf(short_name, sizeof(short_name), "%s", name);
	pthread_setname_np(thread, short_name);
	*ret = thread;
	return 0;
}
