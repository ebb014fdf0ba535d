/* SPDX-License-Identifier: MIT */
/*
 * From the host's name to the list of objects. Whether a stored session still lives shows only when
 * it is used, so the log-in and the first call (GET limits) are one question whose failure is then
 * laid at the right door.
 */
#include "doctor.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "figures.h"
#include "forcefs/base/clock.h"
#include "forcefs/base/paths.h"
#include "forcefs/base/spawn.h"
#include "forcefs/model/catalog.h"
#include "forcefs/model/limits.h"
#include "forcefs/sf/login.h"

#define RESOLVE_MS  15000
#define SKEW_MOST_S 180
#define HOST_MAX    256
#define REPLY_BYTES (1u << 20)

/* ---- the host's name ---- */

/* The host of a URL. */
static void host_of(const char *url, char host[HOST_MAX])
{
	const char *start = strstr(url, "://");
	start = start ? start + 3 : url;
	const char *at = strchr(start, '@'); /* a proxy's may carry a user and password */
	start = at ? at + 1 : start;
	size_t len = *start == '[' ? strcspn(++start, "]") : strcspn(start, ":/");
	snprintf(host, HOST_MAX, "%.*s", (int)len, start);
}

/* True if $no_proxy names the host, or a domain that it lies in. */
static bool needs_no_proxy(const char *host)
{
	const char *list = getenv("no_proxy") ? getenv("no_proxy") : getenv("NO_PROXY");
	size_t host_len = strlen(host);
	for (const char *p = list ? list : ""; *p; p += strspn(p, ", ")) {
		size_t len = strcspn(p, ", ");
		const char *name = p + (*p == '.'), *tail;
		size_t n = len - (*p == '.');
		p += len;
		if (n == 1 && *name == '*') {
			return true;
		}
		tail = n > 0 && n <= host_len ? host + host_len - n : NULL;
		if (tail && strncasecmp(tail, name, n) == 0 && (tail == host || tail[-1] == '.')) {
			return true;
		}
	}
	return false;
}

/* The setting, or the environment as curl reads it. Borrowed. */
static const char *proxy_of(const struct settings *s)
{
	static const char *const names[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
	char host[HOST_MAX];
	host_of(s->login_url, host);
	bool loopback = strncmp(s->login_url, "http:", 5) == 0;
	if (loopback || needs_no_proxy(host)) {
		return NULL;
	}
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !s->proxy; i++) {
		const char *value = getenv(names[i]);
		if (value && *value) {
			return value;
		}
	}
	return s->proxy;
}

static void print_address(const struct addrinfo *a)
{
	char text[INET6_ADDRSTRLEN];
	const void *at =
		a->ai_family == AF_INET6
			? (const void *)&((const struct sockaddr_in6 *)a->ai_addr)->sin6_addr
			: (const void *)&((const struct sockaddr_in *)a->ai_addr)->sin_addr;
	fputs(inet_ntop(a->ai_family, at, text, sizeof(text)) ? text : "?", stdout);
}

/* In a child, because it cannot be given up. */
static int resolve(void *payload)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int r = getaddrinfo(payload, NULL, &hints, &found);
	if (r != 0) {
		fputs(gai_strerror(r), stderr);
		return 1;
	}
	print_address(found);
	fflush(stdout);
	freeaddrinfo(found);
	return 0;
}

static void judge_resolved(const char *host, const struct spawn_result *result, struct finding *f)
{
	if (spawn_succeeded(result) && strcmp(host, buf_str(&result->out)) == 0) {
		finding_set(f, DOCTOR_OK, "%s is an address, no name", host);
	} else if (spawn_succeeded(result)) {
		finding_set(f, DOCTOR_OK, "%s is %s", host, buf_str(&result->out));
	} else {
		finding_set(f, DOCTOR_FAILED,
			"the host %s cannot be found: %s; check login_url, the network and the "
			"name "
			"server, or set proxy",
			host,
			result->timed_out      ? "the name server does not answer"
			: result->complaint[0] ? result->complaint
					       : "the look-up failed");
	}
}

