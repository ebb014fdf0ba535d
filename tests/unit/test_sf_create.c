/* SPDX-License-Identifier: MIT */
/* Making and deleting records in the practice org. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/scope.h"
#include "write_org.h"

static struct kept kept;

static struct schema *begin(void)
{
	struct schema *schema = sf_org_schema(&org, "Account");

	practice_reset(&org.practice);
	return schema;
}

static void end(void)
{
	faults("[]");
	kept_clear(&kept);
}

static int remove_record(const struct schema *schema, const struct id *id, struct error *err)
{
	struct until until = sf_org_until(20000);

	return org.remote->remove(org.sf, schema, id, &until, err);
}

/* ---- create ---- */

static void test_create__makes_a_record_and_brings_it_in_one_call(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct error err = {0};
	struct id id = {""};

	(void)state;
	must(create(schema, "{\"Name\":\"New\",\"Rating\":\"Hot\"}", &kept, &id, &err), &err);
	assert_int_equal(kept.count, 1);
	assert_string_equal(kept_text(&kept, &id, "Name"), "New");
	assert_string_equal(kept_text(&kept, &id, "CustomerPriority__c"), "High");
	assert_int_equal(practice_counted(&org.practice), 1);
	assert_int_equal(done_by("POST", 201), 1);
	end();
}

static void test_create__reads_by_query_where_it_must(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct error err = {0};
	struct id id = {""};

	(void)state;
	schema->retrieveable = false;
	must(create(schema, "{\"Name\":\"New\"}", &kept, &id, &err), &err);
	assert_string_equal(kept_text(&kept, &id, "Name"), "New");
	assert_int_equal(practice_counted(&org.practice), 1);
	end();
}

static void test_create__makes_wide_records(void **state)
{
	AUTO(schema) struct schema *schema = sf_org_schema(&org, "Wide__c");
	struct error err = {0};
	struct id id = {""};

	(void)state;
	practice_reset(&org.practice);
	must(create(schema, "{}", &kept, &id, &err), &err);
	assert_non_null(kept_record(&kept, &id));
	assert_int_equal(practice_counted(&org.practice), 1);
	end();
}

static void test_create__makes_a_record_whose_text_looks_like_a_reference(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct error err = {0};
	struct id id = {""};

	(void)state;
	must(create(schema, "{\"Name\":\"@{made.id}\"}", &kept, &id, &err), &err);
	assert_string_equal(kept_text(&kept, &id, "Name"), "@{made.id}");
	assert_int_equal(practice_counted(&org.practice), 2);
	end();
}

static void test_create__does_without_composites(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct error err = {0};
	struct id id = {""};

	(void)state;
	faults("[{\"do\":\"error\",\"match\":{\"kind\":\"composite\"},\"status\":405,"
	       "\"errorCode\":\"METHOD_NOT_ALLOWED\",\"times\":-1}]");
	must(create(schema, "{\"Name\":\"New\"}", &kept, &id, &err), &err);
	assert_string_equal(kept_text(&kept, &id, "Name"), "New");
	assert_int_equal(done_by("POST", 201), 1);
	end();
}

static void test_create__is_done_even_if_it_cannot_be_read(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct error err = {0};
	struct id id = {""};

	(void)state;
	faults("[{\"do\":\"error\",\"match\":{\"kind\":\"retrieve\"},\"times\":-1}]");
	must(create(schema, "{\"Name\":\"New\"}", &kept, &id, &err), &err);
	assert_int_equal(kept.count, 0);
	assert_true(id_has_prefix(&id, "001"));
	faults("[{\"do\":\"error\",\"match\":{\"kind\":\"retrieve\"},\"times\":1}]");
	must(create(schema, "{\"Name\":\"New\"}", &kept, &id, &err), &err);
	assert_int_equal(kept.count, 1);
	end();
}

static void test_create__tells_what_is_refused(void **state)
{
	static const struct {
		const char *json;
		int errnum;
		const char *code, *fields;
	} rows[] = {
		{"{\"Rating\":\"Hot\"}", EINVAL, "REQUIRED_FIELD_MISSING", "Name"},
		{"{\"Name\":\"x\",\"AnnualRevenue\":-2000000}", EINVAL,
			"FIELD_CUSTOM_VALIDATION_EXCEPTION", "AnnualRevenue"},
		{"{\"Name\":\"@{x}\",\"AnnualRevenue\":-2000000}", EINVAL,
			"FIELD_CUSTOM_VALIDATION_EXCEPTION", "AnnualRevenue"},
		{"[]", EINVAL, "", ""},
	};
	AUTO(schema) struct schema *schema = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		struct id id = {""};

		assert_int_equal(create(schema, rows[i].json, &kept, &id, &err), -rows[i].errnum);
		assert_string_equal(err.code, rows[i].code);
		assert_string_equal(err.fields, rows[i].fields);
		assert_string_equal(id.text, "");
	}
	assert_int_equal(done_by("POST", 201), 0);
	end();
}

