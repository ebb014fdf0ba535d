/* SPDX-License-Identifier: MIT */
/* Writes a tree that json_text_load made; the numbers come out as they went in. */
#ifndef MODEL_JSON_WRITE_H
#define MODEL_JSON_WRITE_H

#include <stdbool.h>

#include <jansson.h>

#include "forcefs/base/buf.h"

/* Appends a value; indented by two spaces a level, or all on one line. 0, or what buf_add says;
 * -EPROTO if the tree is deeper than any text that can be loaded. */
int write_value(struct buf *out, const json_t *value, bool indented);

#endif
