# SPDX-License-Identifier: MIT
import re
import urllib.parse

import pytest

from api import BASE


def pages(api, first):
    found = [first]
    while not found[-1]["done"]:
        found.append(api.get(found[-1]["nextRecordsUrl"]).json)
    return found


def test_pages_of_two_thousand(shared, recorded):
    found = pages(shared, shared.soql("SELECT Id FROM Account").json)
    assert [len(page["records"]) for page in found] == [2000, 2000, 1000]
    assert {page["totalSize"] for page in found} == {5000}
    ids = [record["Id"] for page in found for record in page["records"]]
    assert ids == shared.org.ids("Account", 5000)
    assert re.fullmatch(r"/services/data/v64\.0/query/0r8[0-9A-Za-z]{15}-2000", found[0]["nextRecordsUrl"])
    assert list(found[-1]) == list(recorded("query/nango-v59-accounts-2086-page2.json"))


@pytest.mark.parametrize("asked, given", [(200, 200), (1, 200), (1999, 1999), (9000, 2000)])
def test_batch_size(shared, asked, given):
    reply = shared.soql("SELECT Id FROM Account", batch=asked).json
    assert len(reply["records"]) == given and reply["nextRecordsUrl"].endswith("-%d" % given)


def test_wide_rows_make_short_pages(shared):
    names = [field["name"] for field in shared.get("/sobjects/Wide__c/describe").json["fields"]]
    url = "/query?q=" + urllib.parse.quote("SELECT %s FROM Wide__c" % ",".join(names))
    first = shared.composite(("GET", url, {})).json["compositeResponse"][0]["body"]
    found = pages(shared, first)
    assert 200 <= len(first["records"]) <= 500 and sum(len(page["records"]) for page in found) == first["totalSize"] == 700
    assert len(shared.soql("SELECT Id, Name, SystemModstamp FROM Wide__c").json["records"]) == 700


def test_pages_in_any_order_and_again(shared):
    url = shared.soql("SELECT Id FROM Account").json["nextRecordsUrl"]
    last = shared.get(url.replace("-2000", "-4000")).json
    middle = shared.get(url.replace("-2000", "-1500")).json
    ids = shared.org.ids("Account", 5000)
    assert [record["Id"] for record in last["records"]] == ids[4000:] and last["done"]
    assert [record["Id"] for record in middle["records"]] == ids[1500:3500]
    assert shared.get(url).body == shared.get(url).body


def test_locators_serve_filtered_and_sorted_results(shared):
    found = pages(shared, shared.soql("SELECT Id, Name FROM Account WHERE Rating = 'Hot' ORDER BY Name", batch=200).json)
    records = [record for page in found for record in page["records"]]
    names = [record["Name"].lower() for record in records]
    assert len(found) > 3 and len(records) == found[0]["totalSize"] and names == sorted(names)
    assert len({record["Id"] for record in records}) == len(records)


@pytest.mark.parametrize("locator", ["0r8xx0000000001AAA-2000", "nonsense", "0r8xx0000000001AAA"])
def test_bad_locator(shared, locator):
    reply = shared.get("/query/" + locator)
    assert reply.status == 400 and reply.code == "INVALID_QUERY_LOCATOR"


def test_locators_end(org, api):
    url = api.soql("SELECT Id FROM Contact", batch=200).json["nextRecordsUrl"]
    assert api.get(re.sub(r"\d+$", "4000", url)).code == "INVALID_QUERY_LOCATOR"
    org.expire_locators()
    assert api.get(url).code == "INVALID_QUERY_LOCATOR"


def test_ids_are_of_query_time_values_of_page_time(org, api):
    first = api.soql("SELECT Id, Name FROM Account", batch=200).json
    assert first["done"] is True  # 200 accounts
    first = api.soql("SELECT Id, LastName FROM Contact", batch=200).json
    ids = org.ids("Contact", 400)
    org.change("Contact", ids=[ids[300]], set={"LastName": "Changed"})
    org.delete("Contact", ids=[ids[310]])
    org.create("Contact", LastName="New")
    second = api.get(first["nextRecordsUrl"]).json
    names = {record["Id"]: record["LastName"] for record in second["records"]}
    assert names[ids[300]] == "Changed" and ids[310] not in names and len(names) == 199
    assert second["totalSize"] == 400 and second["done"]


def test_query_all_holds_the_recycle_bin(org, api, recorded):
    ids = org.ids("Contact", 400)
    org.delete("Contact", ids=ids[250:253])
    org.delete("Contact", ids=ids[260:261], hard=True)
    assert api.soql("SELECT COUNT() FROM Contact").json["totalSize"] == 396
    found = pages(api, api.soql("SELECT Id, IsDeleted FROM Contact", batch=200, all=True).json)
    deleted = [record["Id"] for page in found for record in page["records"] if record["IsDeleted"]]
    assert deleted == ids[250:253] and found[0]["totalSize"] == 399
    assert "/query/" in found[0]["nextRecordsUrl"]
    assert api.values("SELECT Id FROM Contact WHERE IsDeleted = true", "Id") == []
    assert list(found[1]) == list(recorded("query/nango-v60-queryAll.json"))


