# SPDX-License-Identifier: MIT
"""The cache file: warm over remounts, private, within its limit, and thrown away when it cannot be trusted."""
import errno
import os
import signal
import sqlite3
import stat
import time

import pytest

from clients import ids, load, output, read, run, start, timed
from mounts import files_below, wait_until


LOG_LIMIT = 64 << 20  # the write-ahead log comes on top of cache_size


@pytest.fixture(scope="module")
def org(module_stage):
    return module_stage.org()


def snapshot(mount, name):
    """{file name: (content, size, time, inode)}"""
    found = {}
    for entry in os.listdir(mount.path(name)):
        path = mount.path(name, entry)
        status = os.stat(path)
        found[entry] = read(path), status.st_size, status.st_mtime_ns, status.st_ino
    return found


def truth(org, name, record):
    return org.record(name, record)


def check_records(org, mount, name, records):
    """Every one of the records reads as the org has it."""
    for record in records:
        values, wanted = load(mount.record(name, record)), truth(org, name, record)
        assert values == {field: wanted[field] for field in values}, record


# without a network

def test_a_warm_cache_is_served_without_a_network(stage):
    org = stage.org()
    mount = stage.mount(org, "timeout=2")
    names = sorted(os.listdir(mount.dir))
    before = snapshot(mount, "Account")
    cold = org.ids("Contact")[0]
    mount.umount()
    org.stop()
    mount.start()
    assert sorted(os.listdir(mount.dir)) == names
    assert snapshot(mount, "Account") == before
    with pytest.raises(OSError) as caught:
        read(mount.record("Contact", cold))
    assert caught.value.errno == errno.EHOSTUNREACH
    assert mount.status()["network"]["state"] == "offline"
    assert snapshot(mount, "Account") == before
    org.start()
    assert wait_until(lambda: os.path.exists(mount.record("Contact", cold)), 20, 0.3)


def test_a_cold_cache_without_a_network_is_no_mount(stage, org):
    gone = stage.org()
    home = stage.home(gone)
    gone.stop()
    done, seconds = timed(home.command, "mount", "-o", "timeout=3", "acme", home.new_dir())
    assert done.returncode == 1 and "127.0.0.1" in done.stderr and seconds < 6


# where it lies

def test_the_cache_is_private(stage, org):
    mount = stage.mount(org)
    os.listdir(mount.path("Account"))
    home = mount.home
    files = files_below(home.cache) + files_below(home.state)
    assert any(name.startswith(home.cache) for name in files) and any(name.startswith(home.state) for name in files)
    for path in files:
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600, path
    for top in (home.cache, home.state):
        for folder, _, _ in os.walk(os.path.join(top, "forcefs")):
            assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700, folder


def test_cache_dir_names_another_folder(stage, org):
    home = stage.home(org)
    folder = os.path.join(home.folder, "elsewhere")
    mount = home.mount("cache_dir=" + folder)
    os.listdir(mount.path("Account"))
    assert files_below(folder) and not files_below(home.cache)


def test_a_cache_in_memory_leaves_no_file(stage, org):
    home = stage.home(org)
    mount = home.mount("cache_dir=memory")
    everybody = org.ids("Account", limit=1000)
    assert ids(os.listdir(mount.path("Account"))) == set(everybody)
    check_records(org, mount, "Account", everybody[:20])
    names = files_below(home.cache) + files_below(home.tmp)
    assert names == []
    open_files = [os.readlink("/proc/%d/fd/%s" % (mount.pid, fd)) for fd in os.listdir("/proc/%d/fd" % mount.pid)] \
        if os.geteuid() == 0 else []
    assert not [name for name in open_files if name.endswith((".db", ".sqlite", "-wal", "-shm"))]


def test_two_mounts_of_one_org_work_at_once(stage, org):
    home = stage.home(org)
    one, two = home.mount(), home.mount()
    everybody = org.ids("Account", limit=1000)
    for mount in (one, two):
        assert ids(os.listdir(mount.path("Account"))) == set(everybody)
        check_records(org, mount, "Account", everybody[:10])
    assert one.status()["cache"]["path"] != two.status()["cache"]["path"]
    one.umount()
    assert len(os.listdir(two.path("Account"))) == len(everybody)


# its limit

