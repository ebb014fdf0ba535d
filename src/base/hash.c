/* SPDX-License-Identifier: MIT */
/* FNV-1a, 64 bits. */
#include "forcefs/base/hash.h"

#define OFFSET_BASIS UINT64_C(0xcbf29ce484222325)
#define PRIME        UINT64_C(0x100000001b3)

uint64_t hash_bytes(const void *data, size_t len)
{
	const unsigned char *p = data;
	uint64_t h = OFFSET_BASIS;
	for (size_t i = 0; i < len; i++) {
		h = (h ^ p[i]) * PRIME;
	}
	return h;
}
