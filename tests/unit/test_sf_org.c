/* SPDX-License-Identifier: MIT */
/* The remote table against the practice org: what is asked, what it costs, what goes wrong. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"
#include "sf_org.h"

#define MINUTE_MS 60000

static struct sf_org org;

static int start(void **state)
{
	static const char *const arguments[] = {
		"--records", "Account=4500", "--records", "Wide__c=30", NULL};

	(void)state;
	if (!sf_org_start(&org, arguments)) {
		print_message("the practice org cannot be started\n");
		exit(77);
	}
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sf_org_stop(&org);
	return 0;
}

static struct heard *new_heard(void)
{
	struct heard *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	return h;
}

static void faults(const char *json)
{
	practice_do(&org.practice, "faults", json);
}

static int list(const struct schema *schema, const char *next, struct heard *h,
	struct remote_page *ret, struct error *err)
{
	struct until until = sf_org_until(20000);
	struct remote_sink sink = sink_of(h);

	return org.remote->list(org.sf, schema, next, &sink, &until, ret, err);
}

static int list_all(const struct schema *schema, struct heard *h, struct error *err)
{
	AUTO_FREE char *next = NULL;

	for (;;) {
		AUTO(remote_page) struct remote_page page = {0};
		int r = list(schema, next, h, &page, err);

		if (r < 0 || !page.next) {
			return r;
		}
		free(next);
		next = take_ptr(&page.next);
	}
}

static int retrieve(const struct schema *schema, const struct id *ids, size_t count,
	struct heard *h, struct error *err)
{
	struct until until = sf_org_until(20000);
	struct remote_sink sink = sink_of(h);

	return org.remote->retrieve(org.sf, schema, ids, count, &sink, &until, err);
}

static int changes(const struct schema *schema, const char *modified, int64_t since_ms,
	struct heard *h, struct remote_changes *ret, struct error *err)
{
	struct until until = sf_org_until(20000);
	struct remote_sink sink = sink_of(h);

	return org.remote->changes(org.sf, schema, modified, since_ms, &sink, &until, ret, err);
}

/* ---- documents ---- */

static void test_objects__comes_as_sent_and_then_as_304(void **state)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	AUTO(remote_doc) struct remote_doc again = {0};
	struct until until = sf_org_until(20000);
	struct error err = {0};
	json_t *o;

	(void)state;
	must(org.remote->objects(org.sf, NULL, &until, &doc, &err), &err);
	assert_false(doc.not_modified);
	o = json_loadb(doc.json, doc.len, 0, NULL);
	assert_true(json_array_size(json_object_get(o, "sobjects")) > 10);
	json_decref(o);
	assert_true(doc.last_modified[0]);
	must(org.remote->objects(org.sf, doc.last_modified, &until, &again, &err), &err);
	assert_true(again.not_modified);
	assert_null(again.json);
	assert_int_equal(practice_counted(&org.practice), 2);
}

static void test_describe__comes_as_304_and_refuses_strange_names(void **state)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	AUTO(remote_doc) struct remote_doc again = {0};
	struct until until = sf_org_until(20000);
	struct error err = {0};

	(void)state;
	must(org.remote->describe(org.sf, "Account", NULL, &until, &doc, &err), &err);
	must(org.remote->describe(org.sf, "Account", doc.last_modified, &until, &again, &err),
		&err);
	assert_true(again.not_modified);
	assert_int_equal(
		org.remote->describe(org.sf, "Nothing__c", NULL, &until, &doc, &err), -ENOENT);
	practice_reset(&org.practice);
	assert_int_equal(
		org.remote->describe(org.sf, "../limits?x=", NULL, &until, &doc, &err), -ENOENT);
	assert_int_equal(practice_counted(&org.practice), 0);
}

/* ---- listing ---- */

static void test_list__pages_through_everything(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *h = new_heard();
	AUTO(remote_page) struct remote_page page = {0};
	struct remote_usage usage;
	struct error err = {0};

	(void)state;
	practice_reset(&org.practice);
	must(list_all(schema, h, &err), &err);
	assert_int_equal(h->records, 4500);
	assert_int_equal(practice_counted(&org.practice), 3);
	org.remote->usage(org.sf, &usage);
	assert_int_equal(usage.calls, 4);
	assert_int_equal(usage.used, 4);
	assert_int_equal(usage.max, 100000);
	assert_true(usage.requests >= 6);
	must(list(schema, NULL, h, &page, &err), &err);
	assert_int_equal(page.total, 4500);
	assert_int_equal(page.records, 2000);
	assert_true(page.server_ms > clock_wall_ms() - 10 * MINUTE_MS);
	assert_int_equal(page.server_ms % 1000, 0);
}

