/* SPDX-License-Identifier: MIT */
/* forcefs-pages DATE <template >page: copies the template; a line "@NAME@" becomes what the filler
 * of that name prints, and @VERSION@ and @DATE@ (as manual pages write it) become words. */
#include "pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const struct page_filler *find(const struct page_filler *list, const char *line)
{
	for (; list->name; list++) {
		size_t len = strlen(list->name);
		if (strncmp(line + 1, list->name, len) == 0 && strcmp(line + 1 + len, "@\n") == 0) {
			return list;
		}
	}
	return NULL;
}

static void copy_line(const char *line, const char *date)
{
	static const char version_mark[] = "@VERSION@", date_mark[] = "@DATE@";
	while (*line) {
		if (strncmp(line, version_mark, strlen(version_mark)) == 0) {
			fputs(FORCEFS_VERSION, stdout);
			line += strlen(version_mark);
		} else if (strncmp(line, date_mark, strlen(date_mark)) == 0) {
			fputs(date, stdout);
			line += strlen(date_mark);
		} else {
			putchar(*line++);
		}
	}
}

/* A template with a mark that nobody fills is a mistake of ours: the build stops. */
static int fill(const char *date)
{
	char line[4096];
	while (fgets(line, sizeof(line), stdin)) {
		const struct page_filler *f = NULL;
		if (line[0] == '@') {
			f = find(page_man_fillers, line);
			f = f ? f : find(page_shell_fillers, line);
		}
		if (line[0] == '@' && !f && strchr(line + 1, '@')) {
			fprintf(stderr, "forcefs-pages: nothing fills %s", line);
			return EXIT_FAILURE;
		}
		if (f) {
			f->fill();
		} else {
			copy_line(line, date);
		}
	}
	return ferror(stdin) || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct tm day = {0};
	char date[64];
	if (argc != 2 || !strptime(argv[1], "%Y-%m-%d", &day)) {
		fputs("usage: forcefs-pages YYYY-MM-DD <TEMPLATE >PAGE\n", stderr);
		return 2;
	}
	size_t n = strftime(date, sizeof(date), "%B ", &day);
	snprintf(date + n, sizeof(date) - n, "%d, %d", day.tm_mday, day.tm_year + 1900);
	return fill(date);
}
