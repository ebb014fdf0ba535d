/* SPDX-License-Identifier: MIT */
/*
 * One flight per question. A flight is a question to the org that many may wait for: it is asked on
 * the mirror's own pool, never on the thread of one who waits, so that a reader who leaves (Ctrl-C,
 * deadline) does not take the answer away from the others.
 *
 *      idle --start--> flying (queued in the pool, then running) --land--> idle
 *
 * A flight that needs another one uses flight_fly: it runs it in its own thread unless somebody
 * already does. Flights depend on each other in one direction only (check -> page -> describe), and
 * one that is still queued is taken out of the queue to be flown at once, so the pool's bounded
 * number of threads cannot lock up.
 */
#include "mirror_priv.h"

#include <errno.h>

#include "forcefs/base/clock.h"

struct until mirror_patience(struct mirror *m, struct cancel *cancel)
{
	return (struct until){.deadline_ms = clock_mono_ms() + m->timeout_ms, .cancel = cancel};
}

struct until until_within(const struct until *until, int64_t ms)
{
	int64_t deadline = clock_mono_ms() + ms;

	return (struct until){
		.deadline_ms = until->deadline_ms < deadline ? until->deadline_ms : deadline,
		.cancel = until->cancel,
	};
}

/* Runs the question and lands. Called without the lock, with f->flying set by this thread. */
static void flight_run(struct flight *f)
{
	struct until patience = mirror_patience(f->mirror, &f->cancel);
	struct error err = {0};
	int r = f->run(f, &patience, &err);

	pthread_mutex_lock(f->lock);
	f->result = r;
	f->err = err;
	f->flying = false;
	f->landed++;
	pthread_cond_broadcast(f->cond);
	pthread_mutex_unlock(f->lock);
}

static void flight_job(struct pool_job *job)
{
	flight_run((struct flight *)((char *)job - offsetof(struct flight, job)));
}

void flight_init(struct flight *f, struct mirror *m, pthread_mutex_t *lock, pthread_cond_t *cond,
	int (*run)(struct flight *, const struct until *, struct error *), void *subject)
{
	*f = (struct flight){
		.mirror = m, .lock = lock, .cond = cond, .run = run, .subject = subject};
	f->job.run = flight_job;
	cancel_init(&f->cancel);
}

void flight_release(struct flight *f)
{
	cancel_release(&f->cancel);
}

/* Under the lock. */
static void flight_launch(struct flight *f)
{
	f->flying = true;
	f->began_ms = clock_mono_ms();
	if (pool_add(f->mirror->pool, &f->job) < 0) {
		f->result = error_set(&f->err, EAGAIN,
			"too many questions to the org are waiting already; try again in a moment");
		f->flying = false;
		f->landed++;
	}
}

void flight_start(struct flight *f)
{
	LOCK_SCOPE(f->lock);
	if (!f->flying && !atomic_load(&f->mirror->closing)) {
		flight_launch(f);
	}
}

void flight_progress(struct flight *f)
{
	LOCK_SCOPE(f->lock);
	f->progress++;
	pthread_cond_broadcast(f->cond);
}

/* Under the lock: waits until the flight of this ticket has landed. As long as the flight gets on,
 * the patience of who waits (but not briefly) begins again: a long listing is no stuck one. */
static int flight_await(struct flight *f, uint64_t ticket, bool briefly, const struct until *until,
	struct error *err)
{
	struct until patience = *until;
	int64_t span_ms = until->deadline_ms - clock_mono_ms();
	uint64_t progress = f->progress;
	int r = 0;

	while (f->landed < ticket && r == 0) {
		r = until_wait(&patience, f->cond, f->lock, err);
		if (f->progress != progress && r != -EINTR && !briefly) {
			progress = f->progress;
			patience.deadline_ms = clock_mono_ms() + span_ms;
			r = 0;
		}
	}
	if (f->landed >= ticket) {
		r = f->result;
		if (r < 0 && err) {
			*err = f->err;
		}
	}
	return r;
}

static int join(struct flight *f, bool briefly, const struct until *until, struct error *err)
{
	int r;

	until_watch(until, f->lock, f->cond);
	pthread_mutex_lock(f->lock);
	uint64_t ticket = f->landed + 1;
	if (!f->flying) {
		flight_launch(f);
	}
	r = flight_await(f, ticket, briefly, until, err);
	pthread_mutex_unlock(f->lock);
	until_unwatch(until);
	return r;
}

int flight_join(struct flight *f, const struct until *until, struct error *err)
{
	return join(f, false, until, err);
}

int flight_join_briefly(struct flight *f, const struct until *until, struct error *err)
{
	struct error local = {0};
	struct until patience =
		until_within(until, breaker_is_stuck(f->mirror) ? 0 : CHECK_PATIENCE_MS);
	int r = join(f, true, &patience, &local);

	if (r == -ETIMEDOUT && !local.http_status) {
		breaker_note_stuck(f->mirror);
	}
	if (r == -EINTR && err) {
		*err = local;
	}
	return r == -EINTR ? r : 0;
}

int flight_fly(struct flight *f, const struct until *until, struct error *err)
{
	pthread_mutex_lock(f->lock);
	bool mine = !f->flying;
	if (mine) {
		f->flying = true;
		f->began_ms = clock_mono_ms();
	}
	uint64_t ticket = f->landed + 1;
	pthread_mutex_unlock(f->lock);

	if (!mine && pool_withdraw(f->mirror->pool, &f->job)) {
		mine = true;
	}
	if (mine) {
		flight_run(f);
	}
	until_watch(until, f->lock, f->cond);
	pthread_mutex_lock(f->lock);
	int r = flight_await(f, ticket, false, until, err);
	pthread_mutex_unlock(f->lock);
	until_unwatch(until);
	return r;
}
