/* SPDX-License-Identifier: MIT */
/* The token manager against the practice org: one refresh, whoever asks, and no dead families. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sf_org.h"

#define THREADS 8

static struct sf_org org;

static int start(void **state)
{
	static const char *const arguments[] = {"--records", "Account=50", NULL};

	(void)state;
	if (!sf_org_start(&org, arguments)) {
		print_message("the practice org cannot be started\n");
		exit(77);
	}
	return 0;
}

static int stop(void **state)
{
	(void)state;
	sf_org_stop(&org);
	return 0;
}

static int ask_limits(struct sf *sf, struct error *err)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct until until = sf_org_until(20000);

	return sf_remote(sf)->limits(sf, &until, &doc, err);
}

/* The org turns down every session, the next `times` times (-1: always). */
static void refuse_session(int times)
{
	char json[200];

	snprintf(json, sizeof(json),
		"[{\"do\":\"error\",\"match\":{\"kind\":\"limits\"},\"status\":401,\"times\":%d,"
		"\"errorCode\":\"INVALID_SESSION_ID\",\"message\":\"Session expired or "
		"invalid\"}]",
		times);
	practice_do(&org.practice, "faults", json);
}

/* As on a full disk, until the limit is set to `before` again. */
static void let_no_file_grow(struct rlimit *before)
{
	struct rlimit none = {0, RLIM_INFINITY};

	getrlimit(RLIMIT_FSIZE, before);
	none.rlim_max = before->rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	setrlimit(RLIMIT_FSIZE, &none);
}

static void limits_work(struct sf *sf)
{
	struct error err = {0};

	must(ask_limits(sf, &err), &err);
	assert_int_equal(err.errnum, 0); /* success never touches it */
}

static void state_path(char *path, size_t size)
{
	snprintf(path, size, "%s/practice.token", org.state_dir);
}

static void test_login__costs_no_api_call(void **state)
{
	struct until until = sf_org_until(20000);
	struct sf_identity who;
	struct error err = {0};
	char path[128];
	struct stat st;

	(void)state;
	assert_int_equal(sf_identity(org.sf, &who), -ENODATA);
	must(sf_connect(org.sf, &until, &err), &err);
	assert_int_equal(practice_counted(&org.practice), 0);
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
	must(sf_identity(org.sf, &who), NULL);
	assert_string_equal(who.org_id, org.practice.org_id);
	assert_string_equal(who.user_id, org.practice.user_id);
	assert_string_equal(who.instance_url, org.practice.url);
	assert_string_equal(who.api_version, "67.0");
	state_path(path, sizeof(path));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_login__is_remembered_over_a_remount(void **state)
{
	struct until until = sf_org_until(20000);
	struct sf_identity who;
	struct error err = {0};

	(void)state;
	limits_work(org.sf);
	practice_reset(&org.practice);
	sf_org_reopen(&org);
	must(sf_identity(org.sf, &who), NULL);
	assert_string_equal(who.org_id, org.practice.org_id);
	assert_string_equal(who.api_version, "67.0");
	must(sf_connect(org.sf, &until, &err), &err);
	assert_int_equal(practice_calls(&org.practice, "token"), 0);
	assert_int_equal(practice_calls(&org.practice, "versions"), 0);
	limits_work(org.sf);
	assert_int_equal(practice_counted(&org.practice), 1);
}

static void test_login__forgets_what_other_settings_left(void **state)
{
	struct sf_identity who;

	(void)state;
	limits_work(org.sf);
	org.config.refresh_token = "another_seed";
	sf_org_reopen(&org);
	assert_int_equal(sf_identity(org.sf, &who), -ENODATA);
	org.config.refresh_token = NULL; /* the stored one, whatever it grew from */
	sf_org_reopen(&org);
	limits_work(org.sf);
	org.config.client_id = "another_app";
	sf_org_reopen(&org);
	assert_int_equal(sf_identity(org.sf, &who), -ENODATA);
}

static void test_login__does_not_wait_without_patience(void **state)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct cancel cancel;
	struct until until = sf_org_until(20000);

	(void)state;
	assert_int_equal(org.remote->limits(org.sf, NULL, &doc, NULL), -EWOULDBLOCK);
	cancel_init(&cancel);
	cancel_fire(&cancel);
	until.cancel = &cancel;
	assert_int_equal(org.remote->limits(org.sf, &until, &doc, NULL), -EINTR);
	cancel_release(&cancel);
	until = sf_org_until(-1);
	assert_int_equal(org.remote->limits(org.sf, &until, &doc, NULL), -ETIMEDOUT);
	assert_int_equal(practice_calls(&org.practice, "token"), 0);
}

