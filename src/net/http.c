/* SPDX-License-Identifier: MIT */
/* The door of HTTP: opening, closing, and what every call has in common. */
#include "forcefs/net/http.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"
#include "forcefs/net/redirect.h"
#include "net_priv.h"

static const char *const methods[] = {"GET", "POST", "PATCH", "DELETE", "HEAD"};

static void curl_start(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static char **copy_list(const char *const *list)
{
	size_t n = 0;
	while (list[n]) {
		n++;
	}
	char **copy = calloc(n + 1, sizeof(*copy));
	for (size_t i = 0; copy && i < n; i++) {
		copy[i] = strdup(list[i]);
		if (!copy[i]) {
			while (i > 0) {
				free(copy[--i]);
			}
			free(copy);
			return NULL;
		}
	}
	return copy;
}

static bool copy_config(struct http *h, const struct http_config *config)
{
	h->timeout_ms = config->timeout_ms;
	h->connect_timeout_ms = config->connect_timeout_ms;
	h->user_agent = strdup(config->user_agent ? config->user_agent : "forcefs");
	h->ca_file = config->ca_file ? strdup(config->ca_file) : NULL;
	h->proxy = config->proxy ? strdup(config->proxy) : NULL;
	h->hosts = config->hosts ? copy_list(config->hosts) : NULL;
	return h->user_agent && (h->ca_file || !config->ca_file) && (h->proxy || !config->proxy) &&
	       (h->hosts || !config->hosts);
}

static void http_free(struct http *h)
{
	for (int i = 0; i < h->spare_count; i++) {
		curl_easy_cleanup(h->spare[i]);
	}
	for (size_t i = 0; h->hosts && h->hosts[i]; i++) {
		free(h->hosts[i]);
	}
	free(h->hosts);
	free(h->user_agent);
	free(h->ca_file);
	free(h->proxy);
	pthread_cond_destroy(&h->changed);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

int http_open(const struct http_config *config, struct http **ret, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, curl_start);
	struct http *h = calloc(1, sizeof(*h));
	if (!h) {
		return error_set(err, ENOMEM, "out of memory");
	}
	pthread_mutex_init(&h->lock, NULL);
	clock_cond_init(&h->changed);
	int r = copy_config(h, config) ? worker_start(h, config->max_connections, err)
				       : error_set(err, ENOMEM, "out of memory");
	if (r < 0) {
		http_free(h);
		return r;
	}
	*ret = h;
	return 0;
}

void http_close(struct http *h)
{
	if (!h) {
		return;
	}
	worker_stop(h);
	pthread_mutex_lock(&h->lock);
	while (h->callers > 0) {
		pthread_cond_wait(&h->changed, &h->lock);
	}
	pthread_mutex_unlock(&h->lock);
	http_free(h);
}

static bool is_header_safe(const struct http_header *header)
{
	return !strpbrk(header->name, "\r\n:;") && !strpbrk(header->value, "\r\n");
}

static int request_check(const struct http_request *req, struct error *err)
{
	bool known = false;
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		known |= strcmp(req->method, methods[i]) == 0;
	}
	if (!known) {
		return error_set(err, EINVAL, "%.20s is no HTTP method known here", req->method);
	}
	for (size_t i = 0; i < req->header_count; i++) {
		if (!is_header_safe(&req->headers[i])) {
			return error_set(err, EINVAL,
				"a value for the HTTP header %.40s holds a line break; check the "
				"settings it comes from",
				req->headers[i].name);
		}
	}
	return url_check(req->url, err);
}

static void count_callers(struct http *h, int by)
{
	LOCK_SCOPE(&h->lock);
	h->callers += by;
	if (h->callers == 0 && h->closing) {
		pthread_cond_broadcast(&h->changed);
	}
}

int http_perform(struct http *h, const struct http_request *req, const struct until *until,
	struct http_reply *ret, struct error *err)
{
	*ret = (struct http_reply){0};
	if (!until) {
		return until_check(until, err);
	}
	int r = request_check(req, err);
	if (r < 0) {
		return r;
	}
	struct error last; /* an attempt may fail and the call succeed */
	count_callers(h, 1);
	r = call_perform(h, req, until, ret, &last);
	count_callers(h, -1);
	if (r < 0 && err) {
		*err = last;
	}
	return r;
}

void http_reply_release(struct http_reply *r)
{
	buf_release(&r->body);
}

bool http_failure_is_ambiguous(const struct error *err)
{
	return strcmp(err->code, HTTP_MAYBE_SENT) == 0;
}

void http_get_stats(struct http *h, struct http_stats *ret)
{
	LOCK_SCOPE(&h->lock);
	*ret = h->stats;
}
