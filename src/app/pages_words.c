/* SPDX-License-Identifier: MIT */
/* The help's texts taken apart again, so that options stand in one place only. */
#include "pages.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define LINE_LEN     1200
#define OPERANDS_MAX 9 /* so many are completed */

/* Copies the line at *at and moves behind it; false at the end. */
static bool next_line(const char **at, char *line, size_t size)
{
	if (!*at || !**at) {
		return false;
	}
	size_t len = strcspn(*at, "\n");
	snprintf(line, size, "%.*s", (int)len, *at);
	*at += len + ((*at)[len] == '\n');
	return true;
}

static bool is_option(const char *line)
{
	return strncmp(line, "  -", 3) == 0;
}

/* head is "-f", "-o OPTION" or "-f, --foreground"; taken apart in place. */
static void read_head(char *head, struct page_option *o)
{
	for (char *save, *word = strtok_r(head, " ,", &save); word;
		word = strtok_r(NULL, " ,", &save)) {
		if (word[0] != '-') {
			snprintf(o->shape, sizeof(o->shape), "%s", word);
			continue;
		}
		size_t used = strlen(o->names);
		snprintf(o->names + used, sizeof(o->names) - used, "%s%s", used ? ", " : "", word);
		if (word[1] == '-') {
			snprintf(o->word, sizeof(o->word), "%s", word + 2);
		} else {
			o->letter = word[1];
		}
	}
}

bool page_option_next(const char **at, struct page_option *ret)
{
	char line[LINE_LEN];
	while (next_line(at, line, sizeof(line))) {
		char *gap = is_option(line) ? strstr(line + 2, "  ") : NULL;
		if (is_option(line)) {
			*ret = (struct page_option){0};
			if (gap) {
				*gap++ = '\0';
				snprintf(
					ret->text, sizeof(ret->text), "%s", gap + strspn(gap, " "));
			}
			read_head(line + 2, ret);
			return true;
		}
	}
	return false;
}

bool page_paragraph_next(const char **at, char *ret, size_t size)
{
	while (next_line(at, ret, size)) {
		if (!is_option(ret) && ret[strspn(ret, " ")]) {
			return true;
		}
	}
	return false;
}

/* The end of a group in brackets, or of a word. */
static const char *group_end(const char *p)
{
	int depth = 0;
	for (; *p && (depth > 0 || *p != ' '); p++) {
		depth += (*p == '[' || *p == '(') - (*p == ']' || *p == ')');
	}
	return p;
}

/* A word of capitals, as operands are written. */
static bool is_operand(const char *word)
{
	for (const char *p = word; *p; p++) {
		if (!isupper((unsigned char)*p) && *p != '|' && *p != '/') {
			return false;
		}
	}
	return *word;
}

/* Cuts off the sign for "and more of them". */
static bool is_repeated(char *word)
{
	char *more = strstr(word, "…");
	if (more) {
		*more = '\0';
	}
	return more != NULL;
}

bool page_operand(const struct command *c, int number, char *ret, size_t size)
{
	const char *p = c->usage;
	if (number >= OPERANDS_MAX) {
		return false;
	}
	for (p += strcspn(p, " "); *p; p = group_end(p)) {
		p += strspn(p, " ");
		bool optional = *p == '[' || *p == '(';
		int len = (int)(group_end(p) - p) - 2 * optional;
		snprintf(ret, size, "%.*s", len > 0 ? len : 0, p + optional);
		bool repeated = is_repeated(ret);
		if (is_operand(ret) && (number-- == 0 || repeated)) {
			return true;
		}
	}
	return false;
}

bool page_choice_next(const char **at, char *ret, size_t size)
{
	if (!*at || !**at) {
		return false;
	}
	size_t len = strcspn(*at, ",");
	snprintf(ret, size, "%.*s", (int)len, *at);
	*at += len;
	*at += strspn(*at, ", ");
	return true;
}

const char *page_shape(const struct setting *s)
{
	return s->shape ? s->shape : s->type == SETTING_CHOICE ? "WORD" : "WORDS";
}
