# SPDX-License-Identifier: MIT
import json
import time

import pytest

from practice_org.clock import http_date, parse_datetime


def first_id(api, name="Account"):
    return api.org.ids(name, 1)[0]


def date_header(text, shift=0):
    return http_date(parse_datetime(text) + shift)


# reading

def test_retrieve_everything_readable(shared, recorded):
    record = shared.get("/sobjects/Account/" + first_id(shared)).json
    assert list(record)[:2] == ["attributes", "Id"]
    described = [field["name"] for field in shared.get("/sobjects/Account/describe").json["fields"]]
    assert list(record)[1:] == described
    told = recorded("record/netcoreforce-v57-Account.json")
    assert list(record["attributes"]) == list(told["attributes"]) and set(record) <= set(told)


def test_retrieve_some_fields(shared):
    path = "/sobjects/Account/" + first_id(shared)
    assert list(shared.get(path, fields="name,Phone").json) == ["attributes", "Name", "Phone"]
    refused = shared.get(path, fields="Name,Nope")
    assert refused.status == 400 and refused.code == "INVALID_FIELD"


def test_short_and_long_ids_and_any_case_of_the_object(shared):
    record_id = first_id(shared)
    assert shared.get("/sobjects/account/" + record_id[:15]).json["Id"] == record_id


@pytest.mark.parametrize("record_id, status, code", [
    ("001Ab00000zzzzz", 404, "NOT_FOUND"), ("xyz", 404, "NOT_FOUND"), ("001Ab00000SdRRmAAA", 400, "MALFORMED_ID")])
def test_no_such_record(shared, record_id, status, code):
    reply = shared.get("/sobjects/Account/" + record_id)
    assert reply.status == status and reply.code == code


def test_deleted_record(org, api, recorded):
    soft, hard = org.ids("Account", 2)
    org.delete("Account", ids=[soft])
    org.delete("Account", ids=[hard], hard=True)
    assert api.get("/sobjects/Account/" + soft).code == "ENTITY_IS_DELETED"
    assert api.get("/sobjects/Account/" + hard).code == "NOT_FOUND"
    assert api.get("/sobjects/Account/" + soft).json == recorded("errors/404-ENTITY_IS_DELETED.json")


def test_wrong_external_id_in_the_recorded_words(shared, recorded):
    told = recorded("errors/404-NOT_FOUND-find-restforce.json")
    assert shared.get("/sobjects/Account/" + told[0]["message"].split()[-1]).json == told


def test_head(shared):
    reply = shared.call("HEAD", "/sobjects/Account/" + first_id(shared))
    assert reply.status == 200 and reply.body == b""
    assert shared.call("HEAD", "/sobjects/Account/001Ab00000zzzzz").status == 404


def test_by_external_id(shared):
    record_id = first_id(shared, "Contact")
    key = shared.get("/sobjects/Contact/" + record_id).json["Legacy_Id__c"]
    assert shared.get("/sobjects/Contact/Legacy_Id__c/" + key).json["Id"] == record_id
    assert shared.get("/sobjects/Everything__c/External__c/EXT%2F00003").json["External__c"] == "EXT/00003"
    assert shared.get("/sobjects/Contact/Legacy_Id__c/none").code == "NOT_FOUND"
    assert shared.get("/sobjects/Contact/Title/CEO").code == "NOT_FOUND"


def test_several_by_external_id(shared, recorded):
    reply = shared.get("/sobjects/Everything__c/External_Number__c/3")
    assert reply.status == 300 and len(reply.json) == 4
    assert all(path.startswith("/services/data/v64.0/sobjects/Everything__c/a02") for path in reply.json)
    assert isinstance(recorded("errors/300-upsert-multiple-choices.json")[0], str)


@pytest.mark.parametrize("name, field, size", [("Attachment", "Body", "BodyLength"), ("Document", "Body", "BodyLength"),
                                               ("ContentVersion", "VersionData", "ContentSize")])
