/* SPDX-License-Identifier: MIT */
/* Levenshtein's distance over one row; a third of the letters may be wrong. */
#include "nearest.h"

#include <stddef.h>
#include <string.h>

#define WORD_MAX 40

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;
	return ab < c ? ab : c;
}

static unsigned distance(const char *a, const char *b)
{
	unsigned row[WORD_MAX + 1];
	size_t len = strlen(b);
	for (unsigned j = 0; j <= len; j++) {
		row[j] = j;
	}
	for (unsigned i = 1; *a; i++, a++) {
		unsigned diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= len; j++) {
			unsigned change = diagonal + (*a != b[j - 1]);
			diagonal = row[j];
			row[j] = least(row[j] + 1, row[j - 1] + 1, change);
		}
	}
	return row[len];
}

void nearest_try(struct nearest *n, const char *candidate)
{
	size_t len = strlen(n->word);
	if (len > WORD_MAX || strlen(candidate) > WORD_MAX) {
		return;
	}
	unsigned d = distance(n->word, candidate);
	if (d <= (len + 2) / 3 && (!n->best || d < n->distance)) {
		n->best = candidate;
		n->distance = d;
	}
}
