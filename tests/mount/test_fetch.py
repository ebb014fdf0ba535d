# SPDX-License-Identifier: MIT
"""forcefs fetch: whole objects into the cache, stopped and gone on with, and what it costs."""
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import threading

from mounts import program, wait_until


def pages(org, since):
    kinds = org.counts(since)["by_kind"]
    return kinds.get("query", 0) + kinds.get("query_page", 0)


def test_it_costs_what_a_listing_costs(stage):
    org = stage.org(records={"Account": 5000, "Contact": 100})
    mount = stage.mount(org, "ttl=600")
    before = org.mark()
    done = mount.home.command("fetch", mount.path("Account"), mount.path("Contact") + "/")
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"Account: 5,000 records, \d calls, \d+ s\nContact: 100 records, \d calls, \d+ s\n", done.stdout)
    assert pages(org, before) == 3 + 1 and org.counts(before)["counted"] == 3 + 1 + 2, "and a describe each"
    before = org.mark()
    assert len(os.listdir(mount.path("Account"))) == 5000
    with open(mount.record("Account", org.ids("Account", 1, 4000)[0]), encoding="utf-8") as file:
        file.read()
    answer = json.loads(mount.home.command("fetch", "--json", mount.path("Account")).stdout)
    assert answer["interrupted"] is False
    assert [(one["records"], one["complete"], one["calls"]) for one in answer["objects"]] == [(5000, True, 0)]
    assert org.counts(before)["calls"] == 0


def test_a_record_counts_once_though_it_has_two_files(stage):
    mount = stage.mount(stage.org(records={"Attachment": 7}))
    with open(mount.path("Attachment", "notes.txt"), "w", encoding="utf-8") as file:
        file.write("an editor's")
    done = mount.home.command("fetch", mount.path("Attachment"))
    assert done.stdout.startswith("Attachment: 7 records,"), done.stdout
    assert len(os.listdir(mount.path("Attachment"))) >= 14


def test_stopped_it_goes_on_from_there(stage):
    org = stage.org(records={"Account": 20000}, latency_ms=200)
    mount = stage.mount(org, "ttl=600")
    before = org.mark()
    fetching = subprocess.Popen([program(), "fetch", "--json", mount.path("Account")], env=mount.home.env,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def records():
        return sum(one["records"] for one in mount.status()["objects"] if one["name"] == "Account")
    assert wait_until(lambda: records() >= 4000, 30)
    fetching.send_signal(signal.SIGINT)
    out, errors = fetching.communicate(timeout=30)
    assert fetching.returncode == 1
    answer = json.loads(out.decode())
    assert answer["interrupted"] is True and answer["objects"][0]["complete"] is False
    assert re.search(r"stopped; [\d,]+ of 20,000 records of Account are kept, and the next fetch goes on", errors.decode())
    assert wait_until(lambda: not mount.status()["objects"][0]["listing"]["running"]), "nobody reads any more"
    assert 4000 <= records() < 20000
    mount.remount()
    done = mount.home.command("fetch", mount.path("Account"))
    assert done.returncode == 0 and done.stdout.startswith("Account: 20,000 records")
    assert pages(org, before) == 10, "no page was asked for twice"


def test_plain_lines_without_a_terminal_and_a_bar_on_one(stage):
    org = stage.org(records={"Account": 20000}, latency_ms=150)
    mount = stage.mount(org, "ttl=600")
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    fetching = subprocess.Popen([program(), "fetch", mount.path("Account")], env=mount.home.env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=slave)
    os.close(slave)
    shown = []

    def collect():
        try:
            while True:
                shown.append(os.read(master, 65536))
        except OSError:
            pass
    reading = threading.Thread(target=collect)
    reading.start()
    out, _ = fetching.communicate(timeout=60)
    reading.join()
    os.close(master)
    assert fetching.returncode == 0 and out.decode().startswith("Account: 20,000 records")
    lines = b"".join(shown).decode().replace("\x1b[K", "").split("\r")
    bars = [line for line in lines if re.match(r"Account \[#+\.+\] \d+ %  [\d,]+ of 20,000", line)]
    assert bars and all(len(line) < 80 for line in lines)
    assert any(re.search(r"s left  \d+ calls  [\d,]+/s", line) for line in bars)
    done = mount.home.command("fetch", mount.path("Account"))
    assert done.stderr == ""


def test_what_cannot_be_fetched_says_why(stage):
    mount = stage.mount(stage.org())
    for path, words in ((mount.path("Nothing"), "there is no object Nothing in this org"),
                        (mount.path("ContentDocumentLink"), "Salesforce refused (MALFORMED_QUERY)"),
                        (mount.dir, "give DIR/Object"), (mount.path("Account", "x"), "give DIR/Object"),
                        (mount.path(".forcefs"), "give DIR/Object"), (mount.home.folder, "does not lie in a forcefs mount")):
        done = mount.home.command("fetch", path)
        assert done.returncode == 1 and words in done.stderr and done.stdout == "", done.stderr
    done = mount.home.command("fetch", mount.path("Nothing"), mount.path("Contact"))
    assert done.returncode == 1 and "Contact: " in done.stdout, "the others are fetched all the same"
    assert mount.home.command("fetch").returncode == 2
    assert mount.home.command("fetch", "--quux", "x").returncode == 2
    mount.kill()
    done = mount.home.command("fetch", mount.path("Account"))
    assert done.returncode == 1 and "the process behind %s is gone" % mount.dir in done.stderr


def test_an_org_that_fails_in_the_middle_is_a_failure(stage):
    org = stage.org(records={"Account": 6000})
    mount = stage.mount(org, "ttl=600")
    org.control("faults", [{"match": {"kind": "query_page"}, "times": -1, "do": "error", "status": 400,
                            "errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}])
    before = org.mark()
    done = mount.home.command("fetch", mount.path("Account"))
    assert done.returncode == 1 and "QUERY_TIMEOUT" in done.stderr, done.stderr
    org.control("faults", [])
    done = mount.home.command("fetch", mount.path("Account"))
    assert done.returncode == 0 and done.stdout.startswith("Account: 6,000 records")
    assert len([call for call in org.log(before) if call["kind"].startswith("query") and call["status"] == 200]) == 3
