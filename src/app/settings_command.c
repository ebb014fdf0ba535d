/* SPDX-License-Identifier: MIT */
/* Secrets that a command prints: run once, in front of the terminal, before the mount begins. */
#include "settings_command.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forcefs/base/spawn.h"
#include "forcefs/sf/sf.h"

#define PATIENCE_MS 30000
#define VALUE_MAX   16384

static int run_shell(void *payload)
{
	execl("/bin/sh", "sh", "-c", (const char *)payload, (char *)NULL);
	return 127;
}

static int judge(const struct spawn_result *result, struct error *err)
{
	const char *colon = result->complaint[0] ? ": " : "";
	if (result->timed_out) {
		return error_set(err, ETIMEDOUT, "the command did not end within %d seconds%s%s",
			PATIENCE_MS / 1000, colon, result->complaint);
	}
	if (WIFSIGNALED(result->status)) {
		return error_set(err, EIO, "the command was ended by signal %d%s%s",
			WTERMSIG(result->status), colon, result->complaint);
	}
	if (WEXITSTATUS(result->status) != 0) {
		return error_set(err, EIO, "the command failed with status %d%s%s",
			WEXITSTATUS(result->status), colon, result->complaint);
	}
	return 0;
}

/* New string: the first line of the output. */
static int first_line(const struct spawn_result *result, char **ret, struct error *err)
{
	const char *text = buf_str(&result->out);
	size_t len = strcspn(text, "\r\n");
	if (len == 0 || len == VALUE_MAX) {
		return error_set(err, EINVAL,
			len ? "the first line of the command's output is too long"
			    : "the command printed nothing on its first line");
	}
	char *value = strndup(text, len);
	*ret = value;
	return value ? 0 : error_set(err, ENOMEM, "out of memory");
}

static int run(char *command, char **ret, struct error *err)
{
	AUTO(spawn_result) struct spawn_result result = {0};
	const struct spawn s = {.run = run_shell,
		.payload = command,
		.timeout_ms = PATIENCE_MS,
		.limit_bytes = VALUE_MAX};
	int r = spawn_run(&s, &result, err);
	if (r == 0) {
		r = judge(&result, err);
	}
	return r < 0 ? r : first_line(&result, ret, err);
}

static int fill(
	struct settings *s, char **value, char *command, const char *name, struct error *err)
{
	if (*value || !command) {
		return 0;
	}
	int r = run(command, value, err);
	return r < 0 ? settings_complain(s, setting_find(name, strlen(name)), r, err) : 0;
}

int settings_run_commands(struct settings *s, struct error *err)
{
	int r = 0;
	if (s->grant == SF_GRANT_REFRESH_TOKEN || s->grant == SF_GRANT_CLIENT_CREDENTIALS) {
		r = fill(s, &s->client_secret, s->client_secret_command, "client_secret_command",
			err);
	}
	if (r == 0 && s->grant == SF_GRANT_REFRESH_TOKEN) {
		r = fill(s, &s->refresh_token, s->refresh_token_command, "refresh_token_command",
			err);
	}
	return r;
}
