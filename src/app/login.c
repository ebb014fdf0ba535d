/* SPDX-License-Identifier: MIT */
/* Log-in with a browser: ours comes back by itself, another one's last address is pasted. */
#include "login.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "browser.h"
#include "callback.h"
#include "compose.h"
#include "forcefs/base/clock.h"
#include "forcefs/base/log.h"
#include "forcefs/sf/login.h"
#include "listener.h"
#include "report.h"

#define DOING       "login"
#define PATIENCE_MS (5 * 60 * 1000)
#define PASTED_MAX  (16u << 10)
#define TRIES       3

static int begin(const struct settings *s, struct sf_authorize *a, struct error *err)
{
	const struct sf_authorize_config config = {
		.login_url = s->login_url,
		.client_id = s->client_id,
		.redirect_uri = s->redirect_uri,
		.scope = s->scope,
		.username = s->username,
	};
	return sf_authorize_init(a, &config, err);
}

/* The answer's code against tokens, or its refusal into an error. */
static int finish(struct sf *sf, const struct settings *s, const struct sf_authorize *a,
	const struct callback_answer *answer, struct error *err)
{
	const struct until until = compose_patience(s);
	if (answer->error) {
		return sf_login_refusal(
			s->org, answer->error, answer->description ? answer->description : "", err);
	}
	int r = sf_login_code(sf, a, s->redirect_uri, answer->code, &until, err);
	if (r == 0) {
		sf_ask_username(sf, &until, NULL);
	}
	return r;
}

void login_describe(struct sf *sf, const struct settings *s, char *dst, size_t size)
{
	struct sf_identity who = {0};
	sf_identity(sf, &who);
	snprintf(dst, size, "%s is logged in to %s (%s)",
		who.username[0]  ? who.username
		: who.user_id[0] ? who.user_id
				 : "the user",
		who.instance_url, s->org);
}

/* ---- in this machine's browser ---- */

static void show_end(
	struct listener *l, struct sf *sf, const struct settings *s, int r, const struct error *err)
{
	char text[512], command[128];
	struct listener_page page = {.good = r == 0};
	snprintf(command, sizeof(command), "forcefs mount %s DIR", s->org);
	if (r == 0) {
		login_describe(sf, s, text, sizeof(text));
		page.title = "You are logged in";
		page.text = text;
		page.next = "You can close this tab. To mount the org, type:";
		page.code = command;
	} else {
		log_escape(text, sizeof(text), err->text);
		page.title = "The log-in did not work";
		page.text = text;
		page.next = "You can close this tab and go back to the terminal.";
	}
	listener_answer(l, &page);
}

static void invite(const struct settings *s, const struct sf_authorize *a)
{
	report(DOING, "open this address to log in to %s, if the browser does not do so by itself:",
		s->org);
	fprintf(stderr, "\n%s\n\n", a->url);
	report(DOING,
		"waiting up to 5 minutes for the browser; Ctrl-C gives up. No browser on this "
		"machine? Use: forcefs login --paste %s",
		s->org);
}

static int wait_and_finish(struct listener *l, struct sf *sf, const struct settings *s,
	const struct sf_authorize *a, struct error *err)
{
	AUTO(callback_answer) struct callback_answer answer = {0};
	int r = listener_wait(l, clock_mono_ms() + PATIENCE_MS, &answer, err);
	if (listener_strangers(l)) {
		report(DOING, "%u answers of other log-ins were turned away",
			listener_strangers(l));
	}
	if (r < 0) {
		return r;
	}
	r = finish(sf, s, a, &answer, err);
	show_end(l, sf, s, r, err);
	return r;
}

int login_by_browser(struct sf *sf, const struct settings *s, struct error *err)
{
	AUTO(sf_authorize) struct sf_authorize a = {0};
	AUTO(listener) struct listener *l = NULL;
	int r = begin(s, &a, err);
	if (r < 0) {
		return r;
	}
	const struct listener_config config = {
		.redirect_uri = s->redirect_uri, .state = a.state, .login_url = s->login_url};
	r = listener_open(&config, &l, err);
	if (r < 0) {
		return r;
	}
	invite(s, &a);
	browser_open(a.url);
	return wait_and_finish(l, sf, s, &a, err);
}

/* ---- in another one ---- */

static int read_line(char *line, size_t size, struct error *err)
{
	if (!fgets(line, (int)size, stdin)) {
		return error_set(err, ENODATA, "nothing was pasted; nothing was changed");
	}
	return strlen(line) + 1 < size
		       ? 0
		       : error_set(err, EFBIG, "what was pasted is too long for an address");
}

/* Some tries: pasting goes wrong easily. */
static int ask(const struct sf_authorize *a, struct callback_answer *ret, struct error *err)
{
	static char line[PASTED_MAX];
	int r = -EINVAL;
	for (int i = 0; i < TRIES && r == -EINVAL; i++) {
		struct error fault = {0};
		fputs("Address or code: ", stderr);
		fflush(stderr);
		r = read_line(line, sizeof(line), &fault);
		if (r == 0) {
			r = callback_parse_pasted(line, a->state, ret, &fault);
		}
		if (r == -EINVAL && i + 1 < TRIES) {
			report(DOING, "%s", fault.text);
		} else if (r < 0) {
			*err = fault;
		}
	}
	explicit_bzero(line, sizeof(line));
	return r;
}

int login_by_paste(struct sf *sf, const struct settings *s, struct error *err)
{
	AUTO(sf_authorize) struct sf_authorize a = {0};
	AUTO(callback_answer) struct callback_answer answer = {0};
	int r = begin(s, &a, err);
	if (r < 0) {
		return r;
	}
	report(DOING, "open this address in a browser on any machine to log in to %s:", s->org);
	fprintf(stderr, "\n%s\n\n", a.url);
	report(DOING,
		"the browser ends on a page that may not load; copy its address, which begins "
		"with %s, and paste it here",
		s->redirect_uri);
	r = ask(&a, &answer, err);
	return r < 0 ? r : finish(sf, s, &a, &answer, err);
}
