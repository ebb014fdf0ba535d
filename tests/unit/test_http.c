/* SPDX-License-Identifier: MIT */
/* HTTP against a small server on loopback that behaves well and badly. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/thread.h"
#include "forcefs/net/http.h"
#include "loopback_server.h"

/* "hello " twenty times. */
static const unsigned char gzip_hello[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
	0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0xa0, 0x3b, 0x09, 0x00, 0x2f, 0xfa, 0xf8,
	0x48, 0x78, 0x00, 0x00, 0x00};

/* A hundred thousand zero bytes. */
static const unsigned char gzip_zeros[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02,
	0x03, 0xed, 0xc1, 0x31, 0x01, 0x00, 0x00, 0x00, 0xc2, 0xa0, 0xf5, 0x4f, 0x6d, 0x0d, 0x0f,
	0xa0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, 0x57, 0x03, 0x7d, 0x95, 0x11, 0xd4, 0xa0,
	0x86, 0x01, 0x00};

/* --- how the server answers --- */

static bool answer_ok(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_reply(fd, "200 OK",
		"Content-Type: Application/JSON;charset=UTF-8\r\n"
		"Last-Modified: Tue, 05 Mar 2024 10:20:30 GMT\r\n"
		"ETag: \"ddpA--gzip\"\r\n"
		"sforce-limit-info:   api-usage=18/15000  \r\n"
		"Date: Tue, 05 Mar 2024 10:20:31 GMT\r\n",
		"hello", 5);
}

static bool answer_echo(struct server *s, int fd, const struct server_request *req)
{
	(void)s;
	char text[1200];
	snprintf(text, sizeof(text), "%s %.1000s", req->method, req->body);
	return server_reply(fd, "200 OK", "", text, strlen(text));
}

static bool answer_created(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_reply(fd, "201 Created", "Location: /sobjects/Account/001\r\n", "", 0);
}

static bool answer_head(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nETag: e\r\n\r\n");
	return true;
}

static bool answer_slow(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	poll(NULL, 0, 5);
	return server_reply(fd, "200 OK", "", "slow", 4);
}

static bool answer_interim(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(fd, "HTTP/1.1 103 Early Hints\r\nETag: early\r\nLocation: /x\r\n\r\n");
	return server_reply(fd, "200 OK", "", "late", 4);
}

static bool answer_long_headers(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	char head[1024];
	snprintf(head, sizeof(head),
		"ETag: %0200d\r\nX-Other: y\r\n"
		"Sforce-Limit-Info: api-usage=25/5000; per-app-api-usage=17/250(appName=%0240d)"
		"\r\n",
		0, 0);
	return server_reply(fd, "200 OK", head, "", 0);
}

static bool answer_gzip(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_reply(
		fd, "200 OK", "Content-Encoding: gzip\r\n", gzip_hello, sizeof(gzip_hello));
}

static bool answer_zeros(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_reply(
		fd, "200 OK", "Content-Encoding: gzip\r\n", gzip_zeros, sizeof(gzip_zeros));
}

static bool answer_bad_gzip(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	unsigned char bad[sizeof(gzip_hello)];
	memcpy(bad, gzip_hello, sizeof(bad));
	memset(bad + 10, 0xff, sizeof(bad) - 10);
	return server_reply(fd, "200 OK", "Content-Encoding: gzip\r\n", bad, sizeof(bad));
}

static bool answer_chunked(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			     "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
	return true;
}

static bool answer_cut_chunked(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel");
	return false;
}

static bool answer_cut(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
	return false;
}

static bool answer_bad_chunk(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(
		fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n");
	return false;
}

static bool answer_bad_length(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello");
	return false;
}

static bool answer_garbage(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(fd, "!GARBAGE 200 what\r\n\r\nhello");
	return false;
}

static bool answer_nothing(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)fd, (void)req;
	return false;
}

static bool answer_reset(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	struct linger now = {.l_onoff = 1, .l_linger = 0};
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	struct sockaddr away = {.sa_family = AF_UNSPEC};
	connect(fd, &away, sizeof(away)); /* resets the connection and keeps the number */
	return false;
}

static bool answer_stall(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_stall(fd);
}

static bool answer_stall_body(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello");
	return server_stall(fd);
}

