/* SPDX-License-Identifier: MIT */
/*
 * What the fuzz targets share. A target is one function over foreign bytes; it must neither crash
 * nor break one of the rules that it states with must(). libFuzzer drives it where clang is (run),
 * and replay.c with the seeds of corpus/ everywhere.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert: these are on in every build, and say where. */
#define must(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #condition);    \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* The input in pieces, at its NUL bytes: the last piece is the rest. Each is a copy of its own size
 * (with a NUL behind it), so that a sanitizer sees a step too far. */
struct piece {
	char *text;
	size_t len;
};

static inline void pieces_cut(
	const uint8_t *data, size_t size, struct piece *ret_pieces, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const uint8_t *end = i + 1 < count ? memchr(data, 0, size) : NULL;
		size_t len = end ? (size_t)(end - data) : size;

		ret_pieces[i] = (struct piece){malloc(len + 1), len};
		must(ret_pieces[i].text);
		if (len) {
			memcpy(ret_pieces[i].text, data, len);
		}
		ret_pieces[i].text[len] = '\0';
		data += end ? len + 1 : len;
		size -= end ? len + 1 : len;
	}
}

static inline void pieces_free(struct piece *pieces, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(pieces[i].text);
	}
}

#endif
