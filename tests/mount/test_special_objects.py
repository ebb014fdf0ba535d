# SPDX-License-Identifier: MIT
"""Objects that are not like Account: very wide, refusing, empty, without a date, failing."""
import errno
import json
import os
import time

import pytest

from clients import describe, ids, load, output, read, run, shown_fields
from mounts import mode_of


@pytest.fixture(scope="module")
def org(module_stage):
    return module_stage.org()


@pytest.fixture(scope="module")
def mount(module_stage, org):
    return module_stage.mount(org, "ttl=600")


# more fields than fit into a URL

def test_an_object_with_500_fields_lists_and_shows_every_field(org, mount):
    fields = shown_fields(describe(org, "Wide__c"))
    assert len(fields) > 500
    assert ids(os.listdir(mount.path("Wide__c"))) == set(org.ids("Wide__c", limit=2000))
    for record in org.ids("Wide__c", limit=10, offset=300):
        truth = org.record("Wide__c", record)
        assert load(mount.record("Wide__c", record)) == {name: truth[name] for name in fields}


def test_an_object_with_500_fields_opens_by_id(stage, org):
    mount = stage.mount(org)
    record = org.ids("Wide__c", limit=1, offset=600)[0]
    truth = org.record("Wide__c", record)
    found = load(mount.record("Wide__c", record))
    assert found == {name: truth[name] for name in found} and len(found) > 500


def test_changes_of_an_object_with_500_fields_are_seen(stage, org):
    mount = stage.mount(org, "ttl=1")
    field = next(name for name in shown_fields(describe(org, "Wide__c")) if "_Text_" in name)
    record = org.ids("Wide__c", limit=1)[0]
    os.listdir(mount.path("Wide__c"))
    time.sleep(1.2)
    org.change("Wide__c", ids=[record], set={field: "a new word"})
    assert load(mount.record("Wide__c", record))[field] == "a new word"


# objects that refuse a plain query

@pytest.mark.parametrize("name", ["ContentDocumentLink", "FieldDefinition", "DataStatistics"])
def test_a_refusing_object_is_not_listed(mount, name):
    assert name not in os.listdir(mount.dir)


def test_a_refusing_object_opens_by_id(org, mount):
    for record in org.ids("ContentDocumentLink", limit=3):
        assert load(mount.record("ContentDocumentLink", record))["Id"] == record


def test_the_directory_of_a_refusing_object_cannot_be_read_and_says_why(mount):
    directory = mount.path("ContentDocumentLink")
    with pytest.raises(OSError) as caught:
        os.listdir(directory)
    assert caught.value.errno == errno.EPERM
    told = mount.home.command("why", directory)
    assert told.returncode == 0 and "MALFORMED_QUERY" in told.stdout and "filter" in told.stdout


def test_a_refusal_is_remembered(org, mount):
    run("ls", mount.path("DataStatistics"))
    before = org.mark()
    assert run("ls", mount.path("DataStatistics")).returncode == 2
    assert org.counts(since=before)["counted"] == 0


# objects with little in them

def test_an_empty_object_lists_empty_and_once_only(org, mount):
    assert output("ls", "-A", mount.path("Empty__c")) == ""
    before = org.mark()
    assert output("ls", "-A", mount.path("Empty__c")) == "" and org.counts(since=before)["counted"] == 0


def seconds_of(text):
    import calendar
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


@pytest.mark.parametrize("name, field", [("Stampless__c", "CreatedDate"), ("AccountHistory", "CreatedDate")])
def test_an_object_without_systemmodstamp_is_dated_by_another_field(org, mount, name, field):
    assert ids(os.listdir(mount.path(name))) == set(org.ids(name))
    for record in org.ids(name, limit=5):
        truth, path = org.record(name, record), mount.record(name, record)
        assert "SystemModstamp" not in truth
        assert int(os.stat(path).st_mtime) == seconds_of(truth[field])
        assert load(path)["Id"] == record


def test_an_object_without_any_date_reads_and_has_a_time_that_stays(stage, org):
    mount = stage.mount(org, "ttl=1")
    assert ids(os.listdir(mount.path("Bare__c"))) == set(org.ids("Bare__c"))
    record = org.ids("Bare__c")[0]
    path = mount.record("Bare__c", record)
    before = os.stat(path).st_mtime
    assert load(path)["Id"] == record
    time.sleep(1.2)
    assert os.stat(path).st_mtime == before


