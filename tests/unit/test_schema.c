/* SPDX-License-Identifier: MIT */
/* Schemas: order, what is left out, stamps, hashes; on hand-made and recorded describes. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/model/schema.h"
#include "recorded.h"

/* A describe with these fields, parsed; it must be right. */
static struct schema *with_fields(const char *fields)
{
	AUTO(buf) struct buf json;
	struct schema *s = NULL;
	struct error err = {0};

	buf_init(&json, 1 << 20);
	buf_addf(&json,
		"{\"fields\":[%s],\"name\":\"Thing__c\",\"keyPrefix\":\"a01\",\"queryable\":true}",
		fields);
	if (schema_parse(json.data, json.len, &s, &err)) {
		fail_msg("%s", err.text);
	}
	return s;
}

static void assert_list(const struct schema *s, const char *wanted)
{
	AUTO(buf) struct buf list;

	buf_init(&list, 1 << 20);
	assert_int_equal(schema_add_field_list(s, &list), 0);
	assert_string_equal(buf_str(&list), wanted);
}

#define F(name, type)        "{\"name\":\"" name "\",\"type\":\"" type "\"}"
#define FX(name, type, more) "{\"name\":\"" name "\",\"type\":\"" type "\"," more "}"
#define PART(whole)          "\"compoundFieldName\":\"" whole "\""
#define NAME                 "\"nameField\":true"

