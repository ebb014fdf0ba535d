/* SPDX-License-Identifier: MIT */
#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* False if text is no address of that family. */
static bool fill(union address *a, int family, const char *text, uint16_t port)
{
	memset(a, 0, sizeof(*a));
	a->any.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		a->v4.sin_port = htons(port);
		return inet_pton(family, text, &a->v4.sin_addr) == 1;
	}
	a->v6.sin6_port = htons(port);
	return inet_pton(family, text, &a->v6.sin6_addr) == 1;
}

static int port_failure(const struct callback *at, int errnum, struct error *err)
{
	if (errnum == EADDRINUSE) {
		return error_set(err, EADDRINUSE,
			"port %d is in use by another program, perhaps an unfinished log-in of "
			"forcefs or sf; end that, or use forcefs login --paste, or give the app "
			"another callback URL and set redirect_uri to it",
			at->port);
	}
	return error_errno(
		err, errnum, "listening on port %d of %s (redirect_uri)", at->port, at->host);
}

/* The socket, -1 in *ret where this machine has no such address. */
static int listen_on(
	const struct callback *at, const union address *a, int backlog, int *ret, struct error *err)
{
	int on = 1;
	socklen_t len = a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
	AUTO_CLOSE int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	*ret = -1;
	if (fd < 0) {
		return errno == EAFNOSUPPORT ? 0 : port_failure(at, errno, err);
	}
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (a->any.sa_family == AF_INET6) {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	}
	if (bind(fd, &a->any, len) < 0 || listen(fd, backlog) < 0) {
		return errno == EADDRNOTAVAIL ? 0 : port_failure(at, errno, err);
	}
	*ret = fd;
	fd = -1;
	return 0;
}

int loopback_listen(
	const struct callback *at, int backlog, int ret_fds[LOOPBACK_MOST], struct error *err)
{
	static const int families[LOOPBACK_MOST] = {AF_INET, AF_INET6};
	static const char *const both[LOOPBACK_MOST] = {"127.0.0.1", "::1"};
	bool is_name = strcasecmp(at->host, "localhost") == 0;
	int count = 0, r = 0;
	for (int i = 0; i < LOOPBACK_MOST && r == 0; i++) {
		union address a;
		int fd = -1;
		if (fill(&a, families[i], is_name ? both[i] : at->host, at->port)) {
			r = listen_on(at, &a, backlog, &fd, err);
		}
		if (fd >= 0) {
			ret_fds[count++] = fd;
		}
	}
	if (r == 0 && count == 0) {
		r = error_set(err, EADDRNOTAVAIL, "this machine has no address %s", at->host);
	}
	while (r < 0 && count > 0) {
		close(ret_fds[--count]);
	}
	return r < 0 ? r : count;
}
