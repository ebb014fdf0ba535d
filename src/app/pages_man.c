/* SPDX-License-Identifier: MIT */
/* The parts of the manual pages that repeat a table, in mdoc. */
#include "pages.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/sf/sf.h"
#include "options.h"

#define CODES_MAX 256
#define WIDTH     66

/* One character of UTF-8 as roff writes it; returns how many bytes it was. */
static int put_wide(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	int len = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	uint32_t c = u[0] & (0xffu >> (len + 1));
	for (int i = 1; i < len && u[i]; i++) {
		c = c << 6 | (u[i] & 0x3f);
	}
	printf("\\[u%04X]", c);
	return len;
}

/* Text that roff must not take for its own. */
static void put_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len && text[i];) {
		if (text[i] == '\\') {
			fputs("\\e", stdout);
		} else if (text[i] == '-') {
			fputs("\\-", stdout);
		} else if (text[i] == '~' || text[i] == '^') {
			fputs(text[i] == '~' ? "\\(ti" : "\\(ha", stdout);
		} else if ((unsigned char)text[i] >= 0x80) {
			i += (size_t)put_wide(text + i) - 1;
		} else {
			putchar(text[i]);
		}
		i++;
	}
}

/* One sentence, in lines that roff's checkers do not find too long. */
static void put_sentence(const char *text, size_t len)
{
	for (const char *end = text + len; text < end; text += strspn(text, " ")) {
		size_t n = (size_t)(end - text);
		for (size_t i = n > WIDTH ? WIDTH : 0; i > 0; i--) {
			if (text[i] == ' ') {
				n = i;
				break;
			}
		}
		fputs(*text == '.' || *text == '\'' ? "\\&" : "", stdout);
		put_text(text, n);
		putchar('\n');
		text += n;
	}
}

/* Running text, a sentence a line, which is what roff wants. */
static void put_sentences(const char *text)
{
	while (*text) {
		const char *end = strstr(text, ". ");
		size_t len = end ? (size_t)(end - text) + 1 : strlen(text);
		put_sentence(text, len);
		text += len + strspn(text + len, " ");
	}
}

/* An argument of a macro: what is one character of punctuation is kept from being a delimiter. */
static void put_argument(const char *text, size_t len)
{
	printf(" %s", len == 1 ? "\\&" : "");
	put_text(text, len);
}

/* "-o", "--json" or "OPTION" as a macro. */
static void put_word(const char *word, size_t len, bool first)
{
	fputs(*word == '-' ? " Fl" : first ? " Cm" : " Ar", stdout);
	put_argument(word + (*word == '-'), len - (*word == '-'));
}

/* "mount [-f] [-o OPTION,…] ORG DIR" as macros on the rest of a line. */
static void put_usage(const char *usage)
{
	bool first = true;
	for (const char *p = usage; *p; p += strspn(p, " ")) {
		size_t len = strcspn(p, " ");
		const char *next = p + len, *tail = next;
		while (*p == '[' && len > 1) {
			fputs(" Oo", stdout);
			p++;
			len--;
		}
		const char *close = memchr(p, ']', len);
		if (close) {
			tail = close;
			len = (size_t)(close - p);
		}
		put_word(p, len, first);
		for (; tail < next && *tail == ']'; tail++) {
			fputs(" Oc", stdout);
		}
		if (tail < next) {
			fputs(" Ns", stdout);
			put_word(tail, (size_t)(next - tail), false);
		}
		first = false;
		p = next;
	}
	putchar('\n');
}

static void put_synopsis(void)
{
	for (size_t i = 0; i < commands_len; i++) {
		if (commands[i].run) {
			fputs(".Nm", stdout);
			put_usage(commands[i].usage);
		}
	}
}

static void put_option(const struct page_option *o)
{
	const char *p = o->names;
	fputs(".It", stdout);
	for (size_t len; *p; p += len + strspn(p + len, ", ")) {
		len = strcspn(p, ",");
		fputs(p > o->names ? " ," : "", stdout);
		put_word(p, len, false);
	}
	if (o->shape[0]) {
		fputs(" Ar", stdout);
		put_argument(o->shape, strlen(o->shape));
	}
	putchar('\n');
	put_sentences(o->text);
}

