/* SPDX-License-Identifier: MIT */
/* Spelling: how far two words are apart, for "did you mean". Pure. */
#ifndef FORCEFS_APP_NEAREST_H
#define FORCEFS_APP_NEAREST_H

/* Keeps the best of the words shown to it. Start with {.word = "what was typed"}. */
struct nearest {
	const char *word;
	const char *best; /* NULL: nothing near enough */
	unsigned distance;
};

void nearest_try(struct nearest *n, const char *candidate);

#endif
