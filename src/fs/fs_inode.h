/* SPDX-License-Identifier: MIT */
/*
 * Inode numbers. A number says by itself what it stands for, so the daemon keeps no table of
 * inodes, a forget has nothing to free, and numbers are the same after a remount:
 *
 *     63      56 55            40 39                       0
 *    +----------+----------------+--------------------------+
 *    |   kind   |     object     |           row            |
 *    +----------+----------------+--------------------------+
 *
 * RECORD and BODY (the file beside it) carry the store's key (object and row), OBJECT (a directory)
 * and DESCRIBE (its file under .forcefs) the object alone, SCRATCH an object and a number of this
 * mount, REJECTED a hash of the file's name, CONTROL one of the few fixed nodes. The root is 1,
 * because FUSE wants it so; kind 0 has no other number. st_ino, d_ino and FUSE's node id are all
 * this one number, and the generation is always 0: the store never gives a key to another record.
 */
#ifndef FS_INODE_H
#define FS_INODE_H

#include <stdbool.h>
#include <stdint.h>

#define INODE_ROOT_NUMBER UINT64_C(1)

enum inode_kind {
	INODE_ROOT,
	INODE_OBJECT,
	INODE_RECORD,
	INODE_DESCRIBE,
	INODE_SCRATCH,  /* a file of an editor, on this machine only */
	INODE_REJECTED, /* a text that could not be saved */
	INODE_BODY,     /* the content of a record's base64 field */
	INODE_CONTROL,
	INODE_NONE, /* a number that we never gave out */
};

/* The fixed nodes under .forcefs. */
enum control {
	CONTROL_NONE,
	CONTROL_DIR, /* .forcefs itself */
	CONTROL_STATUS,
	CONTROL_LIMITS,
	CONTROL_ERRORS,
	CONTROL_METRICS,
	CONTROL_DESCRIBE_DIR,
	CONTROL_REJECTED_DIR,
	CONTROL_COUNT,
};

uint64_t inode_of_object(uint32_t object);
uint64_t inode_of_record(uint64_t key);
uint64_t inode_of_body(uint64_t key);
uint64_t inode_of_describe(uint32_t object);
uint64_t inode_of_scratch(uint32_t object, uint64_t seq);
uint64_t inode_of_rejected(uint64_t name_hash);
uint64_t inode_of_control(enum control control);

enum inode_kind inode_kind(uint64_t inode);
uint32_t inode_object(uint64_t inode); /* of an OBJECT, RECORD, BODY, DESCRIBE or SCRATCH */
/* True for a draft's key that is a body's inode number. */
static inline bool key_is_body(uint64_t key)
{
	return inode_kind(key) == INODE_BODY;
}
uint64_t inode_key(uint64_t inode);         /* of a RECORD or BODY */
enum control inode_control(uint64_t inode); /* CONTROL_NONE for all other kinds */

#endif
