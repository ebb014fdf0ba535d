/* SPDX-License-Identifier: MIT */
/*
 * Leading a renewal: what one thread does while the others wait (token.c), with the lock file held.
 *
 * Rotation: each use of a refresh token may give a new one and kill the old, and a use of the old
 * one kills the whole family. So a new refresh token is on disk before its access token is used. If
 * it cannot be saved, it is kept in `unsaved`, the calls fail and say so, and the next renewal
 * tries to save it again before it asks for anything (a log-in made meanwhile stands). And once a
 * refresh token was sent, its answer is waited for even where who asked would not, and Ctrl-C waits
 * too: the old one may be worth nothing any more.
 *
 * A refusal is remembered for a minute together with the refresh token and the state file it was
 * about, so that a dead log-in is not asked again for every file that is opened.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/hold.h"

#define DEAD_FOR_MS     (60 * 1000)
#define RESCUE_MS       1000
#define BUSY_FIRST_MS   200
#define BUSY_LONGEST_MS 2000
#define IN_USE          1

static const char *grant_name(enum sf_grant grant)
{
	static const char *const names[] = {
		[SF_GRANT_REFRESH_TOKEN] = "refresh_token",
		[SF_GRANT_JWT_BEARER] = "jwt_bearer",
		[SF_GRANT_CLIENT_CREDENTIALS] = "client_credentials",
		[SF_GRANT_SF] = "sf",
	};

	return names[grant];
}

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static bool same_or_none(const char *a, const char *b)
{
	return (!a && !b) || same(a, b);
}

/* False for what other settings left behind, and for a family that the settings replaced. */
static bool is_ours(const struct keeper *k, const struct token *t)
{
	return same(t->login_url, k->ask.login_url) &&
	       same_or_none(t->client_id, k->ask.client_id) && same_or_none(t->user, k->ask.user) &&
	       same(t->grant, grant_name(k->ask.grant)) && (!k->seed || same(t->seed, k->seed)) &&
	       (!t->instance_url || token_instance_allowed(k->ask.login_url, t->instance_url));
}

/* Reads the state file; what is not ours counts as absent. */
int keeper_load(const struct keeper *k, struct token *ret, uint64_t *ret_hash, struct error *err)
{
	AUTO(token) struct token t = {0};
	struct error fault = {0};
	int r = token_file_load(k->file, &t, ret_hash, &fault);

	/* A damaged file counts as absent if the settings can make up for it; an unreadable one may
	 * hold a newer refresh token than they do. */
	if (r < 0 && (r != -EPROTO || (!k->seed && k->ask.grant == SF_GRANT_REFRESH_TOKEN))) {
		if (err) {
			*err = fault;
		}
		return r;
	}
	if (r < 0 || !is_ours(k, &t)) {
		memset(ret, 0, sizeof(*ret));
		return 0;
	}
	*ret = t;
	memset(&t, 0, sizeof(t));
	return 0;
}

static void set_string(char **slot, char *value)
{
	token_string_free(*slot);
	*slot = value;
}

/* NULL stays NULL. False when memory is out. */
static bool set_copy(char **slot, const char *value)
{
	set_string(slot, value ? strdup(value) : NULL);
	return !value || *slot;
}

int keeper_prepare(const struct keeper *k, const struct token *stored, const char *refresh_used,
	struct token *ret)
{
	AUTO(token) struct token t = {0};

	if (token_copy(stored, &t) < 0) {
		return -ENOMEM;
	}
	if (!set_copy(&t.grant, grant_name(k->ask.grant)) ||
		!set_copy(&t.login_url, k->ask.login_url) ||
		!set_copy(&t.client_id, k->ask.client_id) || !set_copy(&t.user, k->ask.user) ||
		(k->seed && !set_copy(&t.seed, k->seed)) ||
		(refresh_used && !same(t.refresh, refresh_used) &&
			!set_copy(&t.refresh, refresh_used))) {
		return -ENOMEM;
	}
	*ret = t;
	memset(&t, 0, sizeof(t));
	return 0;
}

void keeper_adopt(struct token *t, struct token *granted)
{
	set_string(&t->access, take_ptr(&granted->access));
	set_string(&t->instance_url, take_ptr(&granted->instance_url));
	set_string(&t->issued_at, take_ptr(&granted->issued_at));
	if (granted->identity_url) {
		set_string(&t->identity_url, take_ptr(&granted->identity_url));
	}
	if (granted->refresh) {
		set_string(&t->refresh, take_ptr(&granted->refresh));
	}
	if (granted->username) {
		set_string(&t->username, take_ptr(&granted->username));
	}
}