static bool answer_stall_once(struct server *s, int fd, const struct server_request *req)
{
	return req->hit == 1 ? server_stall(fd) : answer_ok(s, fd, req);
}

static bool answer_busy_twice(struct server *s, int fd, const struct server_request *req)
{
	return req->hit <= 2 ? server_reply(fd, "503 Busy", "", "busy", 4) : answer_ok(s, fd, req);
}

static bool answer_busy(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_reply(fd, "503 Busy", "", "busy", 4);
}

static bool answer_later(struct server *s, int fd, const struct server_request *req)
{
	return req->hit == 1 ? server_reply(fd, "503 Busy", "Retry-After: 3\r\n", "", 0)
			     : answer_ok(s, fd, req);
}

static bool answer_later_by_date(struct server *s, int fd, const struct server_request *req)
{
	char head[128], date[64];
	time_t then = time(NULL) + 4;
	struct tm tm;
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
	snprintf(head, sizeof(head), "Retry-After: %s\r\n", date);
	return req->hit == 1 ? server_reply(fd, "503 Busy", head, "", 0) : answer_ok(s, fd, req);
}

static bool answer_much_later(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_reply(fd, "503 Busy", "Retry-After: 3600\r\n", "", 0);
}

/* So late that milliseconds do not fit into 64 bits. */
static bool answer_never(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_reply(fd, "503 Busy", "Retry-After: 18446744073709552\r\n", "", 0);
}

/* Works on a new connection; on a kept one the connection dies before the reply. */
static bool answer_dies_when_reused(struct server *s, int fd, const struct server_request *req)
{
	return req->on_connection == 1 ? answer_ok(s, fd, req) : false;
}

static bool answer_redirect(struct server *s, int fd, const struct server_request *req)
{
	static const char *const statuses[] = {
		"301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"};
	char head[600];
	snprintf(head, sizeof(head), "Location: %s\r\n", s->target);
	return server_reply(fd, statuses[(req->hit - 1) % 5], head, "moved", 5);
}

static bool answer_300(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_reply(fd, "300 Multiple Choices", "", "[1,2]", 5);
}

static const struct server_route routes[] = {
	{"/ok", answer_ok},
	{"/echo", answer_echo},
	{"/created", answer_created},
	{"/head", answer_head},
	{"/slow", answer_slow},
	{"/interim", answer_interim},
	{"/long-headers", answer_long_headers},
	{"/gzip", answer_gzip},
	{"/zeros", answer_zeros},
	{"/bad-gzip", answer_bad_gzip},
	{"/chunked", answer_chunked},
	{"/cut-chunked", answer_cut_chunked},
	{"/cut", answer_cut},
	{"/bad-chunk", answer_bad_chunk},
	{"/bad-length", answer_bad_length},
	{"/garbage", answer_garbage},
	{"/nothing", answer_nothing},
	{"/reset", answer_reset},
	{"/stall", answer_stall},
	{"/stall-body", answer_stall_body},
	{"/stall-once", answer_stall_once},
	{"/busy-twice", answer_busy_twice},
	{"/busy", answer_busy},
	{"/later", answer_later},
	{"/later-by-date", answer_later_by_date},
	{"/much-later", answer_much_later},
	{"/never", answer_never},
	{"/dies-when-reused", answer_dies_when_reused},
	{"/redirect", answer_redirect},
	{"/300", answer_300},
	{NULL, NULL},
};

/* --- what the tests share --- */

static struct server server;
static struct http *http;

/* A clock that runs fifty times as fast, so that the waits between attempts pass quickly. */
#define SPEED 50

static int64_t real_ms(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t fast_mono_ms(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000) * SPEED / 1000;
}

static int64_t wall_ms(void)
{
	return real_ms(CLOCK_REALTIME);
}

static const struct clock_table fast_clock = {fast_mono_ms, wall_ms};

static int open_all(int timeout_ms)
{
	static const char *const hosts[] = {".salesforce.com", NULL};
	struct http_config config = {
		.user_agent = "forcefs-test/1",
		.timeout_ms = timeout_ms,
		.connect_timeout_ms = 5000,
		.max_connections = 8,
		.hosts = hosts,
	};
	return server_start(&server, routes) < 0 ? -1 : http_open(&config, &http, NULL);
}

static int set_up(void **state)
{
	(void)state;
	return open_all(60000);
}

