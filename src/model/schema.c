/* SPDX-License-Identifier: MIT */
/* The life of a schema, and what is asked of it. */
#include "forcefs/model/schema.h"

#include <stdlib.h>
#include <string.h>

#include "schema_priv.h"

void field_release(struct field *f)
{
	free(f->name);
	free(f->type);
	*f = (struct field){0};
}

struct schema *schema_ref(struct schema *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void schema_unref(struct schema *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0) {
		return;
	}
	for (size_t i = 0; i < s->field_count; i++) {
		field_release(&s->fields[i]);
	}
	free(s->fields);
	free(s->object);
	free(s->blob_field);
	free(s);
}

const struct field *schema_field(const struct schema *s, const char *name)
{
	for (size_t i = 0; i < s->field_count; i++) {
		if (strcmp(s->fields[i].name, name) == 0) {
			return &s->fields[i];
		}
	}
	return NULL;
}

int schema_add_field_list(const struct schema *s, struct buf *out)
{
	for (size_t i = 0; i < s->field_count; i++) {
		if (i > 0) {
			buf_add_char(out, ',');
		}
		buf_add_str(out, s->fields[i].name);
	}
	return buf_failed(out);
}