static int save_rotated(struct keeper *k, struct error *err)
{
	int r = token_file_save(k->file, &k->unsaved, err);

	if (r == 0) {
		return 0;
	}
	error_prefix(err, r,
		"the org gave a new refresh token that cannot be saved; make room or mend the "
		"permissions of the state folder while forcefs runs, or the log-in is lost");
	err->errnum = EIO; /* ENOSPC on a read would only puzzle */
	return -EIO;
}

/* A later log-in has taken the place of what should have been saved. */
static bool is_overtaken(const struct keeper *k)
{
	AUTO(token) struct token t = {0};
	uint64_t hash;

	return k->unsaved_from && token_file_load(k->file, &t, &hash, NULL) == 0 &&
	       hash != k->unsaved_hash && (t.access || t.refresh) &&
	       !same(t.refresh, k->unsaved_from);
}

void keeper_rescue(struct keeper *k)
{
	const struct until until = {.deadline_ms = clock_mono_ms() + RESCUE_MS};
	AUTO_CLOSE int fd = -1;

	if (k->unsaved.access && token_file_lock(k->lock_file, &until, &fd, NULL) == 0 &&
		!is_overtaken(k)) {
		token_file_save(k->file, &k->unsaved, NULL);
	}
}

/* A rotated refresh token must be on disk; without rotation the old state is as good. */
static int keep(struct keeper *k, struct token *fresh, const char *refresh_used, uint64_t hash,
	struct token *ret, struct error *err)
{
	bool rotated = fresh->refresh && !same(fresh->refresh, refresh_used);

	if (rotated) {
		int r;

		k->unsaved = *fresh;
		memset(fresh, 0, sizeof(*fresh));
		set_copy(&k->unsaved_from, refresh_used);
		k->unsaved_hash = hash;
		r = save_rotated(k, err);
		if (r < 0) {
			return r;
		}
		*ret = k->unsaved;
		memset(&k->unsaved, 0, sizeof(k->unsaved));
		return 0;
	}
	token_file_save(k->file, fresh, NULL);
	*ret = *fresh;
	memset(fresh, 0, sizeof(*fresh));
	return 0;
}

static bool is_dead(const struct keeper *k, const char *refresh, uint64_t hash)
{
	return k->dead_refresh && !strcmp(k->dead_refresh, refresh ? refresh : "") &&
	       k->dead_hash == hash && clock_mono_ms() < k->dead_until_ms;
}

static void remember_dead(
	struct keeper *k, const char *refresh, uint64_t hash, const struct error *fault)
{
	set_string(&k->dead_refresh, strdup(refresh ? refresh : ""));
	k->dead_hash = hash;
	k->dead_until_ms = clock_mono_ms() + DEAD_FOR_MS;
	k->dead_fault = *fault;
}

static int no_refresh_token(const struct keeper *k, struct error *err)
{
	return error_set(err, EACCES,
		"no log-in for %s is known here; run: forcefs login %s, or put a refresh_token in "
		"the "
		"settings file",
		k->ask.org, k->ask.org);
}

static int exchange(struct keeper *k, const struct token_ask *ask, struct token *fresh,
	uint64_t hash, const struct until *until, struct token *ret, struct error *err)
{
	AUTO(token) struct token granted = {0};
	struct error fault = {0};
	enum token_verdict verdict = token_request(k->http, ask, until, &granted, &fault);

	if (verdict != TOKEN_GRANTED) {
		if (verdict == TOKEN_DEAD) {
			remember_dead(k, ask->refresh, hash, &fault);
		}
		*err = fault;
		return verdict == TOKEN_BUSY ? IN_USE : -fault.errnum;
	}
	keeper_adopt(fresh, &granted);
	return keep(k, fresh, ask->refresh, hash, ret, err);
}

/* The same without a signal between the question and the answer on disk. */
static int exchange_whole(struct keeper *k, const struct token_ask *ask, struct token *fresh,
	uint64_t hash, const struct until *until, struct token *ret, struct error *err)
{
	AUTO(hold) struct hold hold;

	hold_begin(&hold, NULL);
	return exchange(k, ask, fresh, hash, until, ret, err);
}

