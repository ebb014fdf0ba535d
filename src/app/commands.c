/* SPDX-License-Identifier: MIT */
/* The table of commands, and finding the one that is meant. */
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "nearest.h"
#include "report.h"

const struct command commands[] = {
	{
		.name = "mount",
		.run = cmd_mount,
		.usage = "mount [-f] [-o OPTION,…] [--log-format text|json] ORG DIR",
		.summary = "mount an org on a directory",
		.details = "ORG is a section of the settings file. Returns when the directory "
			   "answers, and goes on in the background.\n"
			   "  -f                 stay in the foreground; Ctrl-C unmounts\n"
			   "  -o OPTION          ro, rw, allow_other, uid=USER, gid=GROUP, "
			   "umask=OCTAL, "
			   "or any "
			   "setting as NAME=VALUE; a comma inside a value is written \\,\n"
			   "  --log-format WORD  the same as -o log_format=WORD\n"
			   "SIGHUP makes a running mount read log_level, log_format and ttl from "
			   "the settings file again.\n",
		.settings = true,
	},
	{
		.name = "umount",
		.run = cmd_umount,
		.usage = "umount [--json] DIR",
		.summary = "unmount a directory",
		.details =
			"Waits until the process behind it has ended. If the directory is in use, "
			"says by whom.\n"
			"  --json      the outcome as JSON on stdout\n",
	},
	{
		.name = "login",
		.run = cmd_login,
		.usage = "login [--paste | --sfdx-url FILE] [-o OPTION,…] [--json] ORG",
		.summary = "log in to an org",
		.details =
			"Opens the org's log-in page in the browser and keeps what comes back in "
			"~/.local/state/forcefs. The app (client_id) must have redirect_uri as "
			"one of its callback URLs. Where the grant needs no browser, it gets a "
			"session and says whose.\n"
			"  --paste          for a machine without a browser: prints the address, "
			"and reads where another machine's browser ended\n"
			"  --sfdx-url FILE  takes the SFDX auth URL in FILE, or on stdin (-), "
			"alone "
			"or in the JSON of: sf org auth show-sfdx-auth-url --json\n"
			"  -o OPTION        any setting as NAME=VALUE\n"
			"  --json           the outcome as JSON on stdout\n",
	},
	{
		.name = "logout",
		.run = cmd_logout,
		.usage = "logout [--json] ORG",
		.summary = "end the log-in to an org",
		.details = "The org revokes the tokens, and they are removed from this machine. "
			   "Mounts "
			   "of the org keep showing what is cached.\n"
			   "  --json      the outcome as JSON on stdout\n",
	},
	{
		.name = "status",
		.run = cmd_status,
		.usage = "status [--json] [--all] [DIR|ORG]",
		.summary = "say what a mount or an org is doing, and which API calls are left",
		.details =
			"DIR is a mount or a path in it; that costs no API call. ORG is the name "
			"of "
			"an org: its mounts, or if it has none, the org itself, which costs one "
			"call. "
			"Without either, all your mounts. The exit status is 1 when a mount or the "
			"org does not answer.\n"
			"  --json      as JSON on stdout: an object, or an array if there are "
			"several\n"
			"  --all       every object, not only the first twenty\n",
	},
	{
		.name = "doctor",
		.run = cmd_doctor,
		.usage = "doctor [--json] ORG",
		.summary = "check everything that a mount of an org needs",
		.details =
			"One line for each check: FUSE, the settings file and who may read it, the "
			"settings, the host's name, connection and certificate, log-in, API "
			"version, "
			"the API, the objects that may be read, the cache's folder. What failed "
			"says "
			"what to do; what depends on it is skipped. Costs two API calls. The exit "
			"status is 1 when a check failed.\n"
			"  --json      as JSON on stdout\n",
	},
	{
		.name = "fetch",
		.run = cmd_fetch,
		.usage = "fetch [--json] DIR/OBJECT…",
		.summary = "fill the cache of a mount with whole objects, and show how far it is",
		.details = "Reads the directories to their end, as ls would. Ctrl-C stops it; what "
			   "came "
			   "by then is kept, and the next fetch goes on from there. What is in the "
			   "cache "
			   "already costs a call at most.\n"
			   "  --json      what came of it as JSON on stdout\n",
	},
	{
		.name = "why",
		.run = cmd_why,
		.usage = "why [--json] PATH",
		.summary = "say why the last operation on a file or directory failed",
		.details = "  --json      the entry of .forcefs/errors.ndjson as it is, null if "
			   "nothing "
			   "failed\n",
	},
	{
		.name = "demo",
		.run = cmd_demo,
		.usage = "demo [-f] [-o OPTION,…] [--records OBJECT=N]… [--latency-ms N] DIR",
		.summary = "mount a practice org: no account, no settings file",
		.details =
			"Starts a small Salesforce org on this machine (needs python3) and mounts "
			"it. It ends with the mount and keeps nothing.\n"
			"  -f                  stay in the foreground; Ctrl-C unmounts\n"
			"  -o OPTION           as for forcefs mount\n"
			"  --records OBJECT=N  this many records of an object; can be repeated\n"
			"  --latency-ms N      answer each call this much later\n",
	},
	{
		.name = "help",
		.run = cmd_help,
		.usage = "help [COMMAND]",
		.summary = "show this, or how a command is used",
	},
};
const size_t commands_len = sizeof(commands) / sizeof(commands[0]);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < commands_len; i++) {
		if (strcmp(commands[i].name, name) == 0) {
			return &commands[i];
		}
	}
	return NULL;
}

static int unknown(const char *name)
{
	struct nearest n = {.word = name};
	for (size_t i = 0; i < commands_len; i++) {
		nearest_try(&n, commands[i].name);
	}
	return report_usage("", "there is no command \"%s\"%s%s%s", name,
		n.best ? "; did you mean " : "", n.best ? n.best : "", n.best ? "?" : "");
}

static bool is_help(const char *word)
{
	return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static int run(const struct command *c, int argc, char **argv)
{
	if (!c->run) {
		return report_usage("", "the command \"%s\" is not in this version yet", c->name);
	}
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (is_help(argv[i])) {
			return help_show(c);
		}
	}
	return c->run(argc, argv);
}

/* mount.forcefs, or mount.fuse.forcefs for the type as the kernel names it. */
static bool is_mount_helper(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *name = slash ? slash + 1 : path;
	return name &&
	       (strcmp(name, "mount.forcefs") == 0 || strcmp(name, "mount.fuse.forcefs") == 0);
}

static int command_of(int argc, char **argv)
{
	if (argc > 0 && is_mount_helper(argv[0])) {
		return run(command_find("mount"), argc, argv);
	}
	if (argc < 2) {
		return report_usage("", "which command?");
	}
	if (is_help(argv[1])) {
		return help_show(NULL);
	}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		puts("forcefs " FORCEFS_VERSION);
		return EXIT_FINE;
	}
	const struct command *c = command_find(argv[1]);
	return c ? run(c, argc - 1, argv + 1) : unknown(argv[1]);
}

/* An answer that did not arrive (a full disk, a closed pipe) is no success. */
static int check_output(int status)
{
	bool failed = ferror(stdout);
	errno = EIO; /* of an earlier write nobody knows any more */
	if (fflush(stdout) == 0 && !failed) {
		return status;
	}
	report("", "writing to standard output: %s", strerror(errno));
	return EXIT_FAILED;
}

int command_main(int argc, char **argv)
{
	return check_output(command_of(argc, argv));
}
