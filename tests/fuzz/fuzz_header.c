/* SPDX-License-Identifier: MIT */
/* Header values and URLs of the org's: limits, versions, pages, redirects, instances, identities.
 */
#include "forcefs/net/redirect.h"
#include "fuzz.h"
#include "sf_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const suffixes[] = {".salesforce.com", ".force.com", NULL};
	struct piece p[2];
	int64_t used = 0, max = 0;
	char version[8] = "", org[19] = "", user[19] = "";
	struct error err = {0};
	struct buf out;
	char *origin;

	pieces_cut(data, size, p, 2);
	if (usage_parse(p[0].text, &used, &max)) {
		must(used >= 0 && max >= 0);
	}
	if (versions_normal(p[0].text, version)) {
		must(strlen(version) < sizeof(version) && strchr(version, '.'));
	}
	if (page_next_ok(p[0].text)) {
		must(p[0].text[0] == '/' && !strpbrk(p[0].text, " \r\n\\#"));
	}
	if (redirect_allowed("https://acme.my.salesforce.com/x", p[0].text, suffixes)) {
		must(!strncasecmp(p[0].text, "https://", 8));
	}
	redirect_allowed(p[0].text, p[1].text, suffixes);
	token_instance_allowed(p[0].text, p[1].text);
	url_check(p[0].text, &err);
	origin = token_origin(p[0].text);
	free(origin);
	token_identity(p[0].text, org, user);
	must(memchr(org, 0, sizeof(org)) && memchr(user, 0, sizeof(user)));
	buf_init(&out, 1u << 24);
	must(soql_add_literal(&out, p[0].text, p[0].len) <= 0);
	buf_clear(&out);
	must(http_escape(p[0].text, p[0].len, &out) == 0);
	must(!out.len || !strpbrk(buf_str(&out), " \r\n&?#/'\""));
	buf_release(&out);
	pieces_free(p, 2);
	return 0;
}
