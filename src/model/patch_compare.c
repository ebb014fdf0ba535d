/* SPDX-License-Identifier: MIT */
/*
 * When two values of a field say the same. Editors and tools write values in ways of their own (jq
 * turns 150000.0 into 150000); only what Salesforce would keep differently is a change.
 */
#include "patch_priv.h"

#include <string.h>

#include "forcefs/model/id.h"
#include "forcefs/model/json_text.h"
#include "forcefs/model/stamp.h"

struct text {
	const char *s;
	size_t len;
};

static bool is_null(const json_t *value)
{
	return !value || json_is_null(value);
}

bool patch_is_foreign_key(const struct field *f)
{
	return f->kind == FIELD_ID && f->length > ID18_LEN;
}

bool patch_empty(const struct field *f, const json_t *value)
{
	size_t len;

	if (is_null(value)) {
		return true;
	}
	return f->kind == FIELD_TEXT && json_text_string(value, &len) && len == 0;
}

static bool same_number(const json_t *a, const json_t *b)
{
	size_t a_len, b_len;
	const char *x = json_text_number(a, &a_len);
	const char *y = json_text_number(b, &b_len);

	return x && y && decimal_equal(x, a_len, y, b_len);
}

static bool same_stamp(struct text a, struct text b)
{
	int64_t x, y;

	return stamp_parse(a.s, a.len, &x) && stamp_parse(b.s, b.len, &y) && x == y;
}

static bool read_time(struct text t, int64_t *ret_ms)
{
	static const char day[] = "1970-01-01T";
	char stamp[64];

	if (t.len >= sizeof(stamp) - sizeof(day)) {
		return false;
	}
	memcpy(stamp, day, sizeof(day) - 1);
	memcpy(stamp + sizeof(day) - 1, t.s, t.len);
	return stamp_parse(stamp, sizeof(day) - 1 + t.len, ret_ms);
}

static bool same_time(struct text a, struct text b)
{
	int64_t x, y;

	return read_time(a, &x) && read_time(b, &y) && x == y;
}

/* 15 characters, or 18 of them. */
static bool same_id(struct text a, struct text b)
{
	struct id x, y;

	return id_parse(a.s, a.len, &x) && id_parse(b.s, b.len, &y) &&
	       memcmp(x.text, y.text, ID18_LEN) == 0;
}

static bool same_text(enum field_kind kind, const json_t *a, const json_t *b)
{
	struct text x, y;

	x.s = json_text_string(a, &x.len);
	y.s = json_text_string(b, &y.len);
	if (!x.s || !y.s) {
		return false;
	}
	if (x.len == y.len && memcmp(x.s, y.s, x.len) == 0) {
		return true;
	}
	switch (kind) {
	case FIELD_DATETIME:
		return same_stamp(x, y);
	case FIELD_TIME:
		return same_time(x, y);
	case FIELD_ID:
		return same_id(x, y);
	default:
		return false;
	}
}

static bool same_value(enum field_kind kind, const json_t *a, const json_t *b);

static bool same_array(const json_t *a, const json_t *b)
{
	size_t count = json_array_size(a);

	if (json_array_size(b) != count) {
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		if (!same_value(FIELD_OTHER, json_array_get(a, i), json_array_get(b, i))) {
			return false;
		}
	}
	return true;
}

static bool same_object(const json_t *a, const json_t *b)
{
	json_t *object = (json_t *)a; /* jansson's iterators only read */

	if (json_object_size(a) != json_object_size(b)) {
		return false;
	}
	for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i)) {
		const json_t *other = json_object_get(b, json_object_iter_key(i));

		if (!other || !same_value(FIELD_OTHER, json_object_iter_value(i), other)) {
			return false;
		}
	}
	return true;
}

/* Recursion ends where loading did, at LEX_DEPTH_MAX. */
static bool same_value(enum field_kind kind, const json_t *a, const json_t *b)
{
	if (json_typeof(a) != json_typeof(b)) {
		return false;
	}
	switch (json_typeof(a)) {
	case JSON_OBJECT:
		return same_object(a, b);
	case JSON_ARRAY:
		return same_array(a, b);
	case JSON_STRING:
		return same_number(a, b) || same_text(kind, a, b);
	default:
		return true;
	}
}

bool patch_equal(const struct field *f, const json_t *a, const json_t *b)
{
	if (patch_empty(f, a) || patch_empty(f, b)) {
		return patch_empty(f, a) && patch_empty(f, b);
	}
	return same_value(patch_is_foreign_key(f) ? FIELD_TEXT : f->kind, a, b);
}

enum decimal_loss patch_loss(const json_t *was, const json_t *now)
{
	size_t was_len, now_len;
	const char *x = was ? json_text_number(was, &was_len) : NULL;
	const char *y = now ? json_text_number(now, &now_len) : NULL;
	struct decimal d;

	if (x && is_null(now)) { /* jq's word for NaN */
		return decimal_read(x, was_len, &d) ? DECIMAL_INTACT : DECIMAL_SAME_DOUBLE;
	}
	return x && y ? decimal_loss(x, was_len, y, now_len) : DECIMAL_INTACT;
}