static void test_session__is_renewed_once(void **state)
{
	(void)state;
	limits_work(org.sf);
	practice_do(&org.practice, "expire-sessions", "{}");
	practice_reset(&org.practice);
	limits_work(org.sf);
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
	assert_int_equal(practice_calls(&org.practice, "limits"), 2);
	limits_work(org.sf);
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
}

static void test_session__gives_up_after_one_renewal(void **state)
{
	struct error err = {0};

	(void)state;
	limits_work(org.sf);
	refuse_session(-1);
	practice_reset(&org.practice);
	assert_int_equal(ask_limits(org.sf, &err), -EACCES);
	assert_string_equal(err.code, "INVALID_SESSION_ID");
	assert_int_equal(err.http_status, 401);
	assert_non_null(strstr(err.text, "Session expired or invalid"));
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
	assert_int_equal(practice_calls(&org.practice, "limits"), 2);
}

/* Puts another address into the state file than the org gave. */
static void pretend_instance(const char *given, const char *other)
{
	char path[128], text[8192], *at;
	size_t n;
	FILE *f;

	state_path(path, sizeof(path));
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	at = strstr(text, "\"instance_url\"");
	at = at ? strstr(at, given) : NULL;
	assert_non_null(at);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%.*s%s%s", (int)(at - text), text, other, at + strlen(given));
	fclose(f);
	sf_org_reopen(&org);
}

/* Where the org was, the edge does not know it any more (420); the log-in host knows where it is. */
static void test_session__finds_an_org_that_has_moved(void **state)
{
	static const char *const arguments[] = {"--records", "Account=50", NULL};
	struct error err = {0};
	struct sf_identity who;
	struct practice moved;

	(void)state;
	assert_true(practice_start(&moved, arguments));
	org.config.login_url = moved.url;
	sf_org_reopen(&org);
	limits_work(org.sf);
	practice_do(&org.practice, "faults",
		"[{\"do\":\"html\",\"status\":420,\"times\":-1,\"match\":{}}]");
	pretend_instance(moved.url, org.practice.url);
	practice_reset(&moved);
	limits_work(org.sf);
	must(sf_identity(org.sf, &who), NULL);
	assert_string_equal(who.instance_url, moved.url);
	assert_int_equal(practice_calls(&moved, "token"), 1);
	/* One that is where it was is not asked for with every call. */
	practice_do(&moved, "faults",
		"[{\"do\":\"html\",\"status\":420,\"times\":-1,\"match\":{\"kind\":\"limits\"}}]");
	practice_reset(&moved);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ask_limits(org.sf, &err), -EHOSTUNREACH);
		assert_int_equal(err.http_status, 420);
	}
	assert_int_equal(practice_calls(&moved, "token"), 1);
	practice_stop(&moved);
}

/* The same for a mount that has to ask for the API version first. */
static void test_session__finds_an_org_that_has_moved_long_ago(void **state)
{
	static const char *const arguments[] = {"--records", "Account=50", NULL};
	struct until until = sf_org_until(20000);
	struct error err = {0};
	struct sf_identity who;
	struct practice moved;

	(void)state;
	assert_true(practice_start(&moved, arguments));
	org.config.login_url = moved.url;
	sf_org_reopen(&org);
	practice_do(&moved, "faults", /* no version is kept */
		"[{\"do\":\"status\",\"status\":404,\"match\":{\"kind\":\"versions\"}}]");
	assert_true(sf_connect(org.sf, &until, &err) < 0);
	practice_do(&org.practice, "faults",
		"[{\"do\":\"html\",\"status\":420,\"times\":-1,\"match\":{}}]");
	pretend_instance(moved.url, org.practice.url);
	must(sf_connect(org.sf, &until, &err), &err);
	must(sf_identity(org.sf, &who), NULL);
	assert_string_equal(who.instance_url, moved.url);
	practice_stop(&moved);
}

