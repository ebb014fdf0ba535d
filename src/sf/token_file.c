/* SPDX-License-Identifier: MIT */
/* The state file of an org's tokens, and the lock that several forcefs processes share. */
#include "sf_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <jansson.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/hash.h"
#include "forcefs/base/paths.h"

#define FILE_LIMIT_BYTES (256u << 10)
#define LOCK_POLL_MS     25

void token_string_free(char *s)
{
	if (s) {
		explicit_bzero(s, strlen(s));
		free(s);
	}
}

#define TOKEN_STRINGS 13

/* The string members by the names they have in the file. */
static void token_slots(
	struct token *t, const char *names[TOKEN_STRINGS], char **slots[TOKEN_STRINGS])
{
	static const char *const all[TOKEN_STRINGS] = {"grant", "login_url", "client_id", "user",
		"app", "client_secret", "seed", "access_token", "refresh_token", "instance_url",
		"id", "issued_at", "username"};
	char **const at[TOKEN_STRINGS] = {&t->grant, &t->login_url, &t->client_id, &t->user,
		&t->app, &t->client_secret, &t->seed, &t->access, &t->refresh, &t->instance_url,
		&t->identity_url, &t->issued_at, &t->username};

	memcpy(names, all, sizeof(all));
	memcpy(slots, at, sizeof(at));
}

void token_release(struct token *t)
{
	const char *names[TOKEN_STRINGS];
	char **slots[TOKEN_STRINGS];

	token_slots(t, names, slots);
	for (size_t i = 0; i < TOKEN_STRINGS; i++) {
		token_string_free(*slots[i]);
	}
	free(t->api_version);
	memset(t, 0, sizeof(*t));
}

static int copy_string(const char *from, char **ret)
{
	*ret = from ? strdup(from) : NULL;
	return from && !*ret ? -ENOMEM : 0;
}

int token_copy(const struct token *from, struct token *ret)
{
	const char *names[TOKEN_STRINGS];
	char **slots[TOKEN_STRINGS], **sources[TOKEN_STRINGS];
	struct token source = *from;
	AUTO(token) struct token t = {.api_version_at_s = from->api_version_at_s};

	token_slots(&t, names, slots);
	token_slots(&source, names, sources);
	for (size_t i = 0; i < TOKEN_STRINGS; i++) {
		if (copy_string(*sources[i], slots[i]) < 0) {
			return -ENOMEM;
		}
	}
	if (copy_string(from->api_version, &t.api_version) < 0) {
		return -ENOMEM;
	}
	*ret = t;
	memset(&t, 0, sizeof(t));
	return 0;
}

static int read_state(json_t *o, struct token *t)
{
	const char *names[TOKEN_STRINGS];
	char **slots[TOKEN_STRINGS];

	token_slots(t, names, slots);
	for (size_t i = 0; i < TOKEN_STRINGS; i++) {
		if (copy_string(json_string_value(json_object_get(o, names[i])), slots[i]) < 0) {
			return -ENOMEM;
		}
	}
	t->api_version_at_s = json_integer_value(json_object_get(o, "api_version_at"));
	return copy_string(json_string_value(json_object_get(o, "api_version")), &t->api_version);
}

static int check_mode(const char *path, const struct token *t, struct error *err)
{
	struct stat st;

	if ((!t->access && !t->refresh) || stat(path, &st) < 0 || !(st.st_mode & 077)) {
		return 0;
	}
	return error_set(err, EACCES,
		"other users can read the tokens in %s; run: chmod 600 %s, and log in again if "
		"somebody may have done so",
		path, path);
}

int token_file_load(const char *path, struct token *ret, uint64_t *ret_hash, struct error *err)
{
	AUTO_FREE char *text = NULL;
	AUTO(token) struct token t = {0};
	struct error fault = {0};
	size_t len = 0;
	json_t *o;
	int r = paths_read_file(path, FILE_LIMIT_BYTES, &text, &len, &fault);

	*ret_hash = hash_bytes(text ? text : "", len);
	if (r == -ENOENT) {
		memset(ret, 0, sizeof(*ret));
		return 0;
	}
	if (r < 0) {
		if (err) {
			*err = fault;
		}
		return r;
	}
	o = json_loadb(text, len, 0, NULL);
	explicit_bzero(text, len);
	if (!json_is_object(o)) {
		json_decref(o);
		return error_set(err, EPROTO,
			"the state file %s is damaged: remove it and log in again", path);
	}
	r = read_state(o, &t);
	json_decref(o);
	if (r < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	r = check_mode(path, &t, err);
	if (r < 0) {
		return r;
	}
	*ret = t;
	memset(&t, 0, sizeof(t));
	return 0;
}

static json_t *state_json(const struct token *t)
{
	const char *names[TOKEN_STRINGS];
	char **slots[TOKEN_STRINGS];
	struct token view = *t;
	json_t *o = json_object();
	int bad = 0;

	token_slots(&view, names, slots);
	for (size_t i = 0; i < TOKEN_STRINGS; i++) {
		if (*slots[i]) {
			bad |= json_object_set_new(o, names[i], json_string(*slots[i]));
		}
	}
	if (t->api_version) {
		bad |= json_object_set_new(o, "api_version", json_string(t->api_version));
		bad |= json_object_set_new(o, "api_version_at", json_integer(t->api_version_at_s));
	}
	if (bad) {
		json_decref(o);
		return NULL;
	}
	return o;
}

int token_file_save(const char *path, const struct token *t, struct error *err)
{
	json_t *o = state_json(t);
	char *text = json_dumps(o, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	int r;

	json_decref(o);
	if (!text) {
		return error_set(err, ENOMEM, "out of memory");
	}
	r = paths_write_file(path, text, strlen(text), err);
	token_string_free(text);
	return r;
}

int sf_sleep(int64_t ms, const struct until *until, struct error *err)
{
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t never;
	int64_t end = clock_mono_ms() + ms;
	struct until nap = *until;
	int r = 0;

	if (nap.deadline_ms > end) {
		nap.deadline_ms = end;
	}
	clock_cond_init(&never);
	until_watch(&nap, &lock, &never);
	pthread_mutex_lock(&lock);
	while (r == 0) {
		r = until_wait(&nap, &never, &lock, NULL);
	}
	pthread_mutex_unlock(&lock);
	until_unwatch(&nap);
	pthread_cond_destroy(&never);
	pthread_mutex_destroy(&lock);
	return until_check(until, err);
}

int token_file_lock(const char *path, const struct until *until, int *ret_fd, struct error *err)
{
	AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0) {
		int errnum = errno;
		return error_set(err, errnum, "cannot open the lock file %s: %s%s", path,
			strerror(errnum),
			errnum == EACCES ? "; see with ls -l whether it and its folder are yours"
					 : "");
	}
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		int r;

		if (errno != EWOULDBLOCK && errno != EINTR) {
			return error_errno(err, errno, "cannot lock %s", path);
		}
		r = sf_sleep(LOCK_POLL_MS, until, err);
		if (r < 0) {
			return error_prefix(
				err, r, "waiting for another forcefs that renews the session");
		}
	}
	*ret_fd = fd;
	fd = -1;
	return 0;
}
