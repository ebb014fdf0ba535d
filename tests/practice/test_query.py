# SPDX-License-Identifier: MIT
import json
import re
import urllib.parse

import pytest

from api import BASE
from practice_org.ids import canonical, to_18


def test_ids_have_the_real_checksum(recorded):
    records = recorded("query/nango-v59-accounts-2086-page1.json")["records"]
    assert len(records) == 2000
    for record in records:
        assert to_18(record["Id"][:15]) == record["Id"]


def test_own_ids_are_well_formed(shared):
    for record_id in shared.org.ids("Account", 20) + shared.org.ids("Wide__c", 20):
        assert canonical(record_id[:15]) == record_id


def test_reply_has_the_recorded_shape(shared, recorded):
    told = recorded("query/nango-v59-accounts-2086-page1.json")
    reply = shared.soql("SELECT Id, Name FROM Account").json
    assert list(reply) == list(told)
    assert list(reply["records"][0]) == ["attributes", "Id", "Name"]
    assert list(reply["records"][0]["attributes"]) == list(told["records"][0]["attributes"])
    assert shared.soql("SELECT Id FROM Empty__c").json == recorded("query/nango-v59-empty.json")


def test_parent_is_a_nested_object_or_null(shared, recorded):
    record = shared.records("SELECT Name, Owner.Name FROM Account LIMIT 1")[0]
    orphan = shared.records("SELECT Parent.Name FROM Account WHERE ParentId = null LIMIT 1")[0]
    assert orphan["Parent"] is None
    who = shared.records("SELECT Who.Name, What.Name FROM Task WHERE WhoId != null AND WhatId != null LIMIT 1")[0]
    assert who["Who"]["attributes"]["type"] == "Contact" and who["What"]["Name"]
    told = recorded("query/applink-v53-account-owner-parent.json")["records"][0]
    assert list(record) == list(told) and list(record["Owner"]) == list(told["Owner"])


def test_names_are_answered_in_their_own_spelling(shared):
    record = shared.records("select id, name, owner.name from account limit 1")[0]
    assert list(record) == ["attributes", "Id", "Name", "Owner"]


def test_counts(shared, recorded):
    reply = shared.soql("SELECT COUNT() FROM Account").json
    assert reply == {"totalSize": 5000, "done": True, "records": []}
    counted = shared.soql("SELECT COUNT(Id) FROM Account").json
    assert counted["records"] == [{"attributes": {"type": "AggregateResult"}, "expr0": 5000}]
    latest = shared.records("SELECT MAX(SystemModstamp) m, MIN(Id) FROM Account")[0]
    assert latest["m"] == max(shared.values("SELECT SystemModstamp FROM Account ORDER BY Id DESC LIMIT 200", "SystemModstamp"))
    assert latest["expr0"] == shared.org.ids("Account", 1)[0]
    assert list(reply) == list(recorded("query/netcoreforce-v57-count.json"))
    assert counted == dict(recorded("query/openstax-v51-count-Id.json"), records=counted["records"])


# filters

def count(api, where, name="Account"):
    return api.soql("SELECT COUNT() FROM %s WHERE %s" % (name, where)).json["totalSize"]


def everything(shared, fields, name="Account"):
    records, reply = [], shared.soql("SELECT %s FROM %s" % (fields, name)).json
    records += reply["records"]
    while not reply["done"]:
        reply = shared.get(reply["nextRecordsUrl"]).json
        records += reply["records"]
    return records


