/* SPDX-License-Identifier: MIT */
/* Taken apart from both ends: the host stands behind the last @, the rest is parted by colons. */
#include "sfdx_url.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "forcefs/base/buf.h"
#include "forcefs/net/redirect.h"
#include "report.h"

#define SCHEME       "force://"
#define TEXT_MAX     (64u << 10)
#define REDACTED     "[REDACTED]"
#define ID_LETTERS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define HOST_LETTERS ID_LETTERS ":"

/* ---- the URL ---- */

/* Letters of these kinds only, with up to two = at the end. */
static bool is_word(const char *s, size_t len, bool may_be_empty)
{
	size_t n = strspn(s, ID_LETTERS);
	n = n < len ? n : len;
	size_t equals = len - n;
	return (len > 0 || may_be_empty) && equals <= 2 && strspn(s + n, "=") >= equals &&
	       (n > 0 || len == 0);
}

static int no_url(struct error *err)
{
	return error_set(err, EINVAL,
		"this is no SFDX auth URL; it looks like "
		"force://CLIENT_ID:SECRET:REFRESH_TOKEN@HOST, and is printed by: sf org auth "
		"show-sfdx-auth-url --json -o ALIAS");
}

static int take_host(const char *host, struct sfdx_url *u, struct error *err)
{
	size_t len = strlen(host);
	if (len == 0 || strspn(host, HOST_LETTERS) != len) {
		return no_url(err);
	}
	if (asprintf(&u->login_url, "http://%s", host) < 0) {
		u->login_url = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	if (url_check(u->login_url, NULL) == 0) {
		return 0; /* loopback */
	}
	free(take_ptr(&u->login_url));
	if (asprintf(&u->login_url, "https://%s", host) < 0) {
		u->login_url = NULL;
		return error_set(err, ENOMEM, "out of memory");
	}
	return url_check(u->login_url, err);
}

static int take_parts(const char *text, const char *at, struct sfdx_url *u, struct error *err)
{
	const char *first = memchr(text, ':', (size_t)(at - text));
	const char *second = first ? memchr(first + 1, ':', (size_t)(at - first) - 1) : NULL;
	if (!second || !is_word(text, (size_t)(first - text), false) ||
		!is_word(first + 1, (size_t)(second - first) - 1, true) ||
		!is_word(second + 1, (size_t)(at - second) - 1, false)) {
		return no_url(err);
	}
	u->client_id = strndup(text, (size_t)(first - text));
	u->refresh_token = strndup(second + 1, (size_t)(at - second) - 1);
	if (second > first + 1) {
		u->client_secret = strndup(first + 1, (size_t)(second - first) - 1);
	}
	if (!u->client_id || !u->refresh_token || (second > first + 1 && !u->client_secret)) {
		return error_set(err, ENOMEM, "out of memory");
	}
	return take_host(at + 1, u, err);
}

static int parse_url(const char *text, struct sfdx_url *ret, struct error *err)
{
	AUTO(sfdx_url) struct sfdx_url u = {0};
	const char *at = strrchr(text, '@');
	if (strncmp(text, REDACTED, strlen(REDACTED)) == 0) {
		return error_set(err, EINVAL,
			"the sf command has hidden the SFDX auth URL (" REDACTED
			"); take it from: sf org auth show-sfdx-auth-url --json -o ALIAS");
	}
	if (strncmp(text, SCHEME, strlen(SCHEME)) != 0 || !at) {
		return no_url(err);
	}
	int r = take_parts(text + strlen(SCHEME), at, &u, err);
	if (r == 0) {
		*ret = u;
		u = (struct sfdx_url){0};
	}
	return r;
}

/* ---- what it lies in ---- */

static int parse_json(const char *text, size_t len, struct sfdx_url *ret, struct error *err)
{
	json_t *o = json_loadb(text, len, 0, NULL);
	const char *url = json_string_value(json_object_get(o, "sfdxAuthUrl"));
	if (!url) {
		url = json_string_value(
			json_object_get(json_object_get(o, "result"), "sfdxAuthUrl"));
	}
	int r = url ? parse_url(url, ret, err)
		    : error_set(err, EINVAL,
			      "this JSON holds no sfdxAuthUrl; take it from: sf org auth "
			      "show-sfdx-auth-url --json -o ALIAS");
	json_decref(o);
	return r;
}

int sfdx_url_parse(const char *text, size_t len, struct sfdx_url *ret, struct error *err)
{
	while (len > 0 && isspace((unsigned char)text[len - 1])) {
		len--;
	}
	while (len > 0 && isspace((unsigned char)*text)) {
		text++;
		len--;
	}
	if (len > 0 && *text == '{') {
		return parse_json(text, len, ret, err);
	}
	char *copy = strndup(text, len);
	int r = copy ? parse_url(copy, ret, err) : error_set(err, ENOMEM, "out of memory");
	if (copy) {
		explicit_bzero(copy, strlen(copy));
	}
	free(copy);
	return r;
}

static void check_mode(const char *path, int fd)
{
	struct stat st;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077)) {
		report("login", "other users can read %s, which holds a token; remove it now",
			path);
	}
}

static int read_all(int fd, struct buf *into)
{
	char step[4096];
	ssize_t n;
	while ((n = read(fd, step, sizeof(step))) > 0 || (n < 0 && errno == EINTR)) {
		if (n > 0 && buf_add(into, step, (size_t)n) < 0) {
			break;
		}
	}
	explicit_bzero(step, sizeof(step));
	return n < 0 ? -errno : buf_failed(into);
}

int sfdx_url_read(const char *path, struct sfdx_url *ret, struct error *err)
{
	bool from_stdin = strcmp(path, "-") == 0;
	AUTO_CLOSE int fd = from_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return error_errno(err, errno, "reading %s", path);
	}
	if (!from_stdin) {
		check_mode(path, fd);
	}
	struct buf text;
	buf_init(&text, TEXT_MAX);
	int r = read_all(fd, &text);
	r = r < 0 ? error_errno(err, -r, "reading %s", path)
		  : sfdx_url_parse(buf_str(&text), text.len, ret, err);
	if (text.data) {
		explicit_bzero(text.data, text.cap);
	}
	buf_release(&text);
	return r;
}

void sfdx_url_release(struct sfdx_url *u)
{
	char *secrets[] = {u->client_secret, u->refresh_token};
	for (int i = 0; i < 2; i++) {
		if (secrets[i]) {
			explicit_bzero(secrets[i], strlen(secrets[i]));
			free(secrets[i]);
		}
	}
	free(u->client_id);
	free(u->login_url);
	*u = (struct sfdx_url){0};
}
