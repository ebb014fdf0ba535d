/* SPDX-License-Identifier: MIT */
/*
 * What a text was made from, and what its author knows.
 *
 * An editor reads a record once and saves it many times. Its second text is made from its first
 * one, not from what the org made of that, and its author knows of the record what was opened and
 * what the org made of the fields saved since. Both are kept as texts that hold every field.
 */
#include "forcefs/model/patch.h"

#include <errno.h>

#include "patch_priv.h"

struct learning {
	struct patch_doc base, edited, seen, theirs;
};

static void learning_release(struct learning *l)
{
	patch_doc_release(&l->base);
	patch_doc_release(&l->edited);
	patch_doc_release(&l->seen);
	patch_doc_release(&l->theirs);
}

DEFINE_CLEANER(learning, struct learning, learning_release)

static void add_member(struct buf *out, size_t *count, const struct field *f, const json_t *value)
{
	if (value) {
		buf_add_str(out, (*count)++ ? ",\"" : "{\"");
		buf_add_str(out, f->name);
		buf_add_str(out, "\":");
		json_text_dump(value, out); /* it was loaded; a full buffer is seen at the end */
	}
}

static void learn(
	const struct schema *s, const struct learning *l, struct buf *text, struct buf *seen)
{
	size_t in_text = 0, in_seen = 0;

	for (size_t i = 0; i < s->field_count; i++) {
		const struct field *f = &s->fields[i];
		const json_t *base = l->base.members[i].value;
		const json_t *edited = l->edited.members[i].value;
		bool changed = edited && !patch_equal(f, base, edited);

		add_member(text, &in_text, f, edited ? edited : base);
		add_member(seen, &in_seen, f,
			changed ? l->theirs.members[i].value : l->seen.members[i].value);
	}
	buf_add_str(text, in_text ? "}" : "{}");
	buf_add_str(seen, in_seen ? "}" : "{}");
}

int patch_learn(const struct schema *s, const struct patch_sides *sides, struct buf *text,
	struct buf *seen, struct error *err)
{
	AUTO(learning) struct learning l = {0};
	struct error ignored;
	err = err ? err : &ignored;
	int r = patch_doc_load_edited(&l.edited, s, sides->edited.text, sides->edited.len, err);

	r = r ? r : patch_doc_load_own(&l.base, s, sides->base.text, sides->base.len, err);
	r = r ? r : patch_doc_load_own(&l.seen, s, sides->seen.text, sides->seen.len, err);
	r = r ? r : patch_doc_load_own(&l.theirs, s, sides->theirs.text, sides->theirs.len, err);
	if (r) {
		return r;
	}
	learn(s, &l, text, seen);
	r = buf_failed(text) ? buf_failed(text) : buf_failed(seen);
	return r ? error_set(err, -r, "no room to remember what was saved") : 0;
}

int patch_fits(
	const struct schema *s, struct json_slice base, struct json_slice edited, struct error *err)
{
	AUTO(learning) struct learning l = {0};
	struct error ignored;
	err = err ? err : &ignored;
	int r = patch_doc_load_edited(&l.edited, s, edited.text, edited.len, err);

	r = r ? r : patch_doc_load_own(&l.base, s, base.text, base.len, err);
	for (size_t i = 0; r == 0 && i < s->field_count; i++) {
		const json_t *base_value = l.base.members[i].value;
		const json_t *value = l.edited.members[i].value;

		if (value && !s->fields[i].updateable &&
			!patch_equal(&s->fields[i], base_value, value) &&
			patch_loss(base_value, value) == DECIMAL_INTACT) {
			return 0;
		}
	}
	return r ? r : 1;
}
