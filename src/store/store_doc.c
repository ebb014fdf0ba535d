/* SPDX-License-Identifier: MIT */
/* Documents by name: describes and the like. The data lies apart, so that touching costs little. */
#include "store_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int doc_from_row(struct conn *c, sqlite3_stmt *st, struct store_doc *ret, struct error *err)
{
	struct store_doc doc = {.checked_ms = sqlite3_column_int64(st, 1)};
	if (sqlite3_column_type(st, 2) != SQLITE_BLOB) {
		return sql_damaged(c, "a document has no data", err);
	}
	const void *data = sqlite3_column_blob(st, 2);
	doc.len = (size_t)sqlite3_column_bytes(st, 2);
	if (!data && doc.len > 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	doc.data = malloc(doc.len + 1);
	if (!doc.data) {
		return error_set(err, ENOMEM, "out of memory");
	}
	if (doc.len > 0) {
		memcpy(doc.data, data, doc.len);
	}
	doc.data[doc.len] = '\0';
	sql_text(st, 0, doc.modified, sizeof(doc.modified));
	*ret = doc;
	return 0;
}

int store_doc_get(struct store *s, const char *name, struct store_doc *ret, struct error *err)
{
	AUTO(conn) struct conn *c = NULL;
	AUTO(stmt) sqlite3_stmt *st = NULL;
	int r = reader_take(s, &c, err);
	if (r == 0) {
		r = sql_bind(c, STMT_DOC_GET, &st, err, "t", name);
	}
	if (r == 0) {
		r = sql_step(c, st, err);
	}
	if (r == 0) {
		return -ENOENT;
	}
	return r < 0 ? r : doc_from_row(c, st, ret, err);
}

static int put_in_transaction(
	struct conn *c, const char *name, const struct store_doc *doc, struct error *err)
{
	int r = tx_begin(c, err);
	if (r < 0) {
		return r;
	}
	r = sql_run(c, STMT_DOC_PUT, err, "tti", name, doc->modified, doc->checked_ms);
	if (r == 0) {
		r = sql_run(c, STMT_DOC_PUT_DATA, err, "tb", name, doc->data, doc->len);
	}
	return tx_end(c, r, err);
}

static int put_doc(
	struct store *s, const char *name, const struct store_doc *doc, struct error *err)
{
	AUTO(conn) struct conn *c = NULL;
	int r = writer_take(s, &c, err);
	return r < 0 ? r : put_in_transaction(c, name, doc, err);
}

int store_doc_put(struct store *s, const char *name, const struct store_doc *doc, struct error *err)
{
	int r = put_doc(s, name, doc, err);
	if (r == 0) {
		evict(s, 0);
	}
	return r;
}

int store_doc_touch(struct store *s, const char *name, int64_t checked_ms, struct error *err)
{
	AUTO(conn) struct conn *c = NULL;
	int r = writer_take(s, &c, err);
	if (r == 0) {
		r = tx_begin(c, err);
	}
	if (r < 0) {
		return r;
	}
	r = sql_run(c, STMT_DOC_TOUCH, err, "ti", name, checked_ms);
	if (r == 0 && sqlite3_changes(c->db) == 0) {
		r = -ENOENT;
	}
	return tx_end(c, r, err);
}

void store_doc_release(struct store_doc *d)
{
	free(d->data);
	d->data = NULL;
	d->len = 0;
}
