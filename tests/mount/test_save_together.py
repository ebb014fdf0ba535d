# SPDX-License-Identifier: MIT
"""Many saves at once: few calls, each saver its own result, each change once in the org."""
import errno
import json
import os
import subprocess
import sys
import threading

import pytest

from clients import ENV, load
from saving import Desk, save, writes_in

# One of many programs: gives each record named on its standard input a new Phone, as `sed -i` or an editor would, and
# prints the errno of each save.
SAVER = r"""
import os, sys
for line in sys.stdin:
    path, value = line.split()
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    lines = ['  "Phone": "%s",' % value if line.startswith('  "Phone": ') else line for line in lines]
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC)
    os.write(fd, "\n".join(lines).encode())
    try:
        os.close(fd)
        print(os.path.basename(path), 0)
    except OSError as error:
        print(os.path.basename(path), error.errno)
"""


def save_all(mount, ids, processes):
    """{Id: errno} of a save of every record by so many programs side by side; the Phone is the record's number."""
    shares = [[] for _ in range(processes)]
    for number, record_id in enumerate(ids):
        shares[number % processes].append("%s %d\n" % (mount.record("Account", record_id), number))
    running = []
    for share in shares:
        process = subprocess.Popen([sys.executable, "-c", SAVER], env=ENV, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        running.append((process, "".join(share).encode()))
    for process, share in running:
        process.stdin.write(share)
        process.stdin.close()
    results = {}
    for process, _ in running:
        for line in process.stdout.read().decode().splitlines():
            name, result = line.split()
            results[name[:-len(".json")]] = int(result)
        process.stdout.close()
        assert process.wait(timeout=60) == 0
    return results


def accepted(org, mark):
    """{Id: [bodies]} of the updates that the org carried out."""
    found = {}
    for write in writes_in(org.log(since=mark)):
        assert write.method == "PATCH"
        if write.status in (200, 204):
            found.setdefault(write.id, []).append(write.body)
    return found


def check(org, mount, ids, mark):
    assert accepted(org, mark) == {record_id: [{"Phone": str(number)}] for number, record_id in enumerate(ids)}
    for number, record_id in enumerate(ids[::37]):
        assert load(mount.record("Account", record_id))["Phone"] == str(number * 37)


def test_64_programs_save_1000_records(stage):
    desk = Desk(stage, records=1000)
    mark = desk.org.mark()
    results = save_all(desk.mount, desk.ids, 64)
    assert set(results) == set(desk.ids) and set(results.values()) == {0}
    assert desk.org.counts(since=mark)["counted"] < 100
    check(desk.org, desk.mount, desk.ids, mark)


def test_the_same_with_row_locks_and_maintenance(stage):
    desk = Desk(stage, "timeout=60", "ttl=600", records=1000)
    desk.org.faults([{"match": {"kind": "update"}, "do": "row_lock", "probability": 0.05, "times": -1},
                     {"match": {"kind": "composite"}, "do": "status", "status": 503, "probability": 0.05, "times": -1}])
    mark = desk.org.mark()
    results = save_all(desk.mount, desk.ids, 64)
    desk.org.faults([])
    assert set(results) == set(desk.ids) and set(results.values()) == {0}
    check(desk.org, desk.mount, desk.ids, mark)


def test_one_bad_record_does_not_fail_its_neighbours(stage):
    desk = Desk(stage, records=100)
    script = SAVER.replace('"Phone": "%s",', '"AnnualRevenue": %s,').replace('"Phone": ', '"AnnualRevenue": ')
    lines = ["%s %d\n" % (desk.mount.record("Account", record_id), -5000000 if number % 10 == 3 else number + 1)
             for number, record_id in enumerate(desk.ids)]
    running = [subprocess.Popen([sys.executable, "-c", script], env=ENV, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
               for _ in range(20)]
    for start, process in enumerate(running):
        process.stdin.write("".join(lines[start::20]).encode())
        process.stdin.close()
    results = {}
    for process in running:
        results.update(line.split() for line in process.stdout.read().decode().splitlines())
        process.stdout.close()
        process.wait(timeout=60)
    for number, record_id in enumerate(desk.ids):
        bad = number % 10 == 3
        assert int(results[record_id + ".json"]) == (errno.EINVAL if bad else 0)
        if bad:
            told = json.loads(os.getxattr(desk.mount.record("Account", record_id), "user.forcefs.error").decode())
            assert told["code"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
        else:
            assert desk.org.record("Account", record_id)["AnnualRevenue"] == number + 1


@pytest.mark.parametrize("after", [False, True], ids=["before it is carried out", "after it was carried out"])
def test_a_connection_that_breaks_in_the_middle_of_a_save(stage, after):
    """The condition on every update makes it safe to send it again; each change is in the org once."""
    desk = Desk(stage, records=20)
    desk.org.faults([{"match": {"kind": "composite"}, "do": "reset", "after": after, "times": 1}])
    mark = desk.org.mark()
    results = save_all(desk.mount, desk.ids, 5)
    assert set(results.values()) == {0}, results
    check(desk.org, desk.mount, desk.ids, mark)


def test_a_lost_reply_is_no_conflict_with_what_the_org_made_of_the_text(stage):
    """It was carried out, and sent again the condition fails; the org has trimmed the text and knows one line end."""
    desk = Desk(stage, records=20)
    page = desk.page()
    desk.org.faults([{"match": {"kind": "composite"}, "do": "reset", "after": True, "times": 1}])
    assert save(page.path, page.text(Phone="1 ", Description="a\r\nb\n")) == 0
    assert [write.status for write in page.writes()] == [204, 412]
    assert (load(page.path)["Phone"], load(page.path)["Description"]) == ("1", "a\nb")


def test_hundreds_of_renames_at_once(stage):
    """Each is followed by a word to the kernel, which waits for the directory's lock behind the other renames."""
    desk, errors = Desk(stage), []
    pages = [desk.page() for _ in range(230)]
    texts = [page.path + ".tmp" for page in pages]
    for number, (page, text) in enumerate(zip(pages, texts)):
        with open(text, "w", encoding="utf-8") as file:
            file.write(page.text(Phone=str(number)))

    def move(text, page):
        try:
            os.rename(text, page.path)
        except OSError as error:
            errors.append(error)

    threads = [threading.Thread(target=move, args=pair) for pair in zip(texts, pages)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    check(desk.org, desk.mount, desk.ids[:len(pages)], pages[0].mark)


def test_saves_of_several_objects_go_side_by_side(stage):
    org = stage.org(records={"Account": 10, "Contact": 10, "Lead": 10})
    mount = stage.mount(org, "ttl=600")
    paths = [mount.record(name, record_id) for name in ("Account", "Contact", "Lead") for record_id in org.ids(name, limit=10)]
    for path in paths:
        load(path)
    running = [subprocess.Popen([sys.executable, "-c", SAVER], env=ENV, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
               for _ in paths]
    for path, process in zip(paths, running):
        process.stdin.write(("%s 77\n" % path).encode())
        process.stdin.close()
    for process in running:
        assert process.stdout.read().split()[-1] == b"0"
        process.stdout.close()
        process.wait(timeout=60)
    assert all(load(path)["Phone"] == "77" for path in paths)
