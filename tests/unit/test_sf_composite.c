/* SPDX-License-Identifier: MIT */
/* Composite requests and their answers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "forcefs/base/paths.h"
#include "sf_priv.h"

static void two_parts(struct composite *c)
{
	struct part *p = composite_add(c, "describe", "/services/data/v62.0/sobjects/A/describe");

	p->if_modified = "Wed, 01 Jul 2026 10:00:00 GMT";
	p = composite_add(c, "changed", "/services/data/v62.0/query?q=SELECT%20Id%20FROM%20A");
	p->batch_size = 500;
}

static void test_composite_build__writes_the_parts(void **state)
{
	AUTO(composite) struct composite c = {0};
	AUTO(buf) struct buf b;

	(void)state;
	buf_init(&b, 4096);
	two_parts(&c);
	assert_int_equal(composite_build(&c, &b), 0);
	assert_string_equal(buf_str(&b),
		"{\"allOrNone\":false,\"collateSubrequests\":false,\"compositeRequest\":["
		"{\"method\":\"GET\",\"url\":\"/services/data/v62.0/sobjects/A/describe\","
		"\"referenceId\":\"describe\",\"httpHeaders\":{\"If-Modified-Since\":"
		"\"Wed, 01 Jul 2026 10:00:00 GMT\"}},"
		"{\"method\":\"GET\",\"url\":\"/services/data/v62.0/"
		"query?q=SELECT%20Id%20FROM%20A\","
		"\"referenceId\":\"changed\",\"httpHeaders\":{\"Sforce-Query-Options\":"
		"\"batchSize=500\"}}]}");
}

static void test_composite_build__writes_a_save_as_it_is(void **state)
{
	static const char json[] = "{\"A\":1.0E7,\"B\":\"x\"}";
	AUTO(composite) struct composite c = {0};
	AUTO(buf) struct buf b;
	struct part *p = composite_add(&c, "s0", "/services/data/v62.0/sobjects/A/001");

	(void)state;
	p->method = "PATCH";
	p->write = true;
	p->send = (struct json_slice){json, sizeof(json) - 1};
	p->unmodified_since_ms = 1782900000999;
	buf_init(&b, 4096);
	assert_int_equal(composite_build(&c, &b), 0);
	assert_string_equal(buf_str(&b),
		"{\"allOrNone\":false,\"collateSubrequests\":false,\"compositeRequest\":["
		"{\"method\":\"PATCH\",\"url\":\"/services/data/v62.0/sobjects/A/001\","
		"\"referenceId\":\"s0\",\"httpHeaders\":{\"If-Unmodified-Since\":"
		"\"Wed, 01 Jul 2026 10:00:00 GMT\",\"Sforce-Auto-Assign\":\"FALSE\"},"
		"\"body\":{\"A\":1.0E7,\"B\":\"x\"}}]}");
}

static void test_composite_build__keeps_to_the_limit(void **state)
{
	AUTO(composite) struct composite c = {0};
	AUTO(buf) struct buf b;

	(void)state;
	buf_init(&b, 100);
	two_parts(&c);
	assert_int_equal(composite_build(&c, &b), -EFBIG);
}

static void test_composite_parse__fits_answers_to_parts(void **state)
{
	static const char text[] =
		"{\"compositeResponse\":["
		"{\"body\":{\"done\":true,\"records\":[]},\"httpHeaders\":{},\"httpStatusCode\":"
		"200,"
		"\"referenceId\":\"changed\"},"
		"{\"httpStatusCode\":304,\"referenceId\":\"describe\",\"httpHeaders\":{\"ETag\":"
		"\"\\\"x\\\"\","
		"\"Last-Modified\":\"Wed, 01 Jul 2026 10:00:00 GMT\"},\"body\":null}]}";
	AUTO(composite) struct composite c = {0};

	(void)state;
	two_parts(&c);
	assert_int_equal(composite_parse(&c, text, sizeof(text) - 1, NULL), 0);
	assert_int_equal(c.part[0].status, 304);
	assert_string_equal(c.part[0].last_modified, "Wed, 01 Jul 2026 10:00:00 GMT");
	assert_int_equal(part_judge(NULL, &c.part[0], NULL), 0);
	assert_int_equal(c.part[1].status, 200);
	assert_memory_equal(c.part[1].body.text, "{\"done\"", 7);
}

static void test_part_judge__decodes_a_part(void **state)
{
	static const char text[] =
		"{\"compositeResponse\":["
		"{\"body\":[{\"message\":\"no such column\",\"errorCode\":\"INVALID_FIELD\"}],"
		"\"httpHeaders\":{},\"httpStatusCode\":400,\"referenceId\":\"changed\"},"
		"{\"body\":[{\"errorCode\":\"NOT_FOUND\",\"message\":\"gone\"}],\"httpStatusCode\":"
		"404,"
		"\"referenceId\":\"describe\"}]}";
	AUTO(composite) struct composite c = {0};
	struct error err = {0};

	(void)state;
	two_parts(&c);
	assert_int_equal(composite_parse(&c, text, sizeof(text) - 1, NULL), 0);
	assert_int_equal(part_judge(NULL, &c.part[0], &err), -ENOENT);
	assert_int_equal(part_judge(NULL, &c.part[1], &err), -EINVAL);
	assert_string_equal(err.code, "INVALID_FIELD");
	assert_int_equal(err.http_status, 400);
}

static void test_composite_parse__refuses_what_does_not_fit(void **state)
{
#define ONE(ref, status)                                                                           \
	"{\"body\":null,\"httpHeaders\":{},\"httpStatusCode\":" status ",\"referenceId\":" ref "}"
	static const char *const texts[] = {
		"",
		"[]",
		"{}",
		"{\"compositeResponse\":null}",
		"{\"compositeResponse\":[]}",
		"{\"compositeResponse\":[1,2]}",
		"{\"compositeResponse\":[" ONE("\"describe\"", "200") "]}",
		"{\"compositeResponse\":[" ONE("\"describe\"", "200") "," ONE(
			"\"other\"", "200") "]}",
		"{\"compositeResponse\":[" ONE("\"describe\"", "200") "," ONE(
			"\"describe\"", "200") "]}",
		"{\"compositeResponse\":[" ONE("\"describe\"", "200") "," ONE(
			"\"changed\"", "\"x\"") "]}",
		"{\"compositeResponse\":[" ONE("\"describe\"", "200") "," ONE("null", "200") "]}",
		"{\"compositeResponse\":[" ONE("\"describe\"", "200") "," ONE(
			"\"changed\"", "0") "]}",
		"{\"compositeResponse\":[" ONE("\"describe\"", "200") "," ONE("\"changed\"", "200"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		AUTO(composite) struct composite c = {0};
		struct error err = {0};

		two_parts(&c);
		if (composite_parse(&c, texts[i], strlen(texts[i]), &err) != -EPROTO) {
			fail_msg("accepted: %s", texts[i]);
		}
		assert_int_equal(err.errnum, EPROTO);
	}
}

static void test_composite_parse__reads_a_recorded_answer(void **state)
{
	AUTO_FREE char *text = NULL;
	AUTO(composite) struct composite c = {0};
	struct error err = {0};
	size_t len;

	(void)state;
	if (access(RECORDED_DIR "/composite", R_OK) < 0) {
		skip();
	}
	assert_int_equal(
		paths_read_file(RECORDED_DIR "/composite/cumulusci-composite-count-errors.json",
			1 << 20, &text, &len, NULL),
		0);
	composite_add(&c, "refAccount", "/services/data/v62.0/query?q=x");
	composite_add(&c, "refXYZZY", "/services/data/v62.0/query?q=y");
	assert_int_equal(composite_parse(&c, text, len, NULL), 0);
	assert_int_equal(part_judge(NULL, &c.part[0], NULL), 0);
	assert_int_equal(part_judge(NULL, &c.part[1], &err), -ENOENT);
	assert_string_equal(err.code, "INVALID_TYPE");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_composite_build__writes_the_parts),
		cmocka_unit_test(test_composite_build__writes_a_save_as_it_is),
		cmocka_unit_test(test_composite_build__keeps_to_the_limit),
		cmocka_unit_test(test_composite_parse__fits_answers_to_parts),
		cmocka_unit_test(test_part_judge__decodes_a_part),
		cmocka_unit_test(test_composite_parse__refuses_what_does_not_fit),
		cmocka_unit_test(test_composite_parse__reads_a_recorded_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
