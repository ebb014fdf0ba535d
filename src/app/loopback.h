/* SPDX-License-Identifier: MIT */
/* Listening sockets on this machine alone. */
#ifndef FORCEFS_APP_LOOPBACK_H
#define FORCEFS_APP_LOOPBACK_H

#include "callback.h"
#include "forcefs/base/error.h"

#define LOOPBACK_MOST 2 /* addresses of one name */

/* Listening sockets in ret_fds, their number returned. localhost is two addresses, and browsers
 * differ in which they take, so both are taken; a port that somebody else has on either would get
 * what is ours. -EADDRINUSE, -EADDRNOTAVAIL, … */
int loopback_listen(
	const struct callback *at, int backlog, int ret_fds[LOOPBACK_MOST], struct error *err);

#endif
