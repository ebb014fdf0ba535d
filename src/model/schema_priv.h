/* SPDX-License-Identifier: MIT */
/* Inside the model floor: what a describe says of a field beyond what a schema keeps. */
#ifndef MODEL_SCHEMA_PRIV_H
#define MODEL_SCHEMA_PRIV_H

#include "forcefs/model/schema.h"

struct described {
	struct field field;
	char *compound; /* the field that this one is a component of, or NULL */
	bool is_name;
	bool hidden; /* deprecatedAndHidden */
};

struct describe {
	struct described *fields;
	size_t count;
	size_t capacity;
};

void field_release(struct field *f);
void describe_release(struct describe *d);

/* Moves the fields that a file shows from the describe into the schema, in the file's order, and
 * notes the base64 field. -ENOMEM. */
int schema_arrange(struct schema *s, struct describe *d, struct error *err);

DEFINE_CLEANER(describe, struct describe, describe_release)

#endif
