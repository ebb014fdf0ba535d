/* SPDX-License-Identifier: MIT */
/*
 * What a field can be set to. Only what Salesforce is sure to refuse, or would take for something
 * else than it reads like, is refused here; limits that describe does not tell are the org's to
 * check.
 */
#include "patch_priv.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "forcefs/model/id.h"
#include "forcefs/model/json_text.h"
#include "forcefs/model/stamp.h"
#include "json_lex.h"

#define NUMBER_POWER_MAX 308 /* beyond, no double holds it */

struct check {
	const struct patch_doc *doc;
	size_t at; /* of the field in the schema */
	const struct field *field;
	const json_t *value;
	const json_t *was;
	const char *text; /* of the value if it is a text */
	size_t len;
	const char *number; /* likewise */
	size_t number_len;
	struct error *err;
};

static int wrong(const struct check *c, const char *what)
{
	return patch_fail(c->doc, c->at, EINVAL, c->err, "%s", what);
}

static int check_null(const struct check *c)
{
	if (patch_loss(c->was, c->value) != DECIMAL_INTACT) {
		return wrong(c, "Programs write null for NaN, so it cannot be told whether this is "
				"meant. Write a number, or leave the line out to keep what is "
				"there.");
	}
	if (c->field->kind == FIELD_BOOLEAN) {
		return wrong(c, "This is true or false and cannot be null.");
	}
	if (!c->field->nillable) {
		return wrong(c, "This field must not be empty. Give it a value, or leave the line "
				"out to keep what is there.");
	}
	return 0;
}

/* Code points, as a person counts. */
static size_t count_chars(const char *s, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		count += ((unsigned char)s[i] & 0xC0) != 0x80;
	}
	return count;
}

static int check_length(const struct check *c)
{
	size_t chars = count_chars(c->text, c->len);

	if (c->field->length <= 0 || chars <= (size_t)c->field->length) {
		return 0;
	}
	return patch_fail(c->doc, c->at, EINVAL, c->err,
		"This text has %zu characters, the field holds %d. Shorten it.", chars,
		c->field->length);
}

static int check_text(const struct check *c)
{
	if (c->text) {
		return check_length(c);
	}
	if (c->number || json_is_boolean(c->value)) {
		return wrong(c, "This field holds text. Put the value in double quotes.");
	}
	return wrong(c, "This field holds one text in double quotes, no list and no object.");
}

static bool is_quoted_number(const struct check *c)
{
	return c->text && lex_is_number(c->text, c->text + c->len);
}

bool patch_is_whole(const struct field *f)
{
	return strcmp(f->type, "int") == 0 || strcmp(f->type, "long") == 0;
}

static int check_whole(const struct check *c)
{
	int64_t n;

	if (!decimal_to_int64(c->number, c->number_len, &n)) {
		return wrong(c, "This field holds whole numbers. Write it without a fraction.");
	}
	if (strcmp(c->field->type, "int") == 0 && (n > INT32_MAX || n < INT32_MIN)) {
		return wrong(c, "This number is too large for the field.");
	}
	return 0;
}

static int check_number(const struct check *c)
{
	struct decimal d;

	if (patch_loss(c->was, c->value) != DECIMAL_INTACT) {
		return wrong(c, "The program that wrote this text rounded the number: its last "
				"digits are lost. Put the number back as it was, or leave the "
				"line out to keep what is there.");
	}
	if (is_quoted_number(c)) {
		return wrong(c, "This field holds a number. Take the quotes away.");
	}
	if (c->text && c->len == 0) {
		return wrong(c, "This field holds a number. Write null to leave it empty.");
	}
	if (!c->number) {
		return wrong(c, "This field holds a number, written without quotes, as 12.5.");
	}
	if (!decimal_read(c->number, c->number_len, &d) || d.magnitude > NUMBER_POWER_MAX ||
		d.magnitude < -NUMBER_POWER_MAX) {
		return wrong(c, "This number is beyond what Salesforce can keep.");
	}
	return patch_is_whole(c->field) ? check_whole(c) : 0;
}

static int check_boolean(const struct check *c)
{
	if (json_is_boolean(c->value)) {
		return 0;
	}
	return wrong(c, "This field is true or false, written without quotes.");
}

/* The years that Salesforce knows; s begins with four digits. */
static bool is_known_year(const char *s)
{
	return strncmp(s, "1700", 4) >= 0 && strncmp(s, "4000", 4) <= 0;
}

static bool is_stamp(const char *s, size_t len)
{
	int64_t ms;

	return stamp_parse(s, len, &ms) && is_known_year(s);
}

static int check_datetime(const struct check *c)
{
	if (c->text && is_stamp(c->text, c->len)) {
		return 0;
	}
	return wrong(c, "This field holds a date and time with a zone, in quotes, as "
			"\"2026-07-01T10:11:12Z\" or \"2026-07-01T12:11:12+02:00\"; null clears "
			"it.");
}

static int check_date(const struct check *c)
{
	char stamp[] = "2026-07-01T00:00:00Z";

	if (c->text && c->len == strlen("2026-07-01")) {
		memcpy(stamp, c->text, c->len);
		if (is_stamp(stamp, strlen(stamp))) {
			return 0;
		}
	}
	return wrong(c, "This field holds a date of the calendar, in quotes, as \"2026-07-01\"; "
			"null clears it.");
}

static int check_time(const struct check *c)
{
	static const char day[] = "2026-07-01T";
	const size_t day_len = sizeof(day) - 1;
	char stamp[48];

	if (c->text && c->len > 0 && c->len < sizeof(stamp) - day_len &&
		c->text[c->len - 1] == 'Z') {
		memcpy(stamp, day, day_len);
		memcpy(stamp + day_len, c->text, c->len);
		if (is_stamp(stamp, day_len + c->len)) {
			return 0;
		}
	}
	return wrong(c, "This field holds a time of day, in quotes, as \"10:11:12.000Z\"; null "
			"clears it.");
}

static int check_reference(const struct check *c)
{
	struct id id;

	if (patch_is_foreign_key(c->field)) {
		return check_text(c);
	}
	if (c->text && id_parse(c->text, c->len, &id)) {
		return 0;
	}
	return wrong(c, "This field holds the Id of a record, 15 or 18 letters and digits in "
			"quotes; null clears it.");
}

static int check_other(const struct check *c)
{
	return c->text ? check_length(c) : 0;
}

int patch_check(const struct patch_doc *d, size_t field, const json_t *was, struct error *err)
{
	static int (*const checks[])(const struct check *) = {
		[FIELD_TEXT] = check_text,
		[FIELD_NUMBER] = check_number,
		[FIELD_BOOLEAN] = check_boolean,
		[FIELD_DATE] = check_date,
		[FIELD_DATETIME] = check_datetime,
		[FIELD_TIME] = check_time,
		[FIELD_ID] = check_reference,
		[FIELD_OTHER] = check_other,
	};
	struct check c = {
		.doc = d,
		.at = field,
		.field = &d->schema->fields[field],
		.value = d->members[field].value,
		.was = was,
		.err = err,
	};

	if (patch_empty(c.field, c.value)) {
		return check_null(&c);
	}
	c.text = json_text_string(c.value, &c.len);
	c.number = json_text_number(c.value, &c.number_len);
	return checks[c.field->kind](&c);
}
