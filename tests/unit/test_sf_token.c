/* SPDX-License-Identifier: MIT */
/* Token replies, the hosts a token may go to, and the state file. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/paths.h"
#include "sf_priv.h"

#define JSON "application/json"

static const struct token_ask ask = {
	.org = "acme",
	.login_url = "https://acme.my.salesforce.com",
	.client_id = "3MVG9",
	.grant = SF_GRANT_REFRESH_TOKEN,
	.refresh = "5Aep_SECRET",
};

static enum token_verdict reply(int status, const char *body, struct token *ret, struct error *err)
{
	return token_reply(&ask, status, JSON, body, strlen(body), ret, err);
}

static void test_token_reply__knows_the_refusals(void **state)
{
	static const struct {
		int status;
		const char *error, *description;
		enum token_verdict verdict;
		int errnum;
		const char *text; /* a part of it */
	} rows[] = {
		{400, "invalid_grant", "expired access/refresh token", TOKEN_DEAD, EACCES,
			"forcefs login acme"},
		{400, "invalid_grant", "token request is already being processed", TOKEN_BUSY,
			EAGAIN, "same refresh token"},
		{400, "invalid_grant", "expired authorization code", TOKEN_DEAD, EACCES,
			"used before"},
		{400, "invalid_grant", "authentication failure - Invalid Password", TOKEN_DEAD,
			EACCES, "log-in history"},
		{400, "invalid_grant", "user hasn't approved this consumer", TOKEN_DEAD, EACCES,
			"approve"},
		{400, "invalid_grant", "inactive user", TOKEN_DEAD, EACCES, "activate"},
		{400, "invalid_grant", "inactive organization", TOKEN_DEAD, EACCES, "deleted"},
		{400, "invalid_grant", "Audience validation failed", TOKEN_DEAD, EACCES,
			"My Domain"},
		{400, "invalid_grant", "request not supported on this domain", TOKEN_DEAD, EACCES,
			"My Domain"},
		{400, "invalid_grant", "no client credentials user enabled", TOKEN_DEAD, EACCES,
			"Run As"},
		{400, "invalid_grant", "ip restricted", TOKEN_DEAD, EACCES, "IP restrictions"},
		{400, "invalid_grant", "something new", TOKEN_DEAD, EACCES, "something new"},
		{400, "invalid_app_access", "user is not admin approved to access this app",
			TOKEN_DEAD, EACCES, "permission set"},
		{400, "invalid_client_id", "client identifier invalid", TOKEN_DEAD, EACCES,
			"client_id"},
		{400, "invalid_client", "invalid client credentials", TOKEN_DEAD, EACCES, "secret"},
		{400, "app_not_found", "", TOKEN_DEAD, EACCES, "My Domain"},
		{400, "unsupported_grant_type", "grant type not supported", TOKEN_DEAD, EINVAL,
			"grant"},
		{400, "invalid_scope", "", TOKEN_DEAD, EINVAL, "scopes"},
		{400, "rate_limit_exceeded", "", TOKEN_DEAD, EAGAIN, "wait"},
		{400, "invalid_grant", "login rate exceeded", TOKEN_DEAD, EAGAIN, "wait"},
		{400, "invalid", "login rate exceeded", TOKEN_DEAD, EAGAIN, "wait"},
		{400, "unheard_of", "", TOKEN_FAILED, EACCES, "forcefs doctor"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(token) struct token t = {0};
		struct error err = {0};
		char body[300];

		snprintf(body, sizeof(body), "{\"error\":\"%s\",\"error_description\":\"%s\"}",
			rows[i].error, rows[i].description);
		if (reply(rows[i].status, body, &t, &err) != rows[i].verdict ||
			!strstr(err.text, rows[i].text)) {
			fail_msg("row %zu: %s", i, err.text);
		}
		assert_int_equal(err.errnum, rows[i].errnum);
		assert_int_equal(err.http_status, rows[i].status);
		assert_string_equal(err.code, rows[i].error);
		assert_null(strstr(err.text, "SECRET"));
	}
}

