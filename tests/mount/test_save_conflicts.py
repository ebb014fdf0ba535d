# SPDX-License-Identifier: MIT
"""Two people change one record: both changes stand, or the later one is told and keeps its text."""
import errno
import json
import os
import subprocess
import sys
import threading

import pytest

from clients import load, read, run
from mounts import wait_until
from saving import Desk, org_values, save


class Table:
    """The org on two mounts, each a daemon with a home of its own."""

    def __init__(self, stage):
        self.desk = Desk(stage)
        self.org, self.one = self.desk.org, self.desk.mount
        self.other = stage.mount(self.org, "ttl=600")
        os.listdir(self.other.path("Account"))

    def seat(self):
        page = self.desk.page()
        assert read(self.other.record("Account", page.id)) == page.before
        return Seat(self, page)


class Seat:
    """One record, open in both."""

    def __init__(self, table, page):
        self.org, self.page, self.id = table.org, page, page.id
        self.mine, self.theirs = page.path, table.other.record("Account", page.id)
        self.other = table.other

    def org_has(self, **values):
        assert {field: self.org.record("Account", self.id)[field] for field in values} == values

    def kept_by_other(self):
        folder = self.other.path(".forcefs", "rejected")
        return [read(os.path.join(folder, name)).decode() for name in os.listdir(folder)
                if self.id in name and name.endswith(".json")]

    def is_true(self, path):
        shown = load(path)
        assert shown == org_values(self.org, "Account", self.id, shown)


@pytest.fixture(scope="module")
def table(module_stage):
    return Table(module_stage)


@pytest.fixture
def seat(table):
    return table.seat()


def test_different_fields_both_stand(seat):
    assert save(seat.mine, seat.page.text(Phone="1")) == 0
    assert save(seat.theirs, seat.page.text(AccountNumber="there")) == 0
    seat.org_has(Phone="1")
    seat.is_true(seat.theirs)
    assert load(seat.theirs)["Phone"] == "1"


def test_the_same_field_is_refused_and_the_text_is_kept(seat):
    text = seat.page.text(Phone="2", AccountNumber="mine")
    assert save(seat.mine, seat.page.text(Phone="1")) == 0
    assert save(seat.theirs, text) == errno.ESTALE
    seat.org_has(Phone="1", AccountNumber=load(seat.mine)["AccountNumber"])
    assert load(seat.mine)["AccountNumber"] != "mine"
    told = seat.other.home.command("why", seat.theirs).stdout
    assert '"1"' in told and '"2"' in told and "Phone" in told, told
    assert wait_until(lambda: text in seat.kept_by_other(), 5)
    assert wait_until(lambda: load(seat.theirs)["Phone"] == "1", 5)
    seat.is_true(seat.theirs)


def test_both_wrote_the_same_value(seat):
    assert save(seat.mine, seat.page.text(Phone="1")) == 0
    assert save(seat.theirs, seat.page.text(Phone="1")) == 0
    seat.org_has(Phone="1")
    assert [write.body for write in seat.page.writes() if write.status == 204] == [{"Phone": "1"}]


def test_who_reads_again_may_save(seat):
    assert save(seat.mine, seat.page.text(Phone="1")) == 0
    assert save(seat.theirs, seat.page.text(Phone="2")) == errno.ESTALE
    assert wait_until(lambda: load(seat.theirs)["Phone"] == "1", 5)
    text = read(seat.theirs).decode().replace('"Phone": "1"', '"Phone": "2"')
    assert save(seat.theirs, text) == 0
    seat.org_has(Phone="2")


def test_a_field_cleared_by_one_and_set_by_the_other(seat):
    assert save(seat.mine, seat.page.text(Industry=None)) == 0
    assert save(seat.theirs, seat.page.text(Industry="Shipping")) == errno.ESTALE
    told = seat.other.home.command("why", seat.theirs).stdout
    assert "empty" in told and "Shipping" in told, told


def test_both_at_the_same_moment(table):
    """Sent side by side, over and over: whatever the order, no change gets lost and none is taken for another."""
    seats = [table.seat() for _ in range(10)]
    results = {}

    def write(seat, path, key, **change):
        results[seat.id, key] = save(path, seat.page.text(**change))

    for seat in seats:
        threads = [threading.Thread(target=write, args=(seat, seat.mine, "mine"), kwargs={"Phone": "mine"}),
                   threading.Thread(target=write, args=(seat, seat.theirs, "theirs"), kwargs={"AccountNumber": "theirs"})]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert set(results.values()) == {0}, results
    for seat in seats:
        seat.org_has(Phone="mine", AccountNumber="theirs")


