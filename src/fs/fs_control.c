/* SPDX-License-Identifier: MIT */
/* The tree under .forcefs: its names, and what its files say. */
#include <errno.h>
#include <string.h>

#include "forcefs/model/json_text.h"
#include "fs_priv.h"

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
	[CONTROL_METRICS] = {"metrics", CONTROL_DIR, false},
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

/* ---- what the files say ---- */

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
	case CONTROL_METRICS:
		return 100;
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
		return status_render(fs, out);
	case CONTROL_METRICS:
		return metrics_render(fs, out);
	case CONTROL_LIMITS:
		return render_limits(fs, until, out, err);
	case CONTROL_ERRORS:
		return fault_add_lines(&fs->faults, out);
	default:
		return -EISDIR;
	}
}
