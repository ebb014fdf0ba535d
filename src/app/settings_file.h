/* SPDX-License-Identifier: MIT */
/* The settings file: where it lies, reading it with inih, taking one org's values from it. */
#ifndef FORCEFS_APP_SETTINGS_FILE_H
#define FORCEFS_APP_SETTINGS_FILE_H

#include <stdio.h>

#include "settings.h"

/* Finds the file, refuses it when others could read a secret in it, checks every line of it, and
 * gives the org's values: the table's defaults, then [defaults], then [org]. */
int settings_load(const char *org, struct settings *ret, struct error *err);

/* The same from this file, wherever it lies. */
int settings_load_file(const char *path, const char *org, struct settings *ret, struct error *err);

/* The same from an open file; path is for the texts. */
int settings_read(
	FILE *file, const char *path, const char *org, struct settings *ret, struct error *err);

/* The first one of the places to look that exists. New string. -ENOENT says where it looked. */
int settings_file_find(char **ret, struct error *err);

#endif
