/* SPDX-License-Identifier: MIT */
/*
 * Saves: one composite of a PATCH for each record and, last, one read of all of them.
 *
 * Saving twice. Where every PATCH carries If-Unmodified-Since, the request may be sent again after
 * a lost reply: a PATCH that was carried out has moved the record's LastModifiedDate, so that the
 * second one is refused with 412, and the caller compares what is there with what it wanted. The
 * condition has a grain of one second: if the record was last changed within the very second in
 * which the first PATCH came, the second one is carried out too, and writes the same values again
 * for the same user. Nothing is made twice by it. Without a condition on every PATCH the request is
 * sent once, and a lost reply is told as such.
 *
 * Going alone. Composite requests put parts' values where they find "@{…}" in a text, and know no
 * way to escape that. A record that holds such a text is saved by a PATCH of its own, as all are
 * where the org refuses the composite resource.
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char lost[] =
	"the save may have happened: read the record to find out before saving it again";

/* The saves of one call, or of a part of them. */
struct batch {
	struct remote_save *save[REMOTE_SAVES_MAX]; /* borrowed */
	size_t count;
};

struct saving {
	struct sf *sf;
	const struct schema *schema;
	const struct until *until;
	struct readback read;
	struct batch alone; /* what is still to be saved one by one */
};

/* One composite; big, so not on the stack. */
struct question {
	struct composite c;
	char *path[REMOTE_SAVES_MAX];
	char ref[REMOTE_SAVES_MAX][24];
};

static void question_free(struct question *q)
{
	for (size_t i = 0; q && i < REMOTE_SAVES_MAX; i++) {
		free(q->path[i]);
	}
	if (q) {
		composite_release(&q->c);
	}
	free(q);
}

DEFINE_PTR_CLEANER(question, struct question, question_free)

/* ---- results ---- */

static void batch_add(struct batch *b, struct remote_save *save)
{
	b->save[b->count++] = save;
}

static int fail_all(const struct batch *b, int r, const struct error *fault)
{
	for (size_t i = 0; i < b->count; i++) {
		b->save[i]->result = r;
		b->save[i]->err = *fault;
	}
	return r;
}

static bool has_condition(const struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		if (b->save[i]->unmodified_since_ms <= 0) {
			return false;
		}
	}
	return true;
}

/* Those whose present state the caller needs: saved, or changed by somebody else. */
static void read_back(struct saving *s, const struct batch *b)
{
	struct id ids[REMOTE_SAVES_MAX];
	size_t count = 0;

	for (size_t i = 0; i < b->count; i++) {
		if (b->save[i]->result == 0 || b->save[i]->result == -ESTALE) {
			ids[count++] = b->save[i]->id;
		}
	}
	readback_finish(&s->read, ids, count, s->until);
}

/* ---- together ---- */

static int add_saves(struct saving *s, const struct batch *b, const char *base, struct question *q)
{
	for (size_t i = 0; i < b->count; i++) {
		const struct remote_save *save = b->save[i];
		struct part *p;

		snprintf(q->ref[i], sizeof(q->ref[i]), "s%zu", i);
		q->path[i] = write_path(base, s->schema->object, &save->id);
		if (!q->path[i]) {
			return -ENOMEM;
		}
		p = composite_add(&q->c, q->ref[i], q->path[i]);
		p->method = "PATCH";
		p->write = true;
		p->send = (struct json_slice){save->json, save->len};
		p->unmodified_since_ms = save->unmodified_since_ms;
	}
	return 0;
}

static int ask(struct saving *s, const struct batch *b, struct error *err)
{
	AUTO(question) struct question *q = calloc(1, sizeof(*q));
	struct id ids[REMOTE_SAVES_MAX];
	char base[SF_BASE_SIZE];
	int r = versions_base(s->sf, s->until, base, err);

	if (r < 0) {
		return r;
	}
	if (!q || add_saves(s, b, base, q) < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < b->count; i++) {
		ids[i] = b->save[i]->id;
	}
	readback_ask(&s->read, &q->c, base, ids, b->count);
	r = composite_send(s->sf, &q->c, has_condition(b) ? NULL : lost, s->until, err);
	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < b->count; i++) {
		b->save[i]->result = write_judge(s->sf, &q->c.part[i], &b->save[i]->err);
	}
	read_back(s, b);
	return 0;
}

static int save_together(struct saving *s, const struct batch *b, struct error *err);

/* Each half tells its own saves; err and the return tell of both only if both failed. */
static int save_halves(struct saving *s, const struct batch *b, struct error *err)
{
	struct batch first = {.count = 0}, second = {.count = 0};
	struct error fault = {0};
	int r;

	for (size_t i = 0; i < b->count; i++) {
		batch_add(i < b->count / 2 ? &first : &second, b->save[i]);
	}
	r = save_together(s, &first, err);
	return save_together(s, &second, &fault) < 0 ? r : 0;
}

