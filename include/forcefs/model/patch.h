/* SPDX-License-Identifier: MIT */
/*
 * What a person changed in a record's file, as the smallest change to send. Pure.
 *
 * Rules (contract 6): a key that is missing is unchanged; null clears the field; numbers are
 * compared by value, to the last digit, and sent as typed (whole numbers without a fraction); text
 * is sent exactly as typed; "" and null are the same for text, because Salesforce keeps no empty
 * text; a datetime, time or Id written in another way is unchanged. Only fields whose value changed
 * are in the change. Refused before anything is sent, each with field and line: text that is no
 * JSON object (EINVAL), a key given twice (EINVAL), a field that the object does not have (EINVAL),
 * a changed Id (EINVAL), a changed read-only field (EACCES), a value of the wrong type (EINVAL),
 * text longer than the field (EINVAL), null for a field that must not be empty (EINVAL).
 *
 * A number of more than 15 digits that a program with C doubles (jq 1.6) has written back with
 * fewer is unchanged where another field was changed, and EINVAL where nothing else was, or where
 * the program has lost more than a double needs to. In a read-only field it is unchanged anyway.
 * The same holds where jq has written null for NaN and its largest number for Infinity.
 *
 * A byte-order mark, CRLF line ends outside of strings and an object under the key "attributes" are
 * accepted. An empty or whitespace-only text, and one of NUL bytes, is EINVAL with a sentence that
 * the record was left as it is.
 */
#ifndef FORCEFS_MODEL_PATCH_H
#define FORCEFS_MODEL_PATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/error.h"
#include "forcefs/model/json_text.h"
#include "forcefs/model/schema.h"

/* Largest text that is looked at, in bytes; beyond it is -EFBIG. */
#define PATCH_TEXT_MAX (16 << 20)

/* base: the file as it was opened; edited: as it is to be saved. Appends the JSON object to send to
 * `out` ({"Phone":"1"}), or nothing when there is no change. *ret_fields: how many fields it has.
 * -EINVAL, -EACCES, -ENOMEM, -EFBIG; -EIO where base is no record's file. err->fields names the
 * field. After a failure out holds what it held before. */
int patch_make(const struct schema *s, const char *base, size_t base_len, const char *edited,
	size_t edited_len, struct buf *out, size_t *ret_fields, struct error *err);

/* The sides of a merge; all borrowed, texts of one record. */
struct patch_sides {
	struct json_slice base;   /* what the edited text was made from */
	struct json_slice edited; /* as it is to be saved */
	struct json_slice seen;   /* the record as far as its author knows it: base, but for an
				   * author who saves again, see patch_learn */
	struct json_slice theirs; /* the record as it is now */
};

/* The record was changed by somebody else from seen to theirs. Appends what is still to be sent so
 * that both changes stand: a field that both changed to the same value (or to what the org makes of
 * it) is left out, a field that both changed to different values is -ESTALE with both values (a
 * short piece of each) in the text, and all such fields in err->fields. Otherwise as patch_make. */
int patch_merge(const struct schema *s, const struct patch_sides *sides, struct buf *out,
	size_t *ret_fields, struct error *err);

/* Whether the edited text can have been made from base: what nobody can change says the same in both.
 * 1 or 0; as patch_make where one of them cannot be read. */
int patch_fits(const struct schema *s, struct json_slice base, struct json_slice edited,
	struct error *err);

/* After `edited` was saved and theirs is what the org made of it: what the author's next text will
 * be made from, and what the author knows of the record. Appends to `text` the edited text, with
 * the base's values where it left some out; to `seen` the former seen, with the values of theirs in
 * the fields that edited changed: the author knows no other changes, and a conflict with one of
 * those is still one. As patch_make, but what the edited text says is not judged. */
int patch_learn(const struct schema *s, const struct patch_sides *sides, struct buf *text,
	struct buf *seen, struct error *err);

/* The text of a new record as the JSON object to send: no Id (or null or ""), fields of null and
 * empty text left out, required fields (createable, not nillable, not defaulted) there, all others
 * createable (-EACCES). Otherwise as patch_make. */
int patch_create(
	const struct schema *s, const char *text, size_t len, struct buf *out, struct error *err);

#endif
