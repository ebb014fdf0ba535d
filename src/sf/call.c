/* SPDX-License-Identifier: MIT */
/*
 * One authorised call. Most may be sent again: by net after a lost reply or a 5xx, here with a
 * renewed session (after a 401, or where the org has moved) and when Salesforce says that the moment
 * is bad (row locks, too many long calls, a passing web page).
 *
 * A call marked `once` must not be carried out twice. Net sends it once; here it is sent again only
 * after an answer by which Salesforce itself says that it did nothing: a session that is not valid,
 * a refusal with a code. Everything else that is no success (a lost reply, an error of some server
 * in between, an answer that cannot be read) ends with code MAYBE_SENT. So does a write that was
 * sent several times and failed in the end, where one of the tries may have been carried out.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/model/stamp.h"

/* Of writes that may be sent again. */
const char sf_call_maybe_done[] =
	"the change may have been made: read the record to find out before making it again";

#define HEADERS_MAX   10
#define AGAIN_WAIT_MS 300
#define AGAIN_MOST_MS 10000

enum verdict { CALL_DONE, CALL_EXPIRED, CALL_AGAIN, CALL_FAILED, CALL_UNSURE };

/* 401s that a new token does not mend: trying would go round for ever. */
static bool is_hopeless(const struct http_reply *reply)
{
	static const char *const texts[] = {
		"Connected app is not attached to Agent", "not valid for use with the REST API"};

	for (size_t i = 0; i < 2; i++) {
		if (memmem(buf_str(&reply->body), reply->body.len, texts[i], strlen(texts[i]))) {
			return true;
		}
	}
	return false;
}

/* The org is not here any more: a token reply tells where it is. */
static bool has_moved(const struct http_reply *reply)
{
	return reply->status == 301 || reply->status == 308 || reply->status == 420;
}

static bool is_expired(const struct http_reply *reply, const struct error *fault)
{
	if (has_moved(reply)) {
		return true;
	}
	if (reply->status == 403) {
		return sf_error_is(fault, "INVALID_SESSION_ID") && !is_hopeless(reply);
	}
	return reply->status == 401 && !is_hopeless(reply) &&
	       !sf_error_is(fault, "INVALID_AUTH_HEADER") && !sf_error_is(fault, "INVALID_LOGIN");
}

/* Once for each call, but for what another process had left behind, which may have ended too. A
 * session that was in vain is left alone for a while, or each file of a walk would be a log-in. The
 * sf command is looked after where it is run. */
static bool may_renew(struct sf *sf, const struct session *session, const struct http_reply *reply,
	int renewals, const struct until *until)
{
	int64_t rest_ms = keeper_vain_ms(&sf->keeper, session);

	if (renewals == 0) {
		return rest_ms == 0 || (!has_moved(reply) && sf_sleep(rest_ms, until, NULL) == 0);
	}
	if (session->stored && renewals < SF_TRIES) {
		return true;
	}
	if (sf->keeper.ask.grant != SF_GRANT_SF) {
		keeper_note_vain(&sf->keeper, session);
	}
	return false;
}

/* A web page with a status that net does not retry; or a code that says: not now. */
static bool is_passing(const struct http_reply *reply, const struct error *fault)
{
	if (reply->status < 400 && strstr(reply->content_type, "html")) {
		return true;
	}
	return fault->errnum == EAGAIN && reply->status < 500 && reply->status != 429 &&
	       reply->status != 406 && !sf_error_is(fault, "LIMIT_EXCEEDED");
}

static bool is_answer(const struct sf_call *call, const struct http_reply *reply)
{
	if (reply->status == (call->write ? 204 : 304)) {
		return true;
	}
	if (call->sink && reply->status >= 200 && reply->status < 300) {
		return reply->body.len == 0 || !strstr(reply->content_type, "html") ||
		       (call->page_len >= 0 && (uint64_t)call->page_len == reply->body.len);
	}
	return !call->bare && reply->status >= 200 && reply->status < 300 &&
	       sf_content_is_json(reply->content_type);
}

/* Salesforce, and not something before it, says that nothing was done. */
static bool is_certain(
	const struct sf_call *call, const struct http_reply *reply, const struct error *fault)
{
	if (reply->status < 400) {
		return false;
	}
	if (reply->status < 500 || sf_error_is(fault, "SERVER_UNAVAILABLE")) {
		return true;
	}
	return fault->code[0] && !call->several;
}

static enum verdict judge_once(
	const struct sf_call *call, const struct http_reply *reply, const struct error *fault)
{
	if (!is_certain(call, reply, fault)) {
		return CALL_UNSURE;
	}
	/* Net waits and tries again for the others, not for these. */
	if (reply->status == 429 || sf_error_is(fault, "SERVER_UNAVAILABLE")) {
		return CALL_AGAIN;
	}
	return is_passing(reply, fault) ? CALL_AGAIN : CALL_FAILED;
}

