# SPDX-License-Identifier: MIT
"""Bodies: the content of attachments, documents and versions as files beside the records' JSON."""
import ctypes
import errno
import hashlib
import mmap
import os
import re
import signal
import stat
import struct
import time

import pytest

from clients import load, output, read, run, start
from mounts import files_below, mode_of, program, wait_until

OBJECTS = {"Attachment": "Name", "Document": "Name", "ContentVersion": "PathOnClient"}
SIZES = {"Attachment": "BodyLength", "Document": "BodyLength", "ContentVersion": "ContentSize"}
MIB = 1 << 20


def ending(name):
    found = re.search(r"[^/\\]\.([A-Za-z0-9]{1,16})\Z", name)
    return found.group(1) if found and found.group(1).lower() != "json" else "bin"


def body_name(org, name, record_id):
    return "%s.%s" % (record_id, ending(org.record(name, record_id)[OBJECTS[name]]))


def body_path(mount, org, name, record_id):
    return mount.path(name, body_name(org, name, record_id))


def sha256(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def some_big(org, name="Attachment", least=100000):
    """An Id whose body is not small."""
    return next(one for one in org.ids(name) if org.record(name, one)[SIZES[name]] >= least)


def kinds(org, mark):
    return {kind: count for kind, count in org.counts(mark)["by_kind"].items() if kind not in ("token", "versions", "limits")}


@pytest.fixture(scope="module")
def org(module_stage):
    return module_stage.org()


@pytest.fixture(scope="module", params=["read-write", "read-only"])
def either(request, org, module_stage):
    return module_stage.mount(org, *(["ro"] if request.param == "read-only" else []))


# names and sizes

@pytest.mark.parametrize("name", OBJECTS)
def test_each_record_has_a_file_beside_its_json(org, either, name):
    ids = org.ids(name)
    names = os.listdir(either.path(name))
    assert len(names) == len(set(names))
    assert set(names) == {one + ".json" for one in ids} | {body_name(org, name, one) for one in ids}


@pytest.mark.parametrize("name", OBJECTS)
def test_ls_l_shows_the_exact_size_and_costs_no_download(org, either, name):
    os.listdir(either.path(name))
    mark = org.mark()
    lines = output("ls", "-l", "--time-style=+%s", either.path(name)).splitlines()[1:]
    sizes = {line.split()[6]: int(line.split()[4]) for line in lines}
    for one in org.ids(name):
        assert sizes[body_name(org, name, one)] == org.record(name, one)[SIZES[name]]
    output("find", either.path(name), "-size", "+1k", "-newermt", "2015-01-01")
    output("du", "-s", either.path(name))
    assert kinds(org, mark) == {}


@pytest.mark.parametrize("name", OBJECTS)
def test_the_bytes_are_the_orgs(org, either, name):
    mark = org.mark()
    full = 0
    for one in org.ids(name):
        told = org.body(name, one)
        assert sha256(body_path(either, org, name, one)) == told["sha256"]
        full += told["size"] > 0
    assert kinds(org, mark).get("blob", 0) in (full, 0)
    mark = org.mark()
    for one in org.ids(name):
        read(body_path(either, org, name, one))
    assert kinds(org, mark) == {}


def test_the_15_character_name_is_the_same_file(org, either):
    full = org.ids("Attachment")[0]
    long = body_path(either, org, "Attachment", full)
    short = long.replace(full, full[:15])
    assert os.stat(long).st_ino == os.stat(short).st_ino != os.stat(either.record("Attachment", full)).st_ino


def test_names_that_are_no_body_are_missing_and_cost_nothing(org, either):
    one, account = org.ids("Attachment")[0], org.ids("Account")[0]
    right = ending(org.record("Attachment", one)["Name"])
    os.listdir(either.path("Attachment"))
    os.listdir(either.path("Account"))
    mark = org.mark()
    for name in ("%s.%s" % (one, "pdf" if right != "pdf" else "txt"), one, one + ".", one + "." + right + "x", one + ".a.b",
                 one + "." + right + "~", one[:14] + "." + right, account + "." + right, one + "." + "x" * 17):
        with pytest.raises(FileNotFoundError):
            os.stat(either.path("Attachment", name))
    with pytest.raises(FileNotFoundError):
        os.stat(either.path("Account", account + ".txt"))
    assert kinds(org, mark) == {}


def test_mode_and_attributes(org, either):
    one = org.ids("Attachment")[0]
    file = body_path(either, org, "Attachment", one)
    writable = 0o444 if os.access(either.path("Account"), os.W_OK) is False or mode_of(
        either.record("Attachment", one)) == 0o444 else 0o644
    assert stat.S_ISREG(os.stat(file).st_mode) and mode_of(file) == writable
    assert os.getxattr(file, "user.forcefs.id").decode() == one
    assert os.getxattr(file, "user.forcefs.type") == b"Attachment"
    version = org.ids("ContentVersion")[0]
    assert mode_of(body_path(either, org, "ContentVersion", version)) == 0o444


def test_programs_read_it(org, either, tmp_path):
    one = some_big(org)
    file, wanted = body_path(either, org, "Attachment", one), org.body("Attachment", one)["sha256"]
    output("cp", file, tmp_path / "copy")
    assert sha256(tmp_path / "copy") == wanted
    output("dd", "if=" + file, "of=" + str(tmp_path / "dd"), "bs=1000", "status=none")
    assert sha256(tmp_path / "dd") == wanted
    output("tar", "-C", either.path("Attachment"), "-cf", tmp_path / "a.tar", os.path.basename(file))
    output("tar", "-C", tmp_path, "-xf", tmp_path / "a.tar")
    assert sha256(tmp_path / os.path.basename(file)) == wanted
    assert output("sha256sum", file).split()[0] == wanted
    output("cmp", file, tmp_path / "copy")
    with open(file, "rb") as opened, mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ) as mapped:
        assert hashlib.sha256(mapped).hexdigest() == wanted
        assert mapped[-10:] == read(tmp_path / "copy")[-10:]


