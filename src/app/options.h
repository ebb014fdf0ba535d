/* SPDX-License-Identifier: MIT */
/* The text after -o: settings as key=value, what mount(8) and fstab know, and the words that only
 * they care about, which are passed over. */
#ifndef FORCEFS_APP_OPTIONS_H
#define FORCEFS_APP_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"
#include "settings.h"

struct option_setting {
	const struct setting *what;
	char *value;
};

struct options {
	bool read_only, allow_other;
	bool pass_unknown; /* mount(8)'s -s: unknown words are no error */
	uid_t uid;         /* (uid_t)-1: not given */
	gid_t gid;
	mode_t umask;
	struct option_setting *settings; /* in the order given */
	size_t setting_count;
};

void options_init(struct options *o);
void options_release(struct options *o);

/* Adds what text holds: words separated by commas, a comma inside a value written as \, . The
 * text of a failure names the word. */
int options_add(struct options *o, const char *text, struct error *err);

/* Puts the settings among them over those of the file. */
int options_apply(const struct options *o, struct settings *s, struct error *err);

/* ---- for the manual pages and completions ---- */

struct option_word {
	const char *name;
	const char *shape; /* what its value looks like; NULL: takes none */
	const char *help;
};

/* The mount options that are no settings, by number; NULL after the last. */
const struct option_word *options_word(size_t i);
/* The words that are passed over, * standing for anything; NULL after the last. */
const char *options_passed_over(size_t i);

DEFINE_CLEANER(options, struct options, options_release)

#endif