/* With time running fast; an attempt may take 20 s of it, which is 400 ms. */
static int set_up_fast(void **state)
{
	(void)state;
	clock_replace(&fast_clock);
	return open_all(20000);
}

static int tear_down(void **state)
{
	(void)state;
	http_close(http);
	http = NULL;
	server_stop(&server);
	clock_replace(NULL);
	return 0;
}

static const char *url_of(char *space, size_t size, const char *path)
{
	snprintf(space, size, "http://127.0.0.1:%d%s", server.port, path);
	return space;
}

static struct until patience(int64_t ms)
{
	return (struct until){.deadline_ms = clock_mono_ms() + ms};
}

static struct http_request request(const char *method, const char *url)
{
	return (struct http_request){
		.method = method,
		.url = url,
		.reply_limit_bytes = 10000,
		.idempotent = strcmp(method, "POST") != 0,
	};
}

/* One request for a path, with plenty of time. */
static int ask(const char *method, const char *path, struct http_reply *ret, struct error *err)
{
	char url[300];
	struct http_request req = request(method, url_of(url, sizeof(url), path));
	struct until u = patience(600000);
	return http_perform(http, &req, &u, ret, err);
}

static struct http_stats stats(void)
{
	struct http_stats s;
	http_get_stats(http, &s);
	return s;
}

/* A text that says something, names the host and keeps paths and queries to itself. */
static void check_text(const struct error *e)
{
	assert_non_null(strstr(e->text, "127.0.0.1"));
	assert_null(strstr(e->text, "hush"));
}

/* --- plain replies --- */

static void test_http__reply_with_its_headers(void **state)
{
	(void)state;
	AUTO(http_reply) struct http_reply r;
	struct error e = {.errnum = 77};
	assert_int_equal(ask("GET", "/ok", &r, &e), 0);
	assert_int_equal(r.status, 200);
	assert_string_equal(buf_str(&r.body), "hello");
	assert_string_equal(r.content_type, "application/json");
	assert_string_equal(r.last_modified, "Tue, 05 Mar 2024 10:20:30 GMT");
	assert_string_equal(r.etag, "\"ddpA--gzip\"");
	assert_string_equal(r.limit_info, "api-usage=18/15000");
	assert_string_equal(r.location, "");
	assert_int_equal(r.date_s, 1709634031);
	assert_int_equal(r.attempts, 1);
	assert_int_equal(e.errnum, 77); /* success touches no error */
}

static void test_http__methods_bodies_and_headers_go_out(void **state)
{
	(void)state;
	static const char *const methods[] = {"POST", "PATCH", "DELETE", "GET"};
	const struct http_header headers[] = {{"Authorization", "Bearer hush"},
		{"Content-Type", "application/json"}, {"X-Empty", ""}};
	for (size_t i = 0; i < 4; i++) {
		char url[300], expected[64];
		struct http_request req = request(methods[i], url_of(url, sizeof(url), "/echo"));
		req.headers = headers;
		req.header_count = 3;
		req.body = "{\"a\":1}";
		req.body_len = 7;
		struct until u = patience(10000);
		AUTO(http_reply) struct http_reply r;
		assert_int_equal(http_perform(http, &req, &u, &r, NULL), 0);
		snprintf(expected, sizeof(expected), "%s {\"a\":1}", methods[i]);
		assert_string_equal(buf_str(&r.body), expected);
		struct server_request seen;
		server_last(&server, &seen);
		assert_non_null(strstr(seen.headers, "\r\nAuthorization: Bearer hush\r\n"));
		assert_non_null(strstr(seen.headers, "\r\nContent-Type: application/json\r\n"));
		assert_non_null(strstr(seen.headers, "\r\nX-Empty:"));
		assert_non_null(strstr(seen.headers, "\r\nUser-Agent: forcefs-test/1\r\n"));
		assert_non_null(strstr(seen.headers, "\r\nAccept-Encoding: gzip\r\n"));
		assert_null(strcasestr(seen.headers, "\r\nExpect:"));
		assert_null(strcasestr(seen.headers, "\r\nCookie:"));
	}
}

static void test_http__nothing_is_added_to_an_empty_post(void **state)
{
	(void)state;
	AUTO(http_reply) struct http_reply r;
	assert_int_equal(ask("POST", "/echo", &r, NULL), 0);
	assert_string_equal(buf_str(&r.body), "POST ");
	struct server_request seen;
	server_last(&server, &seen);
	assert_non_null(strstr(seen.headers, "\r\nContent-Length: 0\r\n"));
	assert_null(strcasestr(seen.headers, "\r\nContent-Type:"));
}

