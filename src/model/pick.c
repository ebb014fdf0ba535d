/* SPDX-License-Identifier: MIT */
/* Table-driven reading of describes. */
#include "pick.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/model/json_text.h"

#define API_NAME_MAX 80

static int pick_string(char **field, const json_t *value, struct error *err)
{
	size_t len;
	const char *s = json_text_string(value, &len);
	char *copy;

	if (!s || strlen(s) != len) {
		return 0;
	}
	copy = strndup(s, len);
	if (!copy) {
		return error_set(err, ENOMEM, "Out of memory while reading a describe.");
	}
	free(*field);
	*field = copy;
	return 0;
}

static void pick_int(int *field, const json_t *value)
{
	size_t len;
	const char *s = json_text_number(value, &len);
	long n;

	if (s) {
		n = strtol(s, NULL, 10);
		*field = n > INT_MAX ? INT_MAX : n < INT_MIN ? INT_MIN : (int)n;
	}
}

static void pick_prefix(char *field, const json_t *value)
{
	size_t len;
	const char *s = json_text_string(value, &len);

	if (s && len == 3 && strlen(s) == 3) {
		memcpy(field, s, 4);
	}
}

int pick_value(const struct pick *row, const json_t *value, void *target, struct error *err)
{
	void *field = (char *)target + row->offset;

	switch (row->kind) {
	case PICK_STRING:
		return pick_string(field, value, err);
	case PICK_INT:
		pick_int(field, value);
		break;
	case PICK_PREFIX:
		pick_prefix(field, value);
		break;
	case PICK_BOOL:
		if (json_is_boolean(value)) {
			*(bool *)field = json_is_true(value);
		}
		break;
	}
	return 0;
}

int pick_members(const struct pick *table, size_t count, const json_t *object, void *target,
	struct error *err)
{
	if (!json_is_object(object)) {
		return error_set(
			err, EPROTO, "The org's list holds something that is no description.");
	}
	for (size_t i = 0; i < count; i++) {
		int r = pick_value(&table[i], json_object_get(object, table[i].key), target, err);

		if (r) {
			return r;
		}
	}
	return 0;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_api_name(const char *name)
{
	size_t len = name ? strlen(name) : 0;

	if (len == 0 || len > API_NAME_MAX || !is_letter(name[0])) {
		return false;
	}
	for (size_t i = 1; i < len; i++) {
		if (!is_letter(name[i]) && !(name[i] >= '0' && name[i] <= '9') && name[i] != '_') {
			return false;
		}
	}
	return true;
}
