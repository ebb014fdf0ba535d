/* SPDX-License-Identifier: MIT */
/* Redirect URIs, and what comes back with them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "callback.h"
#include "listener_page.h"

static void test_callback__where_to_listen(void **state)
{
	static const struct {
		const char *uri, *host, *path;
		int port;
	} rows[] = {
		{"http://localhost:1717/OauthRedirect", "localhost", "/OauthRedirect", 1717},
		{"http://127.0.0.1/", "127.0.0.1", "/", 80},
		{"http://[::1]:8080/a/b?x=1", "::1", "/a/b", 8080},
		{"http://localhost:65535", "localhost", "/", 65535},
		{"https://localhost:1717/x", NULL, NULL, 0},
		{"http://acme.example.com/x", NULL, NULL, 0},
		{"http://localhost:0/x", NULL, NULL, 0},
		{"http://localhost:65536/x", NULL, NULL, 0},
		{"sfdc://success", NULL, NULL, 0},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct callback c;
		struct error err = {0};
		int r = callback_parse(rows[i].uri, &c, &err);
		assert_int_equal(r, rows[i].host ? 0 : -EINVAL);
		if (r == 0) {
			assert_string_equal(c.host, rows[i].host);
			assert_string_equal(c.path, rows[i].path);
			assert_int_equal(c.port, rows[i].port);
		}
	}
}

static void test_callback__pasted(void **state)
{
	static const struct {
		const char *text, *code, *error;
	} rows[] = {
		{"http://localhost:1717/x?code=aPrx%3D%3D&state=s1\n", "aPrx==", NULL},
		{"  \"http://localhost:1717/x?state=s1&code=a+b%2B\"  ", "a+b+", NULL},
		{"code=aPrx&state=s1#top", "aPrx", NULL},
		{"?code=aPrx&state=s1", "aPrx", NULL},
		{"aPrxBBTr.x_y%3D%3D", "aPrxBBTr.x_y==", NULL},
		{"aPrx==\r\n", "aPrx==", NULL},
		{"http://localhost:1717/x?error=access_denied&error_description=end-user+denied&"
		 "state=s1",
			NULL, "access_denied"},
		{"http://localhost:1717/x?code=aPrx", NULL, NULL},
		{"http://localhost:1717/x?code=aPrx&state=s2", NULL, NULL},
		{"http://localhost:1717/x?code=&state=s1", NULL, NULL},
		{"https://example.com/", NULL, NULL},
		{"two words", NULL, NULL},
		{"a%00b", NULL, NULL},
		{"\n", NULL, NULL},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(callback_answer) struct callback_answer a = {0};
		struct error err = {0};
		int r = callback_parse_pasted(rows[i].text, "s1", &a, &err);
		if (r != (rows[i].code || rows[i].error ? 0 : -EINVAL)) {
			fail_msg("%s: %d %s", rows[i].text, r, err.text);
		}
		assert_int_equal(a.code != NULL, rows[i].code != NULL);
		assert_int_equal(a.error != NULL, rows[i].error != NULL);
		if (rows[i].code) {
			assert_string_equal(a.code, rows[i].code);
		}
		if (rows[i].error) {
			assert_string_equal(a.error, rows[i].error);
			assert_string_equal(a.description, "end-user denied");
		}
	}
}

static void test_listener_page__escapes(void **state)
{
	const struct listener_page page = {
		.title = "<script>", .text = "a&b", .next = "\"quoted\"", .code = "x > y"};
	AUTO(buf) struct buf out;
	(void)state;
	buf_init(&out, 1 << 16);
	assert_int_equal(listener_page_write(&page, &out), 0);
	assert_null(strstr(buf_str(&out), "<script>"));
	assert_non_null(strstr(buf_str(&out), "<h1>&lt;script&gt;</h1>"));
	assert_non_null(strstr(buf_str(&out), "<p>a&amp;b</p>"));
	assert_non_null(strstr(buf_str(&out), "&quot;quoted&quot;"));
	assert_non_null(strstr(buf_str(&out), "<pre>x &gt; y</pre>"));
	buf_clear(&out);
	out.limit_bytes = 100;
	assert_int_equal(listener_page_write(&page, &out), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_callback__where_to_listen),
		cmocka_unit_test(test_callback__pasted),
		cmocka_unit_test(test_listener_page__escapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
