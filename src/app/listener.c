/* SPDX-License-Identifier: MIT */
/*
 * libmicrohttpd in its single-threaded form: we poll its descriptors beside a signalfd, it runs
 * when something is there.
 */
#include "listener.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "compose.h"
#include "forcefs/base/clock.h"
#include "forcefs/net/redirect.h"
#include "loopback.h"

#define CONNECTIONS      16u
#define IDLE_S           10u
#define CONNECTION_BYTES ((size_t)32 << 10)
#define PAGE_LIMIT_BYTES (64u << 10)
#define TAKE_MS          3000
#define STEP_MS          250
#define CONTENT_POLICY   "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

struct listener {
	struct listener_config config; /* borrowed */
	struct callback at;
	struct MHD_Daemon *daemon[LOOPBACK_MOST];
	int epoll_fd[LOOPBACK_MOST];
	int count;
	struct MHD_Connection *waiting; /* brought an answer, and has no page yet */
	struct callback_answer answer;  /* what it brought */
	struct MHD_Response *page;      /* for the waiting one */
	bool taken;                     /* it has its page, or has left */
	unsigned int strangers;
	int signals;     /* signalfd */
	bool holding;    /* signals are blocked */
	sigset_t before; /* as they were */
};

/* ---- answers ---- */

static enum MHD_Result reply_with(
	struct MHD_Connection *c, unsigned int status, struct MHD_Response *response)
{
	enum MHD_Result r;
	if (!response) {
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
	r = MHD_queue_response(c, status, response);
	MHD_destroy_response(response);
	return r;
}

static struct MHD_Response *empty(void)
{
	return MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
}

static struct MHD_Response *render(const struct listener_page *page)
{
	AUTO(buf) struct buf html;
	buf_init(&html, PAGE_LIMIT_BYTES);
	if (listener_page_write(page, &html) < 0) {
		return NULL;
	}
	struct MHD_Response *response =
		MHD_create_response_from_buffer(html.len, html.data, MHD_RESPMEM_MUST_COPY);
	if (response) {
		MHD_add_response_header(
			response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/html; charset=utf-8");
		MHD_add_response_header(response, "Content-Security-Policy", CONTENT_POLICY);
	}
	return response;
}

static enum MHD_Result refuse(
	struct MHD_Connection *c, unsigned int status, const char *title, const char *text)
{
	const struct listener_page page = {.title = title, .text = text};
	return reply_with(c, status, render(&page));
}

static enum MHD_Result refuse_method(struct MHD_Connection *c)
{
	struct MHD_Response *response = empty();
	if (response) {
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, OPTIONS");
	}
	return reply_with(c, MHD_HTTP_METHOD_NOT_ALLOWED, response);
}

/* A browser may ask before it lets a page of the internet lead to this machine. */
static enum MHD_Result allow_ahead(struct listener *l, struct MHD_Connection *c)
{
	const char *origin =
		MHD_lookup_connection_value(c, MHD_HEADER_KIND, MHD_HTTP_HEADER_ORIGIN);
	struct MHD_Response *response = empty();
	bool welcome =
		origin && (strcmp(origin, l->config.login_url) == 0 ||
				  redirect_allowed(l->config.login_url, origin, compose_own_hosts));
	if (response && welcome) {
		MHD_add_response_header(response, "Access-Control-Allow-Origin", origin);
		MHD_add_response_header(response, "Access-Control-Allow-Methods", "GET");
		MHD_add_response_header(response, "Access-Control-Allow-Private-Network", "true");
		MHD_add_response_header(response, "Access-Control-Allow-Local-Network", "true");
		MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Origin");
	}
	return reply_with(c, MHD_HTTP_NO_CONTENT, response);
}

/* ---- the callback ---- */

static const char *argument(struct MHD_Connection *c, const char *name)
{
	const char *value = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
	return value && *value ? value : NULL;
}

static char *copy(const char *text)
{
	return text ? strdup(text) : NULL;
}

static enum MHD_Result refuse_stranger(struct listener *l, struct MHD_Connection *c)
{
	l->strangers++;
	return refuse(c, MHD_HTTP_BAD_REQUEST, "This page belongs to another log-in",
		"forcefs is waiting for the log-in that it started last. Go back to the terminal "
		"and open the address that stands there.");
}

/* Keeps the connection until listener_answer. */
static enum MHD_Result take_answer(struct listener *l, struct MHD_Connection *c)
{
	const char *state = argument(c, "state"), *code = argument(c, "code"),
		   *error = argument(c, "error");
	if (!state || strcmp(state, l->config.state) != 0) {
		return refuse_stranger(l, c);
	}
	if (l->waiting || l->taken) {
		return refuse(c, MHD_HTTP_CONFLICT, "This log-in has been answered already",
			"Go back to the terminal; it tells how the log-in ended.");
	}
	if (!code && !error) {
		return refuse(c, MHD_HTTP_BAD_REQUEST, "There is no code in this address",
			"Go back to the terminal and open the address that stands there once "
			"more.");
	}
	l->answer = (struct callback_answer){.code = copy(error ? NULL : code),
		.error = copy(error),
		.description = copy(argument(c, "error_description"))};
	if (!l->answer.code && !l->answer.error) {
		return MHD_NO;
	}
	l->waiting = c;
	MHD_suspend_connection(c);
	return MHD_YES;
}

static enum MHD_Result on_request(void *payload, struct MHD_Connection *c, const char *path,
	const char *method, const char *version, const char *upload, size_t *upload_len,
	void **context)
{
	struct listener *l = payload;
	(void)version;
	(void)upload;
	(void)context;
	*upload_len = 0;
	if (c == l->waiting) {
		struct MHD_Response *page = l->page;
		l->page = NULL;
		return reply_with(c, MHD_HTTP_OK, page);
	}
	if (strcmp(path, l->at.path) != 0) {
		return reply_with(c, MHD_HTTP_NOT_FOUND, empty());
	}
	if (strcmp(method, MHD_HTTP_METHOD_OPTIONS) == 0) {
		return allow_ahead(l, c);
	}
	return strcmp(method, MHD_HTTP_METHOD_GET) == 0 ? take_answer(l, c) : refuse_method(c);
}

static void on_end(void *payload, struct MHD_Connection *c, void **context,
	enum MHD_RequestTerminationCode code)
{
	struct listener *l = payload;
	(void)context;
	(void)code;
	if (c == l->waiting) {
		l->waiting = NULL;
		l->taken = true;
	}
}

/* ---- life ---- */

/* fd is the daemon's from then on. */
static int serve_on(struct listener *l, int fd, struct error *err)
{
	struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0,
		NULL, NULL, on_request, l, MHD_OPTION_LISTEN_SOCKET, fd,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_BYTES, MHD_OPTION_NOTIFY_COMPLETED,
		on_end, l, MHD_OPTION_END);
	const union MHD_DaemonInfo *info =
		daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		if (daemon) {
			MHD_stop_daemon(daemon);
		}
		return error_set(err, ENOMEM, "the listener for the browser cannot be started");
	}
	l->daemon[l->count] = daemon;
	l->epoll_fd[l->count++] = info->epoll_fd;
	return 0;
}

