/* SPDX-License-Identifier: MIT */
/* JSON as text: what was loaded is written so that it loads as the same; both readers agree. */
#include <jansson.h>

#include "forcefs/model/json_quote.h"
#include "forcefs/model/json_text.h"
#include "fuzz.h"

#define LIMIT (1u << 22)

static int take(void *payload, struct json_slice key, struct json_slice value)
{
	size_t *n = payload;

	must(!key.len || key.text);
	must(value.len > 0);
	return (*n += value.len) > LIMIT ? -1 : 0;
}

static int take_element(void *payload, struct json_slice value)
{
	return take(payload, (struct json_slice){0}, value);
}

static void walk(const struct piece *p)
{
	size_t n = 0;
	struct error err = {0};
	struct buf indented;

	json_text_members(p->text, p->len, take, &n, &err);
	must(n <= LIMIT);
	n = 0;
	json_text_elements(p->text, p->len, take_element, &n, &err);
	buf_init(&indented, 64 * LIMIT);
	json_text_indent(p->text, p->len, &indented, &err);
	buf_release(&indented);
}

static void round_trip(const struct piece *p)
{
	struct buf scratch, once, twice;
	json_t *value = NULL, *again = NULL;
	struct error err = {0};

	buf_init(&scratch, LIMIT);
	buf_init(&once, 16 * LIMIT);
	buf_init(&twice, 16 * LIMIT);
	if (json_text_load(p->text, p->len, &scratch, &value, &err) == 0) {
		must(json_text_dump(value, &once) == 0);
		must(json_text_load(buf_str(&once), once.len, &scratch, &again, &err) == 0);
		must(json_equal(value, again));
		must(json_text_dump(again, &twice) == 0);
		must(once.len == twice.len && !memcmp(buf_str(&once), buf_str(&twice), once.len));
	} else {
		must(err.text[0] && err.errnum);
	}
	json_decref(value);
	json_decref(again);
	buf_release(&scratch);
	buf_release(&once);
	buf_release(&twice);
}

/* Any bytes, quoted, are a JSON string. */
static void quote(const struct piece *p)
{
	struct buf out;
	json_t *value;

	buf_init(&out, 16 * LIMIT);
	must(json_quote(p->text, p->len, &out) == 0);
	value = json_loadb(buf_str(&out), out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
	must(json_is_string(value));
	json_decref(value);
	buf_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct piece p;

	pieces_cut(data, size, &p, 1);
	walk(&p);
	round_trip(&p);
	quote(&p);
	pieces_free(&p, 1);
	return 0;
}
