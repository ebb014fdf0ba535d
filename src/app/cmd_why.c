/* SPDX-License-Identifier: MIT */
/* forcefs why: the last failure on a path, from the mount's own journal of errors. */
#include "command.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/log.h"
#include "forcefs/model/names.h"
#include "mounts.h"
#include "report.h"
#include "report_json.h"
#include "special.h"
#include "why.h"

#define DOING         "why"
#define PATIENCE_MS   10000
#define JOURNAL_BYTES (64u << 20)

/* ---- which entry ---- */

/* Both name the same thing, also when one gives a record's Id in 15 characters. */
static bool same_record(const char *a, const char *b)
{
	const char *name_a = strrchr(a, '/'), *name_b = strrchr(b, '/');
	struct id id_a, id_b;
	return name_a && name_b && name_a - a == name_b - b &&
	       strncmp(a, b, (size_t)(name_a - a)) == 0 &&
	       record_name_parse(name_a + 1, "", &id_a) &&
	       record_name_parse(name_b + 1, "", &id_b) && strcmp(id_a.text, id_b.text) == 0;
}

/* path itself, or what lies below it: a directory's failures are those of its files too. */
static bool concerns(const char *entry, const char *path)
{
	size_t len = strlen(path);
	entry += strspn(entry, "/");
	return len == 0 ||
	       (strncmp(entry, path, len) == 0 && (entry[len] == '/' || entry[len] == '\0')) ||
	       same_record(entry, path);
}

json_t *why_find(const char *journal, size_t len, const char *path)
{
	json_t *last = NULL;
	const char *end = journal + len;
	for (const char *line = journal; line < end;) {
		const char *newline = memchr(line, '\n', (size_t)(end - line));
		size_t n = newline ? (size_t)(newline - line) : (size_t)(end - line);
		json_t *entry = json_loadb(line, n, 0, NULL);
		const char *at = json_string_value(json_object_get(entry, "path"));
		if (at && concerns(at, path)) {
			json_decref(last);
			last = json_incref(entry);
		}
		json_decref(entry);
		line += n + 1;
	}
	return last;
}

/* ---- telling ---- */

static const char *text_of(const json_t *entry, const char *name)
{
	const char *text = json_string_value(json_object_get(entry, name));
	return text ? text : "";
}

static void print_escaped(const char *text)
{
	char shown[4096];
	log_escape(shown, sizeof(shown), text);
	fputs(shown, stdout);
}

/* errno may stand as a name or as a number. */
static void print_errno(const json_t *entry)
{
	const json_t *e = json_object_get(entry, "errno");
	if (json_is_integer(e)) {
		fputs(error_name((int)json_integer_value(e)), stdout);
	} else {
		print_escaped(text_of(entry, "errno"));
	}
}

static void print_entry(const json_t *entry)
{
	json_int_t http = json_integer_value(json_object_get(entry, "http"));
	const char *code = text_of(entry, "code"), *fields = text_of(entry, "fields");
	print_escaped(text_of(entry, "path"));
	fputs(": ", stdout);
	print_escaped(text_of(entry, "op"));
	fputs(" failed: ", stdout);
	print_errno(entry);
	if (*code || http) {
		fputs(" (", stdout);
		print_escaped(*code ? code : "HTTP");
		if (http) {
			printf("%s %d", *code ? ", HTTP" : "", (int)http);
		}
		putchar(')');
	}
	fputs("\n  ", stdout);
	print_escaped(text_of(entry, "text"));
	if (*fields) {
		fputs("\n  fields: ", stdout);
		print_escaped(fields);
	}
	fputs("\n  at ", stdout);
	print_escaped(text_of(entry, "time"));
	putchar('\n');
}

static void print_answer(json_t *entry, const char *path, bool as_json)
{
	if (as_json) {
		if (entry) {
			json_dumpf(entry, stdout, JSON_COMPACT);
		} else {
			fputs("null", stdout);
		}
		putchar('\n');
	} else if (entry) {
		print_entry(entry);
	} else {
		print_escaped(*path ? path : "the mount");
		puts(": nothing failed here");
	}
}

/* ---- the whole ---- */

static int answer(const char *given, bool as_json, struct error *err)
{
	AUTO(mounts) struct mounts m = {0};
	AUTO_FREE char *path = NULL;
	AUTO(buf) struct buf journal;
	buf_init(&journal, JOURNAL_BYTES);
	int r = mounts_load(&m, err);
	if (r == 0) {
		r = mounts_resolve(&m, given, &path, err);
	}
	if (r < 0) {
		return r;
	}
	const struct mount_entry *mount = mounts_above(&m, path);
	if (!mount) {
		return error_set(err, EINVAL, "%s does not lie in a forcefs mount", path);
	}
	r = special_read(mount, "errors.ndjson", PATIENCE_MS, &journal, err);
	if (r < 0) {
		return r;
	}
	const char *relative = path + strlen(mount->dir);
	relative += strspn(relative, "/");
	json_t *entry = why_find(buf_str(&journal), journal.len, relative);
	print_answer(entry, relative, as_json);
	json_decref(entry);
	return 0;
}

int cmd_why(int argc, char **argv)
{
	struct error err = {0};
	bool as_json = false;
	const char *operand;
	int r = command_operand(
		argc, argv, DOING, "give one path: forcefs why PATH", &as_json, &operand);
	if (r != EXIT_FINE) {
		return r;
	}
	if (answer(operand, as_json, &err) == 0) {
		return EXIT_FINE;
	}
	if (as_json) {
		report_json_failure(operand, &err);
	}
	return report_error(DOING, &err);
}
