/* SPDX-License-Identifier: MIT */
/* Salesforce's datetimes: "2026-07-01T10:11:12.000+0000" in JSON, "…12.000Z" in SOQL. Pure. */
#ifndef FORCEFS_MODEL_STAMP_H
#define FORCEFS_MODEL_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads +0000, +00:00 and Z forms, with or without a fraction. Milliseconds since the epoch. */
bool stamp_parse(const char *s, size_t len, int64_t *ret_ms);

/* SOQL's and the REST API's literal, second or millisecond resolution: buf of at least 32 bytes. */
void stamp_soql(int64_t ms, char *buf, size_t size);

/* "Wed, 01 Jul 2026 10:00:00 GMT" for conditional headers; buf of at least 32 bytes. */
void stamp_http(int64_t ms, char *buf, size_t size);

/* The file's modification time: the stamp's seconds and milliseconds exactly, and below them up to
 * 999 999 ns that carry a hash of the content, because a kernel that sees the same size and the
 * same mtime keeps old pages for ever (and stamps have a grain of 1 s). */
void stamp_mtime(int64_t stamp_ms, uint64_t content_hash, int64_t *ret_s, long *ret_ns);

#endif
