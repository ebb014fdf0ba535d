/* SPDX-License-Identifier: MIT */
/* Pages of a query: members in any order, garbage, cuts. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/paths.h"
#include "sf_priv.h"

struct heard {
	size_t records, bytes;
	int stop_at; /* the record whose callback fails; 0: none */
	char last[200];
};

static int hear(void *payload, const char *json, size_t len, struct error *err)
{
	struct heard *h = payload;

	h->records++;
	h->bytes += len;
	snprintf(h->last, sizeof(h->last), "%.*s", (int)len, json);
	if (h->stop_at && h->records == (size_t)h->stop_at) {
		return error_set(err, ENOSPC, "enough");
	}
	return 0;
}

static int read_page(const char *text, struct heard *h, struct remote_page *ret, struct error *err)
{
	struct remote_sink sink = {.record = hear, .payload = h};

	return page_read(text, strlen(text), &sink, ret, err);
}

#define NEXT "\"nextRecordsUrl\":\"/services/data/v62.0/query/0r8xx1-2000\""

static void test_page_read__finds_the_members_in_any_order(void **state)
{
	static const char *const texts[] = {
		"{\"totalSize\":7,\"done\":false," NEXT ",\"records\":[{\"Id\":1},{\"Id\":2}]}",
		"{\"records\":[{\"Id\":1},{\"Id\":2}],\"totalSize\":7,\"done\":false," NEXT "}",
		"{" NEXT
		",\"records\" : [ {\"Id\":1} , {\"Id\":2} ] ,\"done\" : false ,\"totalSize\":7}",
		"{\"x\":{\"records\":[{}]},\"totalSize\":7,\"records\":[{\"Id\":1},{\"Id\":2}]"
		"," NEXT ",\"done\":false}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		AUTO(remote_page) struct remote_page page = {0};
		struct heard h = {0};

		assert_int_equal(read_page(texts[i], &h, &page, NULL), 0);
		assert_int_equal(h.records, 2);
		assert_string_equal(h.last, "{\"Id\":2}");
		assert_int_equal(page.records, 2);
		assert_int_equal(page.total, 7);
		assert_string_equal(page.next, "/services/data/v62.0/query/0r8xx1-2000");
	}
}

static void test_page_read__ends_where_the_org_says(void **state)
{
	static const char *const texts[] = {
		"{\"totalSize\":0,\"done\":true,\"records\":[]}",
		"{\"records\":[]}",
		"{\"totalSize\":9,\"done\":true," NEXT ",\"records\":[]}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		AUTO(remote_page) struct remote_page page = {0};
		struct heard h = {0};

		assert_int_equal(read_page(texts[i], &h, &page, NULL), 0);
		assert_null(page.next);
		assert_int_equal(h.records, 0);
	}
}

static void test_page_read__reads_an_escaped_path(void **state)
{
	AUTO(remote_page) struct remote_page page = {0};
	struct heard h = {0};

	(void)state;
	assert_int_equal(
		read_page(
			"{\"done\":false,\"records\":[],"
			"\"nextRecordsUrl\":\"\\/services\\/data\\/v62.0\\/query\\/0r8-\\u0031\"}",
			&h, &page, NULL),
		0);
	assert_string_equal(page.next, "/services/data/v62.0/query/0r8-1");
}

