/* SPDX-License-Identifier: MIT */
/*
 * The keeper of an org's token: one renewal at a time.
 *
 * There is no expiry date to plan by, so a token is used until the org turns it down. Then
 *
 *   threads    one of them leads, the others wait and share the outcome; who began before the last
 *              renewal ended just sends again with the new token (session.generation tells)
 *   processes  the leader takes the lock file, and first reads the state file: if another process
 *              has renewed meanwhile, its token is taken without a request. It may have ended as
 *              well by now (session.stored tells): then the call renews once more
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/paths.h"

#define VAIN_FOR_MS 2000 /* 1,800 log-ins an hour; Salesforce allows a user 3,600 */

void session_release(struct session *s)
{
	token_string_free(s->bearer);
	free(s->instance_url);
	memset(s, 0, sizeof(*s));
}

void keeper_blank(struct keeper *k)
{
	memset(k, 0, sizeof(*k));
	pthread_mutex_init(&k->lock, NULL);
	clock_cond_init(&k->ended);
}

int keeper_init(struct keeper *k, struct http *http, const struct token_ask *ask, const char *seed,
	const char *state_dir, struct error *err)
{
	AUTO_FREE char *stem = paths_join(state_dir, ask->org);
	uint64_t hash;

	k->http = http;
	k->ask = *ask;
	k->seed = seed;
	if (!stem || asprintf(&k->file, "%s.token", stem) < 0) {
		k->file = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	if (asprintf(&k->lock_file, "%s.lock", stem) < 0) {
		k->lock_file = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	/* A file that cannot be read is told about when a token is needed. */
	keeper_load(k, &k->now, &hash, NULL);
	return 0;
}

void keeper_release(struct keeper *k)
{
	keeper_rescue(k);
	token_release(&k->now);
	token_release(&k->unsaved);
	token_string_free(k->unsaved_from);
	token_string_free(k->dead_refresh);
	free(k->file);
	free(k->lock_file);
	pthread_cond_destroy(&k->ended);
	pthread_mutex_destroy(&k->lock);
}

/* ---- one leader, many followers ---- */

enum stand { STAND_READY, STAND_FOLLOW, STAND_LEAD, STAND_FAILED };

struct round {
	uint64_t refused;   /* generation that the org turned down */
	bool followed;      /* a round that began after the question has ended */
	uint64_t seen;      /* rounds at the last look */
	char *refused_text; /* new; for the leader */
};

/* k->lock held */
static int copy_session(const struct keeper *k, struct session *ret)
{
	const struct token *t = &k->now;
	struct session s = {.generation = k->generation, .stored = k->stored};

	if (asprintf(&s.bearer, "Bearer %s", t->access) < 0) {
		s.bearer = NULL;
	}
	s.instance_url = strdup(t->instance_url);
	if (!s.bearer || !s.instance_url) {
		session_release(&s);
		return -ENOMEM;
	}
	session_release(ret);
	*ret = s;
	return 0;
}

/* A leader's own impatience is not the followers' failure. */
static bool is_shared(int r)
{
	return r < 0 && r != -EINTR && r != -ETIMEDOUT;
}

static enum stand look(
	struct keeper *k, struct round *round, struct session *ret, int *ret_r, struct error *err)
{
	LOCK_SCOPE(&k->lock);
	if (k->now.access && k->now.instance_url && k->generation != round->refused) {
		*ret_r = copy_session(k, ret);
		if (*ret_r < 0) {
			error_set(err, ENOMEM, "out of memory");
		}
		return *ret_r < 0 ? STAND_FAILED : STAND_READY;
	}
	if (round->followed && k->rounds != round->seen && is_shared(k->last_result)) {
		*err = k->last_fault;
		*ret_r = k->last_result;
		return STAND_FAILED;
	}
	round->seen = k->rounds;
	if (k->busy) {
		round->followed = true;
		return STAND_FOLLOW;
	}
	if (k->now.access) {
		round->refused_text = strdup(k->now.access);
		if (!round->refused_text) {
			*ret_r = error_set(err, ENOMEM, "out of memory");
			return STAND_FAILED;
		}
	}
	k->busy = true;
	return STAND_LEAD;
}

static int follow(
	struct keeper *k, const struct round *round, const struct until *until, struct error *err)
{
	int r = 0;

	until_watch(until, &k->lock, &k->ended);
	pthread_mutex_lock(&k->lock);
	while (r == 0 && k->busy && k->rounds == round->seen) {
		r = until_wait(until, &k->ended, &k->lock, err);
	}
	pthread_mutex_unlock(&k->lock);
	until_unwatch(until);
	return r;
}

static void end_round(
	struct keeper *k, int r, struct token *fresh, bool stored, const struct error *fault)
{
	LOCK_SCOPE(&k->lock);
	if (r == 0) {
		token_release(&k->now);
		k->now = *fresh;
		memset(fresh, 0, sizeof(*fresh));
		k->stored = stored;
		k->generation++;
	} else {
		k->last_fault = *fault;
	}
	k->last_result = r;
	k->busy = false;
	k->rounds++;
	pthread_cond_broadcast(&k->ended);
}

static int lead_round(
	struct keeper *k, struct round *round, const struct until *until, struct error *err)
{
	AUTO(token) struct token fresh = {0};
	struct error fault = {0};
	bool stored = false;
	int r = keeper_lead(k, round->refused_text, until, &fresh, &stored, &fault);

	token_string_free(take_ptr(&round->refused_text));
	end_round(k, r, &fresh, stored, &fault);
	if (r < 0) {
		*err = fault;
	}
	return r;
}

/* refused is a generation, or UINT64_MAX for none. */
static int obtain(struct keeper *k, uint64_t refused, const struct until *until,
	struct session *ret, struct error *err)
{
	struct round round = {.refused = refused};
	struct error fault = {0};
	int r = 0;

	while (r == 0) {
		switch (look(k, &round, ret, &r, &fault)) {
		case STAND_READY:
			return 0;
		case STAND_FAILED:
			break;
		case STAND_FOLLOW:
			r = follow(k, &round, until, &fault);
			break;
		case STAND_LEAD:
			r = lead_round(k, &round, until, &fault);
			break;
		}
	}
	if (err) {
		*err = fault;
	}
	return r;
}

int keeper_get(struct keeper *k, const struct until *until, struct session *ret, struct error *err)
{
	return obtain(k, UINT64_MAX, until, ret, err);
}

int keeper_renew(
	struct keeper *k, const struct until *until, struct session *refused, struct error *err)
{
	return obtain(k, refused->generation, until, refused, err);
}

void keeper_note_vain(struct keeper *k, const struct session *session)
{
	LOCK_SCOPE(&k->lock);
	k->vain = session->generation;
	k->vain_until_ms = clock_mono_ms() + VAIN_FOR_MS;
}

int64_t keeper_vain_ms(struct keeper *k, const struct session *session)
{
	LOCK_SCOPE(&k->lock);
	int64_t left_ms = k->vain_until_ms - clock_mono_ms();

	return k->vain == session->generation && left_ms > 0 ? left_ms : 0;
}

/* ---- what is known ---- */

int keeper_peek(struct keeper *k, struct token *ret)
{
	LOCK_SCOPE(&k->lock);
	if (!k->now.instance_url) {
		return -ENODATA;
	}
	return token_copy(&k->now, ret);
}

void keeper_replace(struct keeper *k, struct token *fresh)
{
	LOCK_SCOPE(&k->lock);
	token_release(&k->now);
	k->now = *fresh;
	memset(fresh, 0, sizeof(*fresh));
	k->generation++;
}

void keeper_forget(struct keeper *k)
{
	struct token none = {0};

	keeper_replace(k, &none);
}

static int set_version(struct token *t, const char *version)
{
	char *copy = strdup(version);

	if (!copy) {
		return -ENOMEM;
	}
	free(t->api_version);
	t->api_version = copy;
	t->api_version_at_s = clock_wall_ms() / 1000;
	return 0;
}

static int set_username(struct token *t, const char *username)
{
	char *copy = strdup(username);

	if (!copy) {
		return -ENOMEM;
	}
	free(t->username);
	t->username = copy;
	return 0;
}

static void remember(struct keeper *k, int (*set)(struct token *t, const char *value),
	const char *value, const struct until *until)
{
	AUTO(token) struct token stored = {0};
	AUTO_CLOSE int fd = -1;
	uint64_t hash;

	{
		LOCK_SCOPE(&k->lock);
		set(&k->now, value);
	}
	if (token_file_lock(k->lock_file, until, &fd, NULL) == 0 &&
		keeper_load(k, &stored, &hash, NULL) == 0 && stored.access &&
		set(&stored, value) == 0) {
		token_file_save(k->file, &stored, NULL);
	}
}

void keeper_remember_version(struct keeper *k, const char *version, const struct until *until)
{
	remember(k, set_version, version, until);
}

void keeper_remember_username(struct keeper *k, const char *username, const struct until *until)
{
	remember(k, set_username, username, until);
}
