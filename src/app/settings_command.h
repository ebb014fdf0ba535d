/* SPDX-License-Identifier: MIT */
/* Secrets that a command prints: client_secret_command, refresh_token_command. */
#ifndef FORCEFS_APP_SETTINGS_COMMAND_H
#define FORCEFS_APP_SETTINGS_COMMAND_H

#include "settings.h"

/* Runs the commands whose values this grant needs and puts the values in their places. Before any
 * thread is started. */
int settings_run_commands(struct settings *s, struct error *err);

#endif
