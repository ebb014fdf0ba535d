/* SPDX-License-Identifier: MIT */
/*
 * A record's text -> a tree with the place of every key, so that whatever is wrong later can be
 * told with its line. What is wrong with the text itself is told in a person's words.
 */
#include "patch_priv.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/buf.h"
#include "forcefs/model/json_text.h"
#include "forcefs/model/patch.h"
#include "json_lex.h"
#include "pick.h"

#define VALUES_MAX      100000
#define SHOWN_KEY_CHARS 80

struct collect {
	struct patch_doc *doc;
	size_t next;  /* where the next key is likely to belong */
	bool lenient; /* pass over keys that are no field */
	struct error *err;
};

static size_t line_of(const char *text, const char *at)
{
	size_t line = 1;

	while ((text = memchr(text, '\n', (size_t)(at - text))) != NULL) {
		text++;
		line++;
	}
	return line;
}

int patch_fail(const struct patch_doc *d, size_t field, int errnum, struct error *err,
	const char *fmt, ...)
{
	const char *name = d->schema->fields[field].name;
	const char *at = d->members[field].at;
	char text[sizeof(err->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	error_set(err, errnum, "line %zu: %s: %s", line_of(d->text, at), name, text);
	snprintf(err->fields, sizeof(err->fields), "%s", name);
	return -errnum;
}

/* ---- before parsing ---- */

static bool is_blank(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] && !strchr(" \t\r\n\v\f", text[i])) {
			return false;
		}
	}
	return true;
}

/* Each value but the last of a list or object is followed by a comma. A tree takes a hundred bytes
 * a value, however small the text is. */
static bool has_too_many_values(const char *text, size_t len)
{
	const char *end = text + len;
	size_t count = 0;

	for (const char *p = text; p && p < end;) {
		if (*p == '"') {
			p = lex_string_end(p + 1, end);
			continue;
		}
		count += *p == ',' || *p == '[';
		p++;
	}
	return count > VALUES_MAX;
}

static int check_size(const struct patch_doc *d, struct error *err)
{
	if (d->len > PATCH_TEXT_MAX) {
		return error_set(err, EFBIG,
			"The text has more than %d MiB. A record cannot be that large; look "
			"whether this is the right file.",
			PATCH_TEXT_MAX >> 20);
	}
	if (has_too_many_values(d->text, d->len)) {
		return error_set(err, EFBIG,
			"The text holds more than %d values. A record cannot have so many; look "
			"whether this is the right file.",
			VALUES_MAX);
	}
	return 0;
}

static bool begins(const struct patch_doc *d, const char *with, size_t len)
{
	return d->len >= len && memcmp(d->text, with, len) == 0;
}

static int check_bytes(struct patch_doc *d, struct error *err)
{
	if (begins(d, "\xff\xfe", 2) || begins(d, "\xfe\xff", 2)) {
		return error_set(err, EINVAL,
			"The text is UTF-16; the record was left as it is. Save it as UTF-8.");
	}
	const char *end = d->text + d->len;
	d->text = lex_mark_end(d->text, end);
	d->len = (size_t)(end - d->text);
	if (is_blank(d->text, d->len)) {
		return error_set(err, EINVAL,
			"The text is empty; the record was left as it is. To clear a field, set "
			"it to null; to delete the record, remove its file.");
	}
	return check_size(d, err);
}

/* ---- the keys ---- */

static size_t find_field(struct collect *c, const char *name, size_t len)
{
	const struct schema *s = c->doc->schema;

	for (size_t i = 0; i < s->field_count; i++) {
		size_t at = (c->next + i) % s->field_count;

		if (strlen(s->fields[at].name) == len &&
			memcmp(s->fields[at].name, name, len) == 0) {
			c->next = at + 1;
			return at;
		}
	}
	return s->field_count;
}

static int unknown_field(struct collect *c, const char *name, size_t len, const char *at)
{
	const struct schema *s = c->doc->schema;
	char shown[SHOWN_KEY_CHARS * 4 + 8];
	const char *near;
	size_t line = line_of(c->doc->text, at);

	patch_clean(shown, sizeof(shown), name, len, SHOWN_KEY_CHARS);
	near = patch_nearest(s, shown);
	if (s->blob_field && strcmp(shown, s->blob_field) == 0) {
		error_set(c->err, EINVAL,
			"line %zu: %s: The content of this field is no text and cannot be set "
			"here. Take the line away.",
			line, shown);
	} else if (near) {
		error_set(c->err, EINVAL, "line %zu: %s: %s shows no such field. Did you mean %s?",
			line, shown, s->object, near);
	} else {
		error_set(c->err, EINVAL,
			"line %zu: %s: %s shows no such field. Take the line away or mend the "
			"name.",
			line, shown, s->object);
	}
	patch_clean(c->err->fields, sizeof(c->err->fields), name, len, SHOWN_KEY_CHARS);
	return -EINVAL;
}

