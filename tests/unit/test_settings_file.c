/* SPDX-License-Identifier: MIT */
/* The settings file: good ones, and each way to be wrong with its line. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "settings_file.h"

#define PATH "/etc/f.ini"

/* Reads text as a file of that mode. */
static int read_text_as(const char *text, size_t len, mode_t mode, const char *org,
	struct settings *ret, struct error *err)
{
	FILE *file = tmpfile();
	assert_non_null(file);
	assert_int_equal(fchmod(fileno(file), mode), 0);
	assert_int_equal(fwrite(text, 1, len, file), len);
	rewind(file);
	int r = settings_read(file, PATH, org, ret, err);
	fclose(file);
	return r;
}

static int read_text(const char *text, struct settings *ret, struct error *err)
{
	return read_text_as(text, strlen(text), 0600, "acme", ret, err);
}

static void test_settings_file__sample(void **state)
{
	static const char text[] = "\xef\xbb\xbf; a comment\n"
				   "[defaults]\n"
				   "ttl = 2m                      ; seconds until …\n"
				   "api_reserve = 10%\n"
				   "allow = update, create   ; what may be written\n"
				   "\n"
				   "[acme]   ; the first\r\n"
				   "login_url = https://acme.my.salesforce.com/\r\n"
				   "client_id=3MVG9...;x\n"
				   "  client_secret_command = pass show salesforce/acme   ; or …\n"
				   "# ttl = 7\n"
				   "objects: Account, *__c\n"
				   "allow = none\n"
				   "[other]\n"
				   "ttl = 5";
	AUTO(settings) struct settings s = {0};
	struct error err = {0};
	(void)state;
	if (read_text(text, &s, &err) < 0) {
		fail_msg("%s", err.text);
	}
	assert_string_equal(s.org, "acme");
	assert_string_equal(s.file, PATH);
	assert_int_equal(s.section_line, 7);
	assert_int_equal(s.ttl_s, 120);
	assert_int_equal(s.api_reserve.percent, 10);
	assert_int_equal(s.allow, 0);
	assert_string_equal(s.login_url, "https://acme.my.salesforce.com");
	assert_string_equal(s.client_id, "3MVG9...;x");
	assert_string_equal(s.client_secret_command, "pass show salesforce/acme");
	assert_string_equal(s.objects, "Account, *__c");
	assert_int_equal(s.line[setting_find("ttl", 3) - settings_table], 3);
	assert_int_equal(s.line[setting_find("allow", 5) - settings_table], 13);
	assert_int_equal(s.line[setting_find("timeout", 7) - settings_table], ORIGIN_STANDARD);
}

static void test_settings_file__org_wins_wherever_defaults_stand(void **state)
{
	AUTO(settings) struct settings s = {0};
	(void)state;
	assert_int_equal(read_text("[acme]\nttl=5\n[defaults]\nttl=7\ntimeout=9\n", &s, NULL), 0);
	assert_int_equal(s.ttl_s, 5);
	assert_int_equal(s.timeout_s, 9);
}

/* Around the sizes at which inih's buffer is full. */
static void test_settings_file__long_values_arrive_whole(void **state)
{
	static const int lengths[] = {
		150, 180, 181, 182, 183, 184, 185, 186, 187, 199, 200, 201, 400, 1500, 16000};
	static const char *const tails[] = {"", "   ", "  ; a comment", "\r"};
	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		for (size_t j = 0; j < sizeof(tails) / sizeof(tails[0]); j++) {
			AUTO(settings) struct settings s = {0};
			struct error err = {0};
			AUTO_FREE char *token = malloc((size_t)lengths[i] + 1), *text = NULL;
			memset(token, 'x', (size_t)lengths[i]);
			token[lengths[i]] = '\0';
			token[lengths[i] - 1] = 'z';
			assert_true(asprintf(&text, "[acme]\nrefresh_token = %s%s\nttl = 3\n",
					    token, tails[j]) > 0);
			if (read_text(text, &s, &err) < 0) {
				fail_msg("%d %zu: %s", lengths[i], j, err.text);
			}
			assert_string_equal(s.refresh_token, token);
			assert_int_equal(s.ttl_s, 3);
		}
	}
}

