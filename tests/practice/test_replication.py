# SPDX-License-Identifier: MIT
import time

import pytest

from practice_org.clock import datetime_text, parse_datetime


def moment(seconds):
    return datetime_text(int(seconds)).replace(".000+0000", "+00:00")


def ask(api, kind, start, end, name="Account"):
    return api.get("/sobjects/%s/%s/" % (name, kind), start=moment(start), end=moment(end))


def test_updated(org, api, recorded):
    ids = org.change("Account", indexes=[3, 8], set={"Phone": "1"})
    new = org.create("Account", Name="x")
    org.delete("Account", indexes=[9])
    now = time.time()
    reply = ask(api, "updated", now - 600, now + 120)
    assert set(reply.json["ids"]) == set(ids) | {new}
    covered = parse_datetime(reply.json["latestDateCovered"])
    assert covered % 60 == 0 and now - 61 <= covered <= now + 1
    assert set(reply.json) == set(recorded("query/restforce-getUpdated.json"))


def test_deleted(org, api, recorded):
    soft = org.delete("Account", indexes=[3])
    hard = org.delete("Account", indexes=[4], hard=True)
    now = time.time()
    reply = ask(api, "deleted", now - 600, now + 120).json
    assert [one["id"] for one in reply["deletedRecords"]] == soft + hard
    assert parse_datetime(reply["earliestDateAvailable"]) < now - 86400
    told = recorded("query/restforce-getDeleted.json")
    assert set(reply) == set(told) and set(reply["deletedRecords"][0]) == set(told["deletedRecords"][0])


def test_seconds_are_ignored(org, api):
    org.change("Account", indexes=[3], set={"Phone": "1"})
    now = time.time()
    minute = now - now % 60
    assert ask(api, "updated", minute - 60 + 59, minute + 59).json["ids"] == []
    assert len(ask(api, "updated", minute - 60, minute + 60).json["ids"]) + len(
        ask(api, "updated", minute, minute + 120).json["ids"]) >= 1


@pytest.mark.parametrize("kind, start, end", [("updated", -31 * 86400, 0), ("deleted", -16 * 86400, 0), ("updated", -60, -600),
                                              ("updated", -600, -600), ("updated", 600, 1200)])
def test_bad_windows(shared, kind, start, end):
    now = time.time()
    reply = ask(shared, kind, now + start, now + end)
    assert reply.status == 400 and reply.code == "INVALID_REPLICATION_DATE"


def test_plus_must_be_encoded(shared):
    now = time.time()
    window = "start=%s&end=%s" % (moment(now - 600), moment(now))
    assert shared.get("/sobjects/Account/updated/?" + window).code == "INVALID_REPLICATION_DATE"
    assert shared.get("/sobjects/Account/updated/?" + window.replace("+", "%2B")).status == 200


def test_not_every_object_is_replicated(shared):
    now = time.time()
    assert ask(shared, "updated", now - 600, now, "Stampless__c").status == 400
