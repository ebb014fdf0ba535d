/* SPDX-License-Identifier: MIT */
/* A describe, and perhaps (after a NUL) a record: a schema, a file, and a file that says nothing
 * new. */
#include <errno.h>

#include "forcefs/model/patch.h"
#include "forcefs/model/render.h"
#include "forcefs/model/schema.h"
#include "fuzz.h"

#define LIMIT (1u << 24)

/* A file that nobody has edited is no change. */
static void unchanged(const struct schema *s, const struct buf *file)
{
	struct buf change;
	size_t fields = 0;
	struct error err = {0};
	int r;

	buf_init(&change, LIMIT);
	r = patch_make(
		s, buf_str(file), file->len, buf_str(file), file->len, &change, &fields, &err);
	must(r < 0 || fields == 0);
	must(change.len == 0);
	buf_release(&change);
}

static void render(const struct schema *s, const struct piece *record)
{
	struct buf scratch, once, twice;
	struct rendered filed;
	struct error err = {0};

	buf_init(&scratch, LIMIT);
	buf_init(&once, LIMIT);
	buf_init(&twice, LIMIT);
	if (render_record(s, record->text, record->len, &scratch, &once, &filed, &err) == 0) {
		must(once.len > 2 && buf_str(&once)[once.len - 1] == '\n');
		must(strlen(filed.id.text) == ID18_LEN);
		unchanged(s, &once);
		/* The file itself is a record as well, and gives itself. */
		if (render_record(s, buf_str(&once), once.len, &scratch, &twice, &filed, &err) ==
			0) {
			must(once.len == twice.len &&
				!memcmp(buf_str(&once), buf_str(&twice), once.len));
		}
	} else {
		must(err.errnum && err.text[0]);
	}
	buf_release(&scratch);
	buf_release(&once);
	buf_release(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct piece p[2];
	struct schema *s = NULL;
	struct error err = {0};
	struct buf list;

	pieces_cut(data, size, p, 2);
	if (schema_parse(p[0].text, p[0].len, &s, &err) == 0) {
		buf_init(&list, LIMIT);
		schema_add_field_list(s, &list);
		must(!list.len || !memchr(buf_str(&list), ' ', list.len));
		buf_release(&list);
		render(s, &p[1]);
	} else {
		must(err.errnum && err.text[0]);
	}
	schema_unref(s);
	pieces_free(p, 2);
	return 0;
}
