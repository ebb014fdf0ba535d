/* SPDX-License-Identifier: MIT */
/*
 * The notifier: one thread that takes the mirror's news and tells the kernel what to forget. It
 * holds no lock of ours, and no request's reply waits for it except where the kernel holds no lock
 * for that request (LOOKUP of a directory, OPENDIR, OPEN).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/thread.h"
#include "forcefs/model/names.h"
#include "fs_priv.h"

#define STOP_PATIENCE_MS 1000
#define BATCH_MAX        64

/* Attributes and pages (of a directory: its listing). A node that the kernel does not know is fine.
 */
static void forget_inode(struct fs *fs, uint64_t inode)
{
	fuse_lowlevel_notify_inval_inode(fs->session, inode, 0, 0);
}

/* The files of a record: what the kernel knows of them is out of date. */
static void forget_record(struct fs *fs, uint64_t key)
{
	struct mirror_object object;
	forget_inode(fs, inode_of_record(key));
	if (mirror_object_by_index(fs->mirror, store_key_object(key), &object) == 0 &&
		object.has_bodies) {
		forget_inode(fs, inode_of_body(key));
	}
}

static void tell_deleted(struct fs *fs, const struct news *news)
{
	struct id id;
	char name[RECORD_NAME_LEN + 1];
	memcpy(id.text, news->id, sizeof(id.text));
	record_name_write(&id, name);
	body_drop(&fs->bodies, news->key);
	int r = fuse_lowlevel_notify_delete(fs->session, inode_of_object(news->object),
		inode_of_record(news->key), name, strlen(name));
	if (r < 0 && r != -ENOENT) {
		forget_inode(fs, inode_of_record(news->key));
	}
	/* Its body's name is not known here: the next look at it ends with ESTALE, which makes the
	 * kernel look the name up again. */
	forget_inode(fs, inode_of_body(news->key));
}

/* Too much changed to be told one by one, or all was forgotten: all rows that are there, and the
 * directory as a whole, because names may stand for other rows now, or for none. */
static void tell_object(struct fs *fs, uint32_t object)
{
	struct mirror_record records[BATCH_MAX];
	struct mirror_object o;
	uint64_t row = 0;
	int n;
	while ((n = mirror_record_next(fs->mirror, object, row, NULL, records, BATCH_MAX, NULL)) >
		0) {
		for (int i = 0; i < n; i++) {
			forget_record(fs, records[i].key);
		}
		row = store_key_row(records[n - 1].key);
	}
	forget_inode(fs, inode_of_object(object));
	if (mirror_object_by_index(fs->mirror, object, &o) == 0) {
		fuse_lowlevel_notify_inval_entry(
			fs->session, INODE_ROOT_NUMBER, o.name, strlen(o.name));
	}
}

static void tell_catalog(struct fs *fs)
{
	atomic_store(&fs->root_mtime_ms, clock_wall_ms());
	forget_inode(fs, INODE_ROOT_NUMBER);
	forget_inode(fs, inode_of_control(CONTROL_DESCRIBE_DIR));
}

static void tell(struct fs *fs, const struct news *news)
{
	switch (news->kind) {
	case NEWS_CHANGED:
		body_drop(&fs->bodies, news->key);
		forget_record(fs, news->key);
		break;
	case NEWS_DELETED:
		tell_deleted(fs, news);
		break;
	case NEWS_LISTING:
		forget_inode(fs, inode_of_object(news->object));
		break;
	case NEWS_OBJECT_CHANGED:
		tell_object(fs, news->object);
		break;
	case NEWS_CATALOG:
		tell_catalog(fs);
		break;
	}
}

static void *notifier_run(void *arg)
{
	struct fs *fs = arg;
	struct news news;
	while (mirror_news_next(fs->mirror, &news) == 1) {
		atomic_store(&fs->notifier.busy, true);
		tell(fs, &news);
		atomic_store(&fs->notifier.busy, false);
		atomic_fetch_add(&fs->notifier.passed, 1);
	}
	return NULL;
}

int notifier_start(struct fs *fs, struct error *err)
{
	int r = thread_start(&fs->notifier.thread, "forcefs-notify", notifier_run, fs, err);
	fs->notifier.started = r == 0;
	return r;
}

static bool join_within(pthread_t thread, int ms)
{
	struct timespec end;
	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += ms / 1000;
	end.tv_nsec += (long)(ms % 1000) * 1000000;
	if (end.tv_nsec >= 1000000000) {
		end.tv_sec++;
		end.tv_nsec -= 1000000000;
	}
	return pthread_timedjoin_np(thread, NULL, &end) == 0;
}

/* A notification can wait for a lock that only the answer to some request frees. Requests are still
 * answered at this time, so that ends by itself; if it does not, the connection is cut. */
void notifier_stop(struct fs *fs)
{
	if (!fs->notifier.started) {
		return;
	}
	mirror_news_stop(fs->mirror);
	if (!join_within(fs->notifier.thread, STOP_PATIENCE_MS)) {
		mountpoint_abort(fs->device);
		pthread_join(fs->notifier.thread, NULL);
	}
	fs->notifier.started = false;
}
