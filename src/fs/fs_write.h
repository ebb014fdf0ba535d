/* SPDX-License-Identifier: MIT */
/* What the files of the write path share: drafts as files, names, saving. */
#ifndef FS_WRITE_H
#define FS_WRITE_H

#include "fs_priv.h"

/* ---- fs_write.c ---- */

/* 0 if something in this directory may be written; fills the object. */
int writable_dir(struct fs *fs, uint64_t inode, struct mirror_object *ret, struct error *err);
/* Takes an open back that nobody heard of. */
void draft_abandon(struct fs *fs, struct draft *d);

/* ---- fs_edit.c ---- */

/* The record's edit, opened for writing; with a reference. */
int edit_open(struct op *op, uint64_t key, bool truncate, const struct until *until,
	struct draft **ret, struct error *err);
int draft_open(struct op *op, struct draft *d, bool truncate, struct error *err);
/* RELEASE: gives the open and its reference back. */
int draft_close(struct op *op, struct draft *d, const struct until *until);
/* Waits until nobody is sending what the draft has, and takes the lock of the drafts, so that one can
 * decide to send it oneself. 0, or a negative errno and the lock is not held. */
int draft_lock_idle(struct fs *fs, struct draft *d, const struct until *until, struct error *err);
void draft_unlock_idle(struct fs *fs, const struct until *until);
/* Sends what changed, if anything did since the last time. */
int edit_save(struct fs *fs, struct draft *d, const struct until *until, struct error *err);
/* FLUSH: the same, and if it fails for the last one who has the file open the truth shows again. */
int edit_close(struct op *op, struct draft *d, const struct until *until, struct error *err);
/* True if who closes the file was started by the one who opened it, and so closes a copy of what
 * that one still has open. */
bool draft_closed_by_child(const struct op *op, struct draft *d);

/* ---- fs_blob_edit.c: bodies that are written ---- */

/* 0 if the object's bodies may be replaced here. */
int blob_writable(struct fs *fs, uint32_t object, struct error *err);
/* The body's edit, opened for writing; with a reference. */
int blob_open(struct op *op, uint64_t key, bool truncate, const struct until *until,
	struct draft **ret, struct error *err);
/* Sends the content; *ret_version is the one that was sent. */
int blob_save(struct fs *fs, struct draft *d, const struct buf *base, uint64_t *ret_version,
	const struct until *until, struct mirror_record *ret, struct error *err);
/* A scratch file with the body's content; with a reference. */
int blob_copy(struct fs *fs, uint64_t key, const struct until *until, struct draft **ret,
	struct error *err);
/* The scratch file's content becomes the body's. */
int blob_save_over(struct op *op, struct draft *d, const struct mirror_record *rec,
	const struct until *until, struct error *err);
/* Keeps aside what could not be saved. */
void blob_reject(struct fs *fs, struct draft *d, const struct error *why);

/* ---- fs_rename.c ---- */

void rename_fill_ops(struct fuse_lowlevel_ops *ops);

/* ---- fs_link.c ---- */

void link_fill_ops(struct fuse_lowlevel_ops *ops);

/* ---- fs_create.c ---- */

/* Where `allow` has create: a file X.json with a JSON object without an Id becomes a record; then
 * the name leads to it. What is written to a file after it was saved as a record is saved too. */
int scratch_make_record(struct op *op, struct draft *d, const char *name, const struct until *until,
	struct error *err);

/* The scratch file's text becomes the record's. */
int scratch_save(
	struct op *op, struct draft *d, uint64_t key, const struct until *until, struct error *err);

/* ---- fs_caller.c: who is asking ---- */

/* A number for the running program that the thread belongs to; 0 if it is not known. */
uint64_t caller_author(pid_t thread);
/* True if that program started the one that the thread belongs to. */
bool caller_is_child(pid_t thread, uint64_t author);

/* Notes that the caller opens the record for reading. */
void caller_reads(struct op *op, uint64_t key);
/* True if the caller is a program that removes a file only to make it anew at once. */
bool caller_replaces(const struct op *op, uint64_t key);
/* True if the caller means what it does: rm never hides a record. */
bool caller_removes(const struct op *op);

/* ---- fs_reject.c: texts that could not be saved ---- */

/* name: the record's Id, or that of a file which did not become a record. */
void reject_keep(struct fs *fs, uint32_t object, const char *name, const struct buf *text,
	const struct error *why);
/* What was being written when the mount ends. */
void reject_unsaved(struct fs *fs);
int reject_remove(struct fs *fs, const char *name);
/* The same for a content on disk; what is too big for the folder is not kept, and that is told. */
void reject_keep_file(struct fs *fs, uint32_t object, const char *name, int fd, uint64_t size,
	const struct error *why);

#endif
