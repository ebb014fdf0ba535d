/* SPDX-License-Identifier: MIT */
/*
 * One call, with its retries and redirects, in the caller's thread.
 *
 * Time limits are kept here by the waiting caller and not by curl, whose own do not run while a
 * transfer queues for a connection; only connecting is curl's.
 */
#include "net_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"
#include "forcefs/net/redirect.h"
#include "forcefs/net/retry.h"

#define MAX_REDIRECTS 5

/* One call of http_perform. */
struct call {
	struct http *http;
	const struct http_request *req;
	const struct until *until;
	char *url; /* where it is sent to now; owned */
	struct url_parts parts;
	char *redirect_url;     /* of the last reply, absolute, or NULL; owned */
	int64_t retry_after_ms; /* of the last reply, or -1 */
	int attempts;
	int redirects;
	bool sent;  /* the last attempt may have reached the server */
	bool lost;  /* some attempt may have been carried out, and its answer was no use */
	bool taken; /* the sink has got a part of the reply */
	bool fresh; /* the next attempt takes a new connection */
};

static void call_release(struct call *c)
{
	free(c->url);
	free(c->redirect_url);
}
DEFINE_CLEANER(call, struct call, call_release)

/* --- one attempt --- */

static int closing_error(struct error *err)
{
	return error_set(err, EINTR, "interrupted, because forcefs is ending");
}

/* Where curl left what the next step needs to know. */
static int keep_findings(struct call *c, const struct transfer *t)
{
	const char *url = NULL;
	curl_off_t retry_after_s = 0;
	curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_URL, &url);
	curl_easy_getinfo(t->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	int64_t most_s = INT64_MAX / 1000;
	int64_t after_s = retry_after_s < most_s ? (int64_t)retry_after_s : most_s;
	c->retry_after_ms = after_s > 0 ? after_s * 1000 : -1;
	free(c->redirect_url);
	c->redirect_url = url ? strdup(url) : NULL;
	return url && !c->redirect_url ? -ENOMEM : 0;
}

/* What it means that the caller could not wait for the end. */
static int left_early(struct call *c, int r, struct error *err)
{
	if (r == -EINTR) {
		return error_set(err, EINTR, "the request to %s was interrupted", c->parts.host);
	}
	c->fresh = true; /* the connection may be the one that is stuck */
	return error_set(err, -r,
		"%s did not answer in time. Check the network, or raise `timeout`.", c->parts.host);
}

/* A short-lived copy of the caller's patience, cut to the length of one attempt. */
static struct until attempt_until(const struct call *c)
{
	struct until u = *c->until;
	int64_t end_ms = clock_mono_ms() + c->http->timeout_ms;
	if (c->http->timeout_ms > 0 && end_ms < u.deadline_ms) {
		u.deadline_ms = end_ms;
	}
	return u;
}

static bool is_closing(struct http *h)
{
	LOCK_SCOPE(&h->lock);
	return h->closing;
}

