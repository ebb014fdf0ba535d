/* SPDX-License-Identifier: MIT */
/* One value from its text, by the type its row in the table names. */
#include "settings.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/log.h"
#include "forcefs/net/redirect.h"
#include "nearest.h"

#define VALUE_MAX 16384
#define ORG_MAX   40

static int no_memory(struct error *err)
{
	return error_set(err, ENOMEM, "out of memory");
}

static void *field(struct settings *s, const struct setting *what)
{
	return (char *)s + what->offset;
}

static bool is_text(const struct setting *what)
{
	return what->type <= SETTING_VERSION;
}

/* Quoted in an error only where it is no secret and short. */
static int bad_value(
	const struct setting *what, const char *value, struct error *err, const char *wanted)
{
	char shown[64];
	log_escape(shown, sizeof(shown), value);
	if (what->secret || strlen(value) >= sizeof(shown)) {
		return error_set(err, EINVAL, "the value is not %s", wanted);
	}
	return error_set(err, EINVAL, "\"%s\" is not %s", shown, wanted);
}

/* ---- one function per type; value is not empty unless said ---- */

static void clear_text(char **at)
{
	if (*at) {
		explicit_bzero(*at, strlen(*at));
		free(*at);
		*at = NULL;
	}
}

static int replace_text(char **at, char *text, struct error *err)
{
	if (!text) {
		return no_memory(err);
	}
	clear_text(at);
	*at = text;
	return 0;
}

static int parse_text(const struct setting *what, const char *value, void *at, struct error *err)
{
	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			return bad_value(what, value, err, "free of control characters");
		}
	}
	return replace_text(at, strdup(value), err);
}

static int parse_url(const struct setting *what, const char *value, void *at, struct error *err)
{
	int r = url_check(value, err);
	if (r < 0) {
		return r;
	}
	size_t len = strlen(value);
	while (len > 0 && value[len - 1] == '/') {
		len--;
	}
	const char *host = strstr(value, "://") + 3;
	if (strpbrk(value, "@?# \t\"\\") || memchr(host, '/', len - (size_t)(host - value))) {
		return bad_value(what, value, err, "a plain address such as https://host");
	}
	return replace_text(at, strndup(value, len), err);
}

static int parse_callback(
	const struct setting *what, const char *value, void *at, struct error *err)
{
	int r = url_check(value, err);
	if (r < 0) {
		return r;
	}
	for (const char *p = value; *p; p++) {
		if (*p <= ' ' || *p > '~' || strchr("#\"\\<>", *p)) {
			return bad_value(what, value, err,
				"a URL such as http://localhost:1717/OauthRedirect");
		}
	}
	return replace_text(at, strdup(value), err);
}

/* New string, NULL if memory is out or there is no home. */
static char *in_home(const char *below)
{
	const char *home = getenv("HOME");
	char space[4096], *path;
	struct passwd entry, *found = NULL;
	if (!home || home[0] != '/') {
		getpwuid_r(getuid(), &entry, space, sizeof(space), &found);
		home = found ? found->pw_dir : NULL;
	}
	return home && asprintf(&path, "%s/%s", home, below) >= 0 ? path : NULL;
}

static int parse_path(const struct setting *what, const char *value, void *at, struct error *err)
{
	if (what->choices && strcmp(value, what->choices) == 0) {
		return replace_text(at, strdup(value), err);
	}
	if (strncmp(value, "~/", 2) == 0) {
		char *path = in_home(value + 2);
		return path ? replace_text(at, path, err)
			    : error_set(err, EINVAL, "there is no home directory for ~/");
	}
	if (value[0] != '/') {
		return bad_value(what, value, err,
			what->choices ? "an absolute path (/… or ~/…) or the word memory"
				      : "an absolute path (/… or ~/…)");
	}
	return replace_text(at, strdup(value), err);
}

static int parse_patterns(
	const struct setting *what, const char *value, void *at, struct error *err)
{
	for (const char *p = value; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("_*?, \t", *p)) {
			return bad_value(what, value, err,
				"a list of object names (letters, digits, _ and the wildcards * "
				"and "
				"?, separated by commas)");
		}
	}
	return replace_text(at, strdup(value), err);
}

/* A whole number at the start of value; the rest in *ret_rest. False if there is none. */
static bool read_number(const char *value, int64_t *ret, const char **ret_rest)
{
	if (!isdigit((unsigned char)value[0])) {
		return false;
	}
	char *end;
	errno = 0;
	long long n = strtoll(value, &end, 10);
	*ret = n;
	*ret_rest = end;
	return errno == 0;
}

