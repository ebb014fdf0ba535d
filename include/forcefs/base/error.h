/* SPDX-License-Identifier: MIT */
/*
 * The error value that every floor speaks.
 *
 * Functions that can fail return 0 or a negative errno and take `struct error *err` last (may be
 * NULL). Success never touches it. It is a plain value, with no allocation: it can be filled when
 * memory is out, copied across threads and kept. Texts hold a sentence that says what to do next;
 * they never hold tokens, secrets or record contents.
 */
#ifndef FORCEFS_BASE_ERROR_H
#define FORCEFS_BASE_ERROR_H

struct error {
	int errnum;       /* positive errno */
	int http_status;  /* 0 where no reply was involved */
	char code[64];    /* Salesforce's errorCode, or "" */
	char fields[128]; /* the fields Salesforce names, comma separated, or "" */
	char text[512];   /* UTF-8, one sentence or more, no newline at the end */
};

/* Fills err (may be NULL) and returns -errnum, so that a failure is one line. */
int error_set(struct error *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The same with Salesforce's own code (may be NULL) and the HTTP status (0: none). */
int error_set_code(struct error *err, int errnum, int http_status, const char *code,
	const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Adds "what: " in front of err's text and returns r unchanged. Say only what the lower floor
 * could not know. */
int error_prefix(struct error *err, int r, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Fills err from a libc errno: "what: strerror". Returns -errnum. */
int error_errno(struct error *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "ENOENT" for 2, …; "E?" for unknown numbers. Borrowed, static. */
const char *error_name(int errnum);

#endif
