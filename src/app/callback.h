/* SPDX-License-Identifier: MIT */
/* The redirect URI of a log-in, and what comes back with it. Pure functions. */
#ifndef FORCEFS_APP_CALLBACK_H
#define FORCEFS_APP_CALLBACK_H

#include <stdbool.h>
#include <stdint.h>

#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"

/* Where a listener must stand. */
struct callback {
	char host[64]; /* "localhost", "127.0.0.1", "::1" */
	uint16_t port;
	char path[256];
};

/* Fails where the redirect URI is no loopback address with plain http. */
int callback_parse(const char *redirect_uri, struct callback *ret, struct error *err);

/* Either a code, or the error of a refusal. New strings. */
struct callback_answer {
	char *code;
	char *error, *description;
};

void callback_answer_release(struct callback_answer *a); /* wipes */

DEFINE_CLEANER(callback_answer, struct callback_answer, callback_answer_release)

/* What a person pasted: the redirected URL, its query, or the bare code. state must be the one that
 * was sent, where there is one. -EINVAL with a text that says what to paste. */
int callback_parse_pasted(
	const char *text, const char *state, struct callback_answer *ret, struct error *err);

#endif
