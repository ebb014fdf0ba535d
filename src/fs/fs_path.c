/* SPDX-License-Identifier: MIT */
/* From a request to the path that a person would write; for the words about failures only. */
#include <stdio.h>
#include <string.h>

#include "forcefs/model/names.h"
#include "fs_priv.h"

/* "Account", or a stand-in for an object that is gone. */
static void object_name(struct fs *fs, uint32_t index, char *buf, size_t size)
{
	struct mirror_object object;
	if (mirror_object_by_index(fs->mirror, index, &object) == 0) {
		snprintf(buf, size, "%s", object.name);
	} else {
		snprintf(buf, size, "object %u", index);
	}
}

/* Only the row's Id is wanted: where the row itself is too old to be given, the listing still is.
 */
static bool find_row(struct fs *fs, uint64_t key, struct mirror_record *ret)
{
	if (mirror_record_get(fs->mirror, key, NULL, ret, NULL, NULL) == 0) {
		return true;
	}
	uint64_t row = store_key_row(key);
	return row > 0 &&
	       mirror_record_next(fs->mirror, store_key_object(key), row - 1, NULL, ret, 1, NULL) ==
		       1 &&
	       ret->key == key;
}

static void path_of_record(struct fs *fs, uint64_t inode, char *buf, size_t size)
{
	char name[81];
	struct mirror_record record;
	uint64_t key = inode_key(inode);
	object_name(fs, inode_object(inode), name, sizeof(name));
	if (find_row(fs, key, &record)) {
		snprintf(buf, size, "%s/%s.json", name, record.id);
	} else {
		snprintf(buf, size, "%s/row %llu", name, (unsigned long long)store_key_row(key));
	}
}

static void path_of_body(struct fs *fs, uint64_t inode, char *buf, size_t size)
{
	char name[81];
	struct mirror_record record;
	object_name(fs, inode_object(inode), name, sizeof(name));
	if (find_row(fs, inode_key(inode), &record)) {
		snprintf(buf, size, "%s/%s.%s", name, record.id, record.ext);
	} else {
		snprintf(buf, size, "%s/body of row %llu", name,
			(unsigned long long)store_key_row(inode_key(inode)));
	}
}

static void path_of_control(enum control control, char *buf, size_t size)
{
	if (control == CONTROL_DIR) {
		snprintf(buf, size, "%s", control_name(control));
	} else {
		snprintf(buf, size, "%s/%s", control_name(CONTROL_DIR), control_name(control));
	}
}

void path_of_inode(struct fs *fs, uint64_t inode, char *buf, size_t size)
{
	char name[81], local[NAME_MAX + 1];
	buf[0] = '\0';
	switch (inode_kind(inode)) {
	case INODE_OBJECT:
		object_name(fs, inode_object(inode), buf, size);
		break;
	case INODE_RECORD:
		path_of_record(fs, inode, buf, size);
		break;
	case INODE_BODY:
		path_of_body(fs, inode, buf, size);
		break;
	case INODE_DESCRIBE:
		object_name(fs, inode_object(inode), name, sizeof(name));
		snprintf(buf, size, ".forcefs/describe/%s.json", name);
		break;
	case INODE_CONTROL:
		path_of_control(inode_control(inode), buf, size);
		break;
	case INODE_SCRATCH:
		object_name(fs, inode_object(inode), name, sizeof(name));
		name_of(&fs->drafts, inode, local, sizeof(local));
		snprintf(buf, size, "%s/%s", name, local);
		break;
	case INODE_REJECTED:
	case INODE_ROOT:
	case INODE_NONE:
		break;
	}
}

/* A record may be named by 15 characters: its path has the 18. */
static void add_entry(uint64_t parent, const char *name, char *buf, size_t size)
{
	struct id id;
	char full[BODY_NAME_LEN + 1], ext[BODY_EXT_MAX + 1];
	size_t len = strlen(buf);
	if (inode_kind(parent) == INODE_OBJECT && record_name_parse(name, "", &id)) {
		record_name_write(&id, full);
		name = full;
	} else if (inode_kind(parent) == INODE_OBJECT && body_name_parse(name, "", &id, ext)) {
		body_name_write(&id, ext, full);
		name = full;
	}
	snprintf(buf + len, size - len, "%s%s", len ? "/" : "", name);
}

void path_of_op(const struct op *op, char *buf, size_t size)
{
	path_of_inode(op->fs, op->ino, buf, size);
	if (op->name && op->kind->by_name) {
		add_entry(op->ino, op->name, buf, size);
	}
}
