/* SPDX-License-Identifier: MIT */
/* Saving records in the practice org: what is sent, what it costs, and what is known afterwards. */
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

#include "forcefs/base/scope.h"
#include "write_org.h"

#define RESET_AFTER "{\"do\":\"reset\",\"after\":true,\"match\":{\"kind\":\"composite\"}}"
#define SITE(text)  "{\"Website\":\"" text "\"}"

static struct kept kept;
static struct id ids[24];
static int64_t base_ms[24]; /* LastModifiedDate as read */

static struct schema *begin(void)
{
	struct schema *schema = sf_org_schema(&org, "Account");

	live_ids("Account", 24, ids);
	look(schema, ids, 24, &kept);
	for (size_t i = 0; i < 24; i++) {
		base_ms[i] = kept_modified_ms(&kept, &ids[i]);
	}
	practice_reset(&org.practice);
	return schema;
}

static void end(void)
{
	faults("[]");
	kept_clear(&kept);
}

/* Somebody else changes the record. */
static void change(const struct id *id, const char *set)
{
	char body[300];

	snprintf(body, sizeof(body), "{\"object\":\"Account\",\"ids\":[\"%s\"],\"set\":%s}",
		id->text, set);
	practice_do(&org.practice, "change", body);
}

static void delete (const struct id *id)
{
	char body[200];

	snprintf(body, sizeof(body), "{\"object\":\"Account\",\"ids\":[\"%s\"]}", id->text);
	practice_do(&org.practice, "delete", body);
}

/* ---- what goes well ---- */

static void test_update__sends_one_patch_and_brings_the_record(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save save = save_of(&ids[3], "{\"Rating\":\"Warm\"}", base_ms[3]);
	struct error err = {0};

	(void)state;
	must(update(schema, &save, 1, &kept, &err), &err);
	assert_int_equal(save.result, 0);
	assert_true(save.read_back);
	assert_int_equal(practice_counted(&org.practice), 1);
	assert_int_equal(done_by("PATCH", 204), 1);
	assert_int_equal(kept.count, 1);
	assert_string_equal(kept_text(&kept, &ids[3], "Rating"), "Warm");
	/* what a trigger made of it */
	assert_string_equal(kept_text(&kept, &ids[3], "CustomerPriority__c"), "Medium");
	assert_true(kept_modified_ms(&kept, &ids[3]) > base_ms[3]);
	end();
}

static void test_update__saves_24_records_in_one_call(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save saves[24];
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < 24; i++) {
		saves[i] = save_of(&ids[i], SITE("all.example"), base_ms[i]);
	}
	must(update(schema, saves, 24, &kept, &err), &err);
	for (size_t i = 0; i < 24; i++) {
		assert_int_equal(saves[i].result, 0);
		assert_true(saves[i].read_back);
		assert_string_equal(kept_text(&kept, &ids[i], "Website"), "all.example");
	}
	assert_int_equal(practice_counted(&org.practice), 1);
	assert_int_equal(done_by("PATCH", 204), 24);
	end();
}

static void test_update__keeps_numbers_texts_and_nulls_as_given(void **state)
{
	static const char json[] =
		"{\"AnnualRevenue\":123456789012345678,\"Phone\":null,"
		"\"Description\":\"a\\\"b\\\\ {\\\"x\\\":[1,2}] \\u00e9 \xF0\x9F\x98\x80\"}";
	AUTO(schema) struct schema *schema = begin();
	struct remote_save save = save_of(&ids[0], json, 0);
	struct error err = {0};

	(void)state;
	must(update(schema, &save, 1, &kept, &err), &err);
	must(save.result, &save.err);
	assert_true(json_is_null(json_object_get(kept_record(&kept, &ids[0]), "Phone")));
	assert_string_equal(kept_text(&kept, &ids[0], "Description"),
		"a\"b\\ {\"x\":[1,2}] \xC3\xA9 \xF0\x9F\x98\x80");
	end();
}

