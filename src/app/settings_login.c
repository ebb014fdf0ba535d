/* SPDX-License-Identifier: MIT */
/* An SFDX auth URL brings an app and a host of its own; they count where the settings are silent.
 */
#include "settings.h"

#include <string.h>

#include "forcefs/sf/login.h"

static bool is_standard(const struct settings *s, const char *name)
{
	const struct setting *what = setting_find(name, strlen(name));
	return s->line[what - settings_table] == ORIGIN_STANDARD;
}

static void put(char **at, char **value)
{
	free(*at);
	*at = take_ptr(value);
}

int settings_take_login(struct settings *s, const char *state_dir, struct error *err)
{
	AUTO(sf_app) struct sf_app app = {0};
	if (s->grant != SF_GRANT_REFRESH_TOKEN) {
		return 0;
	}
	struct error fault = {0};
	int r = sf_stored_app(state_dir, s->org, &app, &fault);
	if (r < 0 && !s->client_id) {
		if (err) {
			*err = fault;
		}
		return r;
	}
	/* With an app in the settings, whoever needs the token tells that it cannot be read. */
	if (r < 0 || !app.client_id || (s->client_id && strcmp(s->client_id, app.client_id) != 0)) {
		return 0;
	}
	if (!s->client_id) {
		put(&s->client_id, &app.client_id);
	}
	if (!s->client_secret && !s->client_secret_command && app.client_secret) {
		put(&s->client_secret, &app.client_secret);
	}
	if (is_standard(s, "login_url")) {
		put(&s->login_url, &app.login_url);
	}
	return 0;
}
