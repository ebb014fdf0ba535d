/* SPDX-License-Identifier: MIT */
/*
 * A body that a person has edited, on its way to the org: one PATCH under the condition that nobody
 * has changed the record since the edit began, and one read of the record as it is afterwards. If
 * somebody has, but not its body (the former one is here, and the present one is fetched to be
 * compared), the save goes on under a new condition. There is no merging of bodies: who comes
 * second is told.
 *
 * The request runs in the thread of who saves, unlike those of records: a file of hundreds of
 * megabytes is not to hold up the saves of its object. Bytes that move keep it alive
 * (net/http.h).
 */
#include "mirror_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PIECE_BYTES 65536
#define TEXT_BYTES  (64 * 1024 * 1024)
#define SEND_TRIES  3

int mirror_new_file(struct mirror *m, int *ret_fd, struct error *err)
{
	return blobs_new(m->bodies.blobs, ret_fd, err);
}

/* ---- files ---- */

static int copy_out(struct mirror *m, uint64_t key, int fd, uint64_t size,
	const struct until *until, struct error *err)
{
	AUTO_FREE char *piece = malloc(PIECE_BYTES);
	size_t n;

	if (!piece) {
		return error_set(err, ENOMEM, "out of memory");
	}
	for (uint64_t off = 0; off < size; off += n) {
		int r = mirror_body_read(m, key, off, piece, PIECE_BYTES, until, &n, err);
		if (r < 0) {
			return r;
		}
		if (n == 0) {
			return error_set(err, ESTALE, "the file has changed; open it again");
		}
		if (pwrite(fd, piece, n, (off_t)off) != (ssize_t)n) {
			return error_errno(err, errno ? errno : EIO, "copying the file");
		}
	}
	return 0;
}

int mirror_body_edit(struct mirror *m, uint64_t key, bool empty, const struct until *until,
	int *ret_fd, uint64_t *ret_size, struct buf *base, struct error *err)
{
	AUTO_CLOSE int fd = -1;
	struct mirror_record rec;
	uint64_t size = 0;

	int r = mirror_record_get(m, key, until, &rec, base, err);
	if (r == 0 && !empty) {
		r = mirror_body_fetch(m, key, until, &size, err);
	}
	r = r < 0 ? r : mirror_new_file(m, &fd, err);
	r = r < 0 ? r : copy_out(m, key, fd, size, until, err);
	if (r == 0) {
		*ret_fd = fd;
		*ret_size = size;
		fd = -1;
	}
	return r;
}

/* 1: the org has the same already; 0: not. Where the sizes are the same this may fetch it. */
static int is_same(struct mirror *m, uint64_t key, int fd, uint64_t size, const struct until *until,
	struct error *err)
{
	AUTO_FREE char *pieces = malloc(2 * PIECE_BYTES);
	struct mirror_record rec;
	size_t n;

	if (!pieces) {
		return error_set(err, ENOMEM, "out of memory");
	}
	int r = record_known(m, key, &rec, err);
	if (r < 0 || rec.body_size < 0 || (uint64_t)rec.body_size != size) {
		return r;
	}
	for (uint64_t off = 0; off < size; off += n) {
		r = mirror_body_read(m, key, off, pieces, PIECE_BYTES, until, &n, err);
		if (r < 0 || n == 0) {
			return r == -EINTR ? r : 0; /* what cannot be read cannot be compared */
		}
		if (pread(fd, pieces + PIECE_BYTES, n, (off_t)off) != (ssize_t)n ||
			memcmp(pieces, pieces + PIECE_BYTES, n) != 0) {
			return 0;
		}
	}
	return 1;
}

static ssize_t give(void *payload, uint64_t off, void *buf, size_t size)
{
	ssize_t n = pread(*(int *)payload, buf, size, (off_t)off);

	return n < 0 ? -errno : n;
}

/* ---- saving ---- */

struct body_save {
	struct mirror *mirror;
	struct object *object;
	struct schema *schema;
	struct mirror_record rec;
	int fd;
	uint64_t size;
	int64_t modified_ms;
};