def test_blobs(shared, name, field, size):
    sizes = []
    for record in shared.records("SELECT Id, %s, %s FROM %s" % (field, size, name)):
        reply = shared.get(record[field])
        assert reply.status == 200 and len(reply.body) == record[size]
        assert reply.body == shared.get(record[field]).body
        sizes.append(len(reply.body))
    assert len(set(sizes)) > 2


# conditions

def test_reading_conditions(shared):
    path = "/sobjects/Contact/" + first_id(shared, "Contact")
    date = shared.get(path).json["LastModifiedDate"]
    assert shared.get(path).headers["Last-Modified"] == date_header(date)
    same = shared.get(path, {"If-Modified-Since": date_header(date)})
    assert same.status == 304 and same.body == b""
    assert shared.get(path, {"If-Modified-Since": date_header(date, -1)}).status == 200
    assert shared.get(path, {"If-Unmodified-Since": date_header(date)}).status == 200
    assert shared.get(path, {"If-Unmodified-Since": date_header(date, -1)}).status == 412


def test_writing_conditions(org, api):
    record_id = first_id(api, "Contact")
    path = "/sobjects/Contact/" + record_id
    date = api.get(path).json["LastModifiedDate"]
    fresh = {"If-Unmodified-Since": date_header(date)}
    assert api.patch(path, {"Title": "a"}, headers=fresh).status == 204
    stale = api.patch(path, {"Title": "b"}, headers=fresh)
    assert stale.status == 412 and stale.code == "PRECONDITION_FAILED" and org.record("Contact", record_id)["Title"] == "a"
    assert api.patch(path, {"Title": "c"}, headers={"If-Unmodified-Since": "soon"}).status == 400
    now = api.get(path).json["LastModifiedDate"]
    assert api.patch(path, {"Title": "d"}, headers={"If-Unmodified-Since": date_header(now)}).status == 204


def test_only_what_a_user_did_counts_for_the_condition(shared):
    """Automation moves SystemModstamp alone; the condition looks at LastModifiedDate."""
    record = next(record for record in shared.records("SELECT Id, LastModifiedDate, SystemModstamp FROM Account")
                  if record["LastModifiedDate"] < record["SystemModstamp"])
    header = {"If-Unmodified-Since": date_header(record["LastModifiedDate"])}
    assert shared.get("/sobjects/Account/" + record["Id"], header).status == 200


def test_tags_are_for_accounts_only(org, api):
    path = "/sobjects/Account/" + first_id(api)
    tag = api.get(path).headers["ETag"]
    assert api.get(path, {"If-None-Match": tag}).status == 304
    assert api.get(path, {"If-Match": '"other"'}).status == 412
    assert api.patch(path, {"Phone": "1"}, headers={"If-Match": tag}).status == 204
    assert api.patch(path, {"Phone": "2"}, headers={"If-Match": tag}).status == 412
    contact = "/sobjects/Contact/" + first_id(api, "Contact")
    assert "ETag" not in api.get(contact).headers
    assert api.patch(contact, {"Phone": "2"}, headers={"If-Match": '"other"'}).status == 204


# creating

def test_create(org, api, recorded):
    body = {"Name": "  Acme\r\nLtd ", "Phone": "", "AnnualRevenue": 12.3, "attributes": {"type": "x"}}
    reply = api.post("/sobjects/Account", body)
    assert reply.status == 201 and reply.json["success"] is True
    record_id = reply.json["id"]
    assert reply.headers["Location"] == "/services/data/v64.0/sobjects/Account/" + record_id
    record = api.get("/sobjects/Account/" + record_id).json
    assert record["Name"] == "Acme\nLtd" and record["Phone"] is None and record["AnnualRevenue"] == 12
    assert record["OwnerId"] == record["CreatedById"] == record["LastModifiedById"] == org.user_id
    assert record["CreatedDate"] == record["SystemModstamp"] and abs(parse_datetime(record["CreatedDate"]) - time.time()) < 5
    assert record["IsDeleted"] is False
    assert list(reply.json) == list(recorded("record/nango-v59-create-201.json"))


