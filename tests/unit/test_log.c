/* SPDX-License-Identifier: MIT */
/* Log lines: their shape, levels and escaping. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/log.h"

static int saved_stderr;
static int ends[2];

/* Puts a pipe in stderr's place. */
static void capture_begin(void)
{
	assert_int_equal(pipe(ends), 0);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(saved_stderr >= 0);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
}

static void capture_end(char *text, size_t size)
{
	assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
	close(saved_stderr);
	size_t used = 0;
	ssize_t n;
	while ((n = read(ends[0], text + used, size - 1 - used)) > 0) {
		used += (size_t)n;
	}
	text[used] = '\0';
	close(ends[0]);
}

static void test_log__lines_carry_level_and_module(void **state)
{
	(void)state;
	char text[1000];
	log_set_level(LOG_LEVEL_DEBUG);
	capture_begin();
	log_error("mount", "cannot %s", "start");
	log_warn("mount", "text");
	log_info("sf", "signed in as user=%d", 7);
	errno = ENOENT;
	log_debug("net", "detail");
	int kept = errno;
	capture_end(text, sizeof(text));
	assert_string_equal(text, "forcefs: error: mount: cannot start\n"
				  "forcefs: warning: mount: text\n"
				  "forcefs: sf: signed in as user=7\n"
				  "forcefs: debug: net: detail\n");
	assert_int_equal(kept, ENOENT);
}

static void test_log__level_filters(void **state)
{
	(void)state;
	char text[1000];
	log_set_level(LOG_LEVEL_WARN);
	assert_int_equal(log_get_level(), LOG_LEVEL_WARN);
	capture_begin();
	log_info("a", "b");
	log_debug("a", "b");
	log_warn("a", "b");
	capture_end(text, sizeof(text));
	assert_string_equal(text, "forcefs: warning: a: b\n");
}

static void test_log__one_call_is_one_line_whatever_it_holds(void **state)
{
	(void)state;
	char text[8192];
	char big[6000];
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	capture_begin();
	log_error("a", "one\ntwo\r\x1b[31m");
	log_error("a", "%s", big);
	capture_end(text, sizeof(text));
	assert_non_null(strstr(text, "forcefs: error: a: one\\x0atwo\\x0d\\x1b[31m\n"));
	int lines = 0;
	for (char *p = text; *p; p++) {
		lines += *p == '\n';
	}
	assert_int_equal(lines, 2);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void *log_many(void *arg)
{
	for (int i = 0; i < 100; i++) {
		log_error(arg, "0123456789012345678901234567890123456789");
	}
	return NULL;
}

static void test_log__lines_of_threads_do_not_mix(void **state)
{
	(void)state;
	static char text[65536];
	capture_begin();
	char first[] = "a", second[] = "b";
	pthread_t a, b;
	assert_int_equal(pthread_create(&a, NULL, log_many, first), 0);
	assert_int_equal(pthread_create(&b, NULL, log_many, second), 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	capture_end(text, sizeof(text));
	size_t len = strlen("forcefs: error: a: 0123456789012345678901234567890123456789\n");
	assert_int_equal(strlen(text), 200 * len);
	for (size_t i = 0; i < 200; i++) {
		assert_memory_equal(text + i * len, "forcefs: error: ", 16);
		assert_int_equal(text[(i + 1) * len - 1], '\n');
	}
}

static void test_log_level_parse__words(void **state)
{
	(void)state;
	static const struct {
		const char *word;
		bool ok;
		enum log_level level;
	} rows[] = {{"error", true, LOG_LEVEL_ERROR}, {"warn", true, LOG_LEVEL_WARN},
		{"info", true, LOG_LEVEL_INFO}, {"debug", true, LOG_LEVEL_DEBUG},
		{"", false, LOG_LEVEL_INFO}, {"Info", false, LOG_LEVEL_INFO},
		{"debug ", false, LOG_LEVEL_INFO}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum log_level level = LOG_LEVEL_INFO;
		assert_int_equal(log_level_parse(rows[i].word, &level), rows[i].ok);
		assert_int_equal(level, rows[i].level);
	}
}

static void test_log_escape__table(void **state)
{
	(void)state;
	static const struct {
		size_t size;
		const char *src, *expected;
	} rows[] = {
		{100, "", ""},
		{100, "plain text", "plain text"},
		{100, "tab\tnl\n", "tab\\x09nl\\x0a"},
		{100, "del\x7f", "del\\x7f"},
		{100, "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
			"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"},
		{100,
			"csi\xc2\x9b"
			"1m",
			"csi\\xc2\\x9b1m"},
		{100, "cut\xe2\x82", "cut\xe2\x82"},
		{1, "abc", ""},
		{3, "abc", "ab"},
		{5, "\n", "\\x0a"},
		{4, "\n", ""},
		{6, "ab\n", "ab"},
		{4, "ab\xc3\xbc", "ab"},
		{5, "ab\xc3\xbc", "ab\xc3\xbc"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char dst[128];
		memset(dst, '#', sizeof(dst));
		log_escape(dst, rows[i].size, rows[i].src);
		assert_string_equal(dst, rows[i].expected);
	}
	char untouched = '#';
	log_escape(&untouched, 0, "abc");
	assert_int_equal(untouched, '#');
}

static size_t shout(
	char *line, size_t size, enum log_level level, const char *module, const char *text)
{
	return strcmp(text, "plain") == 0 ? 0
					  : (size_t)snprintf(line, size, "<%s %s %s>",
						    log_level_word(level), module, text);
}

static void test_log_format_with__makes_the_line(void **state)
{
	(void)state;
	char text[1000];
	log_set_level(LOG_LEVEL_INFO);
	capture_begin();
	log_format_with(shout);
	log_warn("fs", "two %d", 2);
	log_debug("fs", "not shown");
	log_info("fs", "plain");
	log_format_with(NULL);
	log_info("fs", "after");
	capture_end(text, sizeof(text));
	assert_string_equal(text, "<warn fs two 2>\nforcefs: fs: plain\nforcefs: fs: after\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log__lines_carry_level_and_module),
		cmocka_unit_test(test_log__level_filters),
		cmocka_unit_test(test_log__one_call_is_one_line_whatever_it_holds),
		cmocka_unit_test(test_log__lines_of_threads_do_not_mix),
		cmocka_unit_test(test_log_format_with__makes_the_line),
		cmocka_unit_test(test_log_level_parse__words),
		cmocka_unit_test(test_log_escape__table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
