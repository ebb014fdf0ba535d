/* SPDX-License-Identifier: MIT */
/* Texts that may be anything (a path, a server's words) as strings of a --json answer. */
#ifndef FORCEFS_APP_REPORT_JSON_H
#define FORCEFS_APP_REPORT_JSON_H

#include <jansson.h>

/* New; bytes that are not UTF-8 become U+FFFD, NULL becomes null. */
json_t *report_json(const char *text);

#endif
