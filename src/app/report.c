/* SPDX-License-Identifier: MIT */
/* One line on stderr, whole, with whatever could move a terminal's cursor made visible. */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "forcefs/base/log.h"

#define TEXT_MAX 2048

static void print(const char *doing, const char *fmt, va_list args)
	__attribute__((format(printf, 2, 0)));

static void print(const char *doing, const char *fmt, va_list args)
{
	char raw[TEXT_MAX], text[TEXT_MAX];
	vsnprintf(raw, sizeof(raw), fmt, args);
	log_escape(text, sizeof(text), raw);
	fflush(stdout); /* in order, when both go to one terminal */
	fprintf(stderr, "forcefs: %s%s%s\n", doing, *doing ? ": " : "", text);
}

void report(const char *doing, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	print(doing, fmt, args);
	va_end(args);
}

int report_error(const char *doing, const struct error *err)
{
	const char *text = err->text[0] ? err->text : strerror(err->errnum);
	if (err->code[0] && !strstr(text, err->code)) {
		report(doing, "%s (%s)", text, err->code);
	} else {
		report(doing, "%s", text);
	}
	return EXIT_FAILED;
}

int report_usage(const char *command, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	print(command, fmt, args);
	va_end(args);
	fprintf(stderr, "Try: forcefs help%s%s\n", *command ? " " : "", command);
	return EXIT_USAGE;
}
