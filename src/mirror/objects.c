/* SPDX-License-Identifier: MIT */
/* The catalogue: which objects there are, and what is remembered of each. */
#include "mirror_priv.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/clock.h"

#define CATALOG_DOC "catalog"

/* ---- freshness ---- */

/* A time before which nothing is believed; one that is still to come is the mark of a clock that
 * was set back, and says nothing. */
static bool is_before(int64_t ms, int64_t doubt_ms)
{
	return ms < doubt_ms && doubt_ms <= clock_wall_ms() + 1000;
}

int64_t object_true_ms(const struct object *o)
{
	if (o->state.fill_ms == 0 || is_before(o->state.checked_ms, o->doubted_ms)) {
		return 0;
	}
	if (o->state.listed_ms == 0 && o->fill_active_ms > o->state.checked_ms) {
		return o->fill_active_ms;
	}
	return o->state.checked_ms;
}

static int64_t left_ms(const struct mirror *m, int64_t since_ms)
{
	int64_t now_ms = clock_wall_ms();
	int64_t left = since_ms + m->ttl_ms - now_ms;

	if (since_ms > now_ms + 1000) { /* the clock was set back: believe nothing */
		return 0;
	}
	return left > 0 ? left : 0;
}

int64_t object_whole_fresh_ms(const struct object *o)
{
	return left_ms(o->mirror, object_true_ms(o));
}

int64_t object_fresh_ms(const struct object *o, int64_t row_checked_ms)
{
	if (is_before(row_checked_ms, o->stale_before_ms)) {
		return 0;
	}
	int64_t whole_ms = object_true_ms(o);
	int64_t own_ms = is_before(row_checked_ms, o->doubted_ms) ? 0 : row_checked_ms;
	return left_ms(o->mirror, own_ms > whole_ms ? own_ms : whole_ms);
}

int64_t mirror_object_fresh_ms(struct mirror *m, uint32_t index)
{
	struct object *o = object_by_index(m, index);

	if (!o) {
		return 0;
	}
	LOCK_SCOPE(&o->lock);
	return o->state.fill_ms == 0 ? m->ttl_ms : object_whole_fresh_ms(o);
}

/* ---- one object ---- */

static struct object *object_new(struct mirror *m, const char *name, struct error *err)
{
	struct object *o = calloc(1, sizeof *o);

	if (!o) {
		error_set(err, ENOMEM, "out of memory");
		return NULL;
	}
	int r;
	WITH_ROOM(m, r, store_object_get(m->store, name, &o->state, err));
	if (r < 0) {
		free(o);
		return NULL;
	}
	o->mirror = m;
	o->index = o->state.index;
	snprintf(o->name, sizeof o->name, "%s", name);
	pthread_mutex_init(&o->lock, NULL);
	clock_cond_init(&o->cond);
	flight_init(&o->describe, m, &o->lock, &o->cond, describe_run, o);
	flight_init(&o->page, m, &o->lock, &o->cond, page_run, o);
	flight_init(&o->check, m, &o->lock, &o->cond, check_run, o);
	o->gather_job.run = gather_run;
	cancel_init(&o->gather_cancel);
	o->save_job.run = save_run;
	cancel_init(&o->save_cancel);
	o->mtime_ms = o->state.listed_ms ? o->state.listed_ms : clock_wall_ms();
	crash_doubt(m, o);
	return o;
}

