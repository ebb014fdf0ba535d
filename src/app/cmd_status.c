/* SPDX-License-Identifier: MIT */
/*
 * forcefs status. What it was asked about becomes a list of mounts, told from what each of them
 * says of itself (no API call); an org that is not mounted is asked instead.
 */
#include "command.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "mounts.h"
#include "page.h"
#include "report.h"
#include "report_json.h"
#include "special.h"
#include "status_org.h"
#include "status_text.h"

#define DOING        "status"
#define PATIENCE_MS  10000
#define STATUS_BYTES (16u << 20)
#define PAGE_BYTES   (16u << 20)

struct call {
	const char *what; /* the argument, or NULL */
	bool as_json, all;
	struct mounts mounts;
	json_t *answers;
	int exit_status;
};

static void call_release(struct call *c)
{
	mounts_release(&c->mounts);
	json_decref(c->answers);
}
DEFINE_CLEANER(call, struct call, call_release)

/* ---- one mount ---- */

static int parse(const struct buf *text, const char *dir, json_t **ret, struct error *err)
{
	*ret = json_loadb(buf_str(text), text->len, 0, NULL);
	return json_is_object(*ret)
		       ? 0
		       : error_set(err, EPROTO, "%s says something else than its status", dir);
}

static int ask_mount(const struct mount_entry *mount, json_t **ret, struct error *err)
{
	AUTO(buf) struct buf text;
	buf_init(&text, STATUS_BYTES);
	int r = special_read(mount, "status.json", PATIENCE_MS, &text, err);
	return r < 0 ? r : parse(&text, mount->dir, ret, err);
}

/* It may have been unmounted since the table was read: then its path leads elsewhere. */
static bool is_gone(const struct mount_entry *mount)
{
	AUTO(mounts) struct mounts now = {0};
	return mounts_load(&now, NULL) == 0 && !mount_is_ours(mounts_at(&now, mount->dir));
}

static json_t *no_answer(const char *org, const char *state, const struct error *err)
{
	return json_pack("{s:o, s:s, s:o}", "org", report_json(org), "state", state, "error",
		report_json(err->text));
}

static void add_mount(struct call *c, const struct mount_entry *mount)
{
	struct error err = {0};
	json_t *status = NULL;
	int r = ask_mount(mount, &status, &err);
	if (r < 0 && is_gone(mount)) {
		json_decref(status);
		return;
	}
	if (r < 0) {
		json_decref(status);
		c->exit_status = report_error(DOING, &err);
		status = no_answer(mount->source, r == -ENOTCONN ? "dead" : "no answer", &err);
		json_object_set_new(status, "mountpoint", report_json(mount->dir));
	} else {
		json_object_set_new(status, "state", json_string("mounted"));
	}
	json_array_append_new(c->answers, status);
}

/* ---- what was asked about ---- */

static bool is_mine(const struct mount_entry *mount)
{
	return mount_is_ours(mount) && mount->uid == geteuid();
}

/* All mounts of this user's, or those of one org. */
static size_t add_mounts(struct call *c, const char *org)
{
	for (size_t i = 0; i < c->mounts.count; i++) {
		const struct mount_entry *mount = &c->mounts.list[i];
		if (is_mine(mount) && mounts_at(&c->mounts, mount->dir) == mount &&
			(!org || strcmp(mount->source, org) == 0)) {
			add_mount(c, mount);
		}
	}
	return json_array_size(c->answers);
}

/* The mount that holds the path; false if there is none. */
static bool add_mount_of_path(struct call *c, const char *path)
{
	AUTO_FREE char *resolved = NULL;
	if (mounts_resolve(&c->mounts, path, &resolved, NULL) < 0) {
		return false;
	}
	const struct mount_entry *mount = mounts_above(&c->mounts, resolved);
	if (mount) {
		add_mount(c, mount);
	}
	return mount != NULL;
}

static void add_org(struct call *c, const char *org)
{
	struct error err = {0};
	json_t *status = NULL;
	if (status_org(org, &status, &err) < 0) {
		c->exit_status = report_error(DOING, &err);
		status = no_answer(org, "no answer", &err);
	}
	json_array_append_new(c->answers, status);
}

/* A word may be a directory or an org: it is a directory if something of ours is mounted there. */
static int add_named(struct call *c, const char *what, struct error *err)
{
	bool is_path = strchr(what, '/') || strcmp(what, ".") == 0 || strcmp(what, "..") == 0;
	if (add_mount_of_path(c, what)) {
		return json_array_size(c->answers) > 0
			       ? 0
			       : error_set(err, ENOENT, "%s was unmounted this moment", what);
	}
	if (is_path) {
		return error_set(err, EINVAL, "%s does not lie in a forcefs mount", what);
	}
	if (add_mounts(c, what) == 0) {
		add_org(c, what);
	}
	return 0;
}

/* ---- telling ---- */

static void print_json(const struct call *c)
{
	const json_t *what = c->what ? json_array_get(c->answers, 0) : c->answers;
	json_dumpf(json_array_size(c->answers) > 1 ? c->answers : what, stdout,
		JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

static void print_pages(const struct call *c)
{
	const struct status_view view = {
		.width = page_width_of(STDOUT_FILENO), .all = c->all, .now_ms = clock_wall_ms()};
	const char *gap = "";
	for (size_t i = 0; i < json_array_size(c->answers); i++) {
		const json_t *status = json_array_get(c->answers, i);
		AUTO(buf) struct buf page;
		buf_init(&page, PAGE_BYTES);
		if (!json_object_get(status, "error")) {
			status_text(status, &view, &page);
			printf("%s%s", gap, buf_str(&page));
			gap = "\n";
		}
	}
}

static int answer(struct call *c, struct error *err)
{
	int r = mounts_load(&c->mounts, err);
	if (r < 0) {
		return r;
	}
	if (c->what) {
		r = add_named(c, c->what, err);
	} else if (add_mounts(c, NULL) == 0 && !c->as_json) {
		puts("Nothing of yours is mounted; forcefs mount ORG DIR does that, and forcefs "
		     "status ORG asks an org.");
	}
	if (r == 0 && c->as_json) {
		print_json(c);
	} else if (r == 0) {
		print_pages(c);
	}
	return r;
}

static int read_arguments(struct call *c, int argc, char **argv)
{
	static const struct option names[] = {
		{"json", no_argument, NULL, 'j'}, {"all", no_argument, NULL, 'a'}, {0}};
	int letter;
	optind = 0;
	while ((letter = getopt_long(argc, argv, ":", names, NULL)) != -1) {
		if (letter != 'j' && letter != 'a') {
			return report_usage(DOING, "there is no such option");
		}
		c->as_json = c->as_json || letter == 'j';
		c->all = c->all || letter == 'a';
	}
	if (argc - optind > 1) {
		return report_usage(DOING, "give one directory or org, or none");
	}
	c->what = argc > optind ? argv[optind] : NULL;
	return EXIT_FINE;
}

int cmd_status(int argc, char **argv)
{
	AUTO(call) struct call c = {.answers = json_array(), .exit_status = EXIT_FINE};
	struct error err = {0};
	int r = read_arguments(&c, argc, argv);
	if (r != EXIT_FINE) {
		return r;
	}
	if (answer(&c, &err) == 0) {
		return c.exit_status;
	}
	if (c.as_json) {
		report_json_failure(c.what, &err);
	}
	return report_error(DOING, &err);
}
