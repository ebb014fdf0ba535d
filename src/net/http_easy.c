/* SPDX-License-Identifier: MIT */
/*
 * One transfer.
 *
 * curl itself sends a request again when a kept connection turns out to be dead before a byte of
 * the reply came, POSTs included; but the server may have acted on it before the connection died.
 * So a request that is not idempotent always gets a new connection: it is the one place where curl
 * never does so, and where no idle time-out and no GOAWAY of the server is about to strike either.
 * (What curl may still repeat there is a stream that an HTTP/2 server refused unread.)
 */
#include "net_priv.h"

#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"

#define KEEPALIVE_IDLE_S     30L
#define KEEPALIVE_INTERVAL_S 10L
#define UNACKED_MS           15000 /* a peer that acknowledges nothing for so long is gone */
#define BUFFER_BYTES         65536L
#define UNSENT_BYTES         131072 /* so that what a source has given has nearly left */

/* Header values kept as they were sent. */
static const struct {
	const char *name;
	size_t offset, size;
} kept[] = {
	{"last-modified", offsetof(struct http_reply, last_modified),
		sizeof(((struct http_reply *)0)->last_modified)},
	{"etag", offsetof(struct http_reply, etag), sizeof(((struct http_reply *)0)->etag)},
	{"sforce-limit-info", offsetof(struct http_reply, limit_info),
		sizeof(((struct http_reply *)0)->limit_info)},
	{"location", offsetof(struct http_reply, location),
		sizeof(((struct http_reply *)0)->location)},
};

/* Copies what fits; half an ETag or a Location would be worse than none. */
static void copy_value(char *dst, size_t size, const char *value, size_t len)
{
	if (len >= size) {
		len = 0;
	}
	memcpy(dst, value, len);
	dst[len] = '\0';
}

static void keep_content_type(struct http_reply *r, const char *value, size_t len)
{
	const char *end = memchr(value, ';', len);
	len = end ? (size_t)(end - value) : len;
	while (len > 0 && isspace((unsigned char)value[len - 1])) {
		len--;
	}
	copy_value(r->content_type, sizeof(r->content_type), value, len);
	for (char *c = r->content_type; *c; c++) {
		*c = (char)tolower((unsigned char)*c);
	}
}

static void keep_date(struct http_reply *r, const char *value, size_t len)
{
	char text[64];
	copy_value(text, sizeof(text), value, len);
	time_t date = curl_getdate(text, NULL);
	r->date_s = date > 0 ? (int64_t)date : 0;
}

static void keep_header(
	struct http_reply *r, const char *name, size_t name_len, const char *value, size_t len)
{
	if (name_len == 12 && strncasecmp(name, "content-type", 12) == 0) {
		keep_content_type(r, value, len);
	} else if (name_len == 4 && strncasecmp(name, "date", 4) == 0) {
		keep_date(r, value, len);
	}
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		if (name_len == strlen(kept[i].name) &&
			strncasecmp(name, kept[i].name, name_len) == 0) {
			copy_value((char *)r + kept[i].offset, kept[i].size, value, len);
		}
	}
}

/* Forgets the headers of an interim reply (100, 103) or of an earlier send of curl's own. */
static void forget_headers(struct http_reply *r)
{
	struct buf body = r->body;
	*r = (struct http_reply){.body = body};
}

static size_t on_header(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	size_t len = size * count;
	if (len >= 5 && memcmp(data, "HTTP/", 5) == 0) {
		forget_headers(&t->reply);
		return len;
	}
	const char *colon = memchr(data, ':', len);
	if (colon) {
		const char *value = colon + 1, *end = data + len;
		while (value < end && isspace((unsigned char)*value)) {
			value++;
		}
		while (end > value && isspace((unsigned char)end[-1])) {
			end--;
		}
		keep_header(&t->reply, data, (size_t)(colon - data), value, (size_t)(end - value));
	}
	return len;
}

