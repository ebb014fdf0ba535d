/* SPDX-License-Identifier: MIT */
/*
 * The cancel token and the patience of a request.
 *
 * Lock order: token lock, then the watched mutex. cancel_fire marks the token first and takes the
 * watched mutex then; a waiter that has looked at the mark and found nothing still holds that mutex
 * until it sleeps in pthread_cond_wait, so the broadcast cannot fall between its look and its
 * sleep. cancel_fire keeps the token lock while it broadcasts, so cancel_unwatch returns only when
 * nobody touches the watched pair any more. The mark is atomic because a waiter reads it with the
 * watched mutex held, where the token lock must not be taken.
 */
#include "forcefs/base/cancel.h"

#include <assert.h>
#include <errno.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"

void cancel_init(struct cancel *c)
{
	pthread_mutex_init(&c->lock, NULL);
	atomic_init(&c->fired, false);
	c->mutex = NULL;
	c->cond = NULL;
}

void cancel_release(struct cancel *c)
{
	assert(!c->mutex);
	pthread_mutex_destroy(&c->lock);
}

void cancel_fire(struct cancel *c)
{
	LOCK_SCOPE(&c->lock);
	atomic_store(&c->fired, true);
	if (c->mutex) {
		LOCK_SCOPE(c->mutex);
		pthread_cond_broadcast(c->cond);
	}
}

bool cancel_fired(struct cancel *c)
{
	return atomic_load(&c->fired);
}

void cancel_watch(struct cancel *c, pthread_mutex_t *mutex, pthread_cond_t *cond)
{
	LOCK_SCOPE(&c->lock);
	assert(!c->mutex);
	c->mutex = mutex;
	c->cond = cond;
}

void cancel_unwatch(struct cancel *c)
{
	LOCK_SCOPE(&c->lock);
	c->mutex = NULL;
	c->cond = NULL;
}

int until_check(const struct until *u, struct error *err)
{
	if (!u) {
		return error_set(err, EWOULDBLOCK,
			"the answer is not at hand and waiting for it "
			"is not wanted here");
	}
	if (u->cancel && cancel_fired(u->cancel)) {
		return error_set(err, EINTR, "interrupted while waiting for the answer");
	}
	if (clock_mono_ms() >= u->deadline_ms) {
		return error_set(err, ETIMEDOUT,
			"no answer within the time limit; check the network, or raise `timeout`");
	}
	return 0;
}

int until_wait(
	const struct until *u, pthread_cond_t *cond, pthread_mutex_t *mutex, struct error *err)
{
	int r = until_check(u, err);
	if (r < 0) {
		return r;
	}
	clock_cond_wait(cond, mutex, u->deadline_ms);
	return until_check(u, err);
}

void until_watch(const struct until *u, pthread_mutex_t *mutex, pthread_cond_t *cond)
{
	if (u && u->cancel) {
		cancel_watch(u->cancel, mutex, cond);
	}
}

void until_unwatch(const struct until *u)
{
	if (u && u->cancel) {
		cancel_unwatch(u->cancel);
	}
}