static int take_field(struct collect *c, size_t field, const char *at)
{
	struct patch_member *m = &c->doc->members[field];

	if (m->at) {
		size_t first = line_of(c->doc->text, m->at);

		m->at = at;
		return patch_fail(c->doc, field, EINVAL, c->err,
			"This field stands here a second time (first on line %zu). Keep one of "
			"them.",
			first);
	}
	m->at = at;
	m->value = json_object_get(c->doc->root, c->doc->schema->fields[field].name);
	return 0;
}

/* name: without escapes. */
static int take_name(
	struct collect *c, const char *name, size_t len, const char *at, struct json_slice value)
{
	size_t field = find_field(c, name, len);

	if (field < c->doc->schema->field_count) {
		return take_field(c, field, at);
	}
	/* What Salesforce's own replies say about the record; other tools leave it in. */
	if (len == strlen("attributes") && memcmp(name, "attributes", len) == 0 &&
		value.text[0] == '{') {
		return 0;
	}
	return c->lenient ? 0 : unknown_field(c, name, len, at);
}

/* A key that is written with escapes. */
static int take_escaped(struct collect *c, const char *at, size_t len, struct json_slice value)
{
	AUTO(buf) struct buf scratch;
	AUTO(json) json_t *decoded = NULL;
	size_t name_len;
	const char *name;
	int r;

	buf_init(&scratch, SIZE_MAX / 2);
	r = json_text_load(at, len, &scratch, &decoded, c->err);
	if (r) {
		return r;
	}
	name = json_text_string(decoded, &name_len);
	return name ? take_name(c, name, name_len, at, value) : -EPROTO;
}

static int take_member(void *payload, struct json_slice key, struct json_slice value)
{
	struct collect *c = payload;
	const char *at = key.text - 1; /* its quote */

	if (memchr(key.text, '\\', key.len)) {
		return take_escaped(c, at, key.len + 2, value);
	}
	return take_name(c, key.text, key.len, at, value);
}

static int collect(struct patch_doc *d, bool lenient, struct error *err)
{
	struct collect c = {.doc = d, .lenient = lenient, .err = err};

	return json_text_members(d->text, d->len, take_member, &c, err);
}

/* ---- the text ---- */

static int load(struct patch_doc *d, struct error *err)
{
	AUTO(buf) struct buf scratch;

	buf_init(&scratch, SIZE_MAX / 2);
	return json_text_load(d->text, d->len, &scratch, &d->root, err);
}

/* "Line 3, column 5: …." of the floor below, as the other texts of this module. */
static int as_edited(struct error *err)
{
	if (err->text[0] == 'L') {
		err->text[0] = 'l';
	}
	err->errnum = EINVAL;
	return -EINVAL;
}

/* The parser's own words (in err) are the last resort. */
static int explain(struct patch_doc *d, struct error *err)
{
	struct error better = {0};
	const char *at;
	const char *what = patch_syntax(d->text, d->len, &at);

	if (what) {
		lex_fail(err, d->text, at, what);
	} else if (collect(d, true, &better) == -EINVAL) {
		*err = better; /* a field that stands there twice */
	}
	return as_edited(err);
}

static int doc_init(struct patch_doc *d, const struct schema *s, const char *text, size_t len,
	struct error *err)
{
	*d = (struct patch_doc){.schema = s, .text = len ? text : "", .len = len};
	d->members = calloc(s->field_count + 1, sizeof(*d->members));
	return d->members ? 0 : error_set(err, ENOMEM, "Out of memory while comparing a record.");
}

static int load_edited(struct patch_doc *d, struct error *err)
{
	int r = check_bytes(d, err);

	if (r) {
		return r;
	}
	r = load(d, err);
	if (r) {
		return r == -EPROTO ? explain(d, err) : r;
	}
	if (!json_is_object(d->root)) {
		return error_set(err, EINVAL,
			"The text is no record: it has to be one JSON object, from { to }.");
	}
	r = collect(d, false, err);
	return r == -EPROTO ? as_edited(err) : r;
}

int patch_doc_load_edited(struct patch_doc *d, const struct schema *s, const char *text, size_t len,
	struct error *err)
{
	int r = doc_init(d, s, text, len, err);

	return r ? r : load_edited(d, err);
}

int patch_doc_load_own(struct patch_doc *d, const struct schema *s, const char *text, size_t len,
	struct error *err)
{
	int r = doc_init(d, s, text, len, err);

	if (!r) {
		r = load(d, err);
	}
	if (!r) {
		r = collect(d, true, err);
	}
	if (r && r != -ENOMEM) {
		return error_set(err, EIO,
			"The record as it was read cannot be understood, so nothing can be "
			"compared with it. Close the file, open it again and repeat the change.");
	}
	return r;
}

void patch_doc_release(struct patch_doc *d)
{
	json_decref(d->root);
	free(d->members);
	*d = (struct patch_doc){0};
}