static int attempt(struct call *c, struct http_reply *ret, struct error *err)
{
	struct http *h = c->http;
	c->sent = false;
	int r = until_check(c->until, err);
	if (r < 0) {
		return r;
	}
	AUTO(transfer) struct transfer *t = NULL;
	r = transfer_new(h, c->req, c->url, c->fresh, &t, err);
	if (r < 0) {
		return r;
	}
	if (worker_submit(h, t) < 0) {
		return closing_error(err);
	}
	c->attempts++;
	struct until u = attempt_until(c);
	r = worker_wait(h, t, &u, c->req->answer_ms, &c->sent, &c->taken);
	if (r < 0) {
		t = NULL;
		return left_early(c, r, err);
	}
	if (t->result != CURLE_OK && is_closing(h)) {
		return closing_error(err);
	}
	if (keep_findings(c, t) < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	return transfer_result(t, c->parts.host, ret, err);
}

/* --- redirects and retries --- */

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static int forbidden(const struct call *c, struct error *err)
{
	struct url_parts to;
	return error_set(err, EACCES,
		"%s redirects to %s, where forcefs does not follow. If the org has moved, set "
		"`login_url` to its new address and log in again.",
		c->parts.host, url_parse(c->redirect_url, &to) ? to.host : "an unusable address");
}

static int follow(struct call *c, struct error *err)
{
	if (!redirect_allowed(c->url, c->redirect_url, (const char *const *)c->http->hosts)) {
		return forbidden(c, err);
	}
	if (++c->redirects > MAX_REDIRECTS) {
		return error_set(err, EPROTO,
			"%s redirects in circles. Check `login_url` and what lies in between.",
			c->parts.host);
	}
	free(c->url);
	c->url = take_ptr(&c->redirect_url);
	url_parse(c->url, &c->parts);
	return 0;
}

static int64_t retry_wait_ms(const struct call *c, int r, int status)
{
	if (c->taken) {
		return -1; /* half a reply is with the caller */
	}
	struct retry_case rc = {
		/* What certainly never reached the server may be sent again as anything may. */
		.idempotent = c->req->idempotent || (r < 0 && !c->sent),
		.attempt = c->attempts - c->redirects,
		.status = r < 0 ? 0 : status,
		.errnum = -r,
		.retry_after_ms = r < 0 ? -1 : c->retry_after_ms,
		.left_ms = c->until->deadline_ms - clock_mono_ms(),
	};
	if (getentropy(&rc.random, sizeof(rc.random)) < 0) {
		rc.random = (uint32_t)clock_mono_ms();
	}
	return retry_delay_ms(&rc);
}

/* Waits before the next attempt. */
static int rest(struct call *c, int64_t wait_ms, struct error *err)
{
	struct http *h = c->http;
	struct until u = *c->until;
	u.deadline_ms = clock_mono_ms() + wait_ms;
	until_watch(&u, &h->lock, &h->changed);
	pthread_mutex_lock(&h->lock);
	h->stats.retries++;
	int r = 0;
	while (!h->closing && r == 0) {
		r = until_wait(&u, &h->changed, &h->lock, NULL);
	}
	bool closing = h->closing;
	pthread_mutex_unlock(&h->lock);
	until_unwatch(&u);
	if (closing) {
		return closing_error(err);
	}
	return r == -EINTR ? left_early(c, r, err) : 0;
}

/* Sends until there is an answer worth returning. */
static int perform(struct call *c, struct http_reply *ret, struct error *err)
{
	for (;;) {
		AUTO(http_reply) struct http_reply reply = {0};
		int r = attempt(c, &reply, err);
		if (r == 0 && is_redirect(reply.status) && c->redirect_url) {
			r = follow(c, err);
			c->sent = false;
			if (r < 0) {
				return r;
			}
			continue;
		}
		c->lost |= r < 0 ? c->sent : reply.lost_before;
		int64_t wait_ms = retry_wait_ms(c, r, reply.status);
		if (wait_ms < 0) {
			if (r == 0) {
				*ret = reply;
				ret->attempts = c->attempts;
				ret->retry_after_ms = c->retry_after_ms > 0 ? c->retry_after_ms : 0;
				ret->lost_before = c->lost;
				reply = (struct http_reply){0};
			}
			return r;
		}
		c->lost |= r == 0 && reply.status >= 500;
		r = rest(c, wait_ms, err);
		if (r < 0) {
			return r;
		}
	}
}

/* --- the call --- */

int call_perform(struct http *h, const struct http_request *req, const struct until *until,
	struct http_reply *ret, struct error *err)
{
	AUTO(call) struct call c = {.http = h, .req = req, .until = until, .retry_after_ms = -1};
	c.url = strdup(req->url);
	if (!c.url || !url_parse(c.url, &c.parts)) {
		return error_set(err, ENOMEM, "out of memory");
	}
	int r = perform(&c, ret, err);
	if (r < 0 && c.lost && (req->changes || !req->idempotent)) {
		memcpy(err->code, HTTP_MAYBE_SENT, sizeof(HTTP_MAYBE_SENT));
	}
	return r;
}
