/* SPDX-License-Identifier: MIT */
/* File names of records. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "forcefs/model/names.h"

static void test_record_name_parse__table(void **state)
{
	(void)state;
	static const struct {
		const char *name, *prefix, *id; /* id NULL: refused */
	} table[] = {
		{"001dM00003jU9GxQAK.json", "001", "001dM00003jU9GxQAK"},
		{"001dM00003jU9GxQAK.json", "", "001dM00003jU9GxQAK"},
		{"001dM00003jU9Gx.json", "001", "001dM00003jU9GxQAK"},
		{"001dm00003ju9gxqak.json", "001", "001dM00003jU9GxQAK"},
		{"001dM00003jU9GxQAK.json", "003", NULL},
		{"001dM00003jU9GxQAL.json", "001", NULL},
		{"001dM00003jU9GxQAK", "001", NULL},
		{"001dM00003jU9GxQAK.JSON", "001", NULL},
		{"001dM00003jU9GxQAK.jso", "001", NULL},
		{"001dM00003jU9GxQAK.json~", "001", NULL},
		{"001dM00003jU9GxQAK.json.swp", "001", NULL},
		{".001dM00003jU9GxQAK.json.swp", "001", NULL},
		{"001dM00003jU9GxQAK xjson", "001", NULL},
		{".json", "001", NULL},
		{"", "", NULL},
		{"4913", "", NULL},
		{"Makefile", "", NULL},
		{".git", "", NULL},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct id id = {"untouched"};
		bool ok = record_name_parse(table[i].name, table[i].prefix, &id);

		assert_int_equal(ok, table[i].id != NULL);
		assert_string_equal(id.text, ok ? table[i].id : "untouched");
	}
}

static void test_record_name_write__leads_back(void **state)
{
	(void)state;
	char name[RECORD_NAME_LEN + 1];
	struct id id, back;

	assert_true(id_parse("001dM00003jU9Gx", 15, &id));
	memset(name, 'x', sizeof(name));
	record_name_write(&id, name);
	assert_string_equal(name, "001dM00003jU9GxQAK.json");
	assert_true(record_name_parse(name, "001", &back));
	assert_string_equal(back.text, id.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record_name_parse__table),
		cmocka_unit_test(test_record_name_write__leads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