/* Another process renewed long ago: what it left in the state file has ended too. */
static void test_session__is_renewed_though_the_stored_one_has_ended_too(void **state)
{
	struct sf *other = NULL;

	(void)state;
	limits_work(org.sf);
	must(sf_open(&org.config, org.http, &other, NULL), NULL);
	practice_do(&org.practice, "expire-sessions", "{}");
	limits_work(other);
	practice_do(&org.practice, "expire-sessions", "{}");
	practice_reset(&org.practice);
	limits_work(org.sf);
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
	limits_work(other);
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
	sf_close(other);
}

struct worker {
	pthread_t thread;
	struct sf *sf;
	int result;
	struct error err;
};

static void *work(void *arg)
{
	struct worker *w = arg;

	w->result = ask_limits(w->sf, &w->err);
	return NULL;
}

static void together(struct worker *workers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
	}
	for (size_t i = 0; i < count; i++) {
		pthread_join(workers[i].thread, NULL);
	}
}

/* One that the org turns down as soon as it has given it is not asked for with every call. */
static void test_session__is_not_renewed_in_vain_again_and_again(void **state)
{
	struct worker workers[8] = {0};
	struct error err = {0};

	(void)state;
	for (int i = 0; i < 8; i++) {
		workers[i].sf = org.sf;
	}
	limits_work(org.sf);
	refuse_session(-1);
	practice_reset(&org.practice);
	assert_int_equal(ask_limits(org.sf, &err), -EACCES);
	assert_string_equal(err.code, "INVALID_SESSION_ID");
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
	together(workers, 8); /* all wait a while for another one */
	for (int i = 0; i < 8; i++) {
		assert_int_equal(workers[i].result, -EACCES);
	}
	assert_true(practice_calls(&org.practice, "token") <= 3);
	refuse_session(1);
	limits_work(org.sf); /* and none fails that could have gone well */
}

static void test_session__is_not_renewed_where_that_is_no_use(void **state)
{
	static const char *const replies[] = {
		"\"do\":\"error\",\"status\":401,\"errorCode\":\"INVALID_SESSION_ID\","
		"\"message\":\"This session is not valid for use with the REST API\"",
		"\"do\":\"status\",\"status\":401,\"content_type\":\"text/plain\","
		"\"body\":\"Connected app is not attached to Agent\"",
		"\"do\":\"error\",\"status\":403,\"errorCode\":\"API_CURRENTLY_DISABLED\"",
	};

	(void)state;
	limits_work(org.sf);
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		char json[400];

		snprintf(json, sizeof(json), "[{\"match\":{\"kind\":\"limits\"},\"times\":-1,%s}]",
			replies[i]);
		practice_do(&org.practice, "faults", json);
		practice_reset(&org.practice);
		assert_int_equal(ask_limits(org.sf, NULL), -EACCES);
		assert_int_equal(practice_calls(&org.practice, "token"), 0);
		assert_int_equal(practice_calls(&org.practice, "limits"), 1);
	}
}

static void test_session__is_renewed_after_a_403_that_means_401(void **state)
{
	(void)state;
	limits_work(org.sf);
	practice_do(&org.practice, "faults",
		"[{\"do\":\"error\",\"match\":{\"kind\":\"limits\"},\"status\":403,\"times\":1,"
		"\"errorCode\":\"INVALID_SESSION_ID\",\"message\":\"IP locked\"}]");
	practice_reset(&org.practice);
	limits_work(org.sf);
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
}

static void test_rotation__serves_all_threads_with_one_refresh(void **state)
{
	(void)state;
	practice_do(&org.practice, "token", "{\"rotation\":true,\"hold_ms\":100}");
	for (int round = 0; round < 3; round++) {
		struct worker workers[THREADS] = {0};

		practice_do(&org.practice, "expire-sessions", "{}");
		practice_reset(&org.practice);
		for (size_t i = 0; i < THREADS; i++) {
			workers[i].sf = org.sf;
		}
		together(workers, THREADS);
		for (size_t i = 0; i < THREADS; i++) {
			must(workers[i].result, &workers[i].err);
		}
		assert_int_equal(practice_calls(&org.practice, "token"), 1);
	}
}

