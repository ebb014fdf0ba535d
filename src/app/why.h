/* SPDX-License-Identifier: MIT */
/* Finding the entry of errors.ndjson that answers why. Pure. */
#ifndef FORCEFS_APP_WHY_H
#define FORCEFS_APP_WHY_H

#include <jansson.h>
#include <stddef.h>

/* The last entry for path (relative to the mount, "" for its root) or for something below it; new
 * reference, NULL if there is none. Lines that are no JSON are passed over. */
json_t *why_find(const char *journal, size_t len, const char *path);

#endif
