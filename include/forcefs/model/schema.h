/* SPDX-License-Identifier: MIT */
/*
 * An object's schema, from its describe: which fields a record's file shows, in which order, and
 * what may be written. Immutable after parsing; shared by reference count; any thread may read.
 *
 * Order (contract 4): Id, the name field, the others in describe's order, system fields last.
 * Left out: compound fields whose components are shown (address, location, compound names), base64
 * fields, deprecatedAndHidden fields.
 */
#ifndef FORCEFS_MODEL_SCHEMA_H
#define FORCEFS_MODEL_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"

enum field_kind {
	FIELD_TEXT,
	FIELD_NUMBER,
	FIELD_BOOLEAN,
	FIELD_DATE,
	FIELD_DATETIME,
	FIELD_TIME,
	FIELD_ID,
	FIELD_OTHER
};

struct field {
	char *name;
	char *type; /* describe's word */
	enum field_kind kind;
	int length; /* characters; 0 for no limit */
	bool updateable, createable, nillable, defaulted_on_create, calculated, filterable,
		sortable;
	bool restricted_picklist;
};

struct schema {
	char *object;
	char key_prefix[4];
	struct field *fields; /* in the file's order */
	size_t field_count;
	char *blob_field; /* name of the (first) base64 field, or NULL */
	bool blob_updateable;
	bool queryable, retrieveable, replicateable, createable, updateable, deletable;
	const char *stamp_field; /* SystemModstamp, else LastModifiedDate, else CreatedDate; NULL */
	bool stamp_filterable;   /* the stamp may stand in WHERE */
	bool stamp_moves;        /* the stamp changes when the record does (not CreatedDate) */
	bool has_is_deleted;
	uint64_t hash; /* of everything that shapes a record's file */
	int refs;      /* atomic */
};

int schema_parse(const char *describe_json, size_t len, struct schema **ret, struct error *err);
struct schema *schema_ref(struct schema *s);
void schema_unref(struct schema *s); /* NULL is fine */

const struct field *schema_field(
	const struct schema *s, const char *name); /* exact; NULL if none */

/* Appends "Id,Name,…": the shown fields, comma separated, no spaces. */
int schema_add_field_list(const struct schema *s, struct buf *out);

DEFINE_PTR_CLEANER(schema, struct schema, schema_unref)

#endif
