/* SPDX-License-Identifier: MIT */
/*
 * Waits on loopback for the browser to come back from the log-in page. The browser that brings the
 * right state is kept waiting while its code is tried, so that its page tells how it ended.
 * Everyone else gets an answer at once and changes nothing. No threads: all happens inside the
 * calls.
 */
#ifndef FORCEFS_APP_LISTENER_H
#define FORCEFS_APP_LISTENER_H

#include <stdint.h>

#include "callback.h"
#include "forcefs/base/error.h"
#include "listener_page.h"

struct listener_config {
	const char *redirect_uri;
	const char *state;
	const char *login_url; /* pages from there, and from Salesforce's hosts, may ask ahead */
};

struct listener;

/* -EADDRINUSE, -EINVAL (nothing to listen on), … From now until the end of listener_wait the
 * signals that end a program are held for it. */
int listener_open(const struct listener_config *config, struct listener **ret, struct error *err);
void listener_close(struct listener *l); /* NULL is fine */

/* Until a browser with the right state comes, deadline_ms (monotonic), or Ctrl-C: -ETIMEDOUT,
 * -EINTR. */
int listener_wait(
	struct listener *l, int64_t deadline_ms, struct callback_answer *ret, struct error *err);

/* Answers that browser, and gives it a moment to take the page. */
void listener_answer(struct listener *l, const struct listener_page *page);

/* So many came with another state. */
unsigned int listener_strangers(const struct listener *l);

DEFINE_PTR_CLEANER(listener, struct listener, listener_close)

#endif
