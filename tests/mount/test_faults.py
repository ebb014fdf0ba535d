# SPDX-License-Identifier: MIT
"""When the org fails: the right errno in time, a sentence, what is cached still readable, Ctrl-C at every moment."""
import errno
import json
import os
import signal
import sys
import time

import pytest

from clients import ids, load, output, read, run, start, timed
from mounts import wait_until

TIMEOUT = 3
ALWAYS = {"times": -1}
CALLS = ["query", "query_page", "collections_read", "retrieve", "composite", "describe", "global"]

FAULTS = {
    "quota": ({"do": "quota"}, errno.EDQUOT, "REQUEST_LIMIT_EXCEEDED"),
    "stall": ({"do": "stall"}, errno.ETIMEDOUT, "timeout"),
    "cut": ({"do": "cut"}, errno.EPROTO, ""),
    "wrong length": ({"do": "wrong_length"}, errno.EPROTO, ""),
    "bad gzip": ({"do": "bad_gzip"}, errno.EPROTO, ""),
    "reset": ({"do": "reset"}, errno.EHOSTUNREACH, ""),
    "garbage": ({"do": "garbage"}, errno.EPROTO, "Line 1, column"),
    "deep JSON": ({"do": "deep_json"}, errno.EPROTO, "Salesforce"),
    "maintenance page": ({"do": "html"}, errno.EIO, "web page"),
    "page with 200": ({"do": "html", "status": 200}, errno.EIO, "web page"),
    "server error": ({"do": "status", "status": 500, "body": '[{"message":"An unexpected error occurred.",'
                      '"errorCode":"UNKNOWN_EXCEPTION"}]'}, errno.EIO, "UNKNOWN_EXCEPTION"),
    "no access": ({"do": "error", "status": 403, "errorCode": "INSUFFICIENT_ACCESS", "message": "no way"}, errno.EACCES,
                  "INSUFFICIENT_ACCESS"),
    "redirect": ({"do": "redirect"}, errno.EACCES, "example.com"),
}


def always(fault, kinds=CALLS):
    return dict(fault, match={"kind": kinds}, times=-1)


class Scene:
    """A mount that knows Account and the describe of Contact, and no record of Contact but one."""

    def __init__(self, stage, *options):
        self.org = stage.org()
        self.mount = stage.mount(self.org, "timeout=%d" % TIMEOUT, *options)
        self.names = os.listdir(self.mount.path("Account"))
        self.cached = self.mount.path("Account", self.names[0])
        self.content = read(self.cached)
        self.contacts = self.org.ids("Contact", limit=1000)
        read(self.contact(0))

    def contact(self, number):
        return self.mount.record("Contact", self.contacts[number])

    def why(self, path):
        done = self.mount.home.command("why", path)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture
def scene(stage):
    return Scene(stage, "ttl=600")


def failure_of(function, *arguments):
    """(errno, seconds)"""
    begun = time.monotonic()
    with pytest.raises(OSError) as caught:
        function(*arguments)
    return caught.value.errno, time.monotonic() - begun


# what a failure looks like

@pytest.mark.parametrize("name", FAULTS)
def test_a_record_that_cannot_be_fetched(scene, name):
    fault, expected, word = FAULTS[name]
    scene.org.faults([always(fault)])
    got, seconds = failure_of(read, scene.contact(1))
    assert errno.errorcode[got] == errno.errorcode[expected]
    assert seconds < TIMEOUT + 1.5
    told = scene.why(scene.contact(1))
    assert word in told and errno.errorcode[expected] in told
    last = json.loads(read(scene.mount.path(".forcefs", "errors.ndjson")).decode().splitlines()[-1])
    assert last["path"] == "Contact/%s.json" % scene.contacts[1] and last["errno"] == errno.errorcode[expected]
    assert len(last["text"]) > 20 and last["code"] == (word if word.isupper() and "_" in word else "")
    content, seconds = timed(read, scene.cached)
    assert content == scene.content and seconds < 0.5


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "quota"])
def test_it_works_again_when_the_org_does(scene, name):
    scene.org.faults([always(FAULTS[name][0])])
    failure_of(read, scene.contact(1))
    scene.org.faults([])
    assert wait_until(lambda: os.path.exists(scene.contact(1)), 6, 0.2)
    assert load(scene.contact(1))["Id"] == scene.contacts[1]
    with pytest.raises(OSError) as caught:
        os.getxattr(scene.contact(1), "user.forcefs.error")
    assert caught.value.errno == errno.ENODATA


