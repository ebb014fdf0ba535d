/* SPDX-License-Identifier: MIT */
/* A record as Salesforce sends it -> the bytes of its file (contract 4). Pure. */
#ifndef FORCEFS_MODEL_RENDER_H
#define FORCEFS_MODEL_RENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/error.h"
#include "forcefs/model/id.h"
#include "forcefs/model/schema.h"

/* What a rendered record is filed under. */
struct rendered {
	struct id id;
	int64_t stamp_ms; /* the stamp field, UTC ms since the epoch; 0 if the object has none */
	bool deleted;     /* IsDeleted is true (from queryAll) */
};

/* Renders one record (a JSON object, `attributes` ignored). Appends to out: UTF-8 JSON, two-space
 * indent, one field a line, newline at the end; the same record always gives the same bytes. A
 * field missing from the reply is shown as null. -EPROTO if it is no record or has no valid Id.
 * scratch as in json_text_load. */
int render_record(const struct schema *s, const char *json, size_t len, struct buf *scratch,
	struct buf *out, struct rendered *ret, struct error *err);

#endif