void doctor_host(struct doctor *d, struct finding *f)
{
	char host[HOST_MAX];
	const char *proxy = proxy_of(&d->settings);
	AUTO(spawn_result) struct spawn_result result = {0};
	struct error err = {0};
	host_of(proxy ? proxy : d->settings.login_url, host);
	const struct spawn s = {
		.run = resolve, .payload = host, .timeout_ms = RESOLVE_MS, .limit_bytes = 256};
	if (spawn_run(&s, &result, &err) < 0) {
		finding_fail(f, &err);
		return;
	}
	judge_resolved(host, &result, f);
	if (proxy && f->state == DOCTOR_OK) {
		finding_set(f, DOCTOR_OK, "the proxy %s is %s; it looks up the rest", host,
			buf_str(&result.out));
	}
}

/* ---- the connection ---- */

static void judge_reply(const struct doctor *d, const struct http_reply *reply, struct finding *f)
{
	const char *how = strncmp(d->settings.login_url, "https:", 6) == 0
				  ? "TLS works and the certificate is trusted"
				  : "plain HTTP, on this machine only";
	int64_t skew_s = reply->date_s ? clock_wall_ms() / 1000 - reply->date_s : 0;
	if (skew_s > SKEW_MOST_S || skew_s < -SKEW_MOST_S) {
		finding_set(f, DOCTOR_WARNING,
			"%s, but this machine's clock is %s %s; set it, or log-ins and checks for "
			"changes will fail",
			how, figure_span(skew_s < 0 ? -skew_s * 1000 : skew_s * 1000).text,
			skew_s < 0 ? "slow" : "fast");
	} else if (reply->status >= 500) {
		finding_set(f, DOCTOR_WARNING,
			"%s, but the host answers with HTTP %d; try again later, or check "
			"login_url",
			how, reply->status);
	} else {
		finding_set(f, DOCTOR_OK, "%s", how);
	}
}

/* The list of versions: needs no log-in and is not counted. */
void doctor_connection(struct doctor *d, struct finding *f)
{
	static const struct http_header headers[] = {{"Accept", "application/json"}};
	AUTO(http_reply) struct http_reply reply = {0};
	AUTO_FREE char *url = paths_join(d->settings.login_url, "services/data/");
	const struct until until = compose_patience(&d->settings);
	struct error err = {0};
	const struct http_request req = {.method = "GET",
		.url = url ? url : "",
		.headers = headers,
		.header_count = 1,
		.reply_limit_bytes = REPLY_BYTES};
	int r = compose_http(&d->settings, &d->c, &err);
	if (r == 0) {
		r = http_perform(d->c.http, &req, &until, &reply, &err);
	}
	if (r < 0) {
		finding_fail(f, &err);
	} else {
		judge_reply(d, &reply, f);
	}
}

/* ---- log-in, version, API: one question ---- */

static int ask(struct doctor *d, struct error *err)
{
	AUTO_FREE char *state_dir = NULL;
	AUTO(remote_doc) struct remote_doc doc = {0};
	const struct until until = compose_patience(&d->settings);
	int r = paths_dir(PATHS_STATE, &state_dir, err);
	if (r == 0) {
		r = compose_sf(&d->settings, state_dir, &d->c, err);
	}
	if (r == 0) {
		r = sf_connect(d->c.sf, &until, err);
	}
	if (r == 0) {
		const struct remote *remote = sf_remote(d->c.sf);
		d->api_asked = true;
		r = remote->limits(remote->self, &until, &doc, err);
	}
	return r;
}

/* A version that the org does not know is a page that is not there. */
static bool is_about_version(const struct doctor *d)
{
	const struct error *err = &d->fault;
	return err->errnum == EPROTONOSUPPORT || (d->api_asked && err->http_status == 404);
}

/* Codes of the token endpoint are in small letters, those of the API in capitals. */
static bool is_about_log_in(const struct doctor *d)
{
	const struct error *err = &d->fault;
	return (!d->api_asked && !is_about_version(d)) || islower((unsigned char)err->code[0]) ||
	       strncmp(err->code, "OAUTH_", 6) == 0 ||
	       strcmp(err->code, "INVALID_SESSION_ID") == 0 ||
	       strcmp(err->code, "INVALID_AUTH_HEADER") == 0;
}

