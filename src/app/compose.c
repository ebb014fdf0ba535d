/* SPDX-License-Identifier: MIT */
/* Where the floors meet: the only place that fills their configs. */
#include "compose.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/log.h"
#include "forcefs/base/paths.h"

#define CONNECT_MS_MAX        10000
#define CONNECTIONS_MAX       16
#define CACHE_IN_MEMORY_BYTES (256 << 20) /* where there is no room on disk */

const char *const compose_own_hosts[] = {".salesforce.com", ".force.com", ".cloudforce.com",
	".salesforce.mil", ".crmforce.mil", ".sfcrmproducts.cn", NULL};

static_assert((int)LOG_LEVEL_ERROR == 0 && (int)LOG_LEVEL_DEBUG == 3,
	"log_level's choices stand in this order");
static_assert((int)SF_GRANT_REFRESH_TOKEN == 0 && (int)SF_GRANT_JWT_BEARER == 1 &&
		      (int)SF_GRANT_CLIENT_CREDENTIALS == 2 && (int)SF_GRANT_SF == 3,
	"grant's choices stand in this order");

int compose_http(const struct settings *s, struct composition *c, struct error *err)
{
	int timeout_ms = (int)s->timeout_s * 1000;
	const struct http_config config = {
		.user_agent = "forcefs/" FORCEFS_VERSION,
		.ca_file = s->ca_file,
		.proxy = s->proxy,
		.timeout_ms = timeout_ms,
		.connect_timeout_ms = timeout_ms < CONNECT_MS_MAX ? timeout_ms : CONNECT_MS_MAX,
		.max_connections = CONNECTIONS_MAX,
		.hosts = compose_own_hosts,
	};
	return http_open(&config, &c->http, err);
}

int compose_sf(
	const struct settings *s, const char *state_dir, struct composition *c, struct error *err)
{
	const struct sf_config config = {
		.org = s->org,
		.login_url = s->login_url,
		.client_id = s->client_id,
		.client_secret = s->client_secret,
		.refresh_token = s->refresh_token,
		.grant = (enum sf_grant)s->grant,
		.username = s->username,
		.jwt_key_file = s->jwt_key_file,
		.sf_alias = s->sf_alias,
		.api_version = s->api_version,
		.state_dir = state_dir,
		.api_reserve_percent = s->api_reserve.percent,
		.api_reserve_calls = s->api_reserve.calls,
	};
	return sf_open(&config, c->http, &c->sf, err);
}

struct until compose_patience(const struct settings *s)
{
	return (struct until){.deadline_ms = clock_mono_ms() + s->timeout_s * 1000};
}

void compose_who(const struct sf_identity *who, char *buf, size_t size)
{
	bool named = who->username[0];
	buf[0] = '\0';
	if (who->org_id[0]) {
		snprintf(buf, size, "%s%suser %s org %s%s", who->username, named ? " (" : "",
			who->user_id, who->org_id, named ? ")" : "");
	}
}

static bool is_out_of_reach(int r)
{
	return r == -EHOSTUNREACH || r == -ETIMEDOUT;
}

static struct until patience(const struct settings *s, struct cancel *cancel)
{
	struct until until = compose_patience(s);
	until.cancel = cancel;
	return until;
}

/* Logs in. An org out of reach will do if it is known who we are there; *ret_offline then. */
static int connect_sf(const struct settings *s, struct cancel *cancel, struct composition *c,
	struct error *ret_offline, struct error *err)
{
	const struct until until = patience(s, cancel);
	struct error failure = {0};
	int r = sf_connect(c->sf, &until, &failure);
	int known = sf_identity(c->sf, &c->identity);
	if (known < 0) {
		memset(&c->identity, 0, sizeof(c->identity));
	}
	if (r < 0 && (known < 0 || !is_out_of_reach(r))) {
		if (err) {
			*err = failure;
		}
		return r;
	}
	if (r < 0) {
		*ret_offline = failure;
	}
	return 0;
}