def test_the_last_bytes_alone(org, either):
    one = some_big(org)
    file = body_path(either, org, "Attachment", one)
    with open(file, "rb") as opened:
        opened.seek(-7, os.SEEK_END)
        assert len(opened.read()) == 7


def test_the_json_has_no_body(org, either):
    assert "Body" not in load(either.record("Attachment", org.ids("Attachment")[0]))


def entries(fd, libc, size=300):
    """(name, offset behind it) of what one getdents64 gives."""
    buffer = ctypes.create_string_buffer(size)
    count = libc.getdents64(fd, buffer, size)
    assert count >= 0, os.strerror(ctypes.get_errno())
    place, found = 0, []
    while place < count:
        _, offset, length = struct.unpack_from("=QqH", buffer.raw, place)
        found.append((buffer.raw[place + 19:place + length].split(b"\0")[0].decode(), offset))
        place += length
    return found


def test_a_listing_goes_on_from_any_place(stage):
    org = stage.org(records={"Attachment": 700})
    mount = stage.mount(org)
    libc = ctypes.CDLL(None, use_errno=True)
    fd = os.open(mount.path("Attachment"), os.O_RDONLY | os.O_DIRECTORY)
    try:
        listed, more = [], entries(fd, libc)
        while more:
            listed += more
            more = entries(fd, libc)
        names = [name for name, _ in listed]
        assert len(names) == len(set(names)) == 2 * 700 + 2
        for place in list(range(0, 40)) + list(range(40, len(listed) - 1, 97)):
            os.lseek(fd, listed[place][1], os.SEEK_SET)
            assert entries(fd, libc)[0][0] == names[place + 1]
        os.lseek(fd, listed[-1][1], os.SEEK_SET)
        assert entries(fd, libc) == []
    finally:
        os.close(fd)


# what it costs

def test_a_cold_body_costs_one_call_beyond_its_record(stage):
    org = stage.org()
    mount = stage.mount(org)
    one = some_big(org)
    os.listdir(mount.dir)
    path = body_path(mount, org, "Attachment", one)
    mark = org.mark()
    content = read(path)
    spent = kinds(org, mark)
    assert spent.pop("describe") == 1 and spent.pop("blob") == 1 and sum(spent.values()) == 1, spent
    assert hashlib.sha256(content).hexdigest() == org.body("Attachment", one)["sha256"]


def test_many_readers_cost_one_call(stage):
    org = stage.org()
    mount = stage.mount(org)
    os.listdir(mount.path("Attachment"))
    one = some_big(org, least=1000000)
    path, wanted = body_path(mount, org, "Attachment", one), org.body("Attachment", one)["sha256"]
    org.latency(300)
    mark = org.mark()
    readers = [start("sha256sum", path) for _ in range(20)]
    assert {reader.communicate(timeout=60)[0].split()[0] for reader in readers} == {wanted}
    assert kinds(org, mark) == {"blob": 1}