static void test_http__head_and_location(void **state)
{
	(void)state;
	AUTO(http_reply) struct http_reply head, created, choices;
	assert_int_equal(ask("HEAD", "/head", &head, NULL), 0);
	assert_string_equal(head.etag, "e");
	assert_int_equal(head.body.len, 0);
	assert_int_equal(ask("POST", "/created", &created, NULL), 0);
	assert_int_equal(created.status, 201);
	assert_string_equal(created.location, "/sobjects/Account/001");
	assert_int_equal(ask("GET", "/300", &choices, NULL), 0);
	assert_int_equal(choices.status, 300);
	assert_string_equal(buf_str(&choices.body), "[1,2]");
}

static void test_http__every_status_is_a_success(void **state)
{
	(void)state;
	AUTO(http_reply) struct http_reply r;
	assert_int_equal(ask("GET", "/no-such-path", &r, NULL), 0);
	assert_int_equal(r.status, 404);
	assert_int_equal(r.attempts, 1);
}

static void test_http__headers_of_interim_replies_are_forgotten(void **state)
{
	(void)state;
	AUTO(http_reply) struct http_reply r;
	assert_int_equal(ask("GET", "/interim", &r, NULL), 0);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.etag, "");
	assert_string_equal(r.location, "");
	assert_string_equal(buf_str(&r.body), "late");
}

static void test_http__a_header_that_does_not_fit_is_absent(void **state)
{
	(void)state;
	AUTO(http_reply) struct http_reply r;
	assert_int_equal(ask("GET", "/long-headers", &r, NULL), 0);
	assert_string_equal(r.etag, "");
	/* Names of apps are long: 80 characters of any language. */
	assert_true(!strncmp(r.limit_info, "api-usage=25/5000;", 18));
}

static void test_http__gzip_and_chunked(void **state)
{
	(void)state;
	AUTO(http_reply) struct http_reply zipped, chunked;
	assert_int_equal(ask("GET", "/gzip", &zipped, NULL), 0);
	assert_int_equal(zipped.body.len, 120);
	assert_memory_equal(zipped.body.data, "hello hello ", 12);
	assert_int_equal(stats().bytes_in, sizeof(gzip_hello)); /* as on the wire */
	assert_int_equal(ask("GET", "/chunked", &chunked, NULL), 0);
	assert_string_equal(buf_str(&chunked.body), "hello world");
}

static void test_http__connections_are_kept(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		AUTO(http_reply) struct http_reply r;
		assert_int_equal(ask(i % 2 ? "GET" : "PATCH", "/ok", &r, NULL), 0);
	}
	assert_int_equal(server_connections(&server), 1);
	assert_int_equal(stats().requests, 10);
	assert_int_equal(stats().in_flight, 0);
}

/* --- limits --- */

static void test_http__body_limit_counts_decompressed_bytes(void **state)
{
	(void)state;
	AUTO(http_reply) struct http_reply r;
	struct error e;
	assert_int_equal(ask("GET", "/zeros?hush", &r, &e), -EFBIG);
	check_text(&e);
	assert_int_equal(server_hits(&server, "/zeros"), 1); /* not tried again */
	char url[300];
	struct http_request req = request("GET", url_of(url, sizeof(url), "/zeros"));
	struct until u = patience(10000);
	req.reply_limit_bytes = 100000;
	assert_int_equal(http_perform(http, &req, &u, &r, &e), 0);
	assert_int_equal(r.body.len, 100000);
	http_reply_release(&r);
	req.reply_limit_bytes = 99999;
	assert_int_equal(http_perform(http, &req, &u, &r, &e), -EFBIG);
}

