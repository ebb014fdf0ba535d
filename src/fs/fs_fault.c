/* SPDX-License-Identifier: MIT */
/* The ring of failed operations. */
#include "fs_fault.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/log.h"
#include "forcefs/base/scope.h"
#include "forcefs/model/json_quote.h"
#include "forcefs/model/stamp.h"

#define MINUTE_MS      60000
#define LINES_A_MINUTE 30

int faults_init(struct faults *f, struct error *err)
{
	*f = (struct faults){.ring = calloc(FAULT_MAX, sizeof(struct fault))};
	if (!f->ring) {
		return error_set(err, ENOMEM, "out of memory");
	}
	pthread_mutex_init(&f->lock, NULL);
	return 0;
}

void faults_release(struct faults *f)
{
	if (f->ring) {
		pthread_mutex_destroy(&f->lock);
		free(f->ring);
		f->ring = NULL;
	}
}

bool fault_worth(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case EINTR:
	case ENODATA:
	case ERANGE:
	case ENOSYS:
	case EOPNOTSUPP:
	case ESTALE:
		return false;
	default:
		return true;
	}
}

/* The place of the fault `back` steps before the newest (0); NULL when there are not so many. */
static struct fault *ring_at(struct faults *f, unsigned back)
{
	if (back >= FAULT_MAX) {
		return NULL;
	}
	struct fault *fault = &f->ring[(f->next + FAULT_MAX - 1 - back) % FAULT_MAX];
	return fault->time_ms ? fault : NULL;
}

/* When the same failure of the path was logged last; 0 if never. */
static int64_t last_logged_ms(struct faults *f, const char *path, const struct error *err)
{
	struct fault *fault;
	for (unsigned i = 0; (fault = ring_at(f, i)); i++) {
		if (fault->logged_ms && strcmp(fault->path, path) == 0 &&
			strcmp(fault->err.text, err->text) == 0) {
			return fault->logged_ms;
		}
	}
	return 0;
}

enum log_verdict { LOG_NO, LOG_YES, LOG_LAST };

/* A dead network can fail a hundred thousand reads: then a few lines have to do. */
static enum log_verdict may_log(struct faults *f, int64_t now_ms)
{
	if (now_ms - f->log_window_ms >= MINUTE_MS || now_ms < f->log_window_ms) {
		f->log_window_ms = now_ms;
		f->log_lines = 0;
	}
	f->log_lines++;
	return f->log_lines < LINES_A_MINUTE    ? LOG_YES
	       : f->log_lines == LINES_A_MINUTE ? LOG_LAST
						: LOG_NO;
}

/* Salesforce's codes are many, and a server could make some up: what finds no place is counted in
 * the last one. */
static void count_kind(struct faults *f, const struct error *err)
{
	unsigned i = 0;
	while (i < f->kind_count &&
		(f->kinds[i].errnum != err->errnum || strcmp(f->kinds[i].code, err->code) != 0)) {
		i++;
	}
	i = i < FAULT_KINDS ? i : FAULT_KINDS - 1;
	if (i == f->kind_count) {
		bool rest = i == FAULT_KINDS - 1;
		f->kinds[i].errnum = rest ? 0 : err->errnum;
		snprintf(f->kinds[i].code, sizeof(f->kinds[i].code), "%s", rest ? "" : err->code);
		f->kind_count++;
	}
	f->kinds[i].count++;
}

static enum log_verdict keep(
	struct faults *f, const char *path, const char *op, const struct error *err)
{
	int64_t now_ms = clock_wall_ms();
	LOCK_SCOPE(&f->lock);
	int64_t logged_ms = last_logged_ms(f, path, err);
	enum log_verdict verdict = LOG_NO;
	if (!logged_ms || now_ms - logged_ms >= MINUTE_MS) {
		verdict = may_log(f, now_ms);
		logged_ms = now_ms;
	}
	struct fault *fault = &f->ring[f->next];
	if (fault->time_ms && !fault->healed) {
		f->unhealed--;
	}
	*fault = (struct fault){.time_ms = now_ms, .logged_ms = logged_ms, .op = op, .err = *err};
	snprintf(fault->path, sizeof(fault->path), "%s", path);
	f->next = (f->next + 1) % FAULT_MAX;
	f->unhealed++;
	f->noted++;
	count_kind(f, err);
	return verdict;
}

