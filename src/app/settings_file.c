/* SPDX-License-Identifier: MIT */
/*
 * The settings file, read with inih.
 *
 * inih hands over name and value, one pair at a time, but how it was built differs between
 * distributions: in most builds its handler is told neither the line number nor of a new section,
 * a line that starts with a blank continues the one before, and a line over 200 bytes is split in
 * two without a word. So the lines go to it through a reader of ours, one whole line at each call,
 * which counts, notes the sections, takes off leading blanks, and cuts what is too long; the value
 * of a cut line is then taken from the line itself by inih's own rules. No setting of the library
 * is relied upon, and a token of any length survives.
 */
#include "settings_file.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/log.h"
#include "forcefs/base/paths.h"
#include "nearest.h"
#include "quoted.h"

#define FILE_NAME      "forcefs.ini"
#define SYSTEM_FILE    "/etc/forcefs/" FILE_NAME
#define DEFAULTS       "defaults"
#define FILE_LINES_MAX 20000
#define LINE_BYTES_MAX 65536
#define SECTIONS_MAX   500

struct section {
	char *name;
	int line;
	int line_of[SETTINGS_MAX]; /* where each setting was given in this section; 0: not */
};

struct entry {
	const struct setting *what;
	char *value;
	int section; /* index */
	int line;
};

struct reading {
	FILE *file;
	const char *path;
	char *raw; /* the current line as read, getline's */
	size_t raw_size;
	const char *line; /* in raw, without leading blanks */
	int number;
	bool cut;      /* inih saw only the start of the line */
	bool pair_due; /* the line must give a pair, and has not yet */
	struct section *sections;
	int section_count;
	struct entry *entries;
	size_t entry_count;
	const struct setting *secret; /* the first one that holds a secret */
	int secret_line;
	struct settings scratch; /* every value is tried on it */
	int r;                   /* the first failure; nothing more is read after it */
	struct error *err;
};

static void reading_release(struct reading *f)
{
	for (int i = 0; i < f->section_count; i++) {
		free(f->sections[i].name);
	}
	for (size_t i = 0; i < f->entry_count; i++) {
		explicit_bzero(f->entries[i].value, strlen(f->entries[i].value));
		free(f->entries[i].value);
	}
	if (f->raw) {
		explicit_bzero(f->raw, f->raw_size);
	}
	free(f->raw);
	free(f->sections);
	free(f->entries);
	settings_release(&f->scratch);
}
DEFINE_CLEANER(reading, struct reading, reading_release)

static int no_memory(struct reading *f)
{
	return error_set(f->err, ENOMEM, "out of memory");
}

static int at_line(struct reading *f, int r)
{
	return r < 0 ? error_prefix(f->err, r, "%s:%d", f->path, f->number) : 0;
}

/* ---- sections ---- */

static struct section *find_section(const struct reading *f, const char *name)
{
	for (int i = 0; i < f->section_count; i++) {
		if (strcmp(f->sections[i].name, name) == 0) {
			return &f->sections[i];
		}
	}
	return NULL;
}

static int check_section(struct reading *f, const char *name)
{
	const struct section *twin = find_section(f, name);
	if (twin) {
		return error_set(f->err, EINVAL,
			"the section [%s] stands here a second time, first in line %d; put the two "
			"together",
			name, twin->line);
	}
	if (f->section_count == SECTIONS_MAX) {
		return error_set(f->err, EINVAL, "more than %d sections", SECTIONS_MAX);
	}
	return settings_check_org(name, f->err);
}

static int add_section(struct reading *f)
{
	const char *end = strchr(f->line, ']');
	if (!end) {
		return error_set(f->err, EINVAL, "the section's name lacks its closing ]");
	}
	AUTO_FREE char *name = strndup(f->line + 1, (size_t)(end - f->line) - 1);
	int r = name ? check_section(f, name) : no_memory(f);
	if (r < 0) {
		return r;
	}
	struct section *grown =
		realloc(f->sections, ((size_t)f->section_count + 1) * sizeof(*grown));
	if (!grown) {
		return no_memory(f);
	}
	f->sections = grown;
	f->sections[f->section_count++] =
		(struct section){.name = take_ptr(&name), .line = f->number};
	return 0;
}

/* ---- pairs ---- */