void object_free(struct object *o)
{
	if (!o) {
		return;
	}
	flight_release(&o->describe);
	flight_release(&o->page);
	flight_release(&o->check);
	cancel_release(&o->gather_cancel);
	cancel_release(&o->save_cancel);
	schema_unref(o->schema);
	store_object_release(&o->state);
	pthread_cond_destroy(&o->cond);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

struct object *object_by_index(struct mirror *m, uint32_t index)
{
	LOCK_SCOPE(&m->lock);
	return index <= STORE_OBJECT_MAX ? m->table[index] : NULL;
}

int object_save(struct object *o, struct error *err)
{
	struct mirror *m = o->mirror;
	LOCK_SCOPE(&m->save_lock);

	pthread_mutex_lock(&o->lock);
	AUTO(store_object) struct store_object state = o->state;
	state.next = o->state.next ? strdup(o->state.next) : NULL;
	bool lost = o->state.next && !state.next;
	pthread_mutex_unlock(&o->lock);
	if (lost) {
		return error_set(err, ENOMEM, "out of memory");
	}
	int r;
	WITH_ROOM(m, r, store_object_save(m->store, &state, err));
	return r;
}

void object_forget_listing(struct object *o)
{
	o->state.listed_ms = o->state.checked_ms = o->state.fill_ms = 0;
	free(take_ptr(&o->state.next));
	o->relist = o->refill = false;
	o->fill_active_ms = 0;
	o->page_first_row = 0;
	o->state.generation++; /* a page that is under way does not count */
}

uint32_t object_generation(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	return o->state.generation;
}

void object_await_eviction(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	while (o->going) {
		clock_cond_wait(&o->cond, &o->lock, INT64_MAX);
	}
}

/* ---- the catalogue ---- */

/* Objects known to refuse a query without a filter (salesforce-api.md 3.7); others are learnt when
 * they are first listed. */
static bool object_always_refuses(const char *name)
{
	static const char refusing[] =
		"ContentDocumentLink, ContentFolderItem, ContentFolderMember, "
		"ContentVersionRenditionContent, IdeaComment, Vote, FieldDefinition, "
		"EntityParticle, "
		"PicklistValueInfo, SearchLayout, SiteDetail, OwnerChangeOptionInfo, "
		"RelationshipInfo, RelationshipDomain, UserEntityAccess, UserFieldAccess, "
		"UserRecordAccess, FlowVersionView, FlowVariableView, FlowTestView, "
		"StandardValueSet, RelatedList*, ApexTypeImplementor, *ChangeEvent, "
		"ActivityHistory, OpenActivity, AggregateResult, AttachedContentDocument, "
		"CombinedAttachment, ContentBody, EmailStatus, FeedLike, FeedSignal, "
		"FeedTrackedChange, FolderedContentDocument, OwnedContentDocument, "
		"LookedUpFromActivity, Name, NoteAndAttachment, ProcessInstanceHistory, "
		"QuoteTemplateRichTextData, DataStatistics, DatacloudDandBCompany, FlexQueueItem, "
		"ListViewChartInstance, PlatformAction, OutgoingEmail, OutgoingEmailRelation, "
		"AppTabMember, ColorDefinition, IconDefinition, DatacloudAddress, *__b";

	return catalog_name_matches(refusing, name, false);
}

/* Fits the object to its entry; NULL when it is no longer in the catalogue. */
static void object_set_entry(struct object *o, const struct catalog_entry *entry)
{
	struct mirror *m = o->mirror;
	LOCK_SCOPE(&o->lock);

	o->exists = entry && catalog_name_matches(m->objects_pattern, o->name, true);
	o->hidden = catalog_name_matches(m->hide_pattern, o->name, false);
	if (entry) {
		o->entry = *entry;
		o->entry.name = o->entry.label = NULL;
	}
}

/* Under m->lock. */
static struct object *object_by_name(struct mirror *m, const char *name)
{
	for (uint32_t i = 1; i <= m->index_max; i++) {
		if (m->table[i] && strcmp(m->table[i]->name, name) == 0) {
			return m->table[i];
		}
	}
	return NULL;
}

static int catalog_adopt_entry(
	struct mirror *m, const struct catalog_entry *entry, struct error *err)
{
	pthread_mutex_lock(&m->lock);
	struct object *o = object_by_name(m, entry->name);
	pthread_mutex_unlock(&m->lock);

	if (!o) {
		o = object_new(m, entry->name, err);
		if (!o) {
			return -(err && err->errnum ? err->errnum : EIO);
		}
		pthread_mutex_lock(&m->lock);
		m->table[o->index] = o;
		m->index_max = o->index > m->index_max ? o->index : m->index_max;
		pthread_mutex_unlock(&m->lock);
	}
	object_set_entry(o, entry);
	return 0;
}

/* Objects that the new catalogue no longer has. */
static void catalog_drop_absent(struct mirror *m, const struct catalog *c)
{
	for (uint32_t i = 1; i <= m->index_max; i++) {
		struct object *o = object_by_index(m, i);
		if (o && !catalog_find(c, o->name)) {
			object_set_entry(o, NULL);
		}
	}
}

/* Makes json the catalogue. Runs at open or inside the catalogue's flight. */
static int catalog_adopt(struct mirror *m, const char *json, size_t len, const char *modified,
	int64_t checked_ms, struct error *err)
{
	struct error local = {0};
	AUTO(catalog) struct catalog *c = NULL;
	int r = catalog_parse(json, len, &c, &local);

	for (size_t i = 0; r == 0 && i < c->count; i++) {
		if (c->entries[i].queryable || c->entries[i].retrieveable) {
			r = catalog_adopt_entry(m, &c->entries[i], &local);
		}
	}
	if (r < 0) {
		if (err) {
			*err = local;
		}
		return r;
	}
	catalog_drop_absent(m, c);
	LOCK_SCOPE(&m->lock);
	catalog_free(m->catalog);
	m->catalog = take_ptr(&c);
	snprintf(m->catalog_modified, sizeof m->catalog_modified, "%s", modified);
	m->catalog_checked_ms = checked_ms;
	return 0;
}

int catalog_load(struct mirror *m, struct error *err)
{
	AUTO(store_doc) struct store_doc doc = {0};
	int r = store_doc_get(m->store, CATALOG_DOC, &doc, err);

	if (r < 0) {
		return r;
	}
	return catalog_adopt(m, doc.data, doc.len, doc.modified, doc.checked_ms, err);
}

static int catalog_keep(
	struct mirror *m, const struct remote_doc *doc, int64_t asked_ms, struct error *err)
{
	struct store_doc kept = {.data = doc->json, .len = doc->len, .checked_ms = asked_ms};

	snprintf(kept.modified, sizeof kept.modified, "%s", doc->last_modified);
	int r = catalog_adopt(m, doc->json, doc->len, doc->last_modified, asked_ms, err);
	if (r < 0) {
		return r;
	}
	news_push(m, NEWS_CATALOG, 0, 0, NULL);
	WITH_ROOM(m, r, store_doc_put(m->store, CATALOG_DOC, &kept, err));
	return r;
}

static int catalog_ask(struct mirror *m, const struct until *until, struct error *err)
{
	char modified[sizeof m->catalog_modified];
	int64_t asked_ms = clock_wall_ms();
	AUTO(remote_doc) struct remote_doc doc = {0};

	pthread_mutex_lock(&m->lock);
	snprintf(modified, sizeof modified, "%s", m->catalog ? m->catalog_modified : "");
	pthread_mutex_unlock(&m->lock);

	int r = breaker_enter(m, err);
	if (r == 0) {
		struct error local = {0};
		r = m->remote->objects(
			m->remote->self, modified[0] ? modified : NULL, until, &doc, &local);
		breaker_note(m, r, &local);
		if (r < 0 && err) {
			*err = local;
		}
	}
	if (r < 0 || !doc.not_modified) {
		return r < 0 ? r : catalog_keep(m, &doc, asked_ms, err);
	}
	pthread_mutex_lock(&m->lock);
	m->catalog_checked_ms = asked_ms;
	pthread_mutex_unlock(&m->lock);
	WITH_ROOM(m, r, store_doc_touch(m->store, CATALOG_DOC, asked_ms, err));
	return r == -ENOENT ? 0 : r; /* forgotten with the file; it is in memory */
}

int catalog_run(struct flight *f, const struct until *until, struct error *err)
{
	struct mirror *m = f->mirror;
	int r = catalog_ask(m, until, err);

	if (r < 0) {
		LOCK_SCOPE(&m->lock);
		m->catalog_next_check_ms = clock_mono_ms() + CHECK_BACKOFF_MS;
	}
	return r;
}

enum catalog_state { CATALOG_MISSING, CATALOG_STALE, CATALOG_FRESH };

static enum catalog_state catalog_state(struct mirror *m)
{
	LOCK_SCOPE(&m->lock);
	if (!m->catalog) {
		return CATALOG_MISSING;
	}
	if (left_ms(m, m->catalog_checked_ms) > 0 || clock_mono_ms() < m->catalog_next_check_ms) {
		return CATALOG_FRESH;
	}
	return CATALOG_STALE;
}

/* Makes sure that there is a catalogue, and a fresh one if the org can be asked. */
static int catalog_ensure(
	struct mirror *m, bool fresh, const struct until *until, struct error *err)
{
	enum catalog_state state = catalog_state(m);

	if (state == CATALOG_FRESH || (state == CATALOG_STALE && !fresh)) {
		return 0;
	}
	if (!until) {
		return -EWOULDBLOCK;
	}
	if (state == CATALOG_MISSING) {
		return flight_join(&m->catalog_flight, until, err);
	}
	return flight_join_briefly(&m->catalog_flight, until, err); /* the known one will do */
}

/* ---- the door ---- */

/* True if it exists; fills ret. */
static bool object_show(struct object *o, struct mirror_object *ret)
{
	const struct mirror *m = o->mirror;
	LOCK_SCOPE(&o->lock);

	*ret = (struct mirror_object){
		.index = o->index,
		.updateable = o->entry.updateable && m->may_update,
		.createable = o->entry.createable && m->may_create,
		.deletable = o->entry.deletable && m->may_delete,
		.has_bodies = o->schema && o->schema->blob_field,
		.mtime_ms = o->mtime_ms,
	};
	ret->bodies_updateable = ret->updateable && ret->has_bodies && o->schema->blob_updateable;
	memcpy(ret->name, o->name, sizeof ret->name);
	memcpy(ret->key_prefix, o->entry.key_prefix, sizeof ret->key_prefix);
	return o->exists;
}

static bool object_listed(struct object *o)
{
	LOCK_SCOPE(&o->lock);
	return o->exists && !o->hidden && o->entry.queryable && !o->state.verdict &&
	       !object_always_refuses(o->name);
}

int mirror_object_next(struct mirror *m, uint32_t after, const struct until *until,
	struct mirror_object *ret, struct error *err)
{
	int r = catalog_ensure(m, after == 0, until, err);

	if (r < 0) {
		return r;
	}
	for (uint32_t i = after + 1; i <= STORE_OBJECT_MAX; i++) {
		pthread_mutex_lock(&m->lock);
		bool past = i > m->index_max;
		struct object *o = m->table[i];
		pthread_mutex_unlock(&m->lock);
		if (past) {
			return 0;
		}
		if (o && object_listed(o) && object_show(o, ret)) {
			return 1;
		}
	}
	return 0;
}

static bool name_could_be_object(const char *name)
{
	if (!isalpha((unsigned char)name[0]) || strlen(name) > 80) {
		return false;
	}
	for (const char *p = name; *p; p++) {
		if (!isalnum((unsigned char)*p) && *p != '_') {
			return false;
		}
	}
	return true;
}

static bool object_find_known(struct mirror *m, const char *name, struct mirror_object *ret)
{
	pthread_mutex_lock(&m->lock);
	struct object *o = object_by_name(m, name);
	pthread_mutex_unlock(&m->lock);
	return o && object_show(o, ret);
}

int mirror_object_find(struct mirror *m, const char *name, const struct until *until,
	struct mirror_object *ret, struct error *err)
{
	if (!name_could_be_object(name)) {
		return -ENOENT;
	}
	int r = catalog_ensure(m, false, until, err);
	if (r == 0 && !object_find_known(m, name, ret)) {
		r = catalog_ensure(m, true, until, err);
		if (r == 0 && !object_find_known(m, name, ret)) {
			return error_set(err, ENOENT, "this org has no object %.80s", name);
		}
	}
	return r;
}

int mirror_object_by_index(struct mirror *m, uint32_t index, struct mirror_object *ret)
{
	struct object *o = object_by_index(m, index);

	return o && object_show(o, ret) ? 0 : -ENOENT;
}
