/* SPDX-License-Identifier: MIT */
/*
 * New records: a file X.json, closed or moved to that name, whose text is a JSON object without an
 * Id. It is sent once for each text; what was refused stays a scratch file to be mended.
 */
#include <errno.h>
#include <string.h>

#include "forcefs/base/scope.h"
#include "forcefs/model/json_text.h"
#include "fs_place.h"

static bool json_name(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".json") == 0;
}

static int find_id(void *payload, struct json_slice key, struct json_slice value)
{
	bool *found = payload;

	if (key.len == 2 && memcmp(key.text, "Id", 2) == 0) {
		*found = !(value.len == 4 && memcmp(value.text, "null", 4) == 0) &&
			 !(value.len == 2 && memcmp(value.text, "\"\"", 2) == 0);
	}
	return 0;
}

enum text_kind { TEXT_OTHER, TEXT_OF_RECORD, TEXT_WITHOUT_ID };

/* Is it the text of a record that there is, of a new one, or something else? */
static enum text_kind text_kind(const struct buf *text)
{
	bool has_id = false;

	if (json_text_members(buf_str(text), text->len, find_id, &has_id, NULL) < 0) {
		return TEXT_OTHER;
	}
	return has_id ? TEXT_OF_RECORD : TEXT_WITHOUT_ID;
}

/* 1 if this version was tried already; *ret is how that went. */
static int tried_before(struct fs *fs, struct draft *d, int *ret, struct error *err)
{
	LOCK_SCOPE(&fs->drafts.lock);
	if (d->became || d->version == d->saved || draft_size(d) == 0 || d->key) {
		*ret = 0;
		return 1;
	}
	if (d->version == d->tried) {
		*ret = d->result;
		*err = d->err;
		return 1;
	}
	return 0;
}

static void remember_try(
	struct fs *fs, struct draft *d, uint64_t version, int r, const struct error *err)
{
	LOCK_SCOPE(&fs->drafts.lock);
	d->tried = version;
	d->result = r;
	d->err = *err;
}

int scratch_make_record(struct op *op, struct draft *d, const char *name, const struct until *until,
	struct error *err)
{
	struct fs *fs = op->fs;
	struct mirror_object object;
	struct mirror_record rec;
	int r = 0;

	if (mirror_object_by_index(fs->mirror, d->object, &object) < 0 || !json_name(name) ||
		tried_before(fs, d, &r, err)) {
		return r;
	}
	AUTO(buf) struct buf text;
	buf_init(&text, DRAFT_MAX_BYTES);
	pthread_mutex_lock(&fs->drafts.lock);
	uint64_t version = d->version;
	pthread_mutex_unlock(&fs->drafts.lock);
	r = draft_copy(&fs->drafts, d, &text);
	enum text_kind kind = text_kind(&text);
	if (r < 0 || kind == TEXT_OF_RECORD || (kind == TEXT_OTHER && !object.createable)) {
		return r; /* somebody's temporary file */
	}
	if (!object.createable) {
		return error_set(err, EPERM,
			"%s was not made a record: add create to `allow` in the settings (or -o "
			"allow=…) if records of %s may be made here",
			name, object.name);
	}
	if (!until) {
		return -EWOULDBLOCK;
	}
	struct error local = {0};
	r = r < 0 ? r : save_create(fs, d->object, &text, until, &rec, &local);
	remember_try(fs, d, version, r, &local);
	if (r < 0) {
		*err = local;
		return r;
	}
	scratch_became(fs, d, rec.key);
	r = name_alias(&fs->drafts, d->object, name, rec.key, err);
	tell_entry(fs, inode_of_object(d->object), name);
	return r;
}