@pytest.mark.parametrize("name", ["Bare__c", "Stampless__c"])
def test_changes_of_an_object_whose_changes_cannot_be_asked_for_are_seen(stage, name):
    org = stage.org()
    mount = stage.mount(org, "ttl=1")
    all_ids = set(org.ids(name))
    assert ids(os.listdir(mount.path(name))) == all_ids
    changed, gone = sorted(all_ids)[0], sorted(all_ids)[1]
    assert load(mount.record(name, changed))["Remark__c"] != "changed by someone"
    time.sleep(1.2)
    org.change(name, ids=[changed], set={"Remark__c": "changed by someone"})
    org.delete(name, ids=[gone])
    new = org.create(name, Name="new one")
    assert ids(os.listdir(mount.path(name))) == (all_ids - {gone}) | {new}
    assert load(mount.record(name, changed))["Remark__c"] == "changed by someone"
    assert not os.path.exists(mount.record(name, gone))
    assert load(mount.record(name, new))["Name"] == "new one"


def test_changes_that_cannot_be_told_are_not_asked_for(stage):
    org = stage.org()
    mount = stage.mount(org, "ttl=1")
    all_ids = set(org.ids("AccountHistory"))
    assert ids(os.listdir(mount.path("AccountHistory"))) == all_ids
    time.sleep(1.2)
    before = org.mark()
    assert ids(os.listdir(mount.path("AccountHistory"))) == all_ids
    assert org.counts(since=before)["counted"] == 1  # its one page


def test_an_object_that_cannot_be_updated_shows_it(org, mount):
    record = org.ids("ReadOnly__c")[0]
    assert mode_of(mount.path("ReadOnly__c")) == 0o555
    assert mode_of(mount.record("ReadOnly__c", record)) == 0o444
    with pytest.raises(OSError):
        open(mount.record("ReadOnly__c", record), "w")


# a listing that fails

FAILURE = {"match": {"kind": "query_page"}, "do": "error", "status": 400, "errorCode": "QUERY_TIMEOUT",
           "message": "Your query request was running for too long.", "times": -1}


def test_a_listing_that_fails_in_the_middle_is_an_error_and_heals(stage):
    org = stage.org(records={"Account": 9000})
    mount = stage.mount(org)
    org.faults([dict(FAILURE, skip=1)])
    done = run("ls", "-U", mount.path("Account"))
    assert done.returncode == 2 and "Connection timed out" in done.stderr
    assert len(done.stdout.split()) < 9000
    told = mount.home.command("why", mount.path("Account"))
    assert "QUERY_TIMEOUT" in told.stdout and "running for too long" in told.stdout
    assert "QUERY_TIMEOUT" in os.getxattr(mount.path("Account"), "user.forcefs.error").decode()
    org.faults([])
    assert ids(output("ls", mount.path("Account")).split()) == set(org.ids("Account", limit=9000))
    with pytest.raises(OSError) as caught:
        os.getxattr(mount.path("Account"), "user.forcefs.error")
    assert caught.value.errno == errno.ENODATA


def test_find_and_grep_report_a_listing_that_fails(stage):
    org = stage.org(records={"Account": 5000})
    mount = stage.mount(org)
    org.faults([FAILURE])
    for words in (["grep", "-r", "no such word"], ["find"]):
        done = run(*(words + [mount.path("Account")]))
        assert done.returncode in (1, 2) and mount.path("Account") in done.stderr


def test_a_locator_that_the_org_forgot_is_no_error(stage):
    org = stage.org(records={"Account": 9000}, latency_ms=100)
    mount = stage.mount(org)
    org.faults([{"match": {"kind": "query_page"}, "do": "error", "status": 400, "errorCode": "INVALID_QUERY_LOCATOR",
                 "message": "invalid query locator", "skip": 1}])
    names = output("ls", "-U", mount.path("Account")).split()
    assert len(names) == 9000 and ids(names) == set(org.ids("Account", limit=9000))


def test_a_field_that_was_taken_away_is_no_error(stage):
    org = stage.org()
    mount = stage.mount(org, "ttl=1")
    record = org.ids("Contact")[0]
    assert "Title" in load(mount.record("Contact", record))
    org.remove_field("Contact", "Title")
    time.sleep(1.2)
    os.listdir(mount.path("Contact"))
    assert "Title" not in load(mount.record("Contact", record))


def test_a_field_that_was_added_is_shown(stage):
    org = stage.org()
    mount = stage.mount(org, "ttl=1")
    record = org.ids("Contact")[0]
    os.listdir(mount.path("Contact"))
    assert "Shoe_Size__c" not in load(mount.record("Contact", record))
    time.sleep(1.2)
    org.add_field("Contact", "Shoe_Size__c", "double", precision=4, scale=1, value=44.5)
    assert load(mount.record("Contact", record))["Shoe_Size__c"] == 44.5
    assert os.stat(mount.record("Contact", record)).st_size == len(read(mount.record("Contact", record)))
    text = json.dumps(load(mount.path(".forcefs", "describe", "Contact.json")))
    assert "Shoe_Size__c" in text
