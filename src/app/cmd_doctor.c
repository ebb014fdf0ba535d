/* SPDX-License-Identifier: MIT */
/* forcefs doctor: everything that a mount needs, looked at in the order in which it needs it. */
#include "command.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "page.h"
#include "report.h"
#include "report_json.h"
#include "service.h"

#define DOING      "doctor"
#define PAGE_BYTES (1u << 20)

/* `apart`: stands on nothing but the settings, and nothing stands on it. */
static const struct {
	const char *name;
	void (*run)(struct doctor *d, struct finding *f);
	bool apart, needs_settings;
} checks[] = {
	{"FUSE", doctor_fuse, true, false},
	{"settings file", doctor_file, false, false},
	{"permissions", doctor_permissions, false, false},
	{"settings", doctor_settings, false, false},
	{"secrets", doctor_commands, false, true},
	{"host", doctor_host, false, true},
	{"connection", doctor_connection, false, true},
	{"log-in", doctor_log_in, false, true},
	{"API version", doctor_version, false, true},
	{"API", doctor_api, false, true},
	{"objects", doctor_objects, false, true},
	{"cache folder", doctor_cache, true, true},
};
#define CHECKS (sizeof(checks) / sizeof(checks[0]))

void doctor_release(struct doctor *d)
{
	compose_close(&d->c);
	settings_release(&d->settings);
	free(d->file);
}

void finding_set(struct finding *f, enum doctor_state state, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	f->state = state;
	vsnprintf(f->text, sizeof(f->text), fmt, args);
	va_end(args);
}

void finding_fail(struct finding *f, const struct error *err)
{
	bool named = !err->code[0] || strstr(err->text, err->code);
	finding_set(f, DOCTOR_FAILED, "%s%s%s%s", err->text[0] ? err->text : strerror(err->errnum),
		named ? "" : " (", named ? "" : err->code, named ? "" : ")");
}

static void look(struct doctor *d, size_t i, struct finding *f)
{
	bool ready = checks[i].apart ? !checks[i].needs_settings || d->has_settings : !d->failed;
	f->check = checks[i].name;
	if (!ready) {
		finding_set(f, DOCTOR_SKIPPED, "not looked at, because %s failed",
			d->failed ? d->failed : "settings");
		return;
	}
	checks[i].run(d, f);
	if (f->state == DOCTOR_FAILED && !checks[i].apart) {
		d->failed = checks[i].name;
	}
}

static void print_json(const struct doctor *d, const struct finding *findings, bool fine)
{
	json_t *list = json_array();
	for (size_t i = 0; i < CHECKS; i++) {
		json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "check", findings[i].check,
						    "state", doctor_word(findings[i].state), "text",
						    report_json(findings[i].text)));
	}
	json_t *answer = json_pack(
		"{s:o, s:b, s:o}", "org", report_json(d->org), "ok", fine, "checks", list);
	json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(answer);
}

static void print_page(const struct doctor *d, const struct finding *findings)
{
	const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
	int width = page_width_of(STDOUT_FILENO);
	bool colour = width > 0 && !(no_colour && *no_colour) && term && strcmp(term, "dumb") != 0;
	AUTO(buf) struct buf page;
	buf_init(&page, PAGE_BYTES);
	doctor_text(d->org, findings, CHECKS, width, colour, &page);
	fputs(buf_str(&page), stdout);
}

static int examine(struct doctor *d, bool as_json)
{
	struct finding findings[CHECKS] = {0};
	bool fine = true;
	for (size_t i = 0; i < CHECKS; i++) {
		look(d, i, &findings[i]);
		fine = fine && findings[i].state != DOCTOR_FAILED;
	}
	if (as_json) {
		print_json(d, findings, fine);
	} else {
		print_page(d, findings);
	}
	return fine ? EXIT_FINE : EXIT_FAILED;
}

int cmd_doctor(int argc, char **argv)
{
	AUTO(doctor) struct doctor d = {0};
	bool as_json = false;
	const char *operand;
	service_protect();
	int r = command_operand(
		argc, argv, DOING, "give one org: forcefs doctor ORG", &as_json, &operand);
	if (r != EXIT_FINE) {
		return r;
	}
	d.org = operand;
	return examine(&d, as_json);
}
