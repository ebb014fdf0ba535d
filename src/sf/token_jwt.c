/* SPDX-License-Identifier: MIT */
/*
 * The assertion of the JWT bearer grant: {"alg":"RS256"} and who asks whom for whom until when,
 * signed with the key whose certificate lies with the app. OpenSSL signs. The key is read for each
 * signature and wiped after it: once per session, which costs nothing.
 */
#include "sf_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/paths.h"

#define LIFE_S            120 /* Salesforce takes up to 180 by its own clock */
#define KEY_LIMIT_BYTES   (64u << 10)
#define TOKEN_LIMIT_BYTES (32u << 10)

/* ---- the key ---- */

/* Instead of OpenSSL's question at the terminal. */
static int no_passphrase(char *buf, int size, int writing, void *payload)
{
	(void)buf;
	(void)size;
	(void)writing;
	*(bool *)payload = true;
	return -1;
}

static int check_mode(const char *path, struct error *err)
{
	struct stat st;

	if (stat(path, &st) == 0 && (st.st_mode & 077)) {
		return error_set(err, EACCES,
			"other users can read the private key; run: chmod 600 %s", path);
	}
	return 0;
}

static int parse_key(
	const char *path, const char *text, size_t len, EVP_PKEY **ret, struct error *err)
{
	bool locked = false;
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, &locked) : NULL;

	BIO_free(bio);
	if (!key) {
		return error_set(err, EACCES,
			locked ? "the private key %s is locked with a passphrase; make a copy "
				 "without: openssl pkey -in FILE -out FILE2"
			       : "%s holds no private key in PEM form (-----BEGIN PRIVATE "
				 "KEY-----)",
			path);
	}
	if (!EVP_PKEY_is_a(key, "RSA")) {
		EVP_PKEY_free(key);
		return error_set(err, EACCES,
			"the private key %s is no RSA key, which Salesforce asks for", path);
	}
	*ret = key;
	return 0;
}

static int read_key(const char *path, EVP_PKEY **ret, struct error *err)
{
	AUTO_FREE char *text = NULL;
	size_t len = 0;
	int r = check_mode(path, err);

	if (r == 0) {
		r = paths_read_file(path, KEY_LIMIT_BYTES, &text, &len, err);
	}
	if (r == 0) {
		r = parse_key(path, text ? text : "", len, ret, err);
	}
	if (text) {
		explicit_bzero(text, len);
	}
	return r;
}

/* ---- the token ---- */

static int add_claims(const struct token_ask *ask, struct buf *out)
{
	json_t *claims = json_pack("{s:s, s:s, s:s, s:I}", "iss", ask->client_id, "sub", ask->user,
		"aud", ask->login_url, "exp", (json_int_t)(clock_wall_ms() / 1000 + LIFE_S));
	char *text = claims ? json_dumps(claims, JSON_COMPACT) : NULL;
	int r = text ? base64url_add(out, text, strlen(text)) : -ENOMEM;

	free(text);
	json_decref(claims);
	return r;
}

static int add_signature(EVP_PKEY *key, struct buf *out)
{
	unsigned char signature[2048]; /* of a key of 16384 bits */
	size_t len = sizeof(signature);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_PKEY_get_size(key) <= (int)sizeof(signature) &&
		  EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
		  EVP_DigestSign(
			  ctx, signature, &len, (const unsigned char *)out->data, out->len) == 1;

	EVP_MD_CTX_free(ctx);
	if (!ok) {
		return -EIO;
	}
	buf_add_char(out, '.');
	return base64url_add(out, signature, len);
}

static int build(const struct token_ask *ask, EVP_PKEY *key, struct buf *out, struct error *err)
{
	static const char header[] = "{\"alg\":\"RS256\"}";
	int r = base64url_add(out, header, sizeof(header) - 1);

	if (r == 0) {
		r = buf_add_char(out, '.');
	}
	if (r == 0) {
		r = add_claims(ask, out);
	}
	if (r == 0) {
		r = add_signature(key, out);
	}
	return r < 0 ? error_set(err, -r,
			       "the request for a token cannot be signed with the key %s",
			       ask->key_file)
		     : 0;
}

int token_jwt(const struct token_ask *ask, char **ret, struct error *err)
{
	EVP_PKEY *key = NULL;
	struct buf out;
	int r = read_key(ask->key_file, &key, err);

	if (r < 0) {
		return r;
	}
	buf_init(&out, TOKEN_LIMIT_BYTES);
	r = build(ask, key, &out, err);
	EVP_PKEY_free(key);
	if (r == 0) {
		*ret = buf_take(&out, NULL);
	}
	token_buf_wipe(&out);
	return r;
}
