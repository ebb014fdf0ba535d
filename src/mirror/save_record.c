/* SPDX-License-Identifier: MIT */
/*
 * Saving a record's text: from what it was made, what is to be sent of it, and what to do when
 * somebody else changed the record meanwhile.
 *
 * What a text was made from
 *   its author saved this record before, and the text
 *   fits what was saved then                             the author's last text (author.c)
 *   it does not fit the file as it was opened            the version that it fits: an older one,
 *                                                        which the store keeps, or the present one
 *   else                                                 the file as it was opened
 * A text fits a version if it has its stamp and nothing in it differs that nobody can change: the
 * stamps of two changes within one second are the same, who made them often is not.
 * In the first two cases the text is merged with the record as it is known now, before anything is
 * sent.
 */
#include "mirror_priv.h"

#include <errno.h>
#include <string.h>

#include "forcefs/model/json_text.h"
#include "forcefs/model/patch.h"
#include "forcefs/model/stamp.h"

#define TEXT_MAX  (64u * 1024 * 1024)
#define CONFLICTS 5   /* so often others may come in between */
#define VERSIONS  100 /* of one stamp are looked at */

struct edit {
	struct object *object;
	struct save *save;
	uint64_t key, author;
	struct patch_sides sides; /* theirs is filled where it is needed */
	struct buf base, seen;    /* where sides.base and sides.seen are not the caller's */
};

static void edit_release(struct edit *e)
{
	buf_release(&e->base);
	buf_release(&e->seen);
}
DEFINE_CLEANER(edit, struct edit, edit_release)

static struct json_slice slice(const struct buf *b)
{
	return (struct json_slice){buf_str(b), b->len};
}

/* ---- dates in a text ---- */

/* A date in a record's text, 0 if it has none. */
static int64_t date_ms(struct json_slice text, const char *name)
{
	struct json_slice value = {0};
	int64_t ms = 0;

	if (name) {
		json_text_find(text.text, text.len, name, strlen(name), &value, NULL);
	}
	if (value.len > 2) {
		stamp_parse(value.text + 1, value.len - 2, &ms);
	}
	return ms;
}

/* What If-Unmodified-Since compares with. */
int64_t save_modified_ms(struct json_slice text)
{
	return date_ms(text, "LastModifiedDate");
}

/* ---- what the text was made from ---- */

/* A text that cannot be read fits everything: what is wrong with it is told later. */
static bool fits(const struct edit *e, struct json_slice version, int64_t edited_ms)
{
	const struct schema *schema = e->save->schema;

	return date_ms(version, schema->stamp_field) == edited_ms &&
	       patch_fits(schema, version, e->sides.edited, NULL) != 0;
}

static int find_author(struct edit *e, int64_t edited_ms)
{
	if (edited_ms == 0) {
		return 0; /* it says of some fields what they are to be, and is made from nothing */
	}
	int r = author_find(&e->object->mirror->authors, e->author, e->key, &e->base, &e->seen);
	if (r == 1 && !fits(e, slice(&e->base), edited_ms)) {
		buf_clear(&e->base);
		buf_clear(&e->seen);
		return 0; /* read again since */
	}
	return r;
}

/* The version that the text fits, among the present one and those that the store keeps. */
static int find_version(struct edit *e, int64_t edited_ms, struct error *err)
{
	struct store *store = e->object->mirror->store;
	struct store_record rec;
	int r = store_record_by_key(store, e->key, &rec, &e->base, NULL);

	for (unsigned nth = 0; nth < VERSIONS; nth++) {
		if (r == 0 && fits(e, slice(&e->base), edited_ms)) {
			return 0;
		}
		buf_clear(&e->base);
		r = store_record_former(store, e->key, edited_ms, nth, &e->base, err);
		if (r < 0) {
			return r;
		}
	}
	return -ENOENT;
}

/* An editor may have read the file long before it is written, or just after another program saved
 * it. */
static int find_other(struct edit *e, int64_t edited_ms, struct error *err)
{
	int64_t base_ms = date_ms(e->sides.base, e->save->schema->stamp_field);

	if (edited_ms == 0 || base_ms == 0 || fits(e, e->sides.base, edited_ms)) {
		return 0;
	}
	int r = find_version(e, edited_ms, err);
	if (r == -ENOENT && edited_ms >= base_ms) {
		return 0; /* its author's own words: refused as a change of a read-only field */
	}
	if (r == -ENOENT) {
		return error_set(err, ESTALE,
			"the text was made from an older version of the record, which is not kept "
			"any more: read the record again and make the change anew");
	}
	return r < 0 ? r : 1;
}

/* 1 if the text was not made from the file as it was opened. */
static int find_origin(struct edit *e, struct error *err)
{
	int64_t edited_ms = date_ms(e->sides.edited, e->save->schema->stamp_field);
	int r = find_author(e, edited_ms);

	if (r < 0) {
		return error_set(err, -r, "no room for what was saved before");
	}
	bool known = r == 1;
	r = known ? 1 : find_other(e, edited_ms, err);
	if (r == 1) {
		e->sides.base = slice(&e->base);
		e->sides.seen = known ? slice(&e->seen) : e->sides.base;
	}
	return r;
}

