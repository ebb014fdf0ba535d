/* SPDX-License-Identifier: MIT */
#include "write_org.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/model/stamp.h"

struct sf_org org;

int write_org_start(void **state)
{
	static const char *const arguments[] = {"--records", "Account=100", NULL};

	(void)state;
	if (!sf_org_start(&org, arguments)) {
		print_message("the practice org cannot be started\n");
		exit(77);
	}
	return 0;
}

int write_org_stop(void **state)
{
	(void)state;
	sf_org_stop(&org);
	return 0;
}

void faults(const char *json)
{
	practice_do(&org.practice, "faults", json);
}

/* ---- what a sink got ---- */

static int keep(void *payload, const char *json, size_t len, struct error *err)
{
	struct kept *k = payload;
	json_t *o = json_loadb(json, len, JSON_ALLOW_NUL, NULL);

	(void)err;
	assert_non_null(o);
	assert_true(k->count < KEPT_MAX);
	k->record[k->count++] = o;
	return k->answer;
}

void kept_clear(struct kept *k)
{
	for (size_t i = 0; i < k->count; i++) {
		json_decref(k->record[i]);
	}
	k->count = 0;
}

struct remote_sink sink_of_kept(struct kept *k)
{
	return (struct remote_sink){.record = keep, .payload = k};
}

json_t *kept_record(const struct kept *k, const struct id *id)
{
	for (size_t i = 0; i < k->count; i++) {
		const char *text = json_string_value(json_object_get(k->record[i], "Id"));

		if (text && !strcmp(text, id->text)) {
			return k->record[i];
		}
	}
	return NULL;
}

const char *kept_text(const struct kept *k, const struct id *id, const char *field)
{
	json_t *o = kept_record(k, id);
	const char *s = json_string_value(json_object_get(o, field));

	if (!o || !s) {
		fail_msg("%s of %s did not come", field, id->text);
	}
	return s;
}

int64_t kept_modified_ms(const struct kept *k, const struct id *id)
{
	const char *s = kept_text(k, id, "LastModifiedDate");
	int64_t ms = 0;

	assert_true(stamp_parse(s, strlen(s), &ms));
	return ms;
}

/* ---- what the org has and did ---- */

static json_t *ask(const char *name)
{
	char *text = practice_ask(&org.practice, name);
	json_t *o = json_loads(text, 0, NULL);

	free(text);
	assert_non_null(o);
	return o;
}

void live_ids(const char *object, size_t count, struct id *ids)
{
	char name[100];
	json_t *o, *list;

	snprintf(name, sizeof(name), "ids?object=%s&limit=%zu", object, count);
	o = ask(name);
	list = json_object_get(o, "ids");
	assert_int_equal(json_array_size(list), count);
	for (size_t i = 0; i < count; i++) {
		const char *s = json_string_value(json_array_get(list, i));

		assert_true(id_parse(s, strlen(s), &ids[i]));
	}
	json_decref(o);
}

void look(const struct schema *schema, const struct id *ids, size_t count, struct kept *k)
{
	struct remote_sink sink = sink_of_kept(k);
	struct until until = sf_org_until(20000);
	struct error err = {0};

	kept_clear(k);
	must(org.remote->retrieve(org.sf, schema, ids, count, &sink, &until, &err), &err);
}

static bool is_such(json_t *entry, const char *method, int status)
{
	const char *s = json_string_value(json_object_get(entry, "method"));

	return s && !strcmp(s, method) &&
	       (!status || json_integer_value(json_object_get(entry, "status")) == status);
}

int done_by(const char *method, int status)
{
	json_t *o = ask("log");
	json_t *call, *part;
	size_t i, j;
	int n = 0;

	json_array_foreach(json_object_get(o, "calls"), i, call)
	{
		json_t *parts = json_object_get(call, "parts");

		n += !parts && is_such(call, method, status);
		json_array_foreach(parts, j, part)
		{
			n += is_such(part, method, status);
		}
	}
	json_decref(o);
	return n;
}

/* ---- the calls ---- */

struct remote_save save_of(const struct id *id, const char *json, int64_t unmodified_since_ms)
{
	return (struct remote_save){.id = *id,
		.json = json,
		.len = strlen(json),
		.unmodified_since_ms = unmodified_since_ms,
		.result = 1};
}

int update(const struct schema *schema, struct remote_save *saves, size_t count, struct kept *k,
	struct error *err)
{
	struct remote_sink sink = sink_of_kept(k);
	struct until until = sf_org_until(20000);

	kept_clear(k);
	return org.remote->update(org.sf, schema, saves, count, &sink, &until, err);
}

int create(const struct schema *schema, const char *json, struct kept *k, struct id *ret,
	struct error *err)
{
	struct remote_sink sink = sink_of_kept(k);
	struct until until = sf_org_until(20000);

	kept_clear(k);
	return org.remote->create(org.sf, schema, json, strlen(json), &sink, &until, ret, err);
}
