/* SPDX-License-Identifier: MIT */
#include "callback.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/buf.h"
#include "forcefs/net/query.h"
#include "forcefs/net/redirect.h"

#define HTTP      "http://"
#define VALUE_MAX 8192

/* ---- the redirect URI ---- */

static bool take_host(const char **at, struct callback *c)
{
	const char *host = *at;
	bool bracket = *host == '[';
	size_t len = bracket ? strcspn(host, "]") : strcspn(host, ":/?");
	host += bracket;
	len -= bracket;
	if (len == 0 || len >= sizeof(c->host)) {
		return false;
	}
	memcpy(c->host, host, len);
	c->host[len] = '\0';
	*at = host + len + bracket;
	return true;
}

static bool take_port(const char **at, struct callback *c)
{
	c->port = 80;
	if (**at != ':') {
		return true;
	}
	char *end;
	unsigned long port = isdigit((unsigned char)(*at)[1]) ? strtoul(*at + 1, &end, 10) : 0;
	if (port == 0 || port > UINT16_MAX) {
		return false;
	}
	c->port = (uint16_t)port;
	*at = end;
	return true;
}

int callback_parse(const char *redirect_uri, struct callback *ret, struct error *err)
{
	struct callback c = {0};
	const char *at = redirect_uri + strlen(HTTP);
	if (strncmp(redirect_uri, HTTP, strlen(HTTP)) != 0 || url_check(redirect_uri, NULL) < 0) {
		return error_set(err, EINVAL,
			"redirect_uri = %s is no address that forcefs can listen on; use "
			"http://localhost:PORT/PATH, or forcefs login --paste",
			redirect_uri);
	}
	if (!take_host(&at, &c) || !take_port(&at, &c) || strcspn(at, "?") >= sizeof(c.path) - 1) {
		return error_set(err, EINVAL, "redirect_uri = %s is not understood", redirect_uri);
	}
	snprintf(
		c.path, sizeof(c.path), "%s%.*s", *at == '/' ? "" : "/", (int)strcspn(at, "?"), at);
	*ret = c;
	return 0;
}

/* ---- the answer ---- */

static void wipe(char *text)
{
	if (text) {
		explicit_bzero(text, strlen(text));
		free(text);
	}
}

void callback_answer_release(struct callback_answer *a)
{
	wipe(a->code);
	free(a->error);
	free(a->description);
	*a = (struct callback_answer){0};
}

/* New string; NULL if it is not there, cannot be decoded, or is empty. A code never holds a blank,
 * so a + in it is meant. */
static char *value_of(const char *query, size_t len, const char *name)
{
	struct buf value;
	buf_init(&value, VALUE_MAX);
	int r = query_get(query, len, name, strcmp(name, "code") != 0, &value);
	char *text = r == 0 && value.len ? buf_take(&value, NULL) : NULL;
	buf_release(&value);
	return text;
}

static int not_ours(struct error *err)
{
	return error_set(err, EINVAL,
		"this answer belongs to another log-in; paste the one that followed the address "
		"above");
}

static int read_query(
	const char *query, const char *state, struct callback_answer *a, struct error *err)
{
	size_t len = strcspn(query, "#");
	AUTO_FREE char *back = value_of(query, len, "state");
	if (!back || strcmp(back, state) != 0) {
		return not_ours(err);
	}
	a->code = value_of(query, len, "code");
	a->error = value_of(query, len, "error");
	a->description = value_of(query, len, "error_description");
	return a->code || a->error ? 0 : error_set(err, EINVAL, "there is no code in this address");
}

static int read_bare(const char *text, struct callback_answer *a, struct error *err)
{
	struct buf code;
	buf_init(&code, VALUE_MAX);
	int r = query_decode(text, strlen(text), false, &code);
	if (r == 0 && code.len) {
		a->code = buf_take(&code, NULL);
	}
	buf_release(&code);
	return a->code ? 0 : error_set(err, EINVAL, "this is no authorization code");
}

static int read_any(
	const char *text, const char *state, struct callback_answer *a, struct error *err)
{
	const char *query = strchr(text, '?');
	if (query) {
		return read_query(query + 1, state, a, err);
	}
	if (strncmp(text, "code=", 5) == 0 || strncmp(text, "state=", 6) == 0 ||
		strncmp(text, "error=", 6) == 0) {
		return read_query(text, state, a, err);
	}
	if (!*text || strpbrk(text, " \t") || strstr(text, "://")) {
		return error_set(err, EINVAL,
			"paste the whole address of the page on which the browser ended (it holds "
			"code=…), or the code alone");
	}
	return read_bare(text, a, err);
}

int callback_parse_pasted(
	const char *text, const char *state, struct callback_answer *ret, struct error *err)
{
	AUTO(callback_answer) struct callback_answer a = {0};
	text += strspn(text, " \t\r\n\"'");
	AUTO_FREE char *line = strndup(text, strcspn(text, "\r\n\"'"));
	if (!line) {
		return error_set(err, ENOMEM, "out of memory");
	}
	for (size_t n = strlen(line); n > 0 && isspace((unsigned char)line[n - 1]); n--) {
		line[n - 1] = '\0';
	}
	int r = read_any(line, state, &a, err);
	explicit_bzero(line, strlen(line));
	if (r == 0) {
		*ret = a;
		a = (struct callback_answer){0};
	}
	return r;
}
