/* SPDX-License-Identifier: MIT */
/* One datagram for each message; libsystemd would be a library for these few lines. */
#include "notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "forcefs/base/log.h"
#include "forcefs/base/scope.h"

static struct sockaddr_un manager; /* set once before start; sun_path empty: nobody listens */
static socklen_t manager_len;

void notify_init(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t len = path ? strlen(path) : 0;
	/* A path, or @name in the abstract name space. */
	if (len > 1 && len < sizeof(manager.sun_path) && (path[0] == '/' || path[0] == '@')) {
		manager.sun_family = AF_UNIX;
		memcpy(manager.sun_path, path, len + 1);
		manager_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
		if (path[0] == '@') {
			manager.sun_path[0] = '\0';
		}
	}
	unsetenv("NOTIFY_SOCKET");
}

void notify_tell(const char *fmt, ...)
{
	char text[1024];
	va_list args;
	if (manager_len == 0) {
		return;
	}
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || sendto(fd, text, strlen(text), MSG_NOSIGNAL,
			      (const struct sockaddr *)&manager, manager_len) < 0) {
		log_warn("notify", "the service manager cannot be told: %s", strerror(errno));
	}
}