static void test_page_read__refuses_garbage(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"null",
		"{}",
		"{\"totalSize\":1,\"done\":true}",
		"{\"done\":true,\"records\":null}",
		"{\"done\":true,\"records\":{}}",
		"{\"done\":true,\"records\":[1]}",
		"{\"done\":true,\"records\":[null]}",
		"{\"done\":true,\"records\":[[]]}",
		"{\"done\":true,\"records\":[{}],\"records\":[{}]}",
		"{\"done\":\"no\",\"records\":[]}",
		"{\"done\":false,\"records\":[]}",
		"{\"done\":false,\"records\":[],\"nextRecordsUrl\":null}",
		"{\"done\":false,\"records\":[],\"nextRecordsUrl\":\"\"}",
		"{\"done\":false,\"records\":[],\"nextRecordsUrl\":\"https://evil.example/query\"}",
		"{\"done\":false,\"records\":[],\"nextRecordsUrl\":\"//evil.example/services/data/"
		"v1/query\"}",
		"{\"done\":false,\"records\":[],\"nextRecordsUrl\":\"/services/data/v62.0/"
		"limits\"}",
		"{\"done\":false,\"records\":[],\"nextRecordsUrl\":\"/services/data/v62.0/query/a "
		"b\"}",
		"{\"done\":false,\"records\":[],\"nextRecordsUrl\":\"/services/data/v62.0/query/"
		"\\r\\nX: 1\"}",
		"{\"done\":false,\"records\":[],\"nextRecordsUrl\":\"/services/data/v62.0/../../"
		"query\"}",
		"{\"done\":true,\"records\":[{\"Id\":1}",
		"{\"done\":true,\"records\":[]} trailing",
		"<html>",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct remote_page page = {0};
		struct heard h = {0};
		struct error err = {0};

		if (read_page(texts[i], &h, &page, &err) != -EPROTO) {
			fail_msg("accepted: %s", texts[i]);
		}
		assert_int_equal(err.errnum, EPROTO);
		assert_null(page.next);
	}
}

static void test_page_read__fails_on_every_cut(void **state)
{
	static const char text[] = "{\"totalSize\":2,\"done\":false," NEXT
				   ",\"records\":[{\"Id\":\"a\",\"N\":\"\\\"}\"},{\"Id\":\"b\"}]}";

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		struct remote_page page = {0};
		struct heard h = {0};
		struct remote_sink sink = {.record = hear, .payload = &h};
		char *cut = malloc(n + 1); /* so that a read past the end is seen */

		assert_non_null(cut);
		memcpy(cut, text, n);
		assert_int_equal(page_read(cut, n, &sink, &page, NULL), -EPROTO);
		assert_null(page.next);
		assert_int_equal(h.records, 0);
		free(cut);
	}
}

static void test_page_read__stops_when_the_reader_does(void **state)
{
	struct remote_page page = {0};
	struct heard h = {.stop_at = 2};
	struct error err = {0};

	(void)state;
	assert_int_equal(
		read_page("{\"done\":true,\"records\":[{},{},{}]}", &h, &page, &err), -ENOSPC);
	assert_int_equal(h.records, 2);
	assert_string_equal(err.text, "enough");
}

static void test_page_read__reads_recorded_pages(void **state)
{
	static const struct {
		const char *file;
		size_t records;
		bool more;
	} rows[] = {
		{"applink-v51-random__c-page1.json", 2000, true},
		{"nango-v59-accounts-2086-page1.json", 2000, true},
		{"nango-v59-accounts-2086-page2.json", 86, false},
		{"nango-v59-empty.json", 0, false},
		{"nango-v60-queryAll.json", 5, false},
		{"openstax-v51-schools-1811.json", 1811, false},
		{"amp-v60-leads-address.json", 0, false},
	};

	(void)state;
	if (access(RECORDED_DIR "/query", R_OK) < 0) {
		skip();
	}
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO_FREE char *path = paths_join(RECORDED_DIR "/query", rows[i].file);
		AUTO_FREE char *text = NULL;
		AUTO(remote_page) struct remote_page page = {0};
		struct heard h = {0};
		struct remote_sink sink = {.record = hear, .payload = &h};
		struct error err = {0};
		size_t len;

		assert_int_equal(paths_read_file(path, 4 << 20, &text, &len, NULL), 0);
		if (page_read(text, len, &sink, &page, &err) < 0) {
			fail_msg("%s: %s", rows[i].file, err.text);
		}
		assert_true(h.records == rows[i].records || rows[i].records == 0);
		assert_int_equal(page.next != NULL, rows[i].more);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_page_read__finds_the_members_in_any_order),
		cmocka_unit_test(test_page_read__ends_where_the_org_says),
		cmocka_unit_test(test_page_read__reads_an_escaped_path),
		cmocka_unit_test(test_page_read__refuses_garbage),
		cmocka_unit_test(test_page_read__fails_on_every_cut),
		cmocka_unit_test(test_page_read__stops_when_the_reader_does),
		cmocka_unit_test(test_page_read__reads_recorded_pages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
