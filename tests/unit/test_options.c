/* SPDX-License-Identifier: MIT */
/* The text after -o. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "options.h"

static void test_options__mount_options(void **state)
{
	AUTO(options) struct options o;
	(void)state;
	options_init(&o);
	assert_int_equal(o.uid, (uid_t)-1);
	assert_int_equal(options_add(&o, "ro,allow_other,uid=12,gid=34,umask=027", NULL), 0);
	assert_true(o.read_only);
	assert_true(o.allow_other);
	assert_int_equal(o.uid, 12);
	assert_int_equal(o.gid, 34);
	assert_int_equal(o.umask, 027);
	assert_int_equal(options_add(&o, "rw,uid=root,gid=root", NULL), 0);
	assert_false(o.read_only);
	assert_int_equal(o.uid, 0);
	assert_int_equal(o.gid, 0);
}

static void test_options__settings_and_escapes(void **state)
{
	AUTO(options) struct options o;
	AUTO(settings) struct settings s;
	(void)state;
	options_init(&o);
	assert_int_equal(settings_init(&s, "acme", NULL), 0);
	assert_int_equal(options_add(&o, "ttl=5,allow=update\\,create,objects=A*\\,B?", NULL), 0);
	assert_int_equal(options_add(&o, "ttl=6,client_secret_command=a=b\\\\c", NULL), 0);
	assert_int_equal(options_apply(&o, &s, NULL), 0);
	assert_int_equal(s.ttl_s, 6);
	assert_int_equal(s.allow, ALLOW_UPDATE | ALLOW_CREATE);
	assert_string_equal(s.objects, "A*,B?");
	assert_string_equal(s.client_secret_command, "a=b\\c");
	assert_int_equal(s.line[setting_find("ttl", 3) - settings_table], ORIGIN_OPTION);
}

static void test_options__what_others_put_there_is_passed_over(void **state)
{
	AUTO(options) struct options o;
	struct error err = {0};
	(void)state;
	options_init(&o);
	int r = options_add(&o,
		"defaults,user,noauto,_netdev,nofail,exec,noexec,suid,nosuid,dev,nodev,,relatime,"
		"x-systemd.automount,x-systemd.idle-timeout=10min,comment=a=b,user=me,X-mount."
		"mkdir,",
		&err);
	if (r < 0) {
		fail_msg("%s", err.text);
	}
	assert_int_equal(o.setting_count, 0);
	assert_false(o.read_only);
}

static void test_options__errors(void **state)
{
	static const struct {
		const char *text, *expected;
	} cases[] = {
		{"allow_othr", "no option \"allow_othr\"; did you mean allow_other?"},
		{"cache_siz=1G", "did you mean cache_size?"},
		{"quux", "no option \"quux\""},
		{"ro=1", "ro takes no value"},
		{"ttl", "ttl needs a value"},
		{"uid", "uid needs a value"},
		{"uid=-1", "no such user"},
		{"uid=4294967295", "no such user"},
		{"gid=no-such-group", "no such group"},
		{"umask=8", "octal"},
		{"umask=1000", "octal"},
		{"allow=update,create", "written \\,"},
		{"client_secret=hush", "settings file, or use -o client_secret_command"},
		{"refresh_token=hush", "everyone on this machine"},
		{"proxy=http://me:hush@proxy", "everyone on this machine"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(options) struct options o;
		struct error err = {0};
		options_init(&o);
		int r = options_add(&o, cases[i].text, &err);
		if (r >= 0 || !strstr(err.text, cases[i].expected) || strstr(err.text, "hush")) {
			fail_msg("%s: %d %s", cases[i].text, r, err.text);
		}
	}
}

static void test_options__sloppy_lets_unknown_words_pass(void **state)
{
	AUTO(options) struct options o;
	(void)state;
	options_init(&o);
	o.pass_unknown = true;
	assert_int_equal(options_add(&o, "quux,foo=bar,ro", NULL), 0);
	assert_true(o.read_only);
}

static void test_options__bad_value_is_named(void **state)
{
	AUTO(options) struct options o;
	AUTO(settings) struct settings s;
	struct error err = {0};
	(void)state;
	options_init(&o);
	assert_int_equal(settings_init(&s, "acme", NULL), 0);
	assert_int_equal(options_add(&o, "ttl=soon", NULL), 0);
	assert_true(options_apply(&o, &s, &err) < 0);
	assert_non_null(strstr(err.text, "-o ttl: \"soon\" is not a time"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options__mount_options),
		cmocka_unit_test(test_options__settings_and_escapes),
		cmocka_unit_test(test_options__what_others_put_there_is_passed_over),
		cmocka_unit_test(test_options__errors),
		cmocka_unit_test(test_options__sloppy_lets_unknown_words_pass),
		cmocka_unit_test(test_options__bad_value_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
