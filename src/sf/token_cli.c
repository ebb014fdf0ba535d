/* SPDX-License-Identifier: MIT */
/*
 * The log-in of the sf command, borrowed. Two commands of it are run:
 *
 *   sf org auth show-access-token   the token, refreshed before; missing in older versions
 *   sf org display                  where the token is good, and in older versions the token
 *
 * Starting it costs seconds, so it is run only when there is no token or the org turned the last
 * one down. Newer versions write "[REDACTED]…" where the token was: such a value is never sent.
 */
#include "sf_priv.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forcefs/base/spawn.h"

#define PATIENCE_MS        30000
#define OUTPUT_LIMIT_BYTES (1u << 20)
#define WORDS_MAX          8
#define NOT_FOUND          127

static int run_words(void *payload)
{
	char *const *words = payload;

	execvp(words[0], words);
	return NOT_FOUND;
}

static int judge_end(
	const struct spawn_result *result, const struct until *until, struct error *err)
{
	int r = until_check(until, err);

	if (r < 0) {
		return r;
	}
	if (result->timed_out) {
		return error_set(err, ETIMEDOUT, "the sf command did not end within %d seconds",
			PATIENCE_MS / 1000);
	}
	if (WIFEXITED(result->status) && WEXITSTATUS(result->status) == NOT_FOUND) {
		return error_set(err, ENOENT,
			"there is no sf command on the PATH; install the Salesforce CLI, or use "
			"another grant");
	}
	return 0;
}

/* What it says in JSON, or else the first line that it complained with. */
static int judge_answer(const char *alias, const struct spawn_result *result, const json_t *answer,
	struct error *err)
{
	const char *name = json_string_value(json_object_get(answer, "name"));
	const char *message = json_string_value(json_object_get(answer, "message"));
	char text[200] = "";

	if (spawn_succeeded(result) && json_is_object(json_object_get(answer, "result"))) {
		return 0;
	}
	message = message ? message : result->complaint;
	sf_error_tidy(text, sizeof(text), message, strlen(message));
	return error_set(err, EACCES,
		"the sf command gives no session of %s%s%s%s%s; run: sf org login web -a %s", alias,
		name || text[0] ? ": " : "", name ? name : "", name && text[0] ? ": " : "", text,
		alias);
}

/* Runs it; its JSON in *ret, new. Between the two failures -EACCES (it has no session) and others.
 */
static int run_cli(const char *const *command, const char *alias, const struct until *until,
	json_t **ret, struct error *err)
{
	AUTO(spawn_result) struct spawn_result result = {0};
	const char *words[WORDS_MAX] = {"sf", "org"};
	size_t n = 2;
	const struct spawn s = {.run = run_words,
		.payload = words,
		.timeout_ms = PATIENCE_MS,
		.limit_bytes = OUTPUT_LIMIT_BYTES,
		.until = until,
		.apart = true};

	while (*command) {
		words[n++] = *command++;
	}
	words[n++] = "--json";
	words[n++] = "-o";
	words[n++] = alias;
	int r = spawn_run(&s, &result, err);
	if (r == 0) {
		r = judge_end(&result, until, err);
	}
	if (r < 0) {
		return r;
	}
	const char *text = strchr(buf_str(&result.out), '{');
	json_t *answer = json_loads(text ? text : "", JSON_DISABLE_EOF_CHECK, NULL);
	r = judge_answer(alias, &result, answer, err);
	if (r < 0) {
		json_decref(answer);
		return r;
	}
	*ret = answer;
	return 0;
}

static const char *result_of(const json_t *answer, const char *key)
{
	return json_string_value(json_object_get(json_object_get(answer, "result"), key));
}

static bool is_redacted(const char *value)
{
	return value && !strncmp(value, "[REDACTED]", 10);
}

static int take_token(const char *value, struct token *t, struct error *err)
{
	if (is_redacted(value)) {
		return error_set(err, EACCES,
			"the sf command hides its token ([REDACTED]) and has no \"org auth "
			"show-access-token\"; update the Salesforce CLI");
	}
	if (!value || !token_text_ok(value)) {
		return error_set(err, EPROTO, "the sf command gave no access token");
	}
	t->access = strdup(value);
	return t->access ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int take_instance(
	const struct token_ask *ask, const json_t *answer, struct token *t, struct error *err)
{
	const char *url = result_of(answer, "instanceUrl");
	const char *username = result_of(answer, "username");

	if (!url || !token_instance_allowed(ask->login_url, url)) {
		return error_set(err, EPROTO,
			"the sf command names an instanceUrl that is no host of Salesforce's: its "
			"token is not used");
	}
	t->instance_url = token_origin(url);
	t->username = username ? strdup(username) : NULL;
	return t->instance_url ? 0 : error_set(err, ENOMEM, "out of memory");
}

/* Nothing else tells the user's Id, by which caches of several users stay apart. */
static void take_identity(struct http *http, const struct until *until, struct token *t)
{
	struct userinfo info;

	if (userinfo_get(http, t->instance_url, t->access, until, &info, NULL) == 0 &&
		asprintf(&t->identity_url, "%s/id/%s/%s", t->instance_url, info.org_id,
			info.user_id) < 0) {
		t->identity_url = NULL;
	}
}

static int borrow(
	const struct token_ask *ask, const struct until *until, struct token *t, struct error *err)
{
	static const char *const show[] = {"auth", "show-access-token", NULL};
	static const char *const display[] = {"display", NULL};
	json_t *token = NULL, *org = NULL;
	struct error fault = {0};
	int r = run_cli(show, ask->user, until, &token, &fault);

	/* An older one does not know the command; the other then tells what is wrong. */
	if (r < 0 && r != -EACCES) {
		*err = fault;
		return r;
	}
	r = run_cli(display, ask->user, until, &org, err);
	if (r == 0) {
		r = take_token(result_of(token ? token : org, "accessToken"), t, err);
	}
	if (r == 0) {
		r = take_instance(ask, org, t, err);
	}
	json_decref(token);
	json_decref(org);
	return r;
}

enum token_verdict token_cli(struct http *http, const struct token_ask *ask,
	const struct until *until, struct token *ret, struct error *err)
{
	AUTO(token) struct token t = {0};
	int r = borrow(ask, until, &t, err);

	if (r < 0) {
		/* Not run again for every file that is opened. */
		return r == -EACCES || r == -ENOENT || r == -EPROTO ? TOKEN_DEAD : TOKEN_FAILED;
	}
	take_identity(http, until, &t);
	*ret = t;
	memset(&t, 0, sizeof(t));
	return TOKEN_GRANTED;
}
