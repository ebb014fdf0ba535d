/* SPDX-License-Identifier: MIT */
/*
 * The content of a record's base64 field, as bytes: /sobjects/X/<id>/<field>. Streamed both ways,
 * never whole in memory.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* What may be a web page in the place of a body is looked at whole; such pages are small. It is the
 * body if it is as long as the record says, else some proxy's or a maintenance page. */
#define PAGE_LIMIT_BYTES (4u << 20)
#define WEB_PAGE         "text/html"

static const char lost[] =
	"the file may have been saved: read it to find out before saving it again";

/* "<base>/sobjects/X/<id>/<field>"; new, NULL when out of memory. */
static char *body_path(const char *base, const struct schema *schema, const struct id *id)
{
	char *path = NULL;

	if (asprintf(&path, "%s/sobjects/%s/%s/%s", base, schema->object, id->text,
		    schema->blob_field) < 0) {
		return NULL;
	}
	return path;
}

static int check(const struct schema *schema, struct error *err)
{
	if (!schema->blob_field || !soql_name_ok(schema->object) ||
		!soql_name_ok(schema->blob_field)) {
		return error_set(err, ENOENT, "records of %s have no file", schema->object);
	}
	return 0;
}

/* A page was held back, and is the body. */
static int hand_out_page(
	const struct http_reply *reply, const struct remote_taker *taker, struct error *err)
{
	int r = reply->body.len == 0
			? 0
			: taker->take(taker->payload, buf_str(&reply->body), reply->body.len);
	return r < 0 ? error_errno(err, -r, "storing the file") : 0;
}

int sf_body(struct sf *sf, const struct schema *schema, const struct id *id, int64_t size,
	const struct remote_taker *taker, const struct until *until, struct error *err)
{
	AUTO(http_reply) struct http_reply reply = {0};
	AUTO_FREE char *path = NULL;
	char base[SF_BASE_SIZE];
	const struct http_sink sink = {.take = taker->take,
		.payload = taker->payload,
		.but_type = size > (int64_t)PAGE_LIMIT_BYTES ? NULL : WEB_PAGE};
	struct sf_call call = {.method = "GET",
		.limit_bytes = PAGE_LIMIT_BYTES,
		.record = true,
		.sink = &sink,
		.page_len = size};
	int r = check(schema, err);

	r = r < 0 ? r : until_check(until, err);
	r = r < 0 ? r : versions_base(sf, until, base, err);
	if (r < 0) {
		return r;
	}
	path = body_path(base, schema, id);
	if (!path) {
		return error_set(err, ENOMEM, "out of memory");
	}
	call.path = path;
	r = sf_call_perform(sf, &call, until, &reply, err);
	return r < 0 ? r : hand_out_page(&reply, taker, err);
}

/* ---- writing ---- */

static int send_body(struct sf *sf, const struct schema *schema, const struct remote_body *body,
	const struct upload *upload, const struct until *until, struct error *err)
{
	AUTO(http_reply) struct http_reply reply = {0};
	AUTO_FREE char *path = NULL;
	char base[SF_BASE_SIZE];
	struct sf_call call = {.method = "PATCH",
		.source = &upload->source,
		.content_type = upload->type,
		.limit_bytes = SF_SMALL_LIMIT_BYTES,
		.write = true,
		.unmodified_since_ms = body->unmodified_since_ms,
		.once = body->unmodified_since_ms > 0 ? NULL : lost};
	int r = versions_base(sf, until, base, err);

	if (r < 0) {
		return r;
	}
	path = write_path(base, schema->object, &body->id);
	if (!path) {
		return error_set(err, ENOMEM, "out of memory");
	}
	call.path = path;
	r = sf_call_perform(sf, &call, until, &reply, err);
	return r < 0 ? write_verdict(err) : 0;
}

int sf_save_body(struct sf *sf, const struct schema *schema, const struct remote_body *body,
	const struct until *until, struct error *err)
{
	AUTO(upload) struct upload upload = {0};
	struct error fault = {0};
	int r = check(schema, &fault);

	r = r < 0 ? r : until_check(until, &fault);
	r = r < 0 ? r
		  : upload_init(
			    &upload, schema->blob_field, body->file_name, &body->content, &fault);
	r = r < 0 ? r : send_body(sf, schema, body, &upload, until, &fault);
	if (r < 0 && fault.http_status && !http_failure_is_ambiguous(&fault) &&
		versions_changed(sf, until, &fault)) {
		fault = (struct error){0};
		r = send_body(sf, schema, body, &upload, until, &fault);
	}
	if (r < 0 && err) {
		*err = fault;
	}
	return r;
}
