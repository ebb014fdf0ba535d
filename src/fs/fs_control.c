/* SPDX-License-Identifier: MIT */
/* The tree under .forcefs: its names, and what its files say. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "forcefs/model/json_quote.h"
#include "forcefs/model/json_text.h"
#include "forcefs/model/stamp.h"
#include "fs_priv.h"

#define LAST_ERRORS        5
#define DESCRIBE_MAX_BYTES (32u * 1024 * 1024)

static const struct {
	const char *name;
	enum control parent;
	bool dir;
} nodes[CONTROL_COUNT] = {
	[CONTROL_DIR] = {".forcefs", CONTROL_NONE, true},
	[CONTROL_STATUS] = {"status.json", CONTROL_DIR, false},
	[CONTROL_LIMITS] = {"limits.json", CONTROL_DIR, false},
	[CONTROL_ERRORS] = {"errors.ndjson", CONTROL_DIR, false},
	[CONTROL_DESCRIBE_DIR] = {"describe", CONTROL_DIR, true},
	[CONTROL_REJECTED_DIR] = {"rejected", CONTROL_DIR, true},
};

/* ---- names ---- */

const char *control_name(enum control control)
{
	return nodes[control].name;
}

bool control_is_dir(enum control control)
{
	return nodes[control].dir;
}

enum control control_entry(enum control dir, unsigned i)
{
	for (int c = CONTROL_DIR + 1; c < CONTROL_COUNT; c++) {
		if (nodes[c].parent == dir && i-- == 0) {
			return (enum control)c;
		}
	}
	return CONTROL_NONE;
}

enum control control_find(enum control dir, const char *name)
{
	enum control c;
	for (unsigned i = 0; (c = control_entry(dir, i)) != CONTROL_NONE; i++) {
		if (strcmp(nodes[c].name, name) == 0) {
			break;
		}
	}
	return c;
}

bool control_describe_name(const char *name, char *ret)
{
	size_t len = strlen(name);
	if (len <= 5 || len - 5 > 80 || strcmp(name + len - 5, ".json") != 0) {
		return false;
	}
	memcpy(ret, name, len - 5);
	ret[len - 5] = '\0';
	return true;
}

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
	buf_addf(out, "  \"ttl_s\": %d,\n", c->ttl_s);
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
	add_text(out, fs->config.cache_path);
	buf_addf(out,
		", \"bytes\": %llu, \"limit\": %llu, \"evictions\": %llu, \"hits\": %llu, "
		"\"misses\": %llu, \"checks\": %llu},\n",
		(unsigned long long)s->store.file_bytes, (unsigned long long)s->store.limit_bytes,
		(unsigned long long)s->store.evictions, (unsigned long long)s->hits,
		(unsigned long long)s->misses, (unsigned long long)s->checks);
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

static int render_status(struct fs *fs, struct buf *out)
{
	struct mirror_status s;
	mirror_get_status(fs->mirror, &s);
	buf_add_str(out, "{\n");
	add_mount(fs, out);
	add_network(&s, out);
	add_api(&s.usage, out);
	add_cache(fs, &s, out);
	add_objects(fs, out);
	buf_add_str(out, "  \"last_errors\": [");
	fault_add_last(&fs->faults, LAST_ERRORS, out);
	buf_addf(out, "],\n  \"parked\": %u,\n", parking_count(&fs->parking));
	buf_addf(out, "  \"notifier\": {\"told\": %llu, \"busy\": %s}\n}\n",
		(unsigned long long)atomic_load(&fs->notifier.passed),
		word(atomic_load(&fs->notifier.busy)));
	return buf_failed(out);
}

/* ---- the others ---- */

static int render_limits(
	struct fs *fs, const struct until *until, struct buf *out, struct error *err)
{
	AUTO(buf) struct buf raw;
	struct limits limits;
	buf_init(&raw, out->limit_bytes);
	int r = mirror_limits(fs->mirror, until, &limits, &raw, err);
	return r < 0 ? r : json_text_indent(buf_str(&raw), raw.len, out, err);
}

static int render_describe(struct fs *fs, uint32_t object, const struct until *until,
	struct buf *out, struct error *err)
{
	AUTO(buf) struct buf raw;
	buf_init(&raw, DESCRIBE_MAX_BYTES);
	int r = mirror_describe(fs->mirror, object, until, &raw, err);
	return r < 0 ? r : json_text_indent(buf_str(&raw), raw.len, out, err);
}

/* The status moves all the time, but one cat of it (several GETATTRs) should see one text. */
int64_t control_age_ms(uint64_t inode)
{
	switch (inode_control(inode)) {
	case CONTROL_STATUS:
		return 300;
	case CONTROL_ERRORS:
		return -1;
	default:
		return 1000;
	}
}

uint64_t control_version(struct fs *fs, uint64_t inode)
{
	return inode_control(inode) == CONTROL_ERRORS ? fault_count(&fs->faults) + 1 : 0;
}

int control_render(struct fs *fs, uint64_t inode, const struct until *until, struct buf *out,
	struct error *err)
{
	if (inode_kind(inode) == INODE_DESCRIBE) {
		return render_describe(fs, inode_object(inode), until, out, err);
	}
	switch (inode_control(inode)) {
	case CONTROL_STATUS:
		return render_status(fs, out);
	case CONTROL_LIMITS:
		return render_limits(fs, until, out, err);
	case CONTROL_ERRORS:
		return fault_add_lines(&fs->faults, out);
	default:
		return -EISDIR;
	}
}
