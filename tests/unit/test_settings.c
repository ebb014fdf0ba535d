/* SPDX-License-Identifier: MIT */
/* One value at a time, by its type. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "nearest.h"
#include "settings.h"

static int set(struct settings *s, const char *name, const char *value, struct error *err)
{
	const struct setting *what = setting_find(name, strlen(name));
	assert_non_null(what);
	return setting_set(s, what, value, 7, err);
}

/* What the value became, as text, so that one table holds all types. */
static void show(const struct settings *s, const char *name, char *dst, size_t size)
{
	const struct setting *what = setting_find(name, strlen(name));
	const void *at = (const char *)s + what->offset;
	if (what->type == SETTING_SHARE) {
		const struct share *share = at;
		snprintf(dst, size, "%d%% %lld", share->percent, (long long)share->calls);
	} else if (what->type >= SETTING_CHOICE) {
		snprintf(dst, size, "%lld", (long long)*(const int64_t *)at);
	} else {
		const char *text = *(char *const *)at;
		snprintf(dst, size, "%s", text ? text : "(null)");
	}
}

static void test_setting__good_values(void **state)
{
	static const struct {
		const char *name, *value, *expected;
	} cases[] = {
		{"login_url", "https://a.my.salesforce.com", "https://a.my.salesforce.com"},
		{"login_url", "https://a.my.salesforce.com//", "https://a.my.salesforce.com"},
		{"login_url", "http://127.0.0.1:8080", "http://127.0.0.1:8080"},
		{"login_url", "http://localhost:1", "http://localhost:1"},
		{"login_url", "", "https://login.salesforce.com"},
		{"client_id", "3MVG9", "3MVG9"},
		{"client_id", "", "(null)"},
		{"grant", "refresh_token", "0"},
		{"grant", "jwt_bearer", "1"},
		{"grant", "client_credentials", "2"},
		{"grant", "sf", "3"},
		{"api_version", "64.0", "64.0"},
		{"api_version", "64", "64.0"},
		{"api_version", "v61.0", "61.0"},
		{"objects", "Account, *__c", "Account, *__c"},
		{"objects", "A?c", "A?c"},
		{"allow", "update", "1"},
		{"allow", "update, create, delete", "7"},
		{"allow", "delete create", "6"},
		{"allow", "UPDATE,Delete", "5"},
		{"allow", "none", "0"},
		{"allow", "", "0"},
		{"ttl", "0", "0"},
		{"ttl", "90", "90"},
		{"ttl", "90s", "90"},
		{"ttl", "15m", "900"},
		{"ttl", "24h", "86400"},
		{"timeout", "1", "1"},
		{"timeout", "1h", "3600"},
		{"api_reserve", "20%", "20% 0"},
		{"api_reserve", "0", "0% 0"},
		{"api_reserve", "100%", "100% 0"},
		{"api_reserve", "5000", "0% 5000"},
		{"cache_dir", "/var/cache/x", "/var/cache/x"},
		{"cache_dir", "~/x", "/home/someone/x"},
		{"cache_dir", "memory", "memory"},
		{"cache_dir", "", "(null)"},
		{"cache_size", "1048576", "1048576"},
		{"cache_size", "500M", "524288000"},
		{"cache_size", "2g", "2147483648"},
		{"cache_size", "1T", "1099511627776"},
		{"log_level", "error", "0"},
		{"log_level", "debug", "3"},
		{"proxy", "http://proxy:3128", "http://proxy:3128"},
	};
	(void)state;
	setenv("HOME", "/home/someone", 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(settings) struct settings s;
		struct error err = {0};
		char shown[100];
		assert_int_equal(settings_init(&s, "o", NULL), 0);
		int r = set(&s, cases[i].name, cases[i].value, &err);
		show(&s, cases[i].name, shown, sizeof(shown));
		if (r < 0 || strcmp(shown, cases[i].expected) != 0) {
			fail_msg("%s = \"%s\": %d %s, %s", cases[i].name, cases[i].value, r, shown,
				err.text);
		}
	}
}