static void test_create__is_never_sent_twice(void **state)
{
	static const struct {
		const char *fault;
		bool made;
	} rows[] = {
		{"{\"do\":\"reset\",\"after\":true", true},
		{"{\"do\":\"reset\"", false},
		{"{\"do\":\"cut\"", true},
		{"{\"do\":\"wrong_length\"", true},
		{"{\"do\":\"html\"", false},
		{"{\"do\":\"garbage\"", false},
		{"{\"do\":\"status\",\"status\":502,\"body\":\"\"", false},
		{"{\"do\":\"error\",\"status\":500", false},
	};
	AUTO(schema) struct schema *schema = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		struct id id = {""};
		char fault[200];

		practice_reset(&org.practice);
		snprintf(fault, sizeof(fault), "[%s,\"match\":{\"kind\":\"composite\"}}]",
			rows[i].fault);
		faults(fault);
		assert_true(create(schema, "{\"Name\":\"Lost\"}", &kept, &id, &err) < 0);
		assert_string_equal(err.code, "MAYBE_SENT");
		assert_non_null(strstr(err.text, "CreatedDate"));
		assert_int_equal(practice_calls(&org.practice, "composite"), 1);
		assert_int_equal(done_by("POST", 201), rows[i].made);
	}
	end();
}

static void test_create__is_sent_again_where_it_did_not_happen(void **state)
{
	static const char *const rows[] = {"{\"do\":\"expire\"", "{\"do\":\"status\"",
		"{\"do\":\"concurrent\"", "{\"do\":\"retry_after\""};
	AUTO(schema) struct schema *schema = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		struct id id = {""};
		char fault[200];

		practice_reset(&org.practice);
		snprintf(fault, sizeof(fault), "[%s,\"match\":{\"kind\":\"composite\"}}]", rows[i]);
		faults(fault);
		must(create(schema, "{\"Name\":\"Once\"}", &kept, &id, &err), &err);
		assert_int_equal(done_by("POST", 201), 1);
	}
	end();
}

static void test_create__comes_back_when_the_org_says_so(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct error err = {0};
	struct id id;

	(void)state;
	practice_reset(&org.practice);
	faults("[{\"do\":\"retry_after\",\"seconds\":30,\"match\":{\"kind\":\"composite\"}}]");
	assert_int_equal(create(schema, "{\"Name\":\"n\"}", &kept, &id, &err), -EAGAIN);
	assert_int_equal(practice_calls(&org.practice, "composite"), 1); /* not before */
	faults("[{\"do\":\"retry_after\",\"seconds\":1,\"match\":{\"kind\":\"composite\"}}]");
	must(create(schema, "{\"Name\":\"n\"}", &kept, &id, &err), &err);
	assert_int_equal(done_by("POST", 201), 1);
	end();
}

/* A 2xx that says success: false, as some of the org's resources answer. */
static void test_create__believes_what_the_answer_says_of_success(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct error err = {0};
	struct id id = {""};

	(void)state;
	faults("[{\"do\":\"garbage\",\"match\":{\"kind\":\"composite\"},\"body\":\""
	       "{\\\"compositeResponse\\\":[{\\\"body\\\":{\\\"id\\\":\\\"001RM000003oLruYAE\\\","
	       "\\\"success\\\":false,\\\"errors\\\":[{\\\"statusCode\\\":\\\"DUPLICATE_VALUE\\\","
	       "\\\"message\\\":\\\"is there\\\",\\\"fields\\\":[]}]},\\\"httpHeaders\\\":{},"
	       "\\\"httpStatusCode\\\":200,\\\"referenceId\\\":\\\"made\\\"},{\\\"body\\\":null,"
	       "\\\"httpHeaders\\\":{},\\\"httpStatusCode\\\":404,\\\"referenceId\\\":\\\"read\\\"}"
	       "]}"
	       "\"}]");
	assert_int_equal(create(schema, "{\"Name\":\"n\"}", &kept, &id, &err), -EEXIST);
	assert_string_equal(err.code, "DUPLICATE_VALUE");
	assert_string_equal(id.text, "");
	end();
}

/* What was lost is the answer to the log-in; the record was never sent. */
static void test_create__has_not_happened_where_the_log_in_failed(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct error err = {0};
	struct id id;

	(void)state;
	practice_do(&org.practice, "expire-sessions", "{}");
	faults("[{\"do\":\"reset\",\"after\":true,\"match\":{\"kind\":\"token\"}}]");
	assert_int_equal(create(schema, "{\"Name\":\"n\"}", &kept, &id, &err), -EHOSTUNREACH);
	assert_string_equal(err.code, "");
	end();
}

