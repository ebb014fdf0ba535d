/* SPDX-License-Identifier: MIT */
/*
 * What the files of the fs floor share: the mount, and one request on its way.
 *
 * A request (struct op) is decoded by a handler and run by ONE function of its kind, at most twice:
 * first in libfuse's worker with until NULL (answer from memory or the store), and if that gives
 * -EWOULDBLOCK once more in a thread of the pool with a deadline and a cancel token (fs_park.c). A
 * run function replies as its last act and returns 0, or replies nothing and returns a negative
 * errno; so every request gets exactly one reply.
 */
#ifndef FS_PRIV_H
#define FS_PRIV_H

#define FUSE_USE_VERSION 314

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include <fuse_lowlevel.h>

#include "forcefs/base/pool.h"
#include "forcefs/fs/fs.h"
#include "fs_draft.h"
#include "fs_fault.h"
#include "fs_inode.h"

/* The longest time-outs given to the kernel, seconds: it is told what changes. On a read-only mount
 * nothing reaches the daemon for a file that is opened below a current directory, so that one looks
 * again now and then. */
#define FRESH_LONG_S    86400.0
#define FRESH_LONG_RO_S 600.0
/* Patience of df, and of a look at a directory's attributes. */
#define STATFS_PATIENCE_MS 2000
#define CHECK_PATIENCE_MS  2000
#define READERS            64

struct op;
struct parked;
struct doc;
struct body;

/* Requests that wait for the org. */
struct parking {
	struct pool *pool; /* set once */
	/* Tells the kernel of entries. Who does that waits for the lock of a directory, whose
	 * holder may wait for a thread of `pool`: hence threads of their own. */
	struct pool *tellers;
	atomic_int tells; /* what they have to do yet */
	pthread_mutex_t lock;
	/* protected by lock */
	struct parked *first;
	unsigned count;
	bool stopping;
};

/* Rendered files under .forcefs. */
struct docs {
	pthread_mutex_t lock;
	struct doc *first; /* protected by lock; the last used first */
};

/* Bodies of files too big for one READ. */
struct bodies {
	pthread_mutex_t lock;
	struct body *first; /* protected by lock; the last used first */
};

struct notifier {
	pthread_t thread;
	bool started;                /* the thread that runs and stops the mount only */
	atomic_uint_fast64_t passed; /* news passed on to the kernel */
	atomic_bool busy;            /* is passing one on */
};

/* Updates, creates and deletes of records, counted by fs_save.c. */
struct saves {
	atomic_uint_fast64_t done, failed;
	atomic_int running;
};

struct fs {
	/* set once before requests come */
	struct fs_config config; /* strings are ours */
	struct mirror *mirror;   /* borrowed */
	struct fuse_session *session;
	int64_t started_ms; /* wall clock */
	dev_t device;       /* of the mount, 0 if not known */
	pid_t guard;        /* 0: none */
	sigset_t signals_before;
	/* set in INIT */
	bool no_open;    /* the kernel does without OPEN and OPENDIR */
	bool patch_init; /* see fs_parallel.c */
	atomic_bool init_sent;

	atomic_int_fast64_t root_mtime_ms; /* when the list of objects last changed */
	atomic_bool root_listed;           /* the kernel may know the list of objects */
	struct parking parking;
	struct faults faults;
	struct docs docs;
	struct bodies bodies;
	struct notifier notifier;
	struct drafts drafts;
	atomic_uint_fast64_t readers[READERS]; /* who opened which record last: fs_caller.c */
	atomic_int ttl_s;                      /* config.ttl_s until a new one was set */
	struct saves saves;
};

struct op_kind {
	const char *name;
	int (*run)(struct op *op, const struct until *until, struct error *err);
	int patience_ms; /* at most; 0: the mount's timeout */
	bool by_name;    /* op.name is an entry of the directory op.ino */
	bool writes;     /* it may change something in the org */
};

struct op {
	struct fs *fs;
	fuse_req_t req;
	const struct op_kind *kind;
	bool parked;
	/* decoded arguments, as far as the kind has them */
	fuse_ino_t ino;   /* the parent for ops by name */
	const char *name; /* of an entry or an xattr, or NULL; borrowed for the run */
	size_t size;
	off_t off;
	int flags; /* open flags, access mask, what to set; for listings: with attributes? */
	/* of ops that write */
	fuse_ino_t new_parent;
	const char *new_name; /* borrowed for the run, as name */
	uint64_t fh;
	mode_t mode;
	struct timespec mtime;
	pid_t pid; /* who asks */
};

/* ---- fs_park.c ---- */

int parking_init(struct parking *p, struct error *err);
void parking_release(struct parking *p); /* stops, waits for the running ones */
void parking_stop(struct parking *p);    /* every parked request is answered EINTR, new ones too */
unsigned parking_count(struct parking *p);
/* At the end, after parking_stop and while requests are still answered: waits until the kernel was
 * told of every entry. If that does not end by itself the connection is cut. */
void tells_stop(struct fs *fs);

/* Runs the op; the request is answered sooner or later. */
void op_begin(struct op *op);

