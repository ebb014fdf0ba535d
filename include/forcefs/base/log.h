/* SPDX-License-Identifier: MIT */
/*
 * Log lines: level, module, a short sentence. One sink, chosen at start: stderr, or syslog once in
 * the background. Control characters are escaped. Tokens, secrets and record contents are never
 * passed in here. Lower floors do not log; fs, app and the top functions of threads do, once.
 * Any thread may call.
 */
#ifndef FORCEFS_BASE_LOG_H
#define FORCEFS_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>

#include "forcefs/base/error.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

enum log_sink { LOG_SINK_STDERR, LOG_SINK_SYSLOG };

void log_to(enum log_sink sink);
/* Another form of the lines: writes one without a newline and with no control character, and gives
 * its length; 0 to have it in the plain form. NULL: the plain form. `text` is UTF-8, not escaped. */
void log_format_with(size_t (*format)(
	char *line, size_t size, enum log_level level, const char *module, const char *text));
void log_set_level(enum log_level level);
enum log_level log_get_level(void);
const char *log_level_word(enum log_level level);
bool log_level_parse(const char *word, enum log_level *ret); /* error warn info debug */

void log_error(const char *module, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(const char *module, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_info(const char *module, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_debug(const char *module, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Copies src to dst (size bytes, always ended by 0) with control characters as \xNN. */
void log_escape(char *dst, size_t size, const char *src);

#endif
