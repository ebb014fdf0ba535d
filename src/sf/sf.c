/* SPDX-License-Identifier: MIT */
/* Opening and closing an org, and the table of what it can be asked. */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/paths.h"
#include "forcefs/net/redirect.h"

/* ---- the table ---- */

/* A version that the org does not know fails before anything was handed out; the newest one is
 * tried then. */
#define WITH_VERSION(sf, until, err, call)                                                         \
	({                                                                                         \
		struct error fault_ = {0};                                                         \
		int r_ = call;                                                                     \
		if (r_ < 0 && versions_changed(sf, until, &fault_)) {                              \
			memset(&fault_, 0, sizeof(fault_));                                        \
			r_ = call;                                                                 \
		}                                                                                  \
		if (r_ < 0 && (err) && fault_.errnum) {                                            \
			*(err) = fault_;                                                           \
		}                                                                                  \
		r_;                                                                                \
	})

static int table_objects(void *self, const char *if_modified, const struct until *until,
	struct remote_doc *ret, struct error *err)
{
	return WITH_VERSION(self, until, err, sf_objects(self, if_modified, until, ret, &fault_));
}

static int table_describe(void *self, const char *object, const char *if_modified,
	const struct until *until, struct remote_doc *ret, struct error *err)
{
	return WITH_VERSION(
		self, until, err, sf_describe(self, object, if_modified, until, ret, &fault_));
}

static int table_list(void *self, const struct schema *schema, const char *next,
	const struct remote_sink *sink, const struct until *until, struct remote_page *ret,
	struct error *err)
{
	return WITH_VERSION(
		self, until, err, sf_list(self, schema, next, sink, until, ret, &fault_));
}

static int table_retrieve(void *self, const struct schema *schema, const struct id *ids,
	size_t count, const struct remote_sink *sink, const struct until *until, struct error *err)
{
	return WITH_VERSION(
		self, until, err, sf_retrieve(self, schema, ids, count, sink, until, &fault_));
}

static int table_changes(void *self, const struct schema *schema, const char *describe_modified,
	int64_t since_ms, const struct remote_sink *sink, const struct until *until,
	struct remote_changes *ret, struct error *err)
{
	return WITH_VERSION(self, until, err,
		sf_changes(self, schema, describe_modified, since_ms, sink, until, ret, &fault_));
}

static int table_limits(
	void *self, const struct until *until, struct remote_doc *ret, struct error *err)
{
	return WITH_VERSION(self, until, err, sf_limits(self, until, ret, &fault_));
}

/* The three that write look after the version themselves: they know what was done already. */

static int table_update(void *self, const struct schema *schema, struct remote_save *saves,
	size_t count, const struct remote_sink *sink, const struct until *until, struct error *err)
{
	return sf_update(self, schema, saves, count, sink, until, err);
}

static int table_create(void *self, const struct schema *schema, const char *json, size_t len,
	const struct remote_sink *sink, const struct until *until, struct id *ret,
	struct error *err)
{
	return sf_create(self, schema, json, len, sink, until, ret, err);
}

static int table_remove(void *self, const struct schema *schema, const struct id *id,
	const struct until *until, struct error *err)
{
	return sf_remove(self, schema, id, until, err);
}

static int table_body(void *self, const struct schema *schema, const struct id *id, int64_t size,
	const struct remote_taker *taker, const struct until *until, struct error *err)
{
	return WITH_VERSION(
		self, until, err, sf_body(self, schema, id, size, taker, until, &fault_));
}

static int table_save_body(void *self, const struct schema *schema, const struct remote_body *body,
	const struct until *until, struct error *err)
{
	return sf_save_body(self, schema, body, until, err);
}

static void table_usage(void *self, struct remote_usage *ret)
{
	struct sf *sf = self;
	struct http_stats stats;

	memset(ret, 0, sizeof(*ret));
	usage_get(&sf->usage, ret);
	http_get_stats(sf->http, &stats);
	ret->requests = stats.requests;
	ret->bytes_in = stats.bytes_in;
}