static void test_http__unsafe_requests_are_refused_unsent(void **state)
{
	(void)state;
	struct until u = patience(10000);
	struct http_reply r;
	struct error e;
	char url[300];
	struct http_request req = request("GET", "http://login.salesforce.com/hush");
	assert_int_equal(http_perform(http, &req, &u, &r, &e), -EINVAL);
	assert_null(strstr(e.text, "hush"));
	const struct http_header bad[] = {{"X-A", "b\r\nX-C: d"}};
	req = request("GET", url_of(url, sizeof(url), "/ok"));
	req.headers = bad;
	req.header_count = 1;
	assert_int_equal(http_perform(http, &req, &u, &r, &e), -EINVAL);
	req = request("BREW", url);
	assert_int_equal(http_perform(http, &req, &u, &r, &e), -EINVAL);
	req = request("GET", url);
	assert_int_equal(http_perform(http, &req, NULL, &r, &e), -EWOULDBLOCK);
	u.deadline_ms = clock_mono_ms();
	assert_int_equal(http_perform(http, &req, &u, &r, &e), -ETIMEDOUT);
	assert_int_equal(stats().requests, 0);
	assert_int_equal(server_connections(&server), 0);
}

/* --- broken transfers: time runs fast in these --- */

static void test_http__broken_replies(void **state)
{
	(void)state;
	static const struct {
		const char *path;
		int result;
	} rows[] = {
		{"/cut", -EPROTO},
		{"/cut-chunked", -EPROTO},
		{"/bad-chunk", -EPROTO},
		{"/bad-length", -EPROTO},
		{"/bad-gzip", -EPROTO},
		{"/garbage", -EPROTO},
		{"/nothing", -EHOSTUNREACH},
		{"/reset", -EHOSTUNREACH},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct http_reply r;
		struct error e;
		char path[64];
		snprintf(path, sizeof(path), "%s?hush", rows[i].path);
		assert_int_equal(ask("GET", path, &r, &e), rows[i].result);
		check_text(&e);
		assert_int_equal(server_hits(&server, rows[i].path), 5);
		assert_false(http_failure_is_ambiguous(&e)); /* GET can be sent again at will */
		assert_int_equal(ask("POST", path, &r, &e), rows[i].result);
		assert_int_equal(server_hits(&server, rows[i].path), 6);
		assert_true(http_failure_is_ambiguous(&e));
	}
}

static void test_http__refused_port(void **state)
{
	(void)state;
	struct server gone;
	assert_int_equal(server_start(&gone, routes), 0);
	server_stop(&gone);
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%d/hush", gone.port);
	struct until u = patience(600000);
	struct http_reply r;
	struct error e;
	struct http_request req = request("GET", url);
	assert_int_equal(http_perform(http, &req, &u, &r, &e), -EHOSTUNREACH);
	check_text(&e);
	assert_int_equal(stats().requests, 5);
	/* Nothing was sent, so even what may be sent once is tried again, and nothing is in doubt.
	 */
	req = request("POST", url);
	assert_int_equal(http_perform(http, &req, &u, &r, &e), -EHOSTUNREACH);
	assert_int_equal(stats().requests, 10);
	assert_false(http_failure_is_ambiguous(&e));
}

static void test_http__unknown_host(void **state)
{
	(void)state;
	struct until u = patience(100000); /* 2 s */
	struct http_reply r;
	struct error e;
	struct http_request req = request("POST", "https://no-such-host.invalid/hush");
	int result = http_perform(http, &req, &u, &r, &e);
	assert_true(result == -EHOSTUNREACH || result == -ETIMEDOUT);
	assert_non_null(strstr(e.text, "no-such-host.invalid"));
	assert_null(strstr(e.text, "hush"));
	assert_false(http_failure_is_ambiguous(&e));
}

static void test_http__busy_is_asked_again(void **state)
{
	(void)state;
	AUTO(http_reply) struct http_reply r, last, posted;
	struct error e = {.errnum = 77};
	int64_t before = clock_mono_ms();
	assert_int_equal(ask("GET", "/busy-twice", &r, &e), 0);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.attempts, 3);
	assert_string_equal(buf_str(&r.body), "hello");
	assert_true(clock_mono_ms() - before >= 250 + 500);
	assert_int_equal(stats().retries, 2);
	assert_int_equal(e.errnum, 77);
	assert_int_equal(ask("GET", "/busy", &last, &e), 0);
	assert_int_equal(last.status, 503);
	assert_int_equal(last.attempts, 5);
	assert_int_equal(ask("POST", "/busy", &posted, &e), 0);
	assert_int_equal(posted.status, 503);
	assert_int_equal(posted.attempts, 1);
}