@pytest.mark.parametrize("name", ["quota", "stall", "cut", "garbage", "maintenance page"])
def test_a_directory_that_cannot_be_listed(scene, name):
    fault, expected, word = FAULTS[name]
    scene.org.faults([always(fault)])
    done, seconds = timed(run, "ls", scene.mount.path("Contact"))
    assert done.returncode == 2 and os.strerror(expected) in done.stderr and seconds < TIMEOUT + 1.5
    told = scene.why(scene.mount.path("Contact"))
    assert word in told and ("broken; try again" in told) == (name == "garbage")
    told = json.loads(os.getxattr(scene.mount.path("Contact"), "user.forcefs.error").decode())
    assert told["errno"] == errno.errorcode[expected]
    output("cp", "-r", scene.mount.path("Account"), scene.mount.home.folder)
    if name == "quota":  # what is left of the day is looked at again after five minutes
        return
    scene.org.faults([])
    assert wait_until(lambda: run("ls", scene.mount.path("Contact")).returncode == 0, 6, 0.2)
    assert len(os.listdir(scene.mount.path("Contact"))) == len(scene.contacts)


def test_one_short_fault_is_not_seen(scene):
    for number, fault in enumerate(({"do": "reset"}, {"do": "html"}, {"do": "cut"},
                                    {"do": "retry_after", "seconds": 1})):
        scene.org.faults([dict(fault, match={"kind": CALLS}, times=1)])
        assert load(scene.contact(10 + number))["Id"] == scene.contacts[10 + number]


def test_a_slow_org_is_no_failure(scene):
    scene.org.latency(1500)
    assert load(scene.contact(2))["Id"] == scene.contacts[2]


def test_a_row_lock_passes(scene):
    scene.org.faults([{"do": "row_lock", "match": {"kind": CALLS}, "times": 1}])
    assert load(scene.contact(2))["Id"] == scene.contacts[2]


def test_nothing_failed_says_why(scene):
    assert "nothing failed" in scene.why(scene.cached)


# sessions

def test_a_session_that_ends_in_the_middle_of_a_listing_is_not_seen(stage):
    org = stage.org(records={"Account": 9000})
    mount = stage.mount(org)
    org.faults([{"match": {"kind": "query_page"}, "do": "expire", "skip": 1}])
    before = org.mark()
    assert ids(output("ls", mount.path("Account")).split()) == set(org.ids("Account", limit=9000))
    log = org.log(since=before)
    assert [call["status"] for call in log if call["kind"] == "query_page"].count(401) == 1
    assert [call["kind"] for call in log].count("token") == 1


def test_a_login_that_was_revoked_is_said_plainly(scene):
    scene.org.revoke()
    scene.org.expire_sessions()
    got, _ = failure_of(read, scene.contact(3))
    assert errno.errorcode[got] == "EACCES"
    told = scene.why(scene.contact(3))
    assert "invalid_grant" in told and "forcefs login" in told
    assert read(scene.cached) == scene.content


# the quota

