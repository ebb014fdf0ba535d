/* SPDX-License-Identifier: MIT */
/*
 * The last failed operations, so that an errno never stays the only word. Shown by the xattr
 * user.forcefs.error, by .forcefs/errors.ndjson and status.json, and logged once each. Any thread.
 */
#ifndef FS_FAULT_H
#define FS_FAULT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/error.h"

#define FAULT_MAX      256
#define FAULT_PATH_MAX 160
/* So many different pairs of errno and code are counted each on its own. */
#define FAULT_KINDS 64

struct fault {
	int64_t time_ms; /* wall clock; 0: an empty place */
	int64_t logged_ms;
	char path[FAULT_PATH_MAX]; /* below the mountpoint, "" for the root */
	const char *op;            /* borrowed, static */
	bool healed;               /* the same path worked since */
	struct error err;
};

/* How often failures of one kind came. */
struct fault_kind {
	int errnum;    /* 0: the place for all that found none */
	char code[64]; /* Salesforce's, or "" */
	uint64_t count;
};

struct faults {
	pthread_mutex_t lock;
	/* all below protected by lock */
	struct fault *ring; /* FAULT_MAX of them */
	unsigned next;      /* place of the next one */
	unsigned unhealed;
	uint64_t noted;                       /* so far */
	int64_t log_window_ms;                /* when the present minute of log lines began */
	unsigned log_lines;                   /* written in it */
	struct fault_kind kinds[FAULT_KINDS]; /* the last place is for the rest */
	unsigned kind_count;
};

int faults_init(struct faults *f, struct error *err);
void faults_release(struct faults *f);

/* True for failures that are worth keeping: not for names that are not there, interrupts and
 * questions that have no answer here. errnum is positive. */
bool fault_worth(int errnum);

/* Keeps the failure and logs it, unless the same one was logged within a minute; of a save the log
 * gets no words that may repeat what was written. */
void fault_note(struct faults *f, const char *path, const char *op, const struct error *err);

/* The path works again: its failures count as healed. */
void fault_heal(struct faults *f, const char *path);
bool fault_any(struct faults *f);       /* is there one that has not healed? */
uint64_t fault_count(struct faults *f); /* noted so far */

/* The i-th kind of failure in the order of their first coming; false after the last. */
bool fault_kind_at(struct faults *f, unsigned i, struct fault_kind *ret);

/* Appends the last failure of the path that has not healed, as one JSON object. 0, -ENODATA if
 * there is none, or what buf_add says. */
int fault_of_path(struct faults *f, const char *path, struct buf *out);

/* Appends all failures, the oldest first, one JSON object a line. */
int fault_add_lines(struct faults *f, struct buf *out);

/* Appends up to max last failures, the newest first, as the elements of a JSON array. */
int fault_add_last(struct faults *f, unsigned max, struct buf *out);

#endif
