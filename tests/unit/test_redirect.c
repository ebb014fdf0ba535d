/* SPDX-License-Identifier: MIT */
/* Where a redirect may lead, and which URLs may be asked at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "forcefs/net/redirect.h"

static const char *const suffixes[] = {".salesforce.com", ".force.com", "crmforce.mil", NULL};

static void test_redirect_allowed__table(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to;
		bool allowed;
	} rows[] = {
		{"https://acme.my.salesforce.com/a", "https://acme2.my.salesforce.com/a", true},
		{"https://acme.my.salesforce.com/a", "https://x.lightning.force.com:8443/", true},
		{"https://acme.my.salesforce.com/a", "https://ACME.MY.SALESFORCE.COM/", true},
		{"https://login.salesforce.com", "https://a.crmforce.mil/", true},
		{"https://login.salesforce.com", "https://crmforce.mil/", true},
		/* other hosts, and ones that only look alike */
		{"https://acme.my.salesforce.com", "https://example.com/", false},
		{"https://acme.my.salesforce.com", "https://evilsalesforce.com/", false},
		{"https://acme.my.salesforce.com", "https://evilcrmforce.mil/", false},
		{"https://acme.my.salesforce.com", "https://.salesforce.com/", false},
		{"https://acme.my.salesforce.com", "https://salesforce.com.example.com/", false},
		{"https://acme.my.salesforce.com", "https://example.com/.salesforce.com", false},
		{"https://acme.my.salesforce.com", "https://example.com#.salesforce.com", false},
		{"https://acme.my.salesforce.com", "https://example.com\\.salesforce.com/", false},
		{"https://a.salesforce.com", "https://a.salesforce.com@example.com/", false},
		{"https://a.salesforce.com", "https://user:pw@b.salesforce.com/", false},
		{"https://a.salesforce.com", "https://a@b.salesforce.com/", false},
		/* never from https to http, and no other scheme */
		{"https://a.salesforce.com", "http://a.salesforce.com/", false},
		{"https://a.salesforce.com", "http://127.0.0.1/", false},
		{"https://127.0.0.1/", "http://127.0.0.1/", false},
		{"https://a.salesforce.com", "ftp://a.salesforce.com/", false},
		{"https://a.salesforce.com", "file:///etc/passwd", false},
		{"https://a.salesforce.com", "javascript:alert(1)", false},
		{"https://a.salesforce.com", "https://127.0.0.1/", false},
		/* loopback */
		{"http://127.0.0.1:8000/a", "http://127.0.0.1:9000/b", true},
		{"http://localhost:1/", "http://LOCALHOST:2/", true},
		{"http://[::1]:1/", "http://[::1]:2/", true},
		{"https://127.0.0.1/", "https://127.0.0.1:1/", true},
		{"http://127.0.0.1/", "http://localhost/", false},
		{"http://127.0.0.1/", "http://127.0.0.2/", false},
		{"http://127.0.0.1/", "https://127.0.0.1/", false},
		{"http://127.0.0.1/", "https://a.salesforce.com/", true},
		{"http://127.0.0.1/", "https://example.com/", false},
		/* nonsense */
		{"https://a.salesforce.com", "https:/b.salesforce.com", false},
		{"https://a.salesforce.com", "https:///b.salesforce.com", false},
		{"https://a.salesforce.com", "", false},
		{"https://a.salesforce.com", "/relative", false},
		{"https://a.salesforce.com", "https://", false},
		{"", "https://a.salesforce.com", false},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (redirect_allowed(rows[i].from, rows[i].to, suffixes) != rows[i].allowed) {
			fail_msg("%s to %s", rows[i].from, rows[i].to);
		}
	}
}

static void test_redirect_allowed__without_a_list_only_loopback(void **state)
{
	(void)state;
	assert_false(
		redirect_allowed("https://a.salesforce.com", "https://b.salesforce.com", NULL));
	assert_false(
		redirect_allowed("https://a.salesforce.com", "https://a.salesforce.com", NULL));
	assert_true(redirect_allowed("http://127.0.0.1:1/", "http://127.0.0.1:2/", NULL));
	static const char *const empty[] = {"", NULL};
	assert_false(redirect_allowed("https://a.salesforce.com", "https://example.com", empty));
}

static void test_url_check__table(void **state)
{
	(void)state;
	static const struct {
		const char *url;
		int result;
	} rows[] = {
		{"https://login.salesforce.com", 0},
		{"https://login.salesforce.com:8443/services/x?y=z", 0},
		{"HTTPS://login.salesforce.com/", 0},
		{"http://127.0.0.1:8080/", 0},
		{"http://127.8.9.1/", 0},
		{"http://[::1]:80/", 0},
		{"http://localhost:1717/x", 0},
		{"http://LocalHost/", 0},
		{"http://login.salesforce.com/", -EINVAL},
		{"http://localhost.example.com/", -EINVAL},
		{"http://127.0.0.1.example.com/", -EINVAL},
		{"http://128.0.0.1/", -EINVAL},
		{"http://[::2]/", -EINVAL},
		{"http://0.0.0.0/", -EINVAL},
		{"http://user@127.0.0.1/", -EINVAL},
		{"https://user:secret@login.salesforce.com/", -EINVAL},
		{"ftp://127.0.0.1/", -EINVAL},
		{"file:///etc/passwd", -EINVAL},
		{"login.salesforce.com", -EINVAL},
		{"", -EINVAL},
		{"https://", -EINVAL},
		{"https://a b/", -EINVAL},
		{"https://a\r\nHost: b/", -EINVAL},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct error e = {0};
		if (url_check(rows[i].url, &e) != rows[i].result) {
			fail_msg("%s", rows[i].url);
		}
		assert_int_equal(e.errnum, -rows[i].result);
		assert_null(strstr(e.text, "secret"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_redirect_allowed__table),
		cmocka_unit_test(test_redirect_allowed__without_a_list_only_loopback),
		cmocka_unit_test(test_url_check__table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
