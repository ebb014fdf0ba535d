/* SPDX-License-Identifier: MIT */
/* forcefs demo: a practice org on loopback, mounted. Nothing of it stays behind. */
#include "command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forcefs/base/paths.h"
#include "options.h"
#include "practice.h"
#include "quoted.h"
#include "report.h"
#include "service.h"
#include "settings.h"

#define DOING   "demo"
#define ORG     "demo"
#define DIGITS  "0123456789"
#define SAMPLES "Account" /* an object that every practice org has */

struct demo {
	const char *dir;
	bool foreground, made_dir, answered;
	struct options options;
	struct practice practice;
	char *private_dir; /* tokens, cache, and the log of the practice org */
	char *log;
};

static void demo_release(struct demo *d)
{
	options_release(&d->options);
	free(d->private_dir);
	free(d->log);
}
DEFINE_CLEANER(demo, struct demo, demo_release)

/* ---- arguments ---- */

static int take_more(struct demo *d, const char *name, const char *value)
{
	if (d->practice.arg_count + 2 > PRACTICE_ARGS_MAX) {
		return report_usage(DOING, "too many options");
	}
	d->practice.args[d->practice.arg_count++] = name;
	d->practice.args[d->practice.arg_count++] = value;
	return EXIT_FINE;
}

static bool consists_of(const char *text, const char *letters)
{
	return *text && strspn(text, letters) == strlen(text);
}

/* "Account=300" */
static bool is_records(const char *text)
{
	const char *equals = strchr(text, '=');
	return equals && equals > text && consists_of(equals + 1, DIGITS);
}

static int take_option(struct demo *d, int letter)
{
	struct error err = {0};
	switch (letter) {
	case 'f':
		d->foreground = true;
		return EXIT_FINE;
	case 'o':
		return options_add(&d->options, optarg, &err) < 0
			       ? report_usage(DOING, "%s", err.text)
			       : EXIT_FINE;
	case 'r':
		return is_records(optarg) ? take_more(d, "--records", optarg)
					  : report_usage(DOING, "--records needs OBJECT=N");
	case 'l':
		return consists_of(optarg, DIGITS ".")
			       ? take_more(d, "--latency-ms", optarg)
			       : report_usage(DOING, "--latency-ms needs a number of milliseconds");
	case ':':
		return report_usage(DOING, "an option lacks its value");
	default:
		return report_usage(DOING, "there is no such option");
	}
}

static int read_arguments(struct demo *d, int argc, char **argv)
{
	static const struct option names[] = {{"records", required_argument, NULL, 'r'},
		{"latency-ms", required_argument, NULL, 'l'}, {0}};
	int letter, r = EXIT_FINE;
	optind = 0;
	while (r == EXIT_FINE && (letter = getopt_long(argc, argv, ":fo:", names, NULL)) != -1) {
		r = take_option(d, letter);
	}
	if (r == EXIT_FINE && argc - optind != 1) {
		return report_usage(DOING, "give one directory: forcefs demo DIR");
	}
	d->dir = r == EXIT_FINE ? argv[optind] : NULL;
	return r;
}

/* ---- what is made before, and taken away after ---- */

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st;
	(void)kind;
	(void)at;
	remove(path);
	return 0;
}

