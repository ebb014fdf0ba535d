/* SPDX-License-Identifier: MIT */
/* The text behind the ? of a URL, or of a form: pure functions that take it apart. */
#ifndef FORCEFS_NET_QUERY_H
#define FORCEFS_NET_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "forcefs/base/buf.h"

/* Appends text percent-decoded once; with plus, a + is a space. A % that starts no escape stays.
 * 0, -EINVAL (an escaped NUL), -EFBIG, -ENOMEM. */
int query_decode(const char *text, size_t len, bool plus, struct buf *out);

/* The first value of that name in "a=b&c=d", decoded. As above, and -ENOENT. */
int query_get(const char *text, size_t len, const char *name, bool plus, struct buf *out);

#endif
