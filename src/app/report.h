/* SPDX-License-Identifier: MIT */
/* What a command says to the person who ran it. Everything goes to stderr. */
#ifndef FORCEFS_APP_REPORT_H
#define FORCEFS_APP_REPORT_H

#include "forcefs/base/error.h"

enum { EXIT_FINE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* "forcefs: doing: text", control characters escaped. */
void report(const char *doing, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same from an error, with Salesforce's code if the text does not name it. Gives EXIT_FAILED.
 */
int report_error(const char *doing, const struct error *err);

/* The same for a command line that was wrong, with where to read more. Gives EXIT_USAGE. */
int report_usage(const char *command, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
