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

static bool says(struct json_slice value, const char *text)
{
	return value.len == strlen(text) && memcmp(value.text, text, value.len) == 0;
}

enum text_kind { TEXT_OTHER, TEXT_OF_RECORD, TEXT_WITHOUT_ID };

/* Is it the text of a record that there is, of a new one, or something else? */
static enum text_kind text_kind(const struct buf *text)
{
	struct json_slice id;

	if (json_text_find(buf_str(text), text->len, "Id", 2, &id, NULL) < 0) {
		return TEXT_OTHER;
	}
	return id.text && !says(id, "null") && !says(id, "\"\"") ? TEXT_OF_RECORD : TEXT_WITHOUT_ID;
}

/* Under the lock. True: there is something to send, and nobody else does until turn_end; false: *ret
 * is the result. *ret_key: of the record that the file became, or 0. */
static bool turn_begin(
	struct draft *d, uint64_t *ret_version, uint64_t *ret_key, int *ret, struct error *err)
{
	bool is_copy = d->key && !d->became;

	*ret = 0;
	if (d->version == d->saved || draft_size(d) == 0 || is_copy) {
		return false;
	}
	if (d->version == d->tried) {
		*ret = d->result;
		*err = d->err;
		return false;
	}
	*ret_version = d->version;
	*ret_key = d->became ? d->key : 0;
	d->saving = true;
	return true;
}

/* sent: NULL if nothing was, else how that went. */
static void turn_end(
	struct fs *fs, struct draft *d, uint64_t version, int r, const struct error *sent)
{
	LOCK_SCOPE(&fs->drafts.lock);
	d->saving = false;
	if (sent && (r != -EINTR || strcmp(sent->code, "MAYBE_SENT") == 0)) {
		d->tried = version;
		d->result = r;
		d->err = *sent;
	}
	pthread_cond_broadcast(&fs->drafts.cond);
}

/* ---- a text over a record ---- */

int scratch_save(
	struct op *op, struct draft *d, uint64_t key, const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	struct mirror_record before, rec;
	AUTO(buf) struct buf text, base;

	buf_init(&text, DRAFT_MAX_BYTES);
	buf_init(&base, DRAFT_MAX_BYTES);
	int r = mirror_record_get(fs->mirror, key, until, &before, &base, err);
	r = r < 0 ? r : draft_copy(&fs->drafts, d, &text);
	if (r < 0 || !until) {
		return r < 0 ? r : -EWOULDBLOCK;
	}
	struct error local = {0};
	r = save_update(fs, key, caller_author(op->pid), &base, &text, until, &rec, &local);
	if (r < 0) {
		reject_keep(fs, store_key_object(key), before.id, &text, &local);
		*err = local;
	}
	return r;
}

/* What was written since it became the record. */
static int save_again(struct op *op, struct draft *d, uint64_t key, uint64_t version,
	bool *ret_sent, const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	struct mirror_record rec;
	int r;

	if (!until) {
		return -EWOULDBLOCK;
	}
	if (key_is_body(key)) {
		r = mirror_record_get(fs->mirror, inode_key(key), until, &rec, NULL, err);
		r = r < 0 ? r : blob_save_over(op, d, &rec, until, err);
	} else {
		r = scratch_save(op, d, key, until, err);
	}
	if (r == 0) {
		scratch_became(fs, d, key, version);
		fuse_lowlevel_notify_inval_inode(fs->session, d->inode, 0, 0);
	}
	*ret_sent = true;
	return r;
}

/* ---- a new record ---- */

static int make_record(struct op *op, struct draft *d, const char *name, uint64_t version,
	bool *ret_sent, const struct until *until, struct error *err)
{
	struct fs *fs = op->fs;
	struct mirror_object object;
	struct mirror_record rec;
	AUTO(buf) struct buf text;

	buf_init(&text, DRAFT_MAX_BYTES);
	if (mirror_object_by_index(fs->mirror, d->object, &object) < 0 || !json_name(name)) {
		return 0;
	}
	int r = draft_copy(&fs->drafts, d, &text);
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
	*ret_sent = true;
	r = save_create(fs, d->object, &text, until, &rec, err);
	if (r == 0) {
		scratch_became(fs, d, rec.key, version);
		r = name_alias(&fs->drafts, d->object, name, rec.key, err);
		tell_entry(fs, inode_of_object(d->object), name);
	}
	return r;
}

int scratch_make_record(struct op *op, struct draft *d, const char *name, const struct until *until,
	struct error *err)
{
	struct fs *fs = op->fs;
	struct error local = {0};
	bool sent = false;
	uint64_t version, key;
	int r = draft_lock_idle(fs, d, until, err);

	if (r < 0) {
		return r;
	}
	bool mine = turn_begin(d, &version, &key, &r, err);
	draft_unlock_idle(fs, until);
	if (!mine) {
		return r;
	}
	r = key ? save_again(op, d, key, version, &sent, until, &local)
		: make_record(op, d, name, version, &sent, until, &local);
	turn_end(fs, d, version, r, sent ? &local : NULL);
	if (r < 0) {
		*err = local;
	}
	return r;
}
