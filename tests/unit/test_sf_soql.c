/* SPDX-License-Identifier: MIT */
/* SOQL text: names are checked, values are escaped. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "sf_priv.h"

static void test_soql_add_literal__escapes(void **state)
{
	static const struct {
		const char *in;
		size_t len;
		const char *out;
	} rows[] = {
		{"Acme", 4, "'Acme'"},
		{"", 0, "''"},
		{"O'Neill", 7, "'O\\'Neill'"},
		{"a\\' OR Name != '", 16, "'a\\\\\\' OR Name != \\''"},
		{"\"", 1, "'\\\"'"},
		{"\n\r\t\b\f", 5, "'\\n\\r\\t\\b\\f'"},
		{"a\0b", 3, "'a\\u0000b'"},
		{"\x7f\x1b", 2, "'\\u007F\\u001B'"},
		{"caf\xc3\xa9", 5, "'caf\xc3\xa9'"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(buf) struct buf b;

		buf_init(&b, 1000);
		assert_int_equal(soql_add_literal(&b, rows[i].in, rows[i].len), 0);
		assert_string_equal(buf_str(&b), rows[i].out);
	}
}

static void test_soql_name_ok__lets_only_names_pass(void **state)
{
	char longer[300];

	(void)state;
	assert_true(soql_name_ok("Account"));
	assert_true(soql_name_ok("ns__My_Object__c"));
	assert_false(soql_name_ok(""));
	assert_false(soql_name_ok("Account WHERE"));
	assert_false(soql_name_ok("Account'"));
	assert_false(soql_name_ok("../x"));
	assert_false(soql_name_ok("a,b"));
	assert_false(soql_name_ok("caf\xc3\xa9"));
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_false(soql_name_ok(longer));
}

static void test_soql_select__names_every_field(void **state)
{
	struct field fields[] = {{.name = (char *)"Id"}, {.name = (char *)"Name"}};
	struct schema schema = {.object = (char *)"Account", .fields = fields, .field_count = 2};
	struct id ids[2] = {{"001000000000001AAA"}, {"001000000000002AAA"}};
	AUTO(buf) struct buf b;

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(soql_select(&schema, &b, NULL), 0);
	assert_string_equal(buf_str(&b), "SELECT Id,Name FROM Account");
	soql_add_since(&b, "SystemModstamp", 1782900671123);
	assert_non_null(strstr(buf_str(&b), " WHERE SystemModstamp >= 2026-07-01T10:11:11"));
	buf_clear(&b);
	soql_add_ids(&b, ids, 2);
	assert_string_equal(
		buf_str(&b), " WHERE Id IN ('001000000000001AAA','001000000000002AAA')");
}

static void test_soql_select__refuses_strange_names(void **state)
{
	struct field fields[] = {{.name = (char *)"Id"}, {.name = (char *)"Name FROM User --"}};
	struct schema schema = {.object = (char *)"Account", .fields = fields, .field_count = 2};
	AUTO(buf) struct buf b;
	struct error err = {0};

	(void)state;
	buf_init(&b, 1000);
	assert_int_equal(soql_select(&schema, &b, &err), -EPROTO);
	buf_clear(&b);
	schema.field_count = 0;
	assert_int_equal(soql_select(&schema, &b, &err), -EPERM);
	schema.field_count = 1;
	buf_release(&b);
	buf_init(&b, 12);
	assert_int_equal(soql_select(&schema, &b, &err), -EFBIG);
}

static void test_soql_path__encodes_the_query(void **state)
{
	AUTO(buf) struct buf soql;
	AUTO(buf) struct buf path;

	(void)state;
	buf_init(&soql, 1000);
	buf_init(&path, 1000);
	buf_add_str(&soql, "SELECT Id FROM X WHERE A = 'b+c&d'");
	assert_int_equal(soql_path("/services/data/v64.0", "query", &soql, &path, NULL), 0);
	assert_null(strpbrk(buf_str(&path), " +&'"));
	assert_non_null(strstr(buf_str(&path), "/services/data/v64.0/query?q=SELECT%20Id"));
	assert_non_null(strstr(buf_str(&path), "b%2Bc%26d"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_soql_add_literal__escapes),
		cmocka_unit_test(test_soql_name_ok__lets_only_names_pass),
		cmocka_unit_test(test_soql_select__names_every_field),
		cmocka_unit_test(test_soql_select__refuses_strange_names),
		cmocka_unit_test(test_soql_path__encodes_the_query),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
