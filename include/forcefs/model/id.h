/* SPDX-License-Identifier: MIT */
/*
 * Record Ids: 15 case-sensitive characters of [0-9A-Za-z]; the 18-character form appends a checksum
 * of the case (salesforce-api.md 3.5). Pure functions, no allocation.
 */
#ifndef FORCEFS_MODEL_ID_H
#define FORCEFS_MODEL_ID_H

#include <stdbool.h>
#include <stddef.h>

#define ID15_LEN 15
#define ID18_LEN 18

struct id {
	char text[ID18_LEN + 1]; /* the 18-character form, always with a right checksum */
};

/* Takes 15 characters, or 18 with a right checksum; the case of an 18-character Id is mended from
 * its checksum where only the case is wrong. False if it cannot be an Id. */
bool id_parse(const char *s, size_t len, struct id *ret);

/* True for 000000000000000AAA, which all records of some objects have (LoginEvent,
 * EntityDefinition). */
bool id_is_empty(const struct id *id);

/* True if the Id begins with the object's key prefix (3 characters); a prefix of "" fits all. */
bool id_has_prefix(const struct id *id, const char *prefix);

#endif
