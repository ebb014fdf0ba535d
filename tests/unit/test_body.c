/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "forcefs/model/body.h"

static struct body_facts facts_of(const char *blob_field, const char *file)
{
	struct schema schema = {.blob_field = (char *)blob_field};
	struct body_facts facts;

	body_facts_read(&schema, file, strlen(file), &facts);
	return facts;
}

static void test_body__ending_of_the_files_own_name(void **state)
{
	(void)state;
	static const struct {
		const char *file, *ext;
	} rows[] = {
		{"{\"Name\": \"a.pdf\"}", "pdf"},
		{"{\"Name\": \"a.tar.gz\"}", "gz"},
		{"{\"Name\": \"Photo.JPG\"}", "JPG"},
		{"{\"Name\": \"a\"}", "bin"},
		{"{\"Name\": \"a.\"}", "bin"},
		{"{\"Name\": \".profile\"}", "bin"},
		{"{\"Name\": \"x/.y\"}", "bin"},
		{"{\"Name\": \"a.b c\"}", "bin"},
		{"{\"Name\": \"a.\\n\"}", "bin"},
		{"{\"Name\": \"a.t\\\"\"}", "bin"},
		{"{\"Name\": \"a.0123456789abcdef\"}", "0123456789abcdef"},
		{"{\"Name\": \"a.0123456789abcdefg\"}", "bin"},
		{"{\"Name\": \"a.json\"}", "bin"},
		{"{\"Name\": \"a.Json\"}", "bin"},
		{"{\"Name\": null}", "bin"},
		{"{\"Name\": 1.5}", "bin"},
		{"{}", "bin"},
		{"{\"Title\": \"t.doc\", \"PathOnClient\": \"C:\\\\x\\\\p.xls\"}", "xls"},
		{"{\"PathOnClient\": \"p.xls\", \"FileExtension\": \"docx\"}", "docx"},
		{"{\"Name\": \"Brochure\", \"Type\": \"pdf\"}", "pdf"},
		{"{\"Name\": \"a.txt\", \"Type\": \"no ending\"}", "txt"},
		{"{\"Name\": \"a.txt\", \"FileExtension\": null}", "txt"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_string_equal(facts_of("Body", rows[i].file).ext, rows[i].ext);
	}
}

static void test_body__size_by_field(void **state)
{
	(void)state;
	assert_int_equal(facts_of("Body", "{\"BodyLength\": 12}").size, 12);
	assert_int_equal(facts_of("Body", "{\"BodyLength\": 0}").size, 0);
	assert_int_equal(facts_of("LogFile", "{\"LogFileLength\": 2692.0}").size, 2692);
	assert_int_equal(facts_of("VersionData", "{\"ContentSize\": 2147483648}").size, 2147483648);
	assert_int_equal(facts_of("Body", "{\"BodyLength\": null, \"ContentSize\": 3}").size, 3);
	static const char *const unknown[] = {"{}", "{\"BodyLength\": null}",
		"{\"BodyLength\": \"12\"}", "{\"BodyLength\": -1}", "{\"BodyLength\": 1.5}",
		"{\"BodyLength\": 1e3}", "{\"BodyLength\": 1000000000000000000000}"};
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		assert_int_equal(facts_of("Body", unknown[i]).size, -1);
	}
}

static void test_body__none_without_a_base64_field(void **state)
{
	(void)state;
	assert_string_equal(facts_of(NULL, "{\"Name\": \"a.pdf\"}").ext, "");
}

static void test_body__tag_round_trip(void **state)
{
	(void)state;
	char tag[BODY_TAG_SIZE];
	static const struct body_facts rows[] = {
		{"pdf", 12}, {"0123456789abcdef", INT64_MAX}, {"bin", -1}, {"bin", 0}, {"", -1}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct body_facts back;
		body_tag_write(&rows[i], tag);
		body_tag_read(tag, &back);
		assert_string_equal(back.ext, rows[i].ext);
		assert_int_equal(back.size, rows[i].size);
	}
}

static void test_body__names(void **state)
{
	(void)state;
	struct id id;
	char ext[BODY_EXT_MAX + 1], name[BODY_NAME_LEN + 1];
	assert_true(body_name_parse("00PAb00000OdDjvMAF.pdf", "00P", &id, ext));
	assert_string_equal(ext, "pdf");
	body_name_write(&id, ext, name);
	assert_string_equal(name, "00PAb00000OdDjvMAF.pdf");
	assert_true(body_name_parse("00PAb00000OdDjv.0123456789abcdef", "00P", &id, ext));
	assert_string_equal(id.text, "00PAb00000OdDjvMAF");
	static const char *const wrong[] = {"00PAb00000OdDjvMAF", "00PAb00000OdDjvMAF.",
		"00PAb00000OdDjvMAF.json", "00PAb00000OdDjvMAF.pdf~", "00PAb00000OdDjvMAF.a.b",
		"00PAb00000OdDjvMAA.pdf", ".00PAb00000OdDjvMAF.pdf.swp", "001Ab00000OdDjvMAF.pdf",
		"00PAb00000OdDjvMAF.0123456789abcdefg", "", ".", "x.pdf"};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(body_name_parse(wrong[i], "00P", &id, ext));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_body__ending_of_the_files_own_name),
		cmocka_unit_test(test_body__size_by_field),
		cmocka_unit_test(test_body__none_without_a_base64_field),
		cmocka_unit_test(test_body__tag_round_trip),
		cmocka_unit_test(test_body__names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
