/* SPDX-License-Identifier: MIT */
/*
 * The life of a mount, from the checks to the end.
 *
 * What may need a terminal (commands that print secrets) comes before the fork, what has threads
 * (curl, the mirror, FUSE) after it. PR_SET_NO_NEW_PRIVS is left alone on purpose: an ordinary
 * user's mount and unmount go through fusermount3, which is setuid.
 */
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "compose.h"
#include "daemon.h"
#include "forcefs/base/hold.h"
#include "forcefs/base/log.h"
#include "forcefs/base/paths.h"
#include "forcefs/fs/fs.h"
#include "mountpoint.h"
#include "notify.h"
#include "reload.h"
#include "report.h"
#include "settings_command.h"

/* What the serving process works with. */
struct serving {
	struct service *s;
	struct daemon daemon; /* fd -1 in the foreground */
	const char *dir;      /* absolute */
	char *rejected_dir;   /* where texts lie that could not be saved */
	struct composition c;
	pid_t helper;
	int terminal;  /* in the foreground, -1: none */
	bool answered; /* set once, by on_ready */
};

void service_protect(void)
{
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	setrlimit(RLIMIT_CORE, &(struct rlimit){0});
}

/* From fs, when the kernel has its answer. */
static void on_ready(void *payload)
{
	struct serving *v = payload;
	v->answered = true;
	log_info("mount", "%s is mounted on %s", v->s->settings->org, v->dir);
	if (!v->s->foreground) {
		daemon_ready(&v->daemon, v->c.note);
		return;
	}
	notify_tell("READY=1\nSTATUS=%s on %s", v->s->settings->org, v->dir);
	if (v->s->mounted) {
		v->s->mounted(v->s->payload, v->dir, false);
	}
}

/* From fs, for a SIGHUP. */
static bool on_hangup(void *payload, struct fs *fs)
{
	struct serving *v = payload;
	if (reload_terminal_gone(v->terminal)) {
		return false;
	}
	reload_now(v->s->settings, v->s->options, fs);
	return true;
}

static int serve_mount(struct serving *v, struct error *err)
{
	const struct options *o = v->s->options;
	const struct settings *s = v->s->settings;
	char identity[256];
	struct fs *fs = NULL;
	compose_who(&v->c.identity, identity, sizeof(identity));
	const struct fs_config config = {
		.source = s->org,
		.mountpoint = v->dir,
		.identity = identity[0] ? identity : NULL,
		.instance_url = v->c.identity.instance_url[0] ? v->c.identity.instance_url : NULL,
		.api_version = v->c.identity.api_version[0] ? v->c.identity.api_version : NULL,
		.cache_path = store_path(v->c.store),
		.rejected_dir = v->rejected_dir,
		.read_only = o->read_only || s->allow == 0,
		.allow_other = o->allow_other,
		.uid = o->uid,
		.gid = o->gid,
		.umask = o->umask,
		.timeout_ms = (int)s->timeout_s * 1000,
		.ttl_s = (int)s->ttl_s,
		.ready = on_ready,
		.payload = v,
		.hangup = on_hangup,
		.helper = v->helper,
	};
	int r = fs_mount(&config, v->c.mirror, &fs, err);
	if (r == 0) {
		r = fs_run(fs, err);
		notify_tell("STOPPING=1");
	}
	fs_unmount(fs);
	return r;
}

/* "<state>/rejected/<org>" */
static int find_rejected_dir(struct serving *v, const char *state, struct error *err)
{
	AUTO_FREE char *all = paths_join(state, "rejected");
	v->rejected_dir = all ? paths_join(all, v->s->settings->org) : NULL;
	return v->rejected_dir ? 0 : error_set(err, ENOMEM, "out of memory");
}

DEFINE_CLEANER(cancel, struct cancel, cancel_release)

/* A signal that comes before fs takes them ends what was begun, in order. */
static int open_and_serve(struct serving *v, struct error *err)
{
	AUTO_FREE char *state_dir = NULL;
	AUTO(cancel) struct cancel cancel;
	AUTO(hold) struct hold hold;
	cancel_init(&cancel);
	hold_begin(&hold, &cancel);
	int r = v->s->state_dir ? 0 : paths_dir(PATHS_STATE, &state_dir, err);
	if (r == 0 && v->s->prepare) {
		r = v->s->prepare(v->s->payload, v->s->settings, &v->helper, err);
	}
	const char *state = state_dir ? state_dir : v->s->state_dir;
	if (r == 0) {
		r = compose_open(v->s->settings, state, &cancel, &v->c, err);
	}
	if (r == 0) {
		r = find_rejected_dir(v, state, err);
	}
	if (r == 0 && cancel_fired(&cancel)) {
		r = error_set(err, EINTR, "interrupted");
	}
	if (r == 0) {
		hold_pause(&hold);
		r = serve_mount(v, err);
		hold_resume(&hold);
	}
	compose_close(&v->c);
	free(take_ptr(&v->rejected_dir));
	if (v->s->release) {
		v->s->release(v->s->payload);
	}
	return r;
}

/* A failure is told where the person is: over the pipe, on stderr, or by then only in the log. */
static int serve(struct serving *v)
{
	struct error err = {0};
	signal(SIGPIPE, SIG_IGN);
	int r = open_and_serve(v, &err);
	if (r == 0) {
		log_info("mount", "%s was unmounted", v->dir);
		return EXIT_FINE;
	}
	if (v->s->foreground && v->s->settings->log_format == LOG_FORMAT_TEXT) {
		return report_error(v->s->doing, &err);
	}
	if (v->answered || v->s->foreground) {
		log_error("mount", "%s: %s", v->dir, err.text);
	} else {
		daemon_failed(&v->daemon, &err);
	}
	return EXIT_FAILED;
}

static int wait_for_mount(struct serving *v)
{
	struct error err = {0};
	char note[sizeof(err.text)] = "";
	int r = daemon_wait(&v->daemon, note, sizeof(note), &err);
	if (r == 0) {
		r = mountpoint_verify(v->dir, &err);
	}
	if (r < 0) {
		return report_error(v->s->doing, &err);
	}
	if (note[0]) {
		report(v->s->doing, "%s", note);
	}
	if (v->s->mounted) {
		v->s->mounted(v->s->payload, v->dir, true);
	}
	return EXIT_FINE;
}

static int start(struct serving *v)
{
	struct error err = {0};
	reload_log(v->s->settings);
	if (v->s->only_check) {
		return EXIT_FINE;
	}
	if (v->s->foreground) {
		v->terminal = reload_terminal();
		int status = serve(v);
		if (v->terminal >= 0) {
			close(v->terminal);
		}
		return status;
	}
	int r = daemon_fork(&v->daemon, &err);
	if (r < 0) {
		return report_error(v->s->doing, &err);
	}
	if (r > 0) {
		return wait_for_mount(v);
	}
	log_to(LOG_SINK_SYSLOG);
	return serve(v);
}

int service_run(struct service *s)
{
	struct error err = {0};
	AUTO_FREE char *dir = NULL;
	notify_init();
	if (mountpoint_check(s->dir, &dir, &err) < 0 ||
		settings_run_commands(s->settings, &err) < 0 ||
		reload_prepare(s->settings, &err) < 0) {
		return report_error(s->doing, &err);
	}
	struct serving v = {.s = s, .daemon = {.fd = -1}, .dir = dir, .terminal = -1};
	return start(&v);
}
