# SPDX-License-Identifier: MIT
import pytest

from practice_org.clock import http_date, parse_datetime


def parts(reply):
    assert reply.status == 200, reply
    return reply.json["compositeResponse"]


def test_many_in_one_call(org, api, recorded):
    mark = org.mark()
    ids = org.ids("Account", 2)
    reply = api.composite(("GET", "/sobjects/Account/%s?fields=Name" % ids[0], {}),
                          ("GET", "/query?q=SELECT+Id+FROM+Contact+LIMIT+1", {}),
                          ("PATCH", "/sobjects/Account/" + ids[1], {"body": {"Phone": "1"}}),
                          ("GET", "/sobjects/Nope/describe", {}))
    found = parts(reply)
    assert [part["httpStatusCode"] for part in found] == [200, 200, 204, 404]
    assert found[2]["body"] is None and found[2]["httpHeaders"] == {}
    assert org.counts(mark)["counted"] == 1
    logged = org.log(mark)[-1]
    assert [part["kind"] for part in logged["parts"]] == ["retrieve", "query", "update", "describe"]
    assert [part["status"] for part in logged["parts"]] == [200, 200, 204, 404]
    told = recorded("composite/cumulusci-composite-count-errors.json")["compositeResponse"][0]
    assert all(set(part) == set(told) for part in found)
    assert found[3]["body"] == recorded("composite/cumulusci-composite-errors.json")["compositeResponse"][0]["body"]


def test_created_part_tells_its_location(api, recorded):
    part = parts(api.composite(("POST", "/sobjects/Account", {"body": {"Name": "x"}})))[0]
    assert part["httpHeaders"] == {"Location": "/services/data/v64.0/sobjects/Account/" + part["body"]["id"]}
    told = recorded("composite/applink-v51-graph-create.json")["graphs"][0]["graphResponse"]["compositeResponse"][0]
    assert set(part["httpHeaders"]) == set(told["httpHeaders"]) and set(part["body"]) == set(told["body"])


def test_write_then_read_in_order(org, api):
    path = "/sobjects/Account/" + org.ids("Account", 1)[0]
    asked = [("PATCH", path, {"body": {"Phone": "12"}}), ("GET", path + "?fields=Phone", {})]
    assert parts(api.composite(*asked, collateSubrequests=False))[1]["body"]["Phone"] == "12"


def test_order_is_not_promised_when_collating(org, api):
    path = "/sobjects/Account/" + org.ids("Account", 1)[0]
    asked = [("PATCH", path, {"body": {"Phone": "12"}}), ("GET", path + "?fields=Phone", {})]
    assert parts(api.composite(*asked))[1]["body"]["Phone"] != "12"
    assert parts(api.composite(*asked, version="v48.0"))[1]["body"]["Phone"] == "12"


def test_references(api):
    found = parts(api.composite(
        ("POST", "/sobjects/Account", {"body": {"Name": "Parent"}}),
        ("POST", "/sobjects/Contact", {"body": {"LastName": "x", "AccountId": "@{r0.id}"}}),
        ("GET", "/sobjects/Account/@{r0.id}", {}),
        ("GET", "/query?q=SELECT+Id+FROM+Contact+LIMIT+1", {}),
        ("GET", "/sobjects/Contact/@{r3.records[0].Id}", {}),
        ("GET", "/sobjects/Contact/@{r1.nothing}", {})))
    assert [part["httpStatusCode"] for part in found] == [201, 201, 200, 200, 200, 400]
    assert found[2]["body"]["Name"] == "Parent" and found[5]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert found[4]["body"]["Id"] == found[3]["body"]["records"][0]["Id"]


def test_all_or_none(org, api, recorded):
    record_id = org.ids("Account", 1)[0]
    before = org.record("Account", record_id)
    asked = [("PATCH", "/sobjects/Account/" + record_id, {"body": {"Phone": "12"}}),
             ("POST", "/sobjects/Account", {"body": {"Name": "x"}}),
             ("POST", "/sobjects/Account", {"body": {}})]
    found = parts(api.composite(*asked, allOrNone=True))
    halted = found[0]
    assert [part["httpStatusCode"] for part in found] == [400] * 3 and found[1]["body"] == halted["body"]
    assert found[2]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert org.record("Account", record_id) == before
    assert api.soql("SELECT COUNT() FROM Account").json["totalSize"] == 200
    found = parts(api.composite(*asked))
    assert [part["httpStatusCode"] for part in found] == [204, 201, 400]
    assert api.soql("SELECT COUNT() FROM Account").json["totalSize"] == 201
    told = recorded("composite/camel-composite-failure.json")["compositeResponse"][0]
    assert halted["body"] == told["body"] and halted["httpStatusCode"] == told["httpStatusCode"]


