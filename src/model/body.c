/* SPDX-License-Identifier: MIT */
/* A record's fields -> name and size of its body's file. */
#include "forcefs/model/body.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "forcefs/model/json_text.h"

#define DIGITS_MAX 18

/* Fields that know the ending, the surest first; `whole`: the value is the ending. */
static const struct {
	const char *name;
	bool whole;
} sources[] = {
	{"FileExtension", true},
	{"Type", true},
	{"PathOnClient", false},
	{"Name", false},
	{"Title", false},
};
#define SOURCES (sizeof(sources) / sizeof(sources[0]))

struct search {
	struct json_slice value[SOURCES];
	char length_field[300];
	struct json_slice length, content_size;
};

static bool slice_is(struct json_slice s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.text, word, s.len) == 0;
}

static int look(void *payload, struct json_slice key, struct json_slice value)
{
	struct search *s = payload;

	for (size_t i = 0; i < SOURCES; i++) {
		if (slice_is(key, sources[i].name)) {
			s->value[i] = value;
		}
	}
	if (slice_is(key, s->length_field)) {
		s->length = value;
	} else if (slice_is(key, "ContentSize")) {
		s->content_size = value;
	}
	return 0;
}

/* The text between the quotes, as it is written: what is escaped in it is no letter or digit. */
static struct json_slice inside(struct json_slice v)
{
	if (!v.text || v.len < 2 || v.text[0] != '"') {
		return (struct json_slice){NULL, 0};
	}
	return (struct json_slice){v.text + 1, v.len - 2};
}

/* Behind the last dot, where something stands before it. */
static struct json_slice ending_of(struct json_slice name)
{
	size_t at = name.len;

	while (at > 0 && name.text[at - 1] != '.') {
		at--;
	}
	if (at < 2 || strchr("/\\", name.text[at - 2])) {
		return (struct json_slice){NULL, 0};
	}
	return (struct json_slice){name.text + at, name.len - at};
}

static bool is_ending(struct json_slice s)
{
	if (!s.text || s.len < 1 || s.len > BODY_EXT_MAX) {
		return false;
	}
	for (size_t i = 0; i < s.len; i++) {
		if (!isascii(s.text[i]) || !isalnum((unsigned char)s.text[i])) {
			return false;
		}
	}
	return true;
}

static void find_ending(const struct search *s, char ext[BODY_EXT_MAX + 1])
{
	strcpy(ext, "bin");
	for (size_t i = 0; i < SOURCES; i++) {
		struct json_slice v = inside(s->value[i]);

		if (v.text && !sources[i].whole) {
			v = ending_of(v);
		}
		if (is_ending(v)) {
			memcpy(ext, v.text, v.len);
			ext[v.len] = '\0';
			break;
		}
	}
	if (strcasecmp(ext, "json") == 0) {
		strcpy(ext, "bin");
	}
}

/* A whole number, also as 12.0; -1 for anything else. */
static int64_t number_of(struct json_slice v)
{
	int64_t n = 0;
	size_t i = 0;

	while (i < v.len && i < DIGITS_MAX && isdigit((unsigned char)v.text[i])) {
		n = n * 10 + (v.text[i++] - '0');
	}
	if (i == 0) {
		return -1;
	}
	if (i < v.len && v.text[i] == '.') {
		i++;
		while (i < v.len && v.text[i] == '0') {
			i++;
		}
	}
	return i == v.len ? n : -1;
}

void body_facts_read(const struct schema *s, const char *file, size_t len, struct body_facts *ret)
{
	struct search found = {.length = {NULL, 0}};

	*ret = (struct body_facts){.size = -1};
	if (!s->blob_field) {
		return;
	}
	snprintf(found.length_field, sizeof(found.length_field), "%sLength", s->blob_field);
	json_text_members(file, len, look, &found, NULL);
	find_ending(&found, ret->ext);
	ret->size = number_of(found.length);
	if (ret->size < 0) {
		ret->size = number_of(found.content_size);
	}
}

void body_tag_write(const struct body_facts *facts, char tag[BODY_TAG_SIZE])
{
	if (facts->ext[0]) {
		snprintf(tag, BODY_TAG_SIZE, "%s %lld", facts->ext, (long long)facts->size);
	} else {
		tag[0] = '\0';
	}
}

void body_tag_read(const char *tag, struct body_facts *ret)
{
	size_t len = strcspn(tag, " ");

	*ret = (struct body_facts){.size = -1};
	if (len > 0 && len <= BODY_EXT_MAX) {
		memcpy(ret->ext, tag, len);
		ret->size = strtoll(tag + len, NULL, 10);
	}
}

bool body_name_parse(
	const char *name, const char *key_prefix, struct id *ret, char ext[BODY_EXT_MAX + 1])
{
	const char *dot = strchr(name, '.');
	struct json_slice ending;
	struct id id;

	if (!dot) {
		return false;
	}
	ending = (struct json_slice){dot + 1, strnlen(dot + 1, BODY_EXT_MAX + 1)};
	if (!is_ending(ending) || slice_is(ending, "json") ||
		!id_parse(name, (size_t)(dot - name), &id) || !id_has_prefix(&id, key_prefix)) {
		return false;
	}
	*ret = id;
	memcpy(ext, ending.text, ending.len);
	ext[ending.len] = '\0';
	return true;
}

void body_name_write(const struct id *id, const char *ext, char *buf)
{
	snprintf(buf, BODY_NAME_LEN + 1, "%s.%s", id->text, ext);
}