static void test_list__sends_a_long_query_in_a_composite(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Wide__c");
	AUTO_FREE struct heard *h = new_heard();
	struct error err = {0};

	(void)state;
	assert_true(schema->field_count > 200);
	practice_reset(&org.practice);
	must(list_all(schema, h, &err), &err);
	assert_int_equal(h->records, 30);
	assert_int_equal(practice_calls(&org.practice, "composite"), 1);
	assert_int_equal(practice_counted(&org.practice), 1);
}

static void test_list__falls_back_where_composites_are_refused(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Wide__c");
	AUTO_FREE struct heard *h = new_heard();
	size_t fields = schema->field_count;
	struct error err = {0};
	int too_wide;

	(void)state;
	faults("[{\"do\":\"error\",\"match\":{\"kind\":\"composite\"},\"status\":404,\"times\":-1,"
	       "\"errorCode\":\"NOT_FOUND\",\"message\":\"The requested resource does not "
	       "exist\"}]");
	schema->field_count = 150; /* long, but not too long for a URL */
	must(list_all(schema, h, &err), &err);
	schema->field_count = fields;
	assert_int_equal(h->records, 30);
	too_wide = list_all(schema, h, &err);
	assert_int_equal(too_wide, -EINVAL);
	assert_int_equal(err.http_status, 414);
	assert_non_null(strstr(err.text, "too long"));
}

static void test_list__says_when_the_cursor_is_gone(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *h = new_heard();
	AUTO(remote_page) struct remote_page page = {0};
	AUTO(remote_page) struct remote_page second = {0};
	struct error err = {0};

	(void)state;
	must(list(schema, NULL, h, &page, &err), &err);
	practice_do(&org.practice, "expire-locators", "{}");
	assert_int_equal(list(schema, page.next, h, &second, &err), -ESTALE);
	assert_string_equal(err.code, "INVALID_QUERY_LOCATOR");
	practice_reset(&org.practice);
	assert_int_equal(list(schema, "https://evil.example/query", h, &second, &err), -ESTALE);
	assert_int_equal(practice_counted(&org.practice), 0);
}

static void test_list__goes_on_over_an_expired_session(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *h = new_heard();
	struct error err = {0};

	(void)state;
	practice_reset(&org.practice);
	faults("[{\"do\":\"expire\",\"match\":{\"kind\":\"query_page\"},\"times\":1}]");
	must(list_all(schema, h, &err), &err);
	assert_int_equal(h->records, 4500);
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
}

static void test_list__tells_objects_that_refuse_it(void **state)
{
	static const char *const names[] = {
		"ContentDocumentLink", "FieldDefinition", "OpenActivity"};
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct until until = sf_org_until(20000);
	size_t tried = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO_FREE struct heard *h = new_heard();
		AUTO(schema) struct schema *schema = NULL;
		struct remote_page page = {0};
		struct error err = {0};

		if (org.remote->describe(org.sf, names[i], NULL, &until, &doc, NULL) < 0) {
			continue;
		}
		must(schema_parse(doc.json, doc.len, &schema, &err), &err);
		remote_doc_release(&doc);
		assert_int_equal(list(schema, NULL, h, &page, &err), -EPERM);
		assert_true(err.code[0]);
		tried++;
	}
	assert_true(tried > 0);
}

static void test_list__tells_an_outdated_schema(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *h = new_heard();
	struct remote_page page = {0};
	struct error err = {0};
	char body[200];

	(void)state;
	snprintf(body, sizeof(body), "{\"object\":\"Account\",\"field\":\"%s\"}",
		schema->fields[4].name);
	practice_do(&org.practice, "remove-field", body);
	assert_int_equal(list(schema, NULL, h, &page, &err), -EINVAL);
	assert_string_equal(err.code, "INVALID_FIELD");
}

/* ---- records ---- */

