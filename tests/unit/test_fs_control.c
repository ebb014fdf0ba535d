/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_mirror.h"
#include "forcefs/base/log.h"
#include "forcefs/model/json_text.h"
#include "fs_priv.h"

/* Just enough of a mount to render from. */
static struct fs fs;
static struct fake_knobs *knobs;

static int setup(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	memset(&fs, 0, sizeof(fs));
	fs.config.source = "acme";
	fs.config.mountpoint = "/mnt/a \"b\"";
	fs.mirror = fake_mirror_new(10, 1024, &knobs);
	docs_init(&fs.docs);
	return parking_init(&fs.parking, NULL) < 0 || faults_init(&fs.faults, NULL) < 0;
}

static int teardown(void **state)
{
	(void)state;
	parking_release(&fs.parking);
	faults_release(&fs.faults);
	docs_release(&fs.docs);
	fake_mirror_free(fs.mirror);
	return 0;
}

static void note(const char *path)
{
	struct error err;
	error_set(&err, EIO, "broken\nin two lines");
	fault_note(&fs.faults, path, "read", &err);
}

static void test_fs_control__names(void **state)
{
	(void)state;
	char name[81];
	assert_int_equal(control_find(CONTROL_DIR, "status.json"), CONTROL_STATUS);
	assert_int_equal(control_find(CONTROL_DIR, "rejected"), CONTROL_REJECTED_DIR);
	assert_int_equal(control_find(CONTROL_DIR, "status"), CONTROL_NONE);
	assert_int_equal(control_find(CONTROL_REJECTED_DIR, "status.json"), CONTROL_NONE);
	assert_int_equal(control_find(CONTROL_DIR, ".forcefs"), CONTROL_NONE);
	assert_true(control_describe_name("Account.json", name));
	assert_string_equal(name, "Account");
	assert_false(control_describe_name(".json", name));
	assert_false(control_describe_name("Account", name));
	assert_false(control_describe_name("Account.jso", name));
	char longest[81 + 5] = "";
	memset(longest, 'a', 81);
	memcpy(longest + 80, ".json", 6);
	assert_true(control_describe_name(longest, name));
	char longer[81 + 6];
	memset(longer, 'a', 81);
	memcpy(longer + 81, ".json", 6);
	assert_false(control_describe_name(longer, name));
}

static void test_fs_control__every_text_is_json(void **state)
{
	(void)state;
	static const enum control rows[] = {CONTROL_STATUS, CONTROL_LIMITS};
	note("Account");
	note("Contact");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(buf) struct buf out, again;
		buf_init(&out, 1 << 20);
		buf_init(&again, 1 << 20);
		assert_int_equal(
			control_render(&fs, inode_of_control(rows[i]), NULL, &out, NULL), 0);
		assert_int_equal(json_text_indent(buf_str(&out), out.len, &again, NULL), 0);
	}
}

static void test_fs_control__status_says_what_it_should(void **state)
{
	(void)state;
	AUTO(buf) struct buf out;
	buf_init(&out, 1 << 20);
	note("Account");
	atomic_store(&fs.saves.done, 2);
	assert_int_equal(
		control_render(&fs, inode_of_control(CONTROL_STATUS), NULL, &out, NULL), 0);
	static const char *const words[] = {"\"org\": \"acme\"",
		"\"mountpoint\": \"/mnt/a \\\"b\\\"\"", "\"identity\": null",
		"\"state\": \"online\"", "\"used\": 7", "\"name\": \"Account\", \"records\": 10",
		"\"parked\": 0", "\"errors\": 1,", "\"listing\": null",
		"\"saves\": {\"done\": 2, \"failed\": 0, \"in_progress\": 0}",
		"broken\\nin two lines"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strstr(buf_str(&out), words[i])) {
			fail_msg("no %s in %s", words[i], buf_str(&out));
		}
	}
}

/* Each line is a comment of the four kinds or a sample of the family that the last TYPE named. */
static void check_metrics(char *text)
{
	char family[80] = "", *rest = text, *line;
	bool ended = false;
	while ((line = strsep(&rest, "\n")) != NULL && *line) {
		assert_false(ended);
		ended = strcmp(line, "# EOF") == 0;
		if (sscanf(line, "# TYPE %79s ", family) == 1 || line[0] == '#') {
			continue;
		}
		assert_memory_equal(line, family, strlen(family));
		assert_non_null(strstr(line, "{org=\"acme\",mount=\"/mnt/a \\\"b\\\"\""));
	}
	assert_true(ended);
	assert_null(rest); /* one newline after EOF, and nothing more */
}

static void test_fs_control__metrics_are_openmetrics(void **state)
{
	(void)state;
	AUTO(buf) struct buf out;
	buf_init(&out, 1 << 20);
	note("Account");
	atomic_store(&fs.saves.failed, 3);
	assert_int_equal(
		control_render(&fs, inode_of_control(CONTROL_METRICS), NULL, &out, NULL), 0);
	static const char *const words[] = {"# TYPE forcefs_api_calls counter\n",
		"# UNIT forcefs_api_request_seconds seconds\n", ",le=\"0.025\"} 0\n",
		",le=\"1.0\"} 0\n", ",le=\"+Inf\"} 0\n", "forcefs_api_request_seconds_sum{",
		"forcefs_failed_saves_total{", ",errno=\"EIO\",code=\"\"} 1\n",
		",object=\"Account\"} 10\n", "forcefs_api_budget_max{"};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strstr(buf_str(&out), words[i])) {
			fail_msg("no %s in %s", words[i], buf_str(&out));
		}
	}
	check_metrics(out.data);
}

static void test_fs_control__doc_keeps_version_and_time(void **state)
{
	(void)state;
	struct doc *a, *b, *c, *d;
	uint64_t inode = inode_of_control(CONTROL_ERRORS);
	note("Account");
	assert_int_equal(doc_get(&fs, inode, false, NULL, &a, NULL), 0);
	assert_int_equal(doc_get(&fs, inode, false, NULL, &b, NULL), 0);
	assert_ptr_equal(a, b);
	note("Contact");
	assert_int_equal(doc_get(&fs, inode, true, NULL, &c, NULL), 0);
	assert_ptr_equal(a, c); /* READ gives what was settled */
	assert_int_equal(doc_get(&fs, inode, false, NULL, &d, NULL), 0);
	assert_ptr_not_equal(a, d);
	assert_true(d->len > a->len);
	doc_unref(&fs.docs, a);
	doc_unref(&fs.docs, b);
	doc_unref(&fs.docs, c);
	doc_unref(&fs.docs, d);
}

static void test_fs_control__limits_wait_for_the_org(void **state)
{
	(void)state;
	struct doc *doc;
	knobs->cold_lists = true;
	assert_int_equal(doc_get(&fs, inode_of_control(CONTROL_LIMITS), false, NULL, &doc, NULL),
		-EWOULDBLOCK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fs_control__names),
		cmocka_unit_test_setup_teardown(
			test_fs_control__every_text_is_json, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_fs_control__status_says_what_it_should, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_fs_control__metrics_are_openmetrics, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_fs_control__doc_keeps_version_and_time, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_fs_control__limits_wait_for_the_org, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
