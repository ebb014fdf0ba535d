/* SPDX-License-Identifier: MIT */
/* The mount from its making to its end, and what is agreed with the kernel in INIT. */
#include "forcefs/fs/fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "fs_write.h"

#define BACKGROUND_MAX  64
#define HELPER_PATIENCE 50 /* times 20 ms */

/* ---- INIT ---- */

static void do_init(void *userdata, struct fuse_conn_info *conn)
{
	struct fs *fs = userdata;
	unsigned no_open = FUSE_CAP_NO_OPEN_SUPPORT | FUSE_CAP_NO_OPENDIR_SUPPORT;
	fs->no_open = fs->config.read_only && (conn->capable & no_open) == no_open;
	fs->patch_init = conn->capable & FUSE_CAP_PARALLEL_DIROPS;
	conn->want |= conn->capable & (FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS);
	/* With "auto" the kernel drops the plus where a program trusts d_type (grep -r), and then
	 * looks every file up by itself. */
	conn->want &= ~(unsigned)FUSE_CAP_READDIRPLUS_AUTO;
	conn->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
				  FUSE_CAP_SPLICE_MOVE | FUSE_CAP_WRITEBACK_CACHE);
	if (fs->no_open) {
		/* A truncation must never ride on an OPEN that is not sent. */
		conn->want &= ~(unsigned)FUSE_CAP_ATOMIC_O_TRUNC;
	}
	conn->max_background = BACKGROUND_MAX;
}

/* flock and fcntl locks, lseek and the like are left out: the kernel does them by itself. */
static struct fuse_lowlevel_ops make_ops(void)
{
	struct fuse_lowlevel_ops ops = {
		.init = do_init,
		.lookup = fs_lookup,
		.forget = fs_forget,
		.forget_multi = fs_forget_multi,
		.getattr = fs_getattr,
		.access = fs_access,
		.statfs = fs_statfs,
		.opendir = fs_opendir,
		.readdir = fs_readdir,
		.readdirplus = fs_readdirplus,
		.open = fs_open,
		.read = fs_read,
		.getxattr = fs_getxattr,
		.listxattr = fs_listxattr,
		.setxattr = fs_setxattr,
		.removexattr = fs_removexattr,
	};
	write_fill_ops(&ops);
	return ops;
}

/* ---- the configuration ---- */

static bool copy_string(const char **s)
{
	if (*s) {
		*s = strdup(*s);
		return *s;
	}
	return true;
}

static int copy_config(struct fs *fs, const struct fs_config *config, struct error *err)
{
	struct fs_config *c = &fs->config;
	*c = *config;
	const char **strings[] = {&c->source, &c->mountpoint, &c->identity, &c->instance_url,
		&c->api_version, &c->cache_path, &c->rejected_dir};
	bool good = true;
	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		good = copy_string(strings[i]) && good;
	}
	c->uid = c->uid == (uid_t)-1 ? getuid() : c->uid;
	c->gid = c->gid == (gid_t)-1 ? getgid() : c->gid;
	return good ? 0 : error_set(err, ENOMEM, "out of memory");
}

static void release_config(struct fs_config *c)
{
	free((char *)c->source);
	free((char *)c->mountpoint);
	free((char *)c->identity);
	free((char *)c->instance_url);
	free((char *)c->api_version);
	free((char *)c->cache_path);
	free((char *)c->rejected_dir);
}

/* ---- making ---- */

/* "subtype=forcefs,fsname=…,…" */
static char *mount_options(const struct fs_config *c)
{
	char *options = NULL;
	size_t size = strlen(c->source) + sizeof("fsname=");
	char *fsname = malloc(size);
	if (!fsname) {
		return NULL;
	}
	snprintf(fsname, size, "fsname=%s", c->source);
	int r = fuse_opt_add_opt(&options, "subtype=forcefs");
	r = r < 0 ? r : fuse_opt_add_opt_escaped(&options, fsname);
	r = r < 0 || !c->read_only ? r : fuse_opt_add_opt(&options, "ro");
	r = r < 0 || !c->allow_other ? r : fuse_opt_add_opt(&options, "allow_other");
	r = r < 0 || !c->allow_other ? r : fuse_opt_add_opt(&options, "default_permissions");
	free(fsname);
	if (r < 0) {
		free(options);
		return NULL;
	}
	return options;
}

