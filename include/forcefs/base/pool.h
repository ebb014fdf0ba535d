/* SPDX-License-Identifier: MIT */
/*
 * A bounded pool of threads for requests that have to wait: jobs are written in plain blocking
 * style. Threads start on demand up to the maximum and end after some idle seconds. Jobs beyond
 * that queue in order; a queued job can be withdrawn (an interrupted request never waits for a
 * thread). The queue is bounded too: pool_add fails with EAGAIN when it is full.
 */
#ifndef FORCEFS_BASE_POOL_H
#define FORCEFS_BASE_POOL_H

#include <stdbool.h>

#include "forcefs/base/error.h"

struct pool; /* any thread may call */

struct pool_job {
	void (*run)(struct pool_job *job); /* owns the job from then on */
	struct pool_job *next, *prev;      /* the pool's, while queued */
	bool queued;                       /* the pool's */
};

int pool_new(
	const char *name, int max_threads, int max_queue, struct pool **ret, struct error *err);
void pool_free(struct pool *p); /* runs what is queued, joins all threads; NULL is fine */

/* 0, or -EAGAIN when the queue is full (the job is still the caller's). */
int pool_add(struct pool *p, struct pool_job *job);

/* True if the job was still queued and is the caller's again; false if it runs or has run. Only
 * while the job's memory is sure to exist still. */
bool pool_withdraw(struct pool *p, struct pool_job *job);

#endif