static void test_settings_file__long_comment_is_no_harm(void **state)
{
	AUTO(settings) struct settings s = {0};
	char text[1000] = "[acme]\n; ", more[600];
	(void)state;
	memset(more, 'c', sizeof(more) - 1);
	more[sizeof(more) - 1] = '\0';
	memcpy(more + 300, " ttl = 4 ", 9);
	strcat(text, more);
	strcat(text, "\nttl = 8 ; short\n");
	assert_int_equal(read_text(text, &s, NULL), 0);
	assert_int_equal(s.ttl_s, 8);
}

static void test_settings_file__errors_name_file_and_line(void **state)
{
	static const struct {
		const char *text, *expected; /* the start of it */
	} cases[] = {
		{"[acme]\n\nlogin_uri = x\n",
			PATH ":3: there is no setting \"login_uri\"; did you mean login_url?"},
		{"[acme]\nfruit = x\n", PATH ":2: there is no setting \"fruit\"; see"},
		{"[acme]\n= x\n", PATH ":2: there is no setting \"\""},
		{"[acme]\nttl = soon\n", PATH ":2: ttl: \"soon\" is not a time"},
		{"[acme]\nttl =\n", PATH ":2: ttl: has no value"},
		{"[other]\nttl = soon\n[acme]\n", PATH ":2: ttl: "},
		{"[acme]\nttl = 1\n[b]\n[acme]\n",
			PATH ":4: the section [acme] stands here a second time, first in line 1"},
		{"[defaults]\n[defaults]\n", PATH ":2: the section [defaults] stands"},
		{"[acme]\nttl = 1\nttl = 2\n", PATH ":3: ttl was already given in line 2"},
		{"ttl = 1\n[acme]\n", PATH ":1: ttl stands before any section"},
		{"[acme]\nhello there\nttl = 1\n", PATH ":2: this is neither a setting"},
		{"[acme]\nttl = 1\nhello there", PATH ":3: this is neither a setting"},
		{"[acme]\nttl ; = 1\n", PATH ":2: this is neither a setting"},
		{"[acme\nttl = 1\n", PATH ":1: the section's name lacks"},
		{"[a/b]\n", PATH ":1: \"a/b\" cannot be an org's name"},
		{"[ acme ]\n", PATH ":1: \" acme \" cannot be an org's name"},
		{"[]\n", PATH ":1: \"\" cannot be an org's name"},
		{"[acme]\nlogin_url = http://example.com\n", PATH ":2: login_url: "},
		{"[acme]\ncache_dir = here\n", PATH ":2: cache_dir: \"here\" is not an absolute"},
		/* The first error counts, whoever finds it. */
		{"[acme]\nnonsense\nttl = soon\n", PATH ":2: "},
		{"[acme]\nttl = soon\nnonsense\n", PATH ":2: ttl"},
		{"", PATH " has no org yet; add a section [acme]"},
		{"[defaults]\n", PATH " has no org yet"},
		{"[acmes]\n[beta]\n",
			PATH " has no org \"acme\"; did you mean acmes?; it has: acmes, "
			     "beta"},
		{"[x1]\n[y2]\n", PATH " has no org \"acme\"; it has: x1, y2"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(settings) struct settings s = {0};
		struct error err = {0};
		int r = read_text(cases[i].text, &s, &err);
		if (r >= 0 ||
			strncmp(err.text, cases[i].expected, strlen(cases[i].expected)) != 0) {
			fail_msg("%s\n  gave %d \"%s\"\n  not \"%s\"", cases[i].text, r, err.text,
				cases[i].expected);
		}
	}
}

static void test_settings_file__defaults_is_no_org(void **state)
{
	struct settings s = {0};
	struct error err = {0};
	(void)state;
	assert_true(read_text_as("[defaults]\n", 11, 0600, "defaults", &s, &err) < 0);
	assert_non_null(strstr(err.text, "no org"));
}

static void test_settings_file__secrets_demand_a_private_file(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *expected; /* NULL: fine */
	} cases[] = {
		{"[acme]\nttl=1\n", 0644, NULL},
		{"[acme]\nclient_secret=x\n", 0600, NULL},
		{"[acme]\nclient_secret=x\n", 0400, NULL},
		{"[acme]\nclient_secret_command=x\n", 0644, NULL},
		{"[acme]\n\nclient_secret=x\n", 0640,
			PATH ":3: client_secret is a secret, and other users can read this file; "
			     "run: chmod 600 " PATH},
		{"[acme]\nrefresh_token=x\n", 0604, PATH ":2: refresh_token is a secret"},
		{"[acme]\n[b]\nrefresh_token=x\n", 0644, PATH ":3: refresh_token is a secret"},
		{"[acme]\nproxy=http://a:b@c\n", 0644, PATH ":2: proxy is a secret"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(settings) struct settings s = {0};
		struct error err = {0};
		int r = read_text_as(
			cases[i].text, strlen(cases[i].text), cases[i].mode, "acme", &s, &err);
		const char *expected = cases[i].expected;
		if (expected ? r >= 0 || strncmp(err.text, expected, strlen(expected)) != 0
			     : r < 0) {
			fail_msg("%s: %d %s", cases[i].text, r, err.text);
		}
	}
}

static void test_settings_file__nul_byte(void **state)
{
	static const char text[] = "[acme]\nttl = 1\0 2\n";
	struct settings s = {0};
	struct error err = {0};
	(void)state;
	assert_true(read_text_as(text, sizeof(text) - 1, 0600, "acme", &s, &err) < 0);
	assert_non_null(strstr(err.text, PATH ":2: a NUL byte"));
}

static void test_settings_file__a_huge_line_is_refused(void **state)
{
	struct settings s = {0};
	struct error err = {0};
	AUTO_FREE char *text = malloc(100000);
	(void)state;
	memset(text, 'x', 100000);
	memcpy(text, "[acme]\n", 7);
	assert_true(read_text_as(text, 100000, 0600, "acme", &s, &err) < 0);
	assert_non_null(strstr(err.text, PATH ":2: the line is too long"));
}

/* ---- where it is looked for ---- */

static char *write_file(const char *path)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fclose(file);
	return strdup(path);
}

