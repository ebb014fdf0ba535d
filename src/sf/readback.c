/* SPDX-License-Identifier: MIT */
/*
 * The records as they are after a write, read by the last part of the same composite: what triggers
 * and formulas made of them costs no call of its own.
 *
 * A write that happened has happened, whatever becomes of the reading: nothing here is a failure.
 */
#include "sf_priv.h"

#include <errno.h>
#include <string.h>

#define BODY_LIMIT_BYTES (512u << 10)

void readback_init(struct readback *rb, struct sf *sf, const struct schema *schema,
	const struct remote_sink *sink, struct remote_save *saves, size_t count)
{
	*rb = (struct readback){
		.sf = sf, .schema = schema, .sink = sink, .saves = saves, .count = count};
	buf_init(&rb->path, SF_URL_LIMIT_BYTES);
	buf_init(&rb->body, BODY_LIMIT_BYTES);
}

void readback_release(struct readback *rb)
{
	buf_release(&rb->path);
	buf_release(&rb->body);
}

/* ---- the question ---- */

static void add_part(struct readback *rb, struct composite *c)
{
	rb->part = composite_add(c, "read", buf_str(&rb->path));
	if (rb->body.len > 0) {
		rb->part->method = "POST";
		rb->part->send = (struct json_slice){buf_str(&rb->body), rb->body.len};
	}
}

/* "…/query?q=SELECT…", ids NULL: without a condition. */
static int query_path(struct readback *rb, const char *base, const struct id *ids, size_t count,
	struct error *err)
{
	AUTO(buf) struct buf soql;
	int r;

	buf_init(&soql, SF_SOQL_LIMIT_BYTES);
	r = soql_select(rb->schema, &soql, err);
	if (r == 0 && ids) {
		r = soql_add_ids(&soql, ids, count);
	}
	return r < 0 ? r : soql_path(base, "query", &soql, &rb->path, err);
}

void readback_ask(struct readback *rb, struct composite *c, const char *base, const struct id *ids,
	size_t count)
{
	int r;

	rb->part = NULL;
	buf_clear(&rb->path);
	buf_clear(&rb->body);
	if (rb->schema->retrieveable) {
		r = retrieve_body(rb->schema, ids, count, &rb->body, NULL);
		buf_addf(&rb->path, "%s/composite/sobjects/%s", base, rb->schema->object);
	} else {
		r = query_path(rb, base, ids, count, NULL);
	}
	if (r == 0 && !buf_failed(&rb->path)) {
		add_part(rb, c);
	}
}

void readback_ask_made(struct readback *rb, struct composite *c, const char *base)
{
	int r;

	rb->part = NULL;
	buf_clear(&rb->path);
	buf_clear(&rb->body);
	if (rb->schema->retrieveable) {
		r = retrieve_path(rb->schema, base, "@{made.id}", &rb->path, NULL);
	} else {
		r = query_path(rb, base, NULL, 0, NULL);
		/* The org looks for the reference in the text as it is. */
		buf_add_str(&rb->path, "%20WHERE%20Id%3D'@{made.id}'");
	}
	if (r == 0 && !buf_failed(&rb->path)) {
		add_part(rb, c);
	}
}

/* ---- the answer ---- */

static void note_read(struct readback *rb, const char *json, size_t len)
{
	struct id id = {""};
	struct json_slice value;

	json_text_find(json, len, "Id", 2, &value, NULL);
	if (value.len > 2) {
		id_parse(value.text + 1, value.len - 2, &id);
	}
	for (size_t i = 0; rb->saves && i < rb->count; i++) {
		if (!strcmp(rb->saves[i].id.text, id.text)) {
			rb->saves[i].read_back = true;
		}
	}
}

static int pass_on(void *payload, const char *json, size_t len, struct error *err)
{
	struct readback *rb = payload;
	int r = rb->sink->record(rb->sink->payload, json, len, err);

	if (r < 0) {
		rb->stopped = true;
		return r;
	}
	note_read(rb, json, len);
	return 0;
}

static int pass_slice(void *payload, struct json_slice value)
{
	if (value.len == 4 && !memcmp(value.text, "null", 4)) {
		return 0;
	}
	return value.len > 0 && value.text[0] == '{' ? pass_on(payload, value.text, value.len, NULL)
						     : -EPROTO;
}

static int take_part(struct readback *rb, const struct until *until)
{
	const struct remote_sink sink = {.record = pass_on, .payload = rb};
	struct part *p = rb->part;
	int r = p ? part_judge(rb->sf, p, NULL) : -ENODATA;

	if (r < 0) {
		return r;
	}
	if (!rb->schema->retrieveable) {
		return query_follow(rb->sf, rb->schema, p->body, &sink, until, NULL);
	}
	if (rb->body.len > 0) {
		return json_text_elements(p->body.text, p->body.len, pass_slice, rb, NULL);
	}
	return pass_slice(rb, p->body);
}

void readback_finish(
	struct readback *rb, const struct id *ids, size_t count, const struct until *until)
{
	const struct remote_sink sink = {.record = pass_on, .payload = rb};

	if (take_part(rb, until) < 0 && !rb->stopped && count > 0) {
		sf_retrieve(rb->sf, rb->schema, ids, count, &sink, until, NULL);
	}
	rb->part = NULL;
}