static void test_schema_parse__orders_and_leaves_out(void **state)
{
	(void)state;
	static const struct {
		const char *fields, *list;
	} table[] = {
		{"", ""},
		{F("B", "string") "," F("Id", "id") "," F("A", "string"), "Id,B,A"},
		/* name field after Id, system fields last in describe's order */
		{F("SystemModstamp", "datetime") "," F("IsDeleted", "boolean") "," F(
			 "B", "string") "," F("CreatedDate", "datetime") "," F("CreatedById",
			 "reference") "," F("LastModifiedDate", "datetime") "," F("A",
			 "string") "," FX("CaseNumber", "string", NAME) "," F("Id",
			 "id") "," F("LastModifiedById", "reference") "," F("LastActivityDate",
			 "date") "," F("LastViewedDate", "datetime") "," F("LastReferencedDate",
			 "datetime"),
			"Id,CaseNumber,B,A,SystemModstamp,IsDeleted,CreatedDate,CreatedById,"
			"LastModifiedDate,LastModifiedById,LastActivityDate,LastViewedDate,"
			"LastReferencedDate"},
		/* of several name fields the first */
		{F("Id", "id") "," F("A", "string") "," FX("N1", "string", NAME) "," F(
			 "B", "string") "," FX("N2", "string", NAME),
			"Id,N1,A,B,N2"},
		/* base64, hidden */
		{F("Id", "id") "," F("Body", "base64") "," FX(
			 "Old", "string", "\"deprecatedAndHidden\":true") "," F("A", "string"),
			"Id,A"},
		{F("Id", "id") "," FX("Old", "string", "\"deprecatedAndHidden\":true," NAME) "," F(
			 "A", "string") "," FX("New", "string", NAME),
			"Id,New,A"},
		/* an address is what its components are, but not without one */
		{F("Id", "id") "," FX("City", "string", PART("Address")) "," F(
			 "Address", "address"),
			"Id,City"},
		{F("Id", "id") "," F("Address", "address"), "Id,Address"},
		{F("Id", "id") "," FX("City", "string",
			 "\"deprecatedAndHidden\":true," PART("Address")) "," F("Address",
			 "address"),
			"Id,Address"},
		/* locations, with and without compoundFieldName */
		{F("Id", "id") "," FX("P__Latitude__s", "double", PART("P__c")) "," FX(
			 "P__Longitude__s", "double", PART("P__c")) "," F("P__c", "location"),
			"Id,P__Latitude__s,P__Longitude__s"},
		{F("Id", "id") "," F("P__Latitude__s", "double") "," F(
			 "P__Longitude__s", "double") "," F("P__c", "location"),
			"Id,P__Latitude__s,P__Longitude__s"},
		{F("Id", "id") "," F("Q__Latitude__s", "double") "," F("P__c", "location"),
			"Id,Q__Latitude__s,P__c"},
		/* a person's name: the components stand in its place */
		{F("Id", "id") "," F("A", "string") "," FX("LastName", "string",
			 PART("Name")) "," FX("FirstName", "string", PART("Name")) "," FX("Name",
			 "string",
			 NAME) "," F("B", "string") "," FX("Salutation", "picklist", PART("Name")),
			"Id,LastName,FirstName,Salutation,A,B"},
		/* Account.Name: its own component, with or without those of person accounts */
		{F("Id", "id") "," F("A", "string") "," FX(
			 "Name", "string", NAME "," PART("Name") ",\"updateable\":true"),
			"Id,Name,A"},
		{F("Id", "id") "," F("A", "string") "," FX(
			 "Name", "string", NAME "," PART("Name")) "," FX("LastName", "string",
			 NAME
			 "," PART("Name")) "," FX("FirstName", "string", NAME "," PART("Name")),
			"Id,Name,A,LastName,FirstName"},
		/* a name whose components are not shown stays */
		{F("Id", "id") "," F("A", "string") "," FX("Name", "string", NAME), "Id,Name,A"},
		/* a compound that is no name, as Opportunity.Fiscal */
		{F("Id", "id") "," FX("FiscalYear", "int", PART("Fiscal")) "," F(
			 "Fiscal", "string"),
			"Id,FiscalYear,Fiscal"},
		/* compoundFieldName of a field that is not there */
		{F("Id", "id") "," FX("A", "string", PART("Gone")), "Id,A"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		AUTO(schema) struct schema *s = with_fields(table[i].fields);

		assert_list(s, table[i].list);
	}
}

static void test_schema_parse__reads_what_is_said_of_a_field(void **state)
{
	(void)state;
	AUTO(schema)
	struct schema *s = with_fields(FX("A", "picklist",
		"\"length\":255,\"updateable\":true,\"createable\":true,\"nillable\":true,"
		"\"defaultedOnCreate\":true,\"calculated\":true,\"filterable\":true,"
		"\"sortable\":true,\"restrictedPicklist\":true,"
		"\"picklistValues\":[{\"value\":\"x\"}]") "," FX("B", "string",
		"\"length\":null,\"updateable\":null,\"compoundFieldName\":null") "," FX("C",
		"string", "\"length\":99999999999999999999,\"updateable\":\"yes\""));
	const struct field *a = schema_field(s, "A");
	const struct field *b = schema_field(s, "B");

	assert_int_equal(a->length, 255);
	assert_true(a->updateable && a->createable && a->nillable && a->defaulted_on_create &&
		    a->calculated && a->filterable && a->sortable && a->restricted_picklist);
	assert_int_equal(b->length, 0);
	assert_false(b->updateable || b->createable || b->nillable || b->defaulted_on_create ||
		     b->calculated || b->filterable || b->sortable || b->restricted_picklist);
	assert_int_equal(schema_field(s, "C")->length, INT32_MAX);
	assert_false(schema_field(s, "C")->updateable);
	assert_null(schema_field(s, "a"));
	assert_null(schema_field(s, ""));
	assert_string_equal(s->object, "Thing__c");
	assert_string_equal(s->key_prefix, "a01");
	assert_true(s->queryable);
	assert_false(s->retrieveable || s->replicateable || s->createable || s->updateable ||
		     s->deletable || s->has_is_deleted);
	assert_null(s->blob_field);
	assert_null(s->stamp_field);
}

static void test_schema_parse__kinds(void **state)
{
	(void)state;
	static const struct {
		const char *type;
		enum field_kind kind;
	} table[] = {
		{"id", FIELD_ID},
		{"reference", FIELD_ID},
		{"string", FIELD_TEXT},
		{"textarea", FIELD_TEXT},
		{"picklist", FIELD_TEXT},
		{"multipicklist", FIELD_TEXT},
		{"combobox", FIELD_TEXT},
		{"phone", FIELD_TEXT},
		{"email", FIELD_TEXT},
		{"url", FIELD_TEXT},
		{"encryptedstring", FIELD_TEXT},
		{"int", FIELD_NUMBER},
		{"long", FIELD_NUMBER},
		{"double", FIELD_NUMBER},
		{"currency", FIELD_NUMBER},
		{"percent", FIELD_NUMBER},
		{"boolean", FIELD_BOOLEAN},
		{"date", FIELD_DATE},
		{"datetime", FIELD_DATETIME},
		{"time", FIELD_TIME},
		{"anyType", FIELD_OTHER},
		{"complexvalue", FIELD_OTHER},
		{"json", FIELD_OTHER},
		{"newInV99", FIELD_OTHER},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char field[100];

		snprintf(field, sizeof(field), F("A", "%s"), table[i].type);
		AUTO(schema) struct schema *s = with_fields(field);
		assert_int_equal(s->fields[0].kind, table[i].kind);
		assert_string_equal(s->fields[0].type, table[i].type);
	}
}

static void test_schema_parse__finds_the_stamp(void **state)
{
	(void)state;
	static const struct {
		const char *fields, *stamp;
		bool filterable, moves;
	} table[] = {
		{F("CreatedDate", "datetime") "," F("LastModifiedDate", "datetime") "," FX(
			 "SystemModstamp", "datetime", "\"filterable\":true"),
			"SystemModstamp", true, true},
		{FX("CreatedDate", "datetime", "\"filterable\":true") "," F(
			 "LastModifiedDate", "datetime"),
			"LastModifiedDate", false, true},
		{FX("CreatedDate", "datetime", "\"filterable\":true"), "CreatedDate", true, false},
		{F("SystemModstamp", "string") "," F("CreatedDate", "datetime"), "CreatedDate",
			false, false},
		{F("A", "datetime"), NULL, false, false},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		AUTO(schema) struct schema *s = with_fields(table[i].fields);

		if (table[i].stamp) {
			assert_string_equal(s->stamp_field, table[i].stamp);
		} else {
			assert_null(s->stamp_field);
		}
		assert_int_equal(s->stamp_filterable, table[i].filterable);
		assert_int_equal(s->stamp_moves, table[i].moves);
	}
}

static void test_schema_parse__notes_blob_and_deleted(void **state)
{
	(void)state;
	AUTO(schema)
	struct schema *s = with_fields(FX("Gone", "base64", "\"deprecatedAndHidden\":true") "," F(
		"Body", "base64") "," F("Body2", "base64") "," F("IsDeleted", "boolean"));

	assert_string_equal(s->blob_field, "Body");
	assert_true(s->has_is_deleted);
	assert_int_equal(s->field_count, 1);
}

static uint64_t hash_of(const char *fields)
{
	AUTO(schema) struct schema *s = with_fields(fields);

	return s->hash;
}

static void test_schema_parse__hash_tells_what_shapes_a_file(void **state)
{
	(void)state;
	uint64_t h = hash_of(F("A", "string") "," F("B", "string"));

	assert_true(h == hash_of(F("A", "string") "," F("B", "string")));
	assert_true(h == hash_of(FX("A", "string", "\"label\":\"x\",\"updateable\":true") "," F(
				 "B", "string")));
	assert_true(h == hash_of(F("A", "string") "," F("X", "base64") "," F("B", "string")));
	assert_true(h != hash_of(F("B", "string") "," F("A", "string")));
	assert_true(h != hash_of(F("A", "string")));
	assert_true(h != hash_of(F("A", "string") "," F("B", "double")));
	assert_true(h != hash_of(F("A", "string") "," F("BB", "string")));
}

static void test_schema_parse__refuses(void **state)
{
	(void)state;
	static const char two_of_one_name[] =
		"{\"name\":\"A\",\"fields\":[{\"name\":\"B\",\"type\":\"id\"},"
		"{\"name\":\"C\",\"type\":\"id\"},{\"name\":\"B\",\"type\":\"string\"}]}";
	static const char *const wrong[] = {"", "[]", "{}", "null", "{\"name\":\"A\"}",
		"{\"fields\":[]}", "{\"name\":\"A\",\"fields\":{}}",
		"{\"name\":\"A\",\"fields\":null}", "{\"name\":\"A/b\",\"fields\":[]}",
		"{\"name\":7,\"fields\":[]}", "{\"name\":\"A\",\"fields\":[1]}",
		"{\"name\":\"A\",\"fields\":[{}]}",
		"{\"name\":\"A\",\"fields\":[{\"name\":\"B\"}]}",
		"{\"name\":\"A\",\"fields\":[{\"type\":\"id\"}]}",
		"{\"name\":\"A\",\"fields\":[{\"name\":\"B,C\",\"type\":\"id\"}]}",
		"{\"name\":\"A\",\"fields\":[{\"name\":\"B\",\"type\":\"id\"}", two_of_one_name};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct schema *s = NULL;
		struct error err = {0};

		assert_int_equal(schema_parse(wrong[i], strlen(wrong[i]), &s, &err), -EPROTO);
		assert_null(s);
		assert_int_equal(err.errnum, EPROTO);
	}
}

