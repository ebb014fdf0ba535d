/* SPDX-License-Identifier: MIT */
/*
 * Parking: requests that have to wait for the org, so that a libfuse worker never does.
 *
 * Life of a parked request: it is linked into the list, its interrupt function is set, it is queued
 * in the pool. From there exactly one of three answers it: the pool's thread that runs it, or
 * whoever withdraws it from the queue (pool_withdraw is true for one caller only), or the handler
 * when the queue is full. Two hold a reference: the queue (whoever answers drops it) and the
 * handler until it has let go.
 *
 * Interrupts: libfuse calls the interrupt function with the request's own lock held, from the
 * thread that reads the INTERRUPT or from inside fuse_req_interrupt_func when it was there already.
 * It may even have picked up the pointer just before another thread replies, and call after the
 * reply. Setting the function to NULL takes the same lock, so it waits for a call under way and
 * forbids later ones: op_settle does this before every reply, and only after it may the request go.
 * The function itself must not settle (it is under that lock) and may reply only when it was called
 * for an INTERRUPT, where libfuse holds a reference of its own; hence the function is set before
 * the request is queued (nothing to withdraw then, it only fires the token), and the handler looks
 * at the token once more after queueing.
 */
#include "fs_priv.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"

#define THREADS_MAX 100
#define QUEUE_MAX   10000

struct parked {
	struct op op;
	char name[NAME_MAX + 1];     /* op.name points here */
	char new_name[PATH_MAX + 1]; /* and op.new_name here: a name, or a link's target */
	struct until until;
	struct cancel cancel;
	struct pool_job job;
	/* protected by parking->lock */
	int refs;
	struct parked *next, *prev;
};

static void parked_run(struct pool_job *job);

int parking_init(struct parking *p, struct error *err)
{
	pthread_mutex_init(&p->lock, NULL);
	int r = pool_new("forcefs-tell", THREADS_MAX, QUEUE_MAX, &p->tellers, err);

	return r < 0 ? r : pool_new("forcefs-park", THREADS_MAX, QUEUE_MAX, &p->pool, err);
}

void parking_release(struct parking *p)
{
	if (p->pool) {
		parking_stop(p);
		pool_free(p->pool);
		p->pool = NULL;
	}
	pool_free(p->tellers);
	p->tellers = NULL;
	pthread_mutex_destroy(&p->lock);
}

unsigned parking_count(struct parking *p)
{
	LOCK_SCOPE(&p->lock);
	return p->count;
}

/* ---- one request ---- */

void op_settle(struct op *op)
{
	if (op->parked) {
		fuse_req_interrupt_func(op->req, NULL, NULL);
	}
}

static void keep_fault(const struct op *op, int r, struct error *err)
{
	char path[FAULT_PATH_MAX];
	if (!err->errnum) {
		error_errno(err, -r, "%s", op->kind->name);
	}
	err->errnum = -r;
	path_of_op(op, path, sizeof(path));
	fault_note(&op->fs->faults, path, op->kind->name, err);
}

void op_succeed(struct op *op)
{
	if (op->parked && fault_any(&op->fs->faults)) {
		char path[FAULT_PATH_MAX];
		path_of_op(op, path, sizeof(path));
		fault_heal(&op->fs->faults, path);
	}
	op_settle(op);
}

/* What failed to be written is always told; of what failed to be read, not what programs ask for in
 * passing. */
static bool is_worth_telling(const struct op *op, int r, const struct error *err)
{
	return fault_worth(-r) ||
	       (op->kind->writes && err->errnum && (r != -EINTR || err->code[0]));
}

/* After a run: answers where the run did not, and remembers how it went. */
static void op_end(struct op *op, int r, struct error *err)
{
	if (r < 0) {
		r = r == -EWOULDBLOCK ? -EAGAIN : r;
		if (is_worth_telling(op, r, err)) {
			keep_fault(op, r, err);
		}
		op_settle(op);
		fuse_reply_err(op->req, -r);
	}
}

static int op_run(struct op *op, const struct until *until, struct error *err)
{
	err->errnum = 0;
	return op->kind->run(op, until, err);
}

