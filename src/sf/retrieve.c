/* SPDX-License-Identifier: MIT */
/*
 * Records by Id: one by GET, many by a collection read, or by a query where the object allows
 * neither. An Id that the org does not know is missing, not an error; one bad Id among many must
 * not spoil the others, and an answer too big for memory is asked for in halves.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define MANY_MAX         2000
#define BODY_LIMIT_BYTES (512u << 10)

struct wish {
	struct sf *sf;
	const struct schema *schema;
	const struct remote_sink *sink;
	const struct until *until;
	struct error *err;
};

static bool is_missing(const struct error *fault)
{
	return sf_error_is(fault, "ENTITY_IS_DELETED") || sf_error_is(fault, "MALFORMED_ID") ||
	       sf_error_is(fault, "INVALID_CROSS_REFERENCE_KEY") ||
	       (fault->http_status == 404 && fault->errnum == ENOENT);
}

static int fail(const struct wish *w, int r, const struct error *fault)
{
	if (w->err) {
		*w->err = *fault;
	}
	return r;
}

static int hand_out(const struct wish *w, const char *text, size_t len)
{
	return w->sink->record(w->sink->payload, text, len, w->err);
}

static int check_names(const struct wish *w)
{
	AUTO(buf) struct buf soql;

	buf_init(&soql, SF_SOQL_LIMIT_BYTES);
	return soql_select(w->schema, &soql, w->err);
}

/* ---- one ---- */

int retrieve_path(const struct schema *schema, const char *base, const char *id, struct buf *path,
	struct error *err)
{
	buf_addf(path, "%s/sobjects/%s/%s?fields=", base, schema->object, id);
	for (size_t i = 0; i < schema->field_count; i++) {
		buf_add_str(path, i ? "," : "");
		buf_add_str(path, schema->fields[i].name);
	}
	return buf_failed(path)
		       ? error_set(err, -buf_failed(path), "%s has too many fields", schema->object)
		       : 0;
}

static int get_one(const struct wish *w, const char *base, const struct id *id);

/* The record is not there; or the version of the API is not, which looks the same. */
static int get_missing(const struct wish *w, const struct id *id, const struct error *fault)
{
	char base[SF_BASE_SIZE];
	int r;

	if (sf_error_is(fault, "ENTITY_IS_DELETED") || !versions_changed(w->sf, w->until, fault)) {
		return 0;
	}
	r = versions_base(w->sf, w->until, base, w->err);
	return r < 0 ? r : get_one(w, base, id);
}

static int get_one(const struct wish *w, const char *base, const struct id *id)
{
	AUTO(composite) struct composite c = {0};
	AUTO(buf) struct buf path;
	struct sf_call call = {.method = "GET", .limit_bytes = SF_PAGE_LIMIT_BYTES, .record = true};
	struct error fault = {0};
	struct json_slice body;
	int r;

	buf_init(&path, SF_URL_LIMIT_BYTES);
	r = retrieve_path(w->schema, base, id->text, &path, w->err);
	if (r < 0) {
		return r;
	}
	call.path = buf_str(&path);
	r = composite_get(w->sf, &c, &call, w->until, &fault);
	if (r < 0) {
		return is_missing(&fault) ? get_missing(w, id, &fault) : fail(w, r, &fault);
	}
	body = c.part[0].body;
	if (body.len == 0 || body.text[0] != '{') {
		return error_set(w->err, EPROTO, "Salesforce's answer to a record is no record");
	}
	return hand_out(w, body.text, body.len);
}

/* ---- many ---- */

int retrieve_body(const struct schema *schema, const struct id *ids, size_t count, struct buf *body,
	struct error *err)
{
	buf_add_str(body, "{\"ids\":[");
	for (size_t i = 0; i < count; i++) {
		buf_addf(body, "%s\"%s\"", i ? "," : "", ids[i].text);
	}
	buf_add_str(body, "],\"fields\":[");
	for (size_t i = 0; i < schema->field_count; i++) {
		buf_addf(body, "%s\"%s\"", i ? "," : "", schema->fields[i].name);
	}
	buf_add_str(body, "]}");
	return buf_failed(body)
		       ? error_set(err, -buf_failed(body), "%s has too many fields", schema->object)
		       : 0;
}

static int many_record(void *payload, struct json_slice value)
{
	const struct wish *w = payload;

	if (value.len == 4 && !memcmp(value.text, "null", 4)) {
		return 0;
	}
	if (value.len == 0 || value.text[0] != '{') {
		return error_set(w->err, EPROTO, "Salesforce's answer holds a record that is none");
	}
	return hand_out(w, value.text, value.len);
}