static void test_retrieve__brings_one_or_many(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *all = new_heard();
	AUTO_FREE struct heard *h = new_heard();
	struct remote_page page = {0};
	struct error err = {0};

	(void)state;
	must(list(schema, NULL, all, &page, &err), &err);
	remote_page_release(&page);
	practice_reset(&org.practice);
	must(retrieve(schema, &all->ids[7], 1, h, &err), &err);
	assert_int_equal(h->records, 1);
	assert_string_equal(h->ids[0].text, all->ids[7].text);
	assert_int_equal(practice_counted(&org.practice), 1);
	memset(h, 0, sizeof(*h));
	must(retrieve(schema, all->ids, 2000, h, &err), &err);
	assert_int_equal(h->records, 2000);
	assert_int_equal(practice_counted(&org.practice), 2);
	assert_int_equal(retrieve(schema, all->ids, 2001, h, &err), -EINVAL);
	must(retrieve(schema, all->ids, 0, h, &err), &err);
}

static void test_retrieve__leaves_out_what_is_gone(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *all = new_heard();
	AUTO_FREE struct heard *h = new_heard();
	struct remote_page page = {0};
	struct error err = {0};
	struct id ids[3];
	char body[200];

	(void)state;
	must(list(schema, NULL, all, &page, &err), &err);
	remote_page_release(&page);
	ids[0] = all->ids[0];
	ids[1] = all->ids[1];
	assert_true(id_parse("001000000000000", 15, &ids[2]));
	memcpy(ids[2].text, ids[0].text, 3); /* the object's prefix, a record that never was */
	assert_true(id_parse(ids[2].text, 15, &ids[2]));
	snprintf(body, sizeof(body), "{\"object\":\"Account\",\"ids\":[\"%s\"]}", ids[1].text);
	practice_do(&org.practice, "delete", body);
	for (size_t i = 1; i < 3; i++) {
		must(retrieve(schema, &ids[i], 1, h, &err), &err);
		assert_int_equal(h->records, 0);
		assert_int_equal(err.errnum, 0);
	}
	must(retrieve(schema, ids, 3, h, &err), &err);
	assert_int_equal(h->records, 1);
	assert_string_equal(h->ids[0].text, ids[0].text);
}

static void test_retrieve__reads_wide_records_by_composite(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Wide__c");
	AUTO_FREE struct heard *all = new_heard();
	AUTO_FREE struct heard *h = new_heard();
	struct error err = {0};
	struct id never = {{0}};

	(void)state;
	must(list_all(schema, all, &err), &err);
	practice_reset(&org.practice);
	must(retrieve(schema, all->ids, 1, h, &err), &err);
	assert_int_equal(h->records, 1);
	assert_int_equal(practice_calls(&org.practice, "composite"), 1);
	assert_true(id_parse("a03000000000000", 15, &never));
	must(retrieve(schema, &never, 1, h, &err), &err);
	assert_int_equal(h->records, 1);
	must(retrieve(schema, all->ids, 30, h, &err), &err);
	assert_int_equal(h->records, 31);
}

static void test_retrieve__asks_by_query_where_it_must(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *all = new_heard();
	AUTO_FREE struct heard *h = new_heard();
	struct remote_page page = {0};
	struct error err = {0};

	(void)state;
	must(list(schema, NULL, all, &page, &err), &err);
	remote_page_release(&page);
	schema->retrieveable = false;
	must(retrieve(schema, all->ids, 500, h, &err), &err);
	assert_int_equal(h->records, 500);
	must(retrieve(schema, all->ids, 1, h, &err), &err);
	assert_int_equal(h->records, 501);
}

static void test_retrieve__does_not_let_one_bad_id_spoil_the_rest(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *all = new_heard();
	AUTO_FREE struct heard *h = new_heard();
	struct remote_page page = {0};
	struct error err = {0};

	(void)state;
	must(list(schema, NULL, all, &page, &err), &err);
	remote_page_release(&page);
	faults("[{\"do\":\"error\",\"match\":{\"kind\":\"collections_read\"},\"status\":400,"
	       "\"times\":2,\"errorCode\":\"MALFORMED_ID\",\"message\":\"malformed id x\"}]");
	must(retrieve(schema, all->ids, 8, h, &err), &err);
	assert_int_equal(h->records, 8);
	assert_int_equal(err.errnum, 0);
}

/* ---- changes ---- */

struct known {
	struct schema *schema;
	char modified[64];
	int64_t since_ms;
	struct heard *all;
};

static void learn(struct known *k, const char *object)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct until until = sf_org_until(20000);
	struct remote_page page = {0};
	struct error err = {0};

	k->all = new_heard();
	must(org.remote->describe(org.sf, object, NULL, &until, &doc, &err), &err);
	must(schema_parse(doc.json, doc.len, &k->schema, &err), &err);
	snprintf(k->modified, sizeof(k->modified), "%s", doc.last_modified);
	must(list(k->schema, NULL, k->all, &page, &err), &err);
	k->since_ms = page.server_ms;
	remote_page_release(&page);
	practice_reset(&org.practice);
}

