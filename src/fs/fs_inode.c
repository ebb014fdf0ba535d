/* SPDX-License-Identifier: MIT */
/* Packs and unpacks inode numbers; the layout stands in the header. */
#include "fs_inode.h"

#include <assert.h>

#include "forcefs/mirror/mirror.h"

#define KIND_SHIFT 56
#define LOW_MASK   ((UINT64_C(1) << KIND_SHIFT) - 1)

static_assert(STORE_ROW_BITS + 16 == KIND_SHIFT && STORE_OBJECT_MAX == 0xffff,
	"a record's key has to fit below the kind");

static uint64_t pack(enum inode_kind kind, uint64_t low)
{
	return (uint64_t)kind << KIND_SHIFT | (low & LOW_MASK);
}

uint64_t inode_of_object(uint32_t object)
{
	return pack(INODE_OBJECT, store_key(object, 0));
}

uint64_t inode_of_record(uint64_t key)
{
	return pack(INODE_RECORD, key);
}

uint64_t inode_of_body(uint64_t key)
{
	return pack(INODE_BODY, key);
}

uint64_t inode_of_describe(uint32_t object)
{
	return pack(INODE_DESCRIBE, store_key(object, 0));
}

uint64_t inode_of_scratch(uint32_t object, uint64_t seq)
{
	return pack(INODE_SCRATCH, store_key(object, seq & STORE_ROW_MAX));
}

uint64_t inode_of_rejected(uint64_t name_hash)
{
	return pack(INODE_REJECTED, name_hash);
}

uint64_t inode_of_control(enum control control)
{
	return pack(INODE_CONTROL, control);
}

enum inode_kind inode_kind(uint64_t inode)
{
	uint64_t kind = inode >> KIND_SHIFT;
	if (inode == INODE_ROOT_NUMBER) {
		return INODE_ROOT;
	}
	if (kind == INODE_CONTROL) {
		uint64_t control = inode & LOW_MASK;
		return control > CONTROL_NONE && control < CONTROL_COUNT ? INODE_CONTROL
									 : INODE_NONE;
	}
	return kind > INODE_ROOT && kind < INODE_CONTROL ? (enum inode_kind)kind : INODE_NONE;
}

uint32_t inode_object(uint64_t inode)
{
	return store_key_object(inode & LOW_MASK);
}

uint64_t inode_key(uint64_t inode)
{
	return inode & LOW_MASK;
}

enum control inode_control(uint64_t inode)
{
	return inode_kind(inode) == INODE_CONTROL ? (enum control)(inode & LOW_MASK) : CONTROL_NONE;
}