/* To be called before each good reply (fs_reply.h does): from its return on no interrupt can come
 * any more, and what failed on the op's path before counts as healed. */
void op_succeed(struct op *op);
/* The same without a word on how it went. */
void op_settle(struct op *op);

/* ---- fs_reply.h has the replies ---- */

/* ---- fs_attr.c ---- */

void attr_root(struct fs *fs, struct stat *ret);
void attr_object(struct fs *fs, const struct mirror_object *object, struct stat *ret);
void attr_record(struct fs *fs, const struct mirror_object *object,
	const struct mirror_record *record, struct stat *ret);
void attr_fill(const struct fs *fs, uint64_t inode, mode_t mode, off_t size, struct stat *ret);
void attr_set_time(struct stat *st, int64_t ms, uint64_t hash);
void attr_control_dir(struct fs *fs, enum control control, struct stat *ret);
void attr_doc(struct fs *fs, uint64_t inode, const struct doc *doc, struct stat *ret);

/* How long the kernel may believe something, in seconds. */
double fresh_object(struct fs *fs, uint32_t object);
double fresh_record(struct fs *fs, const struct mirror_record *record);
/* The same where object_followed is known already. */
double fresh_row(const struct fs *fs, bool followed, const struct mirror_record *record);
double fresh_long(const struct fs *fs); /* what only a notification changes */

/* The object's listing is complete: checks find every change, and the notifier tells it. */
bool object_followed(struct fs *fs, uint32_t object);

/* If the object's listing is due for a check: asks the org, and in a parked request waits until the
 * kernel has been told (not longer than drain_ms; 0: does not wait). */
int object_refresh(
	struct op *op, uint32_t object, const struct until *until, int drain_ms, struct error *err);
#define DRAIN_MS 2000

/* Entries with their time-outs, for LOOKUP and READDIRPLUS. */
void entry_object(struct fs *fs, const struct mirror_object *object, struct fuse_entry_param *ret);
void entry_control_dir(struct fs *fs, enum control control, struct fuse_entry_param *ret);

int run_getattr(struct op *op, const struct until *until, struct error *err);
void fs_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_access(fuse_req_t req, fuse_ino_t ino, int mask);
void fs_statfs(fuse_req_t req, fuse_ino_t ino);

/* ---- fs_lookup.c ---- */

void fs_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void fs_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count);
void fs_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets);

/* ---- fs_path.c: the path below the mountpoint that a person would write ---- */

void path_of_op(const struct op *op, char *buf, size_t size);
void path_of_inode(struct fs *fs, uint64_t inode, char *buf, size_t size);

/* ---- fs_dir.c ---- */

void fs_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);
void fs_readdirplus(
	fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);

/* ---- fs_file.c ---- */

void fs_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi);
void fs_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off, struct fuse_file_info *fi);

/* ---- fs_body.c ---- */

void bodies_init(struct bodies *b);
void bodies_release(struct bodies *b);
/* The kept body of this version of the record, with a reference; NULL if there is none. */
struct body *body_find(struct bodies *b, uint64_t key, uint64_t hash);
/* Keeps a body for the next pieces; takes its memory out of buf (or not, if memory is out). */
void body_keep(struct bodies *b, uint64_t key, uint64_t hash, struct buf *buf);
void body_drop(struct bodies *b, uint64_t key);
void body_unref(struct bodies *b, struct body *body); /* NULL is fine */
const char *body_bytes(const struct body *body, size_t *ret_len);

/* ---- fs_blob.c: bodies of records, the files beside their JSON ---- */

void attr_body(struct fs *fs, const struct mirror_object *object,
	const struct mirror_record *record, struct stat *ret);
/* For LOOKUP and READDIRPLUS; followed: see fresh_row. */
void entry_body(struct fs *fs, const struct mirror_object *object,
	const struct mirror_record *record, bool followed, struct fuse_entry_param *ret);
/* LOOKUP of op->name, if it has the form of a body's name: 1 if that answered it, 0 if it is no
 * such name (or the object's records have no bodies). */
int lookup_body(struct op *op, const struct mirror_object *object, const struct until *until,
	struct error *err);
int getattr_body(struct op *op, const struct until *until, struct error *err);
/* What has to be done before an OPEN for reading is answered. */
int open_body(struct op *op, const struct until *until, struct error *err);
int read_blob(struct op *op, const struct until *until, struct error *err);

/* ---- fs_control.c ---- */

/* The node of this name in a control directory; CONTROL_NONE if there is none. */
enum control control_find(enum control dir, const char *name);
const char *control_name(enum control control);
bool control_is_dir(enum control control);
/* The i-th (from 0) fixed entry of a control directory; CONTROL_NONE after the last. */
enum control control_entry(enum control dir, unsigned i);
/* "Account" from "Account.json"; false if the name is not of that form. ret: 81 bytes. */
bool control_describe_name(const char *name, char *ret);
/* A rendered text stands for this long, and longer while the version is the same and not 0. */
int64_t control_age_ms(uint64_t inode);
uint64_t control_version(struct fs *fs, uint64_t inode);
/* Appends the file's text. */
int control_render(struct fs *fs, uint64_t inode, const struct until *until, struct buf *out,
	struct error *err);

