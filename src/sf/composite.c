/* SPDX-License-Identifier: MIT */
/*
 * Several requests in one POST /composite: one API call, and no limit on a URL's length. The outer
 * status says nothing about the parts; each has its own.
 *
 * Reads: where the org refuses the composite resource itself, the parts are asked one by one.
 * Writes are sent by composite_send, which leaves that to its callers.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "forcefs/model/stamp.h"

#define BODY_LIMIT_BYTES  (1u << 20)
#define WRITE_LIMIT_BYTES (32u << 20) /* Salesforce takes 50 MB in all */
#define AGAIN_WAIT_MS     300

void composite_release(struct composite *c)
{
	for (size_t i = 0; i < c->replies; i++) {
		http_reply_release(&c->reply[i]);
	}
	memset(c, 0, sizeof(*c));
}

struct part *composite_add(struct composite *c, const char *ref, const char *path)
{
	struct part *p = &c->part[c->count++];

	*p = (struct part){.ref = ref, .path = path};
	return p;
}

/* ---- the request ---- */

static void add_text(struct buf *out, const char *s)
{
	json_text_add_string(out, s, strlen(s));
}

static void add_header(struct buf *out, size_t *count, const char *name, const char *value)
{
	buf_add_str(out, (*count)++ ? "," : ",\"httpHeaders\":{");
	add_text(out, name);
	buf_add_char(out, ':');
	add_text(out, value);
}

static void add_headers(struct buf *out, const struct part *p)
{
	size_t count = 0;
	char value[40];

	if (p->if_modified && p->if_modified[0]) {
		add_header(out, &count, "If-Modified-Since", p->if_modified);
	}
	if (p->unmodified_since_ms > 0) {
		stamp_http(p->unmodified_since_ms, value, sizeof(value));
		add_header(out, &count, "If-Unmodified-Since", value);
	}
	if (p->batch_size > 0) {
		snprintf(value, sizeof(value), "batchSize=%d", p->batch_size);
		add_header(out, &count, "Sforce-Query-Options", value);
	}
	if (p->write) {
		add_header(out, &count, "Sforce-Auto-Assign", "FALSE");
	}
	buf_add_str(out, count ? "}" : "");
}

static void add_part(struct buf *out, const struct part *p)
{
	buf_addf(out, "{\"method\":\"%s\",\"url\":", p->method ? p->method : "GET");
	add_text(out, p->path);
	buf_add_str(out, ",\"referenceId\":");
	add_text(out, p->ref);
	add_headers(out, p);
	if (p->send.text) {
		buf_add_str(out, ",\"body\":");
		buf_add(out, p->send.text, p->send.len); /* numbers as they were typed */
	}
	buf_add_char(out, '}');
}

int composite_build(const struct composite *c, struct buf *out)
{
	buf_add_str(
		out, "{\"allOrNone\":false,\"collateSubrequests\":false,\"compositeRequest\":[");
	for (size_t i = 0; i < c->count; i++) {
		buf_add_str(out, i ? "," : "");
		add_part(out, &c->part[i]);
	}
	buf_add_str(out, "]}");
	return buf_failed(out);
}

/* ---- the reply ---- */

static bool key_is(struct json_slice key, const char *name)
{
	return key.len == strlen(name) && !memcmp(key.text, name, key.len);
}

struct answer {
	struct json_slice body, headers, status, ref;
};

static int answer_member(void *payload, struct json_slice key, struct json_slice value)
{
	struct answer *a = payload;

	if (key_is(key, "body")) {
		a->body = value;
	} else if (key_is(key, "httpHeaders")) {
		a->headers = value;
	} else if (key_is(key, "httpStatusCode")) {
		a->status = value;
	} else if (key_is(key, "referenceId")) {
		a->ref = value;
	}
	return 0;
}

static struct part *part_of(struct composite *c, struct json_slice ref)
{
	for (size_t i = 0; i < c->count; i++) {
		size_t n = strlen(c->part[i].ref);

		if (ref.len == n + 2 && !memcmp(ref.text + 1, c->part[i].ref, n)) {
			return &c->part[i];
		}
	}
	return NULL;
}