static int parse_version(const struct setting *what, const char *value, void *at, struct error *err)
{
	const char *rest, *digits = value[0] == 'v' ? value + 1 : value;
	int64_t n;
	if (!read_number(digits, &n, &rest) || (*rest && strcmp(rest, ".0") != 0) ||
		n > what->max) {
		return bad_value(what, value, err, "an API version such as 64.0");
	}
	if (n < what->min) {
		return error_set(err, EINVAL, "API version %s is too old; use %d.0 or newer", value,
			(int)what->min);
	}
	char *text;
	return replace_text(at, asprintf(&text, "%d.0", (int)n) < 0 ? NULL : text, err);
}

/* Index of the word in "a, b, c", or -1. */
static int choice_index(const char *choices, const char *word, size_t len)
{
	int i = 0;
	for (const char *p = choices; *p; i++) {
		size_t n = strcspn(p, ",");
		if (n == len && strncasecmp(p, word, n) == 0) {
			return i;
		}
		p += n;
		p += strspn(p, ", ");
	}
	return -1;
}

static int bad_choice(const struct setting *what, const char *value, struct error *err)
{
	char wanted[160];
	snprintf(wanted, sizeof(wanted), "%s: %s%s",
		what->type == SETTING_WORDS ? "made of these words" : "one of these", what->choices,
		what->type == SETTING_WORDS ? ", or none" : "");
	return bad_value(what, value, err, wanted);
}

static int parse_choice(const struct setting *what, const char *value, void *at, struct error *err)
{
	int i = choice_index(what->choices, value, strlen(value));
	if (i < 0) {
		return bad_choice(what, value, err);
	}
	*(int64_t *)at = i;
	return 0;
}

/* May be empty, which is the same as "none". */
static int parse_words(const struct setting *what, const char *value, void *at, struct error *err)
{
	int64_t bits = 0;
	bool none = strcasecmp(value, "none") == 0;
	for (const char *p = value + strspn(value, ", \t"); *p && !none; p += strspn(p, ", \t")) {
		size_t len = strcspn(p, ", \t");
		int i = choice_index(what->choices, p, len);
		if (i < 0) {
			return bad_choice(what, value, err);
		}
		bits |= INT64_C(1) << i;
		p += len;
	}
	*(int64_t *)at = bits;
	return 0;
}

/* The factor of a unit: letters[i] stands for factors[i]; no unit is 1. 0: unknown. */
static int64_t unit_factor(const char *unit, const char *letters, const int64_t *factors)
{
	if (!*unit) {
		return 1;
	}
	const char *found = unit[1] ? NULL : strchr(letters, unit[0]);
	return found ? factors[found - letters] : 0;
}

static int parse_amount(const struct setting *what, const char *value, void *at, struct error *err)
{
	static const int64_t seconds[] = {1, 60, 3600};
	static const int64_t bytes[] = {
		1024, 1024, 1 << 20, 1 << 20, 1 << 30, 1 << 30, INT64_C(1) << 40, INT64_C(1) << 40};
	bool time = what->type == SETTING_SECONDS;
	int64_t n, factor = 0;
	const char *unit;
	if (read_number(value, &n, &unit)) {
		factor = time ? unit_factor(unit, "smh", seconds)
			      : unit_factor(unit, "kKmMgGtT", bytes);
	}
	if (factor == 0) {
		return bad_value(what, value, err,
			time ? "a time: seconds, or a number with s, m or h"
			     : "a size: a number with K, M, G or T");
	}
	if (n > what->max / factor || n * factor < what->min) {
		return error_set(err, EINVAL,
			time ? "%s is not between %lld and %lld seconds"
			     : "%s is not between %lld and %lld bytes",
			value, (long long)what->min, (long long)what->max);
	}
	*(int64_t *)at = n * factor;
	return 0;
}

static int parse_share(const struct setting *what, const char *value, void *at, struct error *err)
{
	int64_t n;
	const char *unit;
	if (!read_number(value, &n, &unit) || (*unit && strcmp(unit, "%") != 0) ||
		(*unit && n > 100)) {
		return bad_value(what, value, err, "a share such as 20% or a number of calls");
	}
	*(struct share *)at =
		*unit ? (struct share){.percent = (int)n} : (struct share){.calls = n};
	return 0;
}

