/* SPDX-License-Identifier: MIT */
/* The parts of the completions and of the sample settings that repeat a table. */
#include "pages.h"

#include <stdio.h>
#include <string.h>

#include "options.h"

#define WRAP 76

/* Text inside single quotes; also escaped are the characters of extra. */
static void put_quoted(const char *text, const char *extra)
{
	for (; *text; text++) {
		if (*text == '\'') {
			fputs("'\\'", stdout);
		} else if (*extra && strchr(extra, *text)) {
			putchar('\\');
		}
		putchar(*text);
	}
}

/* Whether -o takes this setting: secrets are refused there. */
static bool is_key(const struct setting *s)
{
	return !s->secret;
}

/* What an operand or value is completed with: a word that the templates know, or NULL. */
static const char *kind_of(const struct command *c, const char *shape)
{
	static const char *const kinds[] = {"ORG", "DIR", "ORG|DIR", "DIR|ORG", "DIR/OBJECT",
		"PATH", "FILE", "FILE|-", "COMMAND", "OPTION", "OPTION,…"};
	static const char *const names[] = {"org", "dir", "org_or_mount", "org_or_mount", "dir",
		"path", "path", "path", "command", "option", "option"};
	if (c && strcmp(c->name, "umount") == 0 && strcmp(shape, "DIR") == 0) {
		return "mount";
	}
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i], shape) == 0) {
			return names[i];
		}
	}
	return NULL;
}

/* The words that a setting's value can be: "a b c", or "path" for a file; printed. */
static void put_values(const struct setting *s)
{
	const char *at = s->choices;
	char word[64];
	while (page_choice_next(&at, word, sizeof(word))) {
		printf("%s ", word);
	}
}

/* ---- bash ---- */

static void put_bash_commands(void)
{
	fputs("_forcefs_commands='--help --version", stdout);
	for (size_t i = 0; i < commands_len; i++) {
		if (commands[i].run) {
			printf(" %s", commands[i].name);
		}
	}
	puts("'");
}

static void put_bash_keys(void)
{
	const struct option_word *w;
	fputs("_forcefs_keys='", stdout);
	for (size_t i = 0; (w = options_word(i)) != NULL; i++) {
		printf("%s%s ", w->name, w->shape ? "=" : "");
	}
	for (size_t i = 0; i < settings_table_len; i++) {
		if (is_key(&settings_table[i])) {
			printf("%s= ", settings_table[i].name);
		}
	}
	puts("'");
}

static void put_bash_options(void)
{
	for (size_t i = 0; i < commands_len; i++) {
		const char *at = commands[i].details;
		struct page_option o;
		if (!commands[i].run) {
			continue;
		}
		printf("\t%s) echo '--help", commands[i].name);
		while (page_option_next(&at, &o)) {
			printf(o.letter ? " -%c" : "", o.letter);
			printf("%s%s", o.word[0] ? " --" : "", o.word);
		}
		puts("' ;;");
	}
}

static void put_bash_option_kinds(void)
{
	for (size_t i = 0; i < commands_len; i++) {
		const char *at = commands[i].run ? commands[i].details : NULL;
		struct page_option o;
		while (page_option_next(&at, &o)) {
			const char *kind = kind_of(NULL, o.shape);
			if (o.shape[0] && o.letter) {
				printf("\t'%s -%c') echo %s ;;\n", commands[i].name, o.letter,
					kind ? kind : "nothing");
			}
			if (o.shape[0] && o.word[0]) {
				printf("\t'%s --%s') echo %s ;;\n", commands[i].name, o.word,
					kind ? kind : "nothing");
			}
		}
	}
}

static void put_bash_operands(void)
{
	for (size_t i = 0; i < commands_len; i++) {
		char shape[64];
		for (int n = 0;
			commands[i].run && page_operand(&commands[i], n, shape, sizeof(shape));
			n++) {
			const char *kind = kind_of(&commands[i], shape);
			printf("\t'%s %d') echo %s ;;\n", commands[i].name, n + 1,
				kind ? kind : "nothing");
		}
	}
}

