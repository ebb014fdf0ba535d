/* SPDX-License-Identifier: MIT */
#include "status_org.h"

#include <errno.h>

#include "compose.h"
#include "forcefs/base/paths.h"
#include "forcefs/model/limits.h"
#include "forcefs/sf/login.h"
#include "service.h"
#include "settings_command.h"
#include "settings_file.h"

static void put_text(json_t *o, const char *name, const char *text)
{
	json_object_set_new(o, name, *text ? json_string(text) : json_null());
}

static void put_who(json_t *o, const struct composition *c)
{
	struct sf_identity who = {0};
	char text[256];
	sf_identity(c->sf, &who);
	compose_who(&who, text, sizeof(text));
	put_text(o, "identity", text);
	put_text(o, "instance_url", who.instance_url);
	put_text(o, "api_version", who.api_version);
	put_text(o, "log_in", "works");
}

/* The header of the reply is newer than what the reply says. */
static void put_limits(json_t *o, const struct composition *c, const struct limits *limits)
{
	const struct remote *remote = sf_remote(c->sf);
	struct remote_usage usage = {0};
	remote->usage(remote->self, &usage);
	if (usage.max <= 0) {
		usage.max = limits->api_max;
		usage.used = limits->api_max - limits->api_left;
	}
	json_object_set_new(o, "api",
		json_pack("{s:I, s:I, s:I}", "used", (json_int_t)usage.used, "max",
			(json_int_t)usage.max, "reserve", (json_int_t)usage.reserve));
	if (limits->has_data_storage) {
		json_object_set_new(o, "data_storage",
			json_pack("{s:I, s:I}", "max_mb", (json_int_t)limits->data_max_mb,
				"left_mb", (json_int_t)limits->data_left_mb));
	}
}

static int ask(const struct settings *s, const struct composition *c, json_t *o, struct error *err)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct limits limits = {0};
	const struct remote *remote = sf_remote(c->sf);
	const struct until until = compose_patience(s);
	int r = sf_connect(c->sf, &until, err);
	if (r == 0) {
		r = remote->limits(remote->self, &until, &doc, err);
	}
	if (r == 0) {
		r = limits_parse(doc.json, doc.len, &limits, err);
	}
	if (r == 0) {
		sf_ask_username(c->sf, &until, NULL); /* no API call; once for all */
		put_who(o, c);
		put_limits(o, c, &limits);
	}
	return r;
}

static int ask_with(const struct settings *s, json_t *o, struct error *err)
{
	AUTO_FREE char *state_dir = NULL;
	struct composition c = {0};
	int r = paths_dir(PATHS_STATE, &state_dir, err);
	if (r == 0) {
		r = compose_http(s, &c, err);
	}
	if (r == 0) {
		r = compose_sf(s, state_dir, &c, err);
	}
	if (r == 0) {
		r = ask(s, &c, o, err);
	}
	compose_close(&c);
	return r;
}

int status_org(const char *org, json_t **ret, struct error *err)
{
	AUTO(settings) struct settings s = {0};
	service_protect();
	int r = settings_load(org, &s, err);
	if (r == 0) {
		r = settings_check(&s, err);
	}
	if (r == 0) {
		r = settings_run_commands(&s, err);
	}
	if (r < 0) {
		return r;
	}
	json_t *o = json_pack(
		"{s:s, s:s, s:s}", "org", org, "state", "not mounted", "login_url", s.login_url);
	r = o ? ask_with(&s, o, err) : error_set(err, ENOMEM, "out of memory");
	if (r < 0) {
		json_decref(o);
		return r;
	}
	*ret = o;
	return 0;
}
