/* SPDX-License-Identifier: MIT */
/*
 * Bytes over HTTP. One thread owns the curl multi handle (connections reused, gzip, HTTP/2 over
 * TLS where offered); callers hand in a request and wait with a deadline and a cancel token.
 * Retries follow net/retry.h, redirects net/redirect.h. Knows no JSON, no tokens, no Salesforce.
 *
 * A reply cut short on its way is an error here. What only the content can tell is the caller's to
 * notice: libcurl passes on a gzip stream that ends early inside an intact reply.
 *
 * Bodies that are too big for memory stream: a sink takes the reply's, a source gives the request's.
 * Both are called by the one thread, one piece at a time, and must be quick (a file, not a network).
 * The time limit of such a call counts anew whenever bytes move.
 *
 * Any thread may call http_perform. Create after the process has forked.
 */
#ifndef FORCEFS_NET_HTTP_H
#define FORCEFS_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/cancel.h"
#include "forcefs/base/error.h"

struct http_config {
	const char *user_agent;
	const char *ca_file;      /* PEM file instead of the system's store, or NULL */
	const char *proxy;        /* proxy URL, or NULL: the environment's */
	int timeout_ms;           /* one attempt, from the request to the last byte (streams: to
				     the next byte); 0: none */
	int connect_timeout_ms;   /* TCP and TLS */
	int max_connections;      /* to one host at once; more requests queue inside curl */
	const char *const *hosts; /* NULL-ended list of host suffixes (".salesforce.com") that a
				     redirect may lead to; the same loopback host may too */
};

struct http_header {
	const char *name;
	const char *value;
};

/* Takes the body of a 2xx reply, decompressed, in pieces; bodies of other replies go into the reply
 * as always. After the first piece nothing is sent again: a reply that breaks off is a failure. A
 * negative errno ends the call with it; the sink's owner knows why. */
struct http_sink {
	int (*take)(void *payload, const void *data, size_t len);
	void *payload;
	const char *but_type; /* replies of this content type (lower case) go into the reply all the
				 same; NULL: none do */
};

/* Gives the request's body: up to size bytes from off on. How many (never 0 before the end), or a
 * negative errno. May be asked for the same bytes again. */
struct http_source {
	int64_t len;
	ssize_t (*give)(void *payload, uint64_t off, void *buf, size_t size);
	void *payload;
};

struct http_request {
	const char *method; /* GET, POST, PATCH, DELETE, HEAD */
	const char *url;    /* absolute, https:// or (loopback only) http:// */
	const struct http_header *headers;
	size_t header_count; /* Content-Type is the caller's to give; none is sent by itself */
	const void *body;    /* borrowed for the length of the call; NULL for none */
	size_t body_len;
	const struct http_source *source; /* instead of body; NULL: none. Borrowed, as sink */
	const struct http_sink *sink;     /* NULL: none */
	size_t reply_limit_bytes;         /* after decompression; more is EFBIG */
	bool idempotent; /* may be sent again after a lost reply or a 5xx; if not, it is
				     sent once, on a connection of its own */
	bool changes;    /* idempotent, but to be told as MAYBE_SENT all the same */
	int answer_ms;   /* where `until` is over once it was sent, the answer is waited for so much
				     longer, within timeout_ms: one that must not be lost; 0: not */
};

struct http_reply {
	int status;
	struct buf body;        /* decompressed */
	char content_type[128]; /* lower case, without parameters; "" if none */
	char last_modified[64]; /* header values as sent, "" if absent or too long */
	char etag[128];
	char limit_info[512];   /* Sforce-Limit-Info; names of apps may be long */
	char location[512];     /* as sent: of a 201, of a 300 */
	int64_t date_s;         /* Date header as seconds since the epoch, UTC; 0 if absent */
	int64_t retry_after_ms; /* Retry-After, from when the reply came; 0 if absent */
	int attempts;           /* how often the request was sent */
	bool lost_before;       /* an earlier attempt may have been carried out */
};

struct http_stats {
	uint64_t requests; /* sent, retries included */
	uint64_t bytes_in; /* on the wire, bodies */
	uint64_t bytes_out;
	uint64_t retries;
	int in_flight;
};

struct http;

int http_open(const struct http_config *config, struct http **ret, struct error *err);
void http_close(struct http *h); /* cancels what is in flight, joins the thread; NULL is fine */

/* Any HTTP status is a success here (0); the caller judges it. Failures: -EHOSTUNREACH (no route,
 * DNS, refused, reset), -ETIMEDOUT, -EINTR (cancelled), -EPROTO (cut or garbled reply, bad gzip),
 * -EFBIG (body over its limit), -EACCES (TLS certificate or forbidden redirect), -ENOMEM, -EINVAL
 * (a URL or header that is not to be sent), -EWOULDBLOCK (`until` is NULL).
 * The text names the host, never the path, the query or headers. After -EINTR or -ETIMEDOUT no byte
 * of `req` is touched any more. On failure ret is empty: it may be released but need not. */
int http_perform(struct http *h, const struct http_request *req, const struct until *until,
	struct http_reply *ret, struct error *err);
void http_reply_release(struct http_reply *r);

/* True if a failed request may have reached the server, by any of its attempts, and it matters: it
 * is not idempotent, or changes something. Such an error of http_perform carries the code
 * "MAYBE_SENT". */
bool http_failure_is_ambiguous(const struct error *err);

void http_get_stats(struct http *h, struct http_stats *ret);

/* Percent-encodes len bytes of s for a query value or path segment (unreserved characters stay);
 * appended to out. 0, -EFBIG, -ENOMEM. */
int http_escape(const char *s, size_t len, struct buf *out);

DEFINE_CLEANER(http_reply, struct http_reply, http_reply_release)

#endif
