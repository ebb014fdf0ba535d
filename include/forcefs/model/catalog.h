/* SPDX-License-Identifier: MIT */
/* The list of sObjects, from a describeGlobal reply. Immutable after parsing; any thread may read. */
#ifndef FORCEFS_MODEL_CATALOG_H
#define FORCEFS_MODEL_CATALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"

struct catalog_entry {
	char *name;
	char *label;
	char key_prefix[4]; /* "" if Salesforce gives none */
	bool queryable, retrieveable, replicateable, createable, updateable, deletable;
};

struct catalog {
	struct catalog_entry *entries; /* by name, strcasecmp order */
	size_t count;
};

/* Parses the JSON of GET /sobjects. New catalog in *ret. -EPROTO when it is not that. Objects whose
 * name is no API name (letters, digits, _; at most 80) are dropped: names become directory names
 * and parts of URLs and SOQL. */
int catalog_parse(const char *json, size_t len, struct catalog **ret, struct error *err);
void catalog_free(struct catalog *c);

/* The entry of exactly that name; NULL if there is none. */
const struct catalog_entry *catalog_find(const struct catalog *c, const char *name);

/* The same for names that people type: exactly that name, else one that differs in case only. */
const struct catalog_entry *catalog_find_any_case(const struct catalog *c, const char *name);

/* True if name fits one of the patterns in list ("Account, *__c"; case-insensitive, * and ?); an
 * empty or NULL list gives `empty`. */
bool catalog_name_matches(const char *list, const char *name, bool empty);

DEFINE_PTR_CLEANER(catalog, struct catalog, catalog_free)

#endif