static void forget(struct known *k)
{
	schema_unref(k->schema);
	free(k->all);
}

static void alter(const char *what, const char *object, const struct id *id, const char *more)
{
	char body[300];

	snprintf(body, sizeof(body), "{\"object\":\"%s\",\"ids\":[\"%s\"]%s}", object, id->text,
		more);
	practice_do(&org.practice, what, body);
}

static void test_changes__cost_one_call(void **state)
{
	AUTO_FREE struct heard *h = new_heard();
	struct remote_changes found;
	struct error err = {0};
	struct known k = {0};

	(void)state;
	learn(&k, "Account");
	must(changes(k.schema, k.modified, k.since_ms, h, &found, &err), &err);
	assert_int_equal(practice_counted(&org.practice), 1);
	assert_false(found.describe_changed);
	assert_false(found.gap);
	assert_true(found.server_ms >= k.since_ms);
	assert_int_equal(h->records, 0);
	alter("change", "Account", &k.all->ids[3], ",\"set\":{\"Name\":\"Renamed\"}");
	alter("delete", "Account", &k.all->ids[4], "");
	alter("delete", "Account", &k.all->ids[5], ",\"hard\":true");
	practice_reset(&org.practice);
	must(changes(k.schema, k.modified, k.since_ms, h, &found, &err), &err);
	assert_int_equal(practice_counted(&org.practice), 1);
	assert_true(heard_id(h, k.all->ids[3].text));
	assert_true(heard_id(h, k.all->ids[4].text));
	assert_int_equal(h->with_is_deleted, 1);
	assert_false(found.gap);
	forget(&k);
}

static void test_changes__follow_many_pages(void **state)
{
	AUTO_FREE struct heard *h = new_heard();
	struct remote_changes found;
	struct error err = {0};
	struct known k = {0};

	(void)state;
	learn(&k, "Account");
	practice_do(&org.practice, "change",
		"{\"object\":\"Account\",\"count\":4200,\"set\":{\"Name\":\"Bulk\"}}");
	must(changes(k.schema, k.modified, k.since_ms, h, &found, &err), &err);
	assert_int_equal(h->records, 4200);
	assert_int_equal(practice_counted(&org.practice), 3);
	forget(&k);
}

static void test_changes__give_nothing_when_the_describe_is_newer(void **state)
{
	AUTO_FREE struct heard *h = new_heard();
	struct remote_changes found;
	struct error err = {0};
	struct known k = {0};

	(void)state;
	learn(&k, "Account");
	alter("change", "Account", &k.all->ids[3], ",\"set\":{\"Name\":\"Renamed\"}");
	practice_do(&org.practice, "add-field",
		"{\"object\":\"Account\",\"field\":{\"type\":\"string\",\"name\":\"New__c\"}}");
	must(changes(k.schema, k.modified, k.since_ms, h, &found, &err), &err);
	assert_true(found.describe_changed);
	assert_int_equal(h->records, 0);
	must(changes(k.schema, "", k.since_ms, h, &found, &err), &err); /* not asked */
	assert_false(found.describe_changed);
	assert_int_equal(h->records, 1);
	forget(&k);
}

static void test_changes__tell_a_gap(void **state)
{
	AUTO_FREE struct heard *h = new_heard();
	struct remote_changes found;
	struct error err = {0};
	struct known k = {0};

	(void)state;
	learn(&k, "Account");
	must(changes(k.schema, k.modified, k.since_ms - 40LL * 24 * 60 * MINUTE_MS, h, &found,
		     &err),
		&err);
	assert_true(found.gap);
	forget(&k);
	learn(&k, "Stampless__c"); /* no stamp that moves */
	must(changes(k.schema, k.modified, k.since_ms, h, &found, &err), &err);
	assert_true(found.gap);
	assert_false(found.describe_changed);
	forget(&k);
	learn(&k, "Bare__c");
	must(changes(k.schema, "", k.since_ms, h, &found, &err), &err); /* nothing to ask */
	assert_true(found.gap);
	assert_int_equal(practice_counted(&org.practice), 0);
	forget(&k);
}

