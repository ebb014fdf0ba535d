/* SPDX-License-Identifier: MIT */
/*
 * Keeps the write-ahead log short. It is folded back into the file now and then, before new pages
 * are logged rather than after: by then the readers have moved on to the newest state, so that it
 * can be folded to its end and written from its start again. Folding stops at the oldest reader;
 * where there is always one, the log grows, until it is cut with all readers kept out for a moment.
 */
#include "store_priv.h"

#define FOLD_FRAMES 2000 /* pages: 16 MB */
#define CUT_FRAMES  8000

static int note_frames(void *payload, sqlite3 *db, const char *schema, int frames)
{
	struct store *s = payload;
	(void)db;
	(void)schema;
	s->wal_frames = frames;
	return SQLITE_OK;
}

void wal_watch(struct store *s)
{
	s->wal_frames = 0;
	sqlite3_wal_hook(s->writer.db, note_frames, s);
}

/* Failures here are met again, and reported, by whoever writes next. */
void wal_fold(struct store *s)
{
	if (s->wal_frames >= FOLD_FRAMES) {
		sqlite3_wal_checkpoint_v2(
			s->writer.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	}
}

bool wal_is_long(const struct store *s)
{
	return s->wal_frames >= CUT_FRAMES;
}

void wal_cut(struct store *s)
{
	pthread_rwlock_wrlock(&s->gate);
	if (s->writer.db) {
		sqlite3_wal_checkpoint_v2(
			s->writer.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
		s->wal_frames = 0;
	}
	pthread_rwlock_unlock(&s->gate);
}
