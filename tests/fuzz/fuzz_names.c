/* SPDX-License-Identifier: MIT */
/* File names, Ids, patterns and datetimes: a name and (after a NUL) a second word. */
#include "forcefs/model/catalog.h"
#include "forcefs/model/id.h"
#include "forcefs/model/names.h"
#include "forcefs/model/stamp.h"
#include "fuzz.h"

#define YEAR_1700_MS INT64_C(-8520336000000)
#define YEAR_4000_MS INT64_C(64060588800000)

static void try_id(const struct piece *p)
{
	struct id id = {.text = ""}, again;

	if (!id_parse(p->text, p->len, &id)) {
		return;
	}
	must(strlen(id.text) == ID18_LEN);
	must(id_parse(id.text, ID18_LEN, &again) && !strcmp(id.text, again.text));
	must(id_parse(id.text, ID15_LEN, &again) && !strcmp(id.text, again.text));
	must(id_has_prefix(&id, ""));
}

static void try_name(const struct piece *p, const char *prefix)
{
	struct id id, again;
	char name[RECORD_NAME_LEN + 1];

	if (strlen(prefix) != 3 || !record_name_parse(p->text, prefix, &id)) {
		return;
	}
	must(!memcmp(id.text, prefix, 3));
	record_name_write(&id, name);
	must(strlen(name) == RECORD_NAME_LEN && !strchr(name, '/'));
	must(record_name_parse(name, "", &again) && !strcmp(id.text, again.text));
}

static void try_stamp(const struct piece *p)
{
	int64_t ms, again, s;
	long ns;
	char text[64];

	if (!stamp_parse(p->text, p->len, &ms)) {
		return;
	}
	stamp_soql(ms, text, sizeof(text));
	must(strlen(text) > 0 && strlen(text) < sizeof(text) - 1);
	/* Salesforce's own years; what lies outside of them is cut to them */
	if (ms >= YEAR_1700_MS && ms < YEAR_4000_MS) {
		must(stamp_parse(text, strlen(text), &again) && again == ms);
	}
	stamp_http(ms, text, sizeof(text));
	must(strlen(text) < sizeof(text) - 1);
	stamp_mtime(ms, 0x0123456789abcdef, &s, &ns);
	must(ns >= 0 && ns < 1000000000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct piece p[2];

	pieces_cut(data, size, p, 2);
	try_id(&p[0]);
	try_name(&p[0], p[1].text);
	try_name(&p[0], "001");
	try_stamp(&p[0]);
	if (p[0].len < 200 && p[1].len < 200) {
		catalog_name_matches(p[1].text, p[0].text, true);
		must(catalog_name_matches("*", p[0].text, false) || !p[0].len);
	}
	pieces_free(p, 2);
	return 0;
}