/* Each sf has its own lock descriptor and memory, as another process would. */
static void test_rotation__holds_between_processes(void **state)
{
	struct sf *others[4];
	struct worker workers[THREADS] = {0};

	(void)state;
	practice_do(&org.practice, "token", "{\"rotation\":true,\"hold_ms\":50}");
	for (size_t i = 0; i < 4; i++) {
		must(sf_open(&org.config, org.http, &others[i], NULL), NULL);
	}
	for (int round = 0; round < 4; round++) {
		practice_do(&org.practice, "expire-sessions", "{}");
		practice_reset(&org.practice);
		for (size_t i = 0; i < THREADS; i++) {
			workers[i].sf = others[i % 4];
		}
		together(workers, THREADS);
		for (size_t i = 0; i < THREADS; i++) {
			must(workers[i].result, &workers[i].err);
		}
		assert_int_equal(practice_calls(&org.practice, "token"), 1);
	}
	for (size_t i = 0; i < 4; i++) {
		sf_close(others[i]);
	}
}

static void test_rotation__survives_a_remount(void **state)
{
	(void)state;
	practice_do(&org.practice, "token", "{\"rotation\":true}");
	for (int round = 0; round < 3; round++) {
		limits_work(org.sf);
		practice_do(&org.practice, "expire-sessions", "{}");
		sf_org_reopen(&org);
	}
	limits_work(org.sf);
}

static void test_rotation__never_uses_what_it_could_not_save(void **state)
{
	struct rlimit before;
	struct error err = {0};

	(void)state;
	practice_do(&org.practice, "token", "{\"rotation\":true}");
	limits_work(org.sf);
	practice_do(&org.practice, "expire-sessions", "{}");
	let_no_file_grow(&before);
	practice_reset(&org.practice);
	assert_int_equal(ask_limits(org.sf, &err), -EIO);
	assert_non_null(strstr(err.text, "cannot be saved"));
	assert_int_equal(ask_limits(org.sf, &err), -EIO);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
	limits_work(org.sf);
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
	practice_do(&org.practice, "expire-sessions", "{}");
	limits_work(org.sf); /* the family lives */
}

static void test_rotation__saves_at_the_latest_when_it_ends(void **state)
{
	struct rlimit before;

	(void)state;
	practice_do(&org.practice, "token", "{\"rotation\":true}");
	limits_work(org.sf);
	practice_do(&org.practice, "expire-sessions", "{}");
	let_no_file_grow(&before);
	assert_int_equal(ask_limits(org.sf, NULL), -EIO);
	setrlimit(RLIMIT_FSIZE, &before);
	sf_org_reopen(&org);
	practice_do(&org.practice, "expire-sessions", "{}");
	limits_work(org.sf); /* the family lives */
}

/* What could not be saved must not take the place of a log-in that was made meanwhile. */
static void test_rotation__leaves_a_later_log_in_alone(void **state)
{
	struct rlimit before;
	char path[128], text[4096];
	FILE *f;

	(void)state;
	practice_do(&org.practice, "token", "{\"rotation\":true}");
	limits_work(org.sf);
	practice_do(&org.practice, "expire-sessions", "{}");
	let_no_file_grow(&before);
	assert_int_equal(ask_limits(org.sf, NULL), -EIO);
	setrlimit(RLIMIT_FSIZE, &before);
	state_path(path, sizeof(path));
	f = fopen(path, "w"); /* as a log-in of another user leaves it */
	assert_non_null(f);
	fprintf(f,
		"{\"grant\":\"refresh_token\",\"login_url\":\"%s\",\"client_id\":\"%s\","
		"\"seed\":\"%s\",\"refresh_token\":\"another\",\"access_token\":\"another\","
		"\"instance_url\":\"%s\"}",
		org.practice.url, org.practice.client_id, org.practice.refresh_token,
		org.practice.url);
	fclose(f);
	chmod(path, 0600);
	ask_limits(org.sf, NULL);
	f = fopen(path, "r");
	assert_non_null(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	assert_non_null(strstr(text, "\"refresh_token\":\"another\""));
}

static void test_rotation__recalls_a_lost_state_file(void **state)
{
	char path[128];

	(void)state;
	practice_do(&org.practice, "token", "{\"rotation\":true}");
	limits_work(org.sf);
	practice_do(&org.practice, "expire-sessions", "{}");
	state_path(path, sizeof(path));
	unlink(path);
	limits_work(org.sf);
}

/* Who asked may leave before the org has answered: the new refresh token must not go with him. */
static void test_rotation__outlives_the_patience_of_who_asked(void **state)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct error err = {0};

	(void)state;
	practice_do(&org.practice, "token", "{\"rotation\":true}");
	limits_work(org.sf);
	practice_do(&org.practice, "token", "{\"rotation\":true,\"hold_ms\":1000}");
	practice_do(&org.practice, "expire-sessions", "{}");
	struct until until = sf_org_until(500);
	assert_int_equal(org.remote->limits(org.sf, &until, &doc, &err), -ETIMEDOUT);
	practice_reset(&org.practice);
	limits_work(org.sf);
	assert_int_equal(practice_calls(&org.practice, "token"), 0);
	sf_org_reopen(&org);
	practice_do(&org.practice, "expire-sessions", "{}");
	limits_work(org.sf); /* the family lives */
}