@pytest.mark.parametrize("where, holds", [
    ("Industry = 'Energy'", lambda r: r["Industry"] == "Energy"),
    ("Industry = 'eNERGY'", lambda r: r["Industry"] == "Energy"),
    ("Industry != 'Energy'", lambda r: r["Industry"] != "Energy"),
    ("Industry = null", lambda r: r["Industry"] is None),
    ("Industry != null AND Rating = 'Hot'", lambda r: r["Industry"] and r["Rating"] == "Hot"),
    ("Industry IN ('Energy', 'Retail')", lambda r: r["Industry"] in ("Energy", "Retail")),
    ("Industry NOT IN ('Energy', 'Retail')", lambda r: r["Industry"] not in ("Energy", "Retail")),
    ("NOT Industry = 'Energy'", lambda r: r["Industry"] != "Energy"),
    ("(Industry = 'Energy' OR Rating = 'Hot') AND (NOT(Type = 'Other'))",
     lambda r: (r["Industry"] == "Energy" or r["Rating"] == "Hot") and r["Type"] != "Other"),
    ("NumberOfEmployees > 10000", lambda r: (r["NumberOfEmployees"] or 0) > 10000),
    ("NumberOfEmployees <= 10000", lambda r: r["NumberOfEmployees"] is not None and r["NumberOfEmployees"] <= 10000),
    ("AnnualRevenue = 150000.0", lambda r: r["AnnualRevenue"] == 150000),
    ("Name LIKE 'red%'", lambda r: r["Name"].lower().startswith("red")),
    ("Name LIKE '%o_n%'", lambda r: re.search("o.n", r["Name"], re.IGNORECASE)),
    ("IsDeleted = false", lambda r: True),
    ("IsDeleted = TRUE", lambda r: False),
    ("Owner.Name = 'nobody'", lambda r: False),
    ("Account.Name != null", lambda r: True),
])
def test_where(shared, where, holds):
    fields = "Id, Name, Industry, Rating, Type, NumberOfEmployees, AnnualRevenue"
    expected = sum(1 for record in everything(shared, fields) if holds(record))
    assert count(shared, where) == expected


@pytest.mark.parametrize("operator", ["=", "<", "<=", ">", ">=", "!="])
@pytest.mark.parametrize("field", ["SystemModstamp", "LastModifiedDate", "CreatedDate"])
def test_dates_are_compared_as_moments(shared, field, operator):
    records = everything(shared, "Id, " + field)
    moment = records[2345][field]
    compare = {"=": lambda v: v == moment, "<": lambda v: v < moment, "<=": lambda v: v <= moment,
               ">": lambda v: v > moment, ">=": lambda v: v >= moment, "!=": lambda v: v != moment}[operator]
    literal = moment.replace(".000+0000", "Z")
    assert count(shared, "%s %s %s" % (field, operator, literal)) == sum(compare(record[field]) for record in records)
    same = moment.replace(".000+0000", ".000+00:00")
    assert count(shared, "%s %s %s" % (field, operator, same)) == sum(compare(record[field]) for record in records)


@pytest.mark.parametrize("operator", ["=", "<", "<=", ">", ">="])
def test_ids_are_compared_as_texts(shared, operator):
    ids = [record["Id"] for record in everything(shared, "Id")]
    pivot = ids[3000]
    compare = {"=": pivot.__eq__, "<": pivot.__gt__, "<=": pivot.__ge__, ">": pivot.__lt__, ">=": pivot.__le__}[operator]
    assert count(shared, "Id %s '%s'" % (operator, pivot)) == sum(map(compare, ids))
    assert count(shared, "Id %s '%s'" % (operator, pivot[:15])) == sum(map(compare, ids))
    assert count(shared, "Id %s '%s'" % (operator, shared.org.user_id)) == sum(
        {"=": "".__eq__, "<": shared.org.user_id.__gt__, "<=": shared.org.user_id.__ge__, ">": shared.org.user_id.__lt__,
         ">=": shared.org.user_id.__le__}[operator](one) for one in ids)


def test_in_ids(shared):
    ids = shared.org.ids("Account", 5)
    listed = ", ".join("'%s'" % one for one in [ids[4], ids[0][:15], shared.org.user_id])
    assert shared.values("SELECT Id FROM Account WHERE Id IN (%s)" % listed, "Id") == [ids[0], ids[4]]