static int table_record_url(void *self, const char *object, const struct id *id, struct buf *out)
{
	return sf_record_url(self, object, id, out);
}

/* https://X.my.salesforce.com and its sandbox forms show records at X.lightning.force.com. */
int sf_record_url(struct sf *sf, const char *object, const struct id *id, struct buf *out)
{
	static const char mine[] = ".my.salesforce.com";
	AUTO(token) struct token t = {0};
	int r = keeper_peek(&sf->keeper, &t);
	size_t n;

	if (r < 0) {
		return r;
	}
	if (!soql_name_ok(object)) {
		return -EINVAL;
	}
	n = strlen(t.instance_url);
	if (n > sizeof(mine) - 1 && !strcmp(t.instance_url + n - sizeof(mine) + 1, mine)) {
		return buf_addf(out, "%.*s.lightning.force.com/lightning/r/%s/%s/view",
			(int)(n - sizeof(mine) + 1), t.instance_url, object, id->text);
	}
	return buf_addf(out, "%s/%s", t.instance_url, id->text);
}

static void fill_table(struct sf *sf)
{
	sf->remote = (struct remote){
		.self = sf,
		.objects = table_objects,
		.describe = table_describe,
		.list = table_list,
		.retrieve = table_retrieve,
		.changes = table_changes,
		.update = table_update,
		.create = table_create,
		.remove = table_remove,
		.body = table_body,
		.save_body = table_save_body,
		.limits = table_limits,
		.usage = table_usage,
		.record_url = table_record_url,
	};
}

/* ---- open and close ---- */