static void *cancel_soon(void *cancel)
{
	usleep(300000);
	cancel_fire(cancel);
	return NULL;
}

static void test_rotation__outlives_a_cancelled_call(void **state)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct error err = {0};
	struct until until = sf_org_until(20000);
	struct cancel cancel;
	pthread_t thread;

	(void)state;
	practice_do(&org.practice, "token", "{\"rotation\":true}");
	limits_work(org.sf);
	practice_do(&org.practice, "token", "{\"rotation\":true,\"hold_ms\":1000}");
	practice_do(&org.practice, "expire-sessions", "{}");
	cancel_init(&cancel);
	until.cancel = &cancel;
	assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
	assert_int_equal(org.remote->limits(org.sf, &until, &doc, &err), -EINTR);
	pthread_join(thread, NULL);
	cancel_release(&cancel);
	sf_org_reopen(&org);
	limits_work(org.sf); /* the family lives */
}

static void test_refresh__waits_while_the_token_is_in_use(void **state)
{
	(void)state;
	practice_do(&org.practice, "token",
		"{\"fail\":{\"error\":\"invalid_grant\",\"times\":2,\"error_description\":"
		"\"token request is already being processed\"}}");
	limits_work(org.sf);
	assert_int_equal(practice_calls(&org.practice, "token"), 3);
}

static void test_refresh__waits_no_longer_than_until(void **state)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct until until = sf_org_until(500);
	struct error err = {0};

	(void)state;
	practice_do(&org.practice, "token",
		"{\"fail\":{\"error\":\"invalid_grant\",\"times\":100,\"error_description\":"
		"\"token request is already being processed\"}}");
	assert_int_equal(org.remote->limits(org.sf, &until, &doc, &err), -EAGAIN);
	assert_string_equal(err.code, "invalid_grant");
}

static void test_refresh__does_not_hammer_a_dead_token(void **state)
{
	struct error err = {0};
	char path[128];

	(void)state;
	practice_do(&org.practice, "revoke", "{}");
	assert_int_equal(ask_limits(org.sf, &err), -EACCES);
	assert_string_equal(err.code, "invalid_grant");
	assert_non_null(strstr(err.text, "forcefs login practice"));
	assert_null(strstr(err.text, org.practice.refresh_token));
	for (int i = 0; i < 5; i++) {
		memset(&err, 0, sizeof(err));
		assert_int_equal(ask_limits(org.sf, &err), -EACCES);
		assert_string_equal(err.code, "invalid_grant");
	}
	assert_int_equal(practice_calls(&org.practice, "token"), 1);
	state_path(path, sizeof(path)); /* a new log-in writes the state file */
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs("{}", f);
	fclose(f);
	assert_int_equal(ask_limits(org.sf, &err), -EACCES);
	assert_int_equal(practice_calls(&org.practice, "token"), 2);
}

static void test_refresh__names_a_wrong_secret(void **state)
{
	struct error err = {0};

	(void)state;
	org.config.client_secret = "wrong";
	sf_org_reopen(&org);
	assert_int_equal(ask_limits(org.sf, &err), -EACCES);
	assert_string_equal(err.code, "invalid_client");
	assert_non_null(strstr(err.text, "client_secret"));
}

