/* SPDX-License-Identifier: MIT */
/* What a person pastes at a log-in: an address, a code, an SFDX auth URL. The first byte chooses.
 */
#include "callback.h"
#include "fuzz.h"
#include "sfdx_url.h"

static void paste(const struct piece *p)
{
	struct callback_answer a = {0};
	struct error err = {0};

	if (callback_parse_pasted(p->text, "s1", &a, &err) == 0) {
		must((a.code && a.code[0]) || (a.error && a.error[0]));
	} else {
		must(err.errnum && err.text[0] && !a.code && !a.error);
	}
	callback_answer_release(&a);
}

static void listen_at(const struct piece *p)
{
	struct callback c;
	struct error err = {0};

	if (callback_parse(p->text, &c, &err) == 0) {
		must(c.host[0] && c.port > 0 && c.path[0] == '/');
	} else {
		must(err.errnum && err.text[0]);
	}
}

static void take_sfdx(const struct piece *p)
{
	struct sfdx_url u = {0};
	struct error err = {0};

	if (sfdx_url_parse(p->text, p->len, &u, &err) == 0) {
		must(u.client_id[0] && u.refresh_token[0]);
		must(!strncmp(u.login_url, "https://", 8) || !strncmp(u.login_url, "http://", 7));
	} else {
		must(err.errnum && err.text[0] && !u.refresh_token);
	}
	sfdx_url_release(&u);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const takers[])(const struct piece *p) = {paste, listen_at, take_sfdx};
	struct piece p;

	if (size == 0) {
		return 0;
	}
	pieces_cut(data + 1, size - 1, &p, 1);
	takers[data[0] % 3](&p);
	pieces_free(&p, 1);
	return 0;
}
