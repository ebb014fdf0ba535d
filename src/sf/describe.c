/* SPDX-License-Identifier: MIT */
/* Documents as the org sends them: the list of objects, one object's describe, the limits. */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Walks the whole text: a cut one shows here. key: a member that the document must have, or NULL. */
static int check(const struct http_reply *reply, const char *key, struct error *err)
{
	struct json_slice value;
	int r = json_text_find(buf_str(&reply->body), reply->body.len, key ? key : "",
		key ? strlen(key) : 0, &value, err);

	if (r == 0 && key && !value.text) {
		r = error_set(err, EPROTO, "Salesforce's answer has no \"%s\"", key);
	}
	return r;
}

static int fill(struct http_reply *reply, struct remote_doc *ret, struct error *err)
{
	struct remote_doc doc = {.not_modified = reply->status == 304};

	snprintf(doc.last_modified, sizeof(doc.last_modified), "%s", reply->last_modified);
	if (!doc.not_modified) {
		doc.json = buf_take(&reply->body, &doc.len);
		if (!doc.json) {
			return error_set(err, EPROTO, "Salesforce's answer is empty");
		}
	}
	*ret = doc;
	return 0;
}

static int get(struct sf *sf, const char *resource, const char *if_modified, const char *key,
	const struct until *until, struct remote_doc *ret, struct error *err)
{
	AUTO(http_reply) struct http_reply reply = {0};
	AUTO_FREE char *path = NULL;
	char base[SF_BASE_SIZE];
	struct sf_call call = {
		.method = "GET", .if_modified = if_modified, .limit_bytes = SF_DOC_LIMIT_BYTES};
	int r;

	r = until_check(until, err);
	if (r < 0) {
		return r;
	}
	r = versions_base(sf, until, base, err);
	if (r < 0) {
		return r;
	}
	if (asprintf(&path, "%s/%s", base, resource) < 0) {
		path = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	call.path = path;
	r = sf_call_perform(sf, &call, until, &reply, err);
	if (r == 0 && reply.status == 304 && !(if_modified && if_modified[0])) {
		r = error_set(err, EPROTO, "Salesforce answered HTTP 304 to a plain question");
	}
	if (r == 0 && reply.status != 304) {
		r = check(&reply, key, err);
	}
	return r < 0 ? r : fill(&reply, ret, err);
}

int sf_objects(struct sf *sf, const char *if_modified, const struct until *until,
	struct remote_doc *ret, struct error *err)
{
	return get(sf, "sobjects", if_modified, "sobjects", until, ret, err);
}

int sf_describe(struct sf *sf, const char *object, const char *if_modified,
	const struct until *until, struct remote_doc *ret, struct error *err)
{
	char resource[300];

	if (!soql_name_ok(object)) {
		return error_set(err, ENOENT, "there is no object of that name");
	}
	snprintf(resource, sizeof(resource), "sobjects/%s/describe", object);
	return get(sf, resource, if_modified, "fields", until, ret, err);
}

int sf_limits(struct sf *sf, const struct until *until, struct remote_doc *ret, struct error *err)
{
	return get(sf, "limits", NULL, NULL, until, ret, err);
}
