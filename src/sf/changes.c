/* SPDX-License-Identifier: MIT */
/*
 * What changed since a moment, in one API call: a composite of the describe (if newer), a queryAll
 * by the stamp (changed records, and deleted ones with IsDeleted), and the delete log.
 *
 * Nothing is handed out before every part is judged. The delete log goes first and the records
 * after it, so that a record that was deleted and came back ends as it is. Where deletions cannot
 * be told for the whole span (log purged, span too long, object without either source), `gap` says
 * so.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "forcefs/model/stamp.h"

#define MINUTE_MS 60000
#define LOG_MS    (INT64_C(14) * 24 * 60 * MINUTE_MS) /* the log reaches back 15 days */

struct asked {
	struct sf *sf;
	const struct schema *schema;
	const struct remote_sink *sink;
	const struct until *until;
	struct buf describe, query, deleted; /* paths */
	struct part *describe_part, *query_part, *deleted_part;
	int64_t log_start_ms;
	struct error *err;
};

static bool stamp_tells(const struct schema *s)
{
	return s->stamp_field && s->stamp_filterable && s->stamp_moves;
}

/* ---- the question ---- */

static int add_query(struct asked *a, struct composite *c, const char *base, int64_t since_ms)
{
	AUTO(buf) struct buf soql;
	int r;

	buf_init(&soql, SF_SOQL_LIMIT_BYTES);
	r = soql_select(a->schema, &soql, a->err);
	if (r < 0) {
		return r;
	}
	if (!soql_name_ok(a->schema->stamp_field) ||
		soql_add_since(&soql, a->schema->stamp_field, since_ms) < 0) {
		return error_set(
			a->err, EFBIG, "%s has too many fields for one query", a->schema->object);
	}
	r = soql_path(
		base, a->schema->has_is_deleted ? "queryAll" : "query", &soql, &a->query, a->err);
	if (r == 0) {
		a->query_part = composite_add(c, "changed", buf_str(&a->query));
		a->query_part->batch_size = query_batch_size(a->sf, a->schema);
	}
	return r;
}

/* "2026-07-01T10:11:00+00:00", the form that the resource's documentation shows. */
static void add_time(struct buf *path, const char *name, int64_t ms)
{
	char stamp[40];

	stamp_soql(ms, stamp, sizeof(stamp));
	snprintf(stamp + 19, sizeof(stamp) - 19, "+00:00");
	buf_addf(path, "%s=", name);
	http_escape(stamp, strlen(stamp), path);
}

/* The log is kept by the minute: a minute more on both sides. Nothing says that an end that is
 * still to come is allowed: an org that refused one is asked up to the last full minute. */
static void add_deleted(struct asked *a, struct composite *c, const char *base, int64_t since_ms)
{
	bool past = atomic_load(&a->sf->log_of_past);
	int64_t end =
		sf_call_org_now_ms(a->sf) / MINUTE_MS * MINUTE_MS + (past ? 0 : 2 * MINUTE_MS);
	int64_t start = since_ms / MINUTE_MS * MINUTE_MS - MINUTE_MS;

	if (end < start + 2 * MINUTE_MS) {
		start = past ? end - 2 * MINUTE_MS : start;
		end = start + 2 * MINUTE_MS;
	}
	a->log_start_ms = start;
	buf_addf(&a->deleted, "%s/sobjects/%s/deleted/?", base, a->schema->object);
	add_time(&a->deleted, "start", a->log_start_ms);
	add_time(&a->deleted, "&end", end);
	a->deleted_part = composite_add(c, "deleted", buf_str(&a->deleted));
}

static int ask(
	struct asked *a, struct composite *c, const char *describe_modified, int64_t since_ms)
{
	char base[SF_BASE_SIZE];
	int r = versions_base(a->sf, a->until, base, a->err);

	if (r == 0 && stamp_tells(a->schema)) {
		r = add_query(a, c, base, since_ms);
	}
	if (r < 0) {
		return r;
	}
	if (describe_modified && describe_modified[0]) {
		buf_addf(&a->describe, "%s/sobjects/%s/describe", base, a->schema->object);
		a->describe_part = composite_add(c, "describe", buf_str(&a->describe));
		a->describe_part->if_modified = describe_modified;
	}
	if (a->schema->replicateable) {
		add_deleted(a, c, base, since_ms);
	}
	if (buf_failed(&a->describe) || buf_failed(&a->deleted)) {
		return error_set(a->err, ENOMEM, "out of memory");
	}
	return c->count > 0 ? composite_run(a->sf, c, SF_PAGE_LIMIT_BYTES, a->until, a->err) : 0;
}

/* ---- the delete log ---- */

struct log {
	struct json_slice deleted, earliest, covered;
};

static int log_member(void *payload, struct json_slice key, struct json_slice value)
{
	struct log *log = payload;
	const struct {
		const char *name;
		struct json_slice *slot;
	} slots[] = {
		{"deletedRecords", &log->deleted},
		{"earliestDateAvailable", &log->earliest},
		{"latestDateCovered", &log->covered},
	};

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		if (key.len == strlen(slots[i].name) && !memcmp(key.text, slots[i].name, key.len)) {
			*slots[i].slot = value;
		}
	}
	return 0;
}

static bool slice_stamp(struct json_slice s, int64_t *ret_ms)
{
	return s.text && s.len > 2 && s.text[0] == '"' &&
	       stamp_parse(s.text + 1, s.len - 2, ret_ms);
}