static int serve(struct listener *l, struct error *err)
{
	int fds[LOOPBACK_MOST], r = 0;
	int count = loopback_listen(&l->at, (int)CONNECTIONS, fds, err);
	for (int i = 0; i < count; i++) {
		if (r == 0) {
			r = serve_on(l, fds[i], err);
		} else {
			close(fds[i]);
		}
	}
	return count < 0 ? count : r;
}

/* From the first word to the person on, Ctrl-C ends the waiting and nothing else. */
static int hold_signals(struct listener *l, struct error *err)
{
	sigset_t ends;
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	l->signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	if (l->signals < 0) {
		return error_errno(err, errno, "waiting for signals");
	}
	sigprocmask(SIG_BLOCK, &ends, &l->before);
	l->holding = true;
	return 0;
}

static void release_signals(struct listener *l)
{
	if (l->holding) {
		sigprocmask(SIG_SETMASK, &l->before, NULL);
	}
	l->holding = false;
}

int listener_open(const struct listener_config *config, struct listener **ret, struct error *err)
{
	AUTO(listener) struct listener *l = calloc(1, sizeof(*l));
	if (!l) {
		return error_set(err, ENOMEM, "out of memory");
	}
	l->config = *config;
	l->signals = -1;
	int r = callback_parse(config->redirect_uri, &l->at, err);
	if (r == 0) {
		r = serve(l, err);
	}
	if (r == 0) {
		r = hold_signals(l, err);
	}
	if (r == 0) {
		*ret = take_ptr(&l);
	}
	return r;
}

