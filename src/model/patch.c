/* SPDX-License-Identifier: MIT */
/*
 * From what a person saved to what is to be sent. Each field of the schema is looked at by itself:
 *
 *   missing in the edited text, or equal to the base   nothing to send
 *   else, with theirs: equal to theirs                 nothing to send, both did the same
 *   else, the base's number as a program rounds it     nothing to send, see below
 *   else                                               checked: it may change, its value fits
 *   then, with theirs: theirs differs from what was
 *                      seen of the record              a conflict, but for what the org itself
 *                                                      makes of the value: nothing to send
 *                                                      else sent
 *
 * A save that was carried out though its reply was lost looks like a change of somebody else's.
 *
 * jq 1.6 and every program that keeps numbers as doubles writes 123456789012345680 back for
 * 123456789012345678, whatever it was told to change. Beside another change that is taken for what
 * it is. Alone it is refused: it may be meant, but sending it could spoil what nobody touched. In a
 * field that nobody can change (formulas have 18 digits) it is never meant.
 */
#include "forcefs/model/patch.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/model/id.h"
#include "forcefs/model/json_text.h"
#include "patch_priv.h"

struct change {
	const struct schema *schema;
	struct patch_doc base, edited, seen, theirs; /* one without a text has no values */
	bool merging;
	struct buf *out;
	size_t fields; /* in out so far */
	size_t conflicts;
	bool touched;   /* a field says something else than in the base */
	size_t rounded; /* the first field that only lost digits, plus 1 */
	struct error *err;
};

static void change_release(struct change *c)
{
	patch_doc_release(&c->base);
	patch_doc_release(&c->edited);
	patch_doc_release(&c->seen);
	patch_doc_release(&c->theirs);
}

DEFINE_CLEANER(change, struct change, change_release)

/* ---- writing ---- */

/* Salesforce reads no 5.0 into a whole number, though it has the value of one. */
static void put_value(struct change *c, const struct field *f, const json_t *value)
{
	size_t len;
	const char *number = json_text_number(value, &len);
	int64_t n;
	int r;

	if (number && patch_is_whole(f) && decimal_to_int64(number, len, &n)) {
		buf_addf(c->out, "%" PRId64, n);
		return;
	}
	r = json_text_dump(value, c->out);
	assert(r != -EPROTO); /* it was loaded; a full buffer is seen by finish() */
}

static void put_field(struct change *c, size_t field)
{
	const struct field *f = &c->schema->fields[field];

	buf_add_str(c->out, c->fields ? ",\"" : "{\"");
	buf_add_str(c->out, f->name);
	buf_add_str(c->out, "\":");
	c->fields++;
	put_value(c, f, c->edited.members[field].value);
}

static int out_failed(const struct change *c)
{
	int r = buf_failed(c->out);

	if (!r) {
		return 0;
	}
	return error_set(c->err, -r,
		r == -EFBIG ? "The change is larger than the limit of %zu bytes."
			    : "Out of memory while writing a change (limit %zu bytes).",
		c->out->limit_bytes);
}

static void cut_back(struct buf *out, size_t len)
{
	if (out->data) {
		out->len = len;
		out->data[len] = 0;
	}
}

/* Closes the object, or takes it all back. */
static int finish(struct change *c, int r, size_t before)
{
	if (!r && c->fields) {
		buf_add_char(c->out, '}');
	}
	if (!r) {
		r = out_failed(c);
	}
	if (r) {
		cut_back(c->out, before);
	}
	return r;
}

/* ---- one field ---- */

static bool is_id(const struct field *f)
{
	return strcmp(f->name, "Id") == 0;
}

static int refuse_change(const struct change *c, size_t field)
{
	const struct field *f = &c->schema->fields[field];

	if (is_id(f)) {
		return patch_fail(&c->edited, field, EINVAL, c->err,
			"The Id of a record never changes. Put back the one that was there, or "
			"take the line away.");
	}
	if (!c->schema->updateable) {
		return patch_fail(&c->edited, field, EACCES, c->err,
			"Records of %s cannot be changed, or not by this user.", c->schema->object);
	}
	return patch_fail(&c->edited, field, EACCES, c->err,
		"%s. Put back the value that was there, or take the line away.",
		f->calculated ? "This field is read-only, Salesforce computes it"
			      : "This field is read-only, for everybody or for this user");
}

