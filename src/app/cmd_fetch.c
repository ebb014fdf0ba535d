/* SPDX-License-Identifier: MIT */
/* forcefs fetch: whole objects into the cache of a running mount, with a progress bar. */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "fetch.h"
#include "figures.h"
#include "report.h"
#include "report_json.h"

#define DOING "fetch"

struct call {
	bool as_json;
	struct mounts mounts;
	json_t *done; /* one object for each */
	int exit_status;
};

static void call_release(struct call *c)
{
	mounts_release(&c->mounts);
	json_decref(c->done);
}
DEFINE_CLEANER(call, struct call, call_release)

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = number;
}

/* ---- one object ---- */

/* "DIR/Object": the mount, and the name in *ret (new). */
static int find_object(const struct call *c, const char *path, const struct mount_entry **ret_mount,
	char **ret, struct error *err)
{
	AUTO_FREE char *resolved = NULL;
	int r = mounts_resolve(&c->mounts, path, &resolved, err);
	if (r < 0) {
		return r;
	}
	const struct mount_entry *mount = mounts_above(&c->mounts, resolved);
	if (!mount) {
		return error_set(err, EINVAL, "%s does not lie in a forcefs mount", path);
	}
	const char *name = resolved + strlen(mount->dir);
	name += strspn(name, "/");
	if (!*name || strchr(name, '/') || *name == '.') {
		return error_set(err, EINVAL,
			"%s is not the directory of an object; give DIR/Object, as in %s/Account",
			path, mount->dir);
	}
	*ret_mount = mount;
	*ret = strdup(name);
	return *ret ? 0 : error_set(err, ENOMEM, "out of memory");
}

static void note(struct call *c, const char *path, const struct fetch_progress *p, int r,
	const struct error *err)
{
	json_array_append_new(
		c->done, json_pack("{s:o, s:b, s:I, s:I, s:f, s:o}", "path", report_json(path),
				 "complete", r == 0, "records", (json_int_t)p->records, "calls",
				 (json_int_t)p->calls, "seconds", (double)p->elapsed_ms / 1000,
				 "error", report_json(r < 0 ? err->text : NULL)));
}

static void tell_stopped(const struct fetch_progress *p)
{
	int64_t kept = p->cached > p->records ? p->cached : p->records;
	const char *of = p->total > kept ? " of " : "";
	report(DOING,
		"stopped; %s%s%s records of %s are kept, and the next fetch goes on from there",
		figure_count(kept).text, of, *of ? figure_count(p->total).text : "", p->object);
}

static void tell(struct call *c, const struct fetch_progress *p, int r, const struct error *err)
{
	AUTO(buf) struct buf line;
	buf_init(&line, 1024);
	if (r == -EINTR && stop) {
		tell_stopped(p);
	} else if (r < 0) {
		report_error(DOING, err);
	} else if (!c->as_json) {
		fetch_sum(p, &line);
		puts(buf_str(&line));
		fflush(stdout);
	}
}

static void fetch_one(struct call *c, const char *path)
{
	const struct mount_entry *mount = NULL;
	AUTO_FREE char *object = NULL;
	struct fetch_progress p = {0};
	struct error err = {0};
	int r = find_object(c, path, &mount, &object, &err);
	if (r == 0) {
		r = fetch_object(mount, object, &stop, &p, &err);
	}
	note(c, path, &p, r, &err);
	tell(c, &p, r, &err);
	if (r < 0) {
		c->exit_status = EXIT_FAILED;
	}
}

/* ---- the whole ---- */

static void print_json(const struct call *c)
{
	json_t *answer = json_pack("{s:b, s:O}", "interrupted", stop != 0, "objects", c->done);
	json_dumpf(answer, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(answer);
}

int cmd_fetch(int argc, char **argv)
{
	static const struct option names[] = {{"json", no_argument, NULL, 'j'}, {0}};
	AUTO(call) struct call c = {.done = json_array(), .exit_status = EXIT_FINE};
	struct error err = {0};
	int letter;
	optind = 0;
	while ((letter = getopt_long(argc, argv, ":", names, NULL)) != -1) {
		if (letter != 'j') {
			return report_usage(DOING, "there is no such option");
		}
		c.as_json = true;
	}
	if (optind == argc) {
		return report_usage(
			DOING, "give the directories of objects: forcefs fetch DIR/Object…");
	}
	if (mounts_load(&c.mounts, &err) < 0) {
		return report_error(DOING, &err);
	}
	const struct sigaction catch = {.sa_handler = on_signal};
	sigaction(SIGINT, &catch, NULL);
	sigaction(SIGTERM, &catch, NULL);
	for (int i = optind; i < argc && !stop; i++) {
		fetch_one(&c, argv[i]);
	}
	if (c.as_json) {
		print_json(&c);
	}
	return c.exit_status;
}
