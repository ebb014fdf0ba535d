/* SPDX-License-Identifier: MIT */
/* Reads a describe, one field at a time, and makes a schema of it. */
#include "forcefs/model/schema.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/hash.h"
#include "forcefs/model/json_text.h"
#include "pick.h"
#include "schema_priv.h"

#define FIELD_COUNT_MAX 5000

/* To be raised when the same record and schema give other bytes than before: it makes rendered
 * files in a cache stale. */
#define RENDER_VERSION 1

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const struct pick field_table[] = {
	{"name", PICK_STRING, offsetof(struct described, field.name)},
	{"type", PICK_STRING, offsetof(struct described, field.type)},
	{"length", PICK_INT, offsetof(struct described, field.length)},
	{"updateable", PICK_BOOL, offsetof(struct described, field.updateable)},
	{"createable", PICK_BOOL, offsetof(struct described, field.createable)},
	{"nillable", PICK_BOOL, offsetof(struct described, field.nillable)},
	{"defaultedOnCreate", PICK_BOOL, offsetof(struct described, field.defaulted_on_create)},
	{"calculated", PICK_BOOL, offsetof(struct described, field.calculated)},
	{"filterable", PICK_BOOL, offsetof(struct described, field.filterable)},
	{"sortable", PICK_BOOL, offsetof(struct described, field.sortable)},
	{"restrictedPicklist", PICK_BOOL, offsetof(struct described, field.restricted_picklist)},
	{"compoundFieldName", PICK_STRING, offsetof(struct described, compound)},
	{"nameField", PICK_BOOL, offsetof(struct described, is_name)},
	{"deprecatedAndHidden", PICK_BOOL, offsetof(struct described, hidden)},
};

static const struct pick object_table[] = {
	{"name", PICK_STRING, offsetof(struct schema, object)},
	{"keyPrefix", PICK_PREFIX, offsetof(struct schema, key_prefix)},
	{"queryable", PICK_BOOL, offsetof(struct schema, queryable)},
	{"retrieveable", PICK_BOOL, offsetof(struct schema, retrieveable)},
	{"replicateable", PICK_BOOL, offsetof(struct schema, replicateable)},
	{"createable", PICK_BOOL, offsetof(struct schema, createable)},
	{"updateable", PICK_BOOL, offsetof(struct schema, updateable)},
	{"deletable", PICK_BOOL, offsetof(struct schema, deletable)},
};

static const struct {
	const char *type;
	enum field_kind kind;
} kinds[] = {
	{"string", FIELD_TEXT},
	{"textarea", FIELD_TEXT},
	{"picklist", FIELD_TEXT},
	{"multipicklist", FIELD_TEXT},
	{"combobox", FIELD_TEXT},
	{"phone", FIELD_TEXT},
	{"email", FIELD_TEXT},
	{"url", FIELD_TEXT},
	{"encryptedstring", FIELD_TEXT},
	{"int", FIELD_NUMBER},
	{"long", FIELD_NUMBER},
	{"double", FIELD_NUMBER},
	{"currency", FIELD_NUMBER},
	{"percent", FIELD_NUMBER},
	{"boolean", FIELD_BOOLEAN},
	{"date", FIELD_DATE},
	{"datetime", FIELD_DATETIME},
	{"time", FIELD_TIME},
	{"id", FIELD_ID},
	{"reference", FIELD_ID},
};

struct parser {
	struct schema *schema;
	struct describe describe;
	bool seen; /* the fields member */
	struct buf scratch;
	struct error *err;
};

static enum field_kind kind_of(const char *type)
{
	for (size_t i = 0; i < COUNT(kinds); i++) {
		if (strcmp(kinds[i].type, type) == 0) {
			return kinds[i].kind;
		}
	}
	return FIELD_OTHER;
}

static void described_release(struct described *d)
{
	field_release(&d->field);
	free(d->compound);
	*d = (struct described){0};
}

void describe_release(struct describe *d)
{
	for (size_t i = 0; i < d->count; i++) {
		described_release(&d->fields[i]);
	}
	free(d->fields);
	*d = (struct describe){0};
}

static int make_room(struct parser *p)
{
	struct describe *d = &p->describe;
	size_t capacity = d->capacity ? d->capacity * 2 : 64;
	struct described *grown;

	if (d->count < d->capacity) {
		return 0;
	}
	if (d->count >= FIELD_COUNT_MAX) {
		return error_set(
			p->err, EPROTO, "The object has more than %d fields.", FIELD_COUNT_MAX);
	}
	grown = reallocarray(d->fields, capacity, sizeof(*grown));
	if (!grown) {
		return error_set(p->err, ENOMEM, "Out of memory while reading a describe.");
	}
	d->fields = grown;
	d->capacity = capacity;
	return 0;
}

