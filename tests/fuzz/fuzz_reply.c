/* SPDX-License-Identifier: MIT */
/* Replies of the REST API: a page of a query, a composite, a refusal. The first byte chooses the
 * status. */
#include <errno.h>

#include "fuzz.h"
#include "sf_priv.h"

static int hear(void *payload, const char *json, size_t len, struct error *err)
{
	size_t *n = payload;

	(void)err;
	must(json && len > 0);
	*n += len;
	return 0;
}

static void page(const struct piece *p)
{
	size_t heard = 0;
	struct remote_sink sink = {.record = hear, .payload = &heard};
	struct remote_page page = {0};
	struct error err = {0};

	if (page_read(p->text, p->len, &sink, &page, &err) == 0) {
		must(!page.next || page_next_ok(page.next));
		must(heard <= p->len);
	} else {
		must(err.errnum && err.text[0] && !page.next);
	}
	remote_page_release(&page);
}

static void composite(const struct piece *p)
{
	struct composite c = {0};
	struct error err = {0};

	composite_add(&c, "s0", "/services/data/v62.0/sobjects/Account/001")->method = "PATCH";
	composite_add(&c, "s1", "/services/data/v62.0/sobjects/Account/002")->method = "PATCH";
	composite_add(&c, "read", "/services/data/v62.0/query?q=x");
	if (composite_parse(&c, p->text, p->len, &err) == 0) {
		for (size_t i = 0; i < c.count; i++) {
			const struct part *part = &c.part[i];

			must(part->status != 0 || part->fault.errnum);
			must(!part->body.text || !strcmp(part->body.text, "null") ||
				(part->body.text >= p->text &&
					part->body.text + part->body.len <= p->text + p->len));
		}
	} else {
		must(err.errnum && err.text[0]);
	}
	composite_release(&c);
}

static void refusal(int status, const struct piece *p)
{
	static const char *const types[] = {"application/json", "text/html", "application/xml", ""};

	for (size_t i = 0; i < 4; i++) {
		struct error err = {0};
		int r = sf_error_decode(status, types[i], p->text, p->len, &err);

		must(r < 0 && err.errnum == -r && err.text[0]);
		must(memchr(err.code, 0, sizeof(err.code)) &&
			memchr(err.text, 0, sizeof(err.text)));
		for (const char *s = err.text; *s; s++) {
			must((unsigned char)*s >= ' ' && *s != 0x7f);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = {200, 300, 400, 401, 403, 404, 412, 420, 429, 500, 503, 999};
	struct piece p;

	if (size == 0) {
		return 0;
	}
	pieces_cut(data + 1, size - 1, &p, 1);
	page(&p);
	composite(&p);
	refusal(statuses[data[0] % 12], &p);
	pieces_free(&p, 1);
	return 0;
}
