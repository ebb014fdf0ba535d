/* SPDX-License-Identifier: MIT */
/* Behind the door patch.h: the checked tree of a record's text, and what is asked of its values. */
#ifndef MODEL_PATCH_PRIV_H
#define MODEL_PATCH_PRIV_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"
#include "forcefs/model/schema.h"
#include "patch_decimal.h"

struct patch_member {
	const json_t *value; /* borrowed from the root; NULL where the text lacks the key */
	const char *at;      /* its key in the text, NULL likewise */
};

/* One text of a record. Borrows the schema and the text. */
struct patch_doc {
	const struct schema *schema;
	const char *text; /* behind a byte-order mark */
	size_t len;
	json_t *root;
	struct patch_member *members; /* one a field, in the schema's order */
};

/* A person's text: everything that is wrong with it is -EINVAL with line and column. -EFBIG. */
int patch_doc_load_edited(struct patch_doc *d, const struct schema *s, const char *text, size_t len,
	struct error *err);
/* A text of forcefs's own; fields that the schema no longer has are passed over. -EIO. */
int patch_doc_load_own(struct patch_doc *d, const struct schema *s, const char *text, size_t len,
	struct error *err);
void patch_doc_release(struct patch_doc *d);

/* "line 7: Phone: " and the sentence; err->fields is the field, which stands in the text. */
int patch_fail(const struct patch_doc *d, size_t field, int errnum, struct error *err,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Why the text is no JSON, in words for a person: a static sentence, and the place in *ret_at; NULL
 * where this cannot tell. */
const char *patch_syntax(const char *text, size_t len, const char **ret_at);

/* The name of a field that was probably meant; NULL if none is near. */
const char *patch_nearest(const struct schema *s, const char *name);

/* True if both say the same of the field. A value that is NULL (not there) counts as null. */
bool patch_equal(const struct field *f, const json_t *a, const json_t *b);
/* True if `now` is what the org makes of a value that was sent; may be NULL as above. */
bool patch_became(const struct field *f, const json_t *sent, const json_t *now);
/* Whether a program has rounded the number on its way, or has no word for it (NaN); may be NULL or
 * no number. */
enum decimal_loss patch_loss(const json_t *was, const json_t *now);
/* null, or for text "": Salesforce keeps an empty text as null. */
bool patch_empty(const struct field *f, const json_t *value);

/* 0 if the field can be set to its value in d; was: the value before, may be NULL. -EINVAL. */
int patch_check(const struct patch_doc *d, size_t field, const json_t *was, struct error *err);

/* Look-ups to external objects are references too, but hold keys of any kind. */
bool patch_is_foreign_key(const struct field *f);

/* True for fields of whole numbers. */
bool patch_is_whole(const struct field *f);

/* Room for a value as patch_show writes it. */
#define PATCH_SHOW_SIZE 200

/* A short piece of a value without control characters; of texts the piece where it begins to differ
 * from `other`. */
void patch_show(const struct field *f, const json_t *value, const json_t *other, char *dst);

/* Copies at most `chars` characters to dst, control characters as spaces; "…" where cut. */
size_t patch_clean(char *dst, size_t size, const char *s, size_t len, size_t chars);

DEFINE_CLEANER(patch_doc, struct patch_doc, patch_doc_release)

#endif