def test_order(shared):
    records = everything(shared, "Id, Name, SystemModstamp, NumberOfEmployees")

    def asked(order):
        return shared.values("SELECT Id FROM Account ORDER BY %s LIMIT 300" % order, "Id")

    def expected(key, reverse=False):
        return [record["Id"] for record in sorted(records, key=key, reverse=reverse)][:300]
    assert asked("Id DESC") == expected(lambda r: r["Id"], True)
    assert asked("SystemModstamp, Id") == expected(lambda r: (r["SystemModstamp"], r["Id"]))
    assert asked("SystemModstamp DESC, Id DESC") == expected(lambda r: (r["SystemModstamp"], r["Id"]), True)
    assert asked("Name, Id") == expected(lambda r: (r["Name"].lower(), r["Id"]))
    assert asked("NumberOfEmployees NULLS LAST, Id") == expected(
        lambda r: (r["NumberOfEmployees"] is None, r["NumberOfEmployees"], r["Id"]))
    assert asked("NumberOfEmployees, Id") == expected(
        lambda r: (r["NumberOfEmployees"] is not None, r["NumberOfEmployees"] or 0, r["Id"]))


def test_limit_and_offset(shared):
    ids = shared.org.ids("Account", 20)
    assert shared.values("SELECT Id FROM Account LIMIT 3 OFFSET 5", "Id") == ids[5:8]
    assert shared.soql("SELECT Id FROM Account LIMIT 3").json["totalSize"] == 3
    assert shared.soql("SELECT Id FROM Account OFFSET 2001").code == "NUMBER_OUTSIDE_VALID_RANGE"


@pytest.mark.parametrize("literal, text", [
    (r"O\'Neil & Sons <Ltd>", "O'Neil & Sons <Ltd>"),
    (r"The \"Quoted\" Company", 'The "Quoted" Company'),
    (r"Back\\slash/and/slash", "Back\\slash/and/slash"),
    (r"\u65E5\u672C電産株式会社 🚀", "日本電産株式会社 🚀"),
])
def test_string_escapes(shared, literal, text):
    assert shared.values("SELECT Name FROM Account WHERE Name = '%s'" % literal, "Name") == [text]


def test_like_escapes(shared):
    assert shared.values(r"SELECT Name FROM Account WHERE Name LIKE '%50\%%'", "Name") == ["%s %d %n 50% {curly} $HOME `tick`"]
    assert shared.values(r"SELECT Name FROM Account WHERE Name LIKE 'back\\%'", "Name") == ["Back\\slash/and/slash"]
    assert shared.soql(r"SELECT Id FROM Account WHERE Name = 'a\%'").code == "MALFORMED_QUERY"


# refusals

@pytest.mark.parametrize("query, code", [
    ("SELEKT Id FROM Account", "MALFORMED_QUERY"),
    ("SELECT Id FROM", "MALFORMED_QUERY"),
    ("SELECT Id Account", "MALFORMED_QUERY"),
    ("SELECT Id FROM Account WHERE", "MALFORMED_QUERY"),
    ("SELECT Id FROM Account WHERE Name = 'x", "MALFORMED_QUERY"),
    (r"SELECT Id FROM Account WHERE Name = 'a\qb'", "MALFORMED_QUERY"),
    ("SELECT Id FROM Account WHERE Name = 'a' AND Name = 'b' OR Name = 'c'", "MALFORMED_QUERY"),
    ("SELECT Id FROM Account WHERE Name = 'O'Neil'", "MALFORMED_QUERY"),
    ("SELECT Id FROM Account LIMIT x", "MALFORMED_QUERY"),
    ("SELECT Id FROM Account; DROP", "MALFORMED_QUERY"),
    ("SELECT Nope FROM Account", "INVALID_FIELD"),
    ("SELECT Owner.Nope FROM Account", "INVALID_FIELD"),
    ("SELECT Nope.Name FROM Account", "INVALID_FIELD"),
    ("SELECT Id, Id FROM Account", "INVALID_FIELD"),
    ("SELECT Id FROM Nope", "INVALID_TYPE"),
    ("SELECT Id FROM Account WHERE Name = 5", "INVALID_FIELD"),
    ("SELECT Id FROM Account WHERE NumberOfEmployees = '5'", "INVALID_FIELD"),
    ("SELECT Id FROM Account WHERE SystemModstamp > '2020-01-01T00:00:00Z'", "INVALID_FIELD"),
    ("SELECT Id FROM Account WHERE SystemModstamp > 2020-01-01", "INVALID_FIELD"),
    ("SELECT Id FROM Account WHERE Description = 'x'", "INVALID_FIELD"),
    ("SELECT Id FROM Account WHERE Id = 'nonsense'", "INVALID_QUERY_FILTER_OPERATOR"),
    ("SELECT Id FROM Account ORDER BY Description", "MALFORMED_QUERY"),
    ("SELECT FIELDS(ALL) FROM Account", "MALFORMED_QUERY"),
    ("SELECT FIELDS(ALL) FROM Account LIMIT 201", "MALFORMED_QUERY"),
    ("SELECT FIELDS(CUSTOM) FROM Account", "MALFORMED_QUERY"),
    ("SELECT Id, FIELDS(ALL) FROM Account LIMIT 200", "INVALID_FIELD"),
    ("SELECT Id FROM ContentDocumentLink", "MALFORMED_QUERY"),
    ("SELECT Id FROM AccountChangeEvent", "INVALID_TYPE_FOR_OPERATION"),
    ("SELECT Id FROM FieldDefinition", "MALFORMED_QUERY"),
    ("SELECT Id FROM DataStatistics", "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION"),
])
def test_refused(shared, query, code):
    reply = shared.soql(query)
    assert reply.status == 400 and reply.code == code, reply


