/* SPDX-License-Identifier: MIT */
/* The start of a log-in in the browser: the address to open, and the two values that tie the answer
 * to this very log-in: state, and the PKCE verifier whose SHA-256 goes along as the challenge. */
#include "forcefs/sf/login.h"

#include <errno.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "sf_priv.h"

#define VERIFIER_BYTES  64 /* random; 86 characters of base64url, the limits are 43 and 128 */
#define STATE_BYTES     24
#define URL_LIMIT_BYTES (16u << 10)
#define SCOPE           "api refresh_token"

int base64url_add(struct buf *out, const void *data, size_t len)
{
	size_t start = out->len, size = 4 * ((len + 2) / 3);
	int r = buf_reserve(out, size);

	if (r < 0) {
		return r;
	}
	EVP_EncodeBlock((unsigned char *)out->data + start, data, (int)len);
	for (char *p = out->data + start; p < out->data + start + size; p++) {
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	}
	out->len = start + size;
	while (out->len > start && out->data[out->len - 1] == '=') {
		out->len--;
	}
	out->data[out->len] = '\0';
	return 0;
}

/* New string of so many random bytes. */
static int random_text(size_t bytes, char **ret, struct error *err)
{
	unsigned char raw[VERIFIER_BYTES];
	struct buf text;

	if (RAND_bytes(raw, (int)bytes) != 1) {
		return error_set(err, EIO, "the system gives no random numbers");
	}
	buf_init(&text, 4 * sizeof(raw));
	if (base64url_add(&text, raw, bytes) < 0) {
		buf_release(&text);
		return error_set(err, ENOMEM, "out of memory");
	}
	explicit_bzero(raw, sizeof(raw));
	*ret = buf_take(&text, NULL);
	return 0;
}

static int add_challenge(const char *verifier, struct buf *out)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (EVP_Digest(verifier, strlen(verifier), digest, &len, EVP_sha256(), NULL) != 1) {
		return -ENOMEM;
	}
	return base64url_add(out, digest, len);
}

static void add_query(struct buf *url, const char *name, const char *value)
{
	if (value && *value) {
		buf_addf(url, "&%s=", name);
		http_escape(value, strlen(value), url);
	}
}

static int build_url(
	const struct sf_authorize_config *config, struct sf_authorize *a, struct error *err)
{
	AUTO(buf) struct buf url;

	buf_init(&url, URL_LIMIT_BYTES);
	buf_addf(&url, "%s/services/oauth2/authorize?response_type=code", config->login_url);
	add_query(&url, "client_id", config->client_id);
	add_query(&url, "redirect_uri", config->redirect_uri);
	add_query(&url, "scope", config->scope && *config->scope ? config->scope : SCOPE);
	add_query(&url, "state", a->state);
	add_query(&url, "code_challenge_method", "S256");
	buf_add_str(&url, "&code_challenge=");
	if (add_challenge(a->verifier, &url) < 0 || buf_failed(&url)) {
		return error_set(err, ENOMEM, "the log-in's settings are too long");
	}
	add_query(&url, "login_hint", config->username);
	if (buf_failed(&url)) {
		return error_set(err, EFBIG, "the log-in's settings are too long");
	}
	a->url = buf_take(&url, NULL);
	return 0;
}

int sf_authorize_init(
	struct sf_authorize *ret, const struct sf_authorize_config *config, struct error *err)
{
	AUTO(sf_authorize) struct sf_authorize a = {0};
	int r = random_text(STATE_BYTES, &a.state, err);

	if (r == 0) {
		r = random_text(VERIFIER_BYTES, &a.verifier, err);
	}
	if (r == 0) {
		r = build_url(config, &a, err);
	}
	if (r == 0) {
		*ret = a;
		memset(&a, 0, sizeof(a));
	}
	return r;
}

void sf_authorize_release(struct sf_authorize *a)
{
	token_string_free(a->url);
	token_string_free(a->state);
	token_string_free(a->verifier);
	memset(a, 0, sizeof(*a));
}
