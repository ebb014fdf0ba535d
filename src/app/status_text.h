/* SPDX-License-Identifier: MIT */
/* status.json (or what was asked of an org that is not mounted) as a page for people. Pure. */
#ifndef FORCEFS_APP_STATUS_TEXT_H
#define FORCEFS_APP_STATUS_TEXT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "forcefs/base/buf.h"

struct status_view {
	int width;      /* columns; 0: nothing is wrapped */
	bool all;       /* every object, not only the first twenty */
	int64_t now_ms; /* wall clock */
};

/* Members that are absent leave their lines out. 0, or what buf_add says. */
int status_text(const json_t *status, const struct status_view *view, struct buf *out);

#endif
