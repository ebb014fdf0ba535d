/* SPDX-License-Identifier: MIT */
/* The list of sObjects. One description at a time becomes a tree; the whole is 1 to 2 MB. */
#include "forcefs/model/catalog.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forcefs/base/buf.h"
#include "forcefs/model/json_text.h"
#include "pick.h"

#define CATALOG_COUNT_MAX 65535
#define PATTERN_MAX       255

struct builder {
	struct catalog *catalog;
	size_t capacity;
	bool seen; /* the sobjects member */
	struct buf scratch;
	struct error *err;
};

static const struct pick entry_table[] = {
	{"name", PICK_STRING, offsetof(struct catalog_entry, name)},
	{"label", PICK_STRING, offsetof(struct catalog_entry, label)},
	{"keyPrefix", PICK_PREFIX, offsetof(struct catalog_entry, key_prefix)},
	{"queryable", PICK_BOOL, offsetof(struct catalog_entry, queryable)},
	{"retrieveable", PICK_BOOL, offsetof(struct catalog_entry, retrieveable)},
	{"replicateable", PICK_BOOL, offsetof(struct catalog_entry, replicateable)},
	{"createable", PICK_BOOL, offsetof(struct catalog_entry, createable)},
	{"updateable", PICK_BOOL, offsetof(struct catalog_entry, updateable)},
	{"deletable", PICK_BOOL, offsetof(struct catalog_entry, deletable)},
};

static void entry_release(struct catalog_entry *e)
{
	free(e->name);
	free(e->label);
	*e = (struct catalog_entry){0};
}

static int make_room(struct builder *b)
{
	struct catalog *c = b->catalog;
	size_t capacity = b->capacity ? b->capacity * 2 : 64;
	struct catalog_entry *grown;

	if (c->count < b->capacity) {
		return 0;
	}
	if (c->count >= CATALOG_COUNT_MAX) {
		return error_set(
			b->err, EPROTO, "The org lists more than %d objects.", CATALOG_COUNT_MAX);
	}
	grown = reallocarray(c->entries, capacity, sizeof(*grown));
	if (!grown) {
		return error_set(b->err, ENOMEM, "Out of memory while reading the objects.");
	}
	c->entries = grown;
	b->capacity = capacity;
	return 0;
}

static int add_entry(void *payload, struct json_slice value)
{
	struct builder *b = payload;
	struct catalog_entry *e;
	AUTO(json) json_t *object = NULL;
	int r = make_room(b);

	if (!r) {
		r = json_text_load(value.text, value.len, &b->scratch, &object, b->err);
	}
	if (r) {
		return r;
	}
	e = &b->catalog->entries[b->catalog->count];
	*e = (struct catalog_entry){0};
	r = pick_members(
		entry_table, sizeof(entry_table) / sizeof(*entry_table), object, e, b->err);
	if (r || !is_api_name(e->name)) {
		entry_release(e);
		return r;
	}
	if (!e->label && !(e->label = strdup(e->name))) {
		entry_release(e);
		return error_set(b->err, ENOMEM, "Out of memory while reading the objects.");
	}
	b->catalog->count++;
	return 0;
}

static int top_member(void *payload, struct json_slice key, struct json_slice value)
{
	struct builder *b = payload;

	if (key.len != strlen("sobjects") || memcmp(key.text, "sobjects", key.len) != 0) {
		return 0;
	}
	b->seen = true;
	return json_text_elements(value.text, value.len, add_entry, b, b->err);
}

static int by_name(const void *a, const void *b)
{
	const struct catalog_entry *x = a;
	const struct catalog_entry *y = b;
	int r = strcasecmp(x->name, y->name);

	return r ? r : strcmp(x->name, y->name);
}

/* Sorts; an object that is listed twice is kept once. */
static void put_in_order(struct catalog *c)
{
	size_t kept = 0;

	if (c->count == 0) {
		return;
	}
	qsort(c->entries, c->count, sizeof(*c->entries), by_name);
	for (size_t i = 1; i < c->count; i++) {
		if (strcmp(c->entries[i].name, c->entries[kept].name) == 0) {
			entry_release(&c->entries[i]);
		} else {
			c->entries[++kept] = c->entries[i];
		}
	}
	c->count = kept + 1;
}

int catalog_parse(const char *json, size_t len, struct catalog **ret, struct error *err)
{
	AUTO(catalog) struct catalog *c = calloc(1, sizeof(*c));
	struct builder b = {.catalog = c, .err = err};
	int r;

	if (!c) {
		return error_set(err, ENOMEM, "Out of memory while reading the objects.");
	}
	buf_init(&b.scratch, SIZE_MAX / 2);
	r = json_text_members(json, len, top_member, &b, err);
	buf_release(&b.scratch);
	if (r) {
		return error_prefix(err, r, "The org's list of objects cannot be read");
	}
	if (!b.seen) {
		return error_set(err, EPROTO,
			"The org's answer is no list of objects: check that login_url leads to an "
			"org.");
	}
	put_in_order(c);
	*ret = take_ptr(&c);
	return 0;
}

void catalog_free(struct catalog *c)
{
	if (!c) {
		return;
	}
	for (size_t i = 0; i < c->count; i++) {
		entry_release(&c->entries[i]);
	}
	free(c->entries);
	free(c);
}

/* The first entry that is not before the name, without regard to case. */
static size_t lower_bound(const struct catalog *c, const char *name)
{
	size_t low = 0;
	size_t high = c->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcasecmp(c->entries[middle].name, name) < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

const struct catalog_entry *catalog_find(const struct catalog *c, const char *name)
{
	for (size_t i = lower_bound(c, name); i < c->count; i++) {
		const struct catalog_entry *e = &c->entries[i];

		if (strcmp(e->name, name) == 0) {
			return e;
		}
		if (strcasecmp(e->name, name) != 0) {
			break;
		}
	}
	return NULL;
}

const struct catalog_entry *catalog_find_any_case(const struct catalog *c, const char *name)
{
	const struct catalog_entry *e = catalog_find(c, name);
	size_t i = lower_bound(c, name);

	if (e || i == c->count || strcasecmp(c->entries[i].name, name) != 0) {
		return e;
	}
	return &c->entries[i];
}

bool catalog_name_matches(const char *list, const char *name, bool empty)
{
	static const char gaps[] = ", \t\r\n";
	const char *p = list ? list + strspn(list, gaps) : "";
	char pattern[PATTERN_MAX + 1];

	if (!*p) {
		return empty;
	}
	while (*p) {
		size_t len = strcspn(p, gaps);

		if (len <= PATTERN_MAX) {
			memcpy(pattern, p, len);
			pattern[len] = 0;
			if (fnmatch(pattern, name, FNM_CASEFOLD | FNM_NOESCAPE) == 0) {
				return true;
			}
		}
		p += len;
		p += strspn(p, gaps);
	}
	return false;
}