static void put_bash_values(void)
{
	for (size_t i = 0; i < settings_table_len; i++) {
		const struct setting *s = &settings_table[i];
		if (!is_key(s) || (!s->choices && s->type != SETTING_PATH)) {
			continue;
		}
		printf("\t%s) echo '", s->name);
		put_values(s);
		puts(s->type == SETTING_PATH ? "/' ;;" : "' ;;");
	}
}

/* ---- zsh ---- */

static const char zsh_special[] = "[]:\\";

static void put_zsh_commands(void)
{
	for (size_t i = 0; i < commands_len; i++) {
		if (commands[i].run) {
			printf("\t\t'%s:", commands[i].name);
			put_quoted(commands[i].summary, zsh_special);
			puts("'");
		}
	}
}

static void put_zsh_option(const struct page_option *o, const char *name)
{
	printf(" \\\n\t\t\t'%s%s[", o->shape[0] ? "*" : "", name);
	put_quoted(o->text, zsh_special);
	putchar(']');
	if (o->shape[0]) {
		const char *kind = kind_of(NULL, o->shape);
		printf(":%s:%s%s", o->shape, kind ? "_forcefs_" : " ", kind ? kind : "");
	}
	putchar('\'');
}

static void put_zsh_command(const struct command *c)
{
	const char *at = c->details;
	struct page_option o;
	char name[64], shape[64];
	printf("\t%s)\n\t\t_arguments -s : \\\n\t\t\t'(- *)--help[show how it is used]'", c->name);
	while (page_option_next(&at, &o)) {
		if (o.letter) {
			snprintf(name, sizeof(name), "-%c", o.letter);
			put_zsh_option(&o, name);
		}
		if (o.word[0]) {
			snprintf(name, sizeof(name), "--%s", o.word);
			put_zsh_option(&o, name);
		}
	}
	for (int n = 0; page_operand(c, n, shape, sizeof(shape)); n++) {
		const char *kind = kind_of(c, shape);
		printf(" \\\n\t\t\t'%d:%s:%s%s'", n + 1, shape, kind ? "_forcefs_" : " ",
			kind ? kind : "");
	}
	puts("\n\t\t;;");
}

static void put_zsh_arguments(void)
{
	for (size_t i = 0; i < commands_len; i++) {
		if (commands[i].run) {
			put_zsh_command(&commands[i]);
		}
	}
}

static void put_zsh_keys(void)
{
	const struct option_word *w;
	for (size_t i = 0; (w = options_word(i)) != NULL; i++) {
		printf("\t\t'%s[", w->name);
		put_quoted(w->help, zsh_special);
		printf("]%s%s%s'\n", w->shape ? ":" : "", w->shape ? w->shape : "",
			w->shape ? ": " : "");
	}
	for (size_t i = 0; i < settings_table_len; i++) {
		const struct setting *s = &settings_table[i];
		if (!is_key(s)) {
			continue;
		}
		printf("\t\t'%s[", s->name);
		put_quoted(s->help, zsh_special);
		printf("]:%s:", page_shape(s));
		fputs(s->type == SETTING_PATH ? "_files" : s->choices ? "(" : " ", stdout);
		if (s->type != SETTING_PATH && s->choices) {
			put_values(s);
			putchar(')');
		}
		puts("'");
	}
}

/* ---- fish ---- */

static void put_fish_commands(void)
{
	for (size_t i = 0; i < commands_len; i++) {
		if (commands[i].run) {
			printf("complete -c forcefs -n __forcefs_needs_command -a %s -d '",
				commands[i].name);
			put_quoted(commands[i].summary, "\\");
			puts("'");
		}
	}
}

static void put_fish_option(const struct command *c, const struct page_option *o)
{
	const char *kind = kind_of(NULL, o->shape);
	printf("complete -c forcefs -n '__forcefs_is %s'", c->name);
	printf(o->letter ? " -s %c" : "", o->letter);
	printf("%s%s", o->word[0] ? " -l " : "", o->word);
	if (o->shape[0]) {
		printf(kind && strcmp(kind, "path") == 0 ? " -r -F" : " -x");
	}
	if (kind && strcmp(kind, "path") != 0) {
		printf(" -a '(__forcefs_%s)'", kind);
	}
	fputs(" -d '", stdout);
	put_quoted(o->text, "\\");
	puts("'");
}