/* Brackets a call of the sink or the source. False: the caller has left, nothing of it may be
 * touched any more. */
static bool stream_enter(struct transfer *t)
{
	LOCK_SCOPE(&t->http->lock);
	t->inside = !t->left;
	return t->inside;
}

static void stream_leave(struct transfer *t, bool took)
{
	LOCK_SCOPE(&t->http->lock);
	t->inside = false;
	t->taken |= took;
	t->moved_ms = clock_mono_ms();
	if (t->left) {
		pthread_cond_signal(&t->cond);
	}
}

static size_t give_to_sink(struct transfer *t, const char *data, size_t len)
{
	if (!stream_enter(t)) {
		t->stream_failed = -EINTR;
		return 0;
	}
	t->stream_failed = t->sink.take(t->sink.payload, data, len);
	stream_leave(t, true);
	return t->stream_failed < 0 ? 0 : len;
}

static bool is_for_sink(const struct transfer *t)
{
	long status = 0;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	return t->sink.take && status >= 200 && status < 300 &&
	       !(t->sink.but_type && strcmp(t->reply.content_type, t->sink.but_type) == 0);
}

static size_t on_source(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	if (!stream_enter(t)) {
		t->stream_failed = -EINTR;
		return CURL_READFUNC_ABORT;
	}
	ssize_t n = t->source.give(t->source.payload, t->given, data, size * count);
	stream_leave(t, false);
	if (n < 0) {
		t->stream_failed = (int)n;
		return CURL_READFUNC_ABORT;
	}
	t->given += (uint64_t)n;
	return (size_t)n;
}

static int on_rewind(void *arg, curl_off_t off, int origin)
{
	struct transfer *t = arg;
	if (origin != SEEK_SET || off < 0) {
		return CURL_SEEKFUNC_CANTSEEK;
	}
	t->given = (uint64_t)off;
	return CURL_SEEKFUNC_OK;
}

/* Called with decompressed bytes, so the limit holds against compressed bombs too. */
static size_t on_body(char *data, size_t size, size_t count, void *arg)
{
	struct transfer *t = arg;
	if (is_for_sink(t)) {
		return give_to_sink(t, data, size * count);
	}
	t->body_failed = buf_add(&t->reply.body, data, size * count);
	return t->body_failed < 0 ? 0 : size * count;
}

#if HAS_SEND_CALLBACK
/* Asked before each time the request is put on a connection. */
static int on_send(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	(void)peer, (void)local, (void)peer_port, (void)local_port;
	struct transfer *t = arg;
	LOCK_SCOPE(&t->http->lock);
	if (t->abandoned) {
		return CURL_PREREQFUNC_ABORT;
	}
	t->resent = t->sent;
	t->sent = true;
	return CURL_PREREQFUNC_OK;
}
#endif

/* A connection whose peer has silently gone (a laptop woke up elsewhere) must not hold up every
 * request that is multiplexed onto it until the kernel gives up after a quarter of an hour. */
static int on_socket(void *arg, curl_socket_t fd, curlsocktype purpose)
{
	(void)arg, (void)purpose;
	unsigned unacked_ms = UNACKED_MS;
	unsigned unsent_bytes = UNSENT_BYTES;
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof(unacked_ms));
	setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent_bytes, sizeof(unsent_bytes));
	return CURL_SOCKOPT_OK;
}

#define SET(option, value) (rc = rc != CURLE_OK ? rc : curl_easy_setopt(e, option, value))

static CURLcode set_callbacks(struct transfer *t, CURL *e)
{
	CURLcode rc = CURLE_OK;
	SET(CURLOPT_PRIVATE, (void *)t);
	SET(CURLOPT_ERRORBUFFER, t->curl_text);
	SET(CURLOPT_WRITEFUNCTION, on_body);
	SET(CURLOPT_WRITEDATA, (void *)t);
	SET(CURLOPT_HEADERFUNCTION, on_header);
	SET(CURLOPT_HEADERDATA, (void *)t);
	SET(CURLOPT_SOCKOPTFUNCTION, on_socket);
#if HAS_SEND_CALLBACK
	SET(CURLOPT_PREREQFUNCTION, on_send);
	SET(CURLOPT_PREREQDATA, (void *)t);
#endif
	return rc;
}