def test_custom_record_without_a_name_is_named_by_its_id(api):
    record_id = api.post("/sobjects/Empty__c", {}).json["id"]
    assert api.get("/sobjects/Empty__c/" + record_id).json["Name"] == record_id[:15]


def test_numbers_are_given_by_the_org(api):
    record_id = api.post("/sobjects/Invoice__c", {"Total__c": 100, "Discount__c": 5}).json["id"]
    record = api.get("/sobjects/Invoice__c/" + record_id).json
    assert record["Name"] == "INV-000121" and record["Net__c"] == 95


def test_create_under_a_parent_named_by_external_id(api):
    invoice = api.records("SELECT Id, Number__c FROM Invoice__c LIMIT 1")[0]
    made = api.post("/sobjects/Invoice_Line__c", {"Text__c": "x", "Invoice__r": {"Number__c": invoice["Number__c"]}})
    assert api.get("/sobjects/Invoice_Line__c/" + made.json["id"]).json["Invoice__c"] == invoice["Id"]
    missing = api.post("/sobjects/Invoice_Line__c", {"Invoice__r": {"Number__c": "nope"}})
    assert missing.code == "INVALID_FIELD" and "Foreign key external ID: nope" in missing.json[0]["message"]


def test_blob_in_base64(api):
    body = {"Name": "a.bin", "ParentId": first_id(api), "Body": "AAECAwQ="}
    record_id = api.post("/sobjects/Attachment", body).json["id"]
    assert api.get("/sobjects/Attachment/%s/Body" % record_id).body == b"\0\1\2\3\4"
    assert api.get("/sobjects/Attachment/" + record_id).json["BodyLength"] == 5