static int add_field(void *payload, struct json_slice value)
{
	struct parser *p = payload;
	struct described *d;
	AUTO(json) json_t *object = NULL;
	int r = make_room(p);

	if (!r) {
		r = json_text_load(value.text, value.len, &p->scratch, &object, p->err);
	}
	if (r) {
		return r;
	}
	d = &p->describe.fields[p->describe.count];
	*d = (struct described){0};
	r = pick_members(field_table, COUNT(field_table), object, d, p->err);
	if (!r && (!is_api_name(d->field.name) || !d->field.type)) {
		r = error_set(p->err, EPROTO, "A field has no name or no type.");
	}
	if (r) {
		described_release(d);
		return r;
	}
	d->field.kind = kind_of(d->field.type);
	p->describe.count++;
	return 0;
}

static bool slice_is(struct json_slice s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.text, word, s.len) == 0;
}

static int top_member(void *payload, struct json_slice key, struct json_slice value)
{
	struct parser *p = payload;

	if (slice_is(key, "fields")) {
		p->seen = true;
		return json_text_elements(value.text, value.len, add_field, p, p->err);
	}
	for (size_t i = 0; i < COUNT(object_table); i++) {
		AUTO(json) json_t *v = NULL;
		int r;

		if (!slice_is(key, object_table[i].key)) {
			continue;
		}
		r = json_text_load(value.text, value.len, &p->scratch, &v, p->err);
		return r ? r : pick_value(&object_table[i], v, p->schema, p->err);
	}
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two fields of one name would make a file with one key twice. */
static int check_unique(const struct describe *d, struct error *err)
{
	AUTO_FREE const char **names = calloc(d->count + 1, sizeof(*names));

	if (!names) {
		return error_set(err, ENOMEM, "Out of memory while reading a describe.");
	}
	for (size_t i = 0; i < d->count; i++) {
		names[i] = d->fields[i].field.name;
	}
	qsort(names, d->count, sizeof(*names), by_name);
	for (size_t i = 1; i < d->count; i++) {
		if (strcmp(names[i - 1], names[i]) == 0) {
			return error_set(err, EPROTO, "The field %s stands there twice.", names[i]);
		}
	}
	return 0;
}

static void find_stamp(struct schema *s)
{
	static const char *const names[] = {"SystemModstamp", "LastModifiedDate", "CreatedDate"};

	for (size_t i = 0; i < COUNT(names); i++) {
		const struct field *f = schema_field(s, names[i]);

		if (f && f->kind == FIELD_DATETIME) {
			s->stamp_field = f->name;
			s->stamp_filterable = f->filterable;
			s->stamp_moves = i < 2;
			return;
		}
	}
}

static int find_hash(struct schema *s, struct error *err)
{
	AUTO(buf) struct buf b;

	buf_init(&b, SIZE_MAX / 2);
	buf_addf(&b, "%d %s\n", RENDER_VERSION, s->object);
	for (size_t i = 0; i < s->field_count; i++) {
		buf_addf(&b, "%s %s\n", s->fields[i].name, s->fields[i].type);
	}
	if (buf_failed(&b)) {
		return error_set(err, ENOMEM, "Out of memory while reading a describe.");
	}
	s->hash = hash_bytes(b.data, b.len);
	return 0;
}

static int parse(struct parser *p, const char *json, size_t len)
{
	struct schema *s = p->schema;
	int r = json_text_members(json, len, top_member, p, p->err);

	if (!r && (!p->seen || !is_api_name(s->object))) {
		r = error_set(p->err, EPROTO, "It names no object or no fields.");
	}
	if (!r) {
		r = check_unique(&p->describe, p->err);
	}
	if (!r) {
		r = schema_arrange(s, &p->describe, p->err);
	}
	if (r) {
		return r;
	}
	find_stamp(s);
	s->has_is_deleted = schema_field(s, "IsDeleted") != NULL;
	return find_hash(s, p->err);
}

int schema_parse(const char *describe_json, size_t len, struct schema **ret, struct error *err)
{
	AUTO(schema) struct schema *s = calloc(1, sizeof(*s));
	struct parser p = {.schema = s, .err = err};
	int r;

	if (!s) {
		return error_set(err, ENOMEM, "Out of memory while reading a describe.");
	}
	s->refs = 1;
	buf_init(&p.scratch, SIZE_MAX / 2);
	r = parse(&p, describe_json, len);
	buf_release(&p.scratch);
	describe_release(&p.describe);
	if (r) {
		return error_prefix(err, r, "The org's description of an object cannot be read");
	}
	*ret = take_ptr(&s);
	return 0;
}
