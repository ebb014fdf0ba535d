/* SPDX-License-Identifier: MIT */
/*
 * Listing an object, page by page. A page holds up to 2000 records; where records are so wide that
 * pages grow past what a small daemon should hold, smaller ones are asked for from then on.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH_MOST  2000
#define BATCH_WIDE  500 /* to begin with, for objects of many fields */
#define BATCH_LEAST 200 /* Salesforce's own minimum */
#define WIDE_FIELDS 200
#define HEAVY_BYTES (8u << 20)
#define BATCHES_MAX 256

/* ---- batch sizes that were learned ---- */

struct batch {
	char object[256];
	int size;
};

struct batches {
	pthread_mutex_t lock;
	struct batch *list; /* protected by lock, as count */
	size_t count;
};

struct batches *batches_new(void)
{
	struct batches *b = calloc(1, sizeof(*b));

	if (b) {
		pthread_mutex_init(&b->lock, NULL);
	}
	return b;
}

void batches_free(struct batches *b)
{
	if (b) {
		pthread_mutex_destroy(&b->lock);
		free(b->list);
		free(b);
	}
}

/* b->lock held */
static struct batch *find(struct batches *b, const char *object)
{
	for (size_t i = 0; i < b->count; i++) {
		if (!strcmp(b->list[i].object, object)) {
			return &b->list[i];
		}
	}
	return NULL;
}

static int learned(struct batches *b, const char *object)
{
	LOCK_SCOPE(&b->lock);
	struct batch *entry = find(b, object);

	return entry ? entry->size : 0;
}

/* Not remembering is harmless: the next page is heavy again. */
static void learn(struct batches *b, const char *object, int size)
{
	LOCK_SCOPE(&b->lock);
	struct batch *entry = find(b, object);

	if (!entry && b->count < BATCHES_MAX && strlen(object) < sizeof(entry->object)) {
		struct batch *list = realloc(b->list, (b->count + 1) * sizeof(*list));

		if (!list) {
			return;
		}
		b->list = list;
		entry = &list[b->count++];
		memcpy(entry->object, object, strlen(object) + 1);
	}
	if (entry) {
		entry->size = size;
	}
}

int query_batch_size(struct sf *sf, const struct schema *schema)
{
	int size = learned(sf->batches, schema->object);

	if (size > 0) {
		return size;
	}
	return schema->field_count > WIDE_FIELDS ? BATCH_WIDE : BATCH_MOST;
}

static int halved(int size)
{
	return size / 2 > BATCH_LEAST ? size / 2 : BATCH_LEAST;
}

/* ---- one page ---- */

static int first_path(struct sf *sf, const struct schema *schema, const struct until *until,
	struct buf *path, struct error *err)
{
	AUTO(buf) struct buf soql;
	char base[SF_BASE_SIZE];
	int r;

	buf_init(&soql, SF_SOQL_LIMIT_BYTES);
	r = soql_select(schema, &soql, err);
	if (r == 0) {
		r = versions_base(sf, until, base, err);
	}
	return r < 0 ? r : soql_path(base, "query", &soql, path, err);
}

/* Asks for the page; when it is too big for memory, for a smaller one. */
static int fetch(struct sf *sf, const struct schema *schema, const char *path,
	const struct until *until, struct composite *c, struct error *err)
{
	int size = query_batch_size(sf, schema);

	for (;;) {
		struct sf_call call = {.method = "GET",
			.path = path,
			.batch_size = size,
			.limit_bytes = SF_PAGE_LIMIT_BYTES};
		struct error fault = {0};
		int r = composite_get(sf, c, &call, until, &fault);

		if (r == 0 && c->part[0].body.len > HEAVY_BYTES && size > BATCH_LEAST) {
			learn(sf->batches, schema->object, halved(size));
		}
		if (r == -EFBIG && fault.http_status == 0 && size > BATCH_LEAST) {
			size = halved(size);
			learn(sf->batches, schema->object, size);
			composite_release(c);
			continue;
		}
		if (r < 0 && err) {
			*err = fault;
		}
		return r;
	}
}

/* Objects that answer no plain SELECT (salesforce-api.md 3.7). */
static bool refuses_listing(const struct schema *schema, const struct error *fault)
{
	static const char *const codes[] = {"MALFORMED_QUERY", "INVALID_TYPE_FOR_OPERATION",
		"EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION", "ID_REQUIRED",
		"BIG_OBJECT_UNSUPPORTED_OPERATION", "DATACLOUD_API_DISABLED_EXCEPTION"};
	size_t n = strlen(schema->object);

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (sf_error_is(fault, codes[i])) {
			return true;
		}
	}
	/* On an external object the same code is the other system's trouble. */
	return sf_error_is(fault, "EXTERNAL_OBJECT_EXCEPTION") &&
	       !(n > 3 && !strcmp(schema->object + n - 3, "__x"));
}

static int refusal(const struct schema *schema, int r, bool first, struct error *fault)
{
	if (first && r != -EPERM && refuses_listing(schema, fault)) {
		fault->errnum = EPERM;
		r = -EPERM;
	}
	if (!first && (fault->http_status == 404 || fault->http_status == 410)) {
		fault->errnum = ESTALE; /* the cursor's version or resource is gone */
		r = -ESTALE;
	}
	return r;
}

static int list_page(struct sf *sf, const struct schema *schema, const char *path, bool first,
	const struct remote_sink *sink, const struct until *until, struct remote_page *ret,
	struct error *err)
{
	AUTO(composite) struct composite c = {0};
	struct remote_page page = {0};
	struct error fault = {0};
	int r = fetch(sf, schema, path, until, &c, &fault);

	if (r < 0) {
		r = refusal(schema, r, first, &fault);
	} else {
		page.server_ms = sf_call_reply_ms(sf, &c.reply[0]);
		r = page_read(c.part[0].body.text, c.part[0].body.len, sink, &page, &fault);
	}
	if (r < 0) {
		if (err && fault.errnum) {
			*err = fault;
		}
		return r;
	}
	*ret = page;
	return 0;
}

static int check_next(const char *next, struct error *err)
{
	return page_next_ok(next) ? 0
				  : error_set_code(err, ESTALE, 0, "INVALID_QUERY_LOCATOR",
					    "the place where the listing should go on is no query "
					    "of the org: list the directory again");
}

int sf_list(struct sf *sf, const struct schema *schema, const char *next,
	const struct remote_sink *sink, const struct until *until, struct remote_page *ret,
	struct error *err)
{
	AUTO(buf) struct buf path;
	int r;

	buf_init(&path, SF_URL_LIMIT_BYTES);
	r = until_check(until, err);
	if (r < 0) {
		return r;
	}
	r = next ? check_next(next, err) : first_path(sf, schema, until, &path, err);
	if (r < 0) {
		return r;
	}
	return list_page(sf, schema, next ? next : buf_str(&path), !next, sink, until, ret, err);
}

int query_follow(struct sf *sf, const struct schema *schema, struct json_slice first,
	const struct remote_sink *sink, const struct until *until, struct error *err)
{
	struct remote_page page = {0};
	int r = page_read(first.text, first.len, sink, &page, err);

	while (r == 0 && page.next) {
		AUTO(remote_page) struct remote_page before = page;

		memset(&page, 0, sizeof(page));
		r = list_page(sf, schema, before.next, false, sink, until, &page, err);
	}
	remote_page_release(&page);
	return r;
}