def test_refused_in_the_recorded_words(shared, recorded):
    """These messages hold the query that they answer."""
    unknown_object = recorded("composite/cumulusci-composite-count-errors.json")["compositeResponse"][1]["body"]
    for told in (recorded("errors/400-INVALID_FIELD-query.json"), unknown_object):
        assert shared.soql(told[0]["message"].split("\n")[1]).json == told
    told = recorded("errors/400-MALFORMED_QUERY.json")
    assert shared.soql("%s Id FROM Account" % told[0]["message"].split()[-1]).json == told


def test_place_of_an_error_in_a_long_query(shared):
    query = "SELECT Id FROM Account WHERE Name IN ('%s') AND Missing__c = 1 LIMIT 5" % "', '".join(["word"] * 30)
    message = shared.soql(query).json[0]["message"]
    shown, caret = message.split("\n")[1:3]
    assert shown[len(caret) - 1:].startswith("Missing__c") and len(shown) < 120
    assert "Row:1:Column:%d" % (query.index("Missing__c") + 1) in message


def test_fields_function(shared):
    standard = shared.records("SELECT FIELDS(STANDARD) FROM Account LIMIT 1")[0]
    custom = shared.records("SELECT FIELDS(CUSTOM) FROM Account LIMIT 1")[0]
    whole = shared.records("SELECT FIELDS(ALL) FROM Account LIMIT 200")[0]
    assert set(custom) == {"attributes", "CustomerPriority__c"} and "BillingAddress" in standard
    assert set(standard) | set(custom) == set(whole)
    assert len(everything(shared, "FIELDS(STANDARD)")) == 5000


def test_links_open_with_a_filter(shared):
    document = shared.org.ids("ContentDocument", 1)[0]
    assert len(shared.records("SELECT Id FROM ContentDocumentLink WHERE ContentDocumentId = '%s'" % document)) == 1
    either = "SELECT Id FROM ContentDocumentLink WHERE ContentDocumentId = '%s' OR ShareType = 'V'" % document
    assert shared.soql(either).code == "MALFORMED_QUERY"


# size limits

def test_long_uri_is_refused_in_html(shared, recorded):
    reply = shared.soql("SELECT Id FROM Account WHERE Name = '%s'" % ("x" * 16400))
    assert reply.status == 414 and "html" in reply.headers["Content-Type"]
    assert reply.body.startswith(b"<h1>Bad Message 414</h1>")
    assert shared.get("/limits", {"X-Padding": "x" * 16300}).status == 431


