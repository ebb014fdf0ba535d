/* SPDX-License-Identifier: MIT */
/*
 * The thread that owns the multi handle. Callers put transfers into the inbox and wake it; it adds
 * them, lets curl work, and gives finished ones back. Every signal is blocked in it, SIGPIPE
 * included, so curl and the TLS library may write to closed connections.
 *
 * The multi handle lives until the worker has seen `closing` and given every transfer back, so who
 * holds the lock and finds `closing` unset, or its transfer not done, may wake it.
 */
#include "net_priv.h"

#include <errno.h>
#include <poll.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"
#include "forcefs/base/thread.h"

#define POLL_MS  60000 /* curl_multi_poll looks after its own time-outs and is woken for news */
#define PAUSE_MS 20    /* where polling itself fails, so as not to spin */

static void list_add(struct transfer **list, struct transfer *t)
{
	t->prev = NULL;
	t->next = *list;
	if (t->next) {
		t->next->prev = t;
	}
	*list = t;
}

static void list_remove(struct transfer **list, struct transfer *t)
{
	*(t->prev ? &t->prev->next : list) = t->next;
	if (t->next) {
		t->next->prev = t->prev;
	}
	t->next = t->prev = NULL;
}

/* Adds what the transfer has moved to the figures; lock held. */
static void count(struct http *h, struct transfer *t)
{
	curl_off_t in = 0, out = 0;
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_DOWNLOAD_T, &in);
	curl_easy_getinfo(t->easy, CURLINFO_SIZE_UPLOAD_T, &out);
	h->stats.bytes_in += (uint64_t)in;
	h->stats.bytes_out += (uint64_t)out;
	h->stats.in_flight--;
}

/* Without on_send only curl's own figures tell whether anything left this machine. */
static bool was_sent(const struct transfer *t)
{
	long request_bytes = 0;
	if (HAS_SEND_CALLBACK) {
		return t->sent;
	}
	curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
	return request_bytes > 0;
}

/* Gives the transfer back to its caller, or frees it where the caller has left. */
static void finish(struct http *h, struct transfer *t, CURLcode result)
{
	pthread_mutex_lock(&h->lock);
	count(h, t);
	t->result = result;
	t->sent = was_sent(t);
	t->reply.lost_before = t->resent;
	t->done = true;
	bool abandoned = t->abandoned;
	if (!abandoned) {
		pthread_cond_signal(&t->cond);
	}
	pthread_mutex_unlock(&h->lock);
	if (abandoned) {
		transfer_free(t);
	}
}

static void land(struct http *h, struct transfer *t, CURLcode result)
{
	curl_multi_remove_handle(h->multi, t->easy);
	list_remove(&h->flying, t);
	finish(h, t, result);
}

static void launch(struct http *h, struct transfer *t)
{
	CURLMcode rc = curl_multi_add_handle(h->multi, t->easy);
	if (rc != CURLM_OK) {
		finish(h, t, rc == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_FAILED_INIT);
		return;
	}
	list_add(&h->flying, t);
}

static bool is_abandoned(struct http *h, struct transfer *t)
{
	LOCK_SCOPE(&h->lock);
	return t->abandoned;
}

static void land_abandoned(struct http *h)
{
	struct transfer *next;
	for (struct transfer *t = h->flying; t; t = next) {
		next = t->next;
		if (is_abandoned(h, t)) {
			land(h, t, CURLE_ABORTED_BY_CALLBACK);
		}
	}
}

/* Turns the inbox, which is filled at its head, into the order in which requests came. */
static struct transfer *reversed(struct transfer *list)
{
	struct transfer *out = NULL;
	while (list) {
		struct transfer *t = list;
		list = t->next;
		list_add(&out, t);
	}
	return out;
}

/* Takes news from the callers. False: time to end. */
static bool take_news(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	struct transfer *fresh = take_ptr(&h->inbox);
	bool leaving = h->leaving, closing = h->closing;
	h->leaving = false;
	pthread_mutex_unlock(&h->lock);
	fresh = reversed(fresh);
	while (fresh) {
		struct transfer *t = fresh;
		fresh = t->next;
		launch(h, t);
	}
	if (leaving) {
		land_abandoned(h);
	}
	return !closing;
}

static void land_finished(struct http *h)
{
	int left;
	CURLMsg *message;
	while ((message = curl_multi_info_read(h->multi, &left))) {
		struct transfer *t = NULL;
		if (message->msg == CURLMSG_DONE) {
			CURLcode result = message->data.result; /* message dies with the removal */
			curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&t);
			land(h, t, result);
		}
	}
}

