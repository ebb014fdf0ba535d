/* SPDX-License-Identifier: MIT */
/* .forcefs/status.json: all that a mount knows about itself, without a call. */
#include <string.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "forcefs/model/json_quote.h"
#include "forcefs/model/stamp.h"
#include "fs_priv.h"

#define LAST_ERRORS 5

/* ---- pieces of JSON ---- */

static void add_text(struct buf *out, const char *s)
{
	if (s) {
		json_quote(s, strlen(s), out);
	} else {
		buf_add_str(out, "null");
	}
}

/* A time, or null for "never". */
static void add_time(struct buf *out, int64_t ms)
{
	char text[32];
	if (ms <= 0) {
		buf_add_str(out, "null");
		return;
	}
	stamp_soql(ms, text, sizeof(text));
	buf_addf(out, "\"%s\"", text);
}

static void add_member(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, "  \"%s\": ", key);
	add_text(out, value);
	buf_add_str(out, ",\n");
}

static const char *word(bool b)
{
	return b ? "true" : "false";
}

/* ---- status.json ---- */

static void add_mount(struct fs *fs, struct buf *out)
{
	const struct fs_config *c = &fs->config;
	add_member(out, "version", FORCEFS_VERSION);
	add_member(out, "org", c->source);
	add_member(out, "mountpoint", c->mountpoint);
	add_member(out, "identity", c->identity);
	add_member(out, "instance_url", c->instance_url);
	add_member(out, "api_version", c->api_version);
	buf_addf(out, "  \"pid\": %ld,\n", (long)getpid());
	buf_addf(out, "  \"uptime_s\": %lld,\n",
		(long long)((clock_wall_ms() - fs->started_ms) / 1000));
	buf_addf(out, "  \"read_only\": %s,\n", word(c->read_only));
	buf_addf(out, "  \"ttl_s\": %d,\n", atomic_load(&fs->ttl_s));
}

static void add_failure(const struct mirror_status *s, struct buf *out)
{
	if (!s->last_failure.errnum) {
		buf_add_str(out, "null");
		return;
	}
	buf_add_str(out, "{\"time\": ");
	add_time(out, s->last_failure_ms);
	buf_addf(out, ", \"errno\": \"%s\", \"code\": ", error_name(s->last_failure.errnum));
	add_text(out, s->last_failure.code);
	buf_add_str(out, ", \"text\": ");
	add_text(out, s->last_failure.text);
	buf_add_char(out, '}');
}

static void add_network(const struct mirror_status *s, struct buf *out)
{
	buf_addf(out, "  \"network\": {\"state\": \"%s\", \"since\": ",
		s->offline ? "offline" : "online");
	add_time(out, s->offline ? s->offline_since_ms : 0);
	buf_add_str(out, ", \"last_failure\": ");
	add_failure(s, out);
	buf_add_str(out, "},\n");
}

static void add_api(const struct remote_usage *u, struct buf *out)
{
	buf_addf(out,
		"  \"api\": {\"used\": %lld, \"max\": %lld, \"reserve\": %lld, "
		"\"calls_by_this_mount\": %llu, \"requests\": %llu, \"bytes_in\": %llu},\n",
		(long long)u->used, (long long)u->max, (long long)u->reserve,
		(unsigned long long)u->calls, (unsigned long long)u->requests,
		(unsigned long long)u->bytes_in);
}

static void add_cache(struct fs *fs, const struct mirror_status *s, struct buf *out)
{
	buf_add_str(out, "  \"cache\": {\"path\": ");
	add_text(out, s->store.left_disk ? "memory: no space was left on the cache's disk"
					 : fs->config.cache_path);
	buf_addf(out,
		", \"bytes\": %llu, \"limit\": %llu, \"evictions\": %llu, \"hits\": %llu, "
		"\"misses\": %llu, \"checks\": %llu,\n    \"files\": ",
		(unsigned long long)(s->store.file_bytes + s->bodies.bytes),
		(unsigned long long)(s->store.limit_bytes + s->bodies.limit_bytes),
		(unsigned long long)s->store.evictions, (unsigned long long)s->hits,
		(unsigned long long)s->misses, (unsigned long long)s->checks);
	buf_addf(out,
		"{\"count\": %llu, \"bytes\": %llu, \"limit\": %llu, \"evictions\": %llu, "
		"\"downloads\": %llu}},\n",
		(unsigned long long)s->bodies.files, (unsigned long long)s->bodies.bytes,
		(unsigned long long)s->bodies.limit_bytes, (unsigned long long)s->bodies.evictions,
		(unsigned long long)s->downloads);
}

/* Where an unfinished listing is; null if there is none. */
static void add_listing(const struct mirror_object_status *o, struct buf *out)
{
	if (!o->listing) {
		buf_add_str(out, "null");
		return;
	}
	buf_addf(out, "{\"records\": %llu, \"total\": ", (unsigned long long)o->listed);
	if (o->claimed > 0) {
		buf_addf(out, "%lld", (long long)o->claimed);
	} else {
		buf_add_str(out, "null");
	}
	buf_addf(out, ", \"running\": %s}", word(o->moving));
}

static void add_saves(struct fs *fs, struct buf *out)
{
	const struct saves *s = &fs->saves;
	buf_addf(out, "  \"saves\": {\"done\": %llu, \"failed\": %llu, \"in_progress\": %d},\n",
		(unsigned long long)atomic_load(&s->done),
		(unsigned long long)atomic_load(&s->failed), atomic_load(&s->running));
}

static void add_object(const struct mirror_object_status *o, struct buf *out)
{
	buf_add_str(out, "{\"name\": ");
	add_text(out, o->name);
	buf_addf(out, ", \"records\": %llu, \"bytes\": %llu, \"complete\": %s, \"checked\": ",
		(unsigned long long)o->records, (unsigned long long)o->bytes, word(o->complete));
	add_time(out, o->checked_ms);
	buf_add_str(out, ", \"refused\": ");
	add_text(out, o->verdict ? error_name(o->verdict) : NULL);
	buf_add_str(out, ", \"listing\": ");
	add_listing(o, out);
	buf_add_char(out, '}');
}

static void add_objects(struct fs *fs, struct buf *out)
{
	uint32_t index = 0;
	struct mirror_object_status o;
	const char *comma = "";
	buf_add_str(out, "  \"objects\": [");
	while (mirror_object_status(fs->mirror, index, &index, &o) == 1) {
		buf_addf(out, "%s\n    ", comma);
		add_object(&o, out);
		comma = ",";
	}
	buf_addf(out, "%s],\n", comma[0] ? "\n  " : "");
}

int status_render(struct fs *fs, struct buf *out)
{
	struct mirror_status s;
	mirror_get_status(fs->mirror, &s);
	buf_add_str(out, "{\n");
	add_mount(fs, out);
	add_network(&s, out);
	add_api(&s.usage, out);
	add_cache(fs, &s, out);
	add_saves(fs, out);
	add_objects(fs, out);
	buf_addf(out, "  \"errors\": %llu,\n", (unsigned long long)fault_count(&fs->faults));
	buf_add_str(out, "  \"last_errors\": [");
	fault_add_last(&fs->faults, LAST_ERRORS, out);
	buf_addf(out, "],\n  \"parked\": %u,\n", parking_count(&fs->parking));
	buf_addf(out, "  \"notifier\": {\"told\": %llu, \"busy\": %s}\n}\n",
		(unsigned long long)atomic_load(&fs->notifier.passed),
		word(atomic_load(&fs->notifier.busy)));
	return buf_failed(out);
}
