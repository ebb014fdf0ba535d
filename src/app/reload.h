/* SPDX-License-Identifier: MIT */
/* What a running mount takes from its settings file when it is told to read it again (SIGHUP). */
#ifndef FORCEFS_APP_RELOAD_H
#define FORCEFS_APP_RELOAD_H

#include "forcefs/base/error.h"
#include "forcefs/fs/fs.h"
#include "options.h"
#include "settings.h"

/* Makes the file's name one that still holds after a change of the working directory. */
int reload_prepare(struct settings *s, struct error *err);

/* Reads the file of `s` again, -o over it, and takes over log_level, log_format and ttl. What is
 * wrong with the file is logged, and all stays as it was. Any thread. */
void reload_now(const struct settings *s, const struct options *o, struct fs *fs);

/* The log as these settings want it. */
void reload_log(const struct settings *s);

/* The terminal that this process was started from, -1 for none; and whether it was closed since. */
int reload_terminal(void);
bool reload_terminal_gone(int fd);

#endif