static void test_settings_file__search_order(void **state)
{
	char base[] = "/tmp/forcefs-test-XXXXXX", path[200];
	AUTO_FREE char *found = NULL, *in_xdg = NULL, *named = NULL;
	struct error err = {0};
	(void)state;
	assert_non_null(mkdtemp(base));
	snprintf(path, sizeof(path), "%s/forcefs", base);
	assert_int_equal(mkdir(path, 0700), 0);
	setenv("XDG_CONFIG_HOME", base, 1);
	unsetenv("FORCEFS_CONFIG");
	if (access("/etc/forcefs/forcefs.ini", F_OK) < 0) {
		assert_true(settings_file_find(&found, &err) < 0);
		assert_non_null(strstr(err.text, base));
		assert_non_null(strstr(err.text, "/etc/forcefs/forcefs.ini"));
		assert_non_null(strstr(err.text, "forcefs demo"));
	}
	snprintf(path, sizeof(path), "%s/forcefs/forcefs.ini", base);
	in_xdg = write_file(path);
	assert_int_equal(settings_file_find(&found, &err), 0);
	assert_string_equal(found, in_xdg);
	free(take_ptr(&found));

	snprintf(path, sizeof(path), "%s/mine.ini", base);
	setenv("FORCEFS_CONFIG", path, 1);
	assert_true(settings_file_find(&found, &err) < 0);
	assert_non_null(strstr(err.text, "$FORCEFS_CONFIG names"));
	named = write_file(path);
	assert_int_equal(settings_file_find(&found, &err), 0);
	assert_string_equal(found, named);

	unlink(named);
	unlink(in_xdg);
	snprintf(path, sizeof(path), "%s/forcefs", base);
	rmdir(path);
	rmdir(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_settings_file__sample),
		cmocka_unit_test(test_settings_file__org_wins_wherever_defaults_stand),
		cmocka_unit_test(test_settings_file__long_values_arrive_whole),
		cmocka_unit_test(test_settings_file__long_comment_is_no_harm),
		cmocka_unit_test(test_settings_file__errors_name_file_and_line),
		cmocka_unit_test(test_settings_file__defaults_is_no_org),
		cmocka_unit_test(test_settings_file__secrets_demand_a_private_file),
		cmocka_unit_test(test_settings_file__nul_byte),
		cmocka_unit_test(test_settings_file__a_huge_line_is_refused),
		cmocka_unit_test(test_settings_file__search_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
