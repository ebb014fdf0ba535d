/* SPDX-License-Identifier: MIT */
/*
 * Which fields a file shows, and where (contract 4).
 *
 * A compound field repeats what its components say: an address, a geolocation, the name of a person
 * (Contact.Name of FirstName, LastName …). It is left out when a component is shown. In describe
 * the components name it in compoundFieldName. Account.Name names itself there: it is a component,
 * and the only name that a business account has, so it stays. A compound that is neither of these
 * (Opportunity.Fiscal) stays too: it can be read in no other field as it is written there.
 *
 * The place of a compound name, right after the Id, is taken by its components.
 */
#include "schema_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum place { PLACE_ID, PLACE_NAME, PLACE_BODY, PLACE_SYSTEM, PLACE_NOWHERE };

static const char *const system_fields[] = {"CreatedDate", "CreatedById", "LastModifiedDate",
	"LastModifiedById", "SystemModstamp", "LastActivityDate", "LastViewedDate",
	"LastReferencedDate", "IsDeleted"};

static bool is_system(const char *name)
{
	for (size_t i = 0; i < sizeof(system_fields) / sizeof(*system_fields); i++) {
		if (strcmp(name, system_fields[i]) == 0) {
			return true;
		}
	}
	return false;
}

static bool is_base64(const struct described *d)
{
	return strcmp(d->field.type, "base64") == 0;
}

static bool is_component_of(const struct described *d, const struct described *whole)
{
	return d != whole && d->compound && strcmp(d->compound, whole->field.name) == 0 &&
	       !d->hidden && !is_base64(d);
}

/* Describes of old API versions do not say what X__Latitude__s is a component of. */
static bool is_latitude_of(const struct described *d, const struct described *whole)
{
	static const char ending[] = "__Latitude__s";
	size_t whole_len = strlen(whole->field.name);
	size_t stem = whole_len > 3 ? whole_len - 3 : 0; /* X of X__c */

	return stem > 0 && strncmp(d->field.name, whole->field.name, stem) == 0 &&
	       strcmp(d->field.name + stem, ending) == 0 && !d->hidden;
}

static bool has_components(const struct describe *d, const struct described *whole)
{
	bool location = strcmp(whole->field.type, "location") == 0;

	for (size_t i = 0; i < d->count; i++) {
		if (is_component_of(&d->fields[i], whole) ||
			(location && is_latitude_of(&d->fields[i], whole))) {
			return true;
		}
	}
	return false;
}

static bool is_compound(const struct describe *d, const struct described *f)
{
	bool kind = f->is_name || strcmp(f->field.type, "address") == 0 ||
		    strcmp(f->field.type, "location") == 0;
	bool own_component = f->compound && strcmp(f->compound, f->field.name) == 0;

	return kind && !own_component && has_components(d, f);
}

/* Some objects have several name fields (Account with person accounts): the first is the one. */
static const struct described *name_field(const struct describe *d)
{
	for (size_t i = 0; i < d->count; i++) {
		if (d->fields[i].is_name && !d->fields[i].hidden && !is_base64(&d->fields[i])) {
			return &d->fields[i];
		}
	}
	return NULL;
}

static enum place place_of(
	const struct describe *d, const struct described *f, const struct described *name)
{
	if (f->hidden || is_base64(f) || is_compound(d, f)) {
		return PLACE_NOWHERE;
	}
	if (strcmp(f->field.name, "Id") == 0) {
		return PLACE_ID;
	}
	if (f == name || (name && is_component_of(f, name) && is_compound(d, name))) {
		return PLACE_NAME;
	}
	return is_system(f->field.name) ? PLACE_SYSTEM : PLACE_BODY;
}

static int note_blob(struct schema *s, const struct describe *d, struct error *err)
{
	for (size_t i = 0; i < d->count; i++) {
		if (is_base64(&d->fields[i]) && !d->fields[i].hidden) {
			s->blob_field = strdup(d->fields[i].field.name);
			s->blob_updateable = d->fields[i].field.updateable;
			return s->blob_field ? 0 : error_set(err, ENOMEM, "Out of memory.");
		}
	}
	return 0;
}

int schema_arrange(struct schema *s, struct describe *d, struct error *err)
{
	const struct described *name = name_field(d);
	AUTO_FREE enum place *places = calloc(d->count + 1, sizeof(*places));

	s->fields = calloc(d->count + 1, sizeof(*s->fields));
	if (!places || !s->fields) {
		return error_set(err, ENOMEM, "Out of memory while reading a describe.");
	}
	for (size_t i = 0; i < d->count; i++) {
		places[i] = place_of(d, &d->fields[i], name);
	}
	for (enum place place = PLACE_ID; place < PLACE_NOWHERE; place++) {
		for (size_t i = 0; i < d->count; i++) {
			if (places[i] == place) {
				s->fields[s->field_count++] = d->fields[i].field;
			}
		}
	}
	/* After the last look at the names: what was moved is not ours to free. */
	if (note_blob(s, d, err)) {
		s->field_count = 0;
		return -ENOMEM;
	}
	for (size_t i = 0; i < d->count; i++) {
		if (places[i] != PLACE_NOWHERE) {
			d->fields[i].field = (struct field){0};
		}
	}
	return 0;
}
