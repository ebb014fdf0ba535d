/* SPDX-License-Identifier: MIT */
/*
 * .forcefs/metrics: OpenMetrics text (TYPE, UNIT, HELP, # EOF) that readers of Prometheus' older
 * text format take too, above all node_exporter's textfile collector. That one refuses the type
 * info, so the build is told by a gauge, as others do. Every sample says which org and which mount
 * it is of: files of several mounts may lie in one folder.
 */
#include <stdio.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/model/json_quote.h"
#include "fs_priv.h"

#define LABELS_BYTES 32768

struct sheet {
	struct buf *out;
	struct buf labels; /* org="…",mount="…" */
};

/* ---- pieces ---- */

/* Escaped as in JSON, which is the same here for what is left: control characters but the newline
 * have no escape in this format. */
static int add_value(struct buf *out, const char *text)
{
	AUTO(buf) struct buf plain;
	buf_init(&plain, LABELS_BYTES);
	for (const char *p = text; *p; p++) {
		bool odd = ((unsigned char)*p < 0x20 && *p != '\n') || *p == 0x7f;
		buf_add_char(&plain, odd ? '?' : *p);
	}
	return json_quote(buf_str(&plain), plain.len, out);
}

static void add_label(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, "%s%s=", out->len ? "," : "", name);
	add_value(out, text ? text : "");
}

/* unit may be NULL; name ends in it then. */
static void family(
	struct sheet *s, const char *name, const char *type, const char *unit, const char *help)
{
	buf_addf(s->out, "# HELP %s %s.\n# TYPE %s %s\n", name, help, name, type);
	if (unit) {
		buf_addf(s->out, "# UNIT %s %s\n", name, unit);
	}
}

/* more: further labels, or NULL */
static void sample(struct sheet *s, const char *name, const char *more, uint64_t value)
{
	buf_addf(s->out, "%s{%s%s%s} %llu\n", name, buf_str(&s->labels), more ? "," : "",
		more ? more : "", (unsigned long long)value);
}

static void gauge(
	struct sheet *s, const char *name, const char *unit, const char *help, uint64_t value)
{
	family(s, name, "gauge", unit, help);
	sample(s, name, NULL, value);
}

static void counter(
	struct sheet *s, const char *name, const char *unit, const char *help, uint64_t value)
{
	char total[80];
	snprintf(total, sizeof(total), "%s_total", name);
	family(s, name, "counter", unit, help);
	sample(s, total, NULL, value);
}

/* "0.025", "1.0": the canonical form of a bound. */
static void bound_text(int ms, char *buf, size_t size)
{
	int len = snprintf(buf, size, "%d.%03d", ms / 1000, ms % 1000);
	while (len > 0 && buf[len - 1] == '0' && buf[len - 2] != '.') {
		buf[--len] = '\0';
	}
}

/* ---- the families ---- */

static void add_mount(struct fs *fs, struct sheet *s)
{
	AUTO(buf) struct buf more;
	buf_init(&more, 1024);
	add_label(&more, "version", FORCEFS_VERSION);
	add_label(&more, "api_version", fs->config.api_version);
	family(s, "forcefs_build_info", "gauge", NULL, "The program behind the mount, always 1");
	sample(s, "forcefs_build_info", buf_str(&more), 1);
	int64_t up_ms = clock_wall_ms() - fs->started_ms;
	gauge(s, "forcefs_uptime_seconds", "seconds", "Time since the org was mounted",
		up_ms > 0 ? (uint64_t)up_ms / 1000 : 0);
}

static void add_latency(const struct remote_usage *u, struct sheet *s)
{
	static const char name[] = "forcefs_api_request_seconds";
	char le[32], more[48];
	uint64_t sum = 0;
	family(s, name, "histogram", "seconds",
		"How long API requests took, waits and retries included");
	for (int i = 0; i <= REMOTE_TOOK_STEPS; i++) {
		sum += u->took[i];
		if (i < REMOTE_TOOK_STEPS) {
			bound_text(remote_took_ms[i], le, sizeof(le));
		} else {
			snprintf(le, sizeof(le), "+Inf");
		}
		snprintf(more, sizeof(more), "le=\"%s\"", le);
		sample(s, "forcefs_api_request_seconds_bucket", more, sum);
	}
	sample(s, "forcefs_api_request_seconds_count", NULL, sum);
	buf_addf(s->out, "%s_sum{%s} %llu.%03u\n", name, buf_str(&s->labels),
		(unsigned long long)(u->took_ms / 1000), (unsigned)(u->took_ms % 1000));
}