/* ---- what is to be sent ---- */

/* Somebody else changed the record: the save becomes what is still to be sent. 1 if it is nothing.
 */
static int merge(struct edit *e, struct error *err)
{
	AUTO(buf) struct buf theirs;
	struct store_record rec;
	size_t fields = 0;

	buf_init(&theirs, TEXT_MAX);
	int r = store_record_by_key(e->object->mirror->store, e->key, &rec, &theirs, err);
	if (r < 0) {
		return r;
	}
	buf_clear(&e->save->json);
	e->sides.theirs = slice(&theirs);
	e->save->unmodified_since_ms = save_modified_ms(e->sides.theirs);
	r = patch_merge(e->save->schema, &e->sides, &e->save->json, &fields, err);
	e->sides.theirs = (struct json_slice){0};
	return r < 0 ? r : fields == 0;
}

static int difference(struct edit *e, struct error *err)
{
	const struct json_slice base = e->sides.base, edited = e->sides.edited;
	size_t fields = 0;

	e->save->unmodified_since_ms = save_modified_ms(base);
	int r = patch_make(e->save->schema, base.text, base.len, edited.text, edited.len,
		&e->save->json, &fields, err);
	return r < 0 ? r : fields == 0;
}

/* ---- sending ---- */

static int send_merging(struct edit *e, const struct until *until, struct error *err)
{
	for (int i = 0; i < CONFLICTS; i++) {
		int r = save_send_patiently(e->object, e->save, until, err);
		if (r == 0 && save_read_back(e->object, e->save, until, NULL) < 0) {
			save_assume(e->object, e->save, e->key); /* saved it is */
		}
		if (r != -ESTALE) {
			return r;
		}
		r = save_read_back(e->object, e->save, until, err);
		r = r < 0 ? r : merge(e, err);
		if (r != 0) {
			return r < 0 ? r : 0;
		}
	}
	return error_set(err, EBUSY, "others keep changing this record; save again in a moment");
}

/* What the author's next text will be made from. Without it that one gets a conflict. */
static void learn(struct edit *e)
{
	AUTO(buf) struct buf text, seen, theirs;
	struct store_record rec;
	struct mirror *m = e->object->mirror;

	buf_init(&text, TEXT_MAX);
	buf_init(&seen, TEXT_MAX);
	buf_init(&theirs, TEXT_MAX);
	if (!e->author || !e->save->schema->stamp_field ||
		store_record_by_key(m->store, e->key, &rec, &theirs, NULL) < 0) {
		return;
	}
	e->sides.theirs = slice(&theirs);
	if (patch_learn(e->save->schema, &e->sides, &text, &seen, NULL) == 0) {
		author_note(&m->authors, e->author, e->key, &text, &seen);
	}
}

static int edit_run(struct edit *e, const struct until *until, struct error *err)
{
	int r = find_origin(e, err);

	r = r < 0 ? r : r == 1 ? merge(e, err) : difference(e, err);
	r = r == 0 ? send_merging(e, until, err) : r;
	if (r >= 0) {
		learn(e);
	}
	return r < 0 ? r : 0;
}

/* ---- the door ---- */

int object_writable(struct object *o, struct error *err)
{
	LOCK_SCOPE(&o->lock);
	if (!o->mirror->may_update) {
		return error_set(err, EROFS, "this mount is read-only: its `allow` lacks update");
	}
	if (!o->entry.updateable) {
		return error_set(err, EACCES, "you may not change records of %s", o->name);
	}
	return 0;
}

int mirror_record_save(struct mirror *m, uint64_t key, uint64_t author, struct json_slice base,
	struct json_slice edited, const struct until *until, struct mirror_record *ret,
	struct error *err)
{
	struct object *o = object_by_index(m, store_key_object(key));
	struct store_record rec;
	AUTO(schema) struct schema *schema = NULL;
	AUTO(edit)
	struct edit e = {.object = o,
		.key = key,
		.author = author,
		.sides = {.base = base, .seen = base, .edited = edited}};

	buf_init(&e.base, TEXT_MAX);
	buf_init(&e.seen, TEXT_MAX);
	int r = o ? store_record_by_key(m->store, key, &rec, NULL, err) : -ENOENT;
	if (r == -ENOENT) {
		return error_set(err, ESTALE, "the record is gone");
	}
	r = r == -ENODATA ? 0 : r;
	r = r < 0 ? r : object_writable(o, err);
	r = r < 0 ? r : object_schema(o, until, &schema, err);
	if (r < 0) {
		return r;
	}
	e.save = save_new(SAVE_UPDATE, schema, err);
	if (!e.save) {
		return -ENOMEM;
	}
	memcpy(e.save->id.text, rec.id, sizeof e.save->id.text);
	r = edit_run(&e, until, err);
	struct id id = e.save->id;
	save_drop(o, e.save);
	return r < 0 ? r : save_show(o, &id, ret, err);
}
