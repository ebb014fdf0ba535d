/* SPDX-License-Identifier: MIT */
/* Paths inside commands that a person is told to type. Pure. */
#ifndef FORCEFS_APP_QUOTED_H
#define FORCEFS_APP_QUOTED_H

#include <stddef.h>

#define QUOTED_MAX 2048

/* The text as one word of a shell: itself where it needs no quotes (or is too long for space),
 * else in quotes in space. Borrowed from either. */
const char *quoted(const char *text, char space[QUOTED_MAX]);

#endif