def test_below_the_reserve_nothing_is_asked(stage):
    org = stage.org(quota=1000, used=700)
    mount = stage.mount(org, "ttl=1")
    names = os.listdir(mount.path("Account"))
    content = read(mount.path("Account", names[0]))
    org.quota(used=900)
    read(mount.path(".forcefs", "describe", "Contact.json"))  # the reply says how many are left
    time.sleep(1.1)
    before = org.mark()
    got, _ = failure_of(read, mount.record("Contact", org.ids("Contact")[1]))
    assert errno.errorcode[got] == "EDQUOT"
    assert read(mount.path("Account", names[0])) == content and sorted(os.listdir(mount.path("Account"))) == sorted(names)
    assert org.counts(since=before)["counted"] == 0
    told = mount.home.command("why", mount.record("Contact", org.ids("Contact")[1])).stdout
    assert "api_reserve" in told and "of 1000" in told
    assert run("cat", mount.record("Contact", org.ids("Contact")[2])).stderr.strip().endswith("Disk quota exceeded")


def test_the_reserve_can_be_switched_off(stage):
    org = stage.org(quota=1000, used=950)
    mount = stage.mount(org, "api_reserve=0")
    assert len(os.listdir(mount.path("Contact"))) == 400


# the org is gone

def test_the_org_gone_and_back(scene):
    scene.org.stop()
    got, seconds = failure_of(read, scene.contact(5))
    assert errno.errorcode[got] == "EHOSTUNREACH" and seconds < TIMEOUT + 1.5
    told = scene.why(scene.contact(5))
    assert "EHOSTUNREACH" in told and "127.0.0.1" in told
    assert scene.mount.status()["network"]["state"] == "offline"
    _, seconds = failure_of(read, scene.contact(6))
    assert seconds < 1
    assert read(scene.cached) == scene.content and sorted(os.listdir(scene.mount.path("Account"))) == sorted(scene.names)
    scene.org.start()
    assert wait_until(lambda: os.path.exists(scene.contact(6)), 6, 0.2)
    assert load(scene.contact(5))["Id"] == scene.contacts[5]
    assert scene.mount.status()["network"]["state"] == "online"


def test_old_content_is_served_while_the_org_is_gone(stage):
    scene = Scene(stage, "ttl=1")
    scene.org.stop()
    time.sleep(1.2)
    for _ in range(3):
        assert read(scene.cached) == scene.content
        assert sorted(os.listdir(scene.mount.path("Account"))) == sorted(scene.names)
        assert len(output("ls", scene.mount.dir).split()) > 20


def test_a_stuck_check_does_not_hold_up_cached_files(stage):
    scene = Scene(stage, "ttl=1", "timeout=20")
    time.sleep(1.2)
    scene.org.faults([always({"do": "stall"})])
    content, seconds = timed(read, scene.cached)
    assert content == scene.content and seconds < 6
    _, seconds = timed(read, scene.cached)
    assert seconds < 1


def test_many_stuck_readers_do_not_freeze_the_mount(stage):
    scene = Scene(stage, "ttl=600", "timeout=20")
    scene.org.faults([always({"do": "stall"})])
    stuck = [start("cat", scene.contact(number)) for number in range(20, 60)]
    time.sleep(0.5)
    content, seconds = timed(read, scene.cached)
    assert content == scene.content and seconds < 1
    names, seconds = timed(os.listdir, scene.mount.path("Account"))
    assert sorted(names) == sorted(scene.names) and seconds < 1
    for one in stuck:
        one.send_signal(signal.SIGINT)
    _, seconds = timed(lambda: [one.communicate(timeout=10) for one in stuck])
    assert seconds < 3 and all(one.returncode == -signal.SIGINT for one in stuck)


# Ctrl-C

OPENER = """
import os, sys, time
handle = os.open(sys.argv[1], os.O_PATH)
print("held", flush=True)
sys.stdin.readline()
os.open("/proc/self/fd/%d" % handle, os.O_RDONLY)
"""


def interrupt(process):
    """Seconds until it ends."""
    begun = time.monotonic()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    return time.monotonic() - begun


