/* SPDX-License-Identifier: MIT */
/*
 * Whether a value in the org is what the org has made of one that was sent: then it is no change of
 * somebody else's, though it does not say the same. It trims texts and knows one kind of line end,
 * writes addresses of mail in small letters and choices in an order of its own, and drops the
 * milliseconds of datetimes. It may round numbers, or not: they have to be equal.
 */
#include "patch_priv.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#include "forcefs/model/json_text.h"
#include "forcefs/model/stamp.h"

struct text {
	const char *s;
	size_t len;
};

/* Empty for what is no text. */
static struct text trimmed(const json_t *value)
{
	struct text t = {"", 0};

	if (value && json_text_string(value, &t.len)) {
		t.s = json_text_string(value, &t.len);
	}
	while (t.len > 0 && (unsigned char)t.s[t.len - 1] <= ' ') {
		t.len--;
	}
	while (t.len > 0 && (unsigned char)t.s[0] <= ' ') {
		t.s++;
		t.len--;
	}
	return t;
}

/* Takes a character off the front, a line end of any kind as \n. */
static char take(struct text *t, bool fold)
{
	unsigned char c = (unsigned char)*t->s;
	size_t n = c == '\r' && t->len > 1 && t->s[1] == '\n' ? 2 : 1;

	t->s += n;
	t->len -= n;
	return c == '\r' ? '\n' : fold ? (char)tolower(c) : (char)c;
}

static bool became_text(struct text sent, struct text now, bool fold)
{
	while (sent.len > 0 && now.len > 0) {
		if (take(&sent, fold) != take(&now, fold)) {
			return false;
		}
	}
	return sent.len == 0 && now.len == 0;
}

/* The next of "A;B;C"; false behind the last. */
static bool next_choice(struct text *list, struct text *ret)
{
	const char *semicolon = memchr(list->s, ';', list->len);
	size_t len = semicolon ? (size_t)(semicolon - list->s) : list->len;

	if (list->len == 0) {
		return false;
	}
	*ret = (struct text){list->s, len};
	list->s += len + (semicolon != NULL);
	list->len -= len + (semicolon != NULL);
	return true;
}

static bool has_choice(struct text list, struct text wanted)
{
	struct text one;

	while (next_choice(&list, &one)) {
		if (one.len == wanted.len && memcmp(one.s, wanted.s, one.len) == 0) {
			return true;
		}
	}
	return false;
}

static bool has_choices(struct text list, struct text wanted)
{
	struct text one;

	while (next_choice(&wanted, &one)) {
		if (!has_choice(list, one)) {
			return false;
		}
	}
	return true;
}

static bool became_stamp(struct text sent, struct text now)
{
	int64_t x, y;

	return stamp_parse(sent.s, sent.len, &x) && stamp_parse(now.s, now.len, &y) &&
	       x - y < 1000 && y - x < 1000;
}

bool patch_became(const struct field *f, const json_t *sent, const json_t *now)
{
	struct text from = trimmed(sent), to = trimmed(now);

	if (patch_equal(f, sent, now)) {
		return true;
	}
	if (f->kind == FIELD_DATETIME) {
		return became_stamp(from, to);
	}
	if (f->kind != FIELD_TEXT || !json_text_string(sent, &(size_t){0})) {
		return false;
	}
	if (strcmp(f->type, "multipicklist") == 0) {
		return has_choices(from, to) && has_choices(to, from);
	}
	return became_text(from, to, strcmp(f->type, "email") == 0);
}