static int check_change(const struct change *c, size_t field)
{
	const struct field *f = &c->schema->fields[field];

	if (is_id(f) || !c->schema->updateable || !f->updateable) {
		return refuse_change(c, field);
	}
	return patch_check(&c->edited, field, c->base.members[field].value, c->err);
}

/* Appends to a list with commas; what does not fit is left out. */
static void add_name(char *list, size_t size, const char *name)
{
	size_t used = strlen(list);

	if (used + strlen(name) + 2 <= size) {
		snprintf(list + used, size - used, "%s%s", used ? "," : "", name);
	}
}

/* The first conflict is told with its values, the others are named. */
static void note_conflict(struct change *c, size_t field)
{
	const struct field *f = &c->schema->fields[field];
	const json_t *mine = c->edited.members[field].value;
	const json_t *theirs = c->theirs.members[field].value;
	char here[PATCH_SHOW_SIZE], there[PATCH_SHOW_SIZE];

	if (c->conflicts++ > 0) {
		add_name(c->err->fields, sizeof(c->err->fields), f->name);
		return;
	}
	patch_show(f, mine, theirs, here);
	patch_show(f, theirs, mine, there);
	patch_fail(&c->edited, field, ESTALE, c->err,
		"Both sides changed this field: here to %s, in the org to %s. Open the file again "
		"and decide.",
		here, there);
}

static int tell_conflicts(struct change *c)
{
	const char *others = strchr(c->err->fields, ',');
	size_t used = strlen(c->err->text);

	if (others) {
		snprintf(c->err->text + used, sizeof(c->err->text) - used, " The same with: %s.",
			others + 1);
	}
	return -ESTALE;
}

/* True if a program has rounded the number on its way, and that is all. It is noted where it might
 * be meant. */
static bool is_only_rounded(struct change *c, size_t field)
{
	enum decimal_loss loss =
		patch_loss(c->base.members[field].value, c->edited.members[field].value);

	if (!c->schema->fields[field].updateable) {
		return loss != DECIMAL_INTACT;
	}
	if (loss == DECIMAL_SAME_DOUBLE && !c->rounded) {
		c->rounded = field + 1;
	}
	return loss == DECIMAL_SAME_DOUBLE;
}

static int change_field(struct change *c, size_t field)
{
	const struct field *f = &c->schema->fields[field];
	const json_t *base = c->base.members[field].value;
	const json_t *edited = c->edited.members[field].value;
	const json_t *theirs = c->merging ? c->theirs.members[field].value : base;
	int r;

	if (!edited || patch_equal(f, base, edited) || is_only_rounded(c, field)) {
		return 0;
	}
	c->touched = true;
	if (c->merging && patch_equal(f, theirs, edited)) {
		return 0;
	}
	r = check_change(c, field);
	if (r) {
		return r;
	}
	if (c->merging && !patch_equal(f, c->seen.members[field].value, theirs)) {
		if (!patch_became(f, edited, theirs)) {
			note_conflict(c, field);
		}
		return 0;
	}
	put_field(c, field);
	return 0;
}

/* ---- the doors ---- */

static int change_fields(struct change *c, size_t *ret_fields)
{
	size_t before = c->out->len;
	int r = 0;

	for (size_t i = 0; !r && i < c->schema->field_count; i++) {
		r = change_field(c, i);
	}
	if (!r && c->rounded && !c->touched) {
		r = check_change(c, c->rounded - 1);
	}
	if (!r && c->conflicts) {
		r = tell_conflicts(c);
	}
	r = finish(c, r, before);
	if (!r) {
		*ret_fields = c->fields;
	}
	return r;
}

static bool same_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

int patch_make(const struct schema *s, const char *base, size_t base_len, const char *edited,
	size_t edited_len, struct buf *out, size_t *ret_fields, struct error *err)
{
	struct error ignored;
	AUTO(change) struct change c = {.schema = s, .out = out, .err = err ? err : &ignored};
	int r;

	if (base_len && same_bytes(base, base_len, edited, edited_len)) {
		*ret_fields = 0;
		return 0;
	}
	r = patch_doc_load_edited(&c.edited, s, edited, edited_len, c.err);
	if (!r) {
		r = patch_doc_load_own(&c.base, s, base, base_len, c.err);
	}
	return r ? r : change_fields(&c, ret_fields);
}

static int load_own(
	struct patch_doc *d, const struct schema *s, struct json_slice text, struct error *err)
{
	return patch_doc_load_own(d, s, text.text, text.len, err);
}