REFUSED = [
    ("Contact", {}, "REQUIRED_FIELD_MISSING", ["LastName"]),
    ("Contact", {"LastName": " "}, "REQUIRED_FIELD_MISSING", ["LastName"]),
    ("Account", {"Name": "x", "Nope": 1}, "INVALID_FIELD", None),
    ("Account", {"Name": "x" * 256}, "STRING_TOO_LONG", ["Name"]),
    ("Account", {"Name": "x", "BillingCity": "🚀" * 21}, "STRING_TOO_LONG", ["BillingCity"]),
    ("Account", {"Name": "x", "SystemModstamp": "2026-01-01T00:00:00Z"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["SystemModstamp"]),
    ("Account", {"Name": "x", "BillingAddress": {"city": "y"}}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["BillingAddress"]),
    ("Contact", {"Name": "x", "LastName": "y"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Name"]),
    ("Account", {"Name": 5}, "JSON_PARSER_ERROR", None),
    ("Account", {"Name": {"a": 1}}, "JSON_PARSER_ERROR", None),
    ("Account", {"Name": "x", "NumberOfEmployees": "many"}, "JSON_PARSER_ERROR", None),
    ("Account", {"Name": "x", "NumberOfEmployees": 1431655766}, "NUMBER_OUTSIDE_VALID_RANGE", ["NumberOfEmployees"]),
    ("Account", {"Name": "x", "ParentId": "nonsense"}, "MALFORMED_ID", ["ParentId"]),
    ("Account", {"Name": "x", "ParentId": "001Ab00000zzzzz"}, "INVALID_CROSS_REFERENCE_KEY", []),
    ("Account", {"Name": "x", "AnnualRevenue": -2000000}, "FIELD_CUSTOM_VALIDATION_EXCEPTION", ["AnnualRevenue"]),
    ("Contact", {"LastName": "x", "Email": "nobody"}, "INVALID_EMAIL_ADDRESS", ["Email"]),
    ("Contact", {"LastName": "x", "Birthdate": "31.12.1999"}, "JSON_PARSER_ERROR", None),
    ("Contact", {"LastName": "x", "Legacy_Id__c": "leg-0000001"}, "DUPLICATE_VALUE", []),
    ("Invoice__c", {"Total__c": 1, "Status__c": "Terrible"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Status__c"]),
    ("Invoice__c", {"Total__c": 1, "Issued__c": "2026-02-01", "Due__c": "2026-01-01"}, "FIELD_CUSTOM_VALIDATION_EXCEPTION", []),
    ("Everything__c", {"Multi__c": "Red;Mauve"}, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", ["Multi__c"]),
    ("Everything__c", {"Checkbox__c": "maybe"}, "JSON_PARSER_ERROR", None),
    ("Everything__c", {"Date_Time__c": "2026-01-01"}, "JSON_PARSER_ERROR", None),
    ("ReadOnly__c", {"Name": "x"}, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", []),
]


@pytest.mark.parametrize("name, body, code, fields", REFUSED)
def test_refused_values(shared, name, body, code, fields):
    reply = shared.post("/sobjects/" + name, body)
    assert reply.status == 400 and reply.code == code, reply
    assert reply.json[0].get("fields") == fields


def test_refused_in_the_recorded_words(shared, recorded):
    """These messages hold the field or the value that they refuse."""
    told = recorded("errors/400-INVALID_FIELD-create.json")
    field = told[0]["message"].split("'")[1]
    assert shared.post("/sobjects/Account", {"Name": "x", field: 1}).json == told
    told = recorded("errors/400-STRING_TOO_LONG.json")
    city = told[0]["message"].split(": ")[2].partition(" (max")[0]
    assert shared.post("/sobjects/Account", {"Name": "x", "BillingCity": city}).json == told


def test_message_of_an_unwritable_field(shared, recorded):
    told = recorded("errors/400-INVALID_FIELD_FOR_INSERT_UPDATE.json")[0]
    reply = shared.post("/sobjects/Account", {"Name": "x", "IsDeleted": True}).json[0]
    assert reply["message"] == told["message"].replace("MasterRecordId", "IsDeleted") and list(reply) == list(told)


def test_broken_json_and_wrong_content_type(shared):
    assert shared.post("/sobjects/Account", '{"Name":', headers={"Content-Type": "application/json"}).code == "JSON_PARSER_ERROR"
    assert shared.post("/sobjects/Account", "[]", headers={"Content-Type": "application/json"}).code == "JSON_PARSER_ERROR"
    deep = "[" * 100000
    assert shared.post("/sobjects/Account", deep, headers={"Content-Type": "application/json"}).code == "JSON_PARSER_ERROR"
    reply = shared.post("/sobjects/Account", '{"Name":"x"}', headers={"Content-Type": "text/plain"})
    assert reply.status == 415 and reply.code == "UNSUPPORTED_MEDIA_TYPE"


# updating

def test_update(org, api):
    record_id = first_id(api)
    before = org.record("Account", record_id)
    reply = api.patch("/sobjects/Account/" + record_id[:15], {"Phone": " +1 ", "Website": None})
    assert reply.status == 204 and reply.body == b"" and "Content-Type" not in reply.headers
    after = org.record("Account", record_id)
    changed = {name for name in after if after[name] != before[name]}
    assert changed - {"Website"} == {"Phone", "LastModifiedDate", "SystemModstamp"} | (
        {"LastModifiedById"} if before["LastModifiedById"] != org.user_id else set())
    assert after["Phone"] == "+1" and after["Website"] is None and after["CreatedDate"] == before["CreatedDate"]


def test_trigger_changes_more_than_was_asked(org, api):
    record_id = first_id(api)
    api.patch("/sobjects/Account/" + record_id, {"Rating": "Cold"})
    assert org.record("Account", record_id)["CustomerPriority__c"] == "Low"
    api.patch("/sobjects/Account/" + record_id, {"Rating": "Hot"})
    assert org.record("Account", record_id)["CustomerPriority__c"] == "High"


def test_formula_follows(org, api):
    record_id = first_id(api, "Opportunity")
    api.patch("/sobjects/Opportunity/" + record_id, {"Amount": 200, "Probability": 25})
    assert api.get("/sobjects/Opportunity/" + record_id).json["ExpectedRevenue"] == 50.0


@pytest.mark.parametrize("number, text", [("123456789012345678", "123456789012345678"), ("0.1", "0.1"), ("1e7", "1.0E7"),
                                          ("0.123456789012345678", "0.123456789012345678"), ("5", "5.0")])
def test_numbers_keep_their_digits(api, number, text):
    path = "/sobjects/Everything__c/" + first_id(api, "Everything__c")
    api.patch(path, '{"Number__c": %s}' % number, headers={"Content-Type": "application/json"})
    assert '"Number__c":%s}' % text in api.get(path, fields="Number__c").body.decode()


def test_multi_select_is_kept_in_its_own_order(org, api):
    record_id = first_id(api, "Everything__c")
    assert api.patch("/sobjects/Everything__c/" + record_id, {"Multi__c": "Black;Red", "Encrypted__c": "secret"}).status == 204
    assert org.record("Everything__c", record_id)["Multi__c"] == "Red;Black"
    assert org.record("Everything__c", record_id)["Encrypted__c"] == "******"


@pytest.mark.parametrize("body, code", [
    ({"Name": None}, "REQUIRED_FIELD_MISSING"), ({"Nope": 1}, "INVALID_FIELD"), ({"Id": "x"}, "INVALID_FIELD"),
    ({"CreatedDate": None}, "INVALID_FIELD_FOR_INSERT_UPDATE")])
def test_refused_updates(shared, body, code):
    assert shared.patch("/sobjects/Account/" + first_id(shared), body).code == code


def test_writes_to_what_is_not_there(org, api, recorded):
    soft, hard, other = org.ids("Account", 3)
    org.delete("Account", ids=[soft])
    org.delete("Account", ids=[hard], hard=True)
    for call in (lambda path: api.patch(path, {"Phone": "1"}), api.delete):
        assert call("/sobjects/Account/" + soft).code == "ENTITY_IS_DELETED"
        gone = call("/sobjects/Account/" + hard)
        assert gone.status == 404 and gone.code == "INVALID_CROSS_REFERENCE_KEY"
        wrong = call("/sobjects/Contact/" + other)
        assert wrong.status == 400 and wrong.code == "MALFORMED_ID"
        told = recorded("errors/400-MALFORMED_ID.json")[0]
        message = told["message"].replace(told["message"].split()[-1], other)
        assert wrong.status == 400 and wrong.json[0] == dict(told, message=message)


def test_read_only_object(org, api):
    path = "/sobjects/ReadOnly__c/" + first_id(api, "ReadOnly__c")
    assert api.patch(path, {}).status == 400 and api.delete(path).status == 400
    assert org.change("ReadOnly__c", indexes=[0], set={"Remark__c": "by automation"})
    assert api.get(path).json["Remark__c"] == "by automation"


def test_method_override_and_unknown_method(api):
    path = "/sobjects/Account/" + first_id(api)
    assert api.post(path + "?_HttpMethod=PATCH", {"Phone": "9"}).status == 204
    reply = api.call("PUT", path, {})
    assert reply.status == 405 and reply.code == "METHOD_NOT_ALLOWED" and "'PUT' not allowed" in reply.json[0]["message"]


# upsert and delete

def test_upsert(org, api, recorded):
    path = "/sobjects/Contact/Legacy_Id__c/new%2F1"
    made = api.patch(path, {"LastName": "x"})
    assert made.status == 201 and made.json["created"] is True
    again = api.patch(path, {"LastName": "y"})
    assert again.status == 200 and again.json["created"] is False and again.json["id"] == made.json["id"]
    assert api.patch("/services/data/v45.0" + path, {"LastName": "z"}).status == 204
    assert org.record("Contact", made.json["id"])["LastName"] == "z"
    assert org.record("Contact", made.json["id"])["Legacy_Id__c"] == "new/1"
    assert api.patch(path, {"Legacy_Id__c": "new/1"}).code == "INVALID_FIELD"
    assert api.patch("/sobjects/Contact/Legacy_Id__c/new2?updateOnly=true", {"LastName": "x"}).status == 404
    assert api.patch("/sobjects/Everything__c/External_Number__c/3", {}).status == 300
    assert api.delete(path).status == 204 and api.get(path).status == 404
    assert list(made.json) == list(recorded("record/nango-v60-upsert-201-created.json"))
    assert again.json == dict(recorded("record/nango-v59-upsert-200-updated.json"), id=made.json["id"])


def test_delete_goes_to_the_bin(org, api):
    record_id = first_id(api)
    reply = api.delete("/sobjects/Account/" + record_id)
    assert reply.status == 204 and reply.body == b""
    assert api.delete("/sobjects/Account/" + record_id).code == "ENTITY_IS_DELETED"
    assert api.records("SELECT IsDeleted FROM Account WHERE Id = '%s'" % record_id, all=True)[0]["IsDeleted"] is True
    org.undelete("Account", ids=[record_id])
    assert api.get("/sobjects/Account/" + record_id).status == 200


def form(boundary, *parts):
    lines = [b"--%s\r\n%s\r\n\r\n%s\r\n" % (boundary.encode(), headers.encode(), content) for headers, content in parts]
    return b"".join(lines) + b"--%s--\r\n" % boundary.encode(), {"Content-Type": "multipart/form-data; boundary=" + boundary}


JSON_PART = 'Content-Disposition: form-data; name="entity_attachment"\r\nContent-Type: application/json'
BODY_PART = 'Content-Disposition: form-data; name="Body"; filename="a.bin"\r\nContent-Type: application/octet-stream'


def test_blob_in_a_form(api):
    record = {"Name": "a.bin", "ParentId": first_id(api)}
    body, headers = form("xyz", (JSON_PART, json.dumps(record).encode()), (BODY_PART, b"\0\r\n--xy\r\n\xff"))
    record_id = api.call("POST", "/sobjects/Attachment", body, headers).json["id"]
    assert api.get("/sobjects/Attachment/%s/Body" % record_id).body == b"\0\r\n--xy\r\n\xff"
    body, headers = form("q" * 70, (JSON_PART, b"{}"), (BODY_PART, b"new"))
    assert api.call("PATCH", "/sobjects/Attachment/" + record_id, body, headers).status == 204
    assert api.get("/sobjects/Attachment/%s/Body" % record_id).body == b"new"
    assert api.get("/sobjects/Attachment/" + record_id).json["BodyLength"] == 3


@pytest.mark.parametrize("boundary, part", [("q" * 71, BODY_PART), ("x", BODY_PART.partition("\r\n")[0]),
                                            ("x", BODY_PART.replace('; filename="a.bin"', ""))])
def test_forms_that_are_none(api, boundary, part):
    body, headers = form(boundary, (JSON_PART, b"{}"), (part, b"x"))
    record_id = first_id(api, "Attachment")
    assert api.call("PATCH", "/sobjects/Attachment/" + record_id, body, headers).status == 400


def test_versions_of_content_cannot_be_replaced(api):
    body, headers = form("x", (JSON_PART, b"{}"), (BODY_PART.replace("Body", "VersionData"), b"x"))
    reply = api.call("PATCH", "/sobjects/ContentVersion/" + first_id(api, "ContentVersion"), body, headers)
    assert (reply.status, reply.code) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
