/* SPDX-License-Identifier: MIT */
/* forcefs login: a browser, a pasted address, an SFDX auth URL, or a look whether the grant works.
 */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "compose.h"
#include "forcefs/base/hold.h"
#include "forcefs/base/log.h"
#include "forcefs/base/paths.h"
#include "forcefs/sf/login.h"
#include "login.h"
#include "options.h"
#include "report.h"
#include "report_json.h"
#include "service.h"
#include "settings_command.h"
#include "settings_file.h"
#include "sfdx_url.h"

#define DOING "login"

struct call {
	const char *org, *sfdx;       /* sfdx: a file, or - */
	bool paste, as_json, misused; /* misused: a wrong value with -o */
	struct options options;
	struct settings settings;
	struct sfdx_url url;
	struct composition c;
};

static void call_release(struct call *c)
{
	compose_close(&c->c);
	options_release(&c->options);
	settings_release(&c->settings);
	sfdx_url_release(&c->url);
}
DEFINE_CLEANER(call, struct call, call_release)

/* ---- what is asked ---- */

static int read_arguments(struct call *c, int argc, char **argv)
{
	static const struct option names[] = {{"paste", no_argument, NULL, 'p'},
		{"sfdx-url", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'}, {0}};
	struct error err = {0};
	int letter;
	optind = 0;
	while ((letter = getopt_long(argc, argv, ":o:", names, NULL)) != -1) {
		switch (letter) {
		case 'p':
			c->paste = true;
			break;
		case 's':
			c->sfdx = optarg;
			break;
		case 'j':
			c->as_json = true;
			break;
		case 'o':
			if (options_add(&c->options, optarg, &err) < 0) {
				return report_usage(DOING, "%s", err.text);
			}
			break;
		case ':':
			return report_usage(DOING, "%s needs a value", argv[optind - 1]);
		default:
			return report_usage(DOING, "there is no such option");
		}
	}
	if (argc - optind != 1 || (c->paste && c->sfdx)) {
		return report_usage(DOING, c->paste && c->sfdx
						   ? "give --paste or --sfdx-url, not both"
						   : "give one org: forcefs login ORG");
	}
	c->org = argv[optind];
	return EXIT_FINE;
}

/* ---- the SFDX URL's app against the settings' ---- */

static int replace(char **at, const char *value, struct error *err)
{
	char *copy = value ? strdup(value) : NULL;
	if (value && !copy) {
		return error_set(err, ENOMEM, "out of memory");
	}
	free(*at);
	*at = copy;
	return 0;
}

static bool is_given(const struct settings *s, const char *name)
{
	return s->line[setting_find(name, strlen(name)) - settings_table] != ORIGIN_STANDARD;
}

/* What the settings say counts, as it will at every mount; the URL fills in the rest. */
static int take_app(struct call *c, struct error *err)
{
	struct settings *s = &c->settings;
	bool own_app = is_given(s, "client_id");
	if (own_app && s->client_id && strcmp(s->client_id, c->url.client_id) != 0) {
		return error_set(err, EINVAL,
			"the URL's app is %s, that of the settings another one; put client_id = %s "
			"into the section [%s], or remove the client_id there",
			c->url.client_id, c->url.client_id, s->org);
	}
	int r = replace(&s->client_id, c->url.client_id, err);
	if (r == 0 && !is_given(s, "login_url")) {
		r = replace(&s->login_url, c->url.login_url, err);
	}
	if (r == 0 && !is_given(s, "client_secret") && !is_given(s, "client_secret_command")) {
		r = replace(&s->client_secret, c->url.client_secret, err);
	}
	return r;
}

/* ---- logging in ---- */

/* A rotated refresh token that was granted and not saved is a dead log-in: Ctrl-C has to wait. */
static int login_by_sfdx(struct call *c, const struct until *until, struct error *err)
{
	AUTO(hold) struct hold hold;
	hold_begin(&hold, NULL);
	return sf_login_refresh_token(c->c.sf, c->url.refresh_token, until, err);
}

static int log_in(struct call *c, struct error *err)
{
	const struct settings *s = &c->settings;
	const struct until until = compose_patience(s);
	if (c->sfdx) {
		return login_by_sfdx(c, &until, err);
	}
	if (s->grant != SF_GRANT_REFRESH_TOKEN) {
		return sf_login_anew(c->c.sf, &until, err);
	}
	return c->paste ? login_by_paste(c->c.sf, s, err) : login_by_browser(c->c.sf, s, err);
}

static int check_way(const struct call *c, struct error *err)
{
	if ((c->paste || c->sfdx) && c->settings.grant != SF_GRANT_REFRESH_TOKEN) {
		return error_set(err, EINVAL,
			"%s is for grant = refresh_token; the settings of %s name another grant, "
			"which needs no browser",
			c->paste ? "--paste" : "--sfdx-url", c->org);
	}
	return 0;
}

static int prepare(struct call *c, struct error *err)
{
	AUTO_FREE char *state_dir = NULL;
	int r = settings_load(c->org, &c->settings, err);
	if (r == 0) {
		r = options_apply(&c->options, &c->settings, err);
		c->misused = r < 0;
	}
	if (r == 0) {
		r = check_way(c, err);
	}
	if (r == 0 && c->sfdx) {
		r = sfdx_url_read(c->sfdx, &c->url, err);
		r = r < 0 ? r : take_app(c, err);
	}
	if (r == 0) {
		r = settings_check(&c->settings, err);
	}
	if (r == 0) {
		r = settings_run_commands(&c->settings, err);
	}
	if (r == 0) {
		r = paths_dir(PATHS_STATE, &state_dir, err);
	}
	if (r == 0) {
		log_set_level((enum log_level)c->settings.log_level);
		r = compose_http(&c->settings, &c->c, err);
	}
	if (r == 0) {
		r = compose_sf(&c->settings, state_dir, &c->c, err);
	}
	return r;
}

/* The name and the API version are for the message; without them the log-in is as good. */
static int login(struct call *c, struct error *err)
{
	int r = prepare(c, err);
	if (r == 0) {
		r = log_in(c, err);
	}
	if (r == 0) {
		const struct until until = compose_patience(&c->settings);
		sf_ask_username(c->c.sf, &until, NULL);
		sf_connect(c->c.sf, &until, NULL);
	}
	return r;
}

/* ---- telling ---- */

static void print_json(const struct call *c, const struct error *err)
{
	struct sf_identity who = {0};
	json_t *answer;
	if (!err) {
		sf_identity(c->c.sf, &who);
	}
	answer = json_pack("{s:o, s:b, s:o, s:s, s:s, s:s, s:s, s:b, s:o, s:o}", "org",
		report_json(c->org), "logged_in", !err, "username", report_json(who.username),
		"user_id", who.user_id, "org_id", who.org_id, "instance_url", who.instance_url,
		"api_version", who.api_version, "lasting", !err && sf_login_lasts(c->c.sf), "code",
		report_json(err ? err->code : ""), "error", report_json(err ? err->text : ""));
	json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(answer);
}

static int tell(const struct call *c, int r, const struct error *err)
{
	char text[512];
	if (c->as_json) {
		print_json(c, r < 0 ? err : NULL);
	}
	if (r < 0) {
		return c->misused ? report_usage(DOING, "%s", err->text) : report_error(DOING, err);
	}
	login_describe(c->c.sf, &c->settings, text, sizeof(text));
	report(DOING, "%s; next: forcefs mount %s DIR", text, c->org);
	if (!sf_login_lasts(c->c.sf)) {
		report(DOING, "the app gave no refresh token, so this log-in ends with its "
			      "session; give the app the scope refresh_token and log in again");
	}
	return EXIT_FINE;
}

int cmd_login(int argc, char **argv)
{
	AUTO(call) struct call c = {0};
	struct error err = {0};
	options_init(&c.options);
	service_protect();
	int r = read_arguments(&c, argc, argv);
	if (r != EXIT_FINE) {
		return r;
	}
	r = login(&c, &err);
	return tell(&c, r, &err);
}