static void test_refresh__names_a_missing_log_in(void **state)
{
	struct error err = {0};

	(void)state;
	org.config.refresh_token = NULL;
	sf_org_reopen(&org);
	assert_int_equal(ask_limits(org.sf, &err), -EACCES);
	assert_non_null(strstr(err.text, "forcefs login practice"));
	assert_int_equal(practice_calls(&org.practice, "token"), 0);
}

static void test_client_credentials__ask_again_when_the_session_ends(void **state)
{
	struct error err = {0};

	(void)state;
	org.config.grant = SF_GRANT_CLIENT_CREDENTIALS;
	org.config.refresh_token = NULL;
	sf_org_reopen(&org);
	must(ask_limits(org.sf, &err), &err);
	practice_do(&org.practice, "expire-sessions", "{}");
	must(ask_limits(org.sf, &err), &err);
	assert_int_equal(practice_calls(&org.practice, "token"), 2);
}

static void test_open__checks_the_settings(void **state)
{
	struct {
		struct sf_config config;
		int r;
	} rows[] = {
		{org.config, 0},
		{org.config, -EINVAL},
		{org.config, -EINVAL},
		{org.config, -EINVAL},
		{org.config, -EINVAL},
		{org.config, -EINVAL},
		{org.config, -EINVAL},
		{org.config, -EINVAL},
	};

	(void)state;
	rows[1].config.org = "../etc";
	rows[2].config.login_url = "http://login.example.com";
	rows[3].config.login_url = "https://login.salesforce.com/services";
	rows[4].config.client_id = "";
	rows[5].config.grant = SF_GRANT_JWT_BEARER;
	rows[6].config.api_version = "12.0";
	rows[7].config.org = NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sf *sf = NULL;
		struct error err = {0};

		assert_int_equal(sf_open(&rows[i].config, org.http, &sf, &err), rows[i].r);
		assert_int_equal(err.text[0] == '\0', rows[i].r == 0);
		sf_close(sf);
	}
}

int main(void)
{
#define WITH_ORG(f) cmocka_unit_test_setup_teardown(f, start, stop)
	const struct CMUnitTest tests[] = {
		WITH_ORG(test_login__costs_no_api_call),
		WITH_ORG(test_login__is_remembered_over_a_remount),
		WITH_ORG(test_login__forgets_what_other_settings_left),
		WITH_ORG(test_login__does_not_wait_without_patience),
		WITH_ORG(test_session__is_renewed_once),
		WITH_ORG(test_session__gives_up_after_one_renewal),
		WITH_ORG(test_session__finds_an_org_that_has_moved),
		WITH_ORG(test_session__finds_an_org_that_has_moved_long_ago),
		WITH_ORG(test_session__is_renewed_though_the_stored_one_has_ended_too),
		WITH_ORG(test_session__is_not_renewed_in_vain_again_and_again),
		WITH_ORG(test_session__is_not_renewed_where_that_is_no_use),
		WITH_ORG(test_session__is_renewed_after_a_403_that_means_401),
		WITH_ORG(test_rotation__serves_all_threads_with_one_refresh),
		WITH_ORG(test_rotation__holds_between_processes),
		WITH_ORG(test_rotation__survives_a_remount),
		WITH_ORG(test_rotation__never_uses_what_it_could_not_save),
		WITH_ORG(test_rotation__saves_at_the_latest_when_it_ends),
		WITH_ORG(test_rotation__leaves_a_later_log_in_alone),
		WITH_ORG(test_rotation__recalls_a_lost_state_file),
		WITH_ORG(test_rotation__outlives_the_patience_of_who_asked),
		WITH_ORG(test_rotation__outlives_a_cancelled_call),
		WITH_ORG(test_refresh__waits_while_the_token_is_in_use),
		WITH_ORG(test_refresh__waits_no_longer_than_until),
		WITH_ORG(test_refresh__does_not_hammer_a_dead_token),
		WITH_ORG(test_refresh__names_a_wrong_secret),
		WITH_ORG(test_refresh__names_a_missing_log_in),
		WITH_ORG(test_client_credentials__ask_again_when_the_session_ends),
		WITH_ORG(test_open__checks_the_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
