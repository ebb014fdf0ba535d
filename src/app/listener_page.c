/* SPDX-License-Identifier: MIT */
#include "listener_page.h"

#include <string.h>

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	"<meta name=\"robots\" content=\"noindex\">\n<style>\n"
	":root{color-scheme:light dark;--ground:#f4f6f9;--card:#fff;--ink:#16191f;--soft:#5a6270;"
	"--line:#dfe3ea;--good:#1f7a4d;--bad:#b3382c}\n"
	"@media(prefers-color-scheme:dark){:root{--ground:#14171c;--card:#1d2128;--ink:#eceff4;"
	"--soft:#a3abb8;--line:#323843;--good:#5cc391;--bad:#f08a7d}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;"
	"padding:24px;background:var(--ground);color:var(--ink);"
	"font:16px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,sans-serif}\n"
	"main{width:100%;max-width:520px;background:var(--card);border:1px solid var(--line);"
	"border-radius:12px;padding:36px 40px}\n"
	"svg{display:block;width:44px;height:44px;margin-bottom:18px}\n"
	"h1{font-size:23px;line-height:1.3;margin:0 0 8px;font-weight:600}\n"
	"p{margin:0;color:var(--soft);overflow-wrap:anywhere}\n"
	"p.next{margin-top:20px;color:var(--ink)}\n"
	"pre{margin:10px 0 0;padding:11px 14px;background:var(--ground);border:1px solid "
	"var(--line);border-radius:8px;white-space:pre-wrap;overflow-wrap:anywhere;"
	"font:14px/1.5 ui-monospace,\"Cascadia Mono\",Menlo,Consolas,monospace}\n"
	"footer{margin-top:26px;padding-top:14px;border-top:1px solid var(--line);font-size:13px;"
	"color:var(--soft)}\n"
	"</style>\n";

#define SIGN(color, shape)                                                                         \
	"<svg viewBox=\"0 0 44 44\" fill=\"none\" stroke=\"var(" color ")\" stroke-width=\"3\" "   \
	"stroke-linecap=\"round\" stroke-linejoin=\"round\" aria-hidden=\"true\">"                 \
	"<circle cx=\"22\" cy=\"22\" r=\"20\"/><path d=\"" shape "\"/></svg>\n"

static void add_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '&':
			buf_add_str(out, "&amp;");
			break;
		case '<':
			buf_add_str(out, "&lt;");
			break;
		case '>':
			buf_add_str(out, "&gt;");
			break;
		case '"':
			buf_add_str(out, "&quot;");
			break;
		default:
			buf_add_char(out, *text);
		}
	}
}

static void add_element(struct buf *out, const char *open, const char *text, const char *close)
{
	if (text && *text) {
		buf_add_str(out, open);
		add_text(out, text);
		buf_add_str(out, close);
	}
}

int listener_page_write(const struct listener_page *page, struct buf *out)
{
	buf_add_str(out, head);
	add_element(out, "<title>", page->title, " · forcefs</title>\n");
	buf_add_str(out, "</head>\n<body>\n<main>\n");
	buf_add_str(out, page->good ? SIGN("--good", "M13.5 22.5l6 6L31 16.5")
				    : SIGN("--bad", "M15.5 15.5l13 13M28.5 15.5l-13 13"));
	add_element(out, "<h1>", page->title, "</h1>\n");
	add_element(out, "<p>", page->text, "</p>\n");
	add_element(out, "<p class=\"next\">", page->next, "</p>\n");
	add_element(out, "<pre>", page->code, "</pre>\n");
	buf_add_str(out, "<footer>forcefs: a Salesforce org as a directory</footer>\n");
	return buf_add_str(out, "</main>\n</body>\n</html>\n");
}
