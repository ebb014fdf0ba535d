/* SPDX-License-Identifier: MIT */
/* What a finished transfer means. */
#include "net_priv.h"

#include <errno.h>

enum kind { BROKEN, UNREACHABLE, LATE, UNTRUSTED, CA_UNREADABLE, NO_MEMORY };

static enum kind kind_of(CURLcode result, bool replied)
{
	switch (result) {
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PROXY:
	case CURLE_INTERFACE_FAILED:
		return UNREACHABLE;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
		return replied ? BROKEN : UNREACHABLE;
	case CURLE_OPERATION_TIMEDOUT:
		return LATE;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
		return UNTRUSTED;
	case CURLE_SSL_CACERT_BADFILE:
		return CA_UNREADABLE;
	case CURLE_OUT_OF_MEMORY:
		return NO_MEMORY;
	default:
		return BROKEN;
	}
}

static int failure(const struct transfer *t, const char *host, struct error *err)
{
	long status = 0;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	const char *words = t->curl_text[0] ? t->curl_text : curl_easy_strerror(t->result);
	switch (kind_of(t->result, status != 0)) {
	case UNREACHABLE:
		return error_set(err, EHOSTUNREACH,
			"%s cannot be reached: %s. Check the network, the host's name and `proxy`.",
			host, words);
	case LATE:
		return error_set(err, ETIMEDOUT,
			"%s did not accept the connection in time: %s. Check the network and "
			"`proxy`.",
			host, words);
	case UNTRUSTED:
		return error_set(err, EACCES,
			"the certificate of %s cannot be trusted: %s. If a proxy inspects TLS "
			"here, name its CA in `ca_file`; otherwise check this machine's clock and "
			"CA certificates.",
			host, words);
	case CA_UNREADABLE:
		return error_set(err, EACCES,
			"the CA certificates cannot be read: %s. Check `ca_file`.", words);
	case NO_MEMORY:
		return error_set(err, ENOMEM, "out of memory");
	case BROKEN:
		break;
	}
	return error_set(err, EPROTO,
		"%s sent a broken reply: %s. Try again; if it stays, look at what lies in between.",
		host, words);
}

int transfer_result(struct transfer *t, const char *host, struct http_reply *ret, struct error *err)
{
	if (t->body_failed == -EFBIG) {
		return error_set(err, EFBIG,
			"the reply of %s is larger than the %zu bytes allowed for it", host,
			t->reply.body.limit_bytes);
	}
	if (t->body_failed < 0) {
		return error_set(err, ENOMEM, "out of memory");
	}
	if (t->stream_failed < 0) {
		return error_errno(err, -t->stream_failed, "%s the stream",
			t->sink.take ? "storing" : "reading");
	}
	if (t->result != CURLE_OK) {
		return failure(t, host, err);
	}
	long status = 0;
	curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
	*ret = t->reply;
	ret->status = (int)status;
	t->reply = (struct http_reply){0};
	return 0;
}
