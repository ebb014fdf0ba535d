/* SPDX-License-Identifier: MIT */
/*
 * The mount: libfuse's low-level API over the mirror. Each op decodes, calls, replies once; ops
 * that have to wait for the org are parked in a pool, so that a libfuse worker never blocks.
 * Knows neither HTTP, SQL nor Salesforce's codes.
 */
#ifndef FORCEFS_FS_FS_H
#define FORCEFS_FS_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "forcefs/base/error.h"
#include "forcefs/mirror/mirror.h"

struct fs;

struct fs_config {
	const char *source;     /* the org's name, shown by mount(8) as the source */
	const char *mountpoint; /* absolute, exists */
	const char *identity; /* user and org for status.json, e.g. "user 005… org 00D…", or NULL */
	const char *instance_url; /* or NULL */
	const char *api_version;  /* or NULL */
	const char *cache_path;   /* for status.json */
	const char *rejected_dir; /* folder for texts that could not be saved; NULL: not kept */
	bool read_only;
	bool allow_other; /* with default_permissions */
	uid_t uid;        /* owner shown; (uid_t)-1: who mounts */
	gid_t gid;
	mode_t umask;   /* taken off the mode bits shown */
	int timeout_ms; /* deadline of a parked request */
	int ttl_s;
	void (*ready)(
		void *payload); /* called once, when the kernel's INIT was answered; may be NULL */
	void *payload;
	/* A SIGHUP came; called in a thread of the mount's own. True: go on, false: end as for
	 * SIGTERM. NULL: end. */
	bool (*hangup)(void *payload, struct fs *fs);
	pid_t helper; /* a child to be ended with the mount (demo's practice org); 0: none */
};

/* Mounts. After it the mount is visible, but answers only in fs_run. -errno with a sentence. A
 * dead mount of ours left on the mountpoint by a crash is taken away first. */
int fs_mount(
	const struct fs_config *config, struct mirror *mirror, struct fs **ret, struct error *err);

/* Serves until unmounted or until SIGINT, SIGTERM, or a SIGHUP that `hangup` does not take. 0, or
 * -errno. */
int fs_run(struct fs *fs, struct error *err);

/* Another ttl from now on, for the mirror too. Any thread, while the mount is served. */
void fs_set_ttl(struct fs *fs, int ttl_s);

/* Unmounts if still mounted, answers what is parked (EINTR), frees. NULL is fine. */
void fs_unmount(struct fs *fs);

#endif
