/* SPDX-License-Identifier: MIT */
/* The figures of GET /limits that a filesystem shows. Pure. */
#ifndef FORCEFS_MODEL_LIMITS_H
#define FORCEFS_MODEL_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forcefs/base/error.h"

struct limits {
	bool has_data_storage; /* needs the Manage Users permission */
	int64_t data_max_mb, data_left_mb;
	int64_t api_max, api_left; /* 0 if absent */
};

int limits_parse(const char *json, size_t len, struct limits *ret, struct error *err);

#endif
