/* SPDX-License-Identifier: MIT */
/*
 * What is known of each object without asking the file: name, next row, counts, when it was used.
 * Small (at most STORE_OBJECT_MAX entries), and enough to make a damaged file anew with the same
 * indexes. Counts change here only after the transaction that changes them in the file.
 */
#include "store_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/clock.h"

#define USED_SAVE_MS (3 * 60 * 1000)

/* table_lock held; NULL when there is no such object. */
static struct slot *slot_at(struct store *s, uint32_t index)
{
	return index >= 1 && index <= s->slot_count && s->slots[index - 1].name
		       ? &s->slots[index - 1]
		       : NULL;
}

static int make_room(struct store *s, uint32_t index)
{
	if (index <= s->slot_room) {
		return 0;
	}
	uint32_t room = index < 32 ? 64 : index * 2;
	struct slot *more = reallocarray(s->slots, room, sizeof(*more));
	if (!more) {
		return -ENOMEM;
	}
	memset(more + s->slot_room, 0, (room - s->slot_room) * sizeof(*more));
	s->slots = more;
	s->slot_room = room;
	return 0;
}

int table_add(struct store *s, uint32_t index, const struct slot *slot)
{
	LOCK_SCOPE(&s->table_lock);
	assert(index >= 1 && index <= STORE_OBJECT_MAX);
	if (make_room(s, index) < 0) {
		free(slot->name);
		return -ENOMEM;
	}
	s->slots[index - 1] = *slot;
	if (index > s->slot_count) {
		s->slot_count = index;
	}
	if (slot->used_ms > s->last_used_ms) {
		s->last_used_ms = slot->used_ms;
	}
	return 0;
}

void table_drop_last(struct store *s, uint32_t index)
{
	LOCK_SCOPE(&s->table_lock);
	assert(index == s->slot_count);
	free(s->slots[index - 1].name);
	s->slots[index - 1] = (struct slot){0};
	s->slot_count--;
}

void table_clear(struct store *s)
{
	for (uint32_t i = 0; i < s->slot_count; i++) {
		free(s->slots[i].name);
	}
	free(s->slots);
	s->slots = NULL;
	s->slot_count = s->slot_room = 0;
}

bool table_get(struct store *s, uint32_t index, struct slot *ret)
{
	LOCK_SCOPE(&s->table_lock);
	const struct slot *slot = slot_at(s, index);
	if (slot) {
		*ret = *slot;
	}
	return slot;
}

void table_set_counts(struct store *s, uint32_t index, const struct slot *now)
{
	LOCK_SCOPE(&s->table_lock);
	struct slot *slot = slot_at(s, index);
	assert(slot);
	slot->next_row = now->next_row;
	slot->count = now->count;
}

uint32_t table_next_index(struct store *s)
{
	LOCK_SCOPE(&s->table_lock);
	return s->slot_count + 1;
}

uint32_t table_oldest(struct store *s, uint32_t keep)
{
	LOCK_SCOPE(&s->table_lock);
	uint32_t oldest = 0;
	for (uint32_t i = 1; i <= s->slot_count; i++) {
		const struct slot *slot = &s->slots[i - 1];
		if (i != keep && slot->count.records > 0 && !slot->evicting &&
			(oldest == 0 || slot->used_ms < s->slots[oldest - 1].used_ms)) {
			oldest = i;
		}
	}
	return oldest;
}

void table_set_sweep(struct store *s, uint32_t index, uint32_t generation, uint64_t row)
{
	LOCK_SCOPE(&s->table_lock);
	struct slot *slot = slot_at(s, index);
	if (slot) {
		slot->sweep_generation = generation;
		slot->sweep_row = row;
	}
}

void table_set_evicting(struct store *s, uint32_t index, bool evicting)
{
	LOCK_SCOPE(&s->table_lock);
	struct slot *slot = slot_at(s, index);
	if (slot) {
		slot->evicting = evicting;
	}
}

void table_forget_rows(struct store *s)
{
	LOCK_SCOPE(&s->table_lock);
	for (uint32_t i = 0; i < s->slot_count; i++) {
		s->slots[i].count = (struct store_count){0};
		s->slots[i].sweep_row = 0;
	}
}

