# SPDX-License-Identifier: MIT
import gzip
import http.client
import json
import socket
import threading
import time
import zlib

import pytest

from api import BASE, Api
from practice import ControlError

LIMITS = "/limits"


def test_status_html_and_retry_after(org, api, recorded):
    org.faults([{"match": {"kind": "limits"}, "do": "status"}, {"match": {"kind": "limits"}, "do": "html"},
                {"match": {"kind": "limits"}, "do": "html", "status": 200},
                {"match": {"kind": "limits"}, "do": "retry_after", "status": 503, "seconds": 7},
                {"match": {"kind": "limits"}, "do": "status", "status": 500, "body": "oops", "content_type": "text/plain",
                 "headers": {"X-Why": "test"}}])
    first = api.get(LIMITS)
    assert first.status == 503 and first.code == "SERVER_UNAVAILABLE"
    pages = [api.get(LIMITS) for _ in range(2)]
    assert [page.status for page in pages] == [503, 200] and all("text/html" in page.headers["Content-Type"] for page in pages)
    assert api.get(LIMITS).headers["Retry-After"] == "7"
    last = api.get(LIMITS)
    assert (last.status, last.body, last.headers["X-Why"]) == (500, b"oops", "test")
    assert api.get(LIMITS).status == 200
    assert first.json == recorded("errors/503-SERVER_UNAVAILABLE.json")


@pytest.mark.parametrize("do, status, code", [
    ("quota", 403, "REQUEST_LIMIT_EXCEEDED"), ("concurrent", 403, "REQUEST_LIMIT_EXCEEDED"),
    ("row_lock", 400, "UNABLE_TO_LOCK_ROW"), ("expire", 401, "INVALID_SESSION_ID")])
def test_refusals(org, api, do, status, code):
    org.faults([{"match": {"path": "Account"}, "do": do}])
    path = "/sobjects/Account/" + org.ids("Account", 1)[0]
    assert api.get("/sobjects/Contact/describe").status == 200
    reply = api.get(path)
    assert reply.status == status and reply.code == code
    assert api.get(path).status == (401 if do == "expire" else 200)


def test_skip_times_and_for_ever(org, api):
    org.faults([{"match": {"kind": "limits"}, "skip": 2, "times": 2, "do": "status"}])
    assert [api.get(LIMITS).status for _ in range(5)] == [200, 200, 503, 503, 200]
    org.faults([{"times": -1, "do": "status", "status": 502}])
    assert [api.get(LIMITS).status for _ in range(3)] == [502] * 3
    org.faults([])
    assert api.get(LIMITS).status == 200


def test_probability_follows_the_seed(start):
    def outcome():
        org, api = start(seed=3, faults=[{"do": "status", "times": -1, "probability": 0.5, "match": {"kind": "limits"}}])
        return [api.get(LIMITS).status for _ in range(20)]
    first = outcome()
    assert first == outcome() and set(first) == {200, 503}


def test_bad_specs_are_refused(org):
    with pytest.raises(ControlError):
        org.faults([{"do": "explode"}])


def test_error_of_ones_own(org, api):
    org.faults([{"do": "error", "status": 400, "errorCode": "QUERY_TIMEOUT", "message": "too slow"}])
    reply = api.soql("SELECT Id FROM Account")
    assert reply.status == 400 and reply.json == [{"message": "too slow", "errorCode": "QUERY_TIMEOUT"}]


def test_broken_bodies(org, api):
    for do, error in (("cut", http.client.IncompleteRead), ("wrong_length", http.client.IncompleteRead)):
        org.faults([{"match": {"kind": "query"}, "do": do}])
        with pytest.raises(error):
            api.soql("SELECT Id FROM Account")
    org.faults([{"match": {"kind": "query"}, "do": "garbage"}])
    with pytest.raises(json.JSONDecodeError):
        assert api.soql("SELECT Id FROM Account").json
    org.faults([{"match": {"kind": "query"}, "do": "bad_gzip"}])
    with pytest.raises((OSError, EOFError, zlib.error)):
        api.get("/query", {"Accept-Encoding": "gzip"}, q="SELECT Id, Name FROM Account")
    org.faults([{"match": {"kind": "query"}, "do": "deep_json", "depth": 5000}])
    assert api.soql("SELECT Id FROM Account").body == b"[" * 5000 + b"]" * 5000
    org.faults([{"match": {"kind": "query"}, "do": "huge", "mb": 3}])
    assert len(api.soql("SELECT Id FROM Account").body) > 3 << 20


