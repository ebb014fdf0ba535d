/* SPDX-License-Identifier: MIT */
/* "<Id>.json" to an Id and back. */
#include "forcefs/model/names.h"

#include <string.h>

static const char ending[] = ".json";

#define ENDING_LEN (sizeof(ending) - 1)

bool record_name_parse(const char *name, const char *key_prefix, struct id *ret)
{
	size_t len = strnlen(name, RECORD_NAME_LEN + 1);
	struct id id;

	if (len <= ENDING_LEN || len > RECORD_NAME_LEN) {
		return false;
	}
	len -= ENDING_LEN;
	if (strcmp(name + len, ending) != 0 || !id_parse(name, len, &id) ||
		!id_has_prefix(&id, key_prefix)) {
		return false;
	}
	*ret = id;
	return true;
}

void record_name_write(const struct id *id, char *buf)
{
	memcpy(buf, id->text, ID18_LEN);
	memcpy(buf + ID18_LEN, ending, sizeof(ending));
}