def test_the_limit_is_kept_and_everything_still_reads_right(stage):
    org = stage.org(records={"Account": 6000, "Contact": 2000})
    mount = stage.mount(org, "cache_size=4M", "ttl=600")
    for name, count in (("Contact", 2000), ("Account", 6000), ("Wide__c", 700), ("Contact", 2000)):
        everybody = org.ids(name, limit=count)
        assert ids(os.listdir(mount.path(name))) == set(everybody)
        check_records(org, mount, name, everybody[:5] + everybody[count // 2:count // 2 + 5] + everybody[-5:])
    cache = mount.status()["cache"]
    assert cache["limit"] == 4 << 20 and cache["evictions"] > 0
    assert cache["bytes"] <= cache["limit"] * 1.25
    sizes = {path: os.stat(path).st_size for path in files_below(mount.home.cache)}
    assert sum(size for path, size in sizes.items() if not path.endswith("-wal")) <= cache["limit"] * 1.5, sizes
    assert sum(sizes.values()) <= cache["limit"] * 1.5 + LOG_LIMIT, sizes


# damage

def cache_file(home):
    found = [path for path in files_below(home.cache) if not path.endswith(("-wal", "-shm"))
             and os.path.getsize(path) > 4096]
    assert len(found) == 1
    return found[0]


def garbage_in_the_middle(path):
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        file.seek(size // 3 // 4096 * 4096)
        file.write(os.urandom(min(size // 3, 200000)))


def garbage_at_the_start(path):
    with open(path, "r+b") as file:
        file.write(os.urandom(5000))


def cut_in_half(path):
    os.truncate(path, os.path.getsize(path) // 2)


def emptied(path):
    os.truncate(path, 0)


def other_version(path):
    with sqlite3.connect(path) as database:
        version = database.execute("PRAGMA user_version").fetchone()[0]
        database.execute("PRAGMA user_version = %d" % (version + 1))
    database.close()


def not_a_database(path):
    with open(path, "wb") as file:
        file.write(b"Dear diary, " * 10000)


@pytest.mark.parametrize("harm", [garbage_in_the_middle, garbage_at_the_start, cut_in_half, emptied, other_version,
                                  not_a_database])
def test_a_cache_file_that_cannot_be_trusted_is_made_anew(stage, org, harm):
    mount = stage.mount(org)
    before = snapshot(mount, "Account")
    mount.umount()
    harm(cache_file(mount.home))
    mount.excuse("damaged", "corrupt", "malformed")
    mount.start()
    after = snapshot(mount, "Account")
    assert {name: found[:3] for name, found in after.items()} == {name: found[:3] for name, found in before.items()}
    mount.remount()
    again = snapshot(mount, "Account")
    assert again == after


def test_a_cache_file_damaged_while_mounted_never_shows_wrong_content(stage, org):
    mount = stage.mount(org, "ttl=600", "ro")
    everybody = org.ids("Wide__c", limit=1000)
    os.listdir(mount.path("Wide__c"))
    mount.excuse("damaged", "corrupt", "malformed")
    garbage_in_the_middle(cache_file(mount.home))
    wrong = 0
    for record in everybody[::10]:
        try:
            values = load(mount.record("Wide__c", record))
        except OSError:
            continue
        except ValueError:
            wrong += 1
            continue
        wrong += values["Id"] != record or values["Name"] != org.record("Wide__c", record)["Name"]
    assert wrong == 0


def test_a_folder_that_cannot_be_written_is_said(stage, org):
    home = stage.home(org)
    file = os.path.join(home.folder, "file")
    with open(file, "w"):
        pass
    done = home.command("mount", "-o", "cache_dir=%s/cache" % file, "acme", home.new_dir())
    assert done.returncode == 1 and file in done.stderr and "Not a directory" in done.stderr


# crashes

@pytest.mark.parametrize("moment", [0.15, 0.4, 0.8])
def test_a_crash_in_the_middle_of_a_listing_loses_and_invents_nothing(stage, moment):
    org = stage.org(records={"Account": 12000}, latency_ms=120)
    mount = stage.mount(org)
    listing = start("ls", "-U", mount.path("Account"))
    time.sleep(moment)
    mount.kill()
    listing.communicate(timeout=20)
    org.latency(0)
    mount.start()
    everybody = org.ids("Account", limit=12000)
    assert ids(output("ls", "-U", mount.path("Account")).split()) == set(everybody)
    check_records(org, mount, "Account", everybody[::400])


def test_a_reader_that_stops_leaves_a_listing_that_goes_on_later(stage):
    org = stage.org(records={"Account": 9000})
    mount = stage.mount(org)
    run("bash", "-c", "ls -U '%s' | head -3" % mount.path("Account"))
    mount.remount()
    names = output("ls", "-U", mount.path("Account")).split()
    assert len(names) == 9000 and ids(names) == set(org.ids("Account", limit=9000))


def test_sigterm_in_the_middle_of_a_listing_keeps_what_came(stage):
    org = stage.org(records={"Account": 9000}, latency_ms=150)
    mount = stage.mount(org)
    listing = start("ls", "-U", mount.path("Account"))
    time.sleep(0.5)
    mount.process.send_signal(signal.SIGTERM)
    assert mount.process.wait(timeout=10) == 0
    listing.communicate(timeout=20)
    org.latency(0)
    mount.start()
    assert ids(output("ls", "-U", mount.path("Account")).split()) == set(org.ids("Account", limit=9000))


# what is asked again after a remount

def test_changes_made_while_nothing_was_mounted_are_seen_after_ttl(stage):
    org = stage.org()
    mount = stage.mount(org, "ttl=1")
    everybody = org.ids("Contact", limit=1000)
    os.listdir(mount.path("Contact"))
    mount.umount()
    org.change("Contact", ids=[everybody[3]], set={"Title": "Changed meanwhile"})
    org.delete("Contact", ids=[everybody[4]])
    time.sleep(1.2)
    mount.start()
    assert ids(os.listdir(mount.path("Contact"))) == set(everybody) - {everybody[4]}
    assert load(mount.record("Contact", everybody[3]))["Title"] == "Changed meanwhile"