int patch_merge(const struct schema *s, const struct patch_sides *sides, struct buf *out,
	size_t *ret_fields, struct error *err)
{
	struct error ignored;
	AUTO(change)
	struct change c = {.schema = s, .merging = true, .out = out, .err = err ? err : &ignored};
	const struct json_slice base = sides->base, edited = sides->edited;
	int r;

	if (base.len && same_bytes(base.text, base.len, edited.text, edited.len)) {
		*ret_fields = 0;
		return 0;
	}
	r = patch_doc_load_edited(&c.edited, s, edited.text, edited.len, c.err);
	r = r ? r : load_own(&c.base, s, base, c.err);
	r = r ? r : load_own(&c.seen, s, sides->seen, c.err);
	r = r ? r : load_own(&c.theirs, s, sides->theirs, c.err);
	return r ? r : change_fields(&c, ret_fields);
}

/* ---- a new record ---- */

static bool is_required(const struct field *f)
{
	return f->createable && !f->nillable && !f->defaulted_on_create && f->kind != FIELD_BOOLEAN;
}

static bool is_given(const struct change *c, size_t field)
{
	const struct field *f = &c->schema->fields[field];
	const json_t *value = c->edited.members[field].value;
	size_t len;

	return !patch_empty(f, value) && !(is_id(f) && json_text_string(value, &len) && len == 0);
}

/* A copy of another record has a dozen of them: all are named at once. */
static int refuse_given(const struct change *c, size_t field)
{
	char others[sizeof(c->err->fields)] = "";
	size_t room = sizeof(others) - strlen(c->schema->fields[field].name) - 1;
	int r;

	for (size_t i = field + 1; i < c->schema->field_count; i++) {
		if (!c->schema->fields[i].createable && is_given(c, i)) {
			add_name(others, room, c->schema->fields[i].name);
		}
	}
	r = patch_fail(&c->edited, field, EACCES, c->err,
		"This field cannot be given for a new record. Take the line away%s%s.",
		others[0] ? ", and those of " : "", others);
	if (others[0]) {
		add_name(c->err->fields, sizeof(c->err->fields), others);
	}
	return r;
}

static int create_field(struct change *c, size_t field)
{
	const struct field *f = &c->schema->fields[field];
	int r;

	if (!is_given(c, field)) {
		return 0;
	}
	if (is_id(f)) {
		return patch_fail(&c->edited, field, EINVAL, c->err,
			"A new record gets its Id from Salesforce. Take the line away; to change "
			"a record that exists, save to the file of that name.");
	}
	if (!f->createable) {
		return refuse_given(c, field);
	}
	r = patch_check(&c->edited, field, NULL, c->err);
	if (!r) {
		put_field(c, field);
	}
	return r;
}

static int check_required(const struct change *c)
{
	char names[sizeof(c->err->fields)] = "";
	size_t missing = 0;
	int r;

	for (size_t i = 0; i < c->schema->field_count; i++) {
		const struct field *f = &c->schema->fields[i];

		if (is_required(f) && patch_empty(f, c->edited.members[i].value)) {
			missing++;
			add_name(names, sizeof(names), f->name);
		}
	}
	if (!missing) {
		return 0;
	}
	r = error_set(c->err, EINVAL, "A new record of %s needs a value for %zu field%s: %s.",
		c->schema->object, missing, missing == 1 ? "" : "s", names);
	snprintf(c->err->fields, sizeof(c->err->fields), "%s", names);
	return r;
}

static int create_fields(struct change *c)
{
	size_t before = c->out->len;
	int r = 0;

	if (!c->schema->createable) {
		return error_set(c->err, EACCES,
			"Records of %s cannot be created, or not by this user.", c->schema->object);
	}
	for (size_t i = 0; !r && i < c->schema->field_count; i++) {
		r = create_field(c, i);
	}
	if (!r) {
		r = check_required(c);
	}
	if (!r && c->fields == 0) {
		buf_add_char(c->out, '{');
		c->fields = 1;
	}
	return finish(c, r, before);
}

int patch_create(
	const struct schema *s, const char *text, size_t len, struct buf *out, struct error *err)
{
	struct error ignored;
	AUTO(change) struct change c = {.schema = s, .out = out, .err = err ? err : &ignored};
	int r = patch_doc_load_edited(&c.edited, s, text, len, c.err);

	return r ? r : create_fields(&c);
}