static int make_session(struct fs *fs, struct error *err)
{
	static const char name[] = "forcefs";
	struct fuse_lowlevel_ops ops = make_ops();
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	char *options = mount_options(&fs->config);
	if (options && fuse_opt_add_arg(&args, name) == 0 && fuse_opt_add_arg(&args, "-o") == 0 &&
		fuse_opt_add_arg(&args, options) == 0) {
		fs->session = fuse_session_new(&args, &ops, sizeof(ops), fs);
	}
	fuse_opt_free_args(&args);
	free(options);
	return fs->session ? 0 : error_set(err, ENOMEM, "libfuse could not start a session");
}

static int mount_it(struct fs *fs, struct error *err)
{
	int r = mountpoint_prepare(&fs->config, err);
	if (r == 0) {
		r = mountpoint_mount(fs->session, &fs->config, err);
	}
	if (r == 0) {
		r = parallel_install(fs, err);
		fs->device = mountpoint_device(fs->config.mountpoint);
		fs->guard = guard_start(fs->config.mountpoint, fs->device);
	}
	return r;
}

static int new_file(void *payload, int *ret_fd, struct error *err)
{
	return mirror_new_file(payload, ret_fd, err);
}

static struct fs *fs_new(struct mirror *mirror)
{
	struct fs *fs = calloc(1, sizeof(*fs));
	if (fs) {
		fs->mirror = mirror;
		fs->started_ms = clock_wall_ms();
		atomic_init(&fs->root_mtime_ms, fs->started_ms);
		docs_init(&fs->docs);
		bodies_init(&fs->bodies);
		drafts_init(&fs->drafts);
		fs->drafts.new_file = new_file;
		fs->drafts.payload = mirror;
		loop_block_signals(&fs->signals_before);
	}
	return fs;
}

int fs_mount(
	const struct fs_config *config, struct mirror *mirror, struct fs **ret, struct error *err)
{
	struct fs *fs = fs_new(mirror);
	if (!fs) {
		return error_set(err, ENOMEM, "out of memory");
	}
	atomic_init(&fs->ttl_s, config->ttl_s);
	int r = copy_config(fs, config, err);
	r = r < 0 ? r : parking_init(&fs->parking, err);
	r = r < 0 ? r : faults_init(&fs->faults, err);
	r = r < 0 ? r : make_session(fs, err);
	r = r < 0 ? r : mount_it(fs, err);
	if (r < 0) {
		fs->config.helper = 0; /* still the caller's */
		fs_unmount(fs);
		return r;
	}
	*ret = fs;
	return 0;
}

void fs_set_ttl(struct fs *fs, int ttl_s)
{
	atomic_store(&fs->ttl_s, ttl_s);
	mirror_set_ttl(fs->mirror, ttl_s);
}

int fs_run(struct fs *fs, struct error *err)
{
	return loop_run(fs, err);
}

/* ---- the end ---- */

static void end_helper(pid_t helper)
{
	if (helper <= 0 || kill(helper, SIGTERM) < 0) {
		return;
	}
	for (int i = 0; i < HELPER_PATIENCE; i++) {
		pid_t r = waitpid(helper, NULL, WNOHANG);
		if (r != 0) {
			return; /* ended, or not our child */
		}
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	kill(helper, SIGKILL);
	waitpid(helper, NULL, 0);
}

void fs_unmount(struct fs *fs)
{
	if (!fs) {
		return;
	}
	parking_release(&fs->parking);
	reject_unsaved(fs);
	if (fs->session) {
		fuse_session_unmount(fs->session);
		fuse_session_destroy(fs->session);
	}
	guard_end(fs->guard);
	end_helper(fs->config.helper);
	docs_release(&fs->docs);
	bodies_release(&fs->bodies);
	drafts_release(&fs->drafts);
	faults_release(&fs->faults);
	release_config(&fs->config);
	loop_unblock_signals(&fs->signals_before);
	free(fs);
}
