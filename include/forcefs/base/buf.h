/* SPDX-License-Identifier: MIT */
/*
 * A growing byte buffer with a limit. Invariant: data[len] == 0 whenever data is not NULL, so the
 * content can be read as a string. Appending past the limit fails with EFBIG, out of memory with
 * ENOMEM; both leave the content as it was and mark the buffer as failed. Appends to a failed
 * buffer fail the same way and add nothing, so a run of appends can be checked once at its end
 * with buf_failed().
 */
#ifndef FORCEFS_BASE_BUF_H
#define FORCEFS_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>

#include "forcefs/base/scope.h"

struct buf {
	char *data; /* NULL until the first append */
	size_t len;
	size_t cap;
	size_t limit_bytes; /* largest len */
	int failed;         /* 0, or the negative errno of the first failed append */
};

void buf_init(struct buf *b, size_t limit_bytes);
void buf_release(struct buf *b); /* frees; b is empty and usable again with the same limit */
void buf_clear(struct buf *b);   /* len = 0, failed = 0, keeps the memory */

int buf_reserve(struct buf *b, size_t more);              /* 0, -EFBIG, -ENOMEM */
int buf_add(struct buf *b, const void *data, size_t len); /* 0, -EFBIG, -ENOMEM */
int buf_add_str(struct buf *b, const char *s);            /* the same */
int buf_add_char(struct buf *b, char c);                  /* the same */
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static inline int buf_failed(const struct buf *b)
{
	return b->failed;
}

/* The content as a string; "" when nothing was added. Borrowed until the next change. */
static inline const char *buf_str(const struct buf *b)
{
	return b->data ? b->data : "";
}

/* Hands the memory to the caller (who frees it); b is empty then. NULL if nothing was added. */
char *buf_take(struct buf *b, size_t *ret_len);

DEFINE_CLEANER(buf, struct buf, buf_release)

#endif
