# SPDX-License-Identifier: MIT
import pytest


def test_versions_need_no_session_and_cost_nothing(api, recorded):
    reply = api.call("GET", "/services/data/", token=False)
    assert reply.status == 200 and "Sforce-Limit-Info" not in reply.headers
    assert api.org.counts()["counted"] == 0
    assert [one["version"] for one in reply.json] == ["%d.0" % number for number in range(31, 68)]
    told = recorded("describe-global/nango-versions-v31-v66.json")
    assert [one for one in reply.json if one["version"] != "67.0"] == told


@pytest.mark.parametrize("version, status, code", [
    ("v99.0", 404, "NOT_FOUND"), ("v64", 404, "NOT_FOUND"), ("v21.0", 410, "GONE")])
def test_other_versions(shared, version, status, code):
    reply = shared.get("/services/data/%s/limits" % version)
    assert reply.status == status and reply.code == code


@pytest.mark.parametrize("version", ["v31.0", "v50.0", "v67.0"])
def test_every_version_writes_its_own_urls(shared, version):
    record = shared.get("/services/data/%s/query" % version, q="SELECT Id FROM Account LIMIT 1").json["records"][0]
    assert record["attributes"]["url"].startswith("/services/data/%s/sobjects/Account/001" % version)
    described = shared.get("/services/data/%s/sobjects/Account/describe" % version).json
    assert described["urls"]["sobject"] == "/services/data/%s/sobjects/Account" % version


def test_global_has_the_recorded_keys(shared, recorded):
    told = recorded("describe-global/nango-v59-developer-org.json")
    reply = shared.get("/sobjects").json
    assert set(reply) == set(told) and reply["encoding"] == told["encoding"] and reply["maxBatchSize"] == told["maxBatchSize"]
    for entry in reply["sobjects"]:
        assert set(entry) == set(told["sobjects"][0])


def test_global_agrees_with_a_developer_org(shared, recorded):
    """Prefixes and what may be done with the standard objects."""
    told = {entry["name"]: entry for entry in recorded("describe-global/nango-v59-developer-org.json")["sobjects"]}
    compared = 0
    for entry in shared.get("/sobjects").json["sobjects"]:
        real = told.get(entry["name"])
        if real is None:
            assert entry["custom"]
            continue
        compared += 1
        for key in ("keyPrefix", "queryable", "retrieveable", "replicateable", "associateEntityType", "associateParentEntity"):
            assert entry[key] == real[key], (entry["name"], key)
    assert compared >= 25


def test_there_is_enough_of_everything(shared):
    entries = {entry["name"]: entry for entry in shared.get("/sobjects").json["sobjects"]}
    assert len(entries) >= 35
    assert not entries["AccountChangeEvent"]["queryable"]
    assert not entries["AccountHistory"]["updateable"] and entries["AccountHistory"]["keyPrefix"] is None
    assert not any(entries["ReadOnly__c"][flag] for flag in ("createable", "updateable", "deletable"))
    assert [name for name, entry in entries.items() if not entry["replicateable"]]


def test_describe_has_the_recorded_keys(shared, recorded):
    told = recorded("describe/nango-v58-Account.json")
    reply = shared.get("/sobjects/Account/describe").json
    assert set(reply) == set(told)
    for field in reply["fields"]:
        assert set(field) == set(told["fields"][0])
    assert set(reply["childRelationships"][0]) == set(told["childRelationships"][0])
    assert set(reply["recordTypeInfos"][0]) == set(told["recordTypeInfos"][0])
    entry = next(field for field in reply["fields"] if field["picklistValues"])["picklistValues"][0]
    real = next(field for field in told["fields"] if field["picklistValues"])["picklistValues"][0]
    assert set(entry) == set(real)


@pytest.mark.parametrize("name, file", [("Account", "nango-v58-Account"), ("Contact", "cumulusci-Contact"),
                                        ("Lead", "cumulusci-Lead"), ("Opportunity", "cumulusci-Opportunity"),
                                        ("Case", "cumulusci-Case"), ("Task", "nango-v60-Task"), ("Event", "cumulusci-Event")])
def test_standard_fields_are_of_the_real_type(shared, recorded, name, file):
    told = recorded("describe/%s.json" % file)
    told = {field["name"]: field for field in told.get("result", told)["fields"]}
    compared = 0
    for field in shared.get("/sobjects/%s/describe" % name).json["fields"]:
        real = told.get(field["name"])
        if real is None or field["custom"]:
            continue
        compared += 1
        for key in ("type", "soapType", "length", "filterable", "sortable", "extraTypeInfo", "nameField"):
            assert field[key] == real[key], (field["name"], key)
    assert compared >= 15


