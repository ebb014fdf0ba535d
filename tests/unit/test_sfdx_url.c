/* SPDX-License-Identifier: MIT */
/* SFDX auth URLs in all their shapes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "sfdx_url.h"

static void test_sfdx_url__parts(void **state)
{
	static const struct {
		const char *text, *id, *secret, *token, *url;
	} rows[] = {
		{"force://PlatformCLI::5Aep861_x.y-z@acme.my.salesforce.com", "PlatformCLI", NULL,
			"5Aep861_x.y-z", "https://acme.my.salesforce.com"},
		{" \nforce://3MVG9.a_b:S3cret:5Aep==@127.0.0.1:8080\n", "3MVG9.a_b", "S3cret",
			"5Aep==", "http://127.0.0.1:8080"},
		{"{\"sfdxAuthUrl\":\"force://a:b:c@x.salesforce.com\"}", "a", "b", "c",
			"https://x.salesforce.com"},
		{"{\"status\":0,\"result\":{\"sfdxAuthUrl\":\"force://a==::c=@x.salesforce.com\"}}",
			"a==", NULL, "c=", "https://x.salesforce.com"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(sfdx_url) struct sfdx_url u = {0};
		struct error err = {0};
		int r = sfdx_url_parse(rows[i].text, strlen(rows[i].text), &u, &err);
		if (r < 0) {
			fail_msg("%s: %s", rows[i].text, err.text);
		}
		assert_string_equal(u.client_id, rows[i].id);
		assert_string_equal(u.client_secret ? u.client_secret : "",
			rows[i].secret ? rows[i].secret : "");
		assert_string_equal(u.refresh_token, rows[i].token);
		assert_string_equal(u.login_url, rows[i].url);
	}
}

static void test_sfdx_url__refuses(void **state)
{
	static const char *const texts[] = {"", "force://", "force://a:b:c", "force://a:b@h",
		"force://a:b:@h", "force://:b:c@h", "force://a:b:c@", "force://a:b:c@h/x",
		"force://a b:c:d@h", "force://a===:b:c@h", "http://a:b:c@h", "{}", "{\"result\":1}",
		"{\"sfdxAuthUrl\":7}", "[REDACTED] run sf org auth",
		"{\"sfdxAuthUrl\":\"[REDACTED]\"}", "force://a:b:c:d@h"};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		AUTO(sfdx_url) struct sfdx_url u = {0};
		struct error err = {0};
		if (sfdx_url_parse(texts[i], strlen(texts[i]), &u, &err) != -EINVAL) {
			fail_msg("taken: %s", texts[i]);
		}
		assert_true(err.text[0] != '\0');
		assert_null(u.refresh_token);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sfdx_url__parts),
		cmocka_unit_test(test_sfdx_url__refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