def test_a_uri_just_short_enough(shared):
    room = 16384 - len(BASE + "/query?q=")
    query = urllib.parse.quote("SELECT Id FROM Account WHERE Name IN ('','")
    query += "x" * 3900 + urllib.parse.quote("')")
    assert len(query) < room and shared.get(BASE + "/query?q=" + query).status == 200


def test_long_soql_goes_in_a_composite_body_until_its_own_limit(shared):
    def ask(length):
        names = "Name IN ('%s')" % "','".join(["x" * 100] * ((length - 60) // 103))
        url = "/query?q=" + urllib.parse.quote("SELECT Id FROM Account WHERE " + names)
        return shared.composite(("GET", url, {})).json["compositeResponse"][0]
    assert ask(99000)["httpStatusCode"] == 200
    refused = ask(101000)
    assert refused["httpStatusCode"] == 400 and refused["body"][0]["errorCode"] == "MALFORMED_QUERY"


# values

def test_number_texts_are_java_s(shared):
    text = shared.soql("SELECT Number__c FROM Everything__c LIMIT 10").body.decode()
    for number in ("150000.0", "0.1", "1.0E7", "123456789012345678", "-42.5", "null", "0.0", "0.123456789012345678", "1.0E-5",
                   "-9.9999999999999E13"):
        assert '"Number__c":%s}' % number in text


def test_value_shapes(shared):
    record = shared.records("SELECT FIELDS(ALL) FROM Everything__c WHERE Date_Time__c != null AND Time__c != null "
                            "AND Date__c != null AND Place__Latitude__s != null LIMIT 1")[0]
    assert record["Date_Time__c"].endswith(".000+0000") and record["Time__c"].endswith(".000Z")
    assert len(record["Date__c"]) == 10 and set(record["Place__c"]) == {"latitude", "longitude"}
    assert record["Formula__c"] and set(record["Encrypted__c"]) == {"*"}


def test_address_shape(shared, recorded):
    record = shared.records("SELECT BillingAddress, BillingCity FROM Account WHERE BillingCity = 'Tokyo' LIMIT 1")[0]
    assert record["BillingAddress"]["city"] == "Tokyo"
    assert shared.records("SELECT BillingAddress FROM Account WHERE BillingCity = null LIMIT 1")[0]["BillingAddress"] is None
    assert set(record["BillingAddress"]) <= set(recorded("record/netcoreforce-v57-Account.json")["BillingAddress"])


def test_awkward_texts(shared):
    texts = shared.values("SELECT Description FROM Account LIMIT 11", "Description")
    assert "\0" in texts[2] and "\n" in texts[4] and "👩" in texts[4] and len(texts[6]) == 30000 and "\u2028" in texts[8]
    assert b"\\u0000" in shared.soql("SELECT Description FROM Account LIMIT 3").body


def test_base64_is_a_path(shared, recorded):
    record = shared.records("SELECT VersionData FROM ContentVersion LIMIT 1")[0]
    assert record["VersionData"] == record["attributes"]["url"] + "/VersionData"
    assert list(record) == list(recorded("query/applink-v55-ContentVersion-VersionData.json")["records"][0])


def test_every_object_answers_or_refuses_in_json(shared):
    refused = set()
    for entry in shared.get("/sobjects").json["sobjects"]:
        reply = shared.soql("SELECT FIELDS(ALL) FROM %s LIMIT 200" % entry["name"])
        if reply.status == 200:
            assert len(json.loads(reply.body)["records"]) == reply.json["totalSize"]
        else:
            refused.add(entry["name"])
    assert refused == {"AccountChangeEvent", "ContentDocumentLink", "DataStatistics", "FieldDefinition"}


def test_same_seed_same_values_other_seed_others(start):
    first, second, third = start(seed=5)[1], start(seed=5)[1], start(seed=6)[1]
    query = "SELECT FIELDS(ALL) FROM Contact LIMIT 200"
    assert first.soql(query).body == second.soql(query).body != third.soql(query).body
