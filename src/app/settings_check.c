/* SPDX-License-Identifier: MIT */
/* What can be judged only when all values of an org are known. */
#include "settings.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forcefs/sf/sf.h"
#include "quoted.h"

int settings_complain(
	const struct settings *s, const struct setting *what, int r, struct error *err)
{
	int line = s->line[what - settings_table];
	if (line == ORIGIN_OPTION || !s->file) {
		return error_prefix(err, r, "-o %s", what->name);
	}
	return error_prefix(
		err, r, "%s:%d: %s", s->file, line ? line : s->section_line, what->name);
}

static char *text_of(const struct settings *s, const struct setting *what)
{
	return *(char *const *)((const char *)s + what->offset);
}

static int check_file(const struct settings *s, const char *name, struct error *err)
{
	const struct setting *what = setting_find(name, strlen(name));
	const char *path = text_of(s, what);
	struct stat st;
	int errnum = 0;
	if (!path) {
		return 0;
	}
	if (access(path, R_OK) < 0 || stat(path, &st) < 0) {
		errnum = errno;
	} else if (!S_ISREG(st.st_mode)) {
		errnum = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
	}
	return errnum ? settings_complain(s, what,
				error_errno(err, errnum, "the file %s cannot be read", path), err)
		      : 0;
}

/* A private key is a secret as much as a token is. */
static int check_key_file(const struct settings *s, struct error *err)
{
	struct stat st;
	char space[QUOTED_MAX];
	if (s->jwt_key_file && stat(s->jwt_key_file, &st) == 0 && (st.st_mode & 077)) {
		return settings_complain(s, setting_find("jwt_key_file", 12),
			error_set(err, EACCES,
				"other users can read the private key; run: chmod 600 %s",
				quoted(s->jwt_key_file, space)),
			err);
	}
	return 0;
}

static int missing(const struct settings *s, const char *key, const char *grant, struct error *err)
{
	int r = error_set(err, EINVAL,
		"the org \"%s\" has no %s, which grant = %s needs; add a line %s = …", s->org, key,
		grant, key);
	return s->file ? error_prefix(err, r, "%s:%d", s->file, s->section_line) : r;
}

static int check_grant(const struct settings *s, struct error *err)
{
	bool secret = s->client_secret || s->client_secret_command;
	switch ((enum sf_grant)s->grant) {
	case SF_GRANT_REFRESH_TOKEN:
		return s->client_id ? 0 : missing(s, "client_id", "refresh_token", err);
	case SF_GRANT_JWT_BEARER:
		if (!s->client_id || !s->username || !s->jwt_key_file) {
			return missing(s,
				!s->client_id  ? "client_id"
				: !s->username ? "username"
					       : "jwt_key_file",
				"jwt_bearer", err);
		}
		return 0;
	case SF_GRANT_CLIENT_CREDENTIALS:
		if (!s->client_id || !secret) {
			return missing(s, !s->client_id ? "client_id" : "client_secret_command",
				"client_credentials", err);
		}
		return 0;
	case SF_GRANT_SF:
		return 0;
	}
	return 0;
}

int settings_check(const struct settings *s, struct error *err)
{
	int r = check_grant(s, err);
	if (r == 0) {
		r = check_file(s, "ca_file", err);
	}
	if (r == 0 && s->grant == SF_GRANT_JWT_BEARER) {
		r = check_file(s, "jwt_key_file", err);
	}
	return r < 0 || s->grant != SF_GRANT_JWT_BEARER ? r : check_key_file(s, err);
}