static void test_update__saves_a_text_that_looks_like_a_reference(void **state)
{
	static const char *const texts[] = {
		SITE("@{s0.id}"), SITE("\\u0040{read}"), SITE("@\\u007bx}"), SITE("a@b.{c}")};
	static const char *const expected[] = {"@{s0.id}", "@{read}", "@{x}", "a@b.{c}"};
	AUTO(schema) struct schema *schema = begin();
	struct remote_save saves[4];
	struct error err = {0};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		saves[i] = save_of(&ids[i], texts[i], i % 2 ? 0 : base_ms[i]);
	}
	must(update(schema, saves, 4, &kept, &err), &err);
	for (size_t i = 0; i < 4; i++) {
		must(saves[i].result, &saves[i].err);
		assert_true(saves[i].read_back);
		assert_string_equal(kept_text(&kept, &ids[i], "Website"), expected[i]);
	}
	assert_int_equal(done_by("PATCH", 204), 4);
	change(&ids[0], SITE("theirs"));
	saves[0] = save_of(&ids[0], texts[0], base_ms[0]);
	must(update(schema, saves, 1, &kept, &err), &err);
	assert_int_equal(saves[0].result, -ESTALE);
	assert_string_equal(kept_text(&kept, &ids[0], "Website"), "theirs");
	end();
}

static void test_update__reads_by_query_where_it_must(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save saves[2] = {
		save_of(&ids[0], SITE("q0"), base_ms[0]), save_of(&ids[1], SITE("q1"), 0)};
	struct error err = {0};

	(void)state;
	schema->retrieveable = false;
	must(update(schema, saves, 2, &kept, &err), &err);
	assert_true(saves[0].read_back && saves[1].read_back);
	assert_string_equal(kept_text(&kept, &ids[1], "Website"), "q1");
	assert_int_equal(practice_counted(&org.practice), 1);
	end();
}

static void test_update__does_without_composites(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save saves[2] = {
		save_of(&ids[0], SITE("a0"), 0), save_of(&ids[1], SITE("a1"), base_ms[1])};
	struct error err = {0};

	(void)state;
	faults("[{\"do\":\"error\",\"match\":{\"kind\":\"composite\"},\"status\":403,"
	       "\"errorCode\":\"FUNCTIONALITY_NOT_ENABLED\",\"times\":-1}]");
	must(update(schema, saves, 2, &kept, &err), &err);
	for (size_t i = 0; i < 2; i++) {
		must(saves[i].result, &saves[i].err);
		assert_true(saves[i].read_back);
	}
	assert_int_equal(done_by("PATCH", 204), 2);
	assert_int_equal(kept.count, 2);
	end();
}

static void test_update__goes_in_halves_where_it_is_too_much(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save saves[5];
	struct error err = {0};

	(void)state;
	faults("[{\"do\":\"status\",\"status\":413,\"body\":\"\",\"match\":{\"kind\":\"composite\"}"
	       "}]");
	for (size_t i = 0; i < 5; i++) {
		saves[i] = save_of(&ids[i], SITE("half"), 0);
	}
	must(update(schema, saves, 5, &kept, &err), &err);
	for (size_t i = 0; i < 5; i++) {
		must(saves[i].result, &saves[i].err);
		assert_true(saves[i].read_back);
	}
	assert_int_equal(done_by("PATCH", 204), 5);
	assert_int_equal(practice_calls(&org.practice, "composite"), 3);
	end();
}

/* ---- refusals of one ---- */

static void test_update__judges_each_save_by_itself(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save saves[6] = {
		save_of(&ids[0], SITE("fine"), base_ms[0]),
		save_of(&ids[1], "{\"AnnualRevenue\":-2000000}", base_ms[1]),
		save_of(&ids[2], SITE("mine"), base_ms[2]),
		save_of(&ids[3], SITE("gone"), base_ms[3]),
		save_of(&ids[4], "{\"Nothing__c\":1}", 0),
		save_of(&ids[5], "{\"ParentId\":\"001000000000000AAA\"}", 0),
	};
	struct error err = {0};

	(void)state;
	change(&ids[2], SITE("theirs"));
	delete (&ids[3]);
	must(update(schema, saves, 6, &kept, &err), &err);
	assert_int_equal(practice_counted(&org.practice), 1);
	assert_int_equal(saves[0].result, 0);
	assert_int_equal(saves[1].result, -EINVAL);
	assert_string_equal(saves[1].err.code, "FIELD_CUSTOM_VALIDATION_EXCEPTION");
	assert_string_equal(saves[1].err.fields, "AnnualRevenue");
	assert_non_null(strstr(saves[1].err.text, "approval of finance"));
	assert_int_equal(saves[2].result, -ESTALE);
	assert_true(saves[2].read_back);
	assert_string_equal(kept_text(&kept, &ids[2], "Website"), "theirs");
	assert_int_equal(saves[3].result, -ENOENT);
	assert_string_equal(saves[3].err.code, "ENTITY_IS_DELETED");
	assert_false(saves[3].read_back);
	assert_int_equal(saves[4].result, -EINVAL);
	assert_string_equal(saves[4].err.code, "INVALID_FIELD");
	assert_int_equal(saves[5].result, -EINVAL); /* the parent is not there, the record is */
	assert_int_equal(done_by("PATCH", 204), 1);
	end();
}

