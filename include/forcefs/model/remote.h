/* SPDX-License-Identifier: MIT */
/*
 * The one seam: what an org can be asked. The sf floor implements it over REST, tests implement it
 * in memory, the mirror floor is its only caller.
 *
 * Every function may block until until->deadline_ms and is callable from any thread. Failures are a
 * negative errno with Salesforce's code and a sentence in err (salesforce-api.md 6.2): among them
 * EDQUOT (API budget spent), EHOSTUNREACH and ETIMEDOUT (no network), EACCES (session, permission),
 * ENOENT (no such object or record), EPERM (the object refuses to be listed), EPROTO (the reply was
 * no answer), EINVAL with code INVALID_FIELD (the schema is out of date), EINTR.
 *
 * Records come as slices of JSON, one at a time, borrowed for the length of the callback; memory
 * does not grow with their number beyond one reply. A negative return of the callback ends the call
 * with that value.
 */
#ifndef FORCEFS_MODEL_REMOTE_H
#define FORCEFS_MODEL_REMOTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "forcefs/base/cancel.h"
#include "forcefs/base/error.h"
#include "forcefs/model/id.h"
#include "forcefs/model/schema.h"

/* A document, or the news that the known one still stands. */
struct remote_doc {
	char *json; /* new; NULL if not_modified */
	size_t len;
	char last_modified[64]; /* to be given back next time; "" if the org sent none */
	bool not_modified;
};

/* One page of a listing. */
struct remote_page {
	char *next;        /* new; where the next page is, NULL after the last */
	int64_t total;     /* as claimed by the org: a hint only */
	int64_t server_ms; /* the org's clock when it answered */
	size_t records;
};

struct remote_sink {
	int (*record)(void *payload, const char *json, size_t len, struct error *err);
	/* Only for changes(): an Id from the org's delete log. May be NULL. */
	int (*deleted)(void *payload, const struct id *id, struct error *err);
	void *payload;
};

/* The outcome of changes(). */
struct remote_changes {
	int64_t server_ms;     /* the org's clock: the next `since` */
	bool describe_changed; /* the describe is newer than describe_modified: no record was given */
	bool gap;              /* deletions cannot be told for the whole span: list again */
};

/* Steps of the histogram of how long API requests took. */
#define REMOTE_TOOK_STEPS 10
extern const int remote_took_ms[REMOTE_TOOK_STEPS]; /* upper bounds, ascending */

struct remote_usage {
	int64_t used, max; /* API requests in the rolling day; max 0: not known yet */
	uint64_t calls;    /* API calls made since the mount, token calls left out */
	uint64_t requests; /* HTTP requests, retries and token calls included */
	uint64_t bytes_in;
	int64_t reserve; /* calls stop when max - used falls below this */
	/* Answered or failed requests by the time they took, waits and retries included: took[i] are
	 * those within remote_took_ms[i] and no step before, the last one all that took longer. */
	uint64_t took[REMOTE_TOOK_STEPS + 1];
	uint64_t took_ms; /* all together */
};

/* So many saves travel in one question: a composite request has 25 parts, the last one reads the
 * records again (salesforce-api.md 2.8). */
#define REMOTE_SAVES_MAX 24

/* One record to be saved. */
struct remote_save {
	struct id id;
	const char *json; /* borrowed: an object with the fields to set */
	size_t len;
	int64_t unmodified_since_ms; /* the LastModifiedDate as read; 0: no condition */
	int result; /* filled: 0, -ESTALE (changed by somebody else since), or another refusal */
	bool read_back; /* filled: the sink got the record as it is now; if not, read it again */
	struct error err;
};

/* Takes the bytes of a body, in order, in pieces. Called from a thread of the remote's, never after
 * the call that it was given to has returned; to be quick. A negative errno ends the call with it. */
struct remote_taker {
	int (*take)(void *payload, const void *data, size_t len);
	void *payload;
};

/* Gives the bytes of a body: up to size of them from off on, never none before the end. The same
 * rules; may be asked for the same bytes again. */
struct remote_giver {
	int64_t len;
	ssize_t (*give)(void *payload, uint64_t off, void *buf, size_t size);
	void *payload;
};

/* A body to be put in the place of the record's. */
struct remote_body {
	struct id id;
	const char *file_name; /* [A-Za-z0-9.]: what Salesforce may be told that it was called */
	struct remote_giver content;
	int64_t unmodified_since_ms; /* as in struct remote_save */
};

