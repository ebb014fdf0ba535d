/* SPDX-License-Identifier: MIT */
/* What mount and demo share: check the directory, go to the background, build the floors, serve,
 * take them down. */
#ifndef FORCEFS_APP_SERVICE_H
#define FORCEFS_APP_SERVICE_H

#include <stdbool.h>
#include <sys/types.h>

#include "options.h"
#include "settings.h"

struct service {
	const char *doing; /* "mount" or "demo": in front of messages */
	struct settings *settings;
	const struct options *options;
	const char *dir;       /* as it was given */
	const char *state_dir; /* NULL: the usual one */
	bool foreground;
	bool only_check; /* everything but the mount itself */
	/* In the serving process before anything is built; *ret_helper is a child that ends with
	 * the mount. May be NULL. */
	int (*prepare)(void *payload, struct settings *s, pid_t *ret_helper, struct error *err);
	void (*release)(void *payload); /* in the serving process, at its end; may be NULL */
	/* When the mount answers; dir is absolute. In the parent in the background, where the mount
	 * may be looked at (live), else in a thread of the mount's own. May be NULL. */
	void (*mounted)(void *payload, const char *dir, bool live);
	void *payload;
};

/* Serves, or returns once the background process does. Reports by itself; an exit status. */
int service_run(struct service *s);

/* No core files and no reading of our memory by others: it will hold tokens. */
void service_protect(void);

#endif