def test_one_field_at_the_same_moment_has_one_winner(table):
    for seat in [table.seat() for _ in range(10)]:
        results = {}

        def write(path, value):
            results[value] = save(path, seat.page.text(Phone=value))

        threads = [threading.Thread(target=write, args=pair) for pair in ((seat.mine, "mine"), (seat.theirs, "theirs"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(results.values()) == [0, errno.ESTALE], results
        seat.org_has(Phone=[value for value, result in results.items() if result == 0][0])


def test_sed_that_loses_leaves_the_winner(seat):
    """sed reads what this mount believes: a change that it does not know yet is found at the save."""
    seat.org.change("Account", ids=[seat.id], set={"Phone": "theirs"})
    done = run("sed", "-i", 's|"Phone": .*|"Phone": "mine",|', seat.mine)
    assert done.returncode != 0 and os.strerror(errno.ESTALE) in done.stderr, done
    seat.org_has(Phone="theirs")
    assert wait_until(lambda: load(seat.mine)["Phone"] == "theirs", 5)
    assert [text for text, reason in seat.page.rejected() if '"mine"' in text and "theirs" in reason]


def test_a_record_deleted_meanwhile(seat):
    seat.org.delete("Account", ids=[seat.id])
    result = save(seat.mine, seat.page.text(Phone="1"))
    assert result in (errno.ENOENT, errno.ESTALE)
    folder = seat.page.mount.path(".forcefs", "rejected")
    assert wait_until(lambda: [name for name in os.listdir(folder) if seat.id in name], 5)
    assert "deleted" in seat.page.mount.home.command("why", seat.mine).stdout.lower()


def test_a_program_that_holds_the_file_open_for_long(seat):
    """Opened before the other's change, saved after it: what the text was made from is what counts."""
    with open(seat.mine, "r+", encoding="utf-8", newline="") as file:
        text = file.read()
        assert save(seat.theirs, seat.page.text(AccountNumber="theirs")) == 0
        file.seek(0)
        file.write(text.replace(text[text.index('"Phone"'):text.index(",\n", text.index('"Phone"'))], '"Phone": "mine"'))
        file.truncate()
    seat.org_has(Phone="mine", AccountNumber="theirs")


def test_what_was_saved_is_shown_though_it_cannot_be_read(stage):
    """A row is locked, or the session ends, right after the save: not even then does the old text come back."""
    org = stage.org()
    mount = stage.mount(org, "ttl=1", "timeout=5")
    path = mount.record("Account", org.ids("Account")[0])
    shown = load(path)
    org.faults([{"do": "error", "status": 500, "errorCode": "UNKNOWN_EXCEPTION", "times": -1,
                 "match": {"kind": ["query", "collections_read", "retrieve"]}}])
    assert save(path, json.dumps(dict(shown, Phone="+1 555"))) == 0
    assert load(path) == dict(shown, Phone="+1 555")
    org.faults([])
    assert wait_until(lambda: load(path)["SystemModstamp"] > shown["SystemModstamp"], 20)
    assert load(path)["Phone"] == "+1 555"


BREAKER = r"""
import os, sys
while True:
    try:
        fd = os.open(sys.argv[1], os.O_WRONLY)
        os.write(fd, b"{broken")
        os.close(fd)
    except OSError:
        pass
"""


def test_a_save_that_fails_takes_nothing_from_one_that_begins(stage):
    """What could not be saved is dropped at the last close, not what another program has just written."""
    desk = Desk(stage)
    page, done = desk.page(), 0
    breaker = subprocess.Popen([sys.executable, "-c", BREAKER, page.path])
    try:
        for number in range(800):
            fd = os.open(page.path, os.O_WRONLY)
            try:
                os.ftruncate(fd, 0)
                os.write(fd, page.text(Phone=str(number)).encode())
            finally:
                try:
                    os.close(fd)
                except OSError:
                    continue
            done += 1
            assert desk.org.record("Account", page.id)["Phone"] == str(number)
    finally:
        breaker.kill()
        breaker.wait()
    assert done
