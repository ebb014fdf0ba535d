/* SPDX-License-Identifier: MIT */
/* forcefs help: made from the table of commands and the table of settings, in 80 columns. */
#include "command.h"

#include <stdio.h>
#include <string.h>

#include "report.h"
#include "settings.h"

#define WIDTH       80
#define HELP_COLUMN 24

/* Words of text from column `at` on, further lines indented to `indent`. */
static void print_wrapped(const char *text, int at, int indent)
{
	int column = at;
	while (*text) {
		size_t len = strcspn(text, " ");
		bool first = column == at || column == indent;
		if (!first && column + 1 + (int)len > WIDTH) {
			printf("\n%*s", indent, "");
			column = indent;
			first = true;
		}
		printf("%s%.*s", first ? "" : " ", (int)len, text);
		column += (int)len + !first;
		text += len + strspn(text + len, " ");
	}
	putchar('\n');
}

/* Paragraphs; the indentation of an option's text is kept on its further lines. */
static void print_details(const char *text)
{
	for (const char *end; *text; text = *end ? end + 1 : end) {
		char line[512];
		end = text + strcspn(text, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)(end - text), text);
		const char *gap = strncmp(line, "  -", 3) == 0 ? strstr(line + 3, "  ") : NULL;
		if (gap) {
			int indent = (int)(gap - line) + (int)strspn(gap, " ");
			printf("%.*s", indent, line);
			print_wrapped(line + indent, indent, indent);
		} else {
			print_wrapped(line, 0, 0);
		}
	}
}

static void print_setting(const struct setting *s)
{
	char head[64], text[512];
	const char *shape = s->shape ? s->shape : s->type == SETTING_CHOICE ? "WORD" : "WORDS";
	const char *of = s->type == SETTING_CHOICE ? " One of " : " Made of ";
	snprintf(head, sizeof(head), "  %s=%s", s->name, shape);
	snprintf(text, sizeof(text), "%s%s%s%s%s%s", s->help, s->choices && !s->shape ? of : "",
		s->choices && !s->shape ? s->choices : "", s->choices && !s->shape ? "." : "",
		s->standard ? " Default: " : "", s->standard ? s->standard : "");
	printf("%-*s", HELP_COLUMN, head);
	if (strlen(head) >= HELP_COLUMN) {
		printf("\n%*s", HELP_COLUMN, "");
	}
	print_wrapped(text, HELP_COLUMN, HELP_COLUMN);
}

static void print_settings(void)
{
	puts("\nSettings, under [ORG] or [defaults] in the settings file, or with -o:");
	for (size_t i = 0; i < settings_table_len; i++) {
		print_setting(&settings_table[i]);
	}
	putchar('\n');
	print_wrapped("The settings file is $FORCEFS_CONFIG, else ~/.config/forcefs/forcefs.ini, "
		      "else /etc/forcefs/forcefs.ini.",
		0, 0);
}

static int show_all(void)
{
	puts("forcefs mounts a Salesforce org as a directory.\n");
	puts("Usage: forcefs COMMAND …\n");
	for (size_t i = 0; i < commands_len; i++) {
		if (commands[i].run) {
			printf("  %-8s %s\n", commands[i].name, commands[i].summary);
		}
	}
	puts("\nforcefs help COMMAND tells more; forcefs demo DIR shows it without an account.");
	return EXIT_FINE;
}

int help_show(const struct command *c)
{
	if (!c) {
		return show_all();
	}
	printf("Usage: forcefs ");
	print_wrapped(c->usage, 15, 15);
	putchar('\n');
	printf("forcefs %s: %s.\n", c->name, c->summary);
	if (c->details) {
		putchar('\n');
		print_details(c->details);
	}
	if (c->settings) {
		print_settings();
	}
	return EXIT_FINE;
}

int cmd_help(int argc, char **argv)
{
	if (argc < 2) {
		return help_show(NULL);
	}
	const struct command *c = command_find(argv[1]);
	if (!c || !c->run) {
		return report_usage("",
			c ? "the command \"%s\" is not in this version yet"
			  : "there is no command \"%s\"",
			argv[1]);
	}
	return help_show(c);
}