static void remove_private_dir(struct demo *d)
{
	if (d->private_dir) {
		nftw(d->private_dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	}
}

static int make_private_dir(struct demo *d, struct error *err)
{
	const char *base = getenv("TMPDIR");
	base = base && base[0] == '/' ? base : "/tmp";
	char *path;
	if (asprintf(&path, "%s/forcefs-demo-XXXXXX", base) < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	if (!mkdtemp(path)) {
		int errnum = errno;
		free(path);
		return error_errno(err, errnum, "making a temporary folder in %s", base);
	}
	d->private_dir = path;
	d->log = paths_join(path, "practice-org.log");
	d->practice.log = d->log;
	return d->log ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int make_dir(struct demo *d, struct error *err)
{
	struct stat st;
	if (!*d->dir || stat(d->dir, &st) == 0 || errno != ENOENT) {
		return 0; /* the check of the mountpoint judges it */
	}
	int r = paths_make_dir(d->dir, err);
	d->made_dir = r == 0;
	return r;
}

/* ---- the service's callbacks ---- */

static int put(struct settings *s, const char *name, const char *value, struct error *err)
{
	return setting_set(s, setting_find(name, strlen(name)), value, ORIGIN_OPTION, err);
}

static int start_practice(void *payload, struct settings *s, pid_t *ret_helper, struct error *err)
{
	struct practice *p = &((struct demo *)payload)->practice;
	int r = practice_start(p, err);
	if (r < 0) {
		return r;
	}
	*ret_helper = p->pid;
	r = put(s, "login_url", p->url, err);
	if (r == 0) {
		r = put(s, "client_id", p->client_id, err);
	}
	if (r == 0) {
		r = put(s, "client_secret", p->client_secret ? p->client_secret : "", err);
	}
	return r == 0 ? put(s, "refresh_token", p->refresh_token, err) : r;
}

static void stop_practice(void *payload)
{
	struct demo *d = payload;
	practice_stop(&d->practice);
	remove_private_dir(d);
	if (d->foreground && d->made_dir && !d->answered) { /* a signal may end us right after */
		rmdir(d->dir);
	}
}

/* The first record's name; "" if there is none to be had. */
static void find_sample(const char *dir, char *name, size_t size)
{
	AUTO_FREE char *path = paths_join(dir, SAMPLES);
	DIR *records = path ? opendir(path) : NULL;
	*name = '\0';
	for (struct dirent *e; records && !*name && (e = readdir(records)) != NULL;) {
		if (e->d_name[0] != '.') {
			snprintf(name, size, "%s", e->d_name);
		}
	}
	if (records) {
		closedir(records);
	}
}

static void show_what_to_try(void *payload, const char *dir, bool live)
{
	char name[256] = "", spaces[2][QUOTED_MAX];
	((struct demo *)payload)->answered = true;
	if (live) {
		find_sample(dir, name, sizeof(name));
	}
	const char *program =
		strchr(program_invocation_name, '/') ? program_invocation_name : "forcefs";
	dir = quoted(dir, spaces[0]);
	program = quoted(program, spaces[1]);
	printf("A practice org is mounted on %s. Try:\n\n  ls %s\n", dir, dir);
	if (name[0]) {
		printf("  cat %s/" SAMPLES "/%s\n", dir, name);
	} else {
		printf("  cat \"$(ls -d %s/" SAMPLES "/* | head -n 1)\"\n", dir);
	}
	printf("  grep -l '\"Industry\": \"Energy\"' %s/" SAMPLES "/*\n", dir);
	printf("  %s status %s\n  %s umount %s\n", program, dir, program, dir);
	fflush(stdout);
}

/* ---- the whole ---- */

static int fill_settings(const struct demo *d, struct settings *s, struct error *err)
{
	int r = settings_init(s, ORG, err);
	return r == 0 ? options_apply(&d->options, s, err) : r;
}

/* On disk unless asked otherwise: a demo of a million records must not fill the memory. */
static int choose_cache(const struct demo *d, struct settings *s, struct error *err)
{
	return s->cache_dir ? 0 : put(s, "cache_dir", d->private_dir, err);
}

static int serve(struct demo *d, struct settings *s)
{
	struct service service = {
		.doing = DOING,
		.settings = s,
		.options = &d->options,
		.dir = d->dir,
		.state_dir = d->private_dir,
		.foreground = d->foreground,
		.prepare = start_practice,
		.release = stop_practice,
		.mounted = show_what_to_try,
		.payload = d,
	};
	int r = service_run(&service);
	if (r != EXIT_FINE) {
		remove_private_dir(d);
	}
	if (r != EXIT_FINE && d->made_dir) {
		rmdir(d->dir);
	}
	return r;
}

int cmd_demo(int argc, char **argv)
{
	AUTO(demo) struct demo d = {0};
	AUTO(settings) struct settings s = {0};
	struct error err = {0};
	options_init(&d.options);
	service_protect();
	int r = read_arguments(&d, argc, argv);
	if (r != EXIT_FINE) {
		return r;
	}
	if (fill_settings(&d, &s, &err) < 0) {
		return report_usage(DOING, "%s", err.text);
	}
	if (make_private_dir(&d, &err) < 0 || choose_cache(&d, &s, &err) < 0 ||
		make_dir(&d, &err) < 0) {
		remove_private_dir(&d);
		return report_error(DOING, &err);
	}
	return serve(&d, &s);
}