def test_conditions_of_a_part(org, api, recorded):
    path = "/sobjects/Account/" + org.ids("Account", 1)[0]
    date = http_date(parse_datetime(api.get(path).json["LastModifiedDate"]))
    described = api.get("/sobjects/Account/describe").headers["Last-Modified"]
    found = parts(api.composite(
        ("PATCH", path, {"body": {"Phone": "1"}, "httpHeaders": {"If-Unmodified-Since": date}}),
        ("PATCH", path, {"body": {"Phone": "2"}, "httpHeaders": {"If-Unmodified-Since": date}}),
        ("GET", "/sobjects/Account/describe", {"httpHeaders": {"If-Modified-Since": described}})))
    assert [part["httpStatusCode"] for part in found] == [204, 412, 304]
    assert found[2]["body"] is None and api.get(path).json["Phone"] == "1"
    told = recorded("composite/cumulusci-v49-composite-http-headers.json")["compositeResponse"][0]
    assert set(found[2]["httpHeaders"]) == set(told["httpHeaders"])


QUERY = ("GET", "/query?q=SELECT+Id+FROM+Account+LIMIT+1", {})
GET = ("GET", "/limits", {})


@pytest.mark.parametrize("asked, status", [([GET] * 25, 200), ([GET] * 26, 400), ([QUERY] * 5, 200), ([QUERY] * 6, 400),
                                           ([QUERY] * 5 + [GET] * 20, 200), ([], 400)])
def test_limits_of_composite(shared, asked, status):
    assert shared.composite(*asked).status == status


def test_many_replication_parts_are_no_queries(shared):
    window = "start=2099-01-01T00%3A00%3A00%2B00%3A00&end=2099-01-02T00%3A00%3A00%2B00%3A00"
    found = parts(shared.composite(*[("GET", "/sobjects/Account/updated/?" + window, {})] * 25))
    assert {part["httpStatusCode"] for part in found} == {400}


@pytest.mark.parametrize("more", [
    {"referenceId": "a b"}, {"referenceId": "_a"}, {"referenceId": ""}, {"url": "/sobjects/Account"},
    {"url": "/services/data/v64.0/query?q=SELECT Id FROM Account"},
    {"httpHeaders": {"Authorization": "Bearer x"}}, {"httpHeaders": {"accept": "x"}}, {"httpHeaders": {"Content-Type": "x"}},
])
def test_whole_request_is_refused(shared, more):
    assert shared.composite(("GET", "/limits", more)).status == 400


def test_two_parts_with_one_name(shared):
    assert shared.composite(("GET", "/limits", {}), ("GET", "/limits", {"referenceId": "r0"})).status == 400


def test_no_blobs_and_no_composites_inside(shared):
    attachment = shared.org.ids("Attachment", 1)[0]
    found = parts(shared.composite(("GET", "/sobjects/Attachment/%s/Body" % attachment, {}),
                                   ("POST", "/composite", {"body": {}})))
    assert [part["httpStatusCode"] for part in found] == [400, 400]


@pytest.mark.parametrize("version, path, status", [
    ("v37.0", "", 404), ("v38.0", "", 400), ("v41.0", "/sobjects", 404), ("v42.0", "/sobjects", 400), ("v33.0", "/batch", 404)])
def test_older_versions_know_less(shared, version, path, status):
    assert shared.post("/services/data/%s/composite%s" % (version, path), {}).status == status


def test_batch(org, api, recorded):
    mark = org.mark()
    record_id = org.ids("Account", 1)[0]
    reply = api.post("/composite/batch", {"batchRequests": [
        {"method": "GET", "url": "v64.0/sobjects/Account/%s?fields=Name" % record_id},
        {"method": "GET", "url": "/services/data/v64.0/sobjects/Nope"},
        {"method": "PATCH", "url": "v64.0/sobjects/Account/" + record_id, "richInput": {"Phone": "77"}}]}).json
    assert reply["hasErrors"] is True and [part["statusCode"] for part in reply["results"]] == [200, 404, 204]
    assert org.counts(mark)["counted"] == 3 and org.record("Account", record_id)["Phone"] == "77"
    assert org.quota()["used"] == 3
    halted = api.post("/composite/batch", {"haltOnError": True, "batchRequests": [
        {"method": "GET", "url": "v64.0/sobjects/Nope"}, {"method": "GET", "url": "v64.0/limits"}]}).json
    assert halted["results"][1]["statusCode"] == 412
    assert halted["results"][1]["result"][0]["errorCode"] == "BATCH_PROCESSING_HALTED"
    told = recorded("composite/nango-v57-batch.json")
    assert set(reply) == set(told) and set(reply["results"][0]) == set(told["results"][0])
