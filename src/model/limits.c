/* SPDX-License-Identifier: MIT */
/* Reads the two limits that forcefs shows; what is missing or odd counts as not known. */
#include "forcefs/model/limits.h"

#include <errno.h>

#include <jansson.h>

#include "pick.h"

/* Max and Remaining of one limit; false if the org does not tell them. */
static bool read_limit(const json_t *root, const char *name, int64_t *ret_max, int64_t *ret_left)
{
	const json_t *limit = json_object_get(root, name);
	const json_t *max = json_object_get(limit, "Max");
	const json_t *left = json_object_get(limit, "Remaining");
	if (!json_is_number(max) || !json_is_number(left)) {
		return false;
	}
	double max_value = json_number_value(max), left_value = json_number_value(left);
	if (!(max_value >= 0 && max_value < 1e15 && left_value > -1e15 && left_value < 1e15)) {
		return false;
	}
	*ret_max = (int64_t)max_value;
	*ret_left = left_value < 0 ? 0 : (int64_t)left_value; /* an org may be over its limit */
	return true;
}

int limits_parse(const char *json, size_t len, struct limits *ret, struct error *err)
{
	json_error_t where;
	AUTO(json) json_t *root = json_loadb(json, len, 0, &where);
	if (!json_is_object(root)) {
		return error_set(err, EPROTO,
			"the org's limits came in a form that is not understood; "
			"try again, and check that no proxy answers in its place");
	}
	struct limits limits = {0};
	limits.has_data_storage =
		read_limit(root, "DataStorageMB", &limits.data_max_mb, &limits.data_left_mb);
	read_limit(root, "DailyApiRequests", &limits.api_max, &limits.api_left);
	*ret = limits;
	return 0;
}
