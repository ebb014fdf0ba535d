/* SPDX-License-Identifier: MIT */
/* File names, Ids, patterns and datetimes: a name and (after a NUL) a second word. */
#include "forcefs/model/catalog.h"
#include "forcefs/model/body.h"
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

static void try_body_name(const struct piece *p)
{
	struct id id, again;
	char ext[BODY_EXT_MAX + 1], ext_again[BODY_EXT_MAX + 1], name[BODY_NAME_LEN + 1];

	if (!body_name_parse(p->text, "", &id, ext)) {
		return;
	}
	must(!record_name_parse(p->text, "", &again));
	body_name_write(&id, ext, name);
	must(!strchr(name, '/') && body_name_parse(name, "", &again, ext_again));
	must(!strcmp(id.text, again.text) && !strcmp(ext, ext_again));
}

/* What a record says of its body, whatever it says, makes a name that stands in the directory. */
static void try_body_facts(const struct piece *p)
{
	const struct schema schema = {.blob_field = (char[]){"Body"}};
	struct body_facts facts, again;
	char tag[BODY_TAG_SIZE], ext[BODY_EXT_MAX + 1], name[BODY_NAME_LEN + 1];
	struct id id;

	must(id_parse("001000000000001", ID15_LEN, &id));
	body_facts_read(&schema, p->text, p->len, &facts);
	must(facts.size >= -1);
	body_name_write(&id, facts.ext, name);
	must(body_name_parse(name, "001", &id, ext) && !strcmp(ext, facts.ext));
	body_tag_write(&facts, tag);
	body_tag_read(tag, &again);
	must(!strcmp(again.ext, facts.ext) && again.size == facts.size);
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
	try_body_name(&p[0]);
	try_body_facts(&p[0]);
	try_stamp(&p[0]);
	if (p[0].len < 200 && p[1].len < 200) {
		catalog_name_matches(p[1].text, p[0].text, true);
		must(catalog_name_matches("*", p[0].text, false) || !p[0].len);
	}
	pieces_free(p, 2);
	return 0;
}
