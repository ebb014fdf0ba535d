/* SPDX-License-Identifier: MIT */
/* Log lines as JSON objects, one a line, for machines that collect them. */
#ifndef FORCEFS_APP_LOG_JSON_H
#define FORCEFS_APP_LOG_JSON_H

#include <stddef.h>

#include "forcefs/base/log.h"

/* For log_format_with. */
size_t log_json(
	char *line, size_t size, enum log_level level, const char *module, const char *text);

#endif