static int deleted_record(void *payload, struct json_slice value)
{
	struct asked *a = payload;
	struct json_slice text;
	struct id id;
	int r = json_text_find(value.text, value.len, "id", 2, &text, a->err);

	if (r < 0) {
		return r;
	}
	if (text.len < 3 || !id_parse(text.text + 1, text.len - 2, &id)) {
		return error_set(a->err, EPROTO, "the org's delete log names a record by no Id");
	}
	return a->sink->deleted ? a->sink->deleted(a->sink->payload, &id, a->err) : 0;
}

static int read_log(struct asked *a, struct log *log, struct remote_changes *ret)
{
	struct part *p = a->deleted_part;
	int64_t earliest, covered;
	int r = json_text_members(p->body.text, p->body.len, log_member, log, a->err);

	if (r < 0) {
		return r;
	}
	if (!log->deleted.text) {
		return error_set(a->err, EPROTO, "the org's delete log is no list");
	}
	if (slice_stamp(log->earliest, &earliest) && earliest > a->log_start_ms) {
		ret->gap = true;
	}
	/* A log that lags behind a long transaction must be read again from where it ends. */
	if (slice_stamp(log->covered, &covered) && covered + MINUTE_MS < ret->server_ms) {
		ret->server_ms = covered;
	}
	return 0;
}

static bool span_is_refused(const struct error *fault)
{
	return sf_error_is(fault, "INVALID_REPLICATION_DATE") ||
	       sf_error_is(fault, "EXCEEDED_ID_LIMIT");
}

/* Refusals that only mean: deletions are not told this way. */
static bool log_is_denied(int r, const struct error *fault)
{
	return span_is_refused(fault) || r == -EPERM || r == -EACCES || r == -ENOENT ||
	       r == -EINVAL;
}

/* If its start is not too long ago, it was the end that the org did not like. */
static void learn_of_refusal(const struct asked *a, const struct error *fault)
{
	if (sf_error_is(fault, "INVALID_REPLICATION_DATE") &&
		a->log_start_ms > sf_call_org_now_ms(a->sf) - LOG_MS) {
		atomic_store(&a->sf->log_of_past, true);
	}
}

static int judge_log(struct asked *a, struct log *log, struct remote_changes *ret)
{
	struct error fault = {0};
	int r;

	if (!a->deleted_part) {
		ret->gap = !a->schema->has_is_deleted;
		return 0;
	}
	r = part_judge(a->sf, a->deleted_part, &fault);
	if (r == 0) {
		return read_log(a, log, ret);
	}
	if (!log_is_denied(r, &fault)) {
		if (a->err) {
			*a->err = fault;
		}
		return r;
	}
	learn_of_refusal(a, &fault);
	ret->gap = span_is_refused(&fault) || !a->schema->has_is_deleted;
	return 0;
}

/* ---- the answer ---- */

static int judge_describe(struct asked *a, const char *known, bool *ret_changed)
{
	struct part *p = a->describe_part;
	int r;

	*ret_changed = false;
	if (!p) {
		return 0;
	}
	r = part_judge(a->sf, p, a->err);
	if (r == 0) {
		*ret_changed = p->status != 304 && strcmp(p->last_modified, known) != 0;
	}
	return r;
}

static int hand_out(struct asked *a, const struct log *log)
{
	int r = 0;

	if (log->deleted.text) {
		r = json_text_elements(
			log->deleted.text, log->deleted.len, deleted_record, a, a->err);
	}
	if (r == 0 && a->query_part) {
		r = query_follow(a->sf, a->schema, a->query_part->body, a->sink, a->until, a->err);
	}
	return r;
}

static int read_answer(struct asked *a, const char *describe_modified, struct remote_changes *ret)
{
	struct log log = {0};
	int r = judge_describe(a, describe_modified, &ret->describe_changed);

	if (r < 0 || ret->describe_changed) {
		return r;
	}
	if (a->query_part) {
		r = part_judge(a->sf, a->query_part, a->err);
	} else {
		ret->gap = true;
	}
	if (r == 0) {
		bool blind = ret->gap;

		r = judge_log(a, &log, ret);
		ret->gap = ret->gap || blind;
	}
	return r < 0 ? r : hand_out(a, &log);
}

int sf_changes(struct sf *sf, const struct schema *schema, const char *describe_modified,
	int64_t since_ms, const struct remote_sink *sink, const struct until *until,
	struct remote_changes *ret, struct error *err)
{
	AUTO(composite) struct composite c = {0};
	struct asked a = {.sf = sf, .schema = schema, .sink = sink, .until = until, .err = err};
	struct remote_changes found = {0};
	int r;

	r = until_check(until, err);
	if (r < 0) {
		return r;
	}
	buf_init(&a.describe, SF_URL_LIMIT_BYTES);
	buf_init(&a.query, SF_URL_LIMIT_BYTES);
	buf_init(&a.deleted, SF_URL_LIMIT_BYTES);
	r = soql_name_ok(schema->object) ? ask(&a, &c, describe_modified, since_ms)
					 : error_set(err, EINVAL, "the object's name is no name");
	if (r == 0) {
		found.server_ms =
			c.replies ? sf_call_reply_ms(sf, &c.reply[0]) : sf_call_org_now_ms(sf);
		r = read_answer(&a, describe_modified, &found);
	}
	buf_release(&a.describe);
	buf_release(&a.query);
	buf_release(&a.deleted);
	if (r == 0) {
		*ret = found;
	}
	return r;
}
