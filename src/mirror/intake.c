/* SPDX-License-Identifier: MIT */
/*
 * Records from the org into the store: rendered one by one, written some hundreds at a time, and
 * what that changed told as news. Memory does not grow with the number of records.
 */
#include "mirror_priv.h"

#include <errno.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/hash.h"
#include "forcefs/model/render.h"

#define INTAKE_ROWS        500
#define INTAKE_BYTES       (1024 * 1024)      /* written out when it holds more */
#define INTAKE_BYTES_LIMIT (64 * 1024 * 1024) /* no single record is larger */

int intake_init(struct intake *in, struct object *o, const struct schema *schema,
	uint32_t generation, struct error *err)
{
	*in = (struct intake){.object = o, .schema = schema, .generation = generation};
	buf_init(&in->scratch, INTAKE_BYTES_LIMIT);
	buf_init(&in->bodies, INTAKE_BYTES_LIMIT);
	in->rows = calloc(INTAKE_ROWS, sizeof *in->rows);
	in->offsets = calloc(INTAKE_ROWS, sizeof *in->offsets);
	in->gone = calloc(INTAKE_ROWS, sizeof *in->gone);
	if (!in->rows || !in->offsets || !in->gone) {
		intake_release(in);
		return error_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

void intake_release(struct intake *in)
{
	buf_release(&in->scratch);
	buf_release(&in->bodies);
	free(take_ptr(&in->rows));
	free(take_ptr(&in->offsets));
	free(take_ptr(&in->gone));
}

static size_t ending_len(const char *tag)
{
	return strcspn(tag, " ");
}

/* A body of an older stamp is of no use; one that is called otherwise now stands elsewhere. */
static void intake_drop_body(struct intake *in, const struct store_put *row)
{
	size_t len = ending_len(row->tag);

	if (!row->tag[0] && !row->ret_former[0]) {
		return;
	}
	body_table_drop(in->object->mirror, row->id, row->stamp_ms);
	if (len != ending_len(row->ret_former) || memcmp(row->tag, row->ret_former, len) != 0) {
		in->renamed++;
	}
}

/* The record was deleted after this question was put, and the answer has it still. Looked at when
 * the row is in the store: who deletes notes it before the row goes. */
static void intake_undo(struct intake *in, const struct store_put *row)
{
	struct object *o = in->object;
	struct store_gone gone;
	size_t count = 0;
	char id[1][19];
	int r;

	memcpy(id[0], row->id, sizeof id[0]);
	WITH_ROOM(o->mirror, r,
		store_record_delete(o->mirror->store, o->index, id, 1, &gone, &count, NULL));
	if (r == 0 && count) {
		news_push(o->mirror, NEWS_DELETED, o->index, gone.key, gone.id);
	}
}

static void intake_tell_put(struct intake *in, const struct store_put *row)
{
	struct object *o = in->object;

	if (row->ret_change == STORE_ADDED && !in->answered_now &&
		removed_since(o->mirror, o->index, row->id, in->asked_ms)) {
		intake_undo(in, row);
	} else if (row->ret_change == STORE_ADDED) {
		in->added++;
		in->first_row = in->first_row ? in->first_row : store_key_row(row->ret_key);
		missing_drop(o->mirror, o->index, row->id);
	} else if (row->ret_change == STORE_CHANGED) {
		in->changed++;
		intake_drop_body(in, row);
		if (in->tell) {
			news_push(o->mirror, NEWS_CHANGED, o->index, row->ret_key, row->id);
		}
	}
}

static int intake_flush_rows(struct intake *in, struct error *err)
{
	struct object *o = in->object;

	for (size_t i = 0; i < in->count; i++) {
		in->rows[i].body = in->bodies.data + in->offsets[i];
	}
	int64_t checked_ms = in->answered_now ? clock_wall_ms() + 1 : in->asked_ms;
	uint32_t generation = in->answered_now ? object_generation(o) : in->generation;
	int r;
	WITH_ROOM(o->mirror, r,
		store_record_put(o->mirror->store, o->index, generation, checked_ms, in->rows,
			in->count, err));
	for (size_t i = 0; r == 0 && i < in->count; i++) {
		intake_tell_put(in, &in->rows[i]);
	}
	in->count = 0;
	buf_clear(&in->bodies);
	return r;
}

static int intake_flush_gone(struct intake *in, struct error *err)
{
	struct object *o = in->object;
	AUTO_FREE struct store_gone *gone = calloc(in->gone_count, sizeof *gone);
	size_t count = 0;

	if (!gone) {
		return error_set(err, ENOMEM, "out of memory");
	}
	int r;
	WITH_ROOM(o->mirror, r,
		store_record_delete(o->mirror->store, o->index, (const char(*)[19])in->gone,
			in->gone_count, gone, &count, err));
	for (size_t i = 0; r == 0 && i < count; i++) {
		in->deleted++;
		if (in->schema->blob_field) {
			body_table_drop(o->mirror, gone[i].id, INT64_MIN);
		}
		news_push(o->mirror, NEWS_DELETED, o->index, gone[i].key, gone[i].id);
	}
	in->gone_count = 0;
	return r;
}

int intake_flush(struct intake *in, struct error *err)
{
	int r = in->count ? intake_flush_rows(in, err) : 0;

	if (r == 0 && in->gone_count) {
		r = intake_flush_gone(in, err);
	}
	return r;
}

int intake_deleted(void *payload, const struct id *id, struct error *err)
{
	struct intake *in = payload;

	memcpy(in->gone[in->gone_count++], id->text, sizeof in->gone[0]);
	return in->gone_count == INTAKE_ROWS ? intake_flush(in, err) : 0;
}

/* The delete log names records that have come back since. */
static void intake_came_back(struct intake *in, const struct id *id)
{
	for (size_t i = 0; i < in->gone_count; i++) {
		if (memcmp(in->gone[i], id->text, sizeof in->gone[i]) == 0) {
			memmove(in->gone[i], in->gone[--in->gone_count], sizeof in->gone[i]);
			return;
		}
	}
}

int intake_record(void *payload, const char *json, size_t len, struct error *err)
{
	struct intake *in = payload;
	struct rendered rendered;
	size_t offset = in->bodies.len;

	int r = render_record(in->schema, json, len, &in->scratch, &in->bodies, &rendered, err);
	if (r < 0) {
		return error_prefix(err, r, "a record of %s", in->object->name);
	}
	if (id_is_empty(&rendered.id)) {
		in->bodies.len = offset;
		return error_set(err, EPERM,
			"the records of %s have no Ids of their own (all have %s): they cannot be "
			"files",
			in->object->name, rendered.id.text);
	}
	if (rendered.deleted) {
		in->bodies.len = offset;
		return intake_deleted(in, &rendered.id, err);
	}
	intake_came_back(in, &rendered.id);
	if (in->seen_count < in->seen_max) {
		in->seen[in->seen_count++] = rendered.id;
	}
	struct store_put *row = &in->rows[in->count];
	*row = (struct store_put){.stamp_ms = rendered.stamp_ms, .size = in->bodies.len - offset};
	memcpy(row->id, rendered.id.text, sizeof row->id);
	row->hash = hash_bytes(in->bodies.data + offset, row->size);
	if (in->schema->blob_field) {
		struct body_facts facts;
		body_facts_read(in->schema, in->bodies.data + offset, row->size, &facts);
		body_tag_write(&facts, row->tag);
	}
	in->offsets[in->count++] = offset;
	if (in->count == INTAKE_ROWS || in->bodies.len >= INTAKE_BYTES) {
		return intake_flush(in, err);
	}
	return 0;
}
