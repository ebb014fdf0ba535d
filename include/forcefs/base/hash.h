/* SPDX-License-Identifier: MIT */
/* FNV-1a, 64 bits: for telling contents apart (never for security). */
#ifndef FORCEFS_BASE_HASH_H
#define FORCEFS_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

uint64_t hash_bytes(const void *data, size_t len);

#endif
