/* SPDX-License-Identifier: MIT */
/* Streams over HTTP: replies into a sink, requests out of a source. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <time.h>

#include "forcefs/base/clock.h"
#include "forcefs/net/http.h"
#include "loopback_server.h"

#define TIMEOUT_MS 400
#define UPLOAD     50000

static bool answer_ok(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_reply(fd, "200 OK", "", "hello", 5);
}

static bool answer_page(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_reply(fd, "200 OK", "Content-Type: Text/HTML\r\n", "<html>", 6);
}

static bool answer_refuse(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	return server_reply(fd, "404 Not Found", "", "no", 2);
}

static bool answer_cut(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
	return false;
}

static bool answer_busy_once(struct server *s, int fd, const struct server_request *req)
{
	return req->hit == 1 ? server_reply(fd, "503 Busy", "", "busy", 4) : answer_ok(s, fd, req);
}

/* Longer in all than the time limit, never without a byte for so long. */
static bool answer_trickle(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
	for (int i = 0; i < 10; i++) {
		poll(NULL, 0, TIMEOUT_MS / 5);
		server_send(fd, "x", 1);
	}
	return true;
}

static bool answer_hang(struct server *s, int fd, const struct server_request *req)
{
	(void)s, (void)req;
	server_send_text(fd, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nxxx");
	return server_stall(fd);
}

static const struct server_route routes[] = {{"/ok", answer_ok}, {"/page", answer_page},
	{"/refuse", answer_refuse}, {"/cut", answer_cut}, {"/busy", answer_busy_once},
	{"/trickle", answer_trickle}, {"/hang", answer_hang}, {NULL, NULL}};

struct fixture {
	struct server server;
	struct http *http;
	struct buf got;
	int fail; /* what the sink says */
	int gives;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct http_config config = {
		.timeout_ms = TIMEOUT_MS, .connect_timeout_ms = 5000, .max_connections = 4};
	buf_init(&f->got, 1 << 20);
	assert_int_equal(server_start(&f->server, routes), 0);
	assert_int_equal(http_open(&config, &f->http, NULL), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	http_close(f->http);
	server_stop(&f->server);
	buf_release(&f->got);
	free(f);
	return 0;
}

static int take(void *payload, const void *data, size_t len)
{
	struct fixture *f = payload;
	return f->fail ? f->fail : buf_add(&f->got, data, len);
}

static ssize_t give(void *payload, uint64_t off, void *buf, size_t size)
{
	struct fixture *f = payload;
	size_t n = UPLOAD - (size_t)off < size ? UPLOAD - (size_t)off : size;
	f->gives++;
	memset(buf, 'u', n);
	return f->fail ? f->fail : (ssize_t)n;
}

static int ask(struct fixture *f, const char *path, bool upload, struct http_reply *reply,
	struct error *err)
{
	char url[128];
	const struct http_sink sink = {.take = take, .payload = f, .but_type = "text/html"};
	const struct http_source source = {.len = UPLOAD, .give = give, .payload = f};
	const struct http_request req = {.method = upload ? "PATCH" : "GET",
		.url = url,
		.sink = upload ? NULL : &sink,
		.source = upload ? &source : NULL,
		.reply_limit_bytes = 1000,
		.idempotent = true};
	const struct until until = {.deadline_ms = clock_mono_ms() + 10 * TIMEOUT_MS};
	snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", f->server.port, path);
	return http_perform(f->http, &req, &until, reply, err);
}

static void test_http_stream__the_sink_gets_the_body(void **state)
{
	struct fixture *f = *state;
	AUTO(http_reply) struct http_reply reply = {0};
	assert_int_equal(ask(f, "/ok", false, &reply, NULL), 0);
	assert_string_equal(buf_str(&f->got), "hello");
	assert_int_equal(reply.body.len, 0);
}

static void test_http_stream__what_is_no_success_goes_into_the_reply(void **state)
{
	struct fixture *f = *state;
	AUTO(http_reply) struct http_reply reply = {0}, page = {0};
	assert_int_equal(ask(f, "/refuse", false, &reply, NULL), 0);
	assert_string_equal(buf_str(&reply.body), "no");
	assert_int_equal(ask(f, "/page", false, &page, NULL), 0);
	assert_string_equal(buf_str(&page.body), "<html>");
	assert_int_equal(f->got.len, 0);
}

static void test_http_stream__a_refusal_before_the_first_byte_is_tried_again(void **state)
{
	struct fixture *f = *state;
	AUTO(http_reply) struct http_reply reply = {0};
	assert_int_equal(ask(f, "/busy", false, &reply, NULL), 0);
	assert_string_equal(buf_str(&f->got), "hello");
	assert_int_equal(server_hits(&f->server, "/busy"), 2);
}

static void test_http_stream__a_cut_is_never_asked_for_twice(void **state)
{
	struct fixture *f = *state;
	AUTO(http_reply) struct http_reply reply = {0};
	assert_int_equal(ask(f, "/cut", false, &reply, NULL), -EPROTO);
	assert_int_equal(server_hits(&f->server, "/cut"), 1);
	assert_int_equal(server_connections(&f->server), 1);
	assert_string_equal(buf_str(&f->got), "half");
}

static void test_http_stream__bytes_that_move_keep_it_alive(void **state)
{
	struct fixture *f = *state;
	AUTO(http_reply) struct http_reply reply = {0};
	assert_int_equal(ask(f, "/trickle", false, &reply, NULL), 0);
	assert_int_equal(f->got.len, 10);
}

static void test_http_stream__a_stream_that_stands_still_ends(void **state)
{
	struct fixture *f = *state;
	AUTO(http_reply) struct http_reply reply = {0};
	assert_int_equal(ask(f, "/hang", false, &reply, NULL), -ETIMEDOUT);
	server_wait_hits(&f->server, "/hang", 1);
	assert_int_equal(server_hits(&f->server, "/hang"), 1);
}

static void test_http_stream__what_the_sink_says_ends_the_call(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};
	AUTO(http_reply) struct http_reply reply = {0};
	f->fail = -ENOSPC;
	assert_int_equal(ask(f, "/ok", false, &reply, &err), -ENOSPC);
	assert_int_equal(server_hits(&f->server, "/ok"), 1);
}

static void test_http_stream__a_source_is_sent_whole_and_again(void **state)
{
	struct fixture *f = *state;
	struct server_request last;
	AUTO(http_reply) struct http_reply reply = {0};
	assert_int_equal(ask(f, "/busy", true, &reply, NULL), 0);
	assert_int_equal(reply.status, 200);
	assert_int_equal(server_hits(&f->server, "/busy"), 2);
	server_last(&f->server, &last);
	assert_string_equal(last.method, "PATCH");
	assert_int_equal(last.body_len, UPLOAD);
	assert_true(last.body[0] == 'u' && last.body[UPLOAD - 1] == 'u');
}

static void test_http_stream__what_the_source_says_ends_the_call(void **state)
{
	struct fixture *f = *state;
	AUTO(http_reply) struct http_reply reply = {0};
	f->fail = -EIO;
	assert_int_equal(ask(f, "/ok", true, &reply, NULL), -EIO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_http_stream__the_sink_gets_the_body),
		TEST(test_http_stream__what_is_no_success_goes_into_the_reply),
		TEST(test_http_stream__a_refusal_before_the_first_byte_is_tried_again),
		TEST(test_http_stream__a_cut_is_never_asked_for_twice),
		TEST(test_http_stream__bytes_that_move_keep_it_alive),
		TEST(test_http_stream__a_stream_that_stands_still_ends),
		TEST(test_http_stream__what_the_sink_says_ends_the_call),
		TEST(test_http_stream__a_source_is_sent_whole_and_again),
		TEST(test_http_stream__what_the_source_says_ends_the_call),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