static void test_changes__do_without_the_delete_log(void **state)
{
	AUTO_FREE struct heard *h = new_heard();
	struct remote_changes found;
	struct error err = {0};
	struct known k = {0};

	(void)state;
	learn(&k, "Account");
	alter("delete", "Account", &k.all->ids[4], "");
	k.schema->replicateable = false;
	must(changes(k.schema, k.modified, k.since_ms, h, &found, &err), &err);
	assert_int_equal(h->records, 1);
	assert_int_equal(h->with_is_deleted, 1);
	assert_false(found.gap);
	k.schema->has_is_deleted = false; /* a plain query then, which hides deleted records */
	memset(h, 0, sizeof(*h));
	must(changes(k.schema, k.modified, k.since_ms, h, &found, &err), &err);
	assert_int_equal(h->records, 0);
	assert_true(found.gap);
	forget(&k);
}

static void test_changes__fall_back_where_composites_are_refused(void **state)
{
	AUTO_FREE struct heard *h = new_heard();
	struct remote_changes found;
	struct error err = {0};
	struct known k = {0};

	(void)state;
	learn(&k, "Account");
	alter("change", "Account", &k.all->ids[3], ",\"set\":{\"Name\":\"Renamed\"}");
	practice_reset(&org.practice);
	faults("[{\"do\":\"error\",\"match\":{\"kind\":\"composite\"},\"status\":404,\"times\":-1,"
	       "\"errorCode\":\"NOT_FOUND\",\"message\":\"The requested resource does not exist\"},"
	       "{\"do\":\"error\",\"match\":{\"kind\":\"deleted\"},\"status\":400,\"times\":1,"
	       "\"errorCode\":\"INVALID_REPLICATION_DATE\",\"message\":\"too long ago\"}]");
	must(changes(k.schema, k.modified, k.since_ms, h, &found, &err), &err);
	assert_int_equal(h->records, 1);
	assert_true(found.gap);
	assert_int_equal(practice_counted(&org.practice), 2); /* the refused ones are not counted */
	must(changes(k.schema, k.modified, k.since_ms, h, &found, &err), &err);
	assert_false(found.gap);
	forget(&k);
}

/* Nothing says that the window of the delete log may end in the future, so an org may refuse it. */
static void test_changes__ask_for_no_future_where_that_is_refused(void **state)
{
	AUTO_FREE struct heard *h = new_heard();
	struct remote_changes found;
	struct error err = {0};
	struct known k = {0};

	(void)state;
	learn(&k, "Account");
	practice_do(&org.practice, "replication", "{\"future\":false}");
	must(changes(k.schema, k.modified, k.since_ms, h, &found, &err), &err);
	assert_true(found.gap);
	must(changes(k.schema, k.modified, k.since_ms, h, &found, &err), &err);
	assert_false(found.gap);
	must(changes(k.schema, k.modified, clock_wall_ms(), h, &found, &err), &err);
	assert_false(found.gap);
	practice_do(&org.practice, "replication", "{\"future\":true}");
	forget(&k);
}

static void test_changes__one_by_one_take_no_web_page_for_an_answer(void **state)
{
	static const char *const kinds[] = {"query", "describe", "deleted"};
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *h = new_heard();

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct remote_changes found = {0};
		struct error err = {0};
		char json[300];

		snprintf(json, sizeof(json),
			"[{\"do\":\"error\",\"status\":404,\"errorCode\":\"NOT_FOUND\",\"times\":-"
			"1,"
			"\"match\":{\"kind\":\"composite\"}},{\"do\":\"html\",\"status\":200,"
			"\"times\":-1,\"match\":{\"kind\":\"%s\"}}]",
			kinds[i]);
		faults(json);
		if (changes(schema, "Tue, 05 Mar 2030 10:20:30 GMT", clock_wall_ms() - 60000, h,
			    &found, &err) != -EIO ||
			err.http_status != 200) {
			fail_msg("%s: %d %d %s", kinds[i], err.errnum, err.http_status, err.text);
		}
	}
}

/* ---- trouble ---- */

static int ask_limits(int patience_ms, struct error *err)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct until until = sf_org_until(patience_ms);

	return org.remote->limits(org.sf, &until, &doc, err);
}

