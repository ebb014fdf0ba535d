/* SPDX-License-Identifier: MIT */
/*
 * Edited bytes, and perhaps (each after a NUL) what somebody else made of the record meanwhile, and
 * what the author knew of it: changes, merges and creates are JSON objects, and a refusal adds
 * nothing.
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

static void check(int r, struct buf *out, size_t fields, bool counted, struct error *err)
{
	if (r == 0) {
		check_change(out, fields, counted);
	} else {
		check_refusal(r, out, err);
	}
	buf_clear(out);
	*err = (struct error){0};
}

static struct json_slice base_or(const struct piece *p)
{
	return p->len ? (struct json_slice){p->text, p->len}
		      : (struct json_slice){patch_base, strlen(patch_base)};
}

static void merge(const struct piece *p, struct buf *out)
{
	const struct patch_sides sides = {.base = {patch_base, strlen(patch_base)},
		.edited = {p[0].text, p[0].len},
		.seen = base_or(&p[2]),
		.theirs = base_or(&p[1])};
	struct error err = {0};
	struct buf text, seen;
	size_t fields = 0;
	int r = patch_merge(schema, &sides, out, &fields, &err);
	check(r, out, fields, true, &err);
	patch_fits(schema, sides.theirs, sides.edited, NULL);
	buf_init(&text, LIMIT);
	buf_init(&seen, LIMIT);
	if (patch_learn(schema, &sides, &text, &seen, &err) < 0) {
		must(err.errnum && err.text[0] && text.len == 0 && seen.len == 0);
	}
	buf_release(&text);
	buf_release(&seen);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct piece p[3];
	struct buf out;
	struct error err = {0};
	size_t fields = 0;
	int r;

	if (!schema) {
		must(schema_parse(patch_describe, strlen(patch_describe), &schema, NULL) == 0);
	}
	pieces_cut(data, size, p, 3);
	buf_init(&out, LIMIT);
	r = patch_make(
		schema, patch_base, strlen(patch_base), p[0].text, p[0].len, &out, &fields, &err);
	check(r, &out, fields, true, &err);
	merge(p, &out);
	r = patch_create(schema, p[0].text, p[0].len, &out, &err);
	check(r, &out, 0, false, &err);
	buf_release(&out);
	pieces_free(p, 3);
	return 0;
}