static void read_headers(struct part *p, struct json_slice headers)
{
	json_t *o = headers.len && headers.len < 65536
			    ? json_loadb(headers.text, headers.len, JSON_ALLOW_NUL, NULL)
			    : NULL;
	const char *modified = json_string_value(json_object_get(o, "Last-Modified"));

	if (modified) {
		snprintf(p->last_modified, sizeof(p->last_modified), "%s", modified);
	}
	json_decref(o);
}

struct answers {
	struct composite *c;
	struct error *err;
};

static int take_answer(void *payload, struct json_slice value)
{
	struct answers *as = payload;
	struct answer a = {0};
	char digits[8] = "";
	struct part *p;
	int r = json_text_members(value.text, value.len, answer_member, &a, as->err);

	if (r < 0) {
		return r;
	}
	p = a.ref.text ? part_of(as->c, a.ref) : NULL;
	if (!p || p->status || a.status.len == 0 || a.status.len >= sizeof(digits)) {
		return error_set(as->err, EPROTO,
			"Salesforce's answer to a composite request does not fit the request");
	}
	memcpy(digits, a.status.text, a.status.len);
	p->status = atoi(digits);
	p->body = a.body.text ? a.body : (struct json_slice){"null", 4};
	read_headers(p, a.headers);
	return 0;
}

static int find_answers(void *payload, struct json_slice key, struct json_slice value)
{
	if (key_is(key, "compositeResponse")) {
		*(struct json_slice *)payload = value;
	}
	return 0;
}

int composite_parse(struct composite *c, const char *text, size_t len, struct error *err)
{
	struct answers as = {c, err};
	struct json_slice list = {0};
	int r = json_text_members(text, len, find_answers, &list, err);

	for (size_t i = 0; i < c->count; i++) {
		c->part[i].status = 0;
		c->part[i].last_modified[0] = '\0';
	}
	if (r == 0 && list.text) {
		r = json_text_elements(list.text, list.len, take_answer, &as, err);
	}
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < c->count; i++) {
		if (c->part[i].status < 100) {
			return error_set(err, EPROTO,
				"Salesforce left a part of a composite request unanswered");
		}
	}
	return 0;
}

static bool part_ok(const struct part *p)
{
	return !p->fault.errnum &&
	       ((p->status >= 200 && p->status < 300) || (p->status == 304 && !p->write));
}

int part_judge(struct sf *sf, const struct part *p, struct error *err)
{
	struct error fault = p->fault;
	int r = -fault.errnum;

	if (part_ok(p)) {
		return 0;
	}
	if (r == 0) {
		r = sf_error_decode(
			p->status, "application/json", p->body.text, p->body.len, &fault);
	}
	if (r == -EDQUOT) {
		usage_spent(&sf->usage);
	}
	if (err) {
		*err = fault;
	}
	return r;
}

/* ---- running ---- */

/* Not the parts, but the resource: an old edition, a feature switched off, a proxy. */
bool composite_is_refused(const struct error *fault)
{
	return fault->http_status == 404 || fault->http_status == 405 ||
	       sf_error_is(fault, "FUNCTIONALITY_NOT_ENABLED");
}

static int run_single(struct sf *sf, struct composite *c, size_t i, size_t limit_bytes,
	const struct until *until, struct error *err)
{
	struct part *p = &c->part[i];
	struct http_reply *reply = &c->reply[i];
	struct sf_call call = {.method = "GET",
		.path = p->path,
		.if_modified = p->if_modified,
		.batch_size = p->batch_size,
		.limit_bytes = limit_bytes,
		.record = true};
	int r = sf_call_perform(sf, &call, until, reply, &p->fault);

	c->replies = i + 1;
	if (r < 0 && p->fault.http_status != 0) {
		p->status = p->fault.http_status; /* the org's verdict on this part */
		return 0;
	}
	if (r < 0) {
		if (err) {
			*err = p->fault;
		}
		return r;
	}
	p->status = reply->status;
	p->body = (struct json_slice){buf_str(&reply->body), reply->body.len};
	snprintf(p->last_modified, sizeof(p->last_modified), "%s", reply->last_modified);
	return 0;
}

static int run_singly(struct sf *sf, struct composite *c, size_t limit_bytes,
	const struct until *until, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < c->count && r == 0; i++) {
		r = run_single(sf, c, i, limit_bytes, until, err);
	}
	return r;
}