static CURLcode set_protocols(CURL *e)
{
	CURLcode rc = CURLE_OK;
#if LIBCURL_VERSION_NUM >= 0x075500
	SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
	SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
	SET(CURLOPT_FOLLOWLOCATION, 0L);
	SET(CURLOPT_ACCEPT_ENCODING, "gzip");
	/* A libcurl without HTTP/2 refuses this; it then speaks HTTP/1.1. */
	curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	return rc;
}

static CURLcode set_tls(const struct http *h, CURL *e)
{
	CURLcode rc = CURLE_OK;
	SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	SET(CURLOPT_SSL_VERIFYPEER, 1L);
	SET(CURLOPT_SSL_VERIFYHOST, 2L);
	if (h->ca_file) {
		SET(CURLOPT_CAINFO, h->ca_file);
		/* Instead of the system's store, not beside it. */
		SET(CURLOPT_CAPATH, (char *)NULL);
	}
	return rc;
}

static CURLcode set_connection(
	const struct http *h, CURL *e, const struct url_parts *url, bool fresh)
{
	CURLcode rc = CURLE_OK;
	SET(CURLOPT_NOSIGNAL, 1L);
	SET(CURLOPT_CONNECTTIMEOUT_MS, (long)h->connect_timeout_ms);
	SET(CURLOPT_TCP_NODELAY, 1L);
	SET(CURLOPT_TCP_KEEPALIVE, 1L);
	SET(CURLOPT_TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
	SET(CURLOPT_TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
	/* A wish: a handle whose last transfer failed keeps its buffer and refuses. */
	curl_easy_setopt(e, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	SET(CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
	/* Over TLS the handshake tells whether requests can share one connection. Plain HTTP tells
	 * only with the first reply, and waiting for that would put requests in a row. */
	SET(CURLOPT_PIPEWAIT, strcmp(url->scheme, "https") == 0 ? 1L : 0L);
	if (host_is_loopback(url->host)) {
		SET(CURLOPT_PROXY, ""); /* a proxy's loopback is another machine */
	} else if (h->proxy) {
		SET(CURLOPT_PROXY, h->proxy);
	}
	SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	SET(CURLOPT_QUICK_EXIT, 1L); /* else leaving a slow look-up of a name stops the worker */
#endif
	return rc;
}

static CURLcode set_method(struct transfer *t, const struct http_request *req, CURL *e)
{
	CURLcode rc = CURLE_OK;
	if (strcmp(req->method, "HEAD") == 0) {
		SET(CURLOPT_NOBODY, 1L);
		return rc;
	}
	if (req->source) {
		SET(CURLOPT_UPLOAD, 1L);
		SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)req->source->len);
		SET(CURLOPT_READFUNCTION, on_source);
		SET(CURLOPT_READDATA, (void *)t);
		SET(CURLOPT_SEEKFUNCTION, on_rewind);
		SET(CURLOPT_SEEKDATA, (void *)t);
		SET(CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES);
	} else if (req->body || strcmp(req->method, "POST") == 0) {
		SET(CURLOPT_POST, 1L);
		SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)(req->body ? req->body_len : 0));
		SET(CURLOPT_COPYPOSTFIELDS, req->body ? req->body : "");
	}
	SET(CURLOPT_CUSTOMREQUEST, req->method);
	return rc;
}