def test_a_remount_is_warm_and_works_without_the_org(stage):
    org = stage.org()
    home = stage.home(org, ttl=600)
    mount = home.mount()
    os.listdir(mount.path("Attachment"))
    one, other = some_big(org), some_big(org, "ContentVersion")
    path, wanted = body_path(mount, org, "Attachment", one), org.body("Attachment", one)["sha256"]
    cold = body_path(mount, org, "ContentVersion", other)
    assert sha256(path) == wanted
    os.listdir(mount.path("ContentVersion"))
    inode = os.stat(path).st_ino
    mount.remount()
    mark = org.mark()
    assert sha256(path) == wanted and os.stat(path).st_ino == inode
    assert kinds(org, mark).get("blob", 0) == 0
    org.stop()
    mount.remount()
    assert sha256(path) == wanted
    with pytest.raises(OSError) as caught:
        read(cold)
    assert caught.value.errno in (errno.EHOSTUNREACH, errno.ETIMEDOUT)
    assert os.stat(cold).st_size > 0


# the cache on disk

def files_folder(home):
    return [path for path in files_below(home.cache) if ".files/" in path]


def test_the_folder_is_private_and_bounded(stage):
    org = stage.org()
    home = stage.home(org, cache_size="4M", ttl=600)
    mount = home.mount()
    ids = org.ids("Attachment")
    for one in ids:
        assert sha256(body_path(mount, org, "Attachment", one)) == org.body("Attachment", one)["sha256"]
    kept = files_folder(home)
    assert kept and sum(os.stat(path).st_size for path in kept) <= MIB
    assert {mode_of(path) for path in kept} == {0o600} and mode_of(os.path.dirname(kept[0])) == 0o700
    files = mount.status()["cache"]["files"]
    assert files["count"] == len(kept) and files["bytes"] <= files["limit"] == MIB and files["evictions"] > 0


def test_a_cache_in_memory_leaves_nothing_on_disk(stage):
    org = stage.org()
    home = stage.home(org, cache_dir="memory")
    mount = home.mount()
    one = some_big(org)
    path = body_path(mount, org, "Attachment", one)
    assert sha256(path) == org.body("Attachment", one)["sha256"]
    mark = org.mark()
    assert sha256(path) == org.body("Attachment", one)["sha256"] and kinds(org, mark) == {}
    assert files_below(home.cache) == [] and files_below(home.tmp) == []


def rss(pid):
    """The most that it ever had in memory; 0 where a sanitizer keeps what was freed."""
    if b"libasan" in read(program()) or b"libtsan" in read(program()):
        return 0
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return int(re.search(r"VmHWM:\s+(\d+)", file.read()).group(1)) << 10


def test_memory_does_not_grow_with_a_body(stage, tmp_path):
    org = stage.org()
    mount = stage.mount(org)
    os.listdir(mount.path("Attachment"))
    one = org.ids("Attachment")[3]
    small = body_path(mount, org, "Attachment", some_big(org))
    read(small)
    told = org.set_body("Attachment", one, 50 * MIB)
    time.sleep(0)
    mount.remount("ttl=1")
    path = body_path(mount, org, "Attachment", one)
    assert wait_until(lambda: os.stat(path).st_size == 50 * MIB, 20, 0.2)
    read(small)
    before = rss(mount.pid)
    output("cp", path, tmp_path / "copy")
    assert sha256(tmp_path / "copy") == told["sha256"]
    assert rss(mount.pid) - before < 12 * MIB


# what changes

def test_a_change_by_somebody_else_is_seen(stage):
    org = stage.org()
    home = stage.home(org, ttl=1)
    mount = home.mount()
    os.listdir(mount.path("Attachment"))
    one = some_big(org)
    path = body_path(mount, org, "Attachment", one)
    read(path)
    kept = files_folder(home)
    for text in ("short", "longer than before", "longer then Before"):
        org.set_body("Attachment", one, text=text)
        assert wait_until(lambda: read(path) == text.encode(), 15, 0.3), read(path)[:40]
        assert os.stat(path).st_size == len(text)
    assert set(files_folder(home)).isdisjoint(kept)


def test_a_body_that_changed_since_its_record_was_read(stage):
    """Within ttl the record says the old size: what comes is looked at again, and is what the reader gets."""
    org = stage.org()
    mount = stage.mount(org, "ttl=600")
    os.listdir(mount.path("Attachment"))
    ids = [one for one in org.ids("Attachment") if org.record("Attachment", one)["BodyLength"] >= 60000]
    for one, size in zip(ids, (1234, 400000)):
        path = body_path(mount, org, "Attachment", one)
        told = org.set_body("Attachment", one, size, seed=size)
        try:
            read(path)  # the size that was shown may be the old one: then it is an error, never wrong bytes
        except OSError as error:
            assert error.errno in (errno.EIO, errno.EPROTO, errno.ESTALE)
        assert wait_until(lambda: sha256(path) == told["sha256"], 10, 0.2)
        assert os.stat(path).st_size == size