static void test_setting__bad_values(void **state)
{
	static const struct {
		const char *name, *value, *text; /* a part of it */
	} cases[] = {
		{"login_url", "http://example.com", "https"},
		{"login_url", "acme.my.salesforce.com", "https"},
		{"login_url", "https://user@host", "user name"},
		{"login_url", "https://host/path", "plain address"},
		{"login_url", "https://host?x", "plain address"},
		{"grant", "password", "one of these: refresh_token"},
		{"grant", "", "no value"},
		{"api_version", "latest", "64.0"},
		{"api_version", "64.1", "64.0"},
		{"api_version", "20.0", "too old"},
		{"api_version", "9999999999999999999999", "64.0"},
		{"objects", "Account; Contact", "object names"},
		{"objects", "[abc]", "object names"},
		{"allow", "read", "update, create, delete, or none"},
		{"allow", "none, update", "or none"},
		{"ttl", "", "no value"},
		{"ttl", "-1", "a time"},
		{"ttl", "1d", "a time"},
		{"ttl", "1 m", "a time"},
		{"ttl", "25h", "between 0 and 86400"},
		{"ttl", "99999999999999999999", "a time"},
		{"ttl", "9223372036854775807h", "between"},
		{"timeout", "0", "between 1 and 3600"},
		{"api_reserve", "101%", "share"},
		{"api_reserve", "20 %", "share"},
		{"api_reserve", "-5", "share"},
		{"cache_dir", "cache", "absolute path"},
		{"cache_dir", "./cache", "or the word memory"},
		{"ca_file", "memory", "absolute path"},
		{"jwt_key_file", "~other/key", "absolute path"},
		{"cache_size", "2X", "a size"},
		{"cache_size", "2GB", "a size"},
		{"cache_size", "1K", "between"},
		{"cache_size", "9000000T", "between"},
		{"log_level", "loud", "error, warn, info, debug"},
		{"username", "a\tb", "control characters"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(settings) struct settings s;
		struct error err = {0};
		assert_int_equal(settings_init(&s, "o", NULL), 0);
		int r = set(&s, cases[i].name, cases[i].value, &err);
		if (r >= 0 || !strstr(err.text, cases[i].text)) {
			fail_msg("%s = \"%s\": %d, %s", cases[i].name, cases[i].value, r, err.text);
		}
	}
}

static void test_setting__defaults(void **state)
{
	AUTO(settings) struct settings s;
	(void)state;
	assert_int_equal(settings_init(&s, "acme", NULL), 0);
	assert_string_equal(s.org, "acme");
	assert_string_equal(s.login_url, "https://login.salesforce.com");
	assert_int_equal(s.timeout_s, 30);
	assert_int_equal(s.ttl_s, 60);
	assert_int_equal(s.api_reserve.percent, 20);
	assert_int_equal(s.allow, ALLOW_UPDATE);
	assert_int_equal(s.cache_size_bytes, 2147483648);
	assert_int_equal(s.log_level, 2);
	assert_null(s.cache_dir);
	assert_null(s.objects);
}

static void test_setting__secret_never_stands_in_an_error(void **state)
{
	AUTO(settings) struct settings s;
	struct error err = {0};
	(void)state;
	assert_int_equal(settings_init(&s, "o", NULL), 0);
	assert_true(set(&s, "client_secret", "hush\nhush", &err) < 0);
	assert_null(strstr(err.text, "hush"));
}

static void test_setting__secret_and_command_replace_each_other(void **state)
{
	AUTO(settings) struct settings s;
	(void)state;
	assert_int_equal(settings_init(&s, "o", NULL), 0);
	assert_int_equal(set(&s, "client_secret_command", "echo x", NULL), 0);
	assert_int_equal(set(&s, "client_secret", "y", NULL), 0);
	assert_null(s.client_secret_command);
	assert_int_equal(set(&s, "client_secret_command", "echo z", NULL), 0);
	assert_null(s.client_secret);
	assert_string_equal(s.client_secret_command, "echo z");
}

static void test_setting__what_is_secret(void **state)
{
	(void)state;
	const struct setting *proxy = setting_find("proxy", 5);
	assert_true(setting_holds_secret(setting_find("refresh_token", 13), "x"));
	assert_false(setting_holds_secret(setting_find("refresh_token", 13), ""));
	assert_false(setting_holds_secret(setting_find("client_id", 9), "x"));
	assert_true(setting_holds_secret(proxy, "http://me:word@proxy"));
	assert_false(setting_holds_secret(proxy, "http://proxy"));
}

static void test_setting__nearest_name(void **state)
{
	static const struct {
		const char *word, *expected;
	} cases[] = {{"login_uri", "login_url"}, {"cachesize", "cache_size"}, {"tll", "ttl"},
		{"Timeout", "timeout"}, {"colour", NULL}, {"", NULL}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *near = setting_nearest(cases[i].word);
		if (cases[i].expected) {
			assert_non_null(near);
			assert_string_equal(near, cases[i].expected);
		} else {
			assert_null(near);
		}
	}
}

static void test_settings_check__what_a_grant_needs(void **state)
{
	static const struct {
		const char *grant, *given, *text; /* text NULL: fine */
	} cases[] = {
		{"refresh_token", "", "no client_id"},
		{"refresh_token", "client_id", NULL},
		{"client_credentials", "client_id", "no client_secret_command"},
		{"client_credentials", "client_secret", "no client_id"},
		{"client_credentials", "client_id client_secret", NULL},
		{"client_credentials", "client_id client_secret_command", NULL},
		{"jwt_bearer", "client_id jwt_key_file", "no username"},
		{"jwt_bearer", "client_id username", "no jwt_key_file"},
		{"sf", "", NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(settings) struct settings s;
		struct error err = {0};
		char given[100], *rest = given, *name;
		assert_int_equal(settings_init(&s, "o", NULL), 0);
		assert_int_equal(set(&s, "grant", cases[i].grant, NULL), 0);
		snprintf(given, sizeof(given), "%s", cases[i].given);
		while ((name = strsep(&rest, " ")) && *name) {
			assert_int_equal(set(&s, name, "/dev/null", NULL), 0);
		}
		int r = settings_check(&s, &err);
		if (cases[i].text ? r >= 0 || !strstr(err.text, cases[i].text) : r < 0) {
			fail_msg("%s %s: %d %s", cases[i].grant, cases[i].given, r, err.text);
		}
	}
}

static void test_settings_check__files_must_be_readable(void **state)
{
	AUTO(settings) struct settings s;
	struct error err = {0};
	(void)state;
	assert_int_equal(settings_init(&s, "o", NULL), 0);
	s.file = strdup("/x.ini");
	assert_int_equal(set(&s, "client_id", "x", NULL), 0);
	assert_int_equal(set(&s, "ca_file", "/no/such.pem", NULL), 0);
	assert_true(settings_check(&s, &err) < 0);
	assert_non_null(strstr(err.text, "/x.ini:7: ca_file: the file /no/such.pem"));
	assert_int_equal(set(&s, "ca_file", "/", NULL), 0);
	assert_true(settings_check(&s, &err) < 0);
	assert_non_null(strstr(err.text, "Is a directory"));
}

static void test_settings__org_names(void **state)
{
	static const char *const good[] = {"acme", "acme-dev", "a.b_c", "me@acme.com", "1", "a+b"};
	static const char *const bad[] = {"", ".acme", "-f", "a/b", "a b", "a\nb", "é",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(settings_check_org(good[i], NULL), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_true(settings_check_org(bad[i], NULL) < 0);
	}
}

static void test_settings_table__fits_the_help(void **state)
{
	(void)state;
	for (size_t i = 0; i < settings_table_len; i++) {
		const struct setting *s = &settings_table[i];
		assert_ptr_equal(setting_find(s->name, strlen(s->name)), s);
		assert_true(s->help[strlen(s->help) - 1] == '.');
		assert_true(s->shape || s->choices);
		for (size_t j = 0; j < i; j++) {
			assert_int_not_equal(s->offset, settings_table[j].offset);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_setting__good_values),
		cmocka_unit_test(test_setting__bad_values),
		cmocka_unit_test(test_setting__defaults),
		cmocka_unit_test(test_setting__secret_never_stands_in_an_error),
		cmocka_unit_test(test_setting__secret_and_command_replace_each_other),
		cmocka_unit_test(test_setting__what_is_secret),
		cmocka_unit_test(test_setting__nearest_name),
		cmocka_unit_test(test_settings_check__what_a_grant_needs),
		cmocka_unit_test(test_settings_check__files_must_be_readable),
		cmocka_unit_test(test_settings__org_names),
		cmocka_unit_test(test_settings_table__fits_the_help),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
