/* SPDX-License-Identifier: MIT */
/* The growing buffer: doubles until its limit; a failure sticks until buf_clear or buf_release. */
#include "forcefs/base/buf.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

void buf_init(struct buf *b, size_t limit_bytes)
{
	*b = (struct buf){.limit_bytes = limit_bytes < SIZE_MAX ? limit_bytes : SIZE_MAX - 1};
}

void buf_release(struct buf *b)
{
	free(b->data);
	buf_init(b, b->limit_bytes);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = 0;
	if (b->data) {
		b->data[0] = '\0';
	}
}

/* The next size that holds need bytes, at most one byte over the limit (for the ending 0). */
static size_t next_cap(const struct buf *b, size_t need)
{
	size_t cap = b->cap < FIRST_CAP ? FIRST_CAP : b->cap;
	while (cap < need && cap <= b->limit_bytes / 2) {
		cap *= 2;
	}
	if (cap < need || cap > b->limit_bytes) {
		cap = b->limit_bytes + 1;
	}
	return cap;
}

int buf_reserve(struct buf *b, size_t more)
{
	if (b->failed) {
		return b->failed;
	}
	if (more > b->limit_bytes - b->len) {
		return b->failed = -EFBIG;
	}
	size_t need = b->len + more + 1;
	if (need <= b->cap) {
		return 0;
	}
	size_t cap = next_cap(b, need);
	char *data = realloc(b->data, cap);
	if (!data) {
		return b->failed = -ENOMEM;
	}
	b->data = data;
	b->cap = cap;
	b->data[b->len] = '\0';
	return 0;
}

int buf_add(struct buf *b, const void *data, size_t len)
{
	int r = buf_reserve(b, len);
	if (r < 0) {
		return r;
	}
	if (len > 0) {
		memcpy(b->data + b->len, data, len);
	}
	b->len += len;
	b->data[b->len] = '\0';
	return 0;
}

int buf_add_str(struct buf *b, const char *s)
{
	return buf_add(b, s, strlen(s));
}

int buf_add_char(struct buf *b, char c)
{
	return buf_add(b, &c, 1);
}

int buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	int n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	int r = n < 0 ? (b->failed = -ENOMEM) : buf_reserve(b, (size_t)n);
	if (r < 0) {
		return r;
	}
	va_start(args, fmt);
	vsnprintf(b->data + b->len, (size_t)n + 1, fmt, args);
	va_end(args);
	b->len += (size_t)n;
	return 0;
}

char *buf_take(struct buf *b, size_t *ret_len)
{
	char *data = b->data;
	if (ret_len) {
		*ret_len = b->len;
	}
	buf_init(b, b->limit_bytes);
	return data;
}
