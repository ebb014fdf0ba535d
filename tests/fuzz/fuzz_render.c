/* SPDX-License-Identifier: MIT */
/* A record as the org may send it, of an object with a field of every kind. */
#include "../unit/patch_fixture.h"
#include "forcefs/model/render.h"
#include "fuzz.h"

#define LIMIT (1u << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct schema *s;
	struct piece p;
	struct buf scratch, file, change;
	struct rendered filed;
	struct error err = {0};
	size_t fields = 0;

	(void)patch_base;
	if (!s) {
		must(schema_parse(patch_describe, strlen(patch_describe), &s, NULL) == 0);
	}
	pieces_cut(data, size, &p, 1);
	buf_init(&scratch, LIMIT);
	buf_init(&file, LIMIT);
	buf_init(&change, LIMIT);
	if (render_record(s, p.text, p.len, &scratch, &file, &filed, &err) == 0) {
		must(patch_make(s, buf_str(&file), file.len, buf_str(&file), file.len, &change,
			     &fields, &err) == 0);
		must(fields == 0 && change.len == 0);
	} else {
		must(err.errnum && err.text[0] && file.len == 0);
	}
	buf_release(&scratch);
	buf_release(&file);
	buf_release(&change);
	pieces_free(&p, 1);
	return 0;
}