def test_account_has_thirty_plain_fields(shared):
    fields = shared.get("/sobjects/Account/describe").json["fields"]
    plain = [field for field in fields if field["type"] not in ("address", "location", "base64")]
    assert len(plain) == 30
    assert [field["name"] for field in fields if field["type"] == "address"] == ["BillingAddress", "ShippingAddress"]


def test_everything_has_every_type(shared):
    kinds = {field["type"] for field in shared.get("/sobjects/Everything__c/describe").json["fields"]}
    assert kinds >= set("id string textarea picklist multipicklist combobox reference phone email url boolean int double "
                        "currency percent date datetime time location encryptedstring".split())


def test_wide_does_not_fit_into_a_url(shared):
    names = [field["name"] for field in shared.get("/sobjects/Wide__c/describe").json["fields"]]
    assert len(names) > 500 and len(",".join(names)) > 16384


def test_objects_without_dates(shared):
    def dates(name):
        fields = shared.get("/sobjects/%s/describe" % name).json["fields"]
        return {field["name"] for field in fields if field["type"] == "datetime"}
    assert dates("Stampless__c") == {"CreatedDate"} and dates("Bare__c") == set()
    assert dates("AccountHistory") == {"CreatedDate"} and dates("ContentDocumentLink") == {"SystemModstamp"}


@pytest.mark.parametrize("path", ["/sobjects", "/sobjects/Account/describe", "/sobjects/account/describe/"])
def test_not_modified(shared, path):
    first = shared.get(path)
    assert first.headers["Last-Modified"].endswith("GMT") and first.headers["ETag"].startswith('"')
    again = shared.get(path, {"If-Modified-Since": first.headers["Last-Modified"]})
    assert again.status == 304 and again.body == b"" and again.headers["Sforce-Limit-Info"]
    assert shared.get(path, {"If-Modified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}).status == 200
    assert shared.get(path, {"If-Unmodified-Since": "Mon, 01 Jan 2001 00:00:00 GMT"}).status == 412
    assert shared.get(path, {"If-Modified-Since": "yesterday"}).status == 400


def test_a_new_field_moves_the_date(org, api):
    before = api.get("/sobjects/Account/describe").headers["Last-Modified"]
    other = api.get("/sobjects/Contact/describe").headers["Last-Modified"]
    org.add_field("Account", "Shoe_Size__c", "double", precision=4, scale=1, value=[41.5])
    again = api.get("/sobjects/Account/describe", {"If-Modified-Since": before})
    assert again.status == 200 and again.json["fields"][-1]["name"] == "Shoe_Size__c"
    assert api.get("/sobjects/Contact/describe", {"If-Modified-Since": other}).status == 304
    assert api.get("/sobjects", {"If-Modified-Since": before}).status == 200
    assert api.values("SELECT Shoe_Size__c FROM Account LIMIT 1", "Shoe_Size__c") == [41.5]
    org.remove_field("Account", "Shoe_Size__c")
    assert api.soql("SELECT Shoe_Size__c FROM Account LIMIT 1").code == "INVALID_FIELD"


def test_unknown_object(shared, recorded):
    for path in ("/sobjects/Nope", "/sobjects/Nope/describe", "/nope", "/sobjects/Account/001/x/y/z"):
        reply = shared.get(path)
        assert reply.status == 404 and reply.code == "NOT_FOUND"
    assert reply.json == recorded("errors/404-NOT_FOUND.json")


def test_basic_info(shared, recorded):
    told = recorded("describe/nango-v63-Account-basic-info.json")
    reply = shared.get("/sobjects/Account").json
    assert set(reply) == set(told) and set(reply["objectDescribe"]) == set(told["objectDescribe"])


def test_limits(shared, recorded):
    reply = shared.get("/limits")
    assert all(set(entry) == {"Max", "Remaining"} for entry in reply.json.values())
    used = int(reply.headers["Sforce-Limit-Info"].split("=")[1].split("/")[0])
    entry = reply.json["DailyApiRequests"]
    assert entry["Max"] - entry["Remaining"] in (used, used - 1)
    assert set(reply.json) <= set(recorded("limits/nango-v60-limits.json"))


def test_record_count(shared, recorded):
    reply = shared.get("/limits/recordCount", sObjects="Account,Contact").json
    assert reply == {"sObjects": [{"count": 5000, "name": "Account"}, {"count": 400, "name": "Contact"}]}
    assert set(reply["sObjects"][0]) == set(recorded("limits/cumulusci-recordCount.json")["sObjects"][0])
    assert shared.get("/limits/recordCount", sObjects="Nope").json == recorded("limits/cumulusci-recordCount-empty.json")
