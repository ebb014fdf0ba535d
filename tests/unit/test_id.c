/* SPDX-License-Identifier: MIT */
/* Ids: the checksum, its mending, what is refused. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <ctype.h>
#include <string.h>

#include "forcefs/model/id.h"

/* As real orgs gave them, of many objects. */
static const char *const samples[] = {
	"001dM00003jU9GxQAK",
	"001i000002C8QTIAA3",
	"0014C00000f5YSFQA2",
	"0015g00000FK3xQAAT",
	"001xx000003DGb2AAG",
	"003xx000004TmiQAAS",
	"005xx000001Sv6AAAS",
	"00Dxx0000001gEREAY",
	"006xx000001a2cBAAQ",
	"a00xx000000bzKdAAI",
};

static bool checks(const char *s)
{
	struct id id;

	return id_parse(s, strlen(s), &id);
}

static void test_id_parse__gives_the_checksum_of_samples(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		struct id from15, from18;

		assert_true(id_parse(samples[i], 15, &from15));
		assert_true(id_parse(samples[i], 18, &from18));
		assert_string_equal(from15.text, samples[i]);
		assert_string_equal(from18.text, samples[i]);
	}
}

static void test_id_is_empty__only_the_one_of_nothing(void **state)
{
	struct id id;

	(void)state;
	assert_true(id_parse("000000000000000", 15, &id));
	assert_true(id_is_empty(&id));
	assert_true(id_parse("012000000000000AAA", 18, &id)); /* the master record type */
	assert_false(id_is_empty(&id));
}

static void fold(const char *s, char *folded, int (*to)(int), size_t from, size_t upto)
{
	strcpy(folded, s);
	for (size_t k = from; k < upto; k++) {
		folded[k] = (char)to((unsigned char)folded[k]);
	}
}

static void test_id_parse__mends_folded_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		char folded[19];
		struct id id;

		fold(samples[i], folded, tolower, 0, 18);
		assert_true(id_parse(folded, 18, &id));
		assert_string_equal(id.text, samples[i]);
		fold(samples[i], folded, toupper, 0, 18);
		assert_true(id_parse(folded, 18, &id));
		assert_string_equal(id.text, samples[i]);
		fold(samples[i], folded, tolower, 15, 18);
		assert_true(id_parse(folded, 18, &id));
		assert_string_equal(id.text, samples[i]);
	}
}

static void test_id_parse__refuses_what_is_no_id(void **state)
{
	(void)state;
	static const char *const wrong[] = {
		"",
		"001",
		"001dM00003jU9G",      /* 14 */
		"001dM00003jU9GxQ",    /* 16 */
		"001dM00003jU9GxQA",   /* 17 */
		"001dM00003jU9GxQAKA", /* 19 */
		"001dM00003jU9GxQAL",  /* another checksum */
		"001dm00003jU9GxQAK",  /* one letter of another case */
		"001dm00003ju9gx666",  /* folded, but no checksum letter */
		"001dm00003ju9gxaba",  /* folded, and the checksum wants a capital digit */
		"001dM00003jU9G/",
		"001dM00003jU9G ",
		"001dM00003jU9G\xc3",
		"001dM00003jU9GxQA-",
		"backgroundImage.xs",
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		assert_false(checks(wrong[i]));
	}
	struct id id = {"untouched"};
	assert_false(id_parse("001dM00003j\0"
			      "9Gx",
		15, &id));
	assert_string_equal(id.text, "untouched");
}

/* Whatever single character is mistyped in a mixed-case Id, it is not taken for the same one. */
static void test_id_parse__one_wrong_case_never_passes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++) {
		for (size_t k = 0; k < 15; k++) {
			char text[19];
			struct id id;

			strcpy(text, samples[i]);
			text[k] = (char)(isupper((unsigned char)text[k])
						 ? tolower((unsigned char)text[k])
						 : toupper((unsigned char)text[k]));
			if (text[k] != samples[i][k] && id_parse(text, 18, &id)) {
				assert_string_equal(id.text, samples[i]); /* mended */
			}
		}
	}
}

static void test_id_has_prefix(void **state)
{
	(void)state;
	struct id id;

	assert_true(id_parse("001dM00003jU9GxQAK", 18, &id));
	assert_true(id_has_prefix(&id, "001"));
	assert_true(id_has_prefix(&id, ""));
	assert_false(id_has_prefix(&id, "003"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_id_parse__gives_the_checksum_of_samples),
		cmocka_unit_test(test_id_is_empty__only_the_one_of_nothing),
		cmocka_unit_test(test_id_parse__mends_folded_case),
		cmocka_unit_test(test_id_parse__refuses_what_is_no_id),
		cmocka_unit_test(test_id_parse__one_wrong_case_never_passes),
		cmocka_unit_test(test_id_has_prefix),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