static void test_trouble__has_its_errno(void **state)
{
	static const struct {
		const char *fault;
		int patience_ms, r, http_status;
		const char *code;
	} rows[] = {
		{"\"do\":\"html\",\"status\":503", 600, -EIO, 503, ""},
		{"\"do\":\"html\",\"status\":200", 5000, -EIO, 200, ""},
		{"\"do\":\"html\",\"status\":404", 5000, -EIO, 404, ""},
		{"\"do\":\"html\",\"status\":420", 600, -EHOSTUNREACH, 420, ""},
		{"\"do\":\"garbage\"", 5000, -EPROTO, 0, ""},
		{"\"do\":\"deep_json\"", 5000, -EPROTO, 0, ""},
		{"\"do\":\"huge\",\"mb\":64", 20000, -EFBIG, 0, ""},
		{"\"do\":\"quota\"", 5000, -EDQUOT, 403, "REQUEST_LIMIT_EXCEEDED"},
		{"\"do\":\"status\",\"status\":500,\"body\":[{\"errorCode\":\"UNKNOWN_EXCEPTION\","
		 "\"message\":\"ErrorId: 1\"}]",
			600, -EIO, 500, "UNKNOWN_EXCEPTION"},
		{"\"do\":\"stall\"", 300, -ETIMEDOUT, 0, ""},
	};

	(void)state;
	must(ask_limits(20000, NULL), NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		char json[400];

		sf_org_reopen(&org); /* a spent quota would be remembered */
		snprintf(json, sizeof(json), "[{\"match\":{\"kind\":\"limits\"},\"times\":-1,%s}]",
			rows[i].fault);
		faults(json);
		if (ask_limits(rows[i].patience_ms, &err) != rows[i].r ||
			err.http_status != rows[i].http_status) {
			fail_msg("%s: %d %d %s", rows[i].fault, err.errnum, err.http_status,
				err.text);
		}
		assert_string_equal(err.code, rows[i].code);
	}
}

static void test_trouble__that_passes_is_waited_for(void **state)
{
	static const char *const rows[] = {
		"\"do\":\"concurrent\"",
		"\"do\":\"row_lock\"",
		"\"do\":\"html\",\"status\":200",
		"\"do\":\"html\",\"status\":503",
		"\"do\":\"reset\"",
		"\"do\":\"cut\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		char json[300];

		snprintf(json, sizeof(json), "[{\"match\":{\"kind\":\"limits\"},\"times\":1,%s}]",
			rows[i]);
		faults(json);
		must(ask_limits(20000, &err), &err);
		assert_int_equal(err.errnum, 0);
	}
}

static void test_trouble__in_a_part_is_waited_for(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Wide__c");
	AUTO_FREE struct heard *h = new_heard();
	struct error err = {0};

	(void)state;
	faults("[{\"do\":\"concurrent\",\"match\":{\"kind\":\"query\"},\"times\":1}]");
	must(list_all(schema, h, &err), &err);
	assert_int_equal(h->records, 30);
}

static void test_trouble__garbled_pages_give_no_half_truth(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *h = new_heard();
	struct remote_page page = {0};
	struct error err = {0};

	(void)state;
	faults("[{\"do\":\"garbage\",\"match\":{\"kind\":\"query\"},\"times\":1}]");
	assert_int_equal(list(schema, NULL, h, &page, &err), -EPROTO);
	assert_int_equal(h->records, 0);
	assert_null(page.next);
}

static void test_quota__stops_before_the_reserve(void **state)
{
	struct error err = {0};
	struct remote_usage usage;

	(void)state;
	org.config.api_reserve_percent = 20;
	sf_org_reopen(&org);
	practice_do(&org.practice, "quota", "{\"used\":79999,\"max\":100000}");
	must(ask_limits(20000, &err), &err);
	must(ask_limits(20000, &err), &err);
	practice_reset(&org.practice);
	assert_int_equal(ask_limits(20000, &err), -EDQUOT);
	assert_non_null(strstr(err.text, "80001 of 100000"));
	assert_int_equal(practice_counted(&org.practice), 0);
	org.remote->usage(org.sf, &usage);
	assert_int_equal(usage.used, 80001);
	assert_int_equal(usage.reserve, 20000);
}

static void test_quota__spent_is_remembered(void **state)
{
	struct error err = {0};

	(void)state;
	practice_do(&org.practice, "quota", "{\"used\":100000,\"max\":100000}");
	assert_int_equal(ask_limits(20000, &err), -EDQUOT);
	assert_string_equal(err.code, "REQUEST_LIMIT_EXCEEDED");
	practice_reset(&org.practice);
	assert_int_equal(ask_limits(20000, &err), -EDQUOT);
	assert_int_equal(practice_calls(&org.practice, "limits"), 0);
}

