/* SPDX-License-Identifier: MIT */
/*
 * Bodies: the content of a record's base64 field (the first one of its describe), shown as a file
 * of its own beside the record's JSON. What its name and size are, the record's other fields say.
 * Pure.
 *
 * Ending of the name: that of the file's own name, as FileExtension, Type, PathOnClient, Name or
 * Title give it (the first that gives one), if it is 1 to 16 letters and digits; else "bin". An
 * ending "json" would collide with the record's own file and becomes "bin", too.
 *
 * Size: the field <base64 field>Length (BodyLength, LogFileLength), else ContentSize.
 */
#ifndef FORCEFS_MODEL_BODY_H
#define FORCEFS_MODEL_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forcefs/model/id.h"
#include "forcefs/model/schema.h"

#define BODY_EXT_MAX  16
#define BODY_NAME_LEN (ID18_LEN + 1 + BODY_EXT_MAX)
#define BODY_TAG_SIZE 40

struct body_facts {
	char ext[BODY_EXT_MAX + 1]; /* "": records of this object have no body */
	int64_t size;               /* bytes; -1: the record does not tell */
};

/* What a record's file (as render_record made it) says of its body. */
void body_facts_read(const struct schema *s, const char *file, size_t len, struct body_facts *ret);

/* The same as a short text to be kept beside the record, and back; "" for no body. */
void body_tag_write(const struct body_facts *facts, char tag[BODY_TAG_SIZE]);
void body_tag_read(const char *tag, struct body_facts *ret);

/* "<Id>.<ending>" with 15 or 18 characters, as record_name_parse; "json" is no body's ending. */
bool body_name_parse(
	const char *name, const char *key_prefix, struct id *ret, char ext[BODY_EXT_MAX + 1]);

/* buf of BODY_NAME_LEN + 1 bytes. */
void body_name_write(const struct id *id, const char *ext, char *buf);

#endif