static void test_schema__is_shared_by_count(void **state)
{
	(void)state;
	struct schema *s = with_fields(F("Id", "id"));

	assert_ptr_equal(schema_ref(s), s);
	schema_unref(s);
	assert_list(s, "Id");
	schema_unref(s);
	schema_unref(NULL);
}

/* "…,name,…" in the list of fields. */
static bool shows(const struct schema *s, const char *name)
{
	return schema_field(s, name) != NULL;
}

static void assert_starts(const struct schema *s, const char *wanted)
{
	AUTO(buf) struct buf list;

	buf_init(&list, 1 << 20);
	assert_int_equal(schema_add_field_list(s, &list), 0);
	if (strncmp(buf_str(&list), wanted, strlen(wanted)) != 0) {
		fail_msg("%s: %.100s", s->object, buf_str(&list));
	}
}

static void test_schema_parse__recorded(void **state)
{
	(void)state;
	static const struct {
		const char *file, *object, *prefix, *starts;
		size_t count;
		const char *gone, *there;
	} table[] = {
		{"cumulusci-Account", "Account", "001", "Id,Name,MasterRecordId,Type,", 66,
			"BillingAddress", "BillingCity"},
		{"cumulusci-Account-PersonAccount", "Account", "001",
			"Id,Name,MasterRecordId,LastName,FirstName,Salutation,", 246,
			"PersonMailingAddress", "PersonMailingCity"},
		{"nango-v58-Account", "Account", "001", "Id,Name,", 68, "ShippingAddress",
			"ShippingStateCode"},
		{"swiftly-Account-namespaced", "Account", "001", "Id,Name,", 69, "BillingAddress",
			"BillingStreet"},
		{"cumulusci-Contact", "Contact", "003", "Id,LastName,FirstName,Salutation,", 56,
			"Name", "MailingCity"},
		{"cumulusci-Lead", "Lead", "00Q", "Id,LastName,FirstName,Salutation,", 52, "Name",
			"City"},
		/* old API versions do not tell compounds */
		{"toolkit-net-User", "User", "005", "Id,Name,Username,LastName,FirstName,", 103, "",
			"Name"},
		{"restforce-db-2015-Contact", "Contact", "003", "Id,Name,", 55, "", "LastName"},
		{"cumulusci-Case", "Case", "500", "Id,CaseNumber,", 35, "", "Subject"},
		{"cumulusci-Custom__c", "Custom__c", "aB5", "Id,Name,CustomField__c", 3, "",
			"Name"},
		{"cumulusci-Event", "Event", "00U", "Id,Subject,", 48, "", "WhoId"},
		{"nango-v60-Task", "Task", "00T", "Id,Subject,", 39, "", "WhatId"},
		{"nango-v60-Knowledge__kav", "Knowledge__kav", "ka0", "Id,Title,", 42, "",
			"UrlName"},
		{"cumulusci-Opportunity", "Opportunity", "006", "Id,Name,", 40, "", "Fiscal"},
		{"cumulusci-OpportunityContactRole", "OpportunityContactRole", "00K", "Id,", 11, "",
			"Role"},
		{"openfn-Asset", "Asset", "02i", "Id,Name,", 25, "", "Price"},
		{"openfn-vera__Attendance__c", "vera__Attendance__c", "a0S", "Id,Name,", 24, "",
			"OwnerId"},
		{"restforce-Whizbang", "Whizbang", "a01", "Id,Name,", 30, "", "Name"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		AUTO(schema) struct schema *s = NULL;
		struct error err = {0};
		char file[200];
		size_t len;

		snprintf(file, sizeof(file), "describe/%s.json", table[i].file);
		AUTO_FREE char *json = recorded(file, &len);
		if (!json) {
			skip();
		}
		if (schema_parse(json, len, &s, &err)) {
			fail_msg("%s: %s", file, err.text);
		}
		assert_string_equal(s->object, table[i].object);
		assert_string_equal(s->key_prefix, table[i].prefix);
		assert_starts(s, table[i].starts);
		if (s->field_count != table[i].count) {
			fail_msg("%s shows %zu fields", file, s->field_count);
		}
		assert_false(shows(s, table[i].gone));
		assert_true(shows(s, table[i].there));
	}
}

static void test_schema_parse__recorded_details_of_account(void **state)
{
	(void)state;
	AUTO(schema) struct schema *s = NULL;
	size_t len;
	AUTO_FREE char *json = recorded("describe/cumulusci-Account.json", &len);

	if (!json) {
		skip();
	}
	assert_int_equal(schema_parse(json, len, &s, NULL), 0);
	assert_string_equal(s->stamp_field, "SystemModstamp");
	assert_true(s->stamp_filterable && s->stamp_moves && s->has_is_deleted);
	assert_true(s->queryable && s->retrieveable && s->replicateable && s->createable &&
		    s->updateable && s->deletable);
	assert_true(schema_field(s, "Name")->updateable);
	assert_int_equal(schema_field(s, "Name")->length, 255);
	assert_false(schema_field(s, "Id")->updateable);
	assert_int_equal(schema_field(s, "AnnualRevenue")->kind, FIELD_NUMBER);
	assert_int_equal(schema_field(s, "IsDeleted")->kind, FIELD_BOOLEAN);
	assert_string_equal(s->fields[0].name, "Id");
	assert_int_equal(s->fields[0].kind, FIELD_ID);
	assert_null(s->blob_field);
	/* what follows the first system field is system fields */
	const struct field *deleted = schema_field(s, "IsDeleted");
	for (const struct field *f = deleted + 1; f < s->fields + s->field_count; f++) {
		assert_true(strncmp(f->name, "Created", 7) == 0 ||
			    strncmp(f->name, "Last", 4) == 0 ||
			    strcmp(f->name, "SystemModstamp") == 0);
	}
	assert_true(s->fields + s->field_count - deleted == 9);
}

static void test_schema_parse__recorded_other_replies(void **state)
{
	(void)state;
	static const char *const files[] = {"describe/restforce-describe-error.json",
		"describe/nango-v63-Account-basic-info.json",
		"describe-global/cumulusci-global.json", "record/nango-v62-Account.json"};

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		struct schema *s = NULL;
		size_t len;
		AUTO_FREE char *json = recorded(files[i], &len);

		if (!json) {
			skip();
		}
		assert_int_equal(schema_parse(json, len, &s, NULL), -EPROTO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_schema_parse__orders_and_leaves_out),
		cmocka_unit_test(test_schema_parse__reads_what_is_said_of_a_field),
		cmocka_unit_test(test_schema_parse__kinds),
		cmocka_unit_test(test_schema_parse__finds_the_stamp),
		cmocka_unit_test(test_schema_parse__notes_blob_and_deleted),
		cmocka_unit_test(test_schema_parse__hash_tells_what_shapes_a_file),
		cmocka_unit_test(test_schema_parse__refuses),
		cmocka_unit_test(test_schema__is_shared_by_count),
		cmocka_unit_test(test_schema_parse__recorded),
		cmocka_unit_test(test_schema_parse__recorded_details_of_account),
		cmocka_unit_test(test_schema_parse__recorded_other_replies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
