/* SPDX-License-Identifier: MIT */
/*
 * The thread pool. A worker is on `live` while it runs; when it has been idle for a while it moves
 * itself to `ended`, from where the next pool_add (or pool_free) joins it.
 */
#include "forcefs/base/pool.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"
#include "forcefs/base/thread.h"

#define IDLE_MS 10000

struct worker {
	struct pool *pool;
	pthread_t thread;
	struct worker *next, *prev; /* protected by pool->lock */
};

struct pool {
	char name[16];
	int max_threads;
	int max_queue;

	pthread_mutex_t lock;
	pthread_cond_t work;           /* a job was queued, or closing */
	pthread_cond_t gone;           /* a worker ended */
	struct pool_job *first, *last; /* all below: protected by lock */
	int queued;
	int threads;
	int busy; /* threads inside a job */
	bool closing;
	struct worker *live;
	struct worker *ended;
};

static void queue_append(struct pool *p, struct pool_job *job)
{
	job->next = NULL;
	job->prev = p->last;
	*(p->last ? &p->last->next : &p->first) = job;
	p->last = job;
	job->queued = true;
	p->queued++;
}

static void queue_remove(struct pool *p, struct pool_job *job)
{
	*(job->prev ? &job->prev->next : &p->first) = job->next;
	*(job->next ? &job->next->prev : &p->last) = job->prev;
	job->next = job->prev = NULL;
	job->queued = false;
	p->queued--;
}

/* Waits for a job. NULL: time to end. */
static struct pool_job *next_job(struct pool *p)
{
	int64_t give_up_ms = clock_mono_ms() + IDLE_MS;
	while (!p->first) {
		if (p->closing || clock_cond_wait(&p->work, &p->lock, give_up_ms) < 0) {
			break;
		}
	}
	struct pool_job *job = p->first;
	if (job) {
		queue_remove(p, job);
	}
	return job;
}

static void worker_end(struct worker *w)
{
	struct pool *p = w->pool;
	*(w->prev ? &w->prev->next : &p->live) = w->next;
	if (w->next) {
		w->next->prev = w->prev;
	}
	w->prev = NULL;
	w->next = p->ended;
	p->ended = w;
	p->threads--;
	pthread_cond_signal(&p->gone);
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	LOCK_SCOPE(&p->lock);
	struct pool_job *job;
	while ((job = next_job(p))) {
		p->busy++;
		pthread_mutex_unlock(&p->lock);
		job->run(job);
		pthread_mutex_lock(&p->lock);
		p->busy--;
	}
	worker_end(w);
	return NULL;
}

static int worker_start(struct pool *p)
{
	struct worker *w = calloc(1, sizeof(*w));
	if (!w) {
		return -ENOMEM;
	}
	w->pool = p;
	int r = thread_start(&w->thread, p->name, worker_run, w, NULL);
	if (r < 0) {
		free(w);
		return r;
	}
	w->next = p->live;
	if (p->live) {
		p->live->prev = w;
	}
	p->live = w;
	p->threads++;
	return 0;
}

/* Joins workers that have ended; without the lock, they may still hold it for an instant. */
static void join_ended(struct worker *w)
{
	while (w) {
		struct worker *next = w->next;
		pthread_join(w->thread, NULL);
		free(w);
		w = next;
	}
}

int pool_new(const char *name, int max_threads, int max_queue, struct pool **ret, struct error *err)
{
	struct pool *p = calloc(1, sizeof(*p));
	if (!p) {
		return error_set(err, ENOMEM, "out of memory");
	}
	snprintf(p->name, sizeof(p->name), "%s", name);
	p->max_threads = max_threads > 0 ? max_threads : 1;
	p->max_queue = max_queue > 0 ? max_queue : 1;
	pthread_mutex_init(&p->lock, NULL);
	clock_cond_init(&p->work);
	clock_cond_init(&p->gone);
	*ret = p;
	return 0;
}

void pool_free(struct pool *p)
{
	if (!p) {
		return;
	}
	pthread_mutex_lock(&p->lock);
	p->closing = true;
	pthread_cond_broadcast(&p->work);
	while (p->live) {
		pthread_cond_wait(&p->gone, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
	join_ended(p->ended);
	pthread_cond_destroy(&p->gone);
	pthread_cond_destroy(&p->work);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

/* Queues the job and sees to it that a thread will take it. Lock held. */
static int add_locked(struct pool *p, struct pool_job *job)
{
	if (p->closing || p->queued >= p->max_queue) {
		return -EAGAIN;
	}
	queue_append(p, job);
	if (p->queued > p->threads - p->busy && p->threads < p->max_threads) {
		if (worker_start(p) < 0 && p->threads == 0) {
			queue_remove(p, job);
			return -EAGAIN;
		}
	}
	pthread_cond_signal(&p->work);
	return 0;
}

int pool_add(struct pool *p, struct pool_job *job)
{
	pthread_mutex_lock(&p->lock);
	int r = add_locked(p, job);
	struct worker *ended = take_ptr(&p->ended);
	pthread_mutex_unlock(&p->lock);
	join_ended(ended);
	return r;
}

bool pool_withdraw(struct pool *p, struct pool_job *job)
{
	LOCK_SCOPE(&p->lock);
	if (!job->queued) {
		return false;
	}
	queue_remove(p, job);
	return true;
}