void store_object_count(struct store *s, uint32_t object, struct store_count *ret)
{
	struct slot slot = {0};
	table_get(s, object, &slot);
	*ret = slot.count;
}

/* Times never repeat, so that the order of use is exact within a millisecond too. */
void store_object_used(struct store *s, uint32_t object)
{
	int64_t now_ms = clock_wall_ms();
	LOCK_SCOPE(&s->table_lock);
	struct slot *slot = slot_at(s, object);
	if (slot) {
		s->last_used_ms = now_ms > s->last_used_ms ? now_ms : s->last_used_ms + 1;
		slot->used_ms = s->last_used_ms;
		slot->used_changed = true;
	}
}

static int slot_from_row(struct conn *c, sqlite3_stmt *st, struct error *err)
{
	int64_t index = sqlite3_column_int64(st, 0);
	const char *name = (const char *)sqlite3_column_text(st, 1);
	struct slot slot = {
		.next_row = (uint64_t)sqlite3_column_int64(st, 2),
		.count.records = (uint64_t)sqlite3_column_int64(st, 3),
		.count.bytes = (uint64_t)sqlite3_column_int64(st, 4),
		.used_ms = sqlite3_column_int64(st, 5),
	};
	if (index < 1 || index > STORE_OBJECT_MAX || !name || strlen(name) > 80 ||
		slot.next_row < 1 || slot.next_row > STORE_ROW_MAX + 1) {
		return sql_damaged(c, "an object in it makes no sense", err);
	}
	slot.name = strdup(name);
	if (!slot.name || table_add(c->store, (uint32_t)index, &slot) < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

int table_load(struct conn *c, struct error *err)
{
	AUTO(stmt) sqlite3_stmt *st = NULL;
	int r = sql_bind(c, STMT_OBJECT_ALL, &st, err, "");
	while (r == 0) {
		r = sql_step(c, st, err);
		if (r <= 0) {
			break;
		}
		r = slot_from_row(c, st, err);
	}
	return r;
}

/* Called with the gate held alone, or before the store is shared: nobody else changes the table. */
int table_save_all(struct conn *c, struct error *err)
{
	struct store *s = c->store;
	int r = tx_begin(c, err);
	if (r < 0) {
		return r;
	}
	for (uint32_t i = 1; r == 0 && i <= s->slot_count; i++) {
		struct slot slot;
		if (table_get(s, i, &slot)) {
			r = sql_run(c, STMT_OBJECT_ADD, err, "itii", (int64_t)i, slot.name,
				(int64_t)slot.next_row, slot.used_ms);
		}
	}
	return tx_end(c, r, err);
}

static bool used_is_due(struct store *s, bool now)
{
	int64_t mono_ms = clock_mono_ms();
	LOCK_SCOPE(&s->table_lock);
	if (!now && mono_ms - s->used_saved_ms < USED_SAVE_MS) {
		return false;
	}
	s->used_saved_ms = mono_ms;
	return true;
}

/* True if the object's time was newer than the file's; it counts as saved then. */
static bool take_used(struct store *s, uint32_t index, int64_t *ret_ms)
{
	LOCK_SCOPE(&s->table_lock);
	struct slot *slot = slot_at(s, index);
	if (!slot || !slot->used_changed) {
		return false;
	}
	slot->used_changed = false;
	*ret_ms = slot->used_ms;
	return true;
}

/* Inside a transaction of the writer. */
int table_save_used(struct conn *c, bool now, struct error *err)
{
	int r = 0;
	if (!used_is_due(c->store, now)) {
		return 0;
	}
	uint32_t end = table_next_index(c->store);
	for (uint32_t i = 1; r == 0 && i < end; i++) {
		int64_t used_ms = 0;
		if (take_used(c->store, i, &used_ms)) {
			r = sql_run(c, STMT_OBJECT_USED, err, "ii", (int64_t)i, used_ms);
		}
	}
	return r;
}

int table_measure(struct conn *c, struct error *err)
{
	uint64_t pages = 0, unused = 0;
	int r = sql_number(c, STMT_PAGES, &pages, err);
	if (r == 0) {
		r = sql_number(c, STMT_FREE_PAGES, &unused, err);
	}
	if (r == 0) {
		LOCK_SCOPE(&c->store->table_lock);
		c->store->in_use = (pages - unused) * STORE_PAGE_SIZE;
	}
	return r;
}