def test_a_new_name_in_salesforce_is_a_new_name_here(stage):
    org = stage.org()
    mount = stage.mount(org, "ttl=1")
    one = some_big(org)
    old = body_path(mount, org, "Attachment", one)
    content = read(old)
    org.change("Attachment", [one], set={"Name": "other.xyz"})
    new = mount.path("Attachment", one + ".xyz")
    assert wait_until(lambda: os.path.basename(new) in os.listdir(mount.path("Attachment")), 10, 0.2)
    assert os.path.basename(old) not in os.listdir(mount.path("Attachment"))
    assert wait_until(lambda: not os.path.exists(old), 10, 0.2) and read(new) == content


def test_endings(stage):
    expected = {"x.json": "bin", "x.JSON": "bin", "noending": "bin", ".profile": "bin", "a.b.tar": "tar", "x.a b": "bin",
                "x.%s" % ("y" * 17): "bin", "x.%s" % ("y" * 16): "y" * 16, "x.ü": "bin", "x.": "bin", "Q.PdF": "PdF",
                "../../x/.y": "bin"}
    org = stage.org()
    ids = org.ids("Attachment")[:len(expected)]
    for one, name in zip(ids, expected):
        org.change("Attachment", [one], set={"Name": name})
    names = os.listdir(stage.mount(org).path("Attachment"))
    for one, name in zip(ids, expected):
        assert [found for found in names if found.startswith(one)] == [one + ".json", "%s.%s" % (one, expected[name])], name


def test_a_deleted_record_takes_its_body_along(stage):
    org = stage.org()
    home = stage.home(org, ttl=1)
    mount = home.mount()
    one = some_big(org)
    os.listdir(mount.path("Attachment"))
    path = body_path(mount, org, "Attachment", one)
    read(path)
    org.delete("Attachment", [one])
    assert wait_until(lambda: os.path.basename(path) not in os.listdir(mount.path("Attachment")), 10, 0.2)
    assert wait_until(lambda: not os.path.exists(path), 10, 0.2)
    assert not any(one in kept for kept in files_folder(home))


# sizes that no field tells

def test_an_unknown_size_is_known_once_it_is_open(stage, tmp_path):
    org = stage.org()
    org.remove_field("Attachment", "BodyLength")
    mount = stage.mount(org)
    for one in org.ids("Attachment")[:8]:
        told = org.body("Attachment", one)
        path = mount.path("Attachment", "%s.%s" % (one, ending(org.record("Attachment", one)["Name"])))
        mark = org.mark()
        assert os.stat(path).st_size > 0
        assert kinds(org, mark).get("blob", 0) == 0
        with open(path, "rb") as file:
            assert os.fstat(file.fileno()).st_size == told["size"]
            assert hashlib.sha256(file.read()).hexdigest() == told["sha256"]
        output("cp", path, tmp_path / "copy")
        assert sha256(tmp_path / "copy") == told["sha256"]
        if told["size"]:
            assert os.stat(path).st_size == told["size"]


def test_an_unknown_size_where_the_kernel_opens_files_itself(stage, tmp_path):
    org = stage.org()
    org.remove_field("Attachment", "BodyLength")
    big, small = org.ids("Attachment")[:2]
    org.set_body("Attachment", big, 3 * MIB)
    org.set_body("Attachment", small, 5000)
    mount = stage.mount(org, "ro")
    for one in (small, big):
        path = mount.path("Attachment", "%s.%s" % (one, ending(org.record("Attachment", one)["Name"])))
        wanted = org.body("Attachment", one)["sha256"]
        assert run("bash", "-c", "cat %s | sha256sum" % path).stdout.split()[0] == wanted
        output("cp", path, tmp_path / one)
        assert sha256(tmp_path / one) == wanted


@pytest.mark.parametrize("size", [200, 5 * MIB])
def test_a_web_page_is_a_body_as_any_other(stage, size):
    """Whether the org sends an HTML file as text/html is not written down."""
    org = stage.org()
    page = "<html>" + "x" * (size - 6)
    one = org.ids("Attachment")[0]
    org.set_body("Attachment", one, text=page)
    org.faults([{"match": {"kind": "blob"}, "do": "status", "status": 200, "content_type": "text/html;charset=UTF-8",
                 "body": page, "times": -1}])
    mount = stage.mount(org)
    assert read(body_path(mount, org, "Attachment", one)) == page.encode()