struct remote {
	void *self;

	/* GET /sobjects. if_modified: last_modified of the known one, or NULL. */
	int (*objects)(void *self, const char *if_modified, const struct until *until,
		struct remote_doc *ret, struct error *err);

	/* GET /sobjects/X/describe. */
	int (*describe)(void *self, const char *object, const char *if_modified,
		const struct until *until, struct remote_doc *ret, struct error *err);

	/* One page of all live records of the object, every field of the schema. next NULL for the
	 * first page. -ESTALE when `next` is no longer known to the org (list again). */
	int (*list)(void *self, const struct schema *schema, const char *next,
		const struct remote_sink *sink, const struct until *until, struct remote_page *ret,
		struct error *err);

	/* The live ones among count (1..2000) records, in any order; the others are missing. */
	int (*retrieve)(void *self, const struct schema *schema, const struct id *ids, size_t count,
		const struct remote_sink *sink, const struct until *until, struct error *err);

	/* Everything that changed or was deleted since since_ms (overlap included by the caller), and
	 * whether the describe is newer than describe_modified ("" = not asked): one API call while
	 * the changes fit a page. */
	int (*changes)(void *self, const struct schema *schema, const char *describe_modified,
		int64_t since_ms, const struct remote_sink *sink, const struct until *until,
		struct remote_changes *ret, struct error *err);

	/* Saves 1..REMOTE_SAVES_MAX different records in one API call, each with its own result; one that
	 * fails does not fail its neighbours. The sink gets the records as they are afterwards, those
	 * refused with -ESTALE too; what it returns, or that it could not be given one, changes no
	 * result: what is saved is saved. Saves with a condition may be sent again after a lost reply
	 * (the condition then fails and the caller compares); if one of them has none they are sent
	 * once. If every reply is lost, that is a failure with code "MAYBE_SENT". A negative return stands for
	 * every save (and is in each result): nothing was done, or the code says MAYBE_SENT. -EAGAIN
	 * with code UNABLE_TO_LOCK_ROW as a result: try that one again. */
	int (*update)(void *self, const struct schema *schema, struct remote_save *saves,
		size_t count, const struct remote_sink *sink, const struct until *until,
		struct error *err);

	/* Makes a record from a JSON object; the sink gets it as it is afterwards, or nothing if it could
	 * not be read: that, and what the sink returns, is no failure. Sent once: a lost reply
	 * is a failure with code "MAYBE_SENT" and a text that says how to find out. */
	int (*create)(void *self, const struct schema *schema, const char *json, size_t len,
		const struct remote_sink *sink, const struct until *until, struct id *ret,
		struct error *err);

	/* Deletes a record (it goes to the recycle bin); 0 also if it was deleted already. Code
	 * "MAYBE_SENT" as above. */
	int (*remove)(void *self, const struct schema *schema, const struct id *id,
		const struct until *until, struct error *err);

	/* Reads the content of a record's base64 field. size: what it should be, -1 if not known; the
	 * caller counts what comes. A reply that breaks off after its first byte is a failure, never a
	 * second try. until: the patience until the first byte; from then on only its cancel counts, and
	 * a stream that stands still for too long is -ETIMEDOUT. */
	int (*body)(void *self, const struct schema *schema, const struct id *id, int64_t size,
		const struct remote_taker *taker, const struct until *until, struct error *err);

	/* Replaces it, in one API call. -ESTALE: changed by somebody else since. Sent again after a lost
	 * reply only under a condition, as update. */
	int (*save_body)(void *self, const struct schema *schema, const struct remote_body *body,
		const struct until *until, struct error *err);

	/* GET /limits. */
	int (*limits)(
		void *self, const struct until *until, struct remote_doc *ret, struct error *err);

	/* What is known without a call. Never blocks. */
	void (*usage)(void *self, struct remote_usage *ret);

	/* Where a person sees the record in a browser: appends a URL. Never blocks. -ENODATA before
	 * the first log-in. */
	int (*record_url)(void *self, const char *object, const struct id *id, struct buf *out);
};

void remote_doc_release(struct remote_doc *d);
void remote_page_release(struct remote_page *p);

DEFINE_CLEANER(remote_doc, struct remote_doc, remote_doc_release)
DEFINE_CLEANER(remote_page, struct remote_page, remote_page_release)

#endif
