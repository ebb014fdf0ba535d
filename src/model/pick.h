/* SPDX-License-Identifier: MIT */
/* Reads the members of a JSON object that a table names into a struct. */
#ifndef MODEL_PICK_H
#define MODEL_PICK_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"

enum pick_kind {
	PICK_STRING, /* char *, new */
	PICK_BOOL,   /* bool */
	PICK_INT,    /* int, clamped to its range */
	PICK_PREFIX, /* char[4]: three characters, or "" for anything else */
};

struct pick {
	const char *key;
	enum pick_kind kind;
	size_t offset;
};

/* Sets one field of the target from a value. null and a value of another type leave the field as
 * it is, because describes of old API versions lack keys and new ones may retype them; what cannot
 * do without a field checks for it. A string that was there before is freed. -ENOMEM. */
int pick_value(const struct pick *row, const json_t *value, void *target, struct error *err);

/* The same for all rows, from an object's members; -EPROTO if it is no object. */
int pick_members(const struct pick *table, size_t count, const json_t *object, void *target,
	struct error *err);

/* A name that the org gives to an object or a field: letters, digits and _, a letter first. Only
 * those may become parts of paths, URLs and SOQL. NULL is none. */
bool is_api_name(const char *name);

DEFINE_PTR_CLEANER(json, json_t, json_decref)

#endif