def test_reset_before_and_after_the_work(org, api):
    path = "/sobjects/Account/" + org.ids("Account", 1)[0]
    for after, phone in ((False, None), (True, "2")):
        org.faults([{"match": {"kind": "update"}, "do": "reset", "after": after}])
        with pytest.raises(ConnectionResetError):
            api.patch(path, {"Phone": "2"})
        if phone:
            assert api.get(path).json["Phone"] == phone
        else:
            assert api.get(path).json["Phone"] != "2"


def test_stall_and_slow(org, api):
    org.faults([{"match": {"kind": "limits"}, "do": "stall"}])
    started = time.time()
    with pytest.raises(socket.timeout):
        api.call("GET", LIMITS, timeout=0.5)
    assert time.time() - started >= 0.5
    org.faults([{"match": {"kind": "limits"}, "do": "stall", "seconds": 0.3}])
    with pytest.raises(http.client.RemoteDisconnected):
        api.get(LIMITS)
    org.faults([{"match": {"kind": "query"}, "do": "slow", "pause": 0.002}])
    started = time.time()
    assert api.soql("SELECT COUNT() FROM Account").json["totalSize"] == 200
    assert time.time() - started > 0.1


def test_a_stalled_call_holds_nobody_up(org, api):
    org.faults([{"match": {"kind": "limits"}, "do": "stall"}])
    thread = threading.Thread(target=lambda: pytest.raises(Exception, api.call, "GET", LIMITS, timeout=1))
    thread.start()
    time.sleep(0.1)
    started = time.time()
    assert api.soql("SELECT COUNT() FROM Account").status == 200 and time.time() - started < 0.5
    thread.join()


def test_redirect(org, api):
    org.faults([{"do": "redirect", "location": "https://evil.example/"}])
    reply = api.get(LIMITS)
    assert reply.status == 302 and reply.headers["Location"] == "https://evil.example/"


def test_faults_reach_parts_and_rows(org, api):
    ids = org.ids("Account", 3)
    org.faults([{"match": {"kind": "update"}, "do": "row_lock"}])
    part = api.composite(("PATCH", "/sobjects/Account/" + ids[0], {"body": {"Phone": "1"}})).json["compositeResponse"][0]
    assert part["httpStatusCode"] == 400 and part["body"][0]["errorCode"] == "UNABLE_TO_LOCK_ROW"
    org.faults([{"match": {"kind": "row"}, "do": "row_lock", "skip": 1}])
    records = [{"attributes": {"type": "Account"}, "id": one, "Phone": "1"} for one in ids]
    rows = api.patch("/composite/sobjects", {"records": records}).json
    assert [row["success"] for row in rows] == [True, False, True]
    assert rows[1]["errors"][0]["statusCode"] == "UNABLE_TO_LOCK_ROW"


def test_faults_at_start_and_on_the_token_endpoint(start):
    org, api = start(faults=[{"match": {"kind": "token"}, "do": "html", "skip": 1}])
    assert api.token_request().status == 503 and api.token_request().status == 200


# quota

def test_quota(org, api, recorded):
    org.quota(used=99998, max=100000)
    assert api.get(LIMITS).headers["Sforce-Limit-Info"] == "api-usage=99999/100000"
    assert api.get(LIMITS).status == 200
    reply = api.get(LIMITS)
    assert reply.status == 403 and reply.code == "REQUEST_LIMIT_EXCEEDED"
    assert api.call("GET", "/services/data/", token=False).status == 200
    org.quota(used=0)
    assert api.get(LIMITS).status == 200
    assert reply.json == recorded("errors/403-REQUEST_LIMIT_EXCEEDED.json")


