# SPDX-License-Identifier: MIT
"""Every size has a limit, with an errno and a sentence; a full disk of the cache is no wrong answer."""
import errno
import json
import os
import subprocess

import pytest

from clients import load, read
from mounts import wait_until
from test_posix import changed, edit, failure

MIB = 1 << 20


@pytest.fixture(scope="module")
def org(module_stage):
    return module_stage.org(records={"Account": 300})


@pytest.fixture
def mount(stage, org):
    mount = stage.home(org, allow="update, create").mount("ttl=600")
    os.listdir(mount.path("Account"))
    return mount


def last_error(mount):
    return json.loads(read(mount.path(".forcefs", "errors.ndjson")).decode().splitlines()[-1])


def test_a_text_that_is_too_big_to_be_a_record(mount, org):
    record_id = org.ids("Account", limit=3)[2]
    path, before = mount.record("Account", record_id), org.mark()
    content = read(path)
    text = b'{"Description": "' + b"x" * (17 * MIB) + b'"}'
    assert edit(path, os.O_WRONLY | os.O_TRUNC, lambda fd: os.write(fd, text)) == "EFBIG"
    assert "MiB" in last_error(mount)["text"] and last_error(mount)["errno"] == "EFBIG"
    assert wait_until(lambda: read(path) == content, 5)
    assert [call["kind"] for call in org.log(since=before)] == []


def test_a_file_has_an_end(mount):
    """500 MiB, on disk; the rest of the mount does not suffer."""
    path = mount.path("Account", ".big~")
    with open(path, "wb") as file:
        file.truncate(500 * MIB)
        assert failure(file.truncate, 500 * MIB + 1) == "EFBIG"
        assert failure(os.pwrite, file.fileno(), b"x", 500 * MIB) == "EFBIG"
    assert os.stat(path).st_size == 500 * MIB and "500 MiB" in last_error(mount)["text"]
    os.unlink(path)


def test_editors_files_have_a_limit_together(mount, org):
    """4 GiB on disk; what is removed makes room."""
    paths = [mount.path("Account", ".big%d~" % number) for number in range(9)]
    for path in paths[:8]:
        with open(path, "wb") as file:
            file.truncate(500 * MIB)
    with open(paths[8], "wb") as file:
        assert failure(file.truncate, 100 * MIB) == "ENOSPC"
    assert "4 GiB" in last_error(mount)["text"]
    assert read(mount.record("Account", org.ids("Account")[0]))
    os.unlink(paths[0])
    with open(paths[8], "wb") as file:
        file.truncate(100 * MIB)
    for path in paths[1:]:
        os.unlink(path)


def test_editors_files_have_a_number(mount):
    made, failed = [], None
    while failed is None and len(made) < 11000:
        path = mount.path("Account", ".lock%d~" % len(made))
        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            made.append(path)
        except OSError as error:
            failed = error.errno
    assert failed in (errno.ENOSPC, errno.ENFILE) and len(made) >= 1000
    assert "close some" in last_error(mount)["text"] or "too many" in last_error(mount)["text"]
    for path in made:
        os.unlink(path)
    os.close(os.open(made[0], os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.unlink(made[0])


# the disk of the cache

@pytest.fixture
def small_disk(request, tmp_path):
    """A cache folder with so much room."""
    if os.geteuid() != 0:
        pytest.skip("only root may make a small disk")
    folder = str(tmp_path / "small")
    os.mkdir(folder)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700,size=" + request.param, "small", folder]).returncode:
        pytest.skip("no small disk can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", folder])


def same(org, mount, name, record_id):
    shown = load(mount.record(name, record_id))
    truth = org.record(name, record_id)
    return shown == {field: truth[field] for field in shown}


@pytest.mark.parametrize("small_disk", ["40k", "1500k"], indirect=True)
def test_a_full_disk_is_read_past(stage, small_disk):
    org = stage.org(records={"Account": 4000, "Contact": 300})
    mount = stage.home(org, cache_dir=small_disk).mount("ttl=600")
    accounts = org.ids("Account", limit=4000)
    assert len(os.listdir(mount.path("Account"))) == 4000
    assert all(same(org, mount, "Account", record_id) for record_id in accounts[::40])
    assert all(same(org, mount, "Contact", record_id) for record_id in org.ids("Contact", limit=300)[::30])
    assert json.loads(read(mount.path(".forcefs", "describe", "Account.json")).decode())["name"] == "Account"
    path = mount.record("Account", accounts[7])
    text = changed(read(path), "full.example")
    assert edit(path, os.O_WRONLY | os.O_TRUNC, lambda fd: os.write(fd, text)) == ""
    assert org.record("Account", accounts[7])["Website"] == "full.example" and same(org, mount, "Account", accounts[7])
    assert "no space" in mount.stderr() and "memory" in mount.stderr()
    # Room again: the next mount uses the disk, and what it finds there is no lie.
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    mount.remount()
    assert len(os.listdir(mount.path("Account"))) == 4000
    assert all(same(org, mount, "Account", record_id) for record_id in accounts[::40] + [accounts[7]])
    assert small_disk in mount.status()["cache"]["path"]


@pytest.mark.parametrize("small_disk", ["40k"], indirect=True)
def test_a_mount_without_room_for_its_cache_says_so_whole(stage, small_disk):
    home = stage.home(stage.org(), cache_dir=small_disk)
    directory = home.new_dir()
    done = home.command("mount", "acme", directory)
    assert done.returncode == 0
    assert "mount: the cache is in memory: no space left" in done.stderr and done.stderr.endswith(" or cache_size to less\n")
    assert home.command("umount", directory).returncode == 0


@pytest.mark.parametrize("small_disk", ["3m"], indirect=True)
def test_a_disk_that_fills_up_under_a_listed_directory(stage, small_disk):
    """What others put there takes the room; saves and changes of others are seen all the same."""
    org = stage.org(records={"Account": 300})
    mount = stage.home(org, cache_dir=small_disk).mount("ttl=1")
    accounts = org.ids("Account", limit=300)
    os.listdir(mount.path("Account"))
    filler = os.open(os.path.join(small_disk, "filler"), os.O_CREAT | os.O_WRONLY)
    with pytest.raises(OSError):
        while True:
            os.write(filler, b"x" * 4096)
    os.close(filler)
    org.change("Account", ids=accounts, set={"Phone": "+1 555"})
    assert wait_until(lambda: all(same(org, mount, "Account", record_id) for record_id in accounts[::10]), 15, 0.5)
    path = mount.record("Account", accounts[5])
    text = changed(read(path), "filled.example")
    assert edit(path, os.O_WRONLY | os.O_TRUNC, lambda fd: os.write(fd, text)) == ""
    assert same(org, mount, "Account", accounts[5]) and load(path)["Website"] == "filled.example"
    assert len(os.listdir(mount.path("Account"))) == 300
