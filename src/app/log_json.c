/* SPDX-License-Identifier: MIT */
/* {"time":"…","level":"warn","module":"fs","pid":1,"text":"…"} */
#include "log_json.h"

#include <string.h>
#include <unistd.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/clock.h"
#include "forcefs/model/json_quote.h"
#include "forcefs/model/stamp.h"

static void add_text(struct buf *out, const char *name, const char *text)
{
	buf_addf(out, ",\"%s\":", name);
	json_quote(text, strlen(text), out);
}

size_t log_json(char *line, size_t size, enum log_level level, const char *module, const char *text)
{
	char time[32];
	AUTO(buf) struct buf out;
	buf_init(&out, size - 1);
	stamp_soql(clock_wall_ms(), time, sizeof(time));
	buf_addf(&out, "{\"time\":\"%s\"", time);
	add_text(&out, "level", log_level_word(level));
	add_text(&out, "module", module);
	buf_addf(&out, ",\"pid\":%ld", (long)getpid());
	add_text(&out, "text", text);
	buf_add_char(&out, '}');
	if (buf_failed(&out)) {
		return 0;
	}
	memcpy(line, out.data, out.len + 1);
	return out.len;
}
