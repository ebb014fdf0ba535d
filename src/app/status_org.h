/* SPDX-License-Identifier: MIT */
/* What can be said of an org that is not mounted. */
#ifndef FORCEFS_APP_STATUS_ORG_H
#define FORCEFS_APP_STATUS_ORG_H

#include <jansson.h>

#include "forcefs/base/error.h"

/* Logs in and asks for the limits: one API call. New object in the form of status.json, with the
 * members that have a meaning without a mount. */
int status_org(const char *org, json_t **ret, struct error *err);

#endif