static void test_http__retry_after(void **state)
{
	(void)state;
	AUTO(http_reply) struct http_reply seconds, date, never;
	int64_t before = clock_mono_ms();
	assert_int_equal(ask("GET", "/later", &seconds, NULL), 0);
	assert_int_equal(seconds.status, 200);
	assert_int_equal(seconds.attempts, 2);
	assert_true(clock_mono_ms() - before >= 3000);
	before = clock_mono_ms();
	assert_int_equal(ask("GET", "/later-by-date", &date, NULL), 0);
	assert_int_equal(date.status, 200);
	assert_true(clock_mono_ms() - before >= 2000);
	assert_int_equal(ask("GET", "/much-later", &never, NULL), 0);
	assert_int_equal(never.status, 503);
	assert_int_equal(never.attempts, 1);
	http_reply_release(&never);
	assert_int_equal(ask("GET", "/never", &never, NULL), 0);
	assert_int_equal(never.status, 503);
	assert_int_equal(never.attempts, 1);
}

static void test_http__no_retry_past_the_deadline(void **state)
{
	(void)state;
	char url[300];
	struct http_request req = request("GET", url_of(url, sizeof(url), "/later"));
	struct until u = patience(2500); /* asked to come back after 3000 */
	AUTO(http_reply) struct http_reply r;
	assert_int_equal(http_perform(http, &req, &u, &r, NULL), 0);
	assert_int_equal(r.status, 503);
}

static void test_http__an_attempt_that_takes_too_long_is_given_up(void **state)
{
	(void)state;
	AUTO(http_reply) struct http_reply r;
	assert_int_equal(ask("GET", "/stall-once", &r, NULL), 0);
	assert_int_equal(r.status, 200);
	assert_int_equal(r.attempts, 2);
}

/* --- sent once --- */

/* On a kept connection curl would send it again when that dies; so it gets a new one. */
static void test_http__a_post_is_never_sent_twice_behind_our_back(void **state)
{
	(void)state;
	for (int i = 1; i <= 5; i++) {
		AUTO(http_reply) struct http_reply first, second;
		assert_int_equal(ask("GET", "/ok", &first, NULL), 0);
		assert_int_equal(ask("POST", "/dies-when-reused", &second, NULL), 0);
		assert_int_equal(second.status, 200);
		assert_int_equal(second.attempts, 1);
		assert_int_equal(server_hits(&server, "/dies-when-reused"), i);
	}
}

static void test_http__what_may_be_repeated_survives_a_dead_connection(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		AUTO(http_reply) struct http_reply first, r;
		assert_int_equal(ask("GET", "/ok", &first, NULL), 0);
		assert_int_equal(ask("GET", "/dies-when-reused", &r, NULL), 0);
		assert_int_equal(r.status, 200);
		assert_true(r.lost_before); /* curl's own second send counts too */
	}
}

/* --- redirects --- */

static void test_http__redirects_keep_method_and_body(void **state)
{
	(void)state;
	snprintf(server.target, sizeof(server.target), "http://127.0.0.1:%d/echo", server.port);
	for (int i = 0; i < 5; i++) { /* 301 302 303 307 308 */
		char url[300];
		struct http_request req = request("POST", url_of(url, sizeof(url), "/redirect"));
		struct until u = patience(10000);
		req.body = "code=1";
		req.body_len = 6;
		AUTO(http_reply) struct http_reply r;
		assert_int_equal(http_perform(http, &req, &u, &r, NULL), 0);
		assert_int_equal(r.status, 200);
		assert_string_equal(buf_str(&r.body), "POST code=1");
		assert_int_equal(r.attempts, 2);
	}
}

static void test_http__relative_redirect(void **state)
{
	(void)state;
	snprintf(server.target, sizeof(server.target), "/ok");
	AUTO(http_reply) struct http_reply r;
	assert_int_equal(ask("GET", "/redirect", &r, NULL), 0);
	assert_string_equal(buf_str(&r.body), "hello");
}

