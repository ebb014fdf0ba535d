/* SPDX-License-Identifier: MIT */
/*
 * A page of a query: {"totalSize", "done", "nextRecordsUrl", "records"} in any order. The records
 * are handed out as slices of the reply; the page never becomes a tree.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define NEXT_LIMIT_BYTES (128u << 10)

struct page {
	struct json_slice records, next, total, done;
	bool twice;
	struct remote_page *ret;
	const struct remote_sink *sink;
	struct error *err;
};

static int page_member(void *payload, struct json_slice key, struct json_slice value)
{
	struct page *p = payload;
	const struct {
		const char *name;
		struct json_slice *slot;
	} slots[] = {
		{"records", &p->records},
		{"nextRecordsUrl", &p->next},
		{"totalSize", &p->total},
		{"done", &p->done},
	};

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		if (key.len == strlen(slots[i].name) && !memcmp(key.text, slots[i].name, key.len)) {
			p->twice = p->twice || slots[i].slot->text;
			*slots[i].slot = value;
		}
	}
	return 0;
}

static bool slice_is(struct json_slice s, const char *word)
{
	return s.text && s.len == strlen(word) && !memcmp(s.text, word, s.len);
}

static int64_t slice_number(struct json_slice s)
{
	char digits[24] = "";

	if (!s.text || s.len >= sizeof(digits)) {
		return 0;
	}
	memcpy(digits, s.text, s.len);
	return strtoll(digits, NULL, 10);
}

static char *slice_string(struct json_slice s)
{
	json_t *value;
	char *text = NULL;

	if (s.len > NEXT_LIMIT_BYTES) {
		return NULL;
	}
	value = json_loadb(s.text, s.len, JSON_DECODE_ANY, NULL);
	if (json_is_string(value)) {
		text = strdup(json_string_value(value));
	}
	json_decref(value);
	return text;
}

/* A path below /services/data, nothing that could lead to another host or resource. */
bool page_next_ok(const char *path)
{
	static const char root[] = "/services/data/v";

	if (strncmp(path, root, sizeof(root) - 1) || strlen(path) > NEXT_LIMIT_BYTES) {
		return false;
	}
	for (const char *s = path; *s; s++) {
		if (*s <= ' ' || *s > '~' || *s == '\\' || *s == '#') {
			return false;
		}
	}
	return strstr(path, "/query") && !strstr(path, "/../") && !strstr(path, "//");
}

static int garbled(struct error *err, const char *what)
{
	return error_set(err, EPROTO, "Salesforce's answer to a query %s", what);
}

/* No JSON at all: what the parser says is about line and column only. */
static int broken(struct error *err, int r)
{
	if (r != -EPROTO) {
		return r;
	}
	return error_prefix(err, r,
		"Salesforce's answer to a query is broken; try again, and if it stays so, look "
		"for a proxy in between");
}

static int read_next(struct page *p, char **ret_next)
{
	AUTO_FREE char *next = NULL;

	*ret_next = NULL;
	if (slice_is(p->done, "true") || (!p->done.text && !p->next.text)) {
		return 0;
	}
	if (p->done.text && !slice_is(p->done, "false")) {
		return garbled(p->err, "does not say whether it is complete");
	}
	if (!p->next.text) {
		return garbled(p->err, "goes on, but does not say where");
	}
	next = slice_string(p->next);
	if (!next || !page_next_ok(next)) {
		return garbled(p->err, "goes on at a place that is no query of the org");
	}
	*ret_next = take_ptr(&next);
	return 0;
}

static int page_record(void *payload, struct json_slice value)
{
	struct page *p = payload;

	if (value.len == 0 || value.text[0] != '{') {
		return garbled(p->err, "holds a record that is none");
	}
	p->ret->records++;
	return p->sink->record(p->sink->payload, value.text, value.len, p->err);
}

int page_read(const char *text, size_t len, const struct remote_sink *sink, struct remote_page *ret,
	struct error *err)
{
	struct page p = {.ret = ret, .sink = sink, .err = err};
	AUTO_FREE char *next = NULL;
	int r = json_text_members(text, len, page_member, &p, err);

	if (r < 0) {
		return broken(err, r);
	}
	if (p.twice || !p.records.text || p.records.len == 0 || p.records.text[0] != '[') {
		return garbled(err, "holds no list of records");
	}
	r = read_next(&p, &next);
	if (r < 0) {
		return r;
	}
	ret->total = slice_number(p.total);
	ret->records = 0;
	r = json_text_elements(p.records.text, p.records.len, page_record, &p, err);
	if (r < 0) {
		return broken(err, r);
	}
	ret->next = take_ptr(&next);
	return 0;
}