/* err must not be NULL. */
static int save_together(struct saving *s, const struct batch *b, struct error *err)
{
	int r = ask(s, b, err);

	if (r < 0 && !http_failure_is_ambiguous(err) && versions_changed(s->sf, s->until, err)) {
		*err = (struct error){0};
		r = ask(s, b, err);
	}
	if (r == 0) {
		return 0;
	}
	if (r == -EFBIG && b->count > 1 && (has_condition(b) || !http_failure_is_ambiguous(err))) {
		return save_halves(s, b, err);
	}
	if (composite_is_refused(err)) {
		for (size_t i = 0; i < b->count; i++) {
			batch_add(&s->alone, b->save[i]);
		}
		return 0;
	}
	return fail_all(b, r, err);
}

/* ---- alone ---- */

static int patch(struct saving *s, const struct remote_save *save, struct error *err)
{
	AUTO(http_reply) struct http_reply reply = {0};
	AUTO_FREE char *path = NULL;
	char base[SF_BASE_SIZE];
	struct sf_call call = {.method = "PATCH",
		.body = save->json,
		.body_len = save->len,
		.limit_bytes = SF_SMALL_LIMIT_BYTES,
		.write = true,
		.bare = true,
		.unmodified_since_ms = save->unmodified_since_ms,
		.once = save->unmodified_since_ms > 0 ? NULL : lost};
	int r = versions_base(s->sf, s->until, base, err);

	if (r < 0) {
		return r;
	}
	path = write_path(base, s->schema->object, &save->id);
	if (!path) {
		return error_set(err, ENOMEM, "out of memory");
	}
	call.path = path;
	r = sf_call_perform(s->sf, &call, s->until, &reply, err);
	return r < 0 ? write_verdict(err) : 0;
}

static void save_alone(struct saving *s)
{
	for (size_t i = 0; i < s->alone.count; i++) {
		struct remote_save *save = s->alone.save[i];
		struct error fault = {0};

		save->result = patch(s, save, &fault);
		if (save->result < 0 && !http_failure_is_ambiguous(&fault) &&
			versions_changed(s->sf, s->until, &fault)) {
			fault = (struct error){0};
			save->result = patch(s, save, &fault);
		}
		if (save->result < 0) {
			save->err = fault;
		}
	}
	s->read.part = NULL;
	read_back(s, &s->alone);
}

/* ---- the door ---- */

static int check(const struct schema *schema, const struct remote_save *saves, size_t count,
	struct error *err)
{
	if (count == 0 || count > REMOTE_SAVES_MAX || !soql_name_ok(schema->object)) {
		return error_set(
			err, EINVAL, "1 to %d records are saved at once", REMOTE_SAVES_MAX);
	}
	for (size_t i = 0; i < count; i++) {
		if (!write_is_object(saves[i].json, saves[i].len)) {
			return error_set(err, EINVAL, "a record's changes are one JSON object");
		}
	}
	return 0;
}

/* err must not be NULL. */
static int save_all(struct saving *s, struct remote_save *saves, size_t count, struct error *err)
{
	struct batch together = {.count = 0};
	int r = 0;

	for (size_t i = 0; i < count; i++) {
		saves[i].result = 0;
		saves[i].read_back = false;
		batch_add(write_looks_like_reference(saves[i].json, saves[i].len) ? &s->alone
										  : &together,
			&saves[i]);
	}
	if (together.count > 0) {
		r = save_together(s, &together, err);
	}
	if (s->alone.count > 0) {
		save_alone(s);
	}
	return together.count == count ? r : 0;
}

int sf_update(struct sf *sf, const struct schema *schema, struct remote_save *saves, size_t count,
	const struct remote_sink *sink, const struct until *until, struct error *err)
{
	struct saving s = {.sf = sf, .schema = schema, .until = until};
	struct error fault = {0};
	int r = until_check(until, &fault);

	if (r == 0) {
		r = check(schema, saves, count, &fault);
	}
	if (r == 0) {
		readback_init(&s.read, sf, schema, sink, saves, count);
		r = save_all(&s, saves, count, &fault);
		readback_release(&s.read);
	} else if (count <= REMOTE_SAVES_MAX) {
		for (size_t i = 0; i < count; i++) {
			saves[i].result = r;
			saves[i].err = fault;
			saves[i].read_back = false;
		}
	}
	if (r < 0 && err) {
		*err = fault;
	}
	return r;
}