/* ---- fs_status.c, fs_metrics.c ---- */

int status_render(struct fs *fs, struct buf *out);
int metrics_render(struct fs *fs, struct buf *out);

/* ---- fs_doc.c ---- */

/* A version of a file under .forcefs; immutable. */
struct doc {
	uint64_t inode;
	char *data;
	size_t len;
	uint64_t hash;
	uint64_t version; /* control_version() when it was rendered; protected by docs->lock */
	int64_t mtime_ms;
	int64_t mono_ms;  /* when it was rendered last; protected by docs->lock */
	int refs;         /* protected by docs->lock */
	struct doc *next; /* protected by docs->lock */
};

void docs_init(struct docs *d);
void docs_release(struct docs *d);
/* The document with a reference, rendered anew where it may say something else by now; `kept`: as
 * it was given last, if it was. */
int doc_get(struct fs *fs, uint64_t inode, bool kept, const struct until *until, struct doc **ret,
	struct error *err);
void doc_unref(struct docs *d, struct doc *doc); /* NULL is fine */

/* ---- fs_xattr.c ---- */

void fs_getxattr(fuse_req_t req, fuse_ino_t ino, const char *name, size_t size);
void fs_listxattr(fuse_req_t req, fuse_ino_t ino, size_t size);
void fs_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value, size_t size,
	int flags);
void fs_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name);

/* ---- fs_write.c: what changes something ---- */

bool opens_for_writing(int flags);
int open_for_writing(struct op *op, const struct until *until, struct error *err);
void write_fill_ops(struct fuse_lowlevel_ops *ops);

/* ---- fs_save.c: the mirror's functions of the same names, counted ---- */

int save_update(struct fs *fs, uint64_t key, uint64_t author, const struct buf *base,
	const struct buf *edited, const struct until *until, struct mirror_record *ret,
	struct error *err);
int save_body(struct fs *fs, uint64_t key, const struct buf *base, int fd, uint64_t size,
	const struct until *until, struct mirror_record *ret, struct error *err);
int save_create(struct fs *fs, uint32_t object, const struct buf *text, const struct until *until,
	struct mirror_record *ret, struct error *err);
int save_delete(struct fs *fs, uint64_t key, const struct until *until, struct error *err);

/* ---- fs_edit.c ---- */

/* Attributes of a draft; under drafts.lock. */
void attr_draft(struct fs *fs, const struct draft *draft, struct stat *ret);
/* True if the record is being written: then ret is what its file looks like just now. */
bool edit_attr(struct fs *fs, uint64_t inode, struct stat *ret);

/* ---- fs_reject.c: texts that could not be saved, under .forcefs/rejected ---- */

uint64_t reject_inode(const char *name);
/* The name after `skip` others: 1, or 0 at the end. */
int reject_next(struct fs *fs, unsigned skip, char *name, size_t size);
int reject_attr(struct fs *fs, const char *name, struct stat *ret);
int reject_find(struct fs *fs, uint64_t inode, char *name, size_t size);
/* The whole text, new. */
int reject_read(struct fs *fs, uint64_t inode, char **ret, size_t *ret_len, struct error *err);

/* ---- fs_notify.c ---- */

int notifier_start(struct fs *fs, struct error *err);
/* Ends the news and the thread. Requests have to be served, or refused by the kernel, meanwhile. */
void notifier_stop(struct fs *fs);

/* ---- fs_parallel.c ---- */

/* Takes over libfuse's writes, to see the answer to INIT (and to mend it). */
int parallel_install(struct fs *fs, struct error *err);

/* ---- fs_mountpoint.c ---- */

/* Makes the mountpoint fit for a mount: takes a dead mount of ours away, says what else is wrong.
 */
int mountpoint_prepare(const struct fs_config *config, struct error *err);
/* fuse_session_mount with what libfuse and fusermount3 say about a failure in err. */
int mountpoint_mount(
	struct fuse_session *session, const struct fs_config *config, struct error *err);
/* The device number of the mount, without asking the mount. 0 if not known. */
dev_t mountpoint_device(const char *mountpoint);
/* Ends the kernel's side of the connection, so that nothing can wait for us any more. */
void mountpoint_abort(dev_t device);

/* ---- fs_guard.c ---- */

/* Starts a process that closes the connection to the kernel when this one is killed; 0 where there
 * is no way to do that. Only from the thread that lives until the end. */
pid_t guard_start(const char *mountpoint, dev_t device);
/* Ends it, after the mount; 0 is fine. */
void guard_end(pid_t pid);

/* ---- fs_loop.c ---- */

/* SIGINT, SIGTERM and SIGHUP wait from here on for loop_run. */
void loop_block_signals(sigset_t *ret_before);
void loop_unblock_signals(const sigset_t *before);
/* Serves until unmounted or told to end by a signal. */
int loop_run(struct fs *fs, struct error *err);

#endif
