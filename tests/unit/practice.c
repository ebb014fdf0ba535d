/* SPDX-License-Identifier: MIT */
#include "practice.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "forcefs/base/clock.h"

#define ARGUMENTS_MAX 16

static void run(const char *const *arguments, int input, int output)
{
	const char *argv[ARGUMENTS_MAX] = {PYTHON3, PRACTICE_ORG, "--port", "0", "--until-eof"};
	size_t n = 5;

	for (; arguments && *arguments && n + 1 < ARGUMENTS_MAX; arguments++) {
		argv[n++] = *arguments;
	}
	dup2(input, 0);
	dup2(output, 1);
	execv(PYTHON3, (char *const *)argv);
	_exit(127);
}

static void copy(char *dst, size_t size, json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	snprintf(dst, size, "%s", s ? s : "");
}

static bool read_announcement(struct practice *p, int fd)
{
	FILE *f = fdopen(fd, "r");
	char line[2048] = "";
	json_t *o = f && fgets(line, sizeof(line), f) ? json_loads(line, 0, NULL) : NULL;

	copy(p->url, sizeof(p->url), o, "url");
	copy(p->client_id, sizeof(p->client_id), o, "client_id");
	copy(p->client_secret, sizeof(p->client_secret), o, "client_secret");
	copy(p->refresh_token, sizeof(p->refresh_token), o, "refresh_token");
	copy(p->org_id, sizeof(p->org_id), o, "org_id");
	copy(p->user_id, sizeof(p->user_id), o, "user_id");
	json_decref(o);
	if (f) {
		fclose(f);
	}
	return p->url[0] != '\0';
}

bool practice_start(struct practice *p, const char *const *arguments)
{
	struct http_config config = {.user_agent = "forcefs-test",
		.timeout_ms = 20000,
		.connect_timeout_ms = 5000,
		.max_connections = 2};
	int in[2], out[2];

	memset(p, 0, sizeof(*p));
	if (pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0) {
		return false;
	}
	p->pid = fork();
	if (p->pid == 0) {
		run(arguments, in[0], out[1]);
	}
	close(in[0]);
	close(out[1]);
	p->input = in[1];
	return p->pid > 0 && read_announcement(p, out[0]) &&
	       http_open(&config, &p->http, NULL) == 0;
}

void practice_stop(struct practice *p)
{
	http_close(p->http);
	if (p->pid > 0) {
		close(p->input);
		waitpid(p->pid, NULL, 0);
	}
	p->pid = 0;
}

static char *control(struct practice *p, const char *method, const char *name, const char *json)
{
	struct until until = {.deadline_ms = clock_mono_ms() + 20000};
	struct http_reply reply = {0};
	struct error err = {0};
	char url[256];
	struct http_request req = {.method = method,
		.url = url,
		.body = json,
		.body_len = json ? strlen(json) : 0,
		.reply_limit_bytes = 16 << 20};

	snprintf(url, sizeof(url), "%s/_practice/%s", p->url, name);
	if (http_perform(p->http, &req, &until, &reply, &err) < 0) {
		fail_msg("%s: %s", name, err.text);
	}
	if (reply.status != 200) {
		fail_msg("%s: HTTP %d %s", name, reply.status, buf_str(&reply.body));
	}
	return buf_take(&reply.body, NULL);
}

void practice_do(struct practice *p, const char *name, const char *json)
{
	free(control(p, "POST", name, json));
}

char *practice_ask(struct practice *p, const char *name)
{
	return control(p, "GET", name, NULL);
}

static int count(struct practice *p, const char *kind)
{
	char *text = practice_ask(p, "counts");
	json_t *o = json_loads(text, 0, NULL);
	json_t *kinds = json_object_get(o, "by_kind");
	json_t *value = kind ? json_object_get(kinds, kind) : json_object_get(o, "counted");
	int n = (int)json_integer_value(value);

	json_decref(o);
	free(text);
	return n;
}

int practice_calls(struct practice *p, const char *kind)
{
	return count(p, kind);
}

int practice_counted(struct practice *p)
{
	return count(p, NULL);
}

void practice_reset(struct practice *p)
{
	practice_do(p, "reset-log", "{}");
}