def test_changes_since_a_moment(org, api):
    """What a client asks for to stay fresh: stamp and Id in order, deletions included."""
    moment = org.record("Account", org.ids("Account", 200)[-1])["SystemModstamp"].replace(".000+0000", "Z")
    ids = org.ids("Account", 200)
    org.change("Account", ids=[ids[7], ids[3]], set={"Phone": "1"})
    org.delete("Account", ids=[ids[5]])
    new = org.create("Account", Name="New")
    query = "SELECT Id, IsDeleted, Phone FROM Account WHERE SystemModstamp > %s ORDER BY SystemModstamp, Id" % moment
    found = {record["Id"]: record for record in api.records(query, all=True)}
    assert set(found) == {ids[3], ids[5], ids[7], new}
    assert found[ids[5]]["IsDeleted"] and found[ids[3]]["Phone"] == "1"
    assert set(api.values(query, "Id")) == {ids[3], ids[7], new}
    stamps = api.values(query.replace("Phone", "SystemModstamp"), "SystemModstamp")
    assert stamps == sorted(stamps)


def test_a_million_rows(start):
    org, api = start(records={"Account": 1000000})
    url = api.soql("SELECT Id FROM Account").json["nextRecordsUrl"]
    assert len(api.get(url.replace("-2000", "-999000")).json["records"]) == 1000
    ids = org.ids("Account", 2, 777777)
    assert api.values("SELECT Id FROM Account WHERE Id = '%s'" % ids[0], "Id") == ids[:1]
    org.change("Account", indexes=[500000], set={"Name": "middle"})
    page = api.get(api.soql("SELECT Id, Name FROM Account ORDER BY Id").json["nextRecordsUrl"].replace("-2000", "-500000")).json
    assert page["records"][0]["Name"] == "middle" and page["totalSize"] == 1000000
    moment = org.record("Account", ids[0])["SystemModstamp"].replace(".000+0000", "Z")
    found = api.soql("SELECT Id FROM Account WHERE SystemModstamp >= %s" % moment).json
    assert 222222 <= found["totalSize"] <= 222230
    with open("/proc/%d/status" % org.pid) as status:
        resident = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    assert resident < 200000, "kilobytes"


def test_locator_inside_composite(shared):
    path = shared.soql("SELECT Id FROM Account").json["nextRecordsUrl"][len(BASE):]
    parts = shared.composite(("GET", path, {})).json["compositeResponse"]
    assert len(parts[0]["body"]["records"]) == 2000


def test_changed_rows_among_computed_ones(org, api):
    """Whatever was changed, made and deleted, every way to list gives every live record once, in its order."""
    ids = org.ids("Contact", 400)
    org.change("Contact", ids=[ids[row] for row in (0, 1, 2, 7, 9, 11, 198, 199, 200, 300, 302, 399)], set={"Title": "changed"})
    org.delete("Contact", ids=[ids[row] for row in (3, 5, 8, 10, 201, 398)])
    org.delete("Contact", ids=[ids[row] for row in (4, 6, 12, 202)], hard=True)
    made = [org.create("Contact", LastName="new", Title="made") for _ in range(3)]
    live = [one for row, one in enumerate(ids) if row not in (3, 4, 5, 6, 8, 10, 12, 201, 202, 398)] + made

    def listed(clauses, **options):
        found = pages(api, api.soql("SELECT Id, SystemModstamp, Title FROM Contact " + clauses, batch=200, **options).json)
        records = [record for page in found for record in page["records"]]
        assert len(records) == found[0]["totalSize"]
        return records
    assert [record["Id"] for record in listed("")] == live
    assert [record["Id"] for record in listed("ORDER BY Id DESC")] == live[::-1]
    by_stamp = listed("ORDER BY SystemModstamp, Id")
    keys = [(record["SystemModstamp"], record["Id"]) for record in by_stamp]
    assert keys == sorted(keys) and {one for stamp, one in keys} == set(live)
    assert len(listed("", all=True)) == len(live) + 6
    assert len(listed("WHERE Title = 'changed'")) == 12
    assert {record["Id"] for record in listed("WHERE Title = 'made'")} == set(made)
    half = keys[200][0]
    older = listed("WHERE SystemModstamp < %s" % half.replace(".000+0000", "Z"))
    assert {record["Id"] for record in older} == {one for stamp, one in keys if stamp < half}
