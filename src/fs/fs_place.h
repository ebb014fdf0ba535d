/* SPDX-License-Identifier: MIT */
/* What a name in an object's directory is, for the requests that make, move and take names. */
#ifndef FS_PLACE_H
#define FS_PLACE_H

#include "fs_write.h"

struct place {
	uint32_t object;
	const char *name;
	bool is_record; /* it has the form of a record's name */
	bool is_body;   /* it has the form of a body's name, in an object that has bodies */
	struct id id;
	char ext[BODY_EXT_MAX + 1];
	struct name_view local;
};

void place_look(struct fs *fs, const struct mirror_object *object, const char *name,
	struct place *ret); /* name is borrowed */
void place_release(struct fs *fs, struct place *p);

/* Its record; also behind an alias or a hidden name. */
int place_record(struct fs *fs, const struct place *p, const struct until *until,
	struct mirror_record *ret, struct error *err);
/* True if a body of that name is there, or that could not be found out (*ret says why). */
bool place_is_body(struct fs *fs, const struct place *p, const struct until *until, int *ret);

/* Makes the kernel look the name up again, from another thread: a request that changes names holds
 * the directory's lock. Without memory or room the kernel does so by itself later. */
void tell_entry(struct fs *fs, uint64_t parent, const char *name);

/* A scratch file with the record's text; with a reference. */
int copy_of_record(struct op *op, uint64_t key, const struct until *until, struct draft **ret,
	struct error *err);

/* From now on the scratch file shows the record, which has this version of its text: the kernel may
 * hold it under the record's name. */
void scratch_became(struct fs *fs, struct draft *d, uint64_t key, uint64_t version);

#endif