typedef int (*parse_fn)(const struct setting *what, const char *value, void *at, struct error *err);

static const parse_fn parsers[] = {
	[SETTING_TEXT] = parse_text,
	[SETTING_URL] = parse_url,
	[SETTING_CALLBACK] = parse_callback,
	[SETTING_PATH] = parse_path,
	[SETTING_PATTERNS] = parse_patterns,
	[SETTING_VERSION] = parse_version,
	[SETTING_CHOICE] = parse_choice,
	[SETTING_WORDS] = parse_words,
	[SETTING_SECONDS] = parse_amount,
	[SETTING_BYTES] = parse_amount,
	[SETTING_SHARE] = parse_share,
};

/* An empty value takes a text back to its default; a number has to be one. */
static int set_empty(struct settings *s, const struct setting *what, struct error *err)
{
	if (!is_text(what)) {
		return error_set(err, EINVAL, "has no value; give one or remove the line");
	}
	if (what->standard) {
		return parsers[what->type](what, what->standard, field(s, what), err);
	}
	clear_text(field(s, what));
	return 0;
}

/* A secret and the command that prints it are two ways to say one thing: the later one counts. */
static void clear_other_way(struct settings *s, const struct setting *what)
{
	char **ways[][2] = {{&s->client_secret, &s->client_secret_command},
		{&s->refresh_token, &s->refresh_token_command}};
	for (int i = 0; i < 2; i++) {
		for (int j = 0; j < 2; j++) {
			if (field(s, what) == ways[i][j]) {
				clear_text(ways[i][1 - j]);
			}
		}
	}
}

int setting_set(struct settings *s, const struct setting *what, const char *value, int line,
	struct error *err)
{
	if (strlen(value) > VALUE_MAX) {
		return error_set(err, EINVAL, "the value is longer than %d characters", VALUE_MAX);
	}
	int r = !*value && what->type != SETTING_WORDS
			? set_empty(s, what, err)
			: parsers[what->type](what, value, field(s, what), err);
	if (r == 0) {
		s->line[what - settings_table] = line;
		if (*value) {
			clear_other_way(s, what);
		}
	}
	return r;
}

const struct setting *setting_find(const char *name, size_t len)
{
	for (size_t i = 0; i < settings_table_len; i++) {
		const char *have = settings_table[i].name;
		if (strlen(have) == len && memcmp(have, name, len) == 0) {
			return &settings_table[i];
		}
	}
	return NULL;
}

const char *setting_nearest(const char *name)
{
	struct nearest n = {.word = name};
	for (size_t i = 0; i < settings_table_len; i++) {
		nearest_try(&n, settings_table[i].name);
	}
	return n.best;
}

/* A proxy's URL is one when it carries a password. */
bool setting_holds_secret(const struct setting *what, const char *value)
{
	return *value && (what->secret || (what->offset == offsetof(struct settings, proxy) &&
						  strchr(value, '@')));
}

int settings_check_org(const char *org, struct error *err)
{
	size_t len = strlen(org);
	bool fine = len > 0 && len <= ORG_MAX && isalnum((unsigned char)org[0]);
	for (const char *p = org; *p; p++) {
		fine = fine && (isalnum((unsigned char)*p) || strchr("._-@+", *p));
	}
	if (!fine) {
		char shown[64];
		log_escape(shown, sizeof(shown), org);
		return error_set(err, EINVAL,
			"\"%s\" cannot be an org's name: use up to %d letters, digits, . _ - @ +, "
			"the first one a letter or digit",
			shown, ORG_MAX);
	}
	return 0;
}

int settings_init(struct settings *s, const char *org, struct error *err)
{
	memset(s, 0, sizeof(*s));
	s->org = strdup(org);
	int r = s->org ? 0 : no_memory(err);
	for (size_t i = 0; i < settings_table_len && r == 0; i++) {
		if (settings_table[i].standard) {
			r = setting_set(s, &settings_table[i], settings_table[i].standard,
				ORIGIN_STANDARD, err);
		}
	}
	if (r < 0) {
		settings_release(s);
	}
	return r;
}

void settings_release(struct settings *s)
{
	for (size_t i = 0; i < settings_table_len; i++) {
		if (is_text(&settings_table[i])) {
			clear_text(field(s, &settings_table[i]));
		}
	}
	free(s->org);
	free(s->file);
	memset(s, 0, sizeof(*s));
}
