/* SPDX-License-Identifier: MIT */
/* An object's describe: from the store, else from the org; asked for again when it is doubted. */
#include "mirror_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/clock.h"

static void describe_doc_name(const struct object *o, char *buf, size_t size)
{
	snprintf(buf, size, "describe/%s", o->name);
}

/* Makes it the object's schema. If it shapes files in another way than the cached ones were
 * shaped, the object has to be listed again. */
static int describe_adopt(struct object *o, const char *json, size_t len, const char *modified,
	int64_t checked_ms, struct error *err)
{
	AUTO(schema) struct schema *schema = NULL;
	int r = schema_parse(json, len, &schema, err);

	if (r < 0) {
		return error_prefix(err, r, "describe of %s", o->name);
	}
	LOCK_SCOPE(&o->lock);
	if (o->state.schema_hash != schema->hash) {
		if (o->state.schema_hash != 0) {
			bool listed = o->state.fill_ms != 0;
			object_forget_listing(o);
			o->refill = listed;
			o->stale_before_ms = clock_wall_ms();
		}
		o->state.schema_hash = schema->hash;
	}
	schema_unref(o->schema);
	o->schema = take_ptr(&schema);
	snprintf(o->describe_modified, sizeof o->describe_modified, "%s", modified);
	o->describe_checked_ms = checked_ms;
	return 0;
}

/* From the store; -ENOENT if it has none. */
static int describe_load(struct object *o, struct error *err)
{
	char name[128];
	AUTO(store_doc) struct store_doc doc = {0};

	describe_doc_name(o, name, sizeof name);
	int r = store_doc_get(o->mirror->store, name, &doc, err);
	if (r < 0) {
		return r;
	}
	return describe_adopt(o, doc.data, doc.len, doc.modified, doc.checked_ms, err);
}

static int describe_keep(
	struct object *o, const struct remote_doc *doc, int64_t asked_ms, struct error *err)
{
	char name[128];
	struct store_doc kept = {.data = doc->json, .len = doc->len, .checked_ms = asked_ms};

	int r = describe_adopt(o, doc->json, doc->len, doc->last_modified, asked_ms, err);
	if (r < 0) {
		return r;
	}
	describe_doc_name(o, name, sizeof name);
	snprintf(kept.modified, sizeof kept.modified, "%s", doc->last_modified);
	WITH_ROOM(o->mirror, r, store_doc_put(o->mirror->store, name, &kept, err));
	return r < 0 ? r : object_save(o, err);
}

static int describe_still_stands(struct object *o, int64_t asked_ms, struct error *err)
{
	char name[128];
	int r;

	pthread_mutex_lock(&o->lock);
	o->describe_checked_ms = asked_ms;
	pthread_mutex_unlock(&o->lock);
	describe_doc_name(o, name, sizeof name);
	WITH_ROOM(o->mirror, r, store_doc_touch(o->mirror->store, name, asked_ms, err));
	return r == -ENOENT ? 0 : r; /* forgotten with the file; the schema is in memory */
}

static int describe_ask(struct object *o, const struct until *until, struct error *err)
{
	struct mirror *m = o->mirror;
	char modified[sizeof o->describe_modified];
	int64_t asked_ms = clock_wall_ms();
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct error local = {0};

	pthread_mutex_lock(&o->lock);
	snprintf(modified, sizeof modified, "%s", o->schema ? o->describe_modified : "");
	pthread_mutex_unlock(&o->lock);

	int r = breaker_enter(m, &local);
	if (r == 0) {
		r = m->remote->describe(m->remote->self, o->name, modified[0] ? modified : NULL,
			until, &doc, &local);
		breaker_note(m, r, &local);
	}
	if (r < 0) {
		if (err) {
			*err = local;
		}
		return r;
	}
	return doc.not_modified ? describe_still_stands(o, asked_ms, err)
				: describe_keep(o, &doc, asked_ms, err);
}

static bool describe_trusted(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	int64_t age_ms = clock_wall_ms() - o->describe_checked_ms;
	return o->schema && age_ms >= 0 && age_ms < DESCRIBE_TRUST_MS;
}

static bool describe_known(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	return o->schema;
}

int describe_run(struct flight *f, const struct until *until, struct error *err)
{
	struct object *o = f->subject;

	if (!describe_known(o)) {
		describe_load(o, NULL); /* whatever is wrong with it, the org has another */
	}
	return describe_trusted(o) ? 0 : describe_ask(o, until, err);
}

void object_doubt_schema(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	o->describe_checked_ms = 0;
	o->describe_modified[0] = '\0';
}

int object_schema(
	struct object *o, const struct until *until, struct schema **ret, struct error *err)
{
	int r = describe_trusted(o) ? 0 : flight_fly(&o->describe, until, err);

	if (r < 0) {
		return r;
	}
	LOCK_SCOPE(&o->lock);
	*ret = schema_ref(o->schema);
	return 0;
}

int object_schema_peek(struct object *o, struct schema **ret)
{
	if (!describe_known(o)) {
		describe_load(o, NULL);
	}
	LOCK_SCOPE(&o->lock);
	*ret = o->schema ? schema_ref(o->schema) : NULL;
	return *ret ? 0 : -ENOENT;
}

int object_schema_known(
	struct object *o, const struct until *until, struct schema **ret, struct error *err)
{
	if (!describe_known(o)) {
		describe_load(o, NULL);
	}
	pthread_mutex_lock(&o->lock);
	*ret = o->schema && o->describe_modified[0] ? schema_ref(o->schema) : NULL;
	pthread_mutex_unlock(&o->lock);
	return *ret ? 0 : object_schema(o, until, ret, err);
}

int mirror_describe(struct mirror *m, uint32_t index, const struct until *until, struct buf *out,
	struct error *err)
{
	struct object *o = object_by_index(m, index);
	char name[128];
	AUTO(store_doc) struct store_doc doc = {0};

	if (!o) {
		return -ENOENT;
	}
	if (!describe_trusted(o)) {
		if (!until) {
			return -EWOULDBLOCK;
		}
		int r = flight_join(&o->describe, until, err);
		if (r < 0 && (r == -EINTR || !describe_known(o))) {
			return r;
		}
	}
	describe_doc_name(o, name, sizeof name);
	int r = store_doc_get(m->store, name, &doc, err);
	if (r == -ENOENT && !until) {
		return -EWOULDBLOCK;
	}
	if (r == -ENOENT) { /* forgotten with the cache's file */
		object_doubt_schema(o);
		r = flight_join(&o->describe, until, err);
		r = r < 0 ? r : store_doc_get(m->store, name, &doc, err);
	}
	return r < 0 ? r : buf_add(out, doc.data, doc.len);
}