static enum verdict judge(struct sf *sf, const struct sf_call *call, const struct http_reply *reply,
	struct error *fault)
{
	if (is_answer(call, reply)) {
		return CALL_DONE;
	}
	if (call->bare && reply->status < 300 && sf_content_is_json(reply->content_type)) {
		error_set_code(fault, EPROTO, reply->status, NULL,
			"Salesforce gave no proper answer (HTTP %d): is there a proxy in between?",
			reply->status);
	} else {
		sf_error_decode(reply->status, reply->content_type, buf_str(&reply->body),
			reply->body.len, fault);
	}
	if (fault->errnum == EDQUOT) {
		usage_spent(&sf->usage);
	}
	if (is_expired(reply, fault)) {
		return CALL_EXPIRED;
	}
	if (call->once) {
		return judge_once(call, reply, fault);
	}
	return is_passing(reply, fault) ? CALL_AGAIN : CALL_FAILED;
}

int sf_call_unsure(int r, const char *once, struct error *err)
{
	struct error before = {0};

	if (err) {
		before = *err;
	}
	/* In front: what follows may well say "try again". */
	return error_set_code(err, -r, before.http_status, "MAYBE_SENT", "%s%s%s", once,
		before.text[0] ? "; what went wrong: " : "", before.text);
}

static void note_clock(struct sf *sf, const struct http_reply *reply)
{
	if (reply->date_s > 0) {
		atomic_store(&sf->skew_ms, reply->date_s * 1000 - clock_wall_ms());
	}
}

int64_t sf_call_org_now_ms(struct sf *sf)
{
	return clock_wall_ms() + atomic_load(&sf->skew_ms);
}

int64_t sf_call_reply_ms(const struct sf *sf, const struct http_reply *reply)
{
	return reply->date_s > 0 ? reply->date_s * 1000
				 : clock_wall_ms() + atomic_load(&sf->skew_ms);
}

/* Header values of ours hold visible characters and spaces only. */
static bool value_ok(const char *s)
{
	for (; *s; s++) {
		if (*s < ' ' || *s > '~') {
			return false;
		}
	}
	return true;
}

struct values {
	char batch[32], unmodified[40];
};

static size_t fill_headers(const struct sf_call *call, const struct session *session,
	struct values *v, struct http_header h[HEADERS_MAX])
{
	size_t n = 0;

	h[n++] = (struct http_header){"Authorization", session->bearer};
	h[n++] = (struct http_header){"Accept", call->sink ? "*/*" : "application/json"};
	h[n++] = (struct http_header){"Sforce-Call-Options", "client=forcefs"};
	if (call->body || call->source) {
		h[n++] = (struct http_header){
			"Content-Type", call->source ? call->content_type : "application/json"};
	}
	if (call->if_modified && call->if_modified[0] && value_ok(call->if_modified)) {
		h[n++] = (struct http_header){"If-Modified-Since", call->if_modified};
	}
	if (call->batch_size > 0) {
		snprintf(v->batch, sizeof(v->batch), "batchSize=%d", call->batch_size);
		h[n++] = (struct http_header){"Sforce-Query-Options", v->batch};
	}
	if (call->record) {
		h[n++] = (struct http_header){"Sforce-Mru", "updateMru=false"};
	}
	if (call->write) {
		/* A file system that saves a Case is not to give it another owner. */
		h[n++] = (struct http_header){"Sforce-Auto-Assign", "FALSE"};
	}
	if (call->unmodified_since_ms > 0) {
		stamp_http(call->unmodified_since_ms, v->unmodified, sizeof(v->unmodified));
		h[n++] = (struct http_header){"If-Unmodified-Since", v->unmodified};
	}
	return n;
}

