/* SPDX-License-Identifier: MIT */
/*
 * All settings of one org, and the one table they come from (settings_table.c): parsing of the
 * file and of -o, the help text and the manual page are made from it. Values lie in an open struct
 * and are owned by it; a text that was not given is NULL. Knows nothing of what they are for.
 */
#ifndef FORCEFS_APP_SETTINGS_H
#define FORCEFS_APP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"

enum setting_type {
	SETTING_TEXT,
	SETTING_URL,      /* https://, or http:// on loopback; without a slash at the end */
	SETTING_CALLBACK, /* the same with a path */
	SETTING_PATH,     /* absolute, ~/ expanded */
	SETTING_PATTERNS, /* "Account, *__c" */
	SETTING_VERSION,  /* "64.0" */
	SETTING_CHOICE,   /* int64_t: index in choices */
	SETTING_WORDS,    /* int64_t: one bit per word of choices */
	SETTING_SECONDS,  /* int64_t, min to max */
	SETTING_BYTES,    /* int64_t, min to max */
	SETTING_SHARE,    /* struct share */
};

struct share {
	int percent;
	int64_t calls; /* counts when percent is 0 */
};

enum { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };
enum { ALLOW_UPDATE = 1, ALLOW_CREATE = 2, ALLOW_DELETE = 4 };

struct setting {
	const char *name;
	enum setting_type type;
	bool secret;          /* never shown, never taken from the command line */
	size_t offset;        /* in struct settings */
	const char *standard; /* the default, as it would stand in the file; NULL: not set */
	const char *choices;  /* "a, b, c", or the one word that a path may be instead */
	int64_t min, max;
	const char *shape; /* what a value looks like, for the help: "SECONDS" */
	const char *help;
};

extern const struct setting settings_table[];
extern const size_t settings_table_len;
#define SETTINGS_MAX 32

/* Where a value came from: a line of the file, the command line, or the table. */
enum { ORIGIN_STANDARD = 0, ORIGIN_OPTION = -1 };

struct settings {
	char *org;  /* the section's name */
	char *file; /* the settings file, or NULL */
	int section_line;
	int line[SETTINGS_MAX]; /* by index in the table: > 0 a line of file, else ORIGIN_… */

	char *login_url, *client_id, *client_secret, *client_secret_command;
	char *redirect_uri, *scope;
	int64_t grant; /* enum sf_grant */
	char *refresh_token, *refresh_token_command, *username, *jwt_key_file, *sf_alias;
	char *api_version, *objects, *hide, *ca_file, *proxy;
	int64_t timeout_s, ttl_s;
	struct share api_reserve;
	int64_t allow;   /* ALLOW_… */
	char *cache_dir; /* "memory" keeps nothing on disk */
	int64_t cache_size_bytes;
	int64_t log_level;  /* enum log_level */
	int64_t log_format; /* LOG_FORMAT_… */
};

/* Every setting at its default. */
int settings_init(struct settings *s, const char *org, struct error *err);
void settings_release(struct settings *s); /* wipes what is secret */

/* NULL if there is no such setting. */
const struct setting *setting_find(const char *name, size_t len);
/* The nearest name by spelling, or NULL when none is near. */
const char *setting_nearest(const char *name);

/* Sets one value from its text, len bytes; line as above. The error text says what is wrong with
 * the value and not where it stands. */
int setting_set(struct settings *s, const struct setting *what, const char *value, int line,
	struct error *err);
/* True if this value, in a file, must be hidden from other users. */
bool setting_holds_secret(const struct setting *what, const char *value);

/* Fails with the text prefixed by "file:line: name: " or "-o name: ". */
int settings_complain(
	const struct settings *s, const struct setting *what, int r, struct error *err);

/* Where the settings name no app: the one that came with forcefs login --sfdx-url, and its host. */
int settings_take_login(struct settings *s, const char *state_dir, struct error *err);

/* What can be judged only when all values are known: keys the grant needs, files that must be
 * readable. */
int settings_check(const struct settings *s, struct error *err);

/* An org's name: it also names files. */
int settings_check_org(const char *org, struct error *err);

DEFINE_CLEANER(settings, struct settings, settings_release)

#endif