static int unknown_key(struct reading *f, const char *name)
{
	char shown[64];
	log_escape(shown, sizeof(shown), name);
	const char *near = setting_nearest(name);
	return error_set(f->err, EINVAL, "there is no setting \"%s\"%s%s%s; see forcefs help mount",
		shown, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
}

/* The pair's place: a section, and not a second time in it. */
static int check_place(struct reading *f, const struct setting *what)
{
	if (f->section_count == 0) {
		return error_set(f->err, EINVAL,
			"%s stands before any section; put it under [" DEFAULTS
			"] or under an org's name in brackets",
			what->name);
	}
	int *first = &f->sections[f->section_count - 1].line_of[what - settings_table];
	if (*first) {
		return error_set(
			f->err, EINVAL, "%s was already given in line %d", what->name, *first);
	}
	*first = f->number;
	return 0;
}

static int add_entry(struct reading *f, const struct setting *what, const char *value)
{
	struct entry *grown = realloc(f->entries, (f->entry_count + 1) * sizeof(*grown));
	char *copy = strdup(value);
	if (grown) {
		f->entries = grown;
	}
	if (!grown || !copy) {
		free(copy);
		return no_memory(f);
	}
	f->entries[f->entry_count++] = (struct entry){
		.what = what, .value = copy, .section = f->section_count - 1, .line = f->number};
	if (!f->secret && setting_holds_secret(what, value)) {
		f->secret = what;
		f->secret_line = f->number;
	}
	return 0;
}

static int add_pair(struct reading *f, const char *name, const char *value)
{
	const struct setting *what = setting_find(name, strlen(name));
	if (!what) {
		return unknown_key(f, name);
	}
	int r = check_place(f, what);
	if (r == 0) {
		r = setting_set(&f->scratch, what, value, f->number, f->err);
		r = r < 0 ? error_prefix(f->err, r, "%s", what->name) : 0;
	}
	return r < 0 ? r : add_entry(f, what, value);
}

/* The value of a line that inih saw only the start of: after the first = or :, up to a ; that
 * follows a blank, without blanks at both ends. New string. */
static char *value_of_long_line(const char *line)
{
	const char *start = line + strcspn(line, "=:") + 1;
	const char *end = start;
	while (*end && !(*end == ';' && end > start && isspace((unsigned char)end[-1]))) {
		end++;
	}
	while (start < end && isspace((unsigned char)*start)) {
		start++;
	}
	while (end > start && isspace((unsigned char)end[-1])) {
		end--;
	}
	return strndup(start, (size_t)(end - start));
}

static int on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct reading *f = user;
	(void)section;
	AUTO_FREE char *whole = f->cut ? value_of_long_line(f->line) : NULL;
	f->pair_due = false;
	f->r = f->cut && !whole ? no_memory(f)
				: at_line(f, add_pair(f, name, whole ? whole : value));
	if (whole) {
		explicit_bzero(whole, strlen(whole));
	}
	return f->r == 0;
}

/* ---- lines ---- */

static int read_line(struct reading *f)
{
	ssize_t n = getline(&f->raw, &f->raw_size, f->file);
	f->number++;
	if (n > LINE_BYTES_MAX || f->number > FILE_LINES_MAX) {
		return error_set(f->err, EFBIG, "the %s is too long; is this a settings file?",
			n > LINE_BYTES_MAX ? "line" : "file");
	}
	if (n >= 0 && strlen(f->raw) != (size_t)n) {
		return error_set(f->err, EINVAL, "a NUL byte; is this a text file?");
	}
	f->line = n < 0 ? NULL : f->raw;
	return 0;
}

static int take_line(struct reading *f)
{
	static const char byte_order_mark[] = "\xef\xbb\xbf";
	if (f->number == 1 && strncmp(f->line, byte_order_mark, 3) == 0) {
		f->line += 3;
	}
	while (isspace((unsigned char)*f->line)) {
		f->line++;
	}
	f->pair_due = *f->line && !strchr(";#[", *f->line);
	return *f->line == '[' ? add_section(f) : 0;
}

static int next_line(struct reading *f)
{
	if (f->pair_due) {
		return at_line(f, error_set(f->err, EINVAL,
					  "this is neither a setting (name = value), nor a section "
					  "([name]), nor a comment (; …)"));
	}
	int r = read_line(f);
	if (r == 0 && f->line) {
		r = take_line(f);
	}
	return at_line(f, r);
}

/* fgets for inih: never a part of a line without saying so. */
static char *give_line(char *str, int num, void *stream)
{
	struct reading *f = stream;
	f->r = f->r < 0 ? f->r : next_line(f);
	if (f->r < 0 || !f->line || num < 2) {
		return NULL;
	}
	size_t len = strcspn(f->line, "\r\n"), room = (size_t)num - 2;
	f->cut = len > room;
	len = f->cut ? room : len;
	memcpy(str, f->line, len);
	memcpy(str + len, "\n", 2);
	return str;
}

/* ---- the org's values ---- */

static int no_such_org(struct reading *f, const char *org)
{
	AUTO(buf) struct buf names;
	struct nearest near = {.word = org};
	buf_init(&names, 300);
	for (int i = 0; i < f->section_count; i++) {
		const char *name = f->sections[i].name;
		if (strcmp(name, DEFAULTS) != 0) {
			nearest_try(&near, name);
			buf_addf(&names, "%s%s", names.len ? ", " : "", name);
		}
	}
	if (names.len == 0) {
		return error_set(f->err, ENOENT,
			"%s has no org yet; add a section [%s] with login_url and client_id",
			f->path, org);
	}
	return error_set(f->err, ENOENT, "%s has no org \"%s\"%s%s%s; it has: %s%s", f->path, org,
		near.best ? "; did you mean " : "", near.best ? near.best : "",
		near.best ? "?" : "", buf_str(&names), buf_failed(&names) ? ", …" : "");
}