/* ---- remove ---- */

static void test_remove__deletes_once_and_does_not_mind_twice(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct error err = {0};
	struct id id;

	(void)state;
	live_ids("Account", 1, &id);
	must(remove_record(schema, &id, &err), &err);
	assert_int_equal(done_by("DELETE", 204), 1);
	look(schema, &id, 1, &kept);
	assert_int_equal(kept.count, 0);
	must(remove_record(schema, &id, &err), &err);
	assert_int_equal(done_by("DELETE", 404), 1);
	assert_true(id_parse("001000000000000", 15, &id)); /* never was */
	must(remove_record(schema, &id, &err), &err);
	assert_int_equal(err.errnum, 0);
	end();
}

static void test_remove__survives_a_lost_reply(void **state)
{
	static const char *const rows[] = {"{\"do\":\"reset\",\"after\":true", "{\"do\":\"status\"",
		"{\"do\":\"expire\"", "{\"do\":\"row_lock\"", "{\"do\":\"html\""};
	AUTO(schema) struct schema *schema = begin();
	struct id ids[5];

	(void)state;
	live_ids("Account", 5, ids);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		char fault[200];

		practice_reset(&org.practice);
		snprintf(fault, sizeof(fault), "[%s,\"match\":{\"kind\":\"delete\"}}]", rows[i]);
		faults(fault);
		must(remove_record(schema, &ids[i], &err), &err);
		assert_int_equal(done_by("DELETE", 204), 1);
	}
	end();
}

/* 304 answers the question whether something is newer, and no order. */
static void test_remove__is_not_done_by_a_304(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct error err = {0};
	struct id id;

	(void)state;
	live_ids("Account", 1, &id);
	faults("[{\"do\":\"status\",\"status\":304,\"body\":\"\",\"match\":{\"kind\":\"delete\"}}"
	       "]");
	assert_int_equal(remove_record(schema, &id, &err), -EIO);
	assert_string_equal(err.code, "MAYBE_SENT");
	end();
}

static void test_remove__tells_what_is_refused(void **state)
{
	static const struct {
		const char *status, *code;
		int errnum;
	} rows[] = {
		{"400", "DELETE_FAILED", EBUSY},
		{"400", "DEPENDENCY_EXISTS", EBUSY},
		{"403", "INSUFFICIENT_ACCESS_OR_READONLY", EACCES},
		{"400", "INVALID_CROSS_REFERENCE_KEY", ENOENT},
		{"404", "NOT_FOUND",
			ENOENT}, /* hidden, or no such object or version: it may live */
		{"405", "METHOD_NOT_ALLOWED", EPERM},
	};
	AUTO(schema) struct schema *schema = begin();
	struct id id;

	(void)state;
	live_ids("Account", 1, &id);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error err = {0};
		char fault[200];

		snprintf(fault, sizeof(fault),
			"[{\"do\":\"error\",\"status\":%s,\"errorCode\":\"%s\","
			"\"match\":{\"kind\":\"delete\"}}]",
			rows[i].status, rows[i].code);
		faults(fault);
		assert_int_equal(remove_record(schema, &id, &err), -rows[i].errnum);
		assert_string_equal(err.code, rows[i].code);
	}
	end();
}

int main(void)
{
#define WITH_ORG(f) cmocka_unit_test_setup_teardown(f, write_org_start, write_org_stop)
	const struct CMUnitTest tests[] = {
		WITH_ORG(test_create__makes_a_record_and_brings_it_in_one_call),
		WITH_ORG(test_create__reads_by_query_where_it_must),
		WITH_ORG(test_create__makes_wide_records),
		WITH_ORG(test_create__makes_a_record_whose_text_looks_like_a_reference),
		WITH_ORG(test_create__does_without_composites),
		WITH_ORG(test_create__is_done_even_if_it_cannot_be_read),
		WITH_ORG(test_create__tells_what_is_refused),
		WITH_ORG(test_create__is_never_sent_twice),
		WITH_ORG(test_create__is_sent_again_where_it_did_not_happen),
		WITH_ORG(test_create__comes_back_when_the_org_says_so),
		WITH_ORG(test_create__believes_what_the_answer_says_of_success),
		WITH_ORG(test_create__has_not_happened_where_the_log_in_failed),
		WITH_ORG(test_remove__deletes_once_and_does_not_mind_twice),
		WITH_ORG(test_remove__survives_a_lost_reply),
		WITH_ORG(test_remove__is_not_done_by_a_304),
		WITH_ORG(test_remove__tells_what_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
