/* SPDX-License-Identifier: MIT */
/* The ways of forcefs login that need a person. */
#ifndef FORCEFS_APP_LOGIN_H
#define FORCEFS_APP_LOGIN_H

#include "forcefs/base/error.h"
#include "forcefs/sf/sf.h"
#include "settings.h"

/* What a person should read: "you@example.com is logged in to https://…". */
void login_describe(struct sf *sf, const struct settings *s, char *dst, size_t size);

/* Opens the browser and waits for it to come back. */
int login_by_browser(struct sf *sf, const struct settings *s, struct error *err);

/* Prints the address and reads on stdin where the browser ended. */
int login_by_paste(struct sf *sf, const struct settings *s, struct error *err);

#endif