static int run_once(struct sf *sf, struct composite *c, const struct buf *body, size_t limit_bytes,
	bool write, const char *once, const struct until *until, struct error *err)
{
	AUTO_FREE char *path = NULL;
	char base[SF_BASE_SIZE];
	struct sf_call call = {.method = "POST",
		.body = buf_str(body),
		.body_len = body->len,
		.limit_bytes = limit_bytes,
		.record = true,
		.write = write,
		.once = once,
		.several = true};
	int r = versions_base(sf, until, base, err);

	if (r < 0) {
		return r;
	}
	if (asprintf(&path, "%s/composite", base) < 0) {
		path = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	call.path = path;
	r = sf_call_perform(sf, &call, until, &c->reply[0], err);
	if (r < 0) {
		return r;
	}
	c->replies = 1;
	r = composite_parse(c, buf_str(&c->reply[0].body), c->reply[0].body.len, err);
	return r < 0 && once ? sf_call_unsure(r, once, err) : r;
}

int composite_send(struct sf *sf, struct composite *c, const char *once, const struct until *until,
	struct error *err)
{
	AUTO(buf) struct buf body;
	struct error fault = {0};
	int r;

	buf_init(&body, WRITE_LIMIT_BYTES);
	r = composite_build(c, &body);
	if (r < 0) {
		return error_set(err, -r, "the changes are too big for one request");
	}
	r = run_once(sf, c, &body, SF_PAGE_LIMIT_BYTES, true, once, until, &fault);
	if (r == -EPROTO && c->replies > 0 && !once) {
		/* An answer that cannot be read is as good as a lost one. */
		http_reply_release(&c->reply[0]);
		c->replies = 0;
		fault = (struct error){0};
		r = run_once(sf, c, &body, SF_PAGE_LIMIT_BYTES, true, once, until, &fault);
		r = r < 0 ? sf_call_unsure(r, sf_call_maybe_done, &fault) : r;
	}
	if (r < 0 && err) {
		*err = fault;
	}
	return r;
}

static bool has_passing(struct sf *sf, const struct composite *c)
{
	for (size_t i = 0; i < c->count; i++) {
		if (part_judge(sf, &c->part[i], NULL) == -EAGAIN) {
			return true;
		}
	}
	return false;
}

int composite_run(struct sf *sf, struct composite *c, size_t limit_bytes, const struct until *until,
	struct error *err)
{
	AUTO(buf) struct buf body;
	struct error fault = {0};
	int r = 0;

	buf_init(&body, BODY_LIMIT_BYTES);
	r = until_check(until, err);
	if (r < 0) {
		return r;
	}
	if (composite_build(c, &body) < 0) {
		return error_set(err, EFBIG, "the request is too big for one composite");
	}
	for (int tries = 1;; tries++) {
		r = run_once(sf, c, &body, limit_bytes, false, NULL, until, &fault);
		if (r < 0 || tries >= SF_TRIES || !has_passing(sf, c) ||
			sf_sleep(AGAIN_WAIT_MS << tries, until, NULL) < 0) {
			break;
		}
		http_reply_release(&c->reply[0]);
		c->replies = 0;
	}
	if (r < 0 && composite_is_refused(&fault)) {
		return run_singly(sf, c, limit_bytes, until, err);
	}
	if (r < 0 && err) {
		*err = fault;
	}
	return r;
}

static int get_plain(struct sf *sf, struct composite *c, const struct sf_call *call,
	const struct until *until, struct error *err)
{
	struct part *p = &c->part[0];
	int r = sf_call_perform(sf, call, until, &c->reply[0], err);

	if (r < 0) {
		return r;
	}
	c->replies = 1;
	p->status = c->reply[0].status;
	p->body = (struct json_slice){buf_str(&c->reply[0].body), c->reply[0].body.len};
	return 0;
}

int composite_get(struct sf *sf, struct composite *c, const struct sf_call *call,
	const struct until *until, struct error *err)
{
	struct part *p = composite_add(c, "one", call->path);
	struct error fault = {0};
	int r;

	p->batch_size = call->batch_size;
	if (strlen(call->path) <= SF_PLAIN_URL_BYTES - 128) {
		r = get_plain(sf, c, call, until, &fault);
		if (r == 0 || (fault.http_status != 414 && fault.http_status != 431)) {
			if (r < 0 && err) {
				*err = fault;
			}
			return r;
		}
	}
	r = composite_run(sf, c, call->limit_bytes, until, err);
	return r < 0 ? r : part_judge(sf, p, err);
}
