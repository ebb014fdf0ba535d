/* SPDX-License-Identifier: MIT */
/* Texts that may be anything (a path, a server's words) as strings of a --json answer. */
#ifndef FORCEFS_APP_REPORT_JSON_H
#define FORCEFS_APP_REPORT_JSON_H

#include <jansson.h>

#include "forcefs/base/error.h"

/* New; bytes that are not UTF-8 become U+FFFD, NULL becomes null. */
json_t *report_json(const char *text);

/* Prints {"path", "error"} on stdout: the --json answer of a command that has no other. */
void report_json_failure(const char *path, const struct error *err);

#endif
