/* SPDX-License-Identifier: MIT */
/* File names of records. Pure: a name that cannot be a record of the object costs no call. */
#ifndef FORCEFS_MODEL_NAMES_H
#define FORCEFS_MODEL_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "forcefs/model/id.h"

#define RECORD_NAME_LEN (ID18_LEN + 5) /* 18 characters and ".json" */

/* "<Id>.json" with 15 or 18 characters, right checksum, right key prefix ("" fits all). */
bool record_name_parse(const char *name, const char *key_prefix, struct id *ret);

/* Writes "<18-character Id>.json"; buf of RECORD_NAME_LEN + 1 bytes. */
void record_name_write(const struct id *id, char *buf);

#endif
