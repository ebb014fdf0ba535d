/* SPDX-License-Identifier: MIT */
/* Every change of a record on its way to the mirror, counted for status.json and metrics. */
#include <errno.h>

#include "fs_priv.h"

static void begin(struct fs *fs)
{
	atomic_fetch_add(&fs->saves.running, 1);
}

/* A wait that was interrupted before anything was sent is neither done nor failed. */
static int end(struct fs *fs, int r)
{
	atomic_fetch_sub(&fs->saves.running, 1);
	if (r != -EINTR) {
		atomic_fetch_add(r == 0 ? &fs->saves.done : &fs->saves.failed, 1);
	}
	return r;
}

int save_update(struct fs *fs, uint64_t key, uint64_t author, const struct buf *base,
	const struct buf *edited, const struct until *until, struct mirror_record *ret,
	struct error *err)
{
	begin(fs);
	return end(fs, mirror_record_save(fs->mirror, key, author,
			       (struct json_slice){buf_str(base), base->len},
			       (struct json_slice){buf_str(edited), edited->len}, until, ret, err));
}

int save_body(struct fs *fs, uint64_t key, const struct buf *base, int fd, uint64_t size,
	const struct until *until, struct mirror_record *ret, struct error *err)
{
	begin(fs);
	return end(
		fs, mirror_body_save(fs->mirror, key, (struct json_slice){buf_str(base), base->len},
			    fd, size, until, ret, err));
}

int save_create(struct fs *fs, uint32_t object, const struct buf *text, const struct until *until,
	struct mirror_record *ret, struct error *err)
{
	begin(fs);
	return end(fs, mirror_record_create(
			       fs->mirror, object, buf_str(text), text->len, until, ret, err));
}

int save_delete(struct fs *fs, uint64_t key, const struct until *until, struct error *err)
{
	begin(fs);
	return end(fs, mirror_record_delete(fs->mirror, key, until, err));
}