/* Asks the token endpoint with the newest refresh token; the lock file is held. IN_USE, with the
 * fault, when another one is using it at this moment. */
static int ask_org(struct keeper *k, const struct token *stored, uint64_t hash,
	const struct until *until, struct token *ret, struct error *err)
{
	struct token_ask ask = k->ask;
	AUTO(token) struct token fresh = {0};

	if (ask.grant == SF_GRANT_REFRESH_TOKEN) {
		ask.refresh = stored->refresh ? stored->refresh : k->seed;
		if (!ask.refresh) {
			return no_refresh_token(k, err);
		}
	}
	if (is_dead(k, ask.refresh, hash)) {
		*err = k->dead_fault;
		return -err->errnum;
	}
	if (keeper_prepare(k, stored, ask.refresh, &fresh) < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	return (ask.grant == SF_GRANT_REFRESH_TOKEN ? exchange_whole : exchange)(
		k, &ask, &fresh, hash, until, ret, err);
}

/* The file is gone or spoilt: memory knows the family better than the settings do. */
static int recall(struct keeper *k, struct token *stored, struct error *err)
{
	LOCK_SCOPE(&k->lock);
	if (stored->refresh || stored->access || !k->now.access) {
		return 0;
	}
	token_release(stored);
	return token_copy(&k->now, stored) < 0 ? error_set(err, ENOMEM, "out of memory") : 0;
}

/* The sf command may lend the same session again. Once that is worth a try; after that it would be
 * run, and turned down, for every file that is opened. */
static int judge_lent(struct keeper *k, const char *refused, const struct token *lent,
	uint64_t hash, struct error *err)
{
	struct error fault = {0};

	if (k->ask.grant != SF_GRANT_SF || !same(lent->access, refused)) {
		k->lent_again = false;
		return 0;
	}
	if (!k->lent_again) {
		k->lent_again = true;
		return 0;
	}
	error_set(&fault, EACCES,
		"the org turns down the session of the sf command; run: sf org login web -a %s",
		k->ask.user);
	remember_dead(k, NULL, hash, &fault);
	*err = fault;
	return -EACCES;
}

/* One look at the state file and, if that does not help, one request. IN_USE as above. */
static int renew_once(struct keeper *k, const char *refused, const struct until *until,
	struct token *ret, bool *ret_stored, struct error *err)
{
	AUTO(token) struct token stored = {0};
	uint64_t hash;
	int r;

	if (k->unsaved.access) {
		r = is_overtaken(k) ? 0 : save_rotated(k, err);
		if (r < 0) {
			return r;
		}
		token_release(&k->unsaved);
	}
	r = keeper_load(k, &stored, &hash, err);
	if (r == 0) {
		r = recall(k, &stored, err);
	}
	if (r < 0) {
		return r;
	}
	*ret_stored = stored.access && stored.instance_url && !same(stored.access, refused);
	if (*ret_stored) {
		*ret = stored;
		memset(&stored, 0, sizeof(stored));
		return 0;
	}
	r = ask_org(k, &stored, hash, until, ret, err);
	return r == 0 ? judge_lent(k, refused, ret, hash, err) : r;
}

/* The wait between two tries of a refresh token that is in use: 0.2 s doubling to 2 s. */
static int64_t busy_wait_ms(int attempt)
{
	int64_t ms = BUSY_FIRST_MS;

	while (--attempt > 0 && ms < BUSY_LONGEST_MS) {
		ms *= 2;
	}
	return ms < BUSY_LONGEST_MS ? ms : BUSY_LONGEST_MS;
}

int keeper_lead(struct keeper *k, const char *refused, const struct until *until, struct token *ret,
	bool *ret_stored, struct error *err)
{
	AUTO_CLOSE int fd = -1;
	int r = token_file_lock(k->lock_file, until, &fd, err);

	for (int i = 1; r == 0; i++) {
		struct error fault = {0};

		r = renew_once(k, refused, until, ret, ret_stored, &fault);
		if (r == 0) {
			return 0;
		}
		if (r == IN_USE && sf_sleep(busy_wait_ms(i), until, NULL) == 0) {
			r = 0;
			continue;
		}
		*err = fault;
		r = r == IN_USE ? -fault.errnum : r;
	}
	return r;
}
