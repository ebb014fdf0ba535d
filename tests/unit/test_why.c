/* SPDX-License-Identifier: MIT */
/* Which line of errors.ndjson answers. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "why.h"

static const char journal[] =
	"{\"path\": \"Account/001Ab00000C1dEfIAJ.json\", \"text\": \"first\"}\n"
	"{\"path\": \"Account/001Ab00000C1dEfIAJ.json\", \"text\": \"second\"}\n"
	"not json\n"
	"{\"path\": \"Contact\", \"text\": \"dir\"}\n"
	"{\"path\": \"ContactX/y\", \"text\": \"neighbour\"}\n"
	"{\"text\": \"no path\"}\n"
	"{\"path\": \"/Lead/00Q\", \"text\": \"last\"}";

static void test_why__finds_the_last_entry(void **state)
{
	static const struct {
		const char *path, *text; /* NULL: none */
	} cases[] = {
		{"Account/001Ab00000C1dEfIAJ.json", "second"},
		{"Account/001Ab00000C1dEf.json", "second"},
		{"Account", "second"},
		{"Contact", "dir"},
		{"ContactX", "neighbour"},
		{"Lead/00Q", "last"},
		{"", "last"},
		{"Acc", NULL},
		{"Contact/003", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *entry = why_find(journal, sizeof(journal) - 1, cases[i].path);
		if (cases[i].text) {
			assert_non_null(entry);
			assert_string_equal(
				json_string_value(json_object_get(entry, "text")), cases[i].text);
		} else {
			assert_null(entry);
		}
		json_decref(entry);
	}
	assert_null(why_find("", 0, ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_why__finds_the_last_entry)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
