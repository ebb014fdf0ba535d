/* SPDX-License-Identifier: MIT */
/*
 * A request's body with a file in it, made piece by piece while it is sent. Any piece can be made
 * again: net asks anew when a request is sent a second time.
 *
 * Salesforce takes base64 within JSON up to some 37.5 MB of content, and parts of a form
 * (multipart/form-data) up to 500 MB (salesforce-api.md 2.5).
 */
#include "sf_priv.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define JSON_MAX_BYTES INT64_C(36000000) /* 48 million characters */
#define FORM_MAX_BYTES (INT64_C(500) << 20)
#define FRAME_BYTES    4096
#define GROUPS         8192 /* of three bytes, made at once */

/* ---- base64 ---- */

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static void encode_group(const unsigned char *in, size_t n, char out[4])
{
	unsigned a = in[0], b = n > 1 ? in[1] : 0, c = n > 2 ? in[2] : 0;

	out[0] = letters[a >> 2];
	out[1] = letters[(a & 3) << 4 | b >> 4];
	out[2] = n > 1 ? letters[(b & 15) << 2 | c >> 6] : '=';
	out[3] = n > 2 ? letters[c & 63] : '=';
}

/* All of size bytes from off on; short only at the end. */
static ssize_t give_fully(const struct remote_giver *g, uint64_t off, void *buf, size_t size)
{
	size_t done = 0;

	while (done < size && off + done < (uint64_t)g->len) {
		ssize_t n = g->give(g->payload, off + done, (char *)buf + done, size - done);
		if (n <= 0) {
			return n < 0 ? n : -EIO; /* it has shrunk */
		}
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* A piece of the encoded content, from its off-th character on. */
static ssize_t give_base64(const struct remote_giver *g, uint64_t off, char *buf, size_t size)
{
	unsigned char in[GROUPS * 3];
	char group[4];
	uint64_t first = off / 4;
	size_t skip = off % 4, out = 0;
	size_t groups = (size + skip + 3) / 4 < GROUPS ? (size + skip + 3) / 4 : GROUPS;
	ssize_t n = give_fully(g, first * 3, in, groups * 3);

	for (size_t at = 0; n > 0 && at < (size_t)n && out < size; at += 3, skip = 0) {
		size_t left = (size_t)n - at;
		encode_group(in + at, left < 3 ? left : 3, group);
		for (size_t i = skip; i < 4 && out < size; i++) {
			buf[out++] = group[i];
		}
	}
	return n < 0 ? n : (ssize_t)out;
}

/* ---- the whole: head, content, tail ---- */

static uint64_t content_len(const struct upload *u)
{
	uint64_t len = (uint64_t)u->content->len;

	return u->base64 ? (len + 2) / 3 * 4 : len;
}

static ssize_t give_text(const struct buf *text, uint64_t off, void *buf, size_t size)
{
	size_t n = text->len - (size_t)off;

	n = n < size ? n : size;
	memcpy(buf, text->data + off, n);
	return (ssize_t)n;
}

static ssize_t give(void *payload, uint64_t off, void *buf, size_t size)
{
	const struct upload *u = payload;
	uint64_t len = content_len(u);

	if (off < u->head.len) {
		return give_text(&u->head, off, buf, size);
	}
	off -= u->head.len;
	if (off >= len) {
		return off - len < u->tail.len ? give_text(&u->tail, off - len, buf, size) : 0;
	}
	size = len - off < size ? (size_t)(len - off) : size;
	return u->base64 ? give_base64(u->content, off, buf, size)
			 : give_fully(u->content, off, buf, size);
}

static void frame_json(struct upload *u, const char *field)
{
	u->base64 = true;
	snprintf(u->type, sizeof(u->type), "application/json");
	buf_addf(&u->head, "{\"%s\":\"", field);
	buf_add_str(&u->tail, "\"}");
}

/* The boundary is chance: no content holds it but by one in 2^128. */
static int frame_form(struct upload *u, const char *field, const char *file_name)
{
	unsigned char random[16];
	char boundary[2 * sizeof(random) + 1];

	if (getentropy(random, sizeof(random)) < 0) {
		return -errno;
	}
	for (size_t i = 0; i < sizeof(random); i++) {
		snprintf(boundary + 2 * i, 3, "%02x", random[i]);
	}
	snprintf(u->type, sizeof(u->type), "multipart/form-data; boundary=\"%s\"", boundary);
	buf_addf(&u->head,
		"--%s\r\nContent-Disposition: form-data; name=\"record\"\r\n"
		"Content-Type: application/json\r\n\r\n{}\r\n"
		"--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n"
		"Content-Type: application/octet-stream\r\n\r\n",
		boundary, boundary, field, file_name);
	buf_addf(&u->tail, "\r\n--%s--\r\n", boundary);
	return 0;
}

int upload_init(struct upload *u, const char *field, const char *file_name,
	const struct remote_giver *content, struct error *err)
{
	int r = 0;

	if (content->len > FORM_MAX_BYTES) {
		return error_set(err, EFBIG, "Salesforce takes files up to %lld MB only",
			(long long)(FORM_MAX_BYTES >> 20));
	}
	u->content = content;
	buf_init(&u->head, FRAME_BYTES);
	buf_init(&u->tail, FRAME_BYTES);
	if (content->len <= JSON_MAX_BYTES) {
		frame_json(u, field);
	} else {
		r = frame_form(u, field, file_name);
	}
	r = r < 0 ? r : buf_failed(&u->head) < 0 ? buf_failed(&u->head) : buf_failed(&u->tail);
	if (r < 0) {
		return error_errno(err, -r, "preparing the file");
	}
	u->source = (struct http_source){.give = give, .payload = u};
	u->source.len = (int64_t)(u->head.len + content_len(u) + u->tail.len);
	return 0;
}

void upload_release(struct upload *u)
{
	buf_release(&u->head);
	buf_release(&u->tail);
}
