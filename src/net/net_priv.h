/* SPDX-License-Identifier: MIT */
/*
 * Behind the door of net.
 *
 *   http.c         the door: open, close, what every call has in common
 *   http_call.c    one call with its retries and redirects, in the caller's thread
 *   http_worker.c  the thread that owns the multi handle
 *   http_easy.c    one transfer: its easy handle and what curl calls back
 *   http_result.c  what a finished transfer means: a reply or an error
 *   redirect.c     URLs
 *
 * A transfer belongs to its caller until worker_submit, then to the worker, and to the caller again
 * once it is done. A caller that leaves early (worker_wait) gives it to the worker for good. It
 * borrows nothing from the request: curl copies the body, so that leaving never has to wait for
 * the worker, not even where curl blocks for a moment. Sink and source are the exception: who
 * leaves waits while the worker is inside of one of them, and none is called after that.
 */
#ifndef FORCEFS_NET_PRIV_H
#define FORCEFS_NET_PRIV_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdbool.h>

#include "forcefs/net/http.h"

/* Does libcurl ask before it puts a request on a connection (CURLOPT_PREREQFUNCTION)? */
#define HAS_SEND_CALLBACK (LIBCURL_VERSION_NUM >= 0x075000)

#define HTTP_MAX_SPARE 8 /* easy handles kept for reuse */

/* redirect.c */
struct url_parts {
	char scheme[16];
	char host[256]; /* [::1] with its brackets */
};

/* False for what is no URL, or holds a user name. */
bool url_parse(const char *text, struct url_parts *ret);
bool host_is_loopback(const char *host);

struct transfer {
	struct transfer *next, *prev; /* in the inbox: protected by http->lock; then worker only */
	CURL *easy;
	struct curl_slist *headers;
	struct http *http;
	struct http_reply reply;
	int body_failed;           /* why the body could not be stored: a negative errno, or 0 */
	struct http_sink sink;     /* take NULL: none */
	struct http_source source; /* give NULL: none */
	uint64_t given;            /* of the source, where curl goes on; worker only */
	int stream_failed;         /* what the sink or the source said: a negative errno, or 0 */
	CURLcode result;
	char curl_text[CURL_ERROR_SIZE];
	pthread_cond_t cond;

	/* All below: protected by http->lock. */
	bool sent;        /* the request was put on a connection */
	bool resent;      /* more than once: curl lost the first one */
	bool inside;      /* the worker is inside the sink or the source */
	bool left;        /* the caller is leaving: neither is called any more */
	bool taken;       /* the sink has got something */
	int64_t moved_ms; /* when a stream last moved, monotonic; 0: not yet */
	bool done;        /* the caller's again */
	bool abandoned;   /* the caller left; the worker frees it */
};

struct http {
	/* Set once in http_open. */
	char *user_agent;
	char *ca_file; /* or NULL */
	char *proxy;   /* or NULL */
	char **hosts;  /* NULL-ended, or NULL */
	int timeout_ms;
	int connect_timeout_ms;
	CURLM *multi; /* worker only, but for curl_multi_wakeup */
	pthread_t thread;

	struct transfer *flying; /* added to the multi handle; worker only */

	pthread_mutex_t lock;
	pthread_cond_t changed; /* closing, or callers fell to 0 */
	/* All below: protected by lock. */
	struct transfer *inbox;
	bool leaving; /* a caller abandoned its transfer */
	bool closing; /* set by worker_stop */
	int callers;  /* inside http_perform */
	CURL *spare[HTTP_MAX_SPARE];
	int spare_count;
	struct http_stats stats;
};

/* http_call.c */
/* In struct error's code: the request is not idempotent and may have reached the server. */
#define HTTP_MAYBE_SENT "MAYBE_SENT"
/* As http_perform, of a request that is fit to be sent; err must not be NULL. */
int call_perform(struct http *h, const struct http_request *req, const struct until *until,
	struct http_reply *ret, struct error *err);

/* http_easy.c */
/* fresh: not on a connection that was used before. */
int transfer_new(struct http *h, const struct http_request *req, const char *url, bool fresh,
	struct transfer **ret, struct error *err);
void transfer_free(struct transfer *t); /* NULL is fine; not under http->lock */
DEFINE_PTR_CLEANER(transfer, struct transfer, transfer_free)

/* http_result.c */
/* Moves the reply out (0), or says what went wrong. host: for the text. */
int transfer_result(
	struct transfer *t, const char *host, struct http_reply *ret, struct error *err);

/* http_worker.c */
int worker_start(struct http *h, int max_connections, struct error *err);
void worker_stop(struct http *h); /* sets closing, cancels every transfer, joins */
/* 0, or -EINTR when http_close was called. */
int worker_submit(struct http *h, struct transfer *t);
/* Waits for the end of a submitted transfer, and where until is over but the request was sent, for
 * answer_ms more (within timeout_ms). 0: it is done and the caller's. Else as until_check, and t is
 * gone; *ret_sent says whether the request may have reached the server, *ret_taken whether its sink
 * has got something. */
int worker_wait(struct http *h, struct transfer *t, const struct until *until, int answer_ms,
	bool *ret_sent, bool *ret_taken);

#endif
