/* SPDX-License-Identifier: MIT */
/* Paths as words of a shell. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "quoted.h"

static void test_quoted__is_one_word(void **state)
{
	static const struct {
		const char *text, *word;
	} cases[] = {
		{"/home/ann/acme", "/home/ann/acme"},
		{"/home/änn/a.b-c_d", "/home/änn/a.b-c_d"},
		{"", "''"},
		{"-f", "'-f'"},
		{"~", "'~'"},
		{"/sp ace", "'/sp ace'"},
		{"/$(reboot)", "'/$(reboot)'"},
		{"/it's", "'/it'\\''s'"},
		{"/back\\slash", "'/back\\slash'"},
		{"/a\nb", "$'/a\\012b'"},
		{"/it's\\\n", "$'/it\\'s\\\\\\012'"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char space[QUOTED_MAX];
		assert_string_equal(quoted(cases[i].text, space), cases[i].word);
	}
}

static void test_quoted__is_left_alone_when_too_long(void **state)
{
	char text[QUOTED_MAX], space[QUOTED_MAX];
	(void)state;
	memset(text, '\'', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_ptr_equal(quoted(text, space), text);
	text[(QUOTED_MAX - 4) / 4] = '\0';
	assert_int_equal(strlen(quoted(text, space)), QUOTED_MAX - 4 + 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quoted__is_one_word),
		cmocka_unit_test(test_quoted__is_left_alone_when_too_long),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
