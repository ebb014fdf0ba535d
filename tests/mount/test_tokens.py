# SPDX-License-Identifier: MIT
"""Sessions and refresh tokens, shared by many forcefs processes that must not kill each other's."""
import os
import signal
import subprocess
import threading

import pytest

from clients import load, output, start
from mounts import Mount, files_below, program, settings_of, wait_until

MOUNTS = 50


def token_calls(org, since):
    return [call for call in org.log(since=since) if call["kind"] == "token"]


def mount_all(home, count, *options):
    """count mounts in processes of their own that start at the same moment."""
    made = []
    for _ in range(count):
        mount = Mount(home, *options)
        home.mounted.append(mount)
        made.append(mount)
    failures = []

    def begin(mount):
        try:
            mount.start()
        except RuntimeError as error:
            failures.append(error)
    threads = [threading.Thread(target=begin, args=(mount,)) for mount in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures, failures
    return made


def cat_all(mounts, record):
    cats = [start("cat", mount.record("Contact", record)) for mount in mounts]
    texts = [cat.communicate(timeout=60) for cat in cats]
    assert all(cat.returncode == 0 for cat in cats), [error for _, error in texts if error]
    assert all('"Id": "%s"' % record in text for text, _ in texts)


def test_fifty_processes_share_one_rotating_token(stage):
    org = stage.org(rotation=True, records={"Contact": 100})
    org.token(hold_ms=50)
    home = stage.home(org)
    mounts = mount_all(home, MOUNTS, "cache_dir=memory", "ttl=600")
    records = org.ids("Contact")
    cat_all(mounts, records[0])
    for number in range(1, 4):
        before = org.mark()
        org.expire_sessions()
        cat_all(mounts, records[number])
        calls = token_calls(org, before)
        assert calls and all(call["status"] == 200 for call in calls), calls
        assert len(calls) == 1, "every process shares one new session"
    mounts[0].remount()
    assert load(mounts[0].record("Contact", records[9]))["Id"] == records[9]


def test_an_expired_session_is_renewed_once_for_all_readers(stage):
    org = stage.org(latency_ms=50)
    mount = stage.mount(org, "ttl=600")
    records = org.ids("Contact", limit=40)
    output("cat", mount.record("Contact", records[0]))
    os.listdir(mount.path("Lead"))
    before = org.mark()
    org.expire_sessions()
    readers = [start("cat", mount.record(name, record)) for name in ("Contact", "Case", "Opportunity", "Task")
               for record in org.ids(name, limit=10)]
    assert [one.communicate(timeout=60) and one.returncode for one in readers] == [0] * len(readers)
    assert len(token_calls(org, before)) == 1


def test_what_another_process_was_granted_may_have_ended_too(stage):
    """A mount that slept holds the session before last: the one in the state file is refused as well."""
    org = stage.org()
    home = stage.home(org)
    asleep, awake = (home.mount("cache_dir=memory", "ttl=600") for _ in range(2))
    records = org.ids("Contact")
    for mount in asleep, awake:
        assert load(mount.record("Contact", records[0]))["Id"] == records[0]
    org.expire_sessions()
    assert load(awake.record("Contact", records[1]))["Id"] == records[1]
    before = org.mark()
    org.expire_sessions()
    assert load(asleep.record("Contact", records[2]))["Id"] == records[2]
    assert len(token_calls(org, before)) == 1


def test_a_rotated_token_survives_a_crash(stage):
    org = stage.org(rotation=True)
    home = stage.home(org)
    mount = home.mount("ttl=600")
    records = org.ids("Contact")
    for number in range(3):
        org.expire_sessions()
        assert load(mount.record("Contact", records[number]))["Id"] == records[number]
        mount.kill()
        mount.start()
    assert load(mount.record("Contact", records[5]))["Id"] == records[5]


@pytest.mark.parametrize("words", ["status rotating", "mount rotating DIR", "mount -f rotating DIR"])
def test_a_rotated_token_survives_ctrl_c(stage, words):
    """Who gave up between the question and the answer lost the new token, and the old one was dead."""
    org = stage.org(rotation=True)
    home = stage.home(org)
    home.write_settings(rotating=settings_of(org))
    org.token(hold_ms=1000)
    org.reset_log()
    process = subprocess.Popen([program()] + words.replace("DIR", home.new_dir()).split(), env=home.env,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert wait_until(lambda: org.counts()["in_flight_max"] > 0, 20)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    assert process.returncode in (1, -signal.SIGINT) and home.mountpoints() == []
    org.token(hold_ms=0)
    assert home.command("status", "rotating").returncode == 0


def test_a_rotated_token_survives_the_end_of_a_mount(stage):
    org = stage.org(rotation=True)
    home = stage.home(org)
    mount = home.mount("ttl=600")
    org.expire_sessions()
    org.token(hold_ms=1000)
    before = org.mark()
    reading = start("ls", mount.path("Contact"))
    assert wait_until(lambda: [call for call in org.log(since=before) if call["status"] == 401])
    org.reset_log()
    assert wait_until(lambda: org.counts()["in_flight_max"] > 0)
    mount.process.send_signal(signal.SIGTERM)
    mount.process.wait(timeout=20)
    reading.communicate(timeout=20)
    org.token(hold_ms=0)
    assert home.command("doctor", "acme").returncode == 0


def test_a_rotated_token_survives_a_caller_who_runs_out_of_time(stage):
    org = stage.org(rotation=True)
    mount = stage.mount(org, "timeout=3", "cache_dir=memory")
    org.expire_sessions()
    org.latency(2000)
    before = org.mark()
    assert start("ls", mount.path("Contact")).wait(timeout=20) == 2
    assert wait_until(lambda: token_calls(org, before))
    org.latency(0)
    assert wait_until(lambda: start("ls", mount.path("Contact")).wait(timeout=20) == 0)


def test_a_remount_uses_the_session_it_has(stage):
    org = stage.org()
    mount = stage.mount(org)
    os.listdir(mount.path("Contact"))
    before = org.mark()
    mount.remount()
    os.listdir(mount.path("Lead"))
    assert token_calls(org, before) == []


def test_a_refresh_that_another_program_holds_up_is_waited_out(stage):
    org = stage.org()
    mount = stage.mount(org)
    org.expire_sessions()
    org.token(fail={"error": "invalid_grant", "error_description": "token request is already being processed", "times": 2})
    record = org.ids("Contact")[0]
    assert load(mount.record("Contact", record))["Id"] == record


def test_a_token_file_that_cannot_be_read_is_told_or_made_anew(stage):
    org = stage.org()
    mount = stage.mount(org)
    mount.umount()
    for path in files_below(mount.home.state):
        if os.path.getsize(path):
            with open(path, "w", encoding="ascii") as file:
                file.write("{ this is no token")
    try:
        mount.start()
    except RuntimeError as error:
        assert mount.home.state in str(error) or "token" in str(error)
    else:
        assert os.listdir(mount.path("Contact"))
