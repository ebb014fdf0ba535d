/* SPDX-License-Identifier: MIT */
/*
 * JSON as text, where jansson alone would lose something.
 *
 * Numbers: jansson keeps a C double or a 64-bit integer; Salesforce sends up to 18 digits, 1.0E7,
 * and now and then NaN. json_text_load therefore reads every number as a string value that begins
 * with JSON_NUMBER_MARK and holds the number as it was sent; json_text_dump writes it back as it
 * was. Size: json_text_members and json_text_elements cut a big text into slices, so that only one
 * record at a time becomes a tree. Pure functions, any thread.
 */
#ifndef FORCEFS_MODEL_JSON_TEXT_H
#define FORCEFS_MODEL_JSON_TEXT_H

#include <stddef.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/error.h"

struct json_t;

/* A control character that no JSON text can hold unescaped and Salesforce never sends. */
#define JSON_NUMBER_MARK "\x01#"

/* Parses len bytes (any JSON value; duplicate keys are an error, nesting at most 64 levels, NUL
 * allowed in text). New reference in *ret. -EPROTO with line and column. The scratch buffer is
 * reused between calls; its limit bounds the input. */
int json_text_load(
	const char *text, size_t len, struct buf *scratch, struct json_t **ret, struct error *err);

/* What a loaded value says. Number: "-0.0", "1.0E7", NaN, as it was sent; NULL if the value is no
 * loaded number. String: NULL if it is none (numbers are none). Both borrowed from the value. Use
 * these and not json_string_value: a text that itself begins with U+0001 carries a second one. */
const char *json_text_number(const struct json_t *value, size_t *ret_len);
const char *json_text_string(const struct json_t *value, size_t *ret_len);

/* Appends a value as compact JSON (numbers as they were sent). 0, -EFBIG, -ENOMEM; -EPROTO if the
 * tree could not have been loaded. */
int json_text_dump(const struct json_t *value, struct buf *out);

/* Appends s (UTF-8) in quotes, escaped only where JSON demands it. As buf_add. */
int json_text_add_string(struct buf *out, const char *s, size_t len);

struct json_slice {
	const char *text; /* borrowed from the input */
	size_t len;
};

/* Walks the members of the top-level object: calls member(payload, key, slice) for each, in order,
 * key and slice borrowed (key is raw text between its quotes). A negative return stops and is
 * passed on. A byte-order mark in front is passed over. -EPROTO when the text is no object or is
 * cut. */
int json_text_members(const char *text, size_t len,
	int (*member)(void *payload, struct json_slice key, struct json_slice value), void *payload,
	struct error *err);

/* The same for one member: its slice, or {NULL, 0} if there is none. The whole text is walked, and of
 * several of that name the last one counts. */
int json_text_find(const char *text, size_t len, const char *name, size_t name_len,
	struct json_slice *ret, struct error *err);

/* As json_text_members for the elements of an array. */
int json_text_elements(const char *text, size_t len,
	int (*element)(void *payload, struct json_slice value), void *payload, struct error *err);

/* Re-indents any JSON by two spaces, key order kept, newline at the end (for describe files). */
int json_text_indent(const char *text, size_t len, struct buf *out, struct error *err);

#endif
