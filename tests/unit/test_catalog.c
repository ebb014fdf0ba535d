/* SPDX-License-Identifier: MIT */
/* The list of objects: hand-made ones and recorded ones. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forcefs/model/catalog.h"
#include "recorded.h"

static int parse(const char *json, struct catalog **ret, struct error *err)
{
	return catalog_parse(json, strlen(json), ret, err);
}

static void test_catalog_parse__reads_and_sorts(void **state)
{
	(void)state;
	AUTO(catalog) struct catalog *c = NULL;

	assert_int_equal(
		parse("{\"encoding\":\"UTF-8\",\"maxBatchSize\":200,\"sobjects\":["
		      "{\"name\":\"Zebra__c\",\"label\":\"Z\\u00e9bra\",\"keyPrefix\":\"a00\","
		      "\"queryable\":true,\"createable\":true,\"urls\":{\"sobject\":\"/x\"}},"
		      "{\"name\":\"account\",\"label\":null,\"keyPrefix\":null},"
		      "{\"name\":\"Account\",\"label\":\"Account\",\"keyPrefix\":\"001\","
		      "\"queryable\":true,\"retrieveable\":true,\"replicateable\":true,"
		      "\"updateable\":true,\"deletable\":true},"
		      "{\"name\":\"Account\",\"label\":\"again\"},"
		      "{\"name\":\"B\",\"keyPrefix\":\"0123\",\"queryable\":\"true\"}]}",
			&c, NULL),
		0);
	assert_int_equal(c->count, 4);
	assert_string_equal(c->entries[0].name, "Account");
	assert_string_equal(c->entries[0].key_prefix, "001");
	assert_true(c->entries[0].queryable && c->entries[0].retrieveable &&
		    c->entries[0].replicateable && c->entries[0].updateable &&
		    c->entries[0].deletable);
	assert_false(c->entries[0].createable);
	assert_string_equal(c->entries[1].name, "account");
	assert_string_equal(c->entries[1].label, "account");
	assert_string_equal(c->entries[1].key_prefix, "");
	assert_string_equal(c->entries[2].key_prefix, "");
	assert_false(c->entries[2].queryable);
	assert_string_equal(c->entries[3].label, "Z\xc3\xa9"
						 "bra");
	assert_true(c->entries[3].createable);
}

static void test_catalog_parse__drops_names_that_cannot_be_directories(void **state)
{
	(void)state;
	static const char *const names[] = {"", ".", "..", ".forcefs", "a/b", "../etc", "a b", "1a",
		"_a", "a\\u0000b", "a'b", "a\\nb", "\\u00e9"};
	char json[4000] = "{\"sobjects\":[{\"label\":\"no name\"},{\"name\":null},{\"name\":7}";
	AUTO(catalog) struct catalog *c = NULL;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		snprintf(json + strlen(json), sizeof(json) - strlen(json), ",{\"name\":\"%s\"}",
			names[i]);
	}
	snprintf(json + strlen(json), sizeof(json) - strlen(json),
		",{\"name\":\"a%080d\"},{\"name\":\"Good__c\"}]}", 0);
	assert_int_equal(parse(json, &c, NULL), 0);
	assert_int_equal(c->count, 1);
	assert_string_equal(c->entries[0].name, "Good__c");
}

static void test_catalog_parse__refuses_other_replies(void **state)
{
	(void)state;
	static const char *const wrong[] = {"", "[]", "{}", "null", "<html>", "{\"sobjects\":{}}",
		"{\"sobjects\":null}", "{\"sobjects\":[1]}", "{\"sobjects\":[{]}",
		"{\"sobjects\":[{\"name\":\"A\"}", "{\"sobjects\":[{\"name\":\"A\"}]",
		"{\"sobjects\":[{\"name\":\"A\",\"name\":\"B\"}]}",
		"[{\"message\":\"Session expired\",\"errorCode\":\"INVALID_SESSION_ID\"}]"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct catalog *c = NULL;
		struct error err = {0};

		assert_int_equal(parse(wrong[i], &c, &err), -EPROTO);
		assert_null(c);
		assert_int_equal(err.errnum, EPROTO);
		assert_true(strlen(err.text) > 20);
	}
}

static void test_catalog_parse__an_empty_list_is_a_list(void **state)
{
	(void)state;
	AUTO(catalog) struct catalog *c = NULL;

	assert_int_equal(parse("{\"sobjects\":[]}", &c, NULL), 0);
	assert_int_equal(c->count, 0);
	assert_null(catalog_find(c, "Account"));
	assert_null(catalog_find_any_case(c, "Account"));
	catalog_free(NULL);
}

static void test_catalog_find__exact_or_any_case(void **state)
{
	(void)state;
	AUTO(catalog) struct catalog *c = NULL;

	assert_int_equal(parse("{\"sobjects\":[{\"name\":\"Lead\"},{\"name\":\"Account\"},"
			       "{\"name\":\"account\"},{\"name\":\"Zoo__c\"}]}",
				 &c, NULL),
		0);
	assert_string_equal(catalog_find(c, "Lead")->name, "Lead");
	assert_string_equal(catalog_find(c, "account")->name, "account");
	assert_string_equal(catalog_find(c, "Account")->name, "Account");
	assert_null(catalog_find(c, "lead"));
	assert_null(catalog_find(c, "LEAD"));
	assert_null(catalog_find(c, "Lea"));
	assert_null(catalog_find(c, "Leads"));
	assert_null(catalog_find(c, ""));
	assert_null(catalog_find(c, "zz"));
	assert_string_equal(catalog_find_any_case(c, "LEAD")->name, "Lead");
	assert_string_equal(catalog_find_any_case(c, "account")->name, "account");
	assert_string_equal(catalog_find_any_case(c, "zoo__C")->name, "Zoo__c");
	assert_null(catalog_find_any_case(c, "zoo"));
}

static void test_catalog_name_matches__table(void **state)
{
	(void)state;
	static const struct {
		const char *list, *name;
		bool fits;
	} table[] = {
		{"Account", "Account", true},
		{"account", "Account", true},
		{"Account", "Accounts", false},
		{"Account, *__c", "Invoice__c", true},
		{"Account,*__c", "Contact", false},
		{"  Account\t,\n Contact ", "contact", true},
		{"*History, *Share, *Feed", "AccountHistory", true},
		{"*History, *Share, *Feed", "History", true},
		{"?ead", "Lead", true},
		{"?ead", "ead", false},
		{"*", "x", true},
		{"a*b*c", "aXXbYYc", true},
		{",,", "x", true},
		{",x,", "y", false},
		{"\\*", "x", false},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		assert_int_equal(
			catalog_name_matches(table[i].list, table[i].name, true), table[i].fits);
	}
	assert_true(catalog_name_matches(NULL, "x", true));
	assert_false(catalog_name_matches(NULL, "x", false));
	assert_false(catalog_name_matches("", "x", false));
	assert_false(catalog_name_matches(" , ", "x", false));
	char *big = calloc(1, 1000);
	memset(big, '*', 999);
	assert_false(catalog_name_matches(big, "x", true));
	free(big);
}

static void test_catalog_parse__recorded(void **state)
{
	(void)state;
	static const struct {
		const char *file;
		size_t count;
	} table[] = {
		{"describe-global/nango-v59-developer-org.json", 1294},
		{"describe-global/openfn-globals.json", 0},
		{"describe-global/cumulusci-global.json", 0},
		{"describe-global/restforce-describe-sobjects.json", 1},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		AUTO(catalog) struct catalog *c = NULL;
		size_t len;
		AUTO_FREE char *json = recorded(table[i].file, &len);

		if (!json) {
			skip();
		}
		assert_int_equal(catalog_parse(json, len, &c, NULL), 0);
		assert_true(table[i].count ? c->count == table[i].count : c->count > 10);
		for (size_t k = 0; k < c->count; k++) {
			assert_ptr_equal(catalog_find(c, c->entries[k].name), &c->entries[k]);
			assert_true(k == 0 ||
				    strcasecmp(c->entries[k - 1].name, c->entries[k].name) < 0);
		}
		const struct catalog_entry *account = catalog_find(c, "Account");
		assert_true(c->count == 1 || (account && account->queryable &&
						     strcmp(account->key_prefix, "001") == 0));
	}
}

static void test_catalog_parse__recorded_other_replies(void **state)
{
	(void)state;
	static const char *const files[] = {"describe-global/netcoreforce-versions.json",
		"describe-global/restforce-db-2015-resources.json",
		"describe/restforce-describe-error.json", "describe/cumulusci-Case.json"};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct catalog *c = NULL;
		size_t len;
		AUTO_FREE char *json = recorded(files[i], &len);

		if (!json) {
			skip();
		}
		assert_int_equal(catalog_parse(json, len, &c, NULL), -EPROTO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_catalog_parse__reads_and_sorts),
		cmocka_unit_test(test_catalog_parse__drops_names_that_cannot_be_directories),
		cmocka_unit_test(test_catalog_parse__refuses_other_replies),
		cmocka_unit_test(test_catalog_parse__an_empty_list_is_a_list),
		cmocka_unit_test(test_catalog_find__exact_or_any_case),
		cmocka_unit_test(test_catalog_name_matches__table),
		cmocka_unit_test(test_catalog_parse__recorded),
		cmocka_unit_test(test_catalog_parse__recorded_other_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