def test_what_counts(org, api):
    mark = org.mark()
    api.token_request()
    api.call("GET", "/services/data/", token=False)
    api.call("GET", LIMITS, token=False)
    assert org.counts(mark)["counted"] == 0
    api.get("/sobjects/Nope")
    api.get("/sobjects", {"If-Modified-Since": "Sat, 01 Jan 2050 00:00:00 GMT"})
    assert org.counts(mark)["counted"] == 2


# the record of calls

def test_log(start, tmp_path):
    file = tmp_path / "calls.ndjson"
    org, api = start(log=str(file))
    api.soql("SELECT Id FROM Account LIMIT 1")
    api.patch("/sobjects/Account/" + org.ids("Account", 1)[0], {"Phone": "1"})
    calls = org.log()
    assert [call["kind"] for call in calls] == ["token", "query", "update"]
    assert calls[1]["query"] == "SELECT Id FROM Account LIMIT 1" and calls[1]["counted"] and calls[1]["bytes_out"] > 50
    assert calls[2]["body"] == {"Phone": "1"} and calls[2]["status"] == 204
    text = file.read_text()
    assert [json.loads(line)["n"] for line in text.splitlines()] == [0, 1, 2]
    assert api.token not in text and org.refresh_token not in text and org.client_secret not in text
    org.reset_log()
    assert org.log() == [] and org.counts()["counted"] == 0


def test_in_flight(org, api):
    org.latency(150)
    threads = [threading.Thread(target=api.get, args=(LIMITS,)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert org.counts()["in_flight_max"] == 8
    org.latency(0)


# the wire

def test_many_connections_at_once(org, api):
    failures = []

    def work():
        try:
            assert api.get(LIMITS).status == 200
        except Exception as error:
            failures.append(error)
    threads = [threading.Thread(target=work) for _ in range(250)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


def test_keep_alive_is_quick(org, api):
    connection = http.client.HTTPConnection("127.0.0.1", org.port)
    headers = {"Authorization": "Bearer " + api.token, "Accept-Encoding": "gzip"}
    started = time.time()
    for _ in range(50):
        connection.request("GET", BASE + LIMITS, headers=headers)
        reply = connection.getresponse()
        body = reply.read()
        assert reply.getheader("Transfer-Encoding") == "chunked" and reply.getheader("Content-Encoding") == "gzip"
        assert json.loads(gzip.decompress(body))
    assert time.time() - started < 1, "forty milliseconds a call would be Nagle waiting for an acknowledgement"
    connection.close()


def test_request_bodies_chunked_and_compressed(org, api):
    path = BASE + "/sobjects/Account/" + org.ids("Account", 1)[0]
    headers = {"Authorization": "Bearer " + api.token, "Content-Type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", org.port)
    connection.request("PATCH", path, iter([b'{"Phone"', b':"chunked"}']), headers, encode_chunked=True)
    reply = connection.getresponse()
    reply.read()
    assert reply.status == 204 and api.get(path).json["Phone"] == "chunked"
    body = gzip.compress(b'{"Phone":"packed"}')
    assert api.patch(path, body, headers=dict(headers, **{"Content-Encoding": "gzip"})).status == 204
    assert api.get(path).json["Phone"] == "packed"
    connection.close()


def test_headers(shared):
    headers = shared.get(LIMITS).headers
    for name in ("Date", "Cache-Control", "Set-Cookie", "x-sfdc-request-id", "Vary", "Sforce-Limit-Info"):
        assert headers[name]
    assert headers["Content-Type"] == "application/json;charset=UTF-8"


def test_restart_on_the_same_port(start):
    org, api = start()
    url, changed = org.url, org.change("Account", indexes=[0], set={"Phone": "1"})
    org.restart()
    assert org.url == url and org.record("Account", changed[0])["Phone"] != "1"
    assert api.get(LIMITS).status == 401
    assert Api(org).get(LIMITS).status == 200


def test_it_ends_with_its_parent(start):
    org, api = start()
    process = org.process
    process.stdin.close()
    assert process.wait(5) == 0


def test_control_refuses_nonsense(org):
    for name, body in (("change", {"object": "Nope"}), ("change", {"object": "Account", "indexes": [99999]}), ("nope", {})):
        with pytest.raises(ControlError):
            org.control(name, body)
