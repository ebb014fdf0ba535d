/* SPDX-License-Identifier: MIT */
/* The signals are blocked in every thread; one sees them waiting, and can take them. */
#include "forcefs/base/hold.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "forcefs/base/thread.h"

#define PATIENCE_MS 4000 /* a parent waits a little longer before it kills */

static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

static void *watch(void *arg)
{
	struct hold *h = arg;
	struct pollfd ends[2] = {
		{.fd = h->done, .events = POLLIN}, {.fd = h->signals, .events = POLLIN}};
	poll(ends, 2, -1);
	if (ends[0].revents) {
		return NULL;
	}
	if (h->cancel) {
		cancel_fire(h->cancel);
	}
	if (poll(ends, 1, PATIENCE_MS) == 0) {
		pthread_sigmask(SIG_UNBLOCK, &h->held, NULL);
	}
	while (poll(ends, 1, -1) < 0) {
	}
	return NULL;
}

static void close_ends(struct hold *h)
{
	scope_close(&h->done);
	scope_close(&h->signals);
	h->done = h->signals = -1;
}

void hold_resume(struct hold *h)
{
	if (sigisemptyset(&h->held)) {
		return;
	}
	h->done = eventfd(0, EFD_CLOEXEC);
	h->signals = signalfd(-1, &h->held, SFD_CLOEXEC);
	if (h->done < 0 || h->signals < 0 ||
		thread_start(&h->thread, "forcefs-hold", watch, h, NULL) < 0) {
		close_ends(h);
	}
}

void hold_begin(struct hold *h, struct cancel *cancel)
{
	*h = (struct hold){.cancel = cancel, .done = -1, .signals = -1};
	sigemptyset(&h->held);
	pthread_sigmask(SIG_BLOCK, NULL, &h->before);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (!sigismember(&h->before, numbers[i])) {
			sigaddset(&h->held, numbers[i]);
		}
	}
	pthread_sigmask(SIG_BLOCK, &h->held, NULL);
	hold_resume(h);
}

void hold_pause(struct hold *h)
{
	if (h->done >= 0) {
		eventfd_write(h->done, 1);
		pthread_join(h->thread, NULL);
	}
	close_ends(h);
}

void hold_end(struct hold *h)
{
	hold_pause(h);
	pthread_sigmask(SIG_SETMASK, &h->before, NULL);
}