void listener_close(struct listener *l)
{
	if (!l) {
		return;
	}
	if (l->waiting && !l->page) {
		MHD_resume_connection(l->waiting); /* which stopping asks for */
	}
	for (int i = 0; i < l->count; i++) {
		MHD_stop_daemon(l->daemon[i]);
	}
	if (l->page) {
		MHD_destroy_response(l->page);
	}
	callback_answer_release(&l->answer);
	release_signals(l);
	scope_close(&l->signals);
	free(l);
}

unsigned int listener_strangers(const struct listener *l)
{
	return l->strangers;
}

/* ---- waiting ---- */

static int shortest_wait_ms(const struct listener *l, int64_t deadline_ms)
{
	int64_t wait = deadline_ms - clock_mono_ms();
	wait = wait < 0 ? 0 : wait > STEP_MS ? STEP_MS : wait;
	for (int i = 0; i < l->count; i++) {
		MHD_UNSIGNED_LONG_LONG ms;
		if (MHD_get_timeout(l->daemon[i], &ms) == MHD_YES && (int64_t)ms < wait) {
			wait = (int64_t)ms;
		}
	}
	return (int)wait;
}

/* One round. True if a signal came. */
static bool turn(struct listener *l, int64_t deadline_ms)
{
	struct pollfd ends[LOOPBACK_MOST + 1];
	for (int i = 0; i < l->count; i++) {
		ends[i] = (struct pollfd){.fd = l->epoll_fd[i], .events = POLLIN};
	}
	ends[l->count] = (struct pollfd){.fd = l->holding ? l->signals : -1, .events = POLLIN};
	poll(ends, (nfds_t)l->count + 1, shortest_wait_ms(l, deadline_ms));
	for (int i = 0; i < l->count; i++) {
		MHD_run(l->daemon[i]);
	}
	return ends[l->count].revents & POLLIN;
}

static int interrupted(struct listener *l, struct error *err)
{
	struct signalfd_siginfo used;
	if (read(l->signals, &used, sizeof(used)) < 0) {
		/* then it ends us when it is let through */
	}
	return error_set(err, EINTR, "interrupted; nothing was changed");
}

static int wait_for_answer(struct listener *l, int64_t deadline_ms, struct error *err)
{
	while (!l->waiting) {
		if (turn(l, deadline_ms)) {
			return interrupted(l, err);
		}
		if (clock_mono_ms() >= deadline_ms) {
			return error_set(err, ETIMEDOUT,
				"nobody logged in within the time; run the command again");
		}
	}
	return 0;
}

int listener_wait(
	struct listener *l, int64_t deadline_ms, struct callback_answer *ret, struct error *err)
{
	int r = wait_for_answer(l, deadline_ms, err);
	release_signals(l);
	if (r == 0) {
		*ret = l->answer;
		l->answer = (struct callback_answer){0};
	}
	return r;
}

void listener_answer(struct listener *l, const struct listener_page *page)
{
	int64_t deadline_ms = clock_mono_ms() + TAKE_MS;
	if (!l->waiting) {
		return;
	}
	l->page = render(page);
	MHD_resume_connection(l->waiting);
	while (!l->taken && clock_mono_ms() < deadline_ms) {
		turn(l, deadline_ms);
	}
}
