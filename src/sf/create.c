/* SPDX-License-Identifier: MIT */
/*
 * Making a record: one composite of the POST and a GET of what it made. There is no key by which
 * Salesforce would notice a second POST of the same record, so none is ever sent unless the first
 * one certainly did nothing.
 */
#include "sf_priv.h"

#include <errno.h>
#include <string.h>

static const char lost[] = "the record may have been made: before saving it again list the "
			   "directory once its `ttl` is "
			   "over and look for the newest CreatedDate";

struct making {
	struct sf *sf;
	const struct schema *schema;
	struct json_slice json;
	const struct until *until;
	struct readback read;
	bool no_composite; /* the org refuses that resource */
};

struct made {
	struct id id;
	bool refused;
};

static int find_made(void *payload, struct json_slice key, struct json_slice value)
{
	struct made *made = payload;

	if (key.len == 2 && !memcmp(key.text, "id", 2) && value.len > 2) {
		id_parse(value.text + 1, value.len - 2, &made->id);
	} else if (key.len == 7 && !memcmp(key.text, "success", 7)) {
		made->refused = value.len == 5 && !memcmp(value.text, "false", 5);
	}
	return 0;
}

/* {"id":"001…","success":true,"errors":[]} */
static int read_id(struct json_slice body, struct id *ret, struct error *err)
{
	struct made made = {{""}, false};

	json_text_members(body.text, body.len, find_made, &made, NULL);
	if (made.refused) { /* a refusal whatever its status */
		sf_error_decode(400, "application/json", body.text, body.len, err);
		return write_verdict(err);
	}
	if (!made.id.text[0]) {
		return error_set_code(err, EPROTO, 0, "MAYBE_SENT",
			"Salesforce's answer does not name the new record; %s", lost);
	}
	*ret = made.id;
	return 0;
}

static int make_and_read(struct making *m, struct id *ret, struct error *err)
{
	AUTO(composite) struct composite c = {0};
	AUTO_FREE char *path = NULL;
	char base[SF_BASE_SIZE];
	struct part *made;
	int r = versions_base(m->sf, m->until, base, err);

	if (r < 0) {
		return r;
	}
	path = write_path(base, m->schema->object, NULL);
	if (!path) {
		return error_set(err, ENOMEM, "out of memory");
	}
	made = composite_add(&c, "made", path);
	made->method = "POST";
	made->write = true;
	made->send = m->json;
	readback_ask_made(&m->read, &c, base);
	r = composite_send(m->sf, &c, lost, m->until, err);
	if (r < 0) {
		m->no_composite = composite_is_refused(err);
		return r;
	}
	r = write_judge(m->sf, made, err);
	r = r < 0 ? r : read_id(made->body, ret, err);
	if (r == 0) {
		readback_finish(&m->read, ret, 1, m->until);
	}
	return r;
}

static int make_alone(struct making *m, struct id *ret, struct error *err)
{
	AUTO(http_reply) struct http_reply reply = {0};
	AUTO_FREE char *path = NULL;
	char base[SF_BASE_SIZE];
	struct sf_call call = {.method = "POST",
		.body = m->json.text,
		.body_len = m->json.len,
		.limit_bytes = SF_SMALL_LIMIT_BYTES,
		.write = true,
		.once = lost};
	int r = versions_base(m->sf, m->until, base, err);

	if (r < 0) {
		return r;
	}
	path = write_path(base, m->schema->object, NULL);
	if (!path) {
		return error_set(err, ENOMEM, "out of memory");
	}
	call.path = path;
	r = sf_call_perform(m->sf, &call, m->until, &reply, err);
	if (r < 0) {
		return write_verdict(err);
	}
	r = read_id((struct json_slice){buf_str(&reply.body), reply.body.len}, ret, err);
	if (r == 0) {
		m->read.part = NULL;
		readback_finish(&m->read, ret, 1, m->until);
	}
	return r;
}

static int make_once(struct making *m, struct id *ret, struct error *err)
{
	return m->no_composite ? make_alone(m, ret, err) : make_and_read(m, ret, err);
}

/* err must not be NULL. */
static int make(struct making *m, struct id *ret, struct error *err)
{
	int r = make_once(m, ret, err);

	if (r < 0 && !http_failure_is_ambiguous(err) && versions_changed(m->sf, m->until, err)) {
		m->no_composite = write_looks_like_reference(m->json.text, m->json.len);
		*err = (struct error){0};
		return make_once(m, ret, err);
	}
	if (r < 0 && m->no_composite && composite_is_refused(err)) {
		*err = (struct error){0};
		r = make_alone(m, ret, err);
	}
	return r;
}

int sf_create(struct sf *sf, const struct schema *schema, const char *json, size_t len,
	const struct remote_sink *sink, const struct until *until, struct id *ret,
	struct error *err)
{
	struct making m = {.sf = sf, .schema = schema, .json = {json, len}, .until = until};
	struct error fault = {0};
	int r = until_check(until, err);

	if (r < 0) {
		return r;
	}
	if (!soql_name_ok(schema->object) || !write_is_object(json, len)) {
		return error_set(err, EINVAL, "a new record is one JSON object");
	}
	m.no_composite = write_looks_like_reference(json, len);
	readback_init(&m.read, sf, schema, sink, NULL, 0);
	r = make(&m, ret, &fault);
	readback_release(&m.read);
	if (r < 0 && err) {
		*err = fault;
	}
	return r;
}
