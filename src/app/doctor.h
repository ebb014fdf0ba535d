/* SPDX-License-Identifier: MIT */
/*
 * The checks of forcefs doctor. Each one gives one finding; a check whose ground is missing because
 * an earlier one failed gives the finding that it was skipped.
 *
 *	cmd_doctor.c    which checks, in which order, and the telling
 *	doctor_here.c   what lies on this machine: FUSE, settings, cache folder
 *	doctor_org.c    what lies on the way to the org, and there
 *	doctor_text.c   the findings as a page
 */
#ifndef FORCEFS_APP_DOCTOR_H
#define FORCEFS_APP_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compose.h"
#include "forcefs/base/buf.h"
#include "settings.h"

enum doctor_state { DOCTOR_OK, DOCTOR_WARNING, DOCTOR_FAILED, DOCTOR_SKIPPED };

struct finding {
	const char *check; /* its name; static */
	enum doctor_state state;
	char text[600]; /* what was found, and what to do about it */
};

struct doctor {
	const char *org;
	char *file; /* of the settings, once found */
	struct settings settings;
	bool has_settings;
	struct composition c;
	struct error fault; /* of the settings; later why the first call failed; errnum 0: no */
	bool api_asked;
	const char *failed; /* the check that those after it stand on, once it failed; NULL */
};

void doctor_release(struct doctor *d);

/* ---- for the checks: fill the finding ---- */

void finding_set(struct finding *f, enum doctor_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void finding_fail(struct finding *f, const struct error *err);

/* ---- doctor_here.c ---- */

void doctor_fuse(struct doctor *d, struct finding *f);
void doctor_file(struct doctor *d, struct finding *f);
void doctor_permissions(struct doctor *d, struct finding *f);
void doctor_settings(struct doctor *d, struct finding *f);
void doctor_commands(struct doctor *d, struct finding *f);
void doctor_cache(struct doctor *d, struct finding *f);

/* Pieces of these, for tests. device: "/dev/fuse". */
void doctor_fuse_device(const char *device, struct finding *f);
/* dir: of the cache; need: cache_size. */
void doctor_cache_dir(const char *dir, int64_t need, struct finding *f);

/* ---- doctor_org.c ---- */

void doctor_host(struct doctor *d, struct finding *f);
void doctor_connection(struct doctor *d, struct finding *f);
void doctor_log_in(struct doctor *d, struct finding *f);
void doctor_version(struct doctor *d, struct finding *f);
void doctor_api(struct doctor *d, struct finding *f);
void doctor_objects(struct doctor *d, struct finding *f);

/* ---- doctor_text.c ---- */

const char *doctor_word(enum doctor_state state); /* "ok", "warning", "failed", "skipped" */
/* width as for a page; colour: with escape sequences for it. */
int doctor_text(const char *org, const struct finding *findings, size_t count, int width,
	bool colour, struct buf *out);

DEFINE_CLEANER(doctor, struct doctor, doctor_release)

#endif