static bool only_reads(const char *op)
{
	static const char *const ops[] = {"lookup", "getattr", "statfs", "opendir", "readdir",
		"open", "read", "getxattr", "listxattr"};

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strcmp(op, ops[i]) == 0) {
			return true;
		}
	}
	return false;
}

/* What is said of a value that was to be written, by us or by Salesforce, repeats the value. */
static bool may_tell_values(const char *op, const struct error *err)
{
	return !only_reads(op) && (err->code[0] || err->fields[0]);
}

void fault_note(struct faults *f, const char *path, const char *op, const struct error *err)
{
	enum log_verdict verdict = keep(f, path, op, err);
	if (verdict == LOG_NO) {
		return;
	}
	log_warn("fs", "%s %s: %s (%s)%s", op, path[0] ? path : ".",
		may_tell_values(op, err) ? "failed, `forcefs why` tells more" : err->text,
		err->code[0] ? err->code : error_name(err->errnum),
		verdict == LOG_LAST ? "; more such lines follow in .forcefs/errors.ndjson only"
				    : "");
}

void fault_heal(struct faults *f, const char *path)
{
	LOCK_SCOPE(&f->lock);
	struct fault *fault;
	for (unsigned i = 0; f->unhealed > 0 && (fault = ring_at(f, i)); i++) {
		if (!fault->healed && strcmp(fault->path, path) == 0) {
			fault->healed = true;
			f->unhealed--;
		}
	}
}

bool fault_any(struct faults *f)
{
	LOCK_SCOPE(&f->lock);
	return f->unhealed > 0;
}

uint64_t fault_count(struct faults *f)
{
	LOCK_SCOPE(&f->lock);
	return f->noted;
}

bool fault_kind_at(struct faults *f, unsigned i, struct fault_kind *ret)
{
	LOCK_SCOPE(&f->lock);
	if (i >= f->kind_count) {
		return false;
	}
	*ret = f->kinds[i];
	return true;
}

static void add_text(struct buf *out, const char *key, const char *value)
{
	buf_addf(out, ", \"%s\": ", key);
	json_quote(value, strlen(value), out);
}

static int add_fault(const struct fault *fault, struct buf *out)
{
	char time[32];
	stamp_soql(fault->time_ms, time, sizeof(time));
	buf_addf(out, "{\"time\": \"%s\"", time);
	add_text(out, "path", fault->path);
	add_text(out, "op", fault->op);
	add_text(out, "errno", error_name(fault->err.errnum));
	add_text(out, "code", fault->err.code);
	buf_addf(out, ", \"http\": %d", fault->err.http_status);
	add_text(out, "fields", fault->err.fields);
	add_text(out, "text", fault->err.text);
	return buf_add_char(out, '}');
}

int fault_of_path(struct faults *f, const char *path, struct buf *out)
{
	LOCK_SCOPE(&f->lock);
	struct fault *fault;
	for (unsigned i = 0; (fault = ring_at(f, i)); i++) {
		if (!fault->healed && strcmp(fault->path, path) == 0) {
			return add_fault(fault, out);
		}
	}
	return -ENODATA;
}

int fault_add_lines(struct faults *f, struct buf *out)
{
	LOCK_SCOPE(&f->lock);
	for (unsigned i = FAULT_MAX; i-- > 0;) {
		struct fault *fault = ring_at(f, i);
		if (fault) {
			add_fault(fault, out);
			buf_add_char(out, '\n');
		}
	}
	return buf_failed(out);
}

int fault_add_last(struct faults *f, unsigned max, struct buf *out)
{
	LOCK_SCOPE(&f->lock);
	struct fault *fault;
	for (unsigned i = 0; i < max && (fault = ring_at(f, i)); i++) {
		buf_add_str(out, i > 0 ? ",\n    " : "\n    ");
		add_fault(fault, out);
	}
	return buf_failed(out);
}
