/* SPDX-License-Identifier: MIT */
/*
 * OPEN and READ. Nothing is kept per file open for reading: a READ goes by the inode number, which
 * is also what a read-only mount needs, where the kernel does without OPEN.
 */
#include <errno.h>
#include <fcntl.h>

#include "fs_reply.h"
#include "fs_write.h"

#define BODY_MAX_BYTES (256u * 1024 * 1024)

/* ---- OPEN ---- */

static int run_open(struct op *op, const struct until *until, struct error *err)
{
	struct fuse_file_info fi = {.noflush = 1};
	int r = 0;
	if (opens_for_writing(op->flags) || inode_kind(op->ino) == INODE_SCRATCH) {
		return open_for_writing(op, until, err);
	}
	if (inode_kind(op->ino) == INODE_RECORD) {
		struct mirror_record record;
		r = object_refresh(op, inode_object(op->ino), until, DRAIN_MS, err);
		/* A row that is gone is ESTALE, and the kernel looks its name up again. */
		r = r < 0 ? r
			  : mirror_record_get(
				    op->fs->mirror, inode_key(op->ino), until, &record, NULL, err);
		fi.keep_cache = 1; /* what changed was dropped by the notifier */
		caller_reads(op, inode_key(op->ino));
	}
	if (inode_kind(op->ino) == INODE_BODY) {
		r = open_body(op, until, err);
		fi.keep_cache = 1;
		caller_reads(op, op->ino);
	}
	return r < 0 ? r : reply_open(op, &fi);
}

static const struct op_kind op_open = {.name = "open", .run = run_open};

void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct fs *fs = fuse_req_userdata(req);
	if (fs->no_open) {
		/* For ever: the kernel opens files by itself. Never on a mount that can be written,
		 * where an open with O_TRUNC would be lost. */
		fuse_reply_err(req, ENOSYS);
		return;
	}
	op_begin(&(struct op){.fs = fs,
		.req = req,
		.kind = &op_open,
		.ino = ino,
		.flags = fi->flags,
		.pid = fuse_req_ctx(req)->pid});
}

/* ---- READ ---- */

/* A later piece of a file whose body was kept: 1 if that answered the request. */
static int read_kept(struct op *op, const struct until *until, struct error *err)
{
	struct mirror_record record;
	struct bodies *bodies = &op->fs->bodies;
	uint64_t key = inode_key(op->ino);
	int r = mirror_record_get(op->fs->mirror, key, until, &record, NULL, err);
	if (r < 0) {
		return r;
	}
	struct body *body = body_find(bodies, key, record.hash);
	if (!body) {
		return 0;
	}
	size_t len;
	const char *data = body_bytes(body, &len);
	reply_slice(op, data, len);
	body_unref(bodies, body);
	return 1;
}

/* From the mirror; what does not fit into this piece is kept for the next. */
static int read_body(struct op *op, const struct until *until, struct error *err)
{
	AUTO(buf) struct buf out;
	struct mirror_record record;
	uint64_t key = inode_key(op->ino);
	buf_init(&out, BODY_MAX_BYTES);
	int r = mirror_record_get(op->fs->mirror, key, until, &record, &out, err);
	if (r < 0) {
		return r;
	}
	bool more = (size_t)op->off < out.len && out.len - (size_t)op->off > op->size;
	reply_slice(op, buf_str(&out), out.len);
	if (more) {
		body_keep(&op->fs->bodies, key, record.hash, &out);
	}
	return 0;
}

static int read_record(struct op *op, const struct until *until, struct error *err)
{
	int r = op->off > 0 ? read_kept(op, until, err) : 0;
	return r == 0 ? read_body(op, until, err) : r < 0 ? r : 0;
}

/* What the last GETATTR showed, so that size and text agree. */
static int read_doc(struct op *op, const struct until *until, struct error *err)
{
	struct doc *doc;
	int r = doc_get(op->fs, op->ino, true, until, &doc, err);
	if (r < 0) {
		return r;
	}
	reply_slice(op, doc->data, doc->len);
	doc_unref(&op->fs->docs, doc);
	return 0;
}

/* From the draft, if it is what the file shows: 1 if that answered the request. */
static int read_draft(struct op *op, uint64_t *ret_became)
{
	struct drafts *drafts = &op->fs->drafts;
	struct draft *d = draft_find(drafts, op->ino);
	AUTO(buf) struct buf piece;
	buf_init(&piece, op->size);
	*ret_became = 0;
	if (!d) {
		return inode_kind(op->ino) == INODE_SCRATCH ? -ESTALE : 0;
	}
	pthread_mutex_lock(&drafts->lock);
	int r = 0;
	bool shown = draft_is_edit(d) ? d->version != d->saved : !d->became;
	if (!shown) {
		*ret_became = d->key;
	} else {
		r = draft_piece(d, op->off, op->size, &piece);
	}
	pthread_mutex_unlock(&drafts->lock);
	draft_unref(drafts, d);
	if (shown && r == 0) {
		reply_buf(op, buf_str(&piece), piece.len);
	}
	return r < 0 ? r : shown;
}

static int read_rejected(struct op *op, struct error *err)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int r = reject_read(op->fs, op->ino, &text, &len, err);
	return r < 0 ? r : reply_slice(op, text, len);
}

/* A scratch file that was saved as a record reads like it. */
static int read_scratch(struct op *op, const struct until *until, struct error *err)
{
	uint64_t key;
	int r = read_draft(op, &key);
	if (r != 0) {
		return r < 0 ? r : 0;
	}
	struct op behind = *op;
	behind.ino = key_is_body(key) ? key : inode_of_record(key);
	return key_is_body(key) ? read_blob(&behind, until, err) : read_record(&behind, until, err);
}

static int read_any_record(struct op *op, const struct until *until, struct error *err)
{
	uint64_t unused;
	int r = read_draft(op, &unused);
	return r == 0 ? read_record(op, until, err) : r < 0 ? r : 0;
}

static int read_any_body(struct op *op, const struct until *until, struct error *err)
{
	uint64_t unused;
	int r = read_draft(op, &unused);
	return r == 0 ? read_blob(op, until, err) : r < 0 ? r : 0;
}

static int read_node(struct op *op, const struct until *until, struct error *err)
{
	switch (inode_kind(op->ino)) {
	case INODE_RECORD:
		return read_any_record(op, until, err);
	case INODE_BODY:
		return read_any_body(op, until, err);
	case INODE_SCRATCH:
		return read_scratch(op, until, err);
	case INODE_REJECTED:
		return read_rejected(op, err);
	case INODE_DESCRIBE:
	case INODE_CONTROL:
		return read_doc(op, until, err);
	default:
		return -EISDIR;
	}
}

/* EAGAIN of a read means to programs that nothing is there yet: some take it for the end. Without
 * `until` it means that the request is to be parked. */
static int run_read(struct op *op, const struct until *until, struct error *err)
{
	int r = read_node(op, until, err);
	return until && r == -EAGAIN ? -EBUSY : r;
}

static const struct op_kind op_read = {.name = "read", .run = run_read};

void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi)
{
	(void)fi;
	op_begin(&(struct op){.fs = fuse_req_userdata(req),
		.req = req,
		.kind = &op_read,
		.ino = ino,
		.size = size,
		.off = off});
}
