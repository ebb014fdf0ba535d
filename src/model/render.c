/* SPDX-License-Identifier: MIT */
/* A record of a reply -> its file. */
#include "forcefs/model/render.h"

#include <errno.h>
#include <string.h>

#include "forcefs/model/json_text.h"
#include "forcefs/model/stamp.h"
#include "json_write.h"
#include "pick.h"

/* Looks for the member of a record that makes it unreadable. */
struct culprit {
	const struct schema *schema;
	struct buf *scratch;
	const struct field *found;
};

static int test_member(void *payload, struct json_slice key, struct json_slice value)
{
	struct culprit *c = payload;
	AUTO(json) json_t *v = NULL;
	int r = json_text_load(value.text, value.len, c->scratch, &v, NULL);

	for (size_t i = 0; r && i < c->schema->field_count; i++) {
		const struct field *f = &c->schema->fields[i];

		if (strlen(f->name) == key.len && memcmp(f->name, key.text, key.len) == 0) {
			c->found = f;
		}
	}
	return r;
}

static int load_record(const struct schema *s, const char *json, size_t len, struct buf *scratch,
	json_t **ret, struct error *err)
{
	struct culprit culprit = {.schema = s, .scratch = scratch};
	struct error why = {0};
	int r = json_text_load(json, len, scratch, ret, &why);

	if (!r && !json_is_object(*ret)) {
		return error_set(err, EPROTO, "The org sent something that is no record.");
	}
	if (!r) {
		return 0;
	}
	if (r == -EPROTO) {
		json_text_members(json, len, test_member, &culprit, NULL);
	}
	return error_set(err, -r, "The org sent a record that cannot be read%s%s. %s",
		culprit.found ? ", in its field " : "", culprit.found ? culprit.found->name : "",
		why.text);
}

static int read_id(const json_t *record, struct id *ret, struct error *err)
{
	size_t len;
	const char *s = json_text_string(json_object_get(record, "Id"), &len);

	if (!s || !id_parse(s, len, ret)) {
		return error_set(err, EPROTO, "The org sent a record without a valid Id.");
	}
	return 0;
}

static int read_stamp(const struct schema *s, const json_t *record, int64_t *ret, struct error *err)
{
	const json_t *value = s->stamp_field ? json_object_get(record, s->stamp_field) : NULL;
	size_t len;
	const char *text = json_text_string(value, &len);

	*ret = 0;
	if (!value || json_is_null(value)) {
		return 0;
	}
	if (!text || !stamp_parse(text, len, ret)) {
		return error_set(
			err, EPROTO, "The org sent a %s that is no date and time.", s->stamp_field);
	}
	return 0;
}

static void put_field(
	const struct field *f, const json_t *record, const struct id *id, struct buf *out)
{
	const json_t *value = json_object_get(record, f->name);

	buf_add(out, "  \"", 3);
	buf_add_str(out, f->name);
	buf_add(out, "\": ", 3);
	if (strcmp(f->name, "Id") == 0) {
		json_text_add_string(out, id->text, ID18_LEN);
	} else if (!value) {
		buf_add(out, "null", 4);
	} else {
		write_value(out, value, false);
	}
}

static int put_record(
	const struct schema *s, const json_t *record, const struct id *id, struct buf *out)
{
	buf_add(out, "{", 1);
	for (size_t i = 0; i < s->field_count; i++) {
		buf_add_str(out, i == 0 ? "\n" : ",\n");
		put_field(&s->fields[i], record, id, out);
	}
	buf_add(out, "\n}\n", 3);
	return buf_failed(out);
}

int render_record(const struct schema *s, const char *json, size_t len, struct buf *scratch,
	struct buf *out, struct rendered *ret, struct error *err)
{
	AUTO(json) json_t *record = NULL;
	struct rendered made = {0};
	size_t before = out->len;
	int r = load_record(s, json, len, scratch, &record, err);

	if (!r) {
		r = read_id(record, &made.id, err);
	}
	if (!r) {
		r = read_stamp(s, record, &made.stamp_ms, err);
	}
	if (r) {
		return r;
	}
	made.deleted = s->has_is_deleted && json_is_true(json_object_get(record, "IsDeleted"));
	r = put_record(s, record, &made.id, out);
	if (r) {
		if (out->data) {
			out->len = before;
			out->data[before] = 0;
		}
		return error_set(err, -r,
			"The record's file is larger than the limit of %zu bytes.",
			out->limit_bytes);
	}
	*ret = made;
	return 0;
}