static void test_http__redirects_to_other_hosts_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *target, *named;
	} rows[] = {
		{"https://evil.example/hush", "evil.example"},
		{"http://a.salesforce.com/hush", "a.salesforce.com"},
		{"file:///etc/hush", "unusable"},
	};
	struct http_reply r;
	struct error e;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(server.target, sizeof(server.target), "%s", rows[i].target);
		assert_int_equal(ask("POST", "/redirect?hush", &r, &e), -EACCES);
		assert_non_null(strstr(e.text, rows[i].named));
		check_text(&e);
		assert_false(http_failure_is_ambiguous(&e)); /* a redirect does nothing */
	}
	/* This server by another name: were it followed, it would be asked. */
	snprintf(server.target, sizeof(server.target), "http://localhost:%d/ok", server.port);
	assert_int_equal(ask("GET", "/redirect", &r, &e), -EACCES);
	assert_int_equal(server_hits(&server, "/ok"), 0);
}

static void test_http__redirect_circle(void **state)
{
	(void)state;
	snprintf(server.target, sizeof(server.target), "/redirect");
	struct http_reply r;
	struct error e;
	assert_int_equal(ask("GET", "/redirect", &r, &e), -EPROTO);
	check_text(&e);
	assert_int_equal(server_hits(&server, "/redirect"), 6);
}

/* --- leaving early --- */

static void test_http__deadline(void **state)
{
	(void)state;
	static const char *const paths[] = {"/stall", "/stall-body"};
	for (size_t i = 0; i < 2; i++) {
		char url[300];
		struct http_request req = request("POST", url_of(url, sizeof(url), paths[i]));
		struct until u = patience(100);
		struct http_reply r;
		struct error e;
		int64_t before = real_ms(CLOCK_MONOTONIC);
		assert_int_equal(http_perform(http, &req, &u, &r, &e), -ETIMEDOUT);
		assert_true(real_ms(CLOCK_MONOTONIC) - before < 2000);
		check_text(&e);
		assert_true(http_failure_is_ambiguous(&e));
	}
}

struct canceller {
	struct cancel token;
	const char *path;
	int64_t fired_ms;
};

static void *cancel_after_hit(void *arg)
{
	struct canceller *c = arg;
	server_wait_hits(&server, c->path, 1);
	c->fired_ms = real_ms(CLOCK_MONOTONIC);
	cancel_fire(&c->token);
	return NULL;
}

static void test_http__cancel_in_the_middle_returns_at_once(void **state)
{
	(void)state;
	static const char *const paths[] = {"/stall", "/stall-body"};
	for (size_t i = 0; i < 2; i++) {
		struct canceller c = {.path = paths[i]};
		cancel_init(&c.token);
		pthread_t thread;
		assert_int_equal(thread_start(&thread, "test", cancel_after_hit, &c, NULL), 0);
		char url[300];
		struct http_request req = request("POST", url_of(url, sizeof(url), paths[i]));
		char *body = calloc(1, 50000);
		req.body = body;
		req.body_len = 50000;
		struct until u = {clock_mono_ms() + 60000, &c.token};
		struct http_reply r;
		struct error e;
		assert_int_equal(http_perform(http, &req, &u, &r, &e), -EINTR);
		free(body); /* no byte of the request is touched any more */
		pthread_join(thread, NULL);
		assert_true(real_ms(CLOCK_MONOTONIC) - c.fired_ms < 1000);
		assert_true(http_failure_is_ambiguous(&e));
		assert_int_equal(http_perform(http, &req, &u, &r, &e), -EINTR);
		cancel_release(&c.token);
	}
	for (int i = 0; i < 1000 && stats().in_flight > 0; i++) {
		poll(NULL, 0, 1);
	}
	assert_int_equal(stats().in_flight, 0);
	assert_int_equal(stats().requests, 2);
}

static void test_http__cancel_between_attempts(void **state)
{
	(void)state;
	struct canceller c = {.path = "/later"};
	cancel_init(&c.token);
	pthread_t thread;
	assert_int_equal(thread_start(&thread, "test", cancel_after_hit, &c, NULL), 0);
	char url[300];
	struct http_request req = request("GET", url_of(url, sizeof(url), "/later"));
	struct until u = {clock_mono_ms() + 60000, &c.token};
	struct http_reply r;
	assert_int_equal(http_perform(http, &req, &u, &r, NULL), -EINTR);
	pthread_join(thread, NULL);
	assert_true(real_ms(CLOCK_MONOTONIC) - c.fired_ms < 1000);
	cancel_release(&c.token);
}

/* --- many at once --- */

struct asker {
	pthread_t thread;
	const char *path;
	int result;
	int status;
	struct error err;
};

