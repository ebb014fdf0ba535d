/* SPDX-License-Identifier: MIT */
/* forcefs mount, also as mount(8)'s helper mount.forcefs. */
#include "command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "report.h"
#include "service.h"
#include "settings.h"
#include "settings_file.h"

#define DOING "mount"

struct call {
	const char *org, *dir;
	bool foreground, fake;
	struct options options;
};

static void call_release(struct call *c)
{
	options_release(&c->options);
}
DEFINE_CLEANER(call, struct call, call_release)

/* The same as -o log_format=WORD, in the spelling that other programs have. */
static int take_log_format(struct call *c, const char *word)
{
	struct error err = {0};
	char text[32];
	if (snprintf(text, sizeof(text), "log_format=%s", word) >= (int)sizeof(text) ||
		strpbrk(word, ",\\")) {
		return report_usage(DOING, "--log-format is text or json");
	}
	return options_add(&c->options, text, &err) < 0 ? report_usage(DOING, "%s", err.text)
							: EXIT_FINE;
}

/* One letter; mount(8) gives its helpers -f for "all but the mount", -s for "let unknown options
 * pass", and -n, -v, -t, which mean nothing here. */
static int take_letter(struct call *c, int letter, bool helper)
{
	struct error err = {0};
	switch (letter) {
	case 'f':
		c->foreground = !helper;
		c->fake = helper;
		return EXIT_FINE;
	case 'o':
		return options_add(&c->options, optarg, &err) < 0
			       ? report_usage(DOING, "%s", err.text)
			       : EXIT_FINE;
	case 'l':
		return take_log_format(c, optarg);
	case 's':
		c->options.pass_unknown = true;
		return EXIT_FINE;
	case 'n':
	case 'v':
	case 't':
		return EXIT_FINE;
	case ':':
		return report_usage(DOING, "-%c needs a value", optopt);
	default:
		return optopt ? report_usage(DOING, "there is no option -%c", optopt)
			      : report_usage(DOING, "there is no such option");
	}
}

static int read_arguments(struct call *c, int argc, char **argv)
{
	static const struct option names[] = {{"log-format", required_argument, NULL, 'l'}, {0}};
	bool helper = strcmp(argv[0], "mount") != 0;
	const char *letters = helper ? ":fsnvo:t:" : ":fo:";
	int letter, r = EXIT_FINE;
	if (helper) { /* mount(8) gives its options last, whatever the environment says */
		unsetenv("POSIXLY_CORRECT");
	}
	optind = 0;
	while (r == EXIT_FINE && (letter = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		r = take_letter(c, letter, helper);
	}
	if (r == EXIT_FINE && argc - optind != 2) {
		return report_usage(DOING, "give the org and the directory: forcefs mount ORG DIR");
	}
	if (r == EXIT_FINE) {
		c->org = argv[optind];
		c->dir = argv[optind + 1];
	}
	return r;
}

static int mount_with(struct call *c, struct settings *s)
{
	struct error err = {0};
	if (options_apply(&c->options, s, &err) < 0) {
		return report_usage(DOING, "%s", err.text);
	}
	if (settings_check(s, &err) < 0) {
		return report_error(DOING, &err);
	}
	struct service service = {
		.doing = DOING,
		.settings = s,
		.options = &c->options,
		.dir = c->dir,
		.foreground = c->foreground,
		.only_check = c->fake,
	};
	return service_run(&service);
}

int cmd_mount(int argc, char **argv)
{
	AUTO(call) struct call c = {0};
	AUTO(settings) struct settings s = {0};
	struct error err = {0};
	options_init(&c.options);
	service_protect();
	int r = read_arguments(&c, argc, argv);
	if (r != EXIT_FINE) {
		return r;
	}
	if (settings_load(c.org, &s, &err) < 0) {
		return report_error(DOING, &err);
	}
	return mount_with(&c, &s);
}