static void test_update__tells_a_locked_row(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save saves[2] = {
		save_of(&ids[0], SITE("l0"), base_ms[0]), save_of(&ids[1], SITE("l1"), 0)};
	struct error err = {0};

	(void)state;
	faults("[{\"do\":\"row_lock\",\"match\":{\"kind\":\"update\"}}]");
	must(update(schema, saves, 2, &kept, &err), &err);
	assert_int_equal(saves[0].result, -EAGAIN);
	assert_string_equal(saves[0].err.code, "UNABLE_TO_LOCK_ROW");
	assert_int_equal(saves[1].result, 0);
	assert_int_equal(practice_calls(&org.practice, "composite"), 1);
	end();
}

/* ---- the reading fails ---- */

static void test_update__reads_in_a_call_of_its_own_if_the_part_fails(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save saves[2] = {
		save_of(&ids[0], SITE("r0"), 0), save_of(&ids[1], SITE("r1"), 0)};
	struct error err = {0};

	(void)state;
	faults("[{\"do\":\"concurrent\",\"match\":{\"kind\":\"collections_read\"}}]");
	must(update(schema, saves, 2, &kept, &err), &err);
	assert_true(saves[0].read_back && saves[1].read_back);
	assert_int_equal(kept.count, 2);
	assert_int_equal(practice_counted(&org.practice), 2);
	end();
}

static void test_update__is_done_even_if_nothing_can_be_read(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save saves[2] = {
		save_of(&ids[0], SITE("n0"), 0), save_of(&ids[1], SITE("n1"), 0)};
	struct error err = {0};

	(void)state;
	faults("[{\"do\":\"error\",\"match\":{\"kind\":\"collections_read\"},\"times\":-1}]");
	must(update(schema, saves, 2, &kept, &err), &err);
	assert_int_equal(saves[0].result, 0);
	assert_int_equal(saves[1].result, 0);
	assert_false(saves[0].read_back || saves[1].read_back);
	assert_int_equal(kept.count, 0);
	assert_int_equal(err.errnum, 0);
	end();
}

static void test_update__is_done_even_if_the_sink_wants_no_more(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save saves[2] = {
		save_of(&ids[0], SITE("k0"), 0), save_of(&ids[1], SITE("k1"), 0)};
	struct error err = {0};

	(void)state;
	kept.answer = -ENOSPC;
	must(update(schema, saves, 2, &kept, &err), &err);
	kept.answer = 0;
	assert_int_equal(saves[0].result, 0);
	assert_int_equal(saves[1].result, 0);
	assert_false(saves[0].read_back || saves[1].read_back);
	assert_int_equal(kept.count, 1);
	assert_int_equal(practice_counted(&org.practice), 1);
	end();
}

/* ---- lost replies ---- */

static void test_update__with_a_condition_survives_a_lost_reply(void **state)
{
	static const char *const losses[] = {"[" RESET_AFTER "]",
		"[{\"do\":\"cut\",\"match\":{\"kind\":\"composite\"}}]",
		"[{\"do\":\"wrong_length\",\"match\":{\"kind\":\"composite\"}}]",
		"[{\"do\":\"bad_gzip\",\"match\":{\"kind\":\"composite\"}}]"};
	AUTO(schema) struct schema *schema = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		struct remote_save save = save_of(&ids[i], SITE("once"), base_ms[i]);
		struct error err = {0};

		practice_reset(&org.practice);
		faults(losses[i]);
		must(update(schema, &save, 1, &kept, &err), &err);
		assert_int_equal(save.result, -ESTALE);
		assert_true(save.read_back);
		assert_string_equal(kept_text(&kept, &ids[i], "Website"), "once");
		assert_int_equal(done_by("PATCH", 204), 1);
		assert_int_equal(done_by("PATCH", 412), 1);
	}
	end();
}

