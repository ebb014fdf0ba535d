/* SPDX-License-Identifier: MIT */
/*
 * A save that was carried out, after which the record could not be read (the session ended in
 * between, a row is locked, the network is gone). What this mount wrote is visible to it all the
 * same: the record that is known, with the values that were sent, until the org can be asked what
 * it made of them.
 */
#include "mirror_priv.h"

#include <errno.h>
#include <string.h>

#include "forcefs/model/json_text.h"

#define RECORD_MAX (64u * 1024 * 1024)

struct assumed {
	const struct buf *sent;
	struct buf json;
};

static int add(void *payload, struct json_slice key, struct json_slice value)
{
	struct buf *json = &((struct assumed *)payload)->json;

	buf_addf(json, "%s\"%.*s\":", json->len > 1 ? "," : "", (int)key.len, key.text);
	buf_add(json, value.text, value.len);
	return buf_failed(json) ? -ENOMEM : 0;
}

static int add_unless_sent(void *payload, struct json_slice key, struct json_slice value)
{
	struct assumed *a = payload;
	struct json_slice sent;
	int r = json_text_find(buf_str(a->sent), a->sent->len, key.text, key.len, &sent, NULL);

	return r < 0 || sent.text ? r : add(a, key, value);
}

/* The record's JSON: what was sent, and what was known of the rest. */
static int compose(struct assumed *a, const struct buf *known)
{
	buf_add_str(&a->json, "{");
	int r = json_text_members(buf_str(a->sent), a->sent->len, add, a, NULL);
	r = r < 0 ? r : json_text_members(buf_str(known), known->len, add_unless_sent, a, NULL);
	buf_add_str(&a->json, "}");
	return r < 0 ? r : buf_failed(&a->json) ? -ENOMEM : 0;
}

int save_assume(struct object *o, const struct save *s, uint64_t key)
{
	AUTO(intake) struct intake in = {0};
	AUTO(buf) struct buf known;
	struct assumed a = {.sent = &s->json};
	struct store_record rec;

	buf_init(&known, RECORD_MAX);
	buf_init(&a.json, RECORD_MAX);
	int r = intake_init(&in, o, s->schema, 0, NULL);
	in.answered_now = true;
	in.tell = true;
	r = r < 0 ? r : store_record_by_key(o->mirror->store, key, &rec, &known, NULL);
	r = r < 0 ? r : compose(&a, &known);
	r = r < 0 ? r : intake_record(&in, buf_str(&a.json), a.json.len, NULL);
	r = r < 0 ? r : intake_flush(&in, NULL);
	buf_release(&a.json);
	object_doubt_records(o);
	return r;
}
