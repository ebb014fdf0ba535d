/* SPDX-License-Identifier: MIT */
/* A text as a JSON string, for the files that forcefs writes about itself. */
#ifndef FORCEFS_MODEL_JSON_QUOTE_H
#define FORCEFS_MODEL_JSON_QUOTE_H

#include <stddef.h>

#include "forcefs/base/buf.h"

/* Appends "…" with quotes; control characters, quotes and backslashes escaped; bytes that are not
 * UTF-8 become U+FFFD. 0, -EFBIG or -ENOMEM. */
int json_quote(const char *s, size_t len, struct buf *out);

#endif