static void test_update__without_a_condition_is_sent_once(void **state)
{
	static const char *const losses[] = {"[" RESET_AFTER "]",
		"[{\"do\":\"cut\",\"match\":{\"kind\":\"composite\"}}]",
		"[{\"do\":\"wrong_length\",\"match\":{\"kind\":\"composite\"}}]",
		"[{\"do\":\"bad_gzip\",\"match\":{\"kind\":\"composite\"}}]",
		"[{\"do\":\"stall\",\"after\":true,\"match\":{\"kind\":\"composite\"}}]"};
	AUTO(schema) struct schema *schema = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		struct remote_save saves[2] = {save_of(&ids[2 * i], SITE("once"), 0),
			save_of(&ids[2 * i + 1], SITE("once"), base_ms[2 * i + 1])};
		struct remote_sink sink = sink_of_kept(&kept);
		struct until until = sf_org_until(1500);
		struct error err = {0};

		practice_reset(&org.practice);
		kept_clear(&kept);
		faults(losses[i]);
		assert_true(org.remote->update(org.sf, schema, saves, 2, &sink, &until, &err) < 0);
		assert_string_equal(err.code, "MAYBE_SENT");
		assert_true(!strncmp(err.text, "the save may have happened", 26));
		assert_string_equal(saves[1].err.code, "MAYBE_SENT");
		assert_int_equal(saves[0].result, -err.errnum);
		assert_int_equal(practice_calls(&org.practice, "composite"), 1);
		faults("[]");
		look(schema, &ids[2 * i], 1, &kept);
		assert_string_equal(kept_text(&kept, &ids[2 * i], "Website"), "once");
	}
	end();
}

static void test_update__alone_without_a_condition_is_sent_once(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save save = save_of(&ids[0], SITE("@{once}"), 0);
	struct error err = {0};

	(void)state;
	faults("[{\"do\":\"reset\",\"after\":true,\"match\":{\"kind\":\"update\"}}]");
	must(update(schema, &save, 1, &kept, &err), &err);
	assert_true(save.result < 0);
	assert_string_equal(save.err.code, "MAYBE_SENT");
	assert_int_equal(done_by("PATCH", 204), 1);
	end();
}

static void test_update__takes_a_garbled_answer_for_a_lost_one(void **state)
{
	static const char garbage[] = "[{\"do\":\"garbage\",\"match\":{\"kind\":\"composite\"}}]";
	AUTO(schema) struct schema *schema = begin();
	struct remote_save save = save_of(&ids[0], SITE("g"), base_ms[0]);
	struct error err = {0};

	(void)state;
	faults(garbage);
	must(update(schema, &save, 1, &kept, &err), &err);
	assert_int_equal(save.result, 0);
	save.unmodified_since_ms = 0;
	faults(garbage);
	assert_int_equal(update(schema, &save, 1, &kept, &err), -EPROTO);
	assert_string_equal(err.code, "MAYBE_SENT");
	end();
}

/* The reply is lost, and the second try is turned down for good: it may have happened all the same. */
static void test_update__may_have_happened_before_the_log_in_ended(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save save = save_of(&ids[0], SITE("lost"), base_ms[0]);
	struct error err = {0};

	(void)state;
	practice_do(&org.practice, "token",
		"{\"fail\":{\"error\":\"invalid_grant\",\"times\":100,\"error_description\":"
		"\"expired access/refresh token\"}}");
	faults("[" RESET_AFTER ",{\"do\":\"expire\",\"match\":{\"kind\":\"composite\"}}]");
	assert_int_equal(update(schema, &save, 1, &kept, &err), -EACCES);
	assert_int_equal(done_by("PATCH", 204), 1);
	assert_string_equal(err.code, "MAYBE_SENT");
	assert_string_equal(save.err.code, "MAYBE_SENT");
	assert_non_null(strstr(err.text, "forcefs login"));
	end();
}

/* ---- trouble of the whole call ---- */

struct trouble {
	const char *fault;
	bool condition;
	int result;       /* of the save */
	const char *code; /* "" for none */
	int patches;      /* carried out */
};

static void check_trouble(const struct schema *schema, const struct trouble *t, size_t i)
{
	struct remote_save save = save_of(&ids[i], SITE("t"), t->condition ? base_ms[i] : 0);
	struct error err = {0};
	int r;

	practice_reset(&org.practice);
	faults(t->fault);
	r = update(schema, &save, 1, &kept, &err);
	if (save.result != t->result || r != t->result || strcmp(save.err.code, t->code) != 0 ||
		done_by("PATCH", 204) != t->patches) {
		fail_msg("%s, %d: %d %d %s %s", t->fault, t->condition, r, save.result,
			save.err.code, save.err.text);
	}
}