@pytest.mark.parametrize("stage_name", ["LOOKUP", "READDIR", "first page", "OPENDIR", "root READDIR"])
def test_ctrl_c_ends_a_waiting_program(stage, stage_name):
    scene = Scene(stage, "ttl=1", "timeout=20")
    time.sleep(1.2)
    kinds = ["query_page"] if stage_name == "READDIR" else CALLS
    if stage_name == "READDIR":
        scene.org.stop()
        scene.org = stage.org(records={"Contact": 9000})
        scene.mount = stage.mount(scene.org, "ttl=600", "timeout=20")
    scene.org.faults([always({"do": "stall"}, kinds)])
    words = {"LOOKUP": ["cat", scene.contact(9)], "READDIR": ["ls", "-U", scene.mount.path("Contact")],
             "first page": ["ls", scene.mount.path("Contact")], "OPENDIR": ["ls", scene.mount.path("Account")],
             "root READDIR": ["ls", scene.mount.dir]}[stage_name]
    process = start(*words)
    time.sleep(0.7)
    assert process.poll() is None
    assert interrupt(process) < 1
    assert process.returncode == -signal.SIGINT
    assert read(scene.mount.path(".forcefs", "status.json"))
    wait_until(lambda: scene.mount.status()["parked"] == 0, 3)
    assert scene.mount.status()["parked"] == 0


def test_ctrl_c_ends_a_waiting_open(stage):
    scene = Scene(stage, "ttl=2", "timeout=20")
    read(scene.cached)
    process = start(sys.executable, "-S", "-c", OPENER.replace("sys.stdin.readline()", "time.sleep(2.5)"), scene.cached)
    assert process.stdout.readline() == "held\n"
    scene.org.faults([always({"do": "stall"})])
    time.sleep(3.3)
    assert process.poll() is None
    assert interrupt(process) < 1


def test_ctrl_c_does_not_fail_the_others_who_wait(stage):
    scene = Scene(stage, "ttl=600", "timeout=10")
    scene.org.latency(2000)
    # by two names: the kernel itself makes the second one wait, deaf, who looks up the same
    one, other = start("cat", scene.contact(11)), start("cat", scene.mount.record("Contact", scene.contacts[11][:15]))
    time.sleep(0.5)
    assert interrupt(one) < 1
    text, _ = other.communicate(timeout=20)
    assert other.returncode == 0 and json.loads(text)["Id"] == scene.contacts[11]


# the daemon ends

def test_sigterm_ends_the_mount_although_readers_wait(stage):
    scene = Scene(stage, "ttl=600", "timeout=20")
    scene.org.faults([always({"do": "stall"})])
    waiting = [start("cat", scene.contact(number)) for number in range(20, 25)] + [start("ls", scene.mount.path("Lead"))]
    time.sleep(0.7)
    assert all(one.poll() is None for one in waiting)
    begun = time.monotonic()
    scene.mount.process.send_signal(signal.SIGTERM)
    assert scene.mount.process.wait(timeout=20) == 0
    assert time.monotonic() - begun < 3
    for one in waiting:
        one.communicate(timeout=5)
        assert one.returncode != 0
    assert scene.mount.dir not in scene.mount.home.mountpoints()


def test_sigint_ends_the_mount_cleanly(scene):
    scene.mount.process.send_signal(signal.SIGINT)
    assert scene.mount.process.wait(timeout=10) == 0
    assert scene.mount.dir not in scene.mount.home.mountpoints()


def test_a_mount_after_a_crash_works_on_the_same_directory(scene):
    waiting = None
    scene.org.faults([always({"do": "stall"})])
    waiting = start("cat", scene.contact(30))
    time.sleep(0.4)
    scene.mount.kill()
    waiting.communicate(timeout=10)
    assert waiting.returncode == 1
    got, _ = failure_of(os.listdir, scene.mount.dir)
    assert got == errno.ENOTCONN
    scene.org.faults([])
    scene.mount.start()
    assert read(scene.cached) == scene.content
    assert load(scene.contact(30))["Id"] == scene.contacts[30]