# what goes wrong

FAULTS = {
    "reset": ({"do": "reset"}, errno.EHOSTUNREACH), "cut": ({"do": "cut"}, errno.EPROTO),
    "wrong length": ({"do": "wrong_length"}, errno.EPROTO), "bad gzip": ({"do": "bad_gzip"}, errno.EPROTO),
    "stall": ({"do": "stall"}, errno.ETIMEDOUT), "hang": ({"do": "hang"}, errno.ETIMEDOUT),
    "page with 200": ({"do": "html", "status": 200}, errno.EIO), "too much": ({"do": "huge", "mb": 1}, errno.EPROTO),
    "no access": ({"do": "error", "status": 403, "errorCode": "INSUFFICIENT_ACCESS", "message": "no"}, errno.EACCES),
}


@pytest.fixture(scope="module")
def faulty(module_stage):
    org = module_stage.org()
    mount = module_stage.mount(org, "timeout=3", "ttl=600")
    os.listdir(mount.path("Attachment"))
    return org, mount, [one for one in org.ids("Attachment") if org.record("Attachment", one)["BodyLength"] >= 60000]


@pytest.mark.parametrize("name", FAULTS)
def test_a_broken_download_is_an_error_of_read_and_the_next_open_begins_anew(faulty, name):
    org, mount, ids = faulty
    fault, expected = FAULTS[name]
    one = ids[list(FAULTS).index(name)]
    path = body_path(mount, org, "Attachment", one)
    told = org.body("Attachment", one)
    org.faults([dict(fault, match={"kind": "blob"}, times=-1)])
    try:
        with pytest.raises(OSError) as caught:
            read(path)
        assert errno.errorcode[caught.value.errno] == errno.errorcode[expected]
        why = mount.home.command("why", path)
        assert why.returncode == 0 and errno.errorcode[expected] in why.stdout, why.stdout
    finally:
        org.faults([])
    assert wait_until(lambda: readable(path), 15, 0.2)
    assert sha256(path) == told["sha256"]


def readable(path):
    try:
        read(path)
    except OSError:
        return False
    return True


def test_reading_begins_while_the_download_goes_on(faulty):
    org, mount, ids = faulty
    one = some_big(org, least=1000000)
    path = body_path(mount, org, "Attachment", one)
    org.faults([{"match": {"kind": "blob"}, "do": "hang", "times": -1}])
    try:
        with open(path, "rb") as file:
            first = os.read(file.fileno(), 4096)
        begun = time.monotonic()
        reader = start("cat", path)
        assert not wait_until(lambda: reader.poll() is not None, 0.5)
        reader.send_signal(signal.SIGINT)
        reader.communicate(timeout=10)
        assert reader.returncode == -signal.SIGINT and time.monotonic() - begun < 3
    finally:
        org.faults([])
    assert wait_until(lambda: readable(path), 15, 0.2)
    assert read(path)[:4096] == first


def test_a_spent_budget(stage):
    org = stage.org()
    mount = stage.mount(org)
    os.listdir(mount.path("Attachment"))
    org.faults([{"match": {"kind": "blob"}, "do": "quota", "times": -1}])
    with pytest.raises(OSError) as caught:
        read(body_path(mount, org, "Attachment", some_big(org)))
    assert caught.value.errno == errno.EDQUOT


def test_an_expired_session_is_renewed(stage):
    org = stage.org()
    mount = stage.mount(org)
    os.listdir(mount.path("Attachment"))
    org.expire_sessions()
    one = some_big(org)
    assert sha256(body_path(mount, org, "Attachment", one)) == org.body("Attachment", one)["sha256"]


def test_unmounting_ends_a_download(stage):
    org = stage.org()
    mount = stage.mount(org)
    os.listdir(mount.path("Attachment"))
    org.faults([{"match": {"kind": "blob"}, "do": "stall", "times": -1}])
    reader = start("cat", body_path(mount, org, "Attachment", some_big(org)))
    assert wait_until(lambda: org.counts()["by_kind"].get("blob"), 10)
    reader.send_signal(signal.SIGINT)
    reader.communicate(timeout=10)
    begun = time.monotonic()
    assert mount.umount() == 0 and time.monotonic() - begun < 10