static int send_it(struct body_save *s, const struct until *until, struct error *err)
{
	struct mirror *m = s->mirror;
	char name[BODY_EXT_MAX + 8];
	struct remote_body body = {
		.file_name = name,
		.content = {.len = (int64_t)s->size, .give = give, .payload = &s->fd},
		.unmodified_since_ms = s->modified_ms,
	};

	snprintf(name, sizeof name, "file.%s", s->rec.ext);
	memcpy(body.id.text, s->rec.id, sizeof body.id.text);
	int r = breaker_enter(m, err);
	if (r < 0) {
		return r;
	}
	crash_mark(m);
	r = m->remote->save_body(m->remote->self, s->schema, &body, until, err);
	breaker_note(m, r, err);
	if (r < 0 && strcmp(err->code, "MAYBE_SENT") == 0) {
		object_doubt_records(s->object);
	}
	return r;
}

/* The record as it is now; what came of its body is in fd if the save went well. */
static int look_after(struct body_save *s, bool saved, const struct until *until,
	struct mirror_record *ret, struct error *err)
{
	struct until patience =
		mirror_patience(s->mirror, until->cancel); /* sending took a while */
	struct id id;

	memcpy(id.text, s->rec.id, sizeof id.text);
	body_table_drop(s->mirror, s->rec.id, INT64_MIN);
	int r = gather_fetch(s->object, &id, &patience, err);
	r = r < 0 ? r : record_known(s->mirror, s->rec.key, ret, err);
	if (r == 0 && saved && ret->body_size == (int64_t)s->size) {
		body_table_adopt(s->mirror, ret, s->fd);
	}
	return r;
}

/* 1: what somebody else has changed of the record is not its body, which was `before`. */
static int is_body_untouched(
	struct body_save *s, int before, const struct until *until, struct error *err)
{
	AUTO(buf) struct buf text;
	struct mirror_record now;

	buf_init(&text, TEXT_BYTES);
	int r = look_after(s, false, until, &now, err);
	if (r < 0 || before < 0 || now.body_size < 0 || now.body_size != s->rec.body_size) {
		return r;
	}
	r = is_same(s->mirror, s->rec.key, before, (uint64_t)now.body_size, until, err);
	if (r == 1) {
		r = mirror_record_get(s->mirror, s->rec.key, until, &s->rec, &text, err);
		s->modified_ms = save_modified_ms((struct json_slice){buf_str(&text), text.len});
		r = r < 0 ? r : 1;
	}
	return r;
}

static int send_patiently(struct body_save *s, const struct until *until, struct error *err)
{
	struct error unused;
	AUTO_CLOSE int before = body_table_peek(s->mirror, &s->rec);
	int r = send_it(s, until, err);

	for (int i = 1; i < SEND_TRIES && r == -ESTALE; i++) {
		if (is_body_untouched(s, before, until, &unused) != 1) {
			break;
		}
		r = send_it(s, until, err);
	}
	return r;
}

static int save_it(struct body_save *s, const struct until *until, struct mirror_record *ret,
	struct error *err)
{
	struct error unused;
	int r = send_patiently(s, until, err);

	if (r == -ESTALE) {
		return error_set_code(err, ESTALE, err->http_status, err->code,
			"somebody else has changed the record since the file was opened: nothing "
			"was "
			"saved; look at what is there now and save again");
	}
	if (r == 0 && look_after(s, true, until, ret, &unused) < 0) {
		*ret = s->rec; /* saved it is; the next look asks */
		object_doubt_records(s->object);
	}
	return r;
}

static int may_save(struct body_save *s, const struct until *until, struct error *err)
{
	int r = object_writable(s->object, err);

	r = r < 0 ? r : object_schema(s->object, until, &s->schema, err);
	if (r == 0 && !s->schema->blob_updateable) {
		r = error_set(err, EACCES,
			"Salesforce does not let the file of a record of %s be replaced",
			s->object->name);
	}
	return r;
}

int mirror_body_save(struct mirror *m, uint64_t key, struct json_slice base, int fd, uint64_t size,
	const struct until *until, struct mirror_record *ret, struct error *err)
{
	struct body_save s = {.mirror = m, .fd = fd, .size = size};
	struct error local = {0};

	s.object = object_by_index(m, store_key_object(key));
	int r = s.object ? record_known(m, key, &s.rec, &local)
			 : error_set(&local, ESTALE, "the object is gone");
	r = r < 0 ? r : may_save(&s, until, &local);
	r = r < 0 ? r : is_same(m, key, fd, size, until, &local);
	if (r == 1) {
		*ret = s.rec;
	}
	if (r == 0) {
		s.modified_ms = save_modified_ms(base);
		r = save_it(&s, until, ret, &local);
	}
	schema_unref(s.schema);
	if (r < 0 && err) {
		*err = local;
	}
	return r < 0 ? r : 0;
}