/* The name becomes a file's. */
static bool org_name_ok(const char *org)
{
	size_t n =
		strspn(org, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.@+");

	return n > 0 && n <= 200 && org[n] == '\0' && org[0] != '.';
}

static bool given(const char *text)
{
	return text && *text;
}

static int check_grant(const struct sf_config *config, struct error *err)
{
	if (!given(config->login_url) ||
		(config->grant != SF_GRANT_SF && !given(config->client_id))) {
		return error_set(
			err, EINVAL, "the settings of %s lack login_url or client_id", config->org);
	}
	if (config->grant == SF_GRANT_JWT_BEARER &&
		(!given(config->username) || !given(config->jwt_key_file))) {
		return error_set(err, EINVAL,
			"the settings of %s lack username or jwt_key_file, which grant = "
			"jwt_bearer needs",
			config->org);
	}
	if (config->grant == SF_GRANT_SF && given(config->sf_alias) && config->sf_alias[0] == '-') {
		return error_set(err, EINVAL, "sf_alias must not begin with -");
	}
	return 0;
}

static int check_config(const struct sf_config *config, struct sf *sf, struct error *err)
{
	int r;

	if (!config->org || !org_name_ok(config->org)) {
		return error_set(
			err, EINVAL, "the org's name may hold letters, digits and _ - . @ + only");
	}
	r = check_grant(config, err);
	if (r < 0) {
		return r;
	}
	r = url_check(config->login_url, err);
	if (r < 0) {
		return error_prefix(err, r, "login_url");
	}
	if (config->api_version && !versions_normal(config->api_version, sf->wanted_version)) {
		return error_set(
			err, EINVAL, "api_version must look like 64.0 and be 52.0 or newer");
	}
	return 0;
}

static int copy_string(const char *from, char **ret)
{
	*ret = from && *from ? strdup(from) : NULL;
	return from && *from && !*ret ? -ENOMEM : 0;
}

/* Whom a token is for, where the grant does not say it by itself. */
static const char *user_of(const struct sf_config *config)
{
	if (config->grant == SF_GRANT_SF) {
		return given(config->sf_alias) ? config->sf_alias : config->org;
	}
	return config->grant == SF_GRANT_JWT_BEARER ? config->username : NULL;
}

static int copy_config(const struct sf_config *config, struct sf *sf, struct error *err)
{
	sf->login_url = token_origin(config->login_url);
	if (!sf->login_url) {
		return error_set(err, EINVAL,
			"login_url must be a scheme and a host only, as in "
			"https://NAME.my.salesforce.com");
	}
	if (copy_string(config->org, &sf->org) < 0 ||
		copy_string(config->grant == SF_GRANT_SF ? NULL : config->client_id,
			&sf->client_id) < 0 ||
		copy_string(user_of(config), &sf->user) < 0 ||
		copy_string(config->jwt_key_file, &sf->key_file) < 0 ||
		copy_string(config->client_secret, &sf->client_secret) < 0 ||
		copy_string(config->grant == SF_GRANT_REFRESH_TOKEN ? config->refresh_token : NULL,
			&sf->seed) < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

static int start(const struct sf_config *config, struct sf *sf, struct error *err)
{
	struct token_ask ask = {
		.org = sf->org,
		.login_url = sf->login_url,
		.client_id = sf->client_id,
		.client_secret = sf->client_secret,
		.grant = config->grant,
		.user = sf->user,
		.key_file = sf->key_file,
	};
	int r = config->state_dir ? paths_make_dir(config->state_dir, err)
				  : error_set(err, EINVAL, "there is no folder for the tokens");

	if (r < 0) {
		return error_prefix(
			err, r, "keeping the log-in (XDG_STATE_HOME may name another place)");
	}
	sf->batches = batches_new();
	if (!sf->batches) {
		return error_set(err, ENOMEM, "out of memory");
	}
	return keeper_init(&sf->keeper, sf->http, &ask, sf->seed, config->state_dir, err);
}

int sf_open(const struct sf_config *config, struct http *http, struct sf **ret, struct error *err)
{
	struct sf *sf = calloc(1, sizeof(*sf));
	int r;

	if (!sf) {
		return error_set(err, ENOMEM, "out of memory");
	}
	sf->http = http;
	usage_init(&sf->usage, config->api_reserve_percent, config->api_reserve_calls);
	pthread_mutex_init(&sf->versions.lock, NULL);
	keeper_blank(&sf->keeper);
	fill_table(sf);
	r = check_config(config, sf, err);
	if (r == 0) {
		r = copy_config(config, sf, err);
	}
	if (r == 0) {
		r = start(config, sf, err);
	}
	if (r < 0) {
		sf_close(sf);
		return r;
	}
	*ret = sf;
	return 0;
}

void sf_close(struct sf *sf)
{
	if (!sf) {
		return;
	}
	keeper_release(&sf->keeper);
	batches_free(sf->batches);
	pthread_mutex_destroy(&sf->versions.lock);
	usage_release(&sf->usage);
	free(sf->org);
	free(sf->login_url);
	free(sf->client_id);
	free(sf->user);
	free(sf->key_file);
	token_string_free(sf->client_secret);
	token_string_free(sf->seed);
	free(sf);
}

int sf_connect(struct sf *sf, const struct until *until, struct error *err)
{
	AUTO(session) struct session session = {0};
	char base[SF_BASE_SIZE];
	int r;

	r = until_check(until, err);
	if (r < 0) {
		return r;
	}
	r = keeper_get(&sf->keeper, until, &session, err);
	return r < 0 ? r : versions_base(sf, until, base, err);
}

int sf_identity(struct sf *sf, struct sf_identity *ret)
{
	AUTO(token) struct token t = {0};
	struct sf_identity found = {0};
	int r = keeper_peek(&sf->keeper, &t);

	if (r < 0) {
		return r;
	}
	token_identity(t.identity_url, found.org_id, found.user_id);
	snprintf(found.instance_url, sizeof(found.instance_url), "%s", t.instance_url);
	snprintf(found.username, sizeof(found.username), "%s",
		t.username                                    ? t.username
		: sf->keeper.ask.grant == SF_GRANT_JWT_BEARER ? sf->user
							      : "");
	versions_peek(sf, &t, found.api_version);
	*ret = found;
	return 0;
}

const struct remote *sf_remote(struct sf *sf)
{
	return &sf->remote;
}
