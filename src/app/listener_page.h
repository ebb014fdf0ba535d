/* SPDX-License-Identifier: MIT */
/* The page that a browser is shown at the end of a log-in: whole in itself, no script, nothing from
 * elsewhere, no token in it. */
#ifndef FORCEFS_APP_LISTENER_PAGE_H
#define FORCEFS_APP_LISTENER_PAGE_H

#include <stdbool.h>

#include "forcefs/base/buf.h"

struct listener_page {
	bool good;
	const char *title; /* a short sentence */
	const char *text;  /* what that means */
	const char *next;  /* what to do now, or NULL */
	const char *code;  /* a command line to type, or NULL */
};

/* Texts may hold anything; they are escaped. 0, -ENOMEM, -EFBIG. */
int listener_page_write(const struct listener_page *page, struct buf *out);

#endif