int compose_cache_dir(const struct settings *s, char **ret, struct error *err)
{
	if (!s->cache_dir) {
		return paths_dir(PATHS_CACHE, ret, err);
	}
	*ret = NULL;
	if (strcmp(s->cache_dir, "memory") != 0) {
		*ret = strdup(s->cache_dir);
		return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

static void note_origin(struct composition *c, enum store_origin origin)
{
	if (origin == STORE_REBUILT_DAMAGED || origin == STORE_REBUILT_VERSION) {
		snprintf(c->note, sizeof(c->note), "the cache was made anew, because %s",
			origin == STORE_REBUILT_DAMAGED
				? "its file was damaged"
				: "its file was written by another version of forcefs");
		log_warn("cache", "%s: %s", store_path(c->store), c->note);
	}
}

/* What of cache_size the bodies of attachments and the like may have. */
static int64_t files_share(const struct settings *s)
{
	return s->cache_size_bytes / 4;
}

/* The folder beside the cache file, whose lock is this folder's too: "….sqlite" -> "….files". */
static int open_blobs(
	const struct settings *s, const char *dir, struct composition *c, struct error *err)
{
	static const char ending[] = ".sqlite";
	const char *path = store_path(c->store);
	size_t len = strlen(path), stem = len - (sizeof(ending) - 1);
	AUTO_FREE char *folder = NULL;
	if (dir && len > sizeof(ending) && strcmp(path + stem, ending) == 0) {
		if (asprintf(&folder, "%.*s.files", (int)stem, path) < 0) {
			folder = NULL;
			return error_set(err, ENOMEM, "out of memory");
		}
	}
	const struct blobs_config config = {.dir = folder, .limit_bytes = (uint64_t)files_share(s)};
	return blobs_open(&config, &c->blobs, err);
}

static int open_store(const struct settings *s, struct composition *c, struct error *err)
{
	AUTO_FREE char *dir = NULL;
	char name[64];
	enum store_origin origin;
	int r = compose_cache_dir(s, &dir, err);
	if (r < 0) {
		return r;
	}
	snprintf(name, sizeof(name), "%s-%s", c->identity.org_id, c->identity.user_id);
	struct store_config config = {
		.dir = dir,
		.name = c->identity.org_id[0] ? name : s->org,
		.limit_bytes = (uint64_t)(s->cache_size_bytes - files_share(s)),
	};
	struct error full = {0};
	r = store_open(&config, &c->store, &origin, &full);
	if (r == -ENOSPC) { /* a mount without a cache on disk is better than none */
		snprintf(c->note, sizeof(c->note), "the cache is in memory: %.400s", full.text);
		log_warn("mount", "%s", c->note);
		config.dir = NULL;
		config.limit_bytes = CACHE_IN_MEMORY_BYTES;
		r = store_open(&config, &c->store, &origin, &full);
	}
	if (r == 0) {
		r = open_blobs(s, config.dir, c, &full);
	}
	if (r < 0) {
		if (err) {
			*err = full;
		}
		return error_prefix(err, r, "opening the cache");
	}
	note_origin(c, origin);
	return 0;
}

static int open_mirror(const struct settings *s, struct composition *c, struct error *err)
{
	const struct mirror_config config = {
		.ttl_s = (int)s->ttl_s,
		.timeout_ms = (int)s->timeout_s * 1000,
		.objects = s->objects,
		.hide = s->hide,
		.may_update = s->allow & ALLOW_UPDATE,
		.may_create = s->allow & ALLOW_CREATE,
		.may_delete = s->allow & ALLOW_DELETE,
		.blobs = c->blobs,
	};
	return mirror_open(&config, sf_remote(c->sf), c->store, &c->mirror, err);
}

/* True if the list of objects is in the cache, however old. */
static bool is_warm(struct mirror *m)
{
	struct mirror_object o;
	for (uint32_t i = 1; i <= STORE_OBJECT_MAX; i++) {
		if (mirror_object_by_index(m, i, &o) == 0) {
			return true;
		}
	}
	return false;
}

/* Asks for the list of objects, as the first ls would: an org that refuses the API says so here. */
static int probe(
	const struct settings *s, struct cancel *cancel, struct composition *c, struct error *err)
{
	const struct until until = patience(s, cancel);
	struct mirror_object o;
	int r = mirror_object_next(c->mirror, 0, &until, &o, err);
	if (r < 0) {
		error_prefix(err, r, "asking for the list of objects");
	}
	if (r == 0) {
		snprintf(c->note, sizeof(c->note),
			"the org shows no object to this user%s; the directory will be empty",
			s->objects || s->hide ? " that fits the settings objects and hide" : "");
		log_warn("mount", "%s", c->note);
	}
	return r < 0 ? r : 0;
}

/* Offline with something to show is worth a word, without it a failure. */
static int judge_start(const struct settings *s, struct cancel *cancel, struct composition *c,
	const struct error *offline, struct error *err)
{
	bool warm = is_warm(c->mirror);
	if (warm && offline->errnum) {
		snprintf(c->note, sizeof(c->note),
			"the org is out of reach, what is cached is shown (%.400s)", offline->text);
		log_warn("mount", "%s", c->note);
	}
	if (!warm && offline->errnum) {
		if (err) {
			*err = *offline;
		}
		return -offline->errnum;
	}
	return warm ? 0 : probe(s, cancel, c, err);
}

static int open_all(const struct settings *s, const char *state_dir, struct cancel *cancel,
	struct composition *c, struct error *err)
{
	struct error offline = {0};
	int r = compose_http(s, c, err);
	if (r == 0) {
		r = compose_sf(s, state_dir, c, err);
	}
	if (r == 0) {
		r = connect_sf(s, cancel, c, &offline, err);
	}
	if (r == 0) {
		r = open_store(s, c, err);
	}
	if (r == 0) {
		r = open_mirror(s, c, err);
	}
	return r == 0 ? judge_start(s, cancel, c, &offline, err) : r;
}

int compose_open(const struct settings *s, const char *state_dir, struct cancel *cancel,
	struct composition *ret, struct error *err)
{
	struct composition c = {0};
	int r = open_all(s, state_dir, cancel, &c, err);
	if (r < 0) {
		compose_close(&c);
		return r;
	}
	*ret = c;
	return 0;
}

void compose_close(struct composition *c)
{
	mirror_close(c->mirror);
	blobs_close(c->blobs);
	store_close(c->store);
	sf_close(c->sf);
	http_close(c->http);
	*c = (struct composition){0};
}
