/* SPDX-License-Identifier: MIT */
/* Telling a service manager how we are, by the protocol of sd_notify(3): datagrams to the socket
 * that $NOTIFY_SOCKET names. Without one, all of this does nothing. */
#ifndef FORCEFS_APP_NOTIFY_H
#define FORCEFS_APP_NOTIFY_H

/* Remembers the socket and takes it out of the environment, so that no child speaks for us. Before
 * the first thread. */
void notify_init(void);

/* Sends lines such as "READY=1\nSTATUS=…". Any thread; a failure is logged. */
void notify_tell(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
