/* SPDX-License-Identifier: MIT */
/*
 * Edited bytes, and perhaps (after a NUL) what somebody else made of the record meanwhile: changes,
 * merges and creates are JSON objects, and a refusal adds nothing.
 */
#include <errno.h>
#include <jansson.h>

#include "../unit/patch_fixture.h"
#include "fuzz.h"

#define LIMIT (1u << 24)

static struct schema *schema;

/* A JSON object of so many fields of ours, without those that nobody may write. */
static void check_change(const struct buf *out, size_t fields, bool counted)
{
	json_t *o;

	if (out->len == 0) {
		must(!counted || fields == 0);
		return;
	}
	o = json_loadb(buf_str(out), out->len, JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, NULL);
	/* numbers beyond a double are ours to pass on */
	if (o) {
		const char *key;
		json_t *value;

		must(json_is_object(o));
		must(!counted || json_object_size(o) == fields);
		json_object_foreach(o, key, value)
		{
			must(schema_field(schema, key));
			must(strcmp(key, "Id") && strcmp(key, "SystemModstamp"));
		}
	}
	json_decref(o);
}

static void check_refusal(int r, const struct buf *out, const struct error *err)
{
	must(r == -EINVAL || r == -EACCES || r == -EFBIG || r == -ESTALE || r == -EIO);
	must(err->errnum == -r && err->text[0] && out->len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct piece p[2];
	struct buf out;
	struct error err = {0};
	size_t fields = 0;
	int r;

	if (!schema) {
		must(schema_parse(patch_describe, strlen(patch_describe), &schema, NULL) == 0);
	}
	pieces_cut(data, size, p, 2);
	buf_init(&out, LIMIT);
	r = patch_make(
		schema, patch_base, strlen(patch_base), p[0].text, p[0].len, &out, &fields, &err);
	if (r == 0) {
		check_change(&out, fields, true);
	} else {
		check_refusal(r, &out, &err);
	}
	buf_clear(&out);
	err = (struct error){0};
	fields = 0;
	const struct json_slice base = {patch_base, strlen(patch_base)};
	const struct patch_sides sides = {base, {p[0].text, p[0].len}, base,
		p[1].len ? (struct json_slice){p[1].text, p[1].len} : base};
	r = patch_merge(schema, &sides, &out, &fields, &err);
	if (r == 0) {
		check_change(&out, fields, true);
	} else {
		check_refusal(r, &out, &err);
	}
	buf_clear(&out);
	err = (struct error){0};
	r = patch_create(schema, p[0].text, p[0].len, &out, &err);
	if (r == 0) {
		check_change(&out, 0, false);
	} else {
		check_refusal(r, &out, &err);
	}
	buf_release(&out);
	pieces_free(p, 2);
	return 0;
}
