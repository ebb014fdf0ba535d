/* SPDX-License-Identifier: MIT */
/* Where a redirect may lead: a pure function. https to a host that ends in one of the suffixes, or
 * the same scheme to the same loopback host (any port). Never from https to http. */
#ifndef FORCEFS_NET_REDIRECT_H
#define FORCEFS_NET_REDIRECT_H

#include <stdbool.h>

#include "forcefs/base/error.h"

bool redirect_allowed(const char *from_url, const char *to_url, const char *const *suffixes);

/* 0 if url is https://, or http:// with a loopback host (127.0.0.0/8, ::1, localhost); else
 * -EINVAL with a text. */
int url_check(const char *url, struct error *err);

#endif