static int send(struct sf *sf, const struct sf_call *call, const struct session *session,
	const struct until *until, struct http_reply *ret, struct error *err)
{
	AUTO_FREE char *url = NULL;
	struct values values;
	struct http_header headers[HEADERS_MAX];
	struct http_request req = {.method = call->method,
		.headers = headers,
		.body = call->body,
		.body_len = call->body_len,
		.source = call->source,
		.sink = call->sink,
		.reply_limit_bytes = call->limit_bytes,
		.idempotent = !call->once,
		.changes = call->write};
	int r = usage_admit(&sf->usage, err);

	if (r < 0) {
		return r;
	}
	if (asprintf(&url, "%s%s", session->instance_url, call->path) < 0) {
		url = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	req.url = url;
	req.header_count = fill_headers(call, session, &values, headers);
	int64_t began_ms = clock_mono_ms();
	r = http_perform(sf->http, &req, until, ret, err);
	if (r != -EINTR) {
		usage_took(&sf->usage, clock_mono_ms() - began_ms);
	}
	if (r < 0) {
		/* It may have been counted where it may have arrived. */
		usage_note(&sf->usage, "", r == -EHOSTUNREACH || r == -EINTR ? 0 : 1);
		return err && http_failure_is_ambiguous(err)
			       ? sf_call_unsure(
					 r, call->once ? call->once : sf_call_maybe_done, err)
			       : r;
	}
	usage_note(&sf->usage, ret->limit_info, ret->attempts);
	note_clock(sf, ret);
	return 0;
}

/* A write that could be sent again, and failed all the same: could it have been carried out by one
 * of the tries? That the record is not there, or has changed, is an answer that callers look into.
 */
static bool may_be_done(const struct sf_call *call, const struct http_reply *reply,
	const struct error *fault, bool lost)
{
	if (!call->write || call->once || reply->status == 404 || reply->status == 412) {
		return false;
	}
	return lost || !is_certain(call, reply, fault);
}

/* Another session than the one that was turned down. True: worth a try. Else fault is what to say:
 * what the renewal said, or what it was, where the org is where it was or nobody tells where. */
static bool renew(struct sf *sf, const struct http_reply *reply, const struct until *until,
	struct session *session, struct error *fault)
{
	AUTO_FREE char *before = strdup(session->instance_url);
	struct error failure = {0};
	bool moved = has_moved(reply);
	int r = before ? keeper_renew(&sf->keeper, until, session, &failure)
		       : error_set(&failure, ENOMEM, "out of memory");

	if (r < 0) {
		*fault = moved && r != -EACCES ? *fault : failure;
		return false;
	}
	if (moved && !strcmp(before, session->instance_url)) {
		keeper_note_vain(&sf->keeper, session);
		return false;
	}
	return true;
}

bool sf_call_has_moved(struct sf *sf, const struct http_reply *reply, const struct until *until,
	struct session *session)
{
	struct error ignored = {0};

	return has_moved(reply) && may_renew(sf, session, reply, 0, until) &&
	       renew(sf, reply, until, session, &ignored);
}

/* Waits before the next try, for as long as the org asked for. False: that is longer than an answer
 * now is worth. */
static bool rest(const struct http_reply *reply, int tries, const struct until *until)
{
	int64_t ms = AGAIN_WAIT_MS << tries;

	if (reply->retry_after_ms > ms) {
		ms = reply->retry_after_ms;
	}
	return ms <= AGAIN_MOST_MS && ms < until->deadline_ms - clock_mono_ms() &&
	       sf_sleep(ms, until, NULL) == 0;
}

/* Sends until there is an answer or a verdict. fault is filled on failure. */
static int converse(struct sf *sf, const struct sf_call *call, const struct until *until,
	struct session *session, struct http_reply *ret, struct error *fault)
{
	bool lost = false;
	int tries = 0, renewals = 0;

	for (;;) {
		AUTO(http_reply) struct http_reply reply = {0};
		struct error first = {0};
		int r = send(sf, call, session, until, &reply, fault);

		if (r < 0) {
			return lost && fault && !http_failure_is_ambiguous(fault)
				       ? sf_call_unsure(r, sf_call_maybe_done, fault)
				       : r;
		}
		lost |= call->write && !call->once && reply.lost_before;
		switch (judge(sf, call, &reply, &first)) {
		case CALL_DONE:
			*ret = reply;
			memset(&reply, 0, sizeof(reply));
			return 0;
		case CALL_EXPIRED:
			if (may_renew(sf, session, &reply, renewals++, until) &&
				renew(sf, &reply, until, session, &first)) {
				continue;
			}
			break;
		case CALL_AGAIN:
			lost |= call->write && !is_certain(call, &reply, &first);
			if (++tries < SF_TRIES && rest(&reply, tries, until)) {
				continue;
			}
			break;
		case CALL_UNSURE:
			sf_call_unsure(-first.errnum, call->once, &first);
			break;
		case CALL_FAILED:
			break;
		}
		if (may_be_done(call, &reply, &first, lost)) {
			sf_call_unsure(-first.errnum, sf_call_maybe_done, &first);
		}
		*fault = first;
		return -first.errnum;
	}
}

int sf_call_perform(struct sf *sf, const struct sf_call *call, const struct until *until,
	struct http_reply *ret, struct error *err)
{
	AUTO(session) struct session session = {0};
	struct error fault = {0};
	int r;

	r = until_check(until, err);
	if (r < 0) {
		return r;
	}
	r = keeper_get(&sf->keeper, until, &session, &fault);
	if (r == 0) {
		r = converse(sf, call, until, &session, ret, &fault);
	}
	if (r < 0 && err) {
		*err = fault;
	}
	return r;
}
