/* SPDX-License-Identifier: MIT */
/*
 * Which URLs may be asked. They are taken apart by libcurl's own parser, so that what is judged
 * here is what is connected to there.
 */
#include "forcefs/net/redirect.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "net_priv.h"

static bool get_part(CURLU *url, CURLUPart part, char *dst, size_t size)
{
	char *text = NULL;
	if (curl_url_get(url, part, &text, 0) != CURLUE_OK) {
		return false;
	}
	bool fits = strlen(text) < size;
	if (fits) {
		snprintf(dst, size, "%s", text);
	}
	curl_free(text);
	return fits;
}

/* True if the URL carries a user name or password, which nothing of ours ever does. */
static bool has_user(CURLU *url)
{
	char *user = NULL, *password = NULL;
	bool found = curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK ||
		     curl_url_get(url, CURLUPART_PASSWORD, &password, 0) == CURLUE_OK;
	curl_free(user);
	curl_free(password);
	return found;
}

/* What libcurl mends by itself ("https:/host", "https:////host") is none of ours. */
static bool has_scheme(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
	return len > 0 && strncmp(text + len, "://", 3) == 0 && text[len + 3] != '/';
}

bool url_parse(const char *text, struct url_parts *ret)
{
	if (!has_scheme(text)) {
		return false;
	}
	CURLU *url = curl_url();
	bool ok = url && curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK && !has_user(url) &&
		  get_part(url, CURLUPART_SCHEME, ret->scheme, sizeof(ret->scheme)) &&
		  get_part(url, CURLUPART_HOST, ret->host, sizeof(ret->host)) && ret->host[0];
	curl_url_cleanup(url);
	return ok;
}

bool host_is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;
	char bare[INET6_ADDRSTRLEN];
	if (strcasecmp(host, "localhost") == 0) {
		return true;
	}
	if (inet_pton(AF_INET, host, &v4) == 1) {
		return ntohl(v4.s_addr) >> 24 == 127;
	}
	size_t len = strlen(host);
	if (len < 2 || host[0] != '[' || len - 2 >= sizeof(bare)) {
		return false;
	}
	snprintf(bare, sizeof(bare), "%.*s", (int)len - 2, host + 1);
	return inet_pton(AF_INET6, bare, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

/* ".x.com" fits every host below x.com; "x.com" also x.com itself, but never "evilx.com". */
static bool host_fits(const char *host, const char *suffix)
{
	size_t host_len = strlen(host), len = strlen(suffix);
	if (len == 0 || host_len < len || strcasecmp(host + host_len - len, suffix) != 0) {
		return false;
	}
	if (suffix[0] == '.') {
		return host_len > len;
	}
	return host_len == len || host[host_len - len - 1] == '.';
}

bool redirect_allowed(const char *from_url, const char *to_url, const char *const *suffixes)
{
	struct url_parts from, to;
	if (!url_parse(from_url, &from) || !url_parse(to_url, &to)) {
		return false;
	}
	if (host_is_loopback(to.host)) {
		return strcasecmp(from.host, to.host) == 0 && strcmp(from.scheme, to.scheme) == 0;
	}
	if (strcmp(to.scheme, "https") != 0) {
		return false;
	}
	for (size_t i = 0; suffixes && suffixes[i]; i++) {
		if (host_fits(to.host, suffixes[i])) {
			return true;
		}
	}
	return false;
}

int url_check(const char *url, struct error *err)
{
	struct url_parts parts;
	if (!url_parse(url, &parts)) {
		return error_set(err, EINVAL,
			"this is not a usable URL; it must look like https://host/ and hold no "
			"user name");
	}
	if (strcmp(parts.scheme, "https") == 0) {
		return 0;
	}
	if (strcmp(parts.scheme, "http") == 0 && host_is_loopback(parts.host)) {
		return 0;
	}
	return error_set(err, EINVAL,
		"%s must be reached by https://; http:// is for loopback addresses only",
		parts.host);
}
