/* SPDX-License-Identifier: MIT */
/* The commands: one file each, one row each in commands.c. */
#ifndef FORCEFS_APP_COMMAND_H
#define FORCEFS_APP_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

struct command {
	const char *name;
	/* argv[0] is the command's name; gives the exit status. NULL: not in this version yet. */
	int (*run)(int argc, char **argv);
	const char *usage;   /* what follows "forcefs " */
	const char *summary; /* one line */
	const char *details; /* paragraphs of the help, or NULL */
	bool settings;       /* the help ends with the table of settings */
};

extern const struct command commands[];
extern const size_t commands_len;

const struct command *command_find(const char *name); /* NULL: none of that name */

/* Runs what the arguments of main say. */
int command_main(int argc, char **argv);

/* For a command of the form "NAME [--json] OPERAND": reads both. EXIT_FINE, or the status after the
 * usage was told; `missing` says what to give. */
int command_operand(int argc, char **argv, const char *doing, const char *missing, bool *ret_json,
	const char **ret);

int cmd_mount(int argc, char **argv);
int cmd_umount(int argc, char **argv);
int cmd_login(int argc, char **argv);
int cmd_logout(int argc, char **argv);
int cmd_why(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_fetch(int argc, char **argv);
int cmd_demo(int argc, char **argv);
int cmd_help(int argc, char **argv);

/* Prints the help of a command (NULL: of all) on stdout; gives EXIT_FINE. */
int help_show(const struct command *c);

#endif
