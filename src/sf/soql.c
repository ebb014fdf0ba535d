/* SPDX-License-Identifier: MIT */
/*
 * SOQL text. Names of objects and fields come from the org and are checked letter by letter;
 * values are escaped; nothing else enters a query.
 */
#include "sf_priv.h"

#include <errno.h>
#include <string.h>

#include "forcefs/model/stamp.h"

#define NAME_LIMIT 255

bool soql_name_ok(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && n <= NAME_LIMIT && name[n] == '\0';
}

/* Salesforce knows these escapes and takes any other backslash for an error. */
static const char *escape_of(char c)
{
	switch (c) {
	case '\'':
		return "\\'";
	case '\\':
		return "\\\\";
	case '"':
		return "\\\"";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	default:
		return NULL;
	}
}

int soql_add_literal(struct buf *out, const char *s, size_t len)
{
	buf_add_char(out, '\'');
	for (size_t i = 0; i < len; i++) {
		const char *escape = escape_of(s[i]);

		if (escape) {
			buf_add_str(out, escape);
		} else if ((unsigned char)s[i] < ' ' || s[i] == 0x7f) {
			buf_addf(out, "\\u%04X", (unsigned)(unsigned char)s[i]);
		} else {
			buf_add_char(out, s[i]);
		}
	}
	buf_add_char(out, '\'');
	return buf_failed(out);
}

static int bad_name(struct error *err, const char *what)
{
	return error_set(err, EPROTO, "the org's describe holds %s name that is no name", what);
}

int soql_select(const struct schema *schema, struct buf *out, struct error *err)
{
	if (!soql_name_ok(schema->object)) {
		return bad_name(err, "an object");
	}
	if (schema->field_count == 0) {
		return error_set(
			err, EPERM, "%s has no field that could be asked for", schema->object);
	}
	buf_add_str(out, "SELECT ");
	for (size_t i = 0; i < schema->field_count; i++) {
		if (!soql_name_ok(schema->fields[i].name)) {
			return bad_name(err, "a field");
		}
		buf_add_str(out, i ? "," : "");
		buf_add_str(out, schema->fields[i].name);
	}
	buf_addf(out, " FROM %s", schema->object);
	return buf_failed(out) ? error_set(err, -buf_failed(out),
					 "%s has too many fields for one query", schema->object)
			       : 0;
}

int soql_add_since(struct buf *out, const char *field, int64_t since_ms)
{
	char stamp[40];

	stamp_soql(since_ms, stamp, sizeof(stamp));
	return buf_addf(out, " WHERE %s >= %s", field, stamp);
}

int soql_add_ids(struct buf *out, const struct id *ids, size_t count)
{
	buf_add_str(out, " WHERE Id IN (");
	for (size_t i = 0; i < count; i++) {
		buf_add_str(out, i ? "," : "");
		soql_add_literal(out, ids[i].text, strlen(ids[i].text));
	}
	buf_add_char(out, ')');
	return buf_failed(out);
}

int soql_path(const char *base, const char *resource, const struct buf *soql, struct buf *out,
	struct error *err)
{
	buf_addf(out, "%s/%s?q=", base, resource);
	http_escape(buf_str(soql), soql->len, out);
	return buf_failed(out) ? error_set(err, -buf_failed(out), "the query is too long") : 0;
}
