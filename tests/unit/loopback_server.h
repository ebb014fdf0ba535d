/* SPDX-License-Identifier: MIT */
/*
 * A very small HTTP/1.1 server on 127.0.0.1 for tests: a thread per connection, and for each path
 * one way to behave or misbehave. Not a general server: requests are trusted.
 */
#ifndef FORCEFS_TESTS_LOOPBACK_SERVER_H
#define FORCEFS_TESTS_LOOPBACK_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forcefs/base/scope.h"

#define SERVER_CONNECTIONS 512

struct server_request {
	char method[16];
	char path[256];
	char headers[4096]; /* all of them, as sent */
	char body[65536];
	size_t body_len;
	int on_connection; /* 1 for the first request of its connection */
	int hit;           /* 1 for the first request for this path since server_start */
};

struct server;

/* Answers on fd; false: close the connection. */
typedef bool server_answer(struct server *s, int fd, const struct server_request *req);

struct server_route {
	const char *path;
	server_answer *answer;
};

struct server {
	int listener;
	int port;
	const struct server_route *routes; /* ended by a NULL path */
	char target[512];                  /* for redirects; set while nothing runs */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* All below: protected by lock. */
	bool stopping;
	int connections;
	int hits[64]; /* by route */
	struct server_request last;
	int fds[SERVER_CONNECTIONS];
	pthread_t threads[SERVER_CONNECTIONS];
};

struct server_connection {
	struct server *server;
	int fd;
};

/* --- for answers --- */

static void server_send(int fd, const void *data, size_t len)
{
	const char *p = data;
	while (len > 0) {
		ssize_t n = send(fd, p, len, MSG_NOSIGNAL);
		if (n <= 0) {
			return;
		}
		p += n;
		len -= (size_t)n;
	}
}

static void server_send_text(int fd, const char *text)
{
	server_send(fd, text, strlen(text));
}

/* head: further header lines, each with its CRLF. */
static bool server_reply(int fd, const char *status, const char *head, const void *body, size_t len)
{
	char text[2048];
	snprintf(text, sizeof(text), "HTTP/1.1 %s\r\nContent-Length: %zu\r\n%s\r\n", status, len,
		head);
	server_send_text(fd, text);
	server_send(fd, body, len);
	return true;
}

/* Until the other side closes, or the server stops. */
static bool server_stall(int fd)
{
	char c;
	while (recv(fd, &c, 1, 0) > 0) {
	}
	return false;
}

/* --- the machinery --- */

/* Reads one request; false at the end of the connection. */
static bool server_read(int fd, struct server_request *req)
{
	static const size_t max = sizeof(req->headers) - 1;
	size_t len = 0;
	while (len < max && recv(fd, req->headers + len, 1, 0) == 1) {
		req->headers[++len] = '\0';
		if (len >= 4 && memcmp(req->headers + len - 4, "\r\n\r\n", 4) == 0) {
			break;
		}
	}
	if (len < 4 || sscanf(req->headers, "%15s %255s", req->method, req->path) != 2) {
		return false;
	}
	const char *length = strcasestr(req->headers, "\r\nContent-Length:");
	size_t want = length ? strtoul(length + 17, NULL, 10) : 0;
	req->body_len = 0;
	while (req->body_len < want && want < sizeof(req->body)) {
		ssize_t n = recv(fd, req->body + req->body_len, want - req->body_len, 0);
		if (n <= 0) {
			return false;
		}
		req->body_len += (size_t)n;
	}
	req->body[req->body_len] = '\0';
	return true;
}

static server_answer *server_route_of(struct server *s, struct server_request *req)
{
	LOCK_SCOPE(&s->lock);
	size_t len = strcspn(req->path, "?");
	for (size_t i = 0; s->routes[i].path; i++) {
		if (strlen(s->routes[i].path) == len &&
			strncmp(req->path, s->routes[i].path, len) == 0) {
			req->hit = ++s->hits[i];
			s->last = *req;
			pthread_cond_broadcast(&s->changed);
			return s->routes[i].answer;
		}
	}
	return NULL;
}

static void *server_connection_run(void *arg)
{
	struct server_connection *c = arg;
	struct server_request *req = calloc(1, sizeof(*req));
	bool open = true;
	while (open && server_read(c->fd, req)) {
		req->on_connection++;
		server_answer *answer = server_route_of(c->server, req);
		open = answer ? answer(c->server, c->fd, req)
			      : server_reply(c->fd, "404 Not Found", "", "", 0);
	}
	shutdown(c->fd, SHUT_RDWR); /* closed by server_stop, so that no number is used twice */
	free(req);
	free(c);
	return NULL;
}

static void *server_run(void *arg)
{
	struct server *s = arg;
	int fd;
	while ((fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		LOCK_SCOPE(&s->lock);
		struct server_connection *c = malloc(sizeof(*c));
		if (!c || s->stopping || s->connections == SERVER_CONNECTIONS) {
			free(c);
			close(fd);
			continue;
		}
		*c = (struct server_connection){s, fd};
		int on = 1;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		s->fds[s->connections] = fd;
		pthread_create(&s->threads[s->connections], NULL, server_connection_run, c);
		s->connections++;
	}
	return NULL;
}

static int server_start(struct server *s, const struct server_route *routes)
{
	memset(s, 0, sizeof(*s));
	s->routes = routes;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(s->listener, (struct sockaddr *)&address, len) < 0 ||
		listen(s->listener, 128) < 0 ||
		getsockname(s->listener, (struct sockaddr *)&address, &len) < 0) {
		return -1;
	}
	s->port = ntohs(address.sin_port);
	return pthread_create(&s->thread, NULL, server_run, s) ? -1 : 0;
}

static void server_stop(struct server *s)
{
	pthread_mutex_lock(&s->lock);
	s->stopping = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	for (int i = 0; i < s->connections; i++) {
		shutdown(s->fds[i], SHUT_RDWR);
		pthread_join(s->threads[i], NULL);
		close(s->fds[i]);
	}
	close(s->listener);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
}

/* --- for tests --- */

static int server_hits(struct server *s, const char *path)
{
	LOCK_SCOPE(&s->lock);
	for (size_t i = 0; s->routes[i].path; i++) {
		if (strcmp(s->routes[i].path, path) == 0) {
			return s->hits[i];
		}
	}
	return -1;
}

static int server_connections(struct server *s)
{
	LOCK_SCOPE(&s->lock);
	return s->connections;
}

static void server_last(struct server *s, struct server_request *ret)
{
	LOCK_SCOPE(&s->lock);
	*ret = s->last;
}

/* Until the path has been asked for so many times. */
static void server_wait_hits(struct server *s, const char *path, int count)
{
	while (server_hits(s, path) < count) {
		poll(NULL, 0, 1);
	}
}

#endif