static void test_update__is_sent_again_only_where_it_did_not_happen(void **state)
{
#define STATUS(n) "[{\"do\":\"status\",\"status\":" n ",\"match\":{\"kind\":\"composite\"}}]"
#define EMPTY(n)                                                                                   \
	"[{\"do\":\"status\",\"status\":" n ",\"body\":\"\",\"match\":{\"kind\":\"composite\"}}]"
#define ERROR(n, code)                                                                             \
	"[{\"do\":\"error\",\"status\":" n ",\"errorCode\":\"" code                                \
	"\",\"match\":{\"kind\":\"composite\"}}]"
#define DO(what) "[{\"do\":\"" what "\",\"match\":{\"kind\":\"composite\"}}]"
	static const struct trouble troubles[] = {
		{STATUS("503"), true, 0, "", 1},
		{STATUS("503"), false, 0, "", 1},
		{EMPTY("503"), true, 0, "", 1},
		{EMPTY("503"), false, -EIO, "MAYBE_SENT", 0},
		{EMPTY("502"), false, -EIO, "MAYBE_SENT", 0},
		{EMPTY("504"), false, -EIO, "MAYBE_SENT", 0},
		{DO("html"), true, 0, "", 1},
		{DO("html"), false, -EIO, "MAYBE_SENT", 0},
		{"[{\"do\":\"html\",\"status\":200,\"match\":{\"kind\":\"composite\"}}]", false,
			-EIO, "MAYBE_SENT", 0},
		{"[{\"do\":\"html\",\"status\":200,\"match\":{\"kind\":\"composite\"}}]", true, 0,
			"", 1},
		{ERROR("500", "UNKNOWN_EXCEPTION"), true, 0, "", 1},
		{ERROR("500", "UNKNOWN_EXCEPTION"), false, -EIO, "MAYBE_SENT", 0},
		{ERROR("400", "JSON_PARSER_ERROR"), false, -EINVAL, "JSON_PARSER_ERROR", 0},
		{ERROR("400", "JSON_PARSER_ERROR"), true, -EINVAL, "JSON_PARSER_ERROR", 0},
		/* The page may stand in the place of an answer. */
		{"[{\"do\":\"html\",\"status\":200,\"match\":{\"kind\":\"composite\"}},"
		 "{\"do\":\"error\",\"status\":403,\"errorCode\":\"INSUFFICIENT_ACCESS\","
		 "\"match\":{\"kind\":\"composite\"}}]",
			true, -EACCES, "MAYBE_SENT", 0},
		{DO("retry_after"), true, 0, "", 1},
		{DO("retry_after"), false, 0, "", 1},
		{DO("concurrent"), false, 0, "", 1},
		{DO("expire"), true, 0, "", 1},
		{DO("expire"), false, 0, "", 1},
		{DO("reset"), true, 0, "", 1},
		{DO("reset"), false, -EHOSTUNREACH, "MAYBE_SENT", 0},
		{DO("quota"), false, -EDQUOT, "REQUEST_LIMIT_EXCEEDED", 0},
	};
	AUTO(schema) struct schema *schema = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++) {
		check_trouble(schema, &troubles[i], i);
	}
	end();
}

static void test_update__keeps_to_the_reserve(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct remote_save save = save_of(&ids[0], SITE("r"), base_ms[0]);
	struct error err = {0};

	(void)state;
	org.config.api_reserve_percent = 10;
	sf_org_reopen(&org);
	practice_do(&org.practice, "quota", "{\"used\":95000,\"max\":100000}");
	look(schema, ids, 1, &kept);
	practice_reset(&org.practice);
	assert_int_equal(update(schema, &save, 1, &kept, &err), -EDQUOT);
	assert_int_equal(save.result, -EDQUOT);
	assert_int_equal(practice_counted(&org.practice), 0);
	end();
}

static void test_update__sends_nothing_that_is_no_object(void **state)
{
	static const char *const texts[] = {
		"", "[]", "1", "{", "{}}", "{} ,{\"method\":\"DELETE\"}"};
	AUTO(schema) struct schema *schema = begin();

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct remote_save save = save_of(&ids[0], texts[i], 0);
		struct error err = {0};

		assert_int_equal(update(schema, &save, 1, &kept, &err), -EINVAL);
		assert_int_equal(save.result, -EINVAL);
	}
	assert_int_equal(practice_counted(&org.practice), 0);
	end();
}