static void put_fish_arguments(void)
{
	for (size_t i = 0; i < commands_len; i++) {
		const struct command *c = &commands[i];
		const char *at = c->run ? c->details : NULL;
		struct page_option o;
		char shape[64];
		while (page_option_next(&at, &o)) {
			put_fish_option(c, &o);
		}
		for (int n = 0; c->run && page_operand(c, n, shape, sizeof(shape)); n++) {
			const char *kind = kind_of(c, shape);
			if (kind) {
				printf("complete -c forcefs -n '__forcefs_is %s %d' -a "
				       "'(__forcefs_%s)'\n",
					c->name, n + 1, kind);
			}
		}
	}
}

/* Options whose next word is no operand. */
static void put_fish_valued(void)
{
	fputs("\t\t\tcontains -- $word", stdout);
	for (size_t i = 0; i < commands_len; i++) {
		const char *at = commands[i].run ? commands[i].details : NULL;
		struct page_option o;
		while (page_option_next(&at, &o)) {
			if (o.shape[0]) {
				printf(o.letter ? " -%c" : "", o.letter);
				printf("%s%s", o.word[0] ? " --" : "", o.word);
			}
		}
	}
	puts("; and set skip 1");
}

/* Lines that fish's printf splits at the tab. */
static void put_fish_key(const char *name, bool valued, const char *help)
{
	printf("\t\t'%s%s\t", name, valued ? "=" : "");
	put_quoted(help, "\\");
	puts("' \\");
}

static void put_fish_keys(void)
{
	const struct option_word *w;
	for (size_t i = 0; (w = options_word(i)) != NULL; i++) {
		put_fish_key(w->name, w->shape, w->help);
	}
	for (size_t i = 0; i < settings_table_len; i++) {
		const struct setting *s = &settings_table[i];
		const char *at = s->choices;
		char word[64], pair[128];
		if (!is_key(s)) {
			continue;
		}
		if (!at) {
			put_fish_key(s->name, true, s->help);
		}
		while (page_choice_next(&at, word, sizeof(word))) {
			snprintf(pair, sizeof(pair), "%s=%s", s->name, word);
			put_fish_key(pair, false, s->help);
		}
	}
}

/* ---- the sample settings ---- */

static void put_comment(const char *text)
{
	int column = 0;
	for (size_t len; *text; text += len + strspn(text + len, " ")) {
		len = strcspn(text, " ");
		if (column == 0 || column + 1 + (int)len > WRAP) {
			column = printf("%s#", column ? "\n" : "") - 1;
		}
		column += printf(" %.*s", (int)len, text);
	}
	putchar('\n');
}

static void put_sample(void)
{
	for (size_t i = 0; i < settings_table_len; i++) {
		const struct setting *s = &settings_table[i];
		char text[1024];
		snprintf(text, sizeof(text), "%s%s%s%s", s->help,
			s->choices && !s->shape ? " Words: " : "",
			s->choices && !s->shape ? s->choices : "",
			s->choices && !s->shape ? "." : "");
		putchar('\n');
		put_comment(text);
		printf(";%s =%s%s\n", s->name, s->standard ? " " : "",
			s->standard ? s->standard : "");
	}
}

const struct page_filler page_shell_fillers[] = {{"BASH_COMMANDS", put_bash_commands},
	{"BASH_KEYS", put_bash_keys}, {"BASH_OPTIONS", put_bash_options},
	{"BASH_OPTION_KINDS", put_bash_option_kinds}, {"BASH_OPERANDS", put_bash_operands},
	{"BASH_VALUES", put_bash_values}, {"ZSH_COMMANDS", put_zsh_commands},
	{"ZSH_ARGUMENTS", put_zsh_arguments}, {"ZSH_KEYS", put_zsh_keys},
	{"FISH_COMMANDS", put_fish_commands}, {"FISH_ARGUMENTS", put_fish_arguments},
	{"FISH_VALUED", put_fish_valued}, {"FISH_KEYS", put_fish_keys}, {"SAMPLE", put_sample},
	{NULL, NULL}};