static void test_version__is_asked_for_again_when_it_is_retired(void **state)
{
	struct sf_identity who;
	struct error err = {0};

	(void)state;
	sf_org_pretend_version(&org, "60.0");
	faults("[{\"do\":\"error\",\"match\":{\"path\":\"v60.0\"},\"status\":410,\"times\":-1,"
	       "\"errorCode\":\"GONE\",\"message\":\"retired\"}]");
	must(ask_limits(20000, &err), &err);
	assert_int_equal(err.errnum, 0);
	must(sf_identity(org.sf, &who), NULL);
	assert_string_equal(who.api_version, "67.0");
	org.config.api_version = "60";
	sf_org_reopen(&org);
	assert_int_equal(ask_limits(20000, &err), -EPROTONOSUPPORT);
	assert_string_equal(err.code, "GONE");
}

static void test_version__that_the_org_lost_is_asked_for_again(void **state)
{
	AUTO(schema) struct schema *schema = NULL;
	AUTO_FREE struct heard *h = new_heard();
	struct remote_changes found;
	struct remote_page page = {0};
	struct error err = {0};

	(void)state;
	sf_org_pretend_version(&org, "66.0");
	schema = sf_org_schema(&org, "Account");
	faults("[{\"do\":\"error\",\"match\":{\"path\":\"v66.0\"},\"status\":404,\"times\":-1,"
	       "\"errorCode\":\"NOT_FOUND\",\"message\":\"The requested resource does not "
	       "exist\"}]");
	practice_reset(&org.practice);
	must(changes(schema, "", clock_wall_ms(), h, &found, &err), &err);
	must(list(schema, NULL, h, &page, &err), &err);
	remote_page_release(&page);
	assert_int_equal(practice_calls(&org.practice, "versions"), 1);
	assert_int_equal(err.errnum, 0);
}

static void test_version__that_the_org_lost_does_not_take_a_record_along(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *all = new_heard();
	AUTO_FREE struct heard *h = new_heard();
	struct remote_page page = {0};
	struct error err = {0};

	(void)state;
	must(list(schema, NULL, all, &page, &err), &err);
	remote_page_release(&page);
	sf_org_pretend_version(&org, "66.0");
	faults("[{\"do\":\"error\",\"match\":{\"path\":\"v66.0\"},\"status\":404,\"times\":-1,"
	       "\"errorCode\":\"NOT_FOUND\",\"message\":\"The requested resource does not "
	       "exist\"}]");
	must(retrieve(schema, &all->ids[7], 1, h, &err), &err);
	assert_int_equal(h->records, 1);
	assert_int_equal(err.errnum, 0);
}

static void test_record_url__knows_lightning(void **state)
{
	static const struct {
		const char *instance, *url;
	} rows[] = {
		{"https://acme.my.salesforce.com", "https://acme.lightning.force.com/lightning/r/"
						   "Account/001000000000001AAA/view"},
		{"https://acme--sb.sandbox.my.salesforce.com",
			"https://acme--sb.sandbox.lightning.force.com/lightning/r/Account/"
			"001000000000001AAA/view"},
		{"https://na1.salesforce.com", "https://na1.salesforce.com/001000000000001AAA"},
	};
	struct id id = {"001000000000001AAA"};

	(void)state;
	org.config.login_url = "https://acme.my.salesforce.com";
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(buf) struct buf out;
		char path[128];
		FILE *f;

		snprintf(path, sizeof(path), "%s/practice.token", org.state_dir);
		f = fopen(path, "w");
		assert_non_null(f);
		assert_int_equal(fchmod(fileno(f), 0600), 0);
		fprintf(f,
			"{\"grant\":\"refresh_token\",\"login_url\":\"%s\",\"client_id\":\"%s\","
			"\"seed\":\"%s\",\"access_token\":\"x\",\"instance_url\":\"%s\"}",
			org.config.login_url, org.config.client_id, org.config.refresh_token,
			rows[i].instance);
		fclose(f);
		sf_org_reopen(&org);
		buf_init(&out, 500);
		assert_int_equal(org.remote->record_url(org.sf, "Account", &id, &out), 0);
		assert_string_equal(buf_str(&out), rows[i].url);
		assert_int_equal(org.remote->record_url(org.sf, "A/../B", &id, &out), -EINVAL);
	}
}