static struct parked *parked_new(const struct op *op)
{
	struct parked *p = calloc(1, sizeof(*p));
	if (!p) {
		return NULL;
	}
	int timeout_ms = op->fs->config.timeout_ms;
	int most_ms = op->kind->patience_ms;
	p->op = *op;
	p->op.parked = true;
	if (op->name) {
		snprintf(p->name, sizeof(p->name), "%s", op->name);
		p->op.name = p->name;
	}
	if (op->new_name) {
		snprintf(p->new_name, sizeof(p->new_name), "%s", op->new_name);
		p->op.new_name = p->new_name;
	}
	p->refs = 2;
	p->job.run = parked_run;
	cancel_init(&p->cancel);
	p->until.cancel = &p->cancel;
	p->until.deadline_ms =
		clock_mono_ms() + (most_ms && most_ms < timeout_ms ? most_ms : timeout_ms);
	return p;
}

static void parked_link(struct parking *parking, struct parked *p)
{
	LOCK_SCOPE(&parking->lock);
	p->next = parking->first;
	if (p->next) {
		p->next->prev = p;
	}
	parking->first = p;
	parking->count++;
	if (parking->stopping) {
		cancel_fire(&p->cancel);
	}
}

static void parked_unref(struct parked *p)
{
	struct parking *parking = &p->op.fs->parking;
	pthread_mutex_lock(&parking->lock);
	bool last = --p->refs == 0;
	if (last) {
		*(p->prev ? &p->prev->next : &parking->first) = p->next;
		if (p->next) {
			p->next->prev = p->prev;
		}
		parking->count--;
	}
	pthread_mutex_unlock(&parking->lock);
	if (last) {
		cancel_release(&p->cancel);
		free(p);
	}
}

static void parked_run(struct pool_job *job)
{
	struct parked *p = (struct parked *)((char *)job - offsetof(struct parked, job));
	struct error err = {0};
	int r = until_check(&p->until, &err);
	if (r == 0) {
		r = op_run(&p->op, &p->until, &err);
	}
	op_end(&p->op, r, &err);
	parked_unref(p);
}

/* libfuse's thread, under the request's lock: see the top. */
static void parked_interrupted(fuse_req_t req, void *data)
{
	struct parked *p = data;
	cancel_fire(&p->cancel);
	if (pool_withdraw(p->op.fs->parking.pool, &p->job)) {
		fuse_reply_err(req, EINTR);
		parked_unref(p);
	}
}

/* Interrupts a request from outside of libfuse; the caller holds a reference. */
static void parked_cancel(struct parked *p)
{
	cancel_fire(&p->cancel);
	if (pool_withdraw(p->op.fs->parking.pool, &p->job)) {
		op_settle(&p->op);
		fuse_reply_err(p->op.req, EINTR);
		parked_unref(p);
	}
}

static void park(struct op *op)
{
	struct error err = {0};
	struct parked *p = parked_new(op);
	if (!p) {
		op_end(op, -ENOMEM, &err);
		return;
	}
	parked_link(&op->fs->parking, p);
	fuse_req_interrupt_func(op->req, parked_interrupted, p);
	int r = pool_add(op->fs->parking.pool, &p->job);
	if (r < 0) {
		error_set(&err, EAGAIN, "%d requests wait for the org already; try again later",
			THREADS_MAX + QUEUE_MAX);
		op_end(&p->op, r, &err);
		parked_unref(p);
	} else if (cancel_fired(&p->cancel)) {
		parked_cancel(p);
	}
	parked_unref(p);
}

/* The kernel lets names of up to 1024 bytes through. */
static bool is_too_long(const struct op *op)
{
	return (op->name && strlen(op->name) > NAME_MAX) ||
	       (op->new_parent && strlen(op->new_name) > NAME_MAX);
}

void op_begin(struct op *op)
{
	struct error err;
	if (is_too_long(op)) {
		fuse_reply_err(op->req, ENAMETOOLONG);
		return;
	}
	int r = op_run(op, NULL, &err);
	if (r == -EWOULDBLOCK) {
		park(op);
	} else {
		op_end(op, r, &err);
	}
}

/* ---- the end ---- */

/* A parked request that has not been told yet, with a reference; NULL when all have. */
static struct parked *next_uncancelled(struct parking *parking)
{
	LOCK_SCOPE(&parking->lock);
	parking->stopping = true;
	struct parked *p = parking->first;
	while (p && cancel_fired(&p->cancel)) {
		p = p->next;
	}
	if (p) {
		p->refs++;
	}
	return p;
}

void parking_stop(struct parking *parking)
{
	struct parked *p;
	while ((p = next_uncancelled(parking))) {
		parked_cancel(p);
		parked_unref(p);
	}
}
