/* SPDX-License-Identifier: MIT */
/* See the header. */
#include "fs_place.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forcefs/base/scope.h"
#include "forcefs/model/names.h"

#define STOP_PATIENCE_MS 2000
#define LOOK_MS          10

/* ---- telling the kernel about an entry ---- */

struct tell_job {
	struct pool_job job;
	struct fs *fs;
	uint64_t parent;
	char name[NAME_MAX + 1];
};

static void tell_drop(struct tell_job *t)
{
	atomic_fetch_sub(&t->fs->parking.tells, 1);
	free(t);
}

static void tell_run(struct pool_job *job)
{
	struct tell_job *t = (struct tell_job *)((char *)job - offsetof(struct tell_job, job));

	fuse_lowlevel_notify_inval_entry(t->fs->session, t->parent, t->name, strlen(t->name));
	tell_drop(t);
}

static bool is_ending(struct parking *parking)
{
	LOCK_SCOPE(&parking->lock);
	return parking->stopping;
}

void tell_entry(struct fs *fs, uint64_t parent, const char *name)
{
	struct tell_job *t = calloc(1, sizeof *t);

	if (!t) {
		return;
	}
	t->job.run = tell_run;
	t->fs = fs;
	t->parent = parent;
	snprintf(t->name, sizeof t->name, "%s", name);
	atomic_fetch_add(&fs->parking.tells, 1);
	if (is_ending(&fs->parking) || pool_add(fs->parking.tellers, &t->job) < 0) {
		tell_drop(t);
	}
}

void tells_stop(struct fs *fs)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

	for (int ms = 0; ms < STOP_PATIENCE_MS; ms += LOOK_MS) {
		if (atomic_load(&fs->parking.tells) == 0) {
			return;
		}
		nanosleep(&pause, NULL);
	}
	mountpoint_abort(fs->device);
}

/* ---- what a name is ---- */

void place_look(
	struct fs *fs, const struct mirror_object *object, const char *name, struct place *ret)
{
	*ret = (struct place){.object = object->index, .name = name};
	ret->is_record = record_name_parse(name, object->key_prefix, &ret->id);
	ret->is_body = !ret->is_record && object->has_bodies &&
		       body_name_parse(name, object->key_prefix, &ret->id, ret->ext);
	name_find(&fs->drafts, object->index, name, &ret->local);
}

void place_release(struct fs *fs, struct place *p)
{
	name_view_release(&fs->drafts, &p->local);
}

int place_record(struct fs *fs, const struct place *p, const struct until *until,
	struct mirror_record *ret, struct error *err)
{
	if (p->local.kind == NAME_ALIAS || p->local.kind == NAME_HIDDEN) {
		return mirror_record_get(fs->mirror, p->local.key, until, ret, NULL, err);
	}
	if (!p->is_record && !p->is_body) {
		return -ENOENT;
	}
	int r = mirror_record_find(fs->mirror, p->object, &p->id, until, ret, err);
	return r == 0 && p->is_body && strcmp(ret->ext, p->ext) != 0 ? -ENOENT : r;
}

bool place_is_body(struct fs *fs, const struct place *p, const struct until *until, int *ret)
{
	struct mirror_record rec;

	*ret = p->is_body ? place_record(fs, p, until, &rec, NULL) : -ENOENT;
	return *ret != -ENOENT;
}

/* ---- a scratch file with the record's text ---- */

int copy_of_record(struct op *op, uint64_t key, const struct until *until, struct draft **ret,
	struct error *err)
{
	struct fs *fs = op->fs;
	AUTO(buf) struct buf body;
	struct mirror_record rec;
	struct draft *d;

	buf_init(&body, DRAFT_MAX_BYTES);
	int r = mirror_record_get(fs->mirror, key, until, &rec, &body, err);
	r = r < 0 ? r : draft_new(&fs->drafts, DRAFT_FILE, store_key_object(key), 0644, &d, err);
	if (r < 0) {
		return r;
	}
	d->key = key;
	r = draft_set(&fs->drafts, d, buf_str(&body), body.len, err);
	if (r < 0) {
		draft_unref(&fs->drafts, d);
		return r;
	}
	*ret = d;
	return 0;
}

void scratch_became(struct fs *fs, struct draft *d, uint64_t key, uint64_t version)
{
	LOCK_SCOPE(&fs->drafts.lock);
	d->became = true;
	d->key = key;
	d->saved = version;
}