void doctor_log_in(struct doctor *d, struct finding *f)
{
	struct sf_identity who = {0};
	char text[256];
	const struct until until = compose_patience(&d->settings);
	if (ask(d, &d->fault) < 0 && is_about_log_in(d)) {
		finding_fail(f, &d->fault);
		return;
	}
	sf_ask_username(d->c.sf, &until, NULL); /* no API call; once for all */
	sf_identity(d->c.sf, &who);
	compose_who(&who, text, sizeof(text));
	finding_set(f, DOCTOR_OK, "%s at %s", text, who.instance_url);
}

void doctor_version(struct doctor *d, struct finding *f)
{
	struct sf_identity who = {0};
	if (d->fault.errnum && is_about_version(d)) {
		if (d->settings.api_version) {
			finding_set(f, DOCTOR_FAILED,
				"the org does not know API version %s (%.200s); remove api_version "
				"from the settings, or set another one",
				d->settings.api_version, d->fault.text);
		} else {
			finding_fail(f, &d->fault);
		}
		return;
	}
	sf_identity(d->c.sf, &who);
	finding_set(f, DOCTOR_OK, "%s, %s", who.api_version,
		d->settings.api_version ? "as the settings want it"
					: "the newest that both sides know");
}

void doctor_api(struct doctor *d, struct finding *f)
{
	struct remote_usage usage = {0};
	if (d->fault.errnum) {
		finding_fail(f, &d->fault);
		return;
	}
	const struct remote *remote = sf_remote(d->c.sf);
	remote->usage(remote->self, &usage);
	int64_t left = usage.max > usage.used ? usage.max - usage.used : 0;
	if (usage.max <= 0) {
		finding_set(f, DOCTOR_OK, "it answers");
	} else if (left < usage.reserve) {
		finding_set(f, DOCTOR_WARNING,
			"it answers, but only %s of the day's %s requests are left, less than "
			"api_reserve (%s): a mount shows what is cached; wait, or lower "
			"api_reserve",
			figure_count(left).text, figure_count(usage.max).text,
			figure_count(usage.reserve).text);
	} else {
		finding_set(f, DOCTOR_OK, "it answers; %s of the day's %s requests are left",
			figure_count(left).text, figure_count(usage.max).text);
	}
}

/* ---- objects ---- */

/* The first name in the setting `objects` that is no pattern and that the org does not show. */
static bool find_absent(const struct catalog *c, const char *list, char name[81])
{
	for (const char *p = list ? list : ""; *p; p += strspn(p, ", \t")) {
		size_t len = strcspn(p, ", \t");
		snprintf(name, 81, "%.*s", len < 80 ? (int)len : 80, p);
		p += len;
		if (len > 0 && !strpbrk(name, "*?") && !catalog_find_any_case(c, name)) {
			return true;
		}
	}
	return false;
}

static void judge_catalog(const struct doctor *d, const struct catalog *c, struct finding *f)
{
	const struct settings *s = &d->settings;
	size_t shown = 0, writable = 0;
	char absent[81];
	for (size_t i = 0; i < c->count; i++) {
		const struct catalog_entry *e = &c->entries[i];
		bool listed = e->queryable && catalog_name_matches(s->objects, e->name, true) &&
			      !catalog_name_matches(s->hide, e->name, false);
		shown += listed;
		writable += listed && e->updateable;
	}
	if (shown == 0) {
		finding_set(f, DOCTOR_FAILED, "the org shows no object to this user%s",
			s->objects || s->hide
				? " that fits the settings objects and hide; check them"
				: "; ask the org's administrator for read access to objects");
	} else if (find_absent(c, s->objects, absent)) {
		finding_set(f, DOCTOR_WARNING,
			"%zu can be read, but not %s, which the setting objects names; check its "
			"spelling, or ask the org's administrator for read access",
			shown, absent);
	} else {
		finding_set(f, DOCTOR_OK, "%zu can be read, %zu of them written", shown, writable);
	}
}

void doctor_objects(struct doctor *d, struct finding *f)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	AUTO(catalog) struct catalog *c = NULL;
	const struct until until = compose_patience(&d->settings);
	const struct remote *remote = sf_remote(d->c.sf);
	struct error err = {0};
	int r = remote->objects(remote->self, NULL, &until, &doc, &err);
	if (r == 0) {
		r = catalog_parse(doc.json, doc.len, &c, &err);
	}
	if (r < 0) {
		finding_fail(f, &err);
	} else {
		judge_catalog(d, c, f);
	}
}
