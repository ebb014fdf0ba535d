/* SPDX-License-Identifier: MIT */
/* The practice org as a child process, and its control interface, for unit tests in C. */
#ifndef TESTS_PRACTICE_H
#define TESTS_PRACTICE_H

#include <stdbool.h>
#include <sys/types.h>

#include "forcefs/base/cancel.h"
#include "forcefs/net/http.h"

struct practice {
	pid_t pid;
	int input; /* the org ends when this closes */
	char url[64], client_id[80], client_secret[64], refresh_token[128];
	char org_id[19], user_id[19];
	struct http *http;
};

/* Starts the org with up to eight more arguments (NULL-ended). False if it cannot be started. */
bool practice_start(struct practice *p, const char *const *arguments);
void practice_stop(struct practice *p);

/* POSTs to /_practice/NAME; fails the test if it is refused. */
void practice_do(struct practice *p, const char *name, const char *json);
/* GETs /_practice/NAME; new string. */
char *practice_ask(struct practice *p, const char *name);

/* Since the last reset: calls of a kind ("query", "token", …), and what was counted. */
int practice_calls(struct practice *p, const char *kind);
int practice_counted(struct practice *p);
void practice_reset(struct practice *p);

#endif