static void test_list__asks_for_less_when_a_page_is_too_big(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Account");
	AUTO_FREE struct heard *h = new_heard();
	struct remote_page page = {0};
	struct error err = {0};

	(void)state;
	practice_reset(&org.practice);
	faults("[{\"do\":\"huge\",\"mb\":65,\"match\":{\"kind\":\"query\"},\"times\":1}]");
	must(list(schema, NULL, h, &page, &err), &err);
	remote_page_release(&page);
	assert_int_equal(h->records, 1000);
	assert_int_equal(practice_calls(&org.practice, "query"), 2);
}

static void *fire_soon(void *arg)
{
	usleep(100000);
	cancel_fire(arg);
	return NULL;
}

static void test_cancel__ends_a_waiting_call(void **state)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct until until = sf_org_until(20000);
	struct cancel cancel;
	int64_t start_ms;
	pthread_t thread;

	(void)state;
	must(ask_limits(20000, NULL), NULL);
	faults("[{\"do\":\"stall\",\"match\":{\"kind\":\"limits\"},\"times\":-1}]");
	cancel_init(&cancel);
	until.cancel = &cancel;
	start_ms = clock_mono_ms();
	assert_int_equal(pthread_create(&thread, NULL, fire_soon, &cancel), 0);
	assert_int_equal(org.remote->limits(org.sf, &until, &doc, NULL), -EINTR);
	assert_true(clock_mono_ms() - start_ms < 5000);
	pthread_join(thread, NULL);
	cancel_release(&cancel);
}

static void test_record_url__leads_to_the_record(void **state)
{
	AUTO(buf) struct buf out;
	struct id id;
	char expected[128];

	(void)state;
	buf_init(&out, 500);
	assert_true(id_parse("001000000000001", 15, &id));
	assert_int_equal(org.remote->record_url(org.sf, "Account", &id, &out), -ENODATA);
	must(ask_limits(20000, NULL), NULL);
	assert_int_equal(org.remote->record_url(org.sf, "Account", &id, &out), 0);
	snprintf(expected, sizeof(expected), "%s/%s", org.practice.url, id.text);
	assert_string_equal(buf_str(&out), expected);
}

int main(void)
{
#define WITH_ORG(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		WITH_ORG(test_objects__comes_as_sent_and_then_as_304),
		WITH_ORG(test_describe__comes_as_304_and_refuses_strange_names),
		WITH_ORG(test_list__pages_through_everything),
		WITH_ORG(test_list__sends_a_long_query_in_a_composite),
		WITH_ORG(test_list__falls_back_where_composites_are_refused),
		WITH_ORG(test_list__says_when_the_cursor_is_gone),
		WITH_ORG(test_list__goes_on_over_an_expired_session),
		WITH_ORG(test_list__tells_objects_that_refuse_it),
		WITH_ORG(test_list__tells_an_outdated_schema),
		WITH_ORG(test_retrieve__brings_one_or_many),
		WITH_ORG(test_retrieve__leaves_out_what_is_gone),
		WITH_ORG(test_retrieve__reads_wide_records_by_composite),
		WITH_ORG(test_retrieve__asks_by_query_where_it_must),
		WITH_ORG(test_retrieve__does_not_let_one_bad_id_spoil_the_rest),
		WITH_ORG(test_changes__cost_one_call),
		WITH_ORG(test_changes__follow_many_pages),
		WITH_ORG(test_changes__give_nothing_when_the_describe_is_newer),
		WITH_ORG(test_changes__tell_a_gap),
		WITH_ORG(test_changes__do_without_the_delete_log),
		WITH_ORG(test_changes__fall_back_where_composites_are_refused),
		WITH_ORG(test_changes__ask_for_no_future_where_that_is_refused),
		WITH_ORG(test_changes__one_by_one_take_no_web_page_for_an_answer),
		WITH_ORG(test_trouble__has_its_errno),
		WITH_ORG(test_trouble__that_passes_is_waited_for),
		WITH_ORG(test_trouble__in_a_part_is_waited_for),
		WITH_ORG(test_trouble__garbled_pages_give_no_half_truth),
		WITH_ORG(test_quota__stops_before_the_reserve),
		WITH_ORG(test_quota__spent_is_remembered),
		WITH_ORG(test_version__is_asked_for_again_when_it_is_retired),
		WITH_ORG(test_version__that_the_org_lost_is_asked_for_again),
		WITH_ORG(test_version__that_the_org_lost_does_not_take_a_record_along),
		WITH_ORG(test_record_url__knows_lightning),
		WITH_ORG(test_list__asks_for_less_when_a_page_is_too_big),
		WITH_ORG(test_cancel__ends_a_waiting_call),
		WITH_ORG(test_record_url__leads_to_the_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
