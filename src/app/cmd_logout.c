/* SPDX-License-Identifier: MIT */
/* forcefs logout: the org ends the log-in, this machine forgets it. */
#include "command.h"

#include <jansson.h>
#include <stdio.h>

#include "compose.h"
#include "forcefs/base/log.h"
#include "forcefs/base/paths.h"
#include "forcefs/sf/login.h"
#include "report.h"
#include "report_json.h"
#include "service.h"
#include "settings_command.h"
#include "settings_file.h"

#define DOING "logout"

/* Secrets of the settings are of use (a refresh token there is revoked too), but where a command
 * cannot give one, what is stored must go all the same. */
static int prepare(const char *org, struct settings *s, struct composition *c, struct error *err)
{
	AUTO_FREE char *state_dir = NULL;
	int r = settings_load(org, s, err);
	if (r == 0) {
		r = settings_check(s, err);
	}
	if (r == 0) {
		r = paths_dir(PATHS_STATE, &state_dir, err);
	}
	if (r == 0) {
		struct error fault = {0};
		log_set_level((enum log_level)s->log_level);
		if (settings_run_commands(s, &fault) < 0) {
			report(DOING, "%s; going on without", fault.text);
		}
		r = compose_http(s, c, err);
	}
	if (r == 0) {
		r = compose_sf(s, state_dir, c, err);
	}
	return r;
}

static int log_out(const char *org, struct settings *s, struct sf_logout *ret, struct error *err)
{
	AUTO(composition) struct composition c = {0};
	int r = prepare(org, s, &c, err);
	if (r == 0) {
		const struct until until = compose_patience(s);
		r = sf_logout(c.sf, &until, ret, err);
	}
	return r;
}

static void print_json(const char *org, const struct sf_logout *done, const struct error *err)
{
	json_t *answer = json_pack("{s:o, s:b, s:b, s:o, s:o}", "org", report_json(org),
		"was_logged_in", done->was_known, "revoked", done->revoked, "code",
		report_json(err ? err->code : ""), "error", report_json(err ? err->text : ""));
	json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(answer);
}

static void tell(const char *org, const struct settings *s, const struct sf_logout *done)
{
	if (!done->was_known) {
		report(DOING, "no log-in of %s was known here", org);
		return;
	}
	report(DOING, "%s is logged out%s", org,
		done->revoked ? "; the org has ended the log-in" : "");
	if (s->refresh_token || s->refresh_token_command) {
		report(DOING,
			"the settings still hold a refresh_token, which is of no use any more; "
			"remove that line");
	}
}

static int logout(const char *org, bool as_json)
{
	AUTO(settings) struct settings s = {0};
	struct sf_logout done = {0};
	struct error err = {0};
	int r = log_out(org, &s, &done, &err);
	if (as_json) {
		print_json(org, &done, r < 0 ? &err : NULL);
	}
	if (r < 0) {
		return report_error(DOING, &err);
	}
	tell(org, &s, &done);
	return EXIT_FINE;
}

int cmd_logout(int argc, char **argv)
{
	bool as_json = false;
	const char *operand;
	service_protect();
	int r = command_operand(
		argc, argv, DOING, "give one org: forcefs logout ORG", &as_json, &operand);
	if (r != EXIT_FINE) {
		return r;
	}
	return logout(operand, as_json);
}
