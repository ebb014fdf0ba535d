/* SPDX-License-Identifier: MIT */
/*
 * What manual pages, completions and the sample settings repeat from the tables of commands,
 * settings and options. Only for the build: forcefs-pages fills the templates of packaging/ with
 * it and is not installed.
 */
#ifndef FORCEFS_APP_PAGES_H
#define FORCEFS_APP_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "command.h"
#include "settings.h"

/* One option of a command, as its help describes it ("  -o OPTION   text"). */
struct page_option {
	char names[64];  /* "-f" or "-f, --foreground" */
	char letter;     /* 'f'; 0: none */
	char word[48];   /* "foreground"; "": none */
	char shape[48];  /* what its value looks like; "": takes none */
	char text[1024]; /* one sentence or more, without the closing stop */
};

/* Takes the next option from the help's details and moves *at behind it. *at may be NULL. */
bool page_option_next(const char **at, struct page_option *ret);

/* Takes the next paragraph that is no option. */
bool page_paragraph_next(const char **at, char *ret, size_t size);

/* The number-th (from 0) of a command's operands ("DIR", "ORG|DIR"), out of its usage. */
bool page_operand(const struct command *c, int number, char *ret, size_t size);

/* The next word of "a, b, c". */
bool page_choice_next(const char **at, char *ret, size_t size);

/* What a value looks like: never NULL. */
const char *page_shape(const struct setting *s);

/* One filler per @NAME@ line; they print. */
struct page_filler {
	const char *name;
	void (*fill)(void);
};
extern const struct page_filler page_man_fillers[], page_shell_fillers[]; /* end: a NULL name */

#endif