static void put_command(const struct command *c)
{
	const char *at = c->details;
	char paragraph[1024];
	struct page_option option;
	bool any = false;
	fputs(".It", stdout);
	put_usage(c->usage);
	printf("%c", c->summary[0] - ('a' <= c->summary[0] && c->summary[0] <= 'z' ? 32 : 0));
	put_text(c->summary + 1, strlen(c->summary));
	fputs(".\n", stdout);
	while (page_paragraph_next(&at, paragraph, sizeof(paragraph))) {
		fputs(".Pp\n", stdout);
		put_sentences(paragraph);
	}
	for (at = c->details; page_option_next(&at, &option); any = true) {
		fputs(any ? "" : ".Bl -tag -width Ds\n", stdout);
		put_option(&option);
	}
	fputs(any ? ".El\n" : "", stdout);
}

static void put_commands(void)
{
	for (size_t i = 0; i < commands_len; i++) {
		if (commands[i].run) {
			put_command(&commands[i]);
		}
	}
}

static void put_setting(const struct setting *s)
{
	fputs(".It Cm", stdout);
	put_argument(s->name, strlen(s->name));
	fputs(" = Ar", stdout);
	put_argument(page_shape(s), strlen(page_shape(s)));
	putchar('\n');
	put_sentences(s->help);
	if (s->choices && !s->shape) {
		fputs(s->type == SETTING_CHOICE ? "One of " : "Made of ", stdout);
		put_text(s->choices, strlen(s->choices));
		fputs(".\n", stdout);
	}
	if (s->type == SETTING_SECONDS && s->max > 0) {
		printf("From %jd to %jd seconds.\n", (intmax_t)s->min, (intmax_t)s->max);
	}
	if (s->standard) {
		fputs("The default is\n.Li", stdout);
		put_argument(s->standard, strlen(s->standard));
		fputs(" .\n", stdout);
	}
}

static void put_settings(void)
{
	for (size_t i = 0; i < settings_table_len; i++) {
		put_setting(&settings_table[i]);
	}
}

static void put_mount_options(void)
{
	const struct option_word *w;
	for (size_t i = 0; (w = options_word(i)) != NULL; i++) {
		fputs(".It Cm", stdout);
		put_argument(w->name, strlen(w->name));
		if (w->shape) {
			fputs(" Ns = Ns Ar", stdout);
			put_argument(w->shape, strlen(w->shape));
		}
		putchar('\n');
		put_sentences(w->help);
	}
}

static void put_passed_over(void)
{
	const char *name;
	for (size_t i = 0; (name = options_passed_over(i)) != NULL; i++) {
		fputs(".Cm", stdout);
		put_argument(name, strlen(name));
		fputs(options_passed_over(i + 1) ? " ,\n" : " .\n", stdout);
	}
}

/* All codes of one errno; the rows before `from` had others. */
static void put_codes_of(size_t from, int errnum)
{
	const char *code;
	int other;
	for (size_t i = from; sf_code(i, &code, &other); i++) {
		if (other == errnum) {
			fputs(i > from ? " ,\n.Li" : ".Li", stdout);
			put_argument(code, strlen(code));
		}
	}
	putchar('\n');
}

static void put_codes(void)
{
	int seen[CODES_MAX], seen_len = 0, errnum;
	const char *code;
	for (size_t i = 0; sf_code(i, &code, &errnum); i++) {
		bool again = false;
		for (int k = 0; k < seen_len; k++) {
			again = again || seen[k] == errnum;
		}
		if (!again && seen_len < CODES_MAX) {
			seen[seen_len++] = errnum;
			printf(".It Er %s\n", strerrorname_np(errnum));
			put_codes_of(i, errnum);
		}
	}
}

const struct page_filler page_man_fillers[] = {{"SYNOPSIS", put_synopsis},
	{"COMMANDS", put_commands}, {"SETTINGS", put_settings},
	{"MOUNT_OPTIONS", put_mount_options}, {"PASSED_OVER", put_passed_over},
	{"CODES", put_codes}, {NULL, NULL}};