static void add_api(const struct remote_usage *u, struct sheet *s)
{
	counter(s, "forcefs_api_calls", NULL, "API calls that this mount made", u->calls);
	counter(s, "forcefs_http_requests", NULL,
		"HTTP requests sent, retries and log-ins included", u->requests);
	counter(s, "forcefs_received_bytes", "bytes", "Bytes of replies on the wire", u->bytes_in);
	add_latency(u, s);
	if (u->max <= 0) { /* not known before the first reply */
		return;
	}
	gauge(s, "forcefs_api_budget_used", NULL,
		"API requests of the org in the last 24 hours, by all programs", (uint64_t)u->used);
	gauge(s, "forcefs_api_budget_max", NULL, "API requests that the org may make in 24 hours",
		(uint64_t)u->max);
	gauge(s, "forcefs_api_budget_reserve", NULL,
		"API requests that this mount leaves to others", (uint64_t)u->reserve);
}

static void add_cache(const struct mirror_status *m, struct sheet *s)
{
	counter(s, "forcefs_cache_hits", NULL, "Records answered from the cache", m->hits);
	counter(s, "forcefs_cache_misses", NULL, "Questions for which the org was asked",
		m->misses);
	counter(s, "forcefs_cache_checks", NULL, "Checks for what changed in the org", m->checks);
	counter(s, "forcefs_cache_evictions", NULL, "Objects dropped to keep cache_size",
		m->store.evictions);
	gauge(s, "forcefs_cache_file_bytes", "bytes", "Size of the cache",
		m->store.file_bytes + m->bodies.bytes);
	gauge(s, "forcefs_cache_limit_bytes", "bytes", "The setting cache_size, 0 for no limit",
		m->store.limit_bytes + m->bodies.limit_bytes);
}

static void add_objects(struct fs *fs, struct sheet *s, const char *name, const char *unit,
	const char *help, bool bytes)
{
	struct mirror_object_status o;
	uint32_t index = 0;
	family(s, name, "gauge", unit, help);
	while (mirror_object_status(fs->mirror, index, &index, &o) == 1) {
		char more[100]; /* names of objects are letters, digits and _ */
		snprintf(more, sizeof(more), "object=\"%s\"", o.name);
		sample(s, name, more, bytes ? o.bytes : o.records);
	}
}

static void add_saves(struct fs *fs, struct sheet *s)
{
	counter(s, "forcefs_saves", NULL, "Records updated, created and deleted here",
		atomic_load(&fs->saves.done));
	counter(s, "forcefs_failed_saves", NULL, "Updates, creates and deletes that failed",
		atomic_load(&fs->saves.failed));
	int running = atomic_load(&fs->saves.running);
	gauge(s, "forcefs_running_saves", NULL, "Updates, creates and deletes on their way",
		running > 0 ? (uint64_t)running : 0);
}

static void add_errors(struct fs *fs, struct sheet *s)
{
	struct fault_kind kind;
	family(s, "forcefs_errors", "counter", NULL,
		"Failed operations by errno and by Salesforce's own code");
	for (unsigned i = 0; fault_kind_at(&fs->faults, i, &kind); i++) {
		AUTO(buf) struct buf more;
		buf_init(&more, 512);
		add_label(&more, "errno", kind.errnum ? error_name(kind.errnum) : "other");
		add_label(&more, "code", kind.code);
		sample(s, "forcefs_errors_total", buf_str(&more), kind.count);
	}
}

int metrics_render(struct fs *fs, struct buf *out)
{
	struct mirror_status m;
	struct sheet s = {.out = out};
	mirror_get_status(fs->mirror, &m);
	buf_init(&s.labels, 2 * LABELS_BYTES);
	add_label(&s.labels, "org", fs->config.source);
	add_label(&s.labels, "mount", fs->config.mountpoint);
	add_mount(fs, &s);
	gauge(&s, "forcefs_online", NULL, "1 while the org can be reached, as far as known",
		!m.offline);
	add_api(&m.usage, &s);
	add_cache(&m, &s);
	add_objects(fs, &s, "forcefs_cached_records", NULL, "Records in the cache", false);
	add_objects(fs, &s, "forcefs_cached_bytes", "bytes", "Bytes of records in the cache", true);
	add_saves(fs, &s);
	gauge(&s, "forcefs_waiting_requests", NULL, "File operations that wait for the org",
		parking_count(&fs->parking));
	add_errors(fs, &s);
	buf_release(&s.labels);
	buf_add_str(out, "# EOF\n");
	return buf_failed(out);
}