/* Appends "name: value"; a NULL value tells curl to leave its own header of that name out. */
static int add_header(struct curl_slist **list, const char *name, const char *value)
{
	/* "name;" is curl's way to ask for a header without a value. */
	const char *between = !value ? ":" : value[0] ? ": " : ";";
	AUTO_FREE char *line = NULL;
	if (asprintf(&line, "%s%s%s", name, between, value ? value : "") < 0) {
		line = NULL;
		return -ENOMEM;
	}
	struct curl_slist *longer = curl_slist_append(*list, line);
	if (!longer) {
		return -ENOMEM;
	}
	*list = longer;
	return 0;
}

static int add_headers(struct transfer *t, const struct http_request *req)
{
	bool typed = false;
	int r = 0;
	for (size_t i = 0; i < req->header_count && r == 0; i++) {
		typed |= strcasecmp(req->headers[i].name, "Content-Type") == 0;
		r = add_header(&t->headers, req->headers[i].name, req->headers[i].value);
	}
	if (r == 0 && !typed) {
		r = add_header(&t->headers, "Content-Type", NULL); /* curl would say form data */
	}
	return r < 0 ? r : add_header(&t->headers, "Expect", NULL);
}

static CURL *easy_get(struct http *h)
{
	pthread_mutex_lock(&h->lock);
	CURL *e = h->spare_count > 0 ? h->spare[--h->spare_count] : NULL;
	pthread_mutex_unlock(&h->lock);
	return e ? e : curl_easy_init();
}

static void easy_put(struct http *h, CURL *e)
{
	curl_easy_reset(e);
	pthread_mutex_lock(&h->lock);
	bool keep = h->spare_count < HTTP_MAX_SPARE;
	if (keep) {
		h->spare[h->spare_count++] = e;
	}
	pthread_mutex_unlock(&h->lock);
	if (!keep) {
		curl_easy_cleanup(e);
	}
}

static int set_all(struct transfer *t, const struct http_request *req, const char *url, bool fresh)
{
	struct http *h = t->http;
	struct url_parts parts;
	if (!url_parse(url, &parts)) {
		return -EINVAL;
	}
	if (add_headers(t, req) < 0) {
		return -ENOMEM;
	}
	CURL *e = t->easy;
	CURLcode rc = set_callbacks(t, e);
	rc = rc ? rc : set_protocols(e);
	rc = rc ? rc : set_tls(h, e);
	rc = rc ? rc : set_connection(h, e, &parts, fresh || !req->idempotent);
	rc = rc ? rc : set_method(t, req, e);
	SET(CURLOPT_URL, url);
	SET(CURLOPT_USERAGENT, h->user_agent);
	SET(CURLOPT_HTTPHEADER, t->headers);
	return rc == CURLE_OK ? 0 : rc == CURLE_OUT_OF_MEMORY ? -ENOMEM : -EINVAL;
}

int transfer_new(struct http *h, const struct http_request *req, const char *url, bool fresh,
	struct transfer **ret, struct error *err)
{
	AUTO(transfer) struct transfer *t = calloc(1, sizeof(*t));
	if (!t) {
		return error_set(err, ENOMEM, "out of memory");
	}
	t->http = h;
	t->sink = req->sink ? *req->sink : (struct http_sink){0};
	t->source = req->source ? *req->source : (struct http_source){0};
	buf_init(&t->reply.body, req->reply_limit_bytes);
	clock_cond_init(&t->cond);
	t->easy = easy_get(h);
	int r = t->easy ? set_all(t, req, url, fresh) : -ENOMEM;
	if (r < 0) {
		return error_set(err, -r, "%s",
			r == -ENOMEM ? "out of memory" : "libcurl does not accept this request");
	}
	*ret = take_ptr(&t);
	return 0;
}

void transfer_free(struct transfer *t)
{
	if (!t) {
		return;
	}
	if (t->easy) {
		easy_put(t->http, t->easy);
	}
	curl_slist_free_all(t->headers);
	http_reply_release(&t->reply);
	pthread_cond_destroy(&t->cond);
	free(t);
}
