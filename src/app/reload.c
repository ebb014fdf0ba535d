/* SPDX-License-Identifier: MIT */
/* SIGHUP has two meanings: daemons are told by it to read their settings again, and programs on a
 * terminal that the terminal was closed. A mount in the foreground tells them apart by looking. */
#include "reload.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/log.h"
#include "forcefs/base/paths.h"
#include "log_json.h"
#include "settings_file.h"

int reload_prepare(struct settings *s, struct error *err)
{
	char here[PATH_MAX];
	if (!s->file || s->file[0] == '/') {
		return 0;
	}
	if (!getcwd(here, sizeof(here))) {
		return error_errno(err, errno, "the working directory");
	}
	char *path = paths_join(here, s->file);
	if (!path) {
		return error_set(err, ENOMEM, "out of memory");
	}
	free(s->file);
	s->file = path;
	return 0;
}

void reload_log(const struct settings *s)
{
	log_set_level((enum log_level)s->log_level);
	log_format_with(s->log_format == LOG_FORMAT_JSON ? log_json : NULL);
}

static int read_again(
	const struct settings *s, const struct options *o, struct settings *ret, struct error *err)
{
	int r = settings_load_file(s->file, s->org, ret, err);
	return r < 0 ? r : options_apply(o, ret, err);
}

void reload_now(const struct settings *s, const struct options *o, struct fs *fs)
{
	AUTO(settings) struct settings now = {0};
	struct error err = {0};
	if (!s->file) {
		log_info("mount", "there is no settings file to read again");
		return;
	}
	if (read_again(s, o, &now, &err) < 0) {
		log_error("mount", "the settings stay as they were: %s", err.text);
		return;
	}
	reload_log(&now);
	fs_set_ttl(fs, (int)now.ttl_s);
	log_info("mount", "settings read again: log_level %s, ttl %d s",
		log_level_word((enum log_level)now.log_level), (int)now.ttl_s);
}

int reload_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

bool reload_terminal_gone(int fd)
{
	struct pollfd p = {.fd = fd, .events = 0};
	return fd >= 0 && poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL));
}
