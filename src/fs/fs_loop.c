/* SPDX-License-Identifier: MIT */
/*
 * Serving, and the orderly end. SIGINT, SIGTERM and SIGHUP are blocked in every thread and taken by
 * one that waits for them; so nothing has to be done inside a signal handler, and none is lost.
 * SIGHUP is the owner's to judge (fs_config.hangup): it may ask for the settings to be read again.
 *
 * The end has an order: first all that wait for the org are answered EINTR (their mutexes in the
 * kernel come free), then the notifier ends (it may need such a mutex, and libfuse's workers still
 * serve), then libfuse's loop. libfuse sleeps in sem_wait, which only a signal wakes; it looks at
 * its flag just before, so one signal could fall into the gap and is therefore repeated.
 */
#include <errno.h>
#include <time.h>

#include "forcefs/base/thread.h"
#include "fs_priv.h"

#define WORKERS_MAX 10
#define WAKE_SIGNAL SIGURG /* ignored by default, so a late one does no harm */
#define WAKE_MS     10

struct ender {
	struct fs *fs;
	pthread_t loop;    /* the thread in libfuse's loop */
	atomic_bool ended; /* the loop has ended */
};

static void end_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
}

void loop_block_signals(sigset_t *ret_before)
{
	sigset_t set;
	end_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, ret_before);
	signal(SIGPIPE, SIG_IGN);
}

void loop_unblock_signals(const sigset_t *before)
{
	pthread_sigmask(SIG_SETMASK, before, NULL);
}

static void orderly_end(struct fs *fs)
{
	parking_stop(&fs->parking);
	tells_stop(fs);
	notifier_stop(fs);
	fuse_session_exit(fs->session);
}

/* True if the signal was none to end for. */
static bool goes_on(struct ender *e, int signal_number)
{
	const struct fs_config *config = &e->fs->config;
	return signal_number == SIGHUP && !atomic_load(&e->ended) && config->hangup &&
	       config->hangup(config->payload, e->fs);
}

static void *ender_run(void *arg)
{
	struct ender *e = arg;
	sigset_t set;
	int signal_number;
	end_signals(&set);
	do {
		while (sigwait(&set, &signal_number) != 0) {
		}
	} while (goes_on(e, signal_number));
	if (!atomic_load(&e->ended)) {
		orderly_end(e->fs);
	}
	while (!atomic_load(&e->ended)) {
		pthread_kill(e->loop, WAKE_SIGNAL);
		nanosleep(&(struct timespec){.tv_nsec = WAKE_MS * 1000000L}, NULL);
	}
	return NULL;
}

static void do_nothing(int signal_number)
{
	(void)signal_number;
}

/* libfuse's own loop. 0 or -errno. */
static int serve(struct fs *fs)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	if (!config) {
		return -ENOMEM;
	}
	fuse_loop_cfg_set_max_threads(config, WORKERS_MAX);
	fuse_loop_cfg_set_idle_threads(config, WORKERS_MAX);
	fuse_loop_cfg_set_clone_fd(config, 0);
	int r = fuse_session_loop_mt(fs->session, config);
	fuse_loop_cfg_destroy(config);
	return r > 0 ? -EIO : r;
}

/* The ender takes signals while libfuse serves. */
static int serve_until_told(struct fs *fs, struct error *err)
{
	struct ender ender = {.fs = fs, .loop = pthread_self()};
	struct sigaction wake = {.sa_handler = do_nothing}, before;
	pthread_t thread;
	int r = thread_start(&thread, "forcefs-ender", ender_run, &ender, err);
	if (r < 0) {
		return r;
	}
	sigaction(WAKE_SIGNAL, &wake, &before);
	r = serve(fs);
	atomic_store(&ender.ended, true);
	pthread_kill(thread, SIGTERM); /* ends its wait if no signal has */
	pthread_join(thread, NULL);
	sigaction(WAKE_SIGNAL, &before, NULL);
	return r < 0 ? error_errno(err, -r, "serving the mount") : 0;
}

int loop_run(struct fs *fs, struct error *err)
{
	int r = notifier_start(fs, err);
	if (r == 0) {
		r = serve_until_told(fs, err);
		orderly_end(fs);
	}
	return r;
}