static void *ask_in_thread(void *arg)
{
	struct asker *a = arg;
	AUTO(http_reply) struct http_reply r;
	a->result = ask("GET", a->path, &r, &a->err);
	a->status = r.status;
	return NULL;
}

static void start_askers(struct asker *askers, int count, const char *path)
{
	for (int i = 0; i < count; i++) {
		askers[i].path = path;
		assert_int_equal(
			thread_start(&askers[i].thread, "ask", ask_in_thread, &askers[i], NULL), 0);
	}
}

static void test_http__sixty_four_at_once(void **state)
{
	(void)state;
	static struct asker askers[64];
	start_askers(askers, 64, "/slow");
	for (int i = 0; i < 64; i++) {
		pthread_join(askers[i].thread, NULL);
		assert_int_equal(askers[i].result, 0);
		assert_int_equal(askers[i].status, 200);
	}
	assert_int_equal(server_hits(&server, "/slow"), 64);
	assert_in_range(server_connections(&server), 2, 8);
	assert_int_equal(stats().in_flight, 0);
}

static void test_http__deadline_holds_in_the_queue_too(void **state)
{
	(void)state;
	static struct asker askers[8];
	start_askers(askers, 8, "/stall"); /* takes every connection there may be */
	server_wait_hits(&server, "/stall", 8);
	char url[300];
	struct http_request req = request("POST", url_of(url, sizeof(url), "/ok"));
	struct until u = patience(50);
	struct http_reply r;
	struct error e;
	assert_int_equal(http_perform(http, &req, &u, &r, &e), -ETIMEDOUT);
	assert_false(http_failure_is_ambiguous(&e)); /* it never left the queue */
	http_close(http);
	for (int i = 0; i < 8; i++) {
		pthread_join(askers[i].thread, NULL);
	}
	http = NULL;
	assert_int_equal(server_hits(&server, "/ok"), 0);
}

static void test_http_close__ends_what_is_in_flight(void **state)
{
	(void)state;
	static struct asker stalled[4], resting[4];
	start_askers(stalled, 4, "/stall");
	start_askers(resting, 4, "/later");
	server_wait_hits(&server, "/stall", 4);
	server_wait_hits(&server, "/later", 1);
	int64_t before = real_ms(CLOCK_MONOTONIC);
	http_close(http);
	http = NULL;
	assert_true(real_ms(CLOCK_MONOTONIC) - before < 1000);
	for (int i = 0; i < 4; i++) {
		pthread_join(stalled[i].thread, NULL);
		assert_int_equal(stalled[i].result, -EINTR);
		pthread_join(resting[i].thread, NULL);
	}
	http_close(NULL);
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define FAST_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_fast, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_http__reply_with_its_headers),
		TEST(test_http__methods_bodies_and_headers_go_out),
		TEST(test_http__nothing_is_added_to_an_empty_post),
		TEST(test_http__head_and_location),
		TEST(test_http__every_status_is_a_success),
		TEST(test_http__headers_of_interim_replies_are_forgotten),
		TEST(test_http__a_header_that_does_not_fit_is_absent),
		TEST(test_http__gzip_and_chunked),
		TEST(test_http__connections_are_kept),
		TEST(test_http__body_limit_counts_decompressed_bytes),
		TEST(test_http__unsafe_requests_are_refused_unsent),
		FAST_TEST(test_http__broken_replies),
		FAST_TEST(test_http__refused_port),
		FAST_TEST(test_http__unknown_host),
		FAST_TEST(test_http__busy_is_asked_again),
		FAST_TEST(test_http__retry_after),
		FAST_TEST(test_http__no_retry_past_the_deadline),
		FAST_TEST(test_http__an_attempt_that_takes_too_long_is_given_up),
		TEST(test_http__a_post_is_never_sent_twice_behind_our_back),
		TEST(test_http__what_may_be_repeated_survives_a_dead_connection),
		TEST(test_http__redirects_keep_method_and_body),
		TEST(test_http__relative_redirect),
		TEST(test_http__redirects_to_other_hosts_are_refused),
		TEST(test_http__redirect_circle),
		TEST(test_http__deadline),
		TEST(test_http__cancel_in_the_middle_returns_at_once),
		TEST(test_http__cancel_between_attempts),
		TEST(test_http__sixty_four_at_once),
		TEST(test_http__deadline_holds_in_the_queue_too),
		TEST(test_http_close__ends_what_is_in_flight),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
