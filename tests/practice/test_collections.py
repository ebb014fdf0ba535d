# SPDX-License-Identifier: MIT
import pytest


def record(kind, **fields):
    return dict(fields, attributes={"type": kind})


def write(api, method, records, **options):
    return api.call(method, "/composite/sobjects", dict(options, records=records))


def test_create_many(api, recorded):
    reply = write(api, "POST", [record("Contact", LastName="a"), record("Account", Name="b")])
    assert reply.status == 200 and [row["id"][:3] for row in reply.json] == ["003", "001"]
    told = recorded("composite/amp-collections-create.json")
    assert [list(row) for row in reply.json] == [list(row) for row in told]


def test_each_row_has_its_own_result(org, api, recorded):
    ids = org.ids("Account", 4)
    org.delete("Account", ids=[ids[2]])
    org.delete("Account", ids=[ids[3]], hard=True)
    reply = write(api, "PATCH", [record("Account", id=ids[0], Phone="1"), record("Account", Id=ids[1], Nope=1),
                                 record("Account", id=ids[2], Phone="1"), record("Account", id=ids[3], Phone="1"),
                                 record("Account", Phone="1"), record("Nope", id=ids[0])])
    assert reply.status == 200
    codes = [row["errors"][0]["statusCode"] if row["errors"] else None for row in reply.json]
    assert codes == [None, "INVALID_FIELD", "ENTITY_IS_DELETED", "INVALID_CROSS_REFERENCE_KEY", "MISSING_ARGUMENT",
                     "INVALID_TYPE"]
    assert "id" not in reply.json[1] and org.record("Account", ids[0])["Phone"] == "1"
    assert reply.json[3] == recorded("composite/nango-v59-collections-update-error.json")[0]
    assert reply.json[4] == recorded("composite/amp-collections-update-no-ids.json")[0]


def test_all_or_none(org, api, recorded):
    reply = write(api, "POST", [record("Contact"), record("Contact", LastName="x")], allOrNone=True)
    codes = [row["errors"][0]["statusCode"] for row in reply.json]
    assert codes == ["REQUIRED_FIELD_MISSING", "ALL_OR_NONE_OPERATION_ROLLED_BACK"]
    assert api.soql("SELECT COUNT() FROM Contact").json["totalSize"] == 400
    assert reply.json == recorded("composite/amp-collections-create-allOrNone.json")


def test_limits_of_collections(api, recorded):
    assert write(api, "POST", [record("Empty__c")] * 200).status == 200
    assert write(api, "POST", [record("Empty__c")] * 201).status == 400
    turns = [record("Empty__c"), record("Bare__c")]
    assert write(api, "POST", turns * 5).status == 200 and write(api, "POST", turns * 6).status == 400
    assert write(api, "POST", []).json == recorded("errors/400-REQUIRED_FIELD_MISSING-collections-empty.json")


def test_delete_many(org, api, recorded):
    ids = org.ids("Account", 3)
    reply = api.delete("/composite/sobjects?ids=%s,%s,%s&allOrNone=false" % (ids[0], ids[0], ids[1]))
    assert [row["success"] for row in reply.json] == [True, False, True]
    second = api.delete("/composite/sobjects?ids=%s,%s&allOrNone=true" % (ids[2], ids[0]))
    assert [row["success"] for row in second.json] == [False, False] and api.get("/sobjects/Account/" + ids[2]).status == 200
    assert list(reply.json[0]) == list(recorded("composite/nango-v66-collections-delete.json")[0])


def test_upsert_many(api, recorded):
    records = [record("Contact", Legacy_Id__c="LEG-0000001", Title="t"), record("Contact", Legacy_Id__c="n1", LastName="x")]
    reply = api.call("PATCH", "/composite/sobjects/Contact/Legacy_Id__c", {"records": records})
    assert [row["created"] for row in reply.json] == [False, True]
    assert list(reply.json[0]) == list(recorded("composite/cumulusci-collections-upsert-updated.json")[0])


# reading

def test_read_many_in_request_order_with_null_for_missing(org, api):
    ids = org.ids("Account", 6)
    org.delete("Account", ids=[ids[5]])
    asked = [ids[3], "001Ab00000zzzzz", ids[0][:15], ids[5], org.user_id, ids[3], "nonsense"]
    reply = api.post("/composite/sobjects/Account", {"ids": asked, "fields": ["Id", "name"]})
    assert [one and one["Id"] for one in reply.json] == [ids[3], None, ids[0], None, None, ids[3], None]
    assert list(reply.json[0]) == ["attributes", "Id", "Name"]
    by_url = api.get("/composite/sobjects/Account", ids=",".join(asked), fields="Id,name")
    assert by_url.json == reply.json


def test_one_bad_field_refuses_all(shared):
    ids = shared.org.ids("Account", 2)
    reply = shared.post("/composite/sobjects/Account", {"ids": ids, "fields": ["Id", "Nope"]})
    assert reply.status == 400 and reply.code == "INVALID_FIELD"
    assert shared.post("/composite/sobjects/Account", {"ids": ids}).status == 400


@pytest.mark.parametrize("number, status", [(2000, 200), (2001, 400)])
def test_limit_of_reads(shared, number, status):
    ids = shared.org.ids("Account", number)
    assert shared.post("/composite/sobjects/Account", {"ids": ids, "fields": ["Id"]}).status == status


def test_many_ids_in_the_url_are_too_many(shared):
    ids = shared.org.ids("Account", 900)
    assert shared.get("/composite/sobjects/Account?fields=Id&ids=" + ",".join(ids)).status == 414


def test_collections_inside_composite(org, api):
    ids = org.ids("Account", 3)
    found = api.composite(("POST", "/composite/sobjects/Account", {"body": {"ids": ids, "fields": ["Name"]}}),
                          ("PATCH", "/composite/sobjects", {"body": {"records": [record("Account", id=ids[0], Phone="5")]}}))
    bodies = [part["body"] for part in found.json["compositeResponse"]]
    assert len(bodies[0]) == 3 and bodies[1][0]["success"] and org.record("Account", ids[0])["Phone"] == "5"
