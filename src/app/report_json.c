/* SPDX-License-Identifier: MIT */
#include "report_json.h"

#include <stdio.h>
#include <string.h>

#include "forcefs/base/buf.h"
#include "forcefs/model/json_quote.h"

#define TEXT_BYTES (1u << 20)

json_t *report_json(const char *text)
{
	AUTO(buf) struct buf quoted;
	buf_init(&quoted, TEXT_BYTES);
	json_t *string = text ? json_string(text) : json_null();
	if (string) {
		return string;
	}
	json_quote(text, strlen(text), &quoted);
	return json_loadb(buf_str(&quoted), quoted.len, JSON_DECODE_ANY, NULL);
}

void report_json_failure(const char *path, const struct error *err)
{
	json_t *answer =
		json_pack("{s:o, s:o}", "path", report_json(path), "error", report_json(err->text));
	json_dumpf(answer, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(answer);
}
