/* SPDX-License-Identifier: MIT */
/* The list of objects, the limits, the list of versions. */
#include <ctype.h>

#include "forcefs/model/catalog.h"
#include "forcefs/model/limits.h"
#include "fuzz.h"
#include "sf_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct piece p;
	struct catalog *c = NULL;
	struct limits limits;
	struct error err = {0};
	char version[8];

	pieces_cut(data, size, &p, 1);
	if (catalog_parse(p.text, p.len, &c, &err) == 0) {
		for (size_t i = 0; i < c->count; i++) {
			const char *name = c->entries[i].name;

			must(name[0] && strlen(name) <= 80);
			for (const char *s = name; *s; s++) {
				must(isalnum((unsigned char)*s) || *s == '_');
			}
			must(catalog_find(c, name) && catalog_find_any_case(c, name));
		}
	} else {
		must(err.errnum && err.text[0]);
	}
	catalog_free(c);
	err = (struct error){0};
	must(limits_parse(p.text, p.len, &limits, &err) == 0 || err.text[0]);
	err = (struct error){0};
	must(versions_choose(p.text, p.len, version, &err) == 0 || err.text[0]);
	pieces_free(&p, 1);
	return 0;
}