static void test_token_reply__takes_a_grant(void **state)
{
	AUTO(token) struct token t = {0};
	char org[19], user[19];

	(void)state;
	assert_int_equal(
		reply(200,
			"{\"access_token\":\"00D!abc._\",\"signature\":\"s\",\"scope\":\"api\","
			"\"instance_url\":\"https://acme.my.salesforce.com/\",\"id\":\"https://"
			"login.salesforce.com/id/00D1a000000H3O9EAK/0051a000000UGT8AAO\","
			"\"token_type\":\"Bearer\",\"issued_at\":\"1435269208465\","
			"\"refresh_token\":\"new\"}",
			&t, NULL),
		TOKEN_GRANTED);
	assert_string_equal(t.access, "00D!abc._");
	assert_string_equal(t.refresh, "new");
	assert_string_equal(t.instance_url, "https://acme.my.salesforce.com");
	assert_string_equal(t.issued_at, "1435269208465");
	token_identity(t.identity_url, org, user);
	assert_string_equal(org, "00D1a000000H3O9EAK");
	assert_string_equal(user, "0051a000000UGT8AAO");
}

static void test_token_reply__refuses_what_is_no_grant(void **state)
{
#define GRANT(token, instance) "{\"access_token\":" token ",\"instance_url\":" instance "}"
	static const char *const bodies[] = {
		"",
		"[]",
		"{}",
		"{\"access_token\":\"x\"}",
		GRANT("\"\"", "\"https://a.my.salesforce.com\""),
		GRANT("null", "\"https://a.my.salesforce.com\""),
		GRANT("\"a b\"", "\"https://a.my.salesforce.com\""),
		GRANT("\"a\\r\\nX: y\"", "\"https://a.my.salesforce.com\""),
		GRANT("\"x\"", "\"https://evil.example\""),
		GRANT("\"x\"", "\"http://acme.my.salesforce.com\""),
		GRANT("\"x\"", "\"https://acme.my.salesforce.com"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct token t = {0};
		struct error err = {0};

		if (reply(200, bodies[i], &t, &err) != TOKEN_FAILED || err.errnum != EPROTO) {
			fail_msg("accepted: %s", bodies[i]);
		}
		assert_null(t.access);
	}
}

static void test_token_reply__names_a_web_page(void **state)
{
	struct token t = {0};
	struct error err = {0};

	(void)state;
	assert_int_equal(token_reply(&ask, 503, "text/html", "<html>", 6, &t, &err), TOKEN_FAILED);
	assert_int_equal(err.errnum, EIO);
	assert_non_null(strstr(err.text, "web page (HTTP 503)"));
}

static void test_token_instance_allowed__keeps_tokens_at_home(void **state)
{
	static const struct {
		const char *login, *instance;
		bool ok;
	} rows[] = {
		{"https://login.salesforce.com", "https://acme.my.salesforce.com", true},
		{"https://login.salesforce.com", "https://na1.salesforce.com", true},
		{"https://login.salesforce.com", "https://acme.my.site.force.com", true},
		{"https://login.salesforce.com", "https://acme.cloudforce.com", true},
		{"https://login.salesforce.com", "https://acme.my.salesforce.mil", true},
		{"https://login.salesforce.com", "https://acme.my.sfcrmproducts.cn", true},
		{"https://sso.acme.example", "https://sso.acme.example", true},
		{"https://sso.acme.example:8443", "https://sso.acme.example:9443", true},
		{"https://sso.acme.example", "https://other.acme.example", false},
		{"https://login.salesforce.com", "https://salesforce.com.evil.example", false},
		{"https://login.salesforce.com", "https://evilsalesforce.com", false},
		{"https://login.salesforce.com", "https://acme.lightning.force.com", false},
		{"https://login.salesforce.com", "https://acme.my.salesforce-setup.com", false},
		{"https://login.salesforce.com", "http://acme.my.salesforce.com", false},
		{"https://login.salesforce.com", "http://127.0.0.1:8080", false},
		{"https://login.salesforce.com", "https://evil.example/.salesforce.com", false},
		{"https://login.salesforce.com", "https://evil.example?.salesforce.com", false},
		{"https://login.salesforce.com", "https://evil.example#.salesforce.com", false},
		{"https://login.salesforce.com", "https://u@evil.example", false},
		{"https://login.salesforce.com", "https://acme.my.salesforce.com@evil.example",
			false},
		{"https://login.salesforce.com", "ftp://acme.my.salesforce.com", false},
		{"https://login.salesforce.com", "acme.my.salesforce.com", false},
		{"https://login.salesforce.com", "", false},
		{"http://127.0.0.1:4000", "http://127.0.0.1:4000", true},
		{"http://localhost:4000", "http://127.0.0.1:4001/", true},
		{"http://127.0.0.1:4000", "http://10.0.0.1", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (token_instance_allowed(rows[i].login, rows[i].instance) != rows[i].ok) {
			fail_msg("%s -> %s", rows[i].login, rows[i].instance);
		}
	}
}

static void test_token_identity__survives_anything(void **state)
{
	static const char *const urls[] = {"", "/", "https://x/id/foo/bar", "00D1a000000H3O9EAK",
		"https://x/id/00D1a000000H3O9EAK/", "///"};
	char org[19], user[19];

	(void)state;
	token_identity(NULL, org, user);
	assert_string_equal(org, "");
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		token_identity(urls[i], org, user);
		assert_string_equal(user, "");
	}
}

static char root[] = "/tmp/forcefs-token-XXXXXX";
static char file[64], lock[64];

static int make_root(void **state)
{
	(void)state;
	if (!mkdtemp(root)) {
		return -1;
	}
	snprintf(file, sizeof(file), "%s/acme.token", root);
	snprintf(lock, sizeof(lock), "%s/acme.lock", root);
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	unlink(file);
	unlink(lock);
	return rmdir(root);
}

static void test_token_file__keeps_every_string(void **state)
{
	struct token t = {.grant = (char *)"refresh_token",
		.login_url = (char *)"https://a",
		.client_id = (char *)"c\"\\\n",
		.seed = (char *)"s",
		.access = (char *)"a",
		.refresh = (char *)"r",
		.instance_url = (char *)"https://i",
		.identity_url = (char *)"https://x/id",
		.issued_at = (char *)"1",
		.api_version = (char *)"62.0",
		.api_version_at_s = 12345678901};
	AUTO(token) struct token back = {0};
	uint64_t hash, other;
	struct stat st;

	(void)state;
	assert_int_equal(token_file_save(file, &t, NULL), 0);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(token_file_load(file, &back, &hash, NULL), 0);
	assert_string_equal(back.client_id, t.client_id);
	assert_string_equal(back.seed, "s");
	assert_string_equal(back.refresh, "r");
	assert_string_equal(back.api_version, "62.0");
	assert_int_equal(back.api_version_at_s, 12345678901);
	token_release(&back);
	t.refresh = (char *)"r2";
	t.access = NULL;
	assert_int_equal(token_file_save(file, &t, NULL), 0);
	assert_int_equal(token_file_load(file, &back, &other, NULL), 0);
	assert_null(back.access);
	assert_true(hash != other);
}

static void test_token_file__tells_absence_from_damage(void **state)
{
	AUTO(token) struct token t = {0};
	uint64_t hash;
	struct error err = {0};

	(void)state;
	unlink(file);
	assert_int_equal(token_file_load(file, &t, &hash, &err), 0);
	assert_null(t.access);
	assert_int_equal(err.errnum, 0);
	assert_int_equal(paths_write_file(file, "{\"acc", 5, NULL), 0);
	assert_int_equal(token_file_load(file, &t, &hash, &err), -EPROTO);
	assert_non_null(strstr(err.text, "log in again"));
	assert_int_equal(paths_write_file(file, "", 0, NULL), 0);
	assert_int_equal(token_file_load(file, &t, &hash, &err), -EPROTO);
}

static void test_token_file_lock__waits_no_longer_than_until(void **state)
{
	struct until u = {.deadline_ms = clock_mono_ms() + 60000};
	struct until soon = {.deadline_ms = clock_mono_ms() + 80};
	struct cancel cancel;
	struct until fired = {.deadline_ms = clock_mono_ms() + 60000, .cancel = &cancel};
	AUTO_CLOSE int first = -1;
	AUTO_CLOSE int second = -1;

	(void)state;
	cancel_init(&cancel);
	cancel_fire(&cancel);
	assert_int_equal(token_file_lock(lock, &u, &first, NULL), 0);
	assert_true(fcntl(first, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(token_file_lock(lock, &soon, &second, NULL), -ETIMEDOUT);
	assert_int_equal(token_file_lock(lock, &fired, &second, NULL), -EINTR);
	close(first);
	first = -1;
	assert_int_equal(token_file_lock(lock, &u, &second, NULL), 0);
	cancel_release(&cancel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_token_reply__knows_the_refusals),
		cmocka_unit_test(test_token_reply__takes_a_grant),
		cmocka_unit_test(test_token_reply__refuses_what_is_no_grant),
		cmocka_unit_test(test_token_reply__names_a_web_page),
		cmocka_unit_test(test_token_instance_allowed__keeps_tokens_at_home),
		cmocka_unit_test(test_token_identity__survives_anything),
		cmocka_unit_test(test_token_file__keeps_every_string),
		cmocka_unit_test(test_token_file__tells_absence_from_damage),
		cmocka_unit_test(test_token_file_lock__waits_no_longer_than_until),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