static void *worker_run(void *arg)
{
	struct http *h = arg;
	while (take_news(h)) {
		int running;
		curl_multi_perform(h->multi, &running);
		land_finished(h);
		if (curl_multi_poll(h->multi, NULL, 0, POLL_MS, NULL) != CURLM_OK) {
			poll(NULL, 0, PAUSE_MS);
		}
	}
	while (h->flying) {
		land(h, h->flying, CURLE_ABORTED_BY_CALLBACK);
	}
	/* Here and not in http_close: closing connections writes to them. */
	curl_multi_cleanup(h->multi);
	return NULL;
}

int worker_start(struct http *h, int max_connections, struct error *err)
{
	h->multi = curl_multi_init();
	if (!h->multi) {
		return error_set(err, ENOMEM, "out of memory");
	}
	curl_multi_setopt(h->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_MULTIPLEX);
	curl_multi_setopt(h->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)max_connections);
	/* Kept open while nothing flies: an org has its own host, its log-in another. */
	curl_multi_setopt(h->multi, CURLMOPT_MAXCONNECTS, 2L * max_connections);
	int r = thread_start(&h->thread, "forcefs-http", worker_run, h, err);
	if (r < 0) {
		curl_multi_cleanup(h->multi);
		h->multi = NULL;
	}
	return r;
}

void worker_stop(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	h->closing = true;
	pthread_cond_broadcast(&h->changed);
	curl_multi_wakeup(h->multi);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
}

int worker_submit(struct http *h, struct transfer *t)
{
	LOCK_SCOPE(&h->lock);
	if (h->closing) {
		return -EINTR;
	}
	list_add(&h->inbox, t);
	h->stats.requests++;
	h->stats.in_flight++;
	curl_multi_wakeup(h->multi);
	return 0;
}

/* What the sink and the source work on is the caller's: waits, for the length of a write to a file,
 * until the worker is in none of them, and lets it into none any more. Lock held. */
static void close_streams(struct http *h, struct transfer *t)
{
	t->left = true;
	while (t->inside) {
		pthread_cond_wait(&t->cond, &h->lock);
	}
}

/* The caller leaves; the worker will free t, and never begin to send it. */
static void abandon(struct http *h, struct transfer *t, bool *ret_sent)
{
	t->abandoned = true;
	*ret_sent = t->sent || !HAS_SEND_CALLBACK;
	h->leaving = true;
	curl_multi_wakeup(h->multi);
}

/* A stream that moves has not run out of time. Lock held. */
static bool still_moving(struct http *h, const struct transfer *t, struct until *until)
{
	int64_t end_ms = t->moved_ms + h->timeout_ms;
	if (t->moved_ms == 0 || (h->timeout_ms > 0 && end_ms <= clock_mono_ms())) {
		return false;
	}
	until->deadline_ms = h->timeout_ms > 0 ? end_ms : INT64_MAX;
	return true;
}

/* Who would leave stays for an answer that must not be lost, if the server still has time for it.
 * Lock held. */
static void await_answer(struct http *h, struct transfer *t, int64_t began_ms, int answer_ms)
{
	int64_t end_ms = clock_mono_ms() + answer_ms, late_ms = began_ms + h->timeout_ms;
	bool sent = t->sent || !HAS_SEND_CALLBACK;
	end_ms = h->timeout_ms > 0 && late_ms < end_ms ? late_ms : end_ms;
	while (sent && !t->done && clock_mono_ms() < end_ms) {
		clock_cond_wait(&t->cond, &h->lock, end_ms);
	}
}

int worker_wait(struct http *h, struct transfer *t, const struct until *until, int answer_ms,
	bool *ret_sent, bool *ret_taken)
{
	struct until patience = *until;
	int64_t began_ms = clock_mono_ms();
	until_watch(until, &h->lock, &t->cond);
	pthread_mutex_lock(&h->lock);
	int r = 0;
	while (!t->done && r == 0) {
		r = until_wait(&patience, &t->cond, &h->lock, NULL);
		if (r == -ETIMEDOUT && still_moving(h, t, &patience)) {
			r = 0;
		}
	}
	pthread_mutex_unlock(&h->lock);
	/* Before the transfer can go: firing the token touches its condition. */
	until_unwatch(until);
	LOCK_SCOPE(&h->lock);
	await_answer(h, t, began_ms, answer_ms);
	if (!t->done) {
		close_streams(h, t);
	}
	*ret_taken = t->taken;
	if (t->done) {
		*ret_sent = t->sent;
		return 0;
	}
	abandon(h, t, ret_sent);
	return r;
}
