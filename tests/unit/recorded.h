/* SPDX-License-Identifier: MIT */
/* Real replies of orgs, which lie beside the repository where they lie at all. */
#ifndef UNIT_RECORDED_H
#define UNIT_RECORDED_H

#include <stddef.h>
#include <stdio.h>

#include "forcefs/base/paths.h"

/* New text of RECORDED_DIR/name; NULL if it is not there. */
static inline char *recorded(const char *name, size_t *ret_len)
{
	char path[1024];
	char *text = NULL;

	snprintf(path, sizeof(path), "%s/%s", RECORDED_DIR, name);
	return paths_read_file(path, (size_t)1 << 26, &text, ret_len, NULL) ? NULL : text;
}

#endif