static void test_update__finds_the_version_that_the_org_has(void **state)
{
	static const char *const texts[] = {SITE("v"), SITE("@{v}")};
	AUTO(schema) struct schema *schema = begin();

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct remote_save save = save_of(&ids[i], texts[i], 0);
		struct error err = {0};

		sf_org_pretend_version(&org, "66.0");
		practice_reset(&org.practice);
		faults("[{\"do\":\"error\",\"match\":{\"path\":\"v66.0\"},\"status\":410,"
		       "\"errorCode\":\"GONE\",\"message\":\"retired\",\"times\":-1}]");
		must(update(schema, &save, 1, &kept, &err), &err);
		must(save.result, &save.err);
		assert_true(save.read_back);
		assert_int_equal(practice_calls(&org.practice, "versions"), 1);
		assert_int_equal(done_by("PATCH", 204), 1);
		faults("[]");
		sf_org_pretend_version(&org, "67.0");
	}
	end();
}

/* ---- threads ---- */

#define THREADS 6

struct worker {
	pthread_t thread;
	const struct schema *schema;
	size_t first;
	int failures;
};

static int ignore_record(void *payload, const char *json, size_t len, struct error *err)
{
	(void)payload, (void)json, (void)len, (void)err;
	return 0;
}

static void *work(void *arg)
{
	struct worker *w = arg;
	const struct remote_sink sink = {.record = ignore_record};

	for (size_t i = w->first; i < w->first + 4; i++) {
		struct remote_save save = save_of(&ids[i], SITE("many"), base_ms[i]);
		struct until until = sf_org_until(20000);
		struct error err;
		int r = org.remote->update(org.sf, w->schema, &save, 1, &sink, &until, &err);

		w->failures += r < 0 || save.result < 0;
	}
	return NULL;
}

static void test_update__works_from_many_threads(void **state)
{
	AUTO(schema) struct schema *schema = begin();
	struct worker workers[THREADS];

	(void)state;
	practice_do(&org.practice, "expire-sessions", "{}");
	for (size_t i = 0; i < THREADS; i++) {
		workers[i] = (struct worker){.schema = schema, .first = 4 * i};
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		assert_int_equal(workers[i].failures, 0);
	}
	assert_int_equal(done_by("PATCH", 204), 24);
	end();
}

int main(void)
{
#define WITH_ORG(f) cmocka_unit_test_setup_teardown(f, write_org_start, write_org_stop)
	const struct CMUnitTest tests[] = {
		WITH_ORG(test_update__sends_one_patch_and_brings_the_record),
		WITH_ORG(test_update__saves_24_records_in_one_call),
		WITH_ORG(test_update__keeps_numbers_texts_and_nulls_as_given),
		WITH_ORG(test_update__saves_a_text_that_looks_like_a_reference),
		WITH_ORG(test_update__reads_by_query_where_it_must),
		WITH_ORG(test_update__does_without_composites),
		WITH_ORG(test_update__goes_in_halves_where_it_is_too_much),
		WITH_ORG(test_update__judges_each_save_by_itself),
		WITH_ORG(test_update__tells_a_locked_row),
		WITH_ORG(test_update__reads_in_a_call_of_its_own_if_the_part_fails),
		WITH_ORG(test_update__is_done_even_if_nothing_can_be_read),
		WITH_ORG(test_update__is_done_even_if_the_sink_wants_no_more),
		WITH_ORG(test_update__with_a_condition_survives_a_lost_reply),
		WITH_ORG(test_update__without_a_condition_is_sent_once),
		WITH_ORG(test_update__alone_without_a_condition_is_sent_once),
		WITH_ORG(test_update__takes_a_garbled_answer_for_a_lost_one),
		WITH_ORG(test_update__may_have_happened_before_the_log_in_ended),
		WITH_ORG(test_update__is_sent_again_only_where_it_did_not_happen),
		WITH_ORG(test_update__keeps_to_the_reserve),
		WITH_ORG(test_update__sends_nothing_that_is_no_object),
		WITH_ORG(test_update__finds_the_version_that_the_org_has),
		WITH_ORG(test_update__works_from_many_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
