/* SPDX-License-Identifier: MIT */
/* The org in memory and the rig that tests of the mirror stand on. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_org.h"
#include "forcefs/base/clock.h"
#include "forcefs/model/stamp.h"

#define EPOCH_MS INT64_C(1780000000000)

struct fake_record {
	char name[64];
	int64_t stamp_ms;
	bool deleted;
	bool restored; /* the delete log still names it */
};

struct fake_org {
	struct remote remote;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	struct fake_record *records;
	unsigned count, page;
	bool stamps, answers_old, describe_drifts, no_read_back, no_ids;
	int fields;       /* extra ones */
	int64_t ahead_ms; /* of the org's clock */
	unsigned calls[FAKE_CALLS], retrieved, saved;
	struct {
		int errnum, times, slow_ms, broken_off;
		char code[64];
		void (*meanwhile)(void *arg);
		void *arg;
	} faults[FAKE_CALLS];
};

/* ---- the clock: real, and moved on by tests ---- */

static _Atomic int64_t moved_ms;

static int64_t real_ms(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t fake_wall_ms(void)
{
	static _Atomic int64_t start;
	int64_t zero = 0;

	__atomic_compare_exchange_n((int64_t *)&start, &zero, real_ms(CLOCK_MONOTONIC), false,
		__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return EPOCH_MS + real_ms(CLOCK_MONOTONIC) - start + moved_ms;
}

static int64_t fake_mono_ms(void)
{
	return real_ms(CLOCK_MONOTONIC);
}

void fake_org_move_time(struct fake_org *org, int64_t ms)
{
	(void)org;
	moved_ms += ms;
}

/* ---- answering ---- */

void fake_org_id(unsigned i, struct id *ret)
{
	char text[16];

	snprintf(text, sizeof text, "001Ab0000%06u", i);
	assert_true(id_parse(text, 15, ret));
}

/* Counts the call, waits if it is slow, fails if it is told to. */
static int fake_enter(
	struct fake_org *org, enum fake_call call, const struct until *until, struct error *err)
{
	int r = 0;

	until_watch(until, &org->lock, &org->cond);
	pthread_mutex_lock(&org->lock);
	org->calls[call]++;
	int64_t end_ms = clock_mono_ms() + org->faults[call].slow_ms;
	while (r == 0 && clock_mono_ms() < end_ms) {
		struct until slice = {
			.deadline_ms = end_ms < until->deadline_ms ? end_ms : until->deadline_ms,
			.cancel = until->cancel};
		r = until_wait(&slice, &org->cond, &org->lock, err);
		r = r == -ETIMEDOUT && clock_mono_ms() >= end_ms ? 0 : r;
	}
	if (r == 0 && org->faults[call].times != 0) {
		org->faults[call].times -= org->faults[call].times > 0;
		r = error_set_code(err, org->faults[call].errnum, 0, org->faults[call].code,
			"the fake org was told to fail");
	}
	void (*meanwhile)(void *) = org->faults[call].meanwhile;
	org->faults[call].meanwhile = NULL;
	pthread_mutex_unlock(&org->lock);
	until_unwatch(until);
	if (meanwhile) {
		meanwhile(org->faults[call].arg);
	}
	return r;
}

/* The records as they are when they are asked for. */
struct fake_seen {
	struct fake_org *org;
	struct fake_record *records;
	unsigned count;
};

static void fake_look(struct fake_org *org, struct fake_seen *ret)
{
	LOCK_SCOPE(&org->lock);
	*ret = (struct fake_seen){.org = org,
		.records = calloc(org->count + 1, sizeof *ret->records),
		.count = org->count};
	assert_non_null(ret->records);
	memcpy(ret->records, org->records, org->count * sizeof *ret->records);
}

/* Once more, before it is answered, unless the org answers with what it saw first. */
static void fake_look_again(struct fake_seen *seen)
{
	struct fake_org *org = seen->org;

	if (!org->answers_old) {
		free(seen->records);
		fake_look(org, seen);
	}
}

/* The end of an answer: it may be broken off there. */
static int fake_leave(struct fake_org *org, enum fake_call call, int r, struct error *err)
{
	LOCK_SCOPE(&org->lock);
	if (r == 0 && org->faults[call].broken_off > 0) {
		org->faults[call].broken_off--;
		return error_set(err, EIO, "the fake org was told to break off");
	}
	return r;
}

static int fake_objects(void *self, const char *if_modified, const struct until *until,
	struct remote_doc *ret, struct error *err)
{
	static const char flags[] =
		"\"queryable\":true,\"retrieveable\":true,\"replicateable\":true,"
		"\"createable\":true,\"updateable\":true,\"deletable\":true,"
		"\"label\":\"x\"";
	int r = fake_enter(self, FAKE_OBJECTS, until, err);

	if (r < 0) {
		return r;
	}
	if (if_modified) {
		ret->not_modified = true;
		return 0;
	}
	strcpy(ret->last_modified, "Mon, 01 Jun 2026 00:00:00 GMT");
	return (ret->len = (size_t)asprintf(&ret->json,
			"{\"encoding\":\"UTF-8\",\"maxBatchSize\":200,\"sobjects\":[{\"name\":"
			"\"Account\","
			"\"keyPrefix\":\"001\",%s},{\"name\":\"Contact\",\"keyPrefix\":\"003\",%s}]"
			"}",
			flags, flags)) > 0
		       ? 0
		       : -ENOMEM;
}

static int fake_describe(void *self, const char *object, const char *if_modified,
	const struct until *until, struct remote_doc *ret, struct error *err)
{
	struct fake_org *org = self;
	char modified[64];
	int r = fake_enter(org, FAKE_DESCRIBE, until, err);

	if (r < 0) {
		return r;
	}
	snprintf(modified, sizeof modified, "Mon, 01 Jun 2026 00:00:%02d GMT", org->fields);
	if (if_modified && strcmp(if_modified, modified) == 0) {
		ret->not_modified = true;
		return 0;
	}
	strcpy(ret->last_modified, modified);
	const char *stamp = org->stamps ? ",{\"name\":\"LastModifiedDate\",\"type\":\"datetime\"},"
					  "{\"name\":\"SystemModstamp\",\"type\":\"datetime\","
					  "\"filterable\":true,\"sortable\":true},"
					  "{\"name\":\"IsDeleted\",\"type\":\"boolean\","
					  "\"filterable\":true}"
					: "";
	const char *extra = org->fields ? ",{\"name\":\"New__c\",\"type\":\"string\",\"length\":80,"
					  "\"updateable\":true}"
					: "";
	ret->len = (size_t)asprintf(&ret->json,
		"{\"name\":\"%s\",\"keyPrefix\":\"001\",\"queryable\":true,\"retrieveable\":true,"
		"\"replicateable\":%s,\"updateable\":true,\"createable\":true,\"deletable\":true,"
		"\"fields\":[{\"name\":\"Id\",\"type\":\"id\",\"filterable\":true},"
		"{\"name\":\"Name\",\"type\":\"string\",\"nameField\":true,\"length\":255,"
		"\"createable\":true,\"updateable\":true}%s%s]}",
		object, org->stamps ? "true" : "false", extra, stamp);
	return 0;
}

static int fake_give_as(struct fake_org *org, unsigned i, struct fake_record rec,
	const struct remote_sink *sink, struct error *err)
{
	struct id id;
	char json[512], stamp[32] = "";

	fake_org_id(i, &id);
	if (org->stamps) {
		stamp_soql(rec.stamp_ms, stamp, sizeof stamp);
	}
	int len = snprintf(json, sizeof json,
		"{\"attributes\":{\"type\":\"Account\"},\"Id\":\"%s\",\"Name\":\"%s\","
		"\"IsDeleted\":%s%s%s%s%s%s}",
		org->no_ids ? "000000000000000AAA" : id.text, rec.name,
		rec.deleted ? "true" : "false", org->stamps ? ",\"SystemModstamp\":\"" : "", stamp,
		org->stamps ? "\",\"LastModifiedDate\":\"" : "", stamp, org->stamps ? "\"" : "");
	return sink->record(sink->payload, json, (size_t)len, err);
}

static int fake_give(
	struct fake_org *org, unsigned i, const struct remote_sink *sink, struct error *err)
{
	pthread_mutex_lock(&org->lock);
	struct fake_record rec = org->records[i];
	pthread_mutex_unlock(&org->lock);
	return fake_give_as(org, i, rec, sink, err);
}

static int fake_list(void *self, const struct schema *schema, const char *next,
	const struct remote_sink *sink, const struct until *until, struct remote_page *ret,
	struct error *err)
{
	struct fake_org *org = self;
	unsigned from = next ? (unsigned)atoi(next) : 0;
	struct fake_seen seen;

	(void)schema;
	fake_look(org, &seen);
	int r = fake_enter(org, FAKE_LIST, until, err);
	fake_look_again(&seen);
	unsigned to = from + org->page < seen.count ? from + org->page : seen.count;
	for (unsigned i = from; r == 0 && i < to; i++) {
		if (!seen.records[i].deleted) {
			r = fake_give_as(org, i, seen.records[i], sink, err);
			ret->records++;
		}
	}
	free(seen.records);
	ret->total = org->count;
	ret->server_ms = clock_wall_ms() + org->ahead_ms;
	r = fake_leave(org, FAKE_LIST, r, err);
	if (r == 0 && to < seen.count && asprintf(&ret->next, "%u", to) < 0) {
		return -ENOMEM;
	}
	return r;
}

static unsigned fake_index(const struct id *id)
{
	char digits[7] = "";

	memcpy(digits, id->text + 9, 6);
	return (unsigned)strtoul(digits, NULL, 10);
}

static int fake_retrieve(void *self, const struct schema *schema, const struct id *ids,
	size_t count, const struct remote_sink *sink, const struct until *until, struct error *err)
{
	struct fake_org *org = self;
	struct fake_seen seen;

	(void)schema;
	fake_look(org, &seen);
	int r = fake_enter(org, FAKE_RETRIEVE, until, err);
	fake_look_again(&seen);
	org->retrieved += (unsigned)count;
	for (size_t k = 0; r == 0 && k < count; k++) {
		unsigned i = fake_index(&ids[k]);
		if (i < seen.count && !seen.records[i].deleted) {
			r = fake_give_as(org, i, seen.records[i], sink, err);
		}
	}
	free(seen.records);
	return fake_leave(org, FAKE_RETRIEVE, r, err);
}

/* First the delete log, then the records, as sf does. */
static int fake_tell_changes(
	struct fake_seen *seen, int64_t since_ms, const struct remote_sink *sink, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < seen->count; i++) {
		if (seen->records[i].restored && seen->records[i].stamp_ms >= since_ms) {
			struct id id;
			fake_org_id(i, &id);
			r = sink->deleted(sink->payload, &id, err);
		}
	}
	for (unsigned i = 0; r == 0 && i < seen->count; i++) {
		if (seen->records[i].stamp_ms >= since_ms) {
			r = fake_give_as(seen->org, i, seen->records[i], sink, err);
		}
	}
	return r;
}

static int fake_changes(void *self, const struct schema *schema, const char *describe_modified,
	int64_t since_ms, const struct remote_sink *sink, const struct until *until,
	struct remote_changes *ret, struct error *err)
{
	struct fake_org *org = self;
	struct fake_seen seen;
	char modified[64];

	(void)schema;
	fake_look(org, &seen);
	int r = fake_enter(org, FAKE_CHANGES, until, err);
	fake_look_again(&seen);
	snprintf(modified, sizeof modified, "Mon, 01 Jun 2026 00:00:%02d GMT", org->fields);
	ret->server_ms = clock_wall_ms() + org->ahead_ms;
	if (r == 0 && describe_modified[0] &&
		(org->describe_drifts || strcmp(describe_modified, modified) != 0)) {
		ret->describe_changed = true;
	} else if (r == 0) {
		r = fake_tell_changes(&seen, since_ms, sink, err);
	}
	free(seen.records);
	return fake_leave(org, FAKE_CHANGES, r, err);
}

/* ---- writing ---- */

/* Takes the value of "Name" out of {"Name":"…"}. */
static void fake_name_of(const char *json, size_t len, char *name, size_t size)
{
	static const char key[] = "\"Name\":\"";
	const char *at = memmem(json, len, key, sizeof key - 1);
	const char *end;

	assert_non_null(at);
	at += sizeof key - 1;
	end = memchr(at, '"', len - (size_t)(at - json));
	assert_non_null(end);
	snprintf(name, size, "%.*s", (int)(end - at), at);
}

static void fake_save_one(struct fake_org *org, struct remote_save *save)
{
	unsigned i = fake_index(&save->id);
	char name[64];

	save->result = 0;
	fake_name_of(save->json, save->len, name, sizeof name);
	pthread_mutex_lock(&org->lock);
	bool conflict = save->unmodified_since_ms &&
			org->records[i].stamp_ms / 1000 > save->unmodified_since_ms / 1000;
	pthread_mutex_unlock(&org->lock);
	if (strcmp(name, "invalid") == 0) {
		save->result = error_set_code(&save->err, EINVAL, 400,
			"FIELD_CUSTOM_VALIDATION_EXCEPTION", "Name may not be invalid");
	} else if (conflict) {
		save->result = error_set(&save->err, ESTALE, "changed since");
	} else {
		fake_org_change(org, i, name);
	}
}

static int fake_update(void *self, const struct schema *schema, struct remote_save *saves,
	size_t count, const struct remote_sink *sink, const struct until *until, struct error *err)
{
	struct fake_org *org = self;
	int r = fake_enter(org, FAKE_UPDATE, until, err);

	(void)schema;
	for (size_t i = 0; r == 0 && i < count; i++) {
		fake_save_one(org, &saves[i]);
		org->saved++;
		saves[i].read_back = !org->no_read_back;
		if (saves[i].read_back) {
			r = fake_give(org, fake_index(&saves[i].id), sink, err);
		}
	}
	return r;
}

static int fake_create(void *self, const struct schema *schema, const char *json, size_t len,
	const struct remote_sink *sink, const struct until *until, struct id *ret,
	struct error *err)
{
	struct fake_org *org = self;
	char name[64];
	int r = fake_enter(org, FAKE_CREATE, until, err);

	(void)schema;
	if (r < 0) {
		return r;
	}
	fake_name_of(json, len, name, sizeof name);
	unsigned i = fake_org_create(org, name);
	fake_org_id(i, ret);
	return org->no_read_back ? 0 : fake_give(org, i, sink, err);
}

static int fake_remove(void *self, const struct schema *schema, const struct id *id,
	const struct until *until, struct error *err)
{
	int r = fake_enter(self, FAKE_REMOVE, until, err);

	(void)schema;
	if (r == 0) {
		fake_org_delete(self, fake_index(id));
	}
	return r;
}

static int fake_limits(
	void *self, const struct until *until, struct remote_doc *ret, struct error *err)
{
	int r = fake_enter(self, FAKE_LIMITS, until, err);

	if (r == 0) {
		ret->json = strdup("{\"DailyApiRequests\":{\"Max\":15000,\"Remaining\":14000},"
				   "\"DataStorageMB\":{\"Max\":1024,\"Remaining\":1000}}");
		ret->len = strlen(ret->json);
	}
	return r;
}

static void fake_usage(void *self, struct remote_usage *ret)
{
	*ret = (struct remote_usage){.calls = fake_org_count_all(self)};
}

static int fake_url(void *self, const char *object, const struct id *id, struct buf *out)
{
	(void)self;
	return buf_addf(out, "https://example.invalid/%s/%s", object, id->text);
}

/* ---- the door ---- */

struct fake_org *fake_org_new(unsigned records, unsigned page)
{
	struct fake_org *org = calloc(1, sizeof *org);

	assert_non_null(org);
	*org = (struct fake_org){.count = records, .page = page, .stamps = true};
	pthread_mutex_init(&org->lock, NULL);
	clock_cond_init(&org->cond);
	org->records = calloc(records + 1000, sizeof *org->records);
	assert_non_null(org->records);
	for (unsigned i = 0; i < records; i++) {
		snprintf(org->records[i].name, sizeof org->records[i].name, "Name %u", i);
		org->records[i].stamp_ms = EPOCH_MS - INT64_C(86400000);
	}
	org->remote = (struct remote){.self = org,
		.objects = fake_objects,
		.describe = fake_describe,
		.list = fake_list,
		.retrieve = fake_retrieve,
		.changes = fake_changes,
		.update = fake_update,
		.create = fake_create,
		.remove = fake_remove,
		.limits = fake_limits,
		.usage = fake_usage,
		.record_url = fake_url};
	return org;
}

void fake_org_free(struct fake_org *org)
{
	free(org->records);
	pthread_cond_destroy(&org->cond);
	pthread_mutex_destroy(&org->lock);
	free(org);
}

const struct remote *fake_org_remote(struct fake_org *org)
{
	return &org->remote;
}

unsigned fake_org_count(struct fake_org *org, enum fake_call call)
{
	LOCK_SCOPE(&org->lock);
	return org->calls[call];
}

unsigned fake_org_count_all(struct fake_org *org)
{
	unsigned sum = 0;

	for (int c = 0; c < FAKE_CALLS; c++) {
		sum += fake_org_count(org, c);
	}
	return sum;
}

unsigned fake_org_saved(struct fake_org *org)
{
	LOCK_SCOPE(&org->lock);
	return org->saved;
}

unsigned fake_org_retrieved(struct fake_org *org)
{
	LOCK_SCOPE(&org->lock);
	return org->retrieved;
}

void fake_org_fail(
	struct fake_org *org, enum fake_call call, int errnum, const char *code, int times)
{
	LOCK_SCOPE(&org->lock);
	org->faults[call].errnum = errnum;
	org->faults[call].times = times;
	snprintf(org->faults[call].code, sizeof org->faults[call].code, "%s", code ? code : "");
}

void fake_org_slow(struct fake_org *org, enum fake_call call, int ms)
{
	LOCK_SCOPE(&org->lock);
	org->faults[call].slow_ms = ms;
}

void fake_org_change(struct fake_org *org, unsigned i, const char *name)
{
	LOCK_SCOPE(&org->lock);
	snprintf(org->records[i].name, sizeof org->records[i].name, "%s", name);
	org->records[i].stamp_ms = clock_wall_ms() + org->ahead_ms;
}

void fake_org_delete(struct fake_org *org, unsigned i)
{
	LOCK_SCOPE(&org->lock);
	org->records[i].deleted = true;
	org->records[i].stamp_ms = clock_wall_ms() + org->ahead_ms;
}

void fake_org_restore(struct fake_org *org, unsigned i)
{
	LOCK_SCOPE(&org->lock);
	org->records[i].deleted = false;
	org->records[i].restored = true;
	org->records[i].stamp_ms = clock_wall_ms() + org->ahead_ms;
}

unsigned fake_org_create(struct fake_org *org, const char *name)
{
	unsigned i = org->count;

	fake_org_change(org, i, name);
	pthread_mutex_lock(&org->lock);
	org->count++;
	pthread_mutex_unlock(&org->lock);
	return i;
}

void fake_org_add_field(struct fake_org *org)
{
	org->fields++;
}

void fake_org_answer_old(struct fake_org *org)
{
	org->answers_old = true;
}

void fake_org_meanwhile(
	struct fake_org *org, enum fake_call call, void (*run)(void *arg), void *arg)
{
	LOCK_SCOPE(&org->lock);
	org->faults[call].meanwhile = run;
	org->faults[call].arg = arg;
}

void fake_org_break_off(struct fake_org *org, enum fake_call call)
{
	LOCK_SCOPE(&org->lock);
	org->faults[call].broken_off++;
}

void fake_org_describe_drifts(struct fake_org *org)
{
	org->describe_drifts = true;
}

void fake_org_no_read_back(struct fake_org *org)
{
	org->no_read_back = true;
}

void fake_org_put_clock_on(struct fake_org *org, int64_t ms)
{
	org->ahead_ms += ms;
}

void fake_org_no_stamps(struct fake_org *org)
{
	org->stamps = false;
}

void fake_org_no_ids(struct fake_org *org)
{
	org->no_ids = true;
}

/* ---- the rig ---- */

const struct until *rig_until(struct rig *rig)
{
	rig->until = (struct until){.deadline_ms = clock_mono_ms() + 5000};
	return &rig->until;
}

static void rig_open_mirror(struct rig *rig)
{
	struct mirror_config config = {.ttl_s = 60,
		.timeout_ms = 3000,
		.may_update = true,
		.may_create = true,
		.may_delete = true};
	struct mirror_object object;
	struct error err = {0};

	assert_int_equal(
		mirror_open(&config, fake_org_remote(rig->org), rig->store, &rig->mirror, &err), 0);
	assert_int_equal(
		mirror_object_find(rig->mirror, "Account", rig_until(rig), &object, &err), 0);
	rig->account = object.index;
}

void rig_up_over(
	struct rig *rig, unsigned records, unsigned page, const struct store_config *config)
{
	static const struct clock_table table = {.mono_ms = fake_mono_ms, .wall_ms = fake_wall_ms};
	enum store_origin origin;
	struct error err = {0};

	clock_replace(&table);
	*rig = (struct rig){.org = fake_org_new(records, page)};
	assert_int_equal(store_open(config, &rig->store, &origin, &err), 0);
	rig_open_mirror(rig);
}

void rig_up(struct rig *rig, unsigned records, unsigned page)
{
	const struct store_config config = {.name = "test", .limit_bytes = 100 << 20};

	rig_up_over(rig, records, page, &config);
}

void rig_remount(struct rig *rig)
{
	mirror_close(rig->mirror);
	rig_open_mirror(rig);
}

void rig_down(struct rig *rig)
{
	mirror_close(rig->mirror);
	store_close(rig->store);
	fake_org_free(rig->org);
	clock_replace(NULL);
}

int rig_list(struct rig *rig)
{
	struct mirror_record rows[100];
	struct error err = {0};
	uint64_t after = 0;
	int total = 0, n;

	n = mirror_object_check(rig->mirror, rig->account, rig_until(rig), &err);
	while (n >= 0 && (n = mirror_record_next(rig->mirror, rig->account, after, rig_until(rig),
				  rows, 100, &err)) > 0) {
		total += n;
		after = store_key_row(rows[n - 1].key);
	}
	return n < 0 ? n : total;
}

int rig_cat(struct rig *rig, unsigned i, char *text, size_t size)
{
	struct mirror_record rec;
	struct error err = {0};
	struct id id;
	AUTO(buf) struct buf body;

	buf_init(&body, 1 << 20);
	fake_org_id(i, &id);
	int r = mirror_record_find(rig->mirror, rig->account, &id, rig_until(rig), &rec, &err);
	if (r == 0) {
		r = mirror_record_get(rig->mirror, rec.key, rig_until(rig), &rec, &body, &err);
	}
	if (r == 0) {
		assert_int_equal(body.len, rec.size);
		snprintf(text, size, "%s", buf_str(&body));
	}
	return r;
}