static int apply(struct reading *f, const char *section, struct settings *s)
{
	const struct section *from = find_section(f, section);
	for (size_t i = 0; i < f->entry_count && from; i++) {
		const struct entry *e = &f->entries[i];
		if (&f->sections[e->section] == from) {
			int r = setting_set(s, e->what, e->value, e->line, f->err);
			if (r < 0) {
				return r;
			}
		}
	}
	return 0;
}

static int take_org(struct reading *f, const char *org, struct settings *ret)
{
	AUTO(settings) struct settings s = {0};
	const struct section *section = find_section(f, org);
	if (!section) {
		return no_such_org(f, org);
	}
	int r = settings_init(&s, org, f->err);
	if (r == 0) {
		s.section_line = section->line;
		s.file = strdup(f->path);
		r = s.file ? apply(f, DEFAULTS, &s) : no_memory(f);
	}
	if (r == 0) {
		r = apply(f, org, &s);
	}
	if (r == 0) {
		*ret = s;
		s = (struct settings){0};
	}
	return r;
}

static int check_mode(struct reading *f)
{
	struct stat st;
	char space[QUOTED_MAX];
	if (!f->secret || fstat(fileno(f->file), &st) < 0 || !(st.st_mode & 077)) {
		return 0;
	}
	return error_set(f->err, EACCES,
		"%s:%d: %s is a secret, and other users can read this file; run: chmod 600 %s",
		f->path, f->secret_line, f->secret->name, quoted(f->path, space));
}

static int parse(struct reading *f)
{
	int r = settings_init(&f->scratch, "scratch", f->err);
	if (r < 0) {
		return r;
	}
	r = ini_parse_stream(give_line, f, on_pair, f);
	if (f->r < 0) {
		return f->r;
	}
	if (ferror(f->file)) {
		return error_errno(f->err, errno ? errno : EIO, "reading %s", f->path);
	}
	return r < 0 ? no_memory(f) : 0;
}

int settings_read(
	FILE *file, const char *path, const char *org, struct settings *ret, struct error *err)
{
	AUTO(reading) struct reading f = {.file = file, .path = path, .err = err};
	int r = settings_check_org(org, err);
	if (r == 0 && strcmp(org, DEFAULTS) == 0) {
		r = error_set(err, EINVAL, "[" DEFAULTS "] is no org, but what all orgs share");
	}
	if (r == 0) {
		r = parse(&f);
	}
	if (r == 0) {
		r = check_mode(&f);
	}
	return r < 0 ? r : take_org(&f, org, ret);
}

/* ---- where it lies ---- */

/* why: the errno with which own could not be found. */
static int none_found(const char *own, int why, struct error *err)
{
	if (why != ENOENT && why != ENOTDIR) {
		return error_set(err, why,
			"the settings file %s cannot be looked at: %s; is HOME that of the user "
			"who runs this?",
			own, strerror(why));
	}
	return error_set(err, ENOENT,
		"there is no settings file; looked for %s and " SYSTEM_FILE
		". Make the first one with a section in it: [NAME], login_url = …, client_id = …; "
		"forcefs help mount names all settings, and forcefs demo DIR works without any",
		own);
}

int settings_file_find(char **ret, struct error *err)
{
	const char *named = getenv("FORCEFS_CONFIG");
	if (named && *named) {
		if (access(named, F_OK) < 0) {
			return error_errno(err, errno, "$FORCEFS_CONFIG names %s", named);
		}
		*ret = strdup(named);
		return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
	}
	AUTO_FREE char *dir = NULL, *own = NULL;
	if (paths_dir(PATHS_CONFIG, &dir, NULL) == 0) {
		own = paths_join(dir, FILE_NAME);
	}
	int why = !own ? ENOENT : access(own, F_OK) < 0 ? errno : 0;
	if (why == 0) {
		*ret = take_ptr(&own);
		return 0;
	}
	if (access(SYSTEM_FILE, F_OK) < 0) {
		return none_found(own ? own : "~/.config/forcefs/" FILE_NAME, why, err);
	}
	*ret = strdup(SYSTEM_FILE);
	return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int take_login(struct settings *s, struct error *err)
{
	AUTO_FREE char *state_dir = NULL;
	int r = paths_dir(PATHS_STATE, &state_dir, err);
	if (r == 0) {
		r = settings_take_login(s, state_dir, err);
	}
	if (r < 0) {
		settings_release(s);
	}
	return r;
}

int settings_load(const char *org, struct settings *ret, struct error *err)
{
	AUTO_FREE char *path = NULL;
	int r = settings_file_find(&path, err);
	return r < 0 ? r : settings_load_file(path, org, ret, err);
}

int settings_load_file(const char *path, const char *org, struct settings *ret, struct error *err)
{
	FILE *file = fopen(path, "re");
	if (!file) {
		return error_errno(err, errno, "reading %s", path);
	}
	int r = settings_read(file, path, org, ret, err);
	fclose(file);
	return r < 0 ? r : take_login(ret, err);
}
