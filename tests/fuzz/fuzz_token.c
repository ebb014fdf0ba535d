/* SPDX-License-Identifier: MIT */
/* Replies of the token endpoint; what they say ends in URLs and headers. The first byte chooses. */
#include "fuzz.h"
#include "sf_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const logins[] = {"https://login.salesforce.com",
		"https://acme.my.salesforce.com", "http://127.0.0.1:8080"};
	struct piece p;
	struct token token = {0};
	struct error err = {0};
	struct token_ask ask = {.org = "acme", .client_id = "3MVG9", .refresh = "5Aep"};

	if (size == 0) {
		return 0;
	}
	pieces_cut(data + 1, size - 1, &p, 1);
	ask.login_url = logins[data[0] % 3];
	ask.grant = data[0] & 4 ? SF_GRANT_CLIENT_CREDENTIALS : SF_GRANT_REFRESH_TOKEN;
	if (token_reply(&ask, data[0] & 8 ? 400 : 200,
		    data[0] & 16 ? "text/html" : "application/json", p.text, p.len, &token,
		    &err) == TOKEN_GRANTED) {
		must(token.access && token.access[0] && token.instance_url);
		must(token_instance_allowed(ask.login_url, token.instance_url));
		for (const char *s = token.access; *s; s++) {
			must(*s > ' ' && *s < 0x7f);
		}
	} else {
		must(err.errnum && err.text[0]);
	}
	token_release(&token);
	pieces_free(&p, 1);
	return 0;
}
