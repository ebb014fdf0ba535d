/* SPDX-License-Identifier: MIT */
/* Drafts whose content lies in a file without a name; see fs_draft.h. */
#include "fs_draft.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/scope.h"

#define SPILL_BYTES (1024 * 1024) /* scratch files that grow beyond it go to disk */
#define COPY_BYTES  65536

/* ---- under the lock ---- */

void draft_file_drop(struct drafts *d, struct draft *draft)
{
	if (draft->fd >= 0) {
		close(draft->fd);
		d->file_bytes -= draft->size;
	}
	draft->fd = -1;
	draft->size = 0;
}

void draft_file_put(struct drafts *d, struct draft *draft, int fd, uint64_t size)
{
	draft_file_drop(d, draft);
	draft->fd = fd;
	draft->size = size;
	d->file_bytes += size;
}

uint64_t draft_size(const struct draft *draft)
{
	return draft->fd >= 0 ? draft->size : draft->data.len;
}

int draft_file_room(
	const struct drafts *d, const struct draft *draft, uint64_t size, struct error *err)
{
	if (size > DRAFT_FILE_BYTES) {
		return error_set(err, EFBIG, "Salesforce takes files up to %llu MiB only",
			DRAFT_FILE_BYTES >> 20);
	}
	if (d->file_bytes - draft->size + size > DRAFTS_FILE_BYTES) {
		return error_set(err, ENOSPC,
			"files that are being written have at most %llu GiB together; close some",
			DRAFTS_FILE_BYTES >> 30);
	}
	return 0;
}

int draft_file_resize(struct drafts *d, struct draft *draft, uint64_t size, struct error *err)
{
	int r = draft_file_room(d, draft, size, err);

	if (r == 0 && ftruncate(draft->fd, (off_t)size) < 0) {
		r = error_errno(err, errno, "writing a file on this machine's disk");
	}
	if (r == 0) {
		d->file_bytes += size - draft->size;
		draft->size = size;
	}
	return r;
}

static int write_all(int fd, const char *data, size_t len, off_t off, struct error *err)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = pwrite(fd, data + done, len - done, off + (off_t)done);
		if (n <= 0) {
			return error_errno(
				err, n < 0 ? errno : EIO, "writing a file on this machine's disk");
		}
		done += (size_t)n;
	}
	return 0;
}

int draft_file_write(struct drafts *d, struct draft *draft, const char *data, size_t len, off_t off,
	struct error *err)
{
	uint64_t end = (uint64_t)off + len, size = end > draft->size ? end : draft->size;
	int r = draft_file_room(d, draft, size, err);

	r = r < 0 ? r : write_all(draft->fd, data, len, off, err);
	if (r == 0) {
		d->file_bytes += size - draft->size;
		draft->size = size;
	}
	return r;
}

/* Moves the content of a scratch file to disk, if it is to have so many bytes. */
int draft_spill(struct drafts *d, struct draft *draft, uint64_t size, struct error *err)
{
	int fd;

	if (draft->kind != DRAFT_FILE || draft->fd >= 0 || size <= SPILL_BYTES || !d->new_file) {
		return 0;
	}
	int r = d->new_file(d->payload, &fd, err);
	if (r < 0) {
		return r;
	}
	r = write_all(fd, buf_str(&draft->data), draft->data.len, 0, err);
	if (r < 0) {
		close(fd);
		return r;
	}
	draft_file_put(d, draft, fd, draft->data.len);
	d->bytes -= draft->data.len;
	buf_release(&draft->data);
	return 0;
}

int draft_piece(const struct draft *draft, off_t off, size_t size, struct buf *out)
{
	uint64_t all = draft_size(draft);

	if ((uint64_t)off >= all) {
		return 0;
	}
	size = all - (uint64_t)off < size ? (size_t)(all - (uint64_t)off) : size;
	if (draft->fd < 0) {
		return buf_add(out, draft->data.data + off, size);
	}
	int r = buf_reserve(out, size);
	ssize_t n = r < 0 ? 0 : pread(draft->fd, out->data + out->len, size, off);
	if (r == 0 && n > 0) {
		out->len += (size_t)n;
		out->data[out->len] = '\0';
	}
	return r < 0 ? r : n < 0 ? -errno : 0;
}

/* ---- a copy ---- */

/* The content as it is just now: a descriptor of it, or (small ones) what was written to `to`. */
static int peek_content(struct drafts *d, struct draft *draft, int to, int *ret_from,
	uint64_t *ret_size, uint64_t *ret_version, struct error *err)
{
	LOCK_SCOPE(&d->lock);
	*ret_size = draft_size(draft);
	*ret_version = draft->version;
	*ret_from = -1;
	if (draft->fd < 0) {
		return write_all(to, buf_str(&draft->data), draft->data.len, 0, err);
	}
	*ret_from = fcntl(draft->fd, F_DUPFD_CLOEXEC, 0);
	return *ret_from < 0 ? error_errno(err, errno, "copying a file") : 0;
}

static int copy_file(int from, int to, uint64_t size, struct error *err)
{
	AUTO_FREE char *piece = malloc(COPY_BYTES);
	int r = piece ? 0 : error_set(err, ENOMEM, "out of memory");

	for (uint64_t off = 0; off < size && r == 0;) {
		ssize_t n = pread(from, piece, COPY_BYTES, (off_t)off);
		if (n < 0) {
			return error_errno(err, errno, "copying a file");
		}
		if (n == 0) {
			break; /* cut meanwhile: its version has moved */
		}
		r = write_all(to, piece, (size_t)n, (off_t)off, err);
		off += (uint64_t)n;
	}
	return r;
}

static bool is_version(struct drafts *d, const struct draft *draft, uint64_t version)
{
	LOCK_SCOPE(&d->lock);
	return draft->version == version;
}

int draft_snapshot(struct drafts *d, struct draft *draft, int *ret_fd, uint64_t *ret_size,
	uint64_t *ret_version, struct error *err)
{
	enum { TRIES = 3 };
	AUTO_CLOSE int to = -1;
	int r = d->new_file(d->payload, &to, err);

	for (int i = 0; i < TRIES && r == 0; i++) {
		AUTO_CLOSE int from = -1;
		r = ftruncate(to, 0) < 0 ? error_errno(err, errno, "copying a file") : 0;
		r = r < 0 ? r : peek_content(d, draft, to, &from, ret_size, ret_version, err);
		if (r == 0 && from >= 0) {
			r = copy_file(from, to, *ret_size, err);
		}
		if (r == 0 && is_version(d, draft, *ret_version)) {
			*ret_fd = to;
			to = -1;
			return 0;
		}
	}
	return r < 0 ? r : error_set(err, EBUSY, "the file is written to while it is saved");
}