/* One collection read. fault is filled when the org refuses; the sink has seen nothing then. */
static int post_many(const struct wish *w, const char *base, const struct id *ids, size_t count,
	struct http_reply *ret, struct error *fault)
{
	AUTO(buf) struct buf body;
	AUTO_FREE char *path = NULL;
	struct sf_call call = {
		.method = "POST", .limit_bytes = SF_PAGE_LIMIT_BYTES, .record = true};
	int r;

	buf_init(&body, BODY_LIMIT_BYTES);
	r = retrieve_body(w->schema, ids, count, &body, w->err);
	if (r < 0) {
		if (w->err) {
			*fault = *w->err;
		}
		return r;
	}
	if (asprintf(&path, "%s/composite/sobjects/%s", base, w->schema->object) < 0) {
		path = NULL;
		return error_set(fault, ENOMEM, "out of memory");
	}
	call.path = path;
	call.body = body.data;
	call.body_len = body.len;
	return sf_call_perform(w->sf, &call, w->until, ret, fault);
}

/* ---- by query ---- */

static int query_path(const struct wish *w, const char *base, const struct id *ids, size_t count,
	struct buf *path)
{
	AUTO(buf) struct buf soql;
	int r;

	buf_init(&soql, SF_SOQL_LIMIT_BYTES);
	r = soql_select(w->schema, &soql, w->err);
	if (r == 0 && soql_add_ids(&soql, ids, count) < 0) {
		r = error_set(w->err, EFBIG, "too many records for one query");
	}
	return r < 0 ? r : soql_path(base, "query", &soql, path, w->err);
}

static int query_many(const struct wish *w, const char *base, const struct id *ids, size_t count)
{
	AUTO(composite) struct composite c = {0};
	AUTO(buf) struct buf path;
	struct sf_call call = {.method = "GET",
		.batch_size = query_batch_size(w->sf, w->schema),
		.limit_bytes = SF_PAGE_LIMIT_BYTES,
		.record = true};
	int r;

	buf_init(&path, SF_URL_LIMIT_BYTES);
	r = query_path(w, base, ids, count, &path);
	if (r < 0) {
		return r;
	}
	call.path = buf_str(&path);
	r = composite_get(w->sf, &c, &call, w->until, w->err);
	return r < 0 ? r
		     : query_follow(w->sf, w->schema, c.part[0].body, w->sink, w->until, w->err);
}

/* ---- which way ---- */

static int get_many(const struct wish *w, const char *base, const struct id *ids, size_t count);

static int get_halves(const struct wish *w, const char *base, const struct id *ids, size_t count)
{
	size_t half = count / 2;
	int r = get_many(w, base, ids, half);

	return r < 0 ? r : get_many(w, base, ids + half, count - half);
}

static int get_many(const struct wish *w, const char *base, const struct id *ids, size_t count)
{
	AUTO(http_reply) struct http_reply reply = {0};
	struct error fault = {0};
	int r;

	if (count == 1) {
		return get_one(w, base, ids);
	}
	r = post_many(w, base, ids, count, &reply, &fault);
	if (r == 0) {
		return json_text_elements(
			buf_str(&reply.body), reply.body.len, many_record, (void *)w, w->err);
	}
	if (sf_error_is(&fault, "MALFORMED_ID") || (r == -EFBIG && fault.http_status == 0)) {
		return get_halves(w, base, ids, count);
	}
	if (r == -EPERM || (fault.http_status == 404 && r == -ENOENT)) {
		return query_many(w, base, ids, count);
	}
	return fail(w, r, &fault);
}

int sf_retrieve(struct sf *sf, const struct schema *schema, const struct id *ids, size_t count,
	const struct remote_sink *sink, const struct until *until, struct error *err)
{
	struct wish w = {sf, schema, sink, until, err};
	char base[SF_BASE_SIZE];
	int r;

	r = until_check(until, err);
	if (r < 0) {
		return r;
	}
	if (count == 0 || count > MANY_MAX) {
		return count == 0 ? 0 : error_set(err, EINVAL, "more than 2000 records at once");
	}
	r = check_names(&w);
	if (r == 0) {
		r = versions_base(sf, until, base, err);
	}
	if (r < 0) {
		return r;
	}
	return schema->retrieveable ? get_many(&w, base, ids, count)
				    : query_many(&w, base, ids, count);
}
