/* SPDX-License-Identifier: MIT */
/* "Did you mean": Levenshtein's distance over one row, without regard to case. */
#include "patch_priv.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_LEN 80

static size_t least(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* b: at most NAME_MAX_LEN bytes. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_MAX_LEN + 1];
	size_t len = strlen(b);

	for (size_t j = 0; j <= len; j++) {
		row[j] = j;
	}
	for (; *a; a++) {
		size_t diagonal = row[0]++;

		for (size_t j = 1; j <= len; j++) {
			size_t change = diagonal + !same_letter(*a, b[j - 1]);

			diagonal = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, change);
		}
	}
	return row[len];
}

/* Custom__c is meant where Custom is written. */
static bool lacks_ending(const char *name, const char *field)
{
	size_t len = strlen(name);

	return strncasecmp(name, field, len) == 0 && strcmp(field + len, "__c") == 0;
}

const char *patch_nearest(const struct schema *s, const char *name)
{
	const char *best = NULL;
	size_t best_distance = (strlen(name) + 2) / 3 + 1; /* a third of the letters may be wrong */

	if (strlen(name) > NAME_MAX_LEN) {
		return NULL;
	}
	for (size_t i = 0; i < s->field_count; i++) {
		const char *field = s->fields[i].name;
		size_t d = lacks_ending(name, field) ? 1 : distance(name, field);

		if (d < best_distance) {
			best = field;
			best_distance = d;
		}
	}
	return best;
}
