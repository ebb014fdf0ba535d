/* SPDX-License-Identifier: MIT */
/* Turns the numbers of a JSON text into marked strings, so that a parser keeps them as sent. */
#ifndef MODEL_JSON_GUARD_H
#define MODEL_JSON_GUARD_H

#include <stddef.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/error.h"

/* Appends the guarded text to out. -EPROTO on a malformed number or literal and on nesting beyond
 * LEX_DEPTH_MAX; all else that is wrong is left for the parser to find. */
int guard_numbers(const char *text, size_t len, struct buf *out, struct error *err);

/* Where in the text the byte at `pos` of the guarded text comes from. */
const char *guard_locate(const char *text, size_t len, size_t pos);

#endif
