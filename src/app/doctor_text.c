/* SPDX-License-Identifier: MIT */
/* One line for each finding, and what they come to. Pure. */
#include "doctor.h"
#include "page.h"

#define STATE_WIDTH 9
#define CHECK_WIDTH 15
#define TEXT_COLUMN (2 + STATE_WIDTH + CHECK_WIDTH)
#define NARROW      60 /* with less than this, further lines go on near the left edge */

static const struct {
	const char *word, *colour;
} states[] = {
	[DOCTOR_OK] = {"ok", "\033[32m"},
	[DOCTOR_WARNING] = {"warning", "\033[33m"},
	[DOCTOR_FAILED] = {"failed", "\033[1;31m"},
	[DOCTOR_SKIPPED] = {"skipped", "\033[2m"},
};

const char *doctor_word(enum doctor_state state)
{
	return states[state].word;
}

static void add_finding(struct page *p, const struct finding *f, bool colour)
{
	int indent = p->width > 0 && p->width < NARROW ? 4 : TEXT_COLUMN;
	buf_addf(p->out, "  %s%-*s%s", colour ? states[f->state].colour : "", STATE_WIDTH,
		states[f->state].word, colour ? "\033[0m" : "");
	page_cell(p, CHECK_WIDTH, f->check);
	page_wrap(p, TEXT_COLUMN, indent, f->text);
}

static size_t count_of(const struct finding *findings, size_t count, enum doctor_state state)
{
	size_t n = 0;
	for (size_t i = 0; i < count; i++) {
		n += findings[i].state == state;
	}
	return n;
}

static void add_sum(struct page *p, const char *org, size_t failed, size_t warnings)
{
	AUTO(buf) struct buf line;
	buf_init(&line, 512);
	if (failed) {
		buf_addf(&line, "%s cannot be mounted as things are: see what failed above", org);
	} else {
		buf_addf(&line, "%s can be mounted", org);
	}
	if (warnings) {
		buf_addf(&line, "; %zu warning%s", warnings, warnings == 1 ? "" : "s");
	}
	buf_add_char(&line, '.');
	page_wrap(p, 0, 2, buf_str(&line));
}

int doctor_text(const char *org, const struct finding *findings, size_t count, int width,
	bool colour, struct buf *out)
{
	struct page p = {.out = out, .width = width};
	for (size_t i = 0; i < count; i++) {
		add_finding(&p, &findings[i], colour);
	}
	add_sum(&p, org, count_of(findings, count, DOCTOR_FAILED),
		count_of(findings, count, DOCTOR_WARNING));
	return buf_failed(out);
}
