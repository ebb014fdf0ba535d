# SPDX-License-Identifier: MIT
"""What a person sees who walks through a mounted org with everyday programs."""
import calendar
import errno
import fcntl
import filecmp
import json
import mmap
import os
import pty
import select
import stat
import struct
import subprocess
import termios
import time

import pytest

from clients import ENV, describe, get, ids, load, need, output, read, run, shell, shown_fields
from mounts import mode_of

REFUSING = {"ContentDocumentLink", "FieldDefinition", "DataStatistics"}  # a plain query is refused, says the describe not
SYSTEM = ["CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp", "LastActivityDate",
          "LastViewedDate", "LastReferencedDate", "IsDeleted"]
UNITS = 1024 * 1024


@pytest.fixture(scope="module")
def org(module_stage):
    return module_stage.org(records={"Account": 300})


@pytest.fixture(scope="module")
def mount(module_stage, org):
    return module_stage.mount(org, "ttl=600")


@pytest.fixture(scope="module")
def read_only(module_stage, org):
    return module_stage.mount(org, "ttl=600", "ro")


@pytest.fixture(params=["rw", "ro"])
def either(request, mount, read_only):
    """The same expectation on both kinds of mount: the kernel treats them differently."""
    return mount if request.param == "rw" else read_only


def stamp_seconds(text):
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def accounts(org):
    return org.ids("Account", limit=1000)


# names

def test_ls_names_the_queryable_objects(org, either):
    listed = output("ls", either.dir).split()
    catalogue = json.loads(get(org, "/services/data/v67.0/sobjects"))["sobjects"]
    assert listed == sorted(entry["name"] for entry in catalogue if entry["queryable"] and entry["name"] not in REFUSING)


def test_control_directory_opens_but_is_not_listed(either):
    assert ".forcefs" not in output("ls", "-A", either.dir).split()
    assert {"status.json", "limits.json", "errors.ndjson", "metrics", "describe", "rejected"} == set(os.listdir(either.path(".forcefs")))


def test_ls_of_an_object_names_every_record_by_its_id(org, either):
    assert ids(output("ls", either.path("Account")).split()) == set(accounts(org))


def test_an_object_that_is_not_queryable_opens_by_name_and_cannot_be_read(either):
    assert os.path.isdir(either.path("AccountChangeEvent"))
    with pytest.raises(PermissionError):
        os.listdir(either.path("AccountChangeEvent"))


@pytest.mark.parametrize("name", ["nope", "account", "Account.json", "Account ", "..Account", "a" * 255])
def test_unknown_names_in_the_root_are_missing(either, name):
    with pytest.raises(FileNotFoundError):
        os.stat(either.path(name))


def test_names_that_are_no_record_are_missing(org, either):
    some = accounts(org)[0]
    other_checksum = some[:15] + ("AAA" if some[15:] != "AAA" else "BBB")
    for name in ("x", ".git", some, some + ".txt", some + ".json~", some[:14] + ".json", other_checksum + ".json",
                 org.ids("Contact")[0] + ".json", "." + some + ".json.swp", "001000000000000AAA.json", "a" * 255):
        with pytest.raises(FileNotFoundError):
            os.stat(either.path("Account", name))


def test_the_15_character_name_is_the_same_file(org, either):
    for full in accounts(org)[:3]:
        long, short = either.record("Account", full), either.record("Account", full[:15])
        assert os.stat(long).st_ino == os.stat(short).st_ino
        assert read(long) == read(short)


# attributes

def test_ls_l_shows_the_size_that_cat_reads_and_the_time_of_the_last_change(org, either):
    lines = output("ls", "-l", "--time-style=+%s", either.path("Account")).splitlines()[1:]
    assert len(lines) == 300
    for line in lines:
        _, _, _, _, size, seconds, name = line.split()
        content = read(either.path("Account", name))
        assert int(size) == len(content)
        assert int(seconds) == stamp_seconds(json.loads(content.decode())["SystemModstamp"])


def test_owner_links_and_kind(org, either):
    directory, file = os.lstat(either.path("Account")), os.lstat(either.record("Account", accounts(org)[0]))
    assert stat.S_ISDIR(directory.st_mode) and stat.S_ISREG(file.st_mode)
    assert (directory.st_uid, directory.st_gid) == (os.getuid(), os.getgid()) == (file.st_uid, file.st_gid)
    assert file.st_nlink == 1 and directory.st_dev == file.st_dev and directory.st_ino != file.st_ino


def first_of(mount, name):
    return mount.path(name, os.listdir(mount.path(name))[0])


def test_modes_say_what_may_be_changed(mount):
    assert mode_of(mount.path("Account")) == 0o755 and mode_of(first_of(mount, "Account")) == 0o644
    assert mode_of(mount.path("ReadOnly__c")) == 0o555 and mode_of(first_of(mount, "ReadOnly__c")) == 0o444
    assert mode_of(mount.path(".forcefs", "status.json")) & 0o222 == 0


def test_a_read_only_mount_shows_no_write_bits(read_only):
    assert mode_of(read_only.path("Account")) == 0o555 and mode_of(first_of(read_only, "Account")) == 0o444
    assert os.statvfs(read_only.dir).f_flag & os.ST_RDONLY


def test_allowing_nothing_shows_no_write_bits(stage, org):
    mount = stage.mount(org, "allow=")
    assert mode_of(mount.path("Account")) == 0o555 and mode_of(first_of(mount, "Account")) == 0o444


def test_umask_and_owner_can_be_chosen(stage, org):
    mount = stage.mount(org, "umask=077", "uid=12", "gid=34")
    found = os.lstat(mount.path("Account"))
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12, 34, 0o700)


def test_df_shows_the_data_storage_of_the_org(org, either):
    storage = json.loads(get(org, "/services/data/v67.0/limits"))["DataStorageMB"]
    size, available = output("df", "-B1M", "--output=size,avail", either.dir).splitlines()[1].split()
    assert (int(size), int(available)) == (storage["Max"], storage["Remaining"])


def test_getfattr_tells_id_type_url_and_time(org, either):
    need("getfattr")
    record = accounts(org)[5]
    told = output("getfattr", "-d", "--absolute-names", either.record("Account", record))
    values = dict(line.split("=", 1) for line in told.splitlines() if "=" in line)
    assert values["user.forcefs.id"] == '"%s"' % record
    assert values["user.forcefs.type"] == '"Account"'
    assert record in values["user.forcefs.url"] and values["user.forcefs.url"].startswith('"http')
    assert stamp_seconds(values["user.forcefs.modified"].strip('"')) == \
        stamp_seconds(load(either.record("Account", record))["SystemModstamp"])
    assert set(values) == {"user.forcefs." + name for name in ("id", "type", "url", "modified")}


def test_the_error_attribute_is_absent_where_nothing_failed(org, either):
    with pytest.raises(OSError) as caught:
        os.getxattr(either.record("Account", accounts(org)[0]), "user.forcefs.error")
    assert caught.value.errno == errno.ENODATA


def test_inode_numbers_are_stable_over_a_remount(stage, org):
    mount = stage.mount(org)

    def numbers():
        found = {entry.name: entry.inode() for entry in os.scandir(mount.path("Account"))}
        assert all(os.stat(mount.path("Account", name)).st_ino == found[name] for name in list(found)[:20])
        return found, {name: os.stat(mount.path(name)).st_ino for name in os.listdir(mount.dir)}
    before = numbers()
    mount.remount()
    assert numbers() == before
    assert len(set(before[0].values())) == 300


# content

def test_cat_and_jq(org, either):
    need("jq")
    record = accounts(org)[42]
    assert shell("cat '%s' | jq -r .Name" % either.record("Account", record)) == org.record("Account", record)["Name"] + "\n"


def test_id_comes_first_then_the_name_and_the_system_fields_last(org, either):
    for name, named in (("Account", ["Name"]), ("Case", ["CaseNumber"]), ("Invoice__c", ["Name"]),
                        ("Contact", ["LastName", "FirstName", "Salutation"])):
        keys = list(load(first_of(either, name)))
        assert keys[0] == "Id" and keys[1:1 + len(named)] == named
        system = [key for key in keys if key in SYSTEM]
        assert system and keys[-len(system):] == system
        in_between = [key for key in keys if key not in system and key not in named and key != "Id"]
        assert in_between == [key for key in shown_fields(describe(org, name)) if key in set(in_between)]


def test_every_readable_field_is_there_and_null_where_empty(org, either):
    wanted = shown_fields(describe(org, "Account"))
    empty = set()
    for record in accounts(org)[:50]:
        values, truth = load(either.record("Account", record)), org.record("Account", record)
        assert sorted(values) == sorted(wanted) and "attributes" not in values
        assert values == {name: truth[name] for name in wanted}
        empty.update(name for name in wanted if values[name] is None)
    assert empty


def test_a_file_is_indented_one_field_a_line_and_ends_with_a_newline(org, either):
    for record in accounts(org)[:20]:
        text = read(either.record("Account", record)).decode()
        lines = text.split("\n")
        assert lines[0] == "{" and lines[-2:] == ["}", ""]
        assert len(lines) == len(json.loads(text)) + 3
        assert all(line.startswith('  "') for line in lines[1:-2])


def test_awkward_values_survive(org, either):
    fields = shown_fields(describe(org, "Everything__c"))
    for record in org.ids("Everything__c"):
        values, truth = load(either.record("Everything__c", record)), org.record("Everything__c", record)
        assert values == {name: truth[name] for name in fields}


def test_numbers_read_exactly_as_the_org_sent_them(org, either):
    for record in org.ids("Everything__c", limit=12):
        sent = json.loads(get(org, "/services/data/v67.0/sobjects/Everything__c/" + record), parse_float=str, parse_int=str)
        shown = json.loads(read(either.record("Everything__c", record)).decode(), parse_float=str, parse_int=str)
        assert shown == {name: sent[name] for name in shown}


def test_base64_fields_are_left_out(either):
    assert "Body" not in load(first_of(either, "Attachment")) and "VersionData" not in load(first_of(either, "ContentVersion"))


# many programs

def test_find_newer(org, either):
    directory = either.path("Account")
    times = sorted((os.stat(os.path.join(directory, name)).st_mtime_ns, name) for name in os.listdir(directory))
    middle = times[len(times) // 2]
    found = output("find", directory, "-type", "f", "-newer", os.path.join(directory, middle[1]), "-printf", "%f\\n").split()
    assert set(found) == {name for moment, name in times if moment > middle[0]}
    since = "@%d" % (middle[0] // 10 ** 9)
    found = output("find", directory, "-type", "f", "-newermt", since, "-printf", "%f\\n").split()
    assert set(found) == {name for moment, name in times if moment > middle[0] // 10 ** 9 * 10 ** 9}


def test_grep_over_one_object(org, either):
    found = output("grep", "-rl", "Kestrel", either.path("Account")).split()
    assert {os.path.basename(name)[:18] for name in found} == \
        {record for record in accounts(org) if "Kestrel" in json.dumps(org.record("Account", record))}
    assert found


def test_grep_over_everything(org, either):
    needle = org.ids("User")[1]
    found = {os.path.relpath(name, either.dir).split("/")[0] for name in output("grep", "-rlF", needle, either.dir).split()}
    assert {"Account", "Contact", "User", "Case", "Wide__c"} <= found and ".forcefs" not in found


def test_rg_reads_over_mmap_what_grep_reads(either):
    need("rg")
    files = [either.path("Account", name) for name in sorted(os.listdir(either.path("Account")))[:100]]
    grep = sorted(output("grep", "-cH", "Logistics", *files).split()) if any(b"Logistics" in read(name) for name in files) else []
    mapped = output("rg", "--mmap", "--with-filename", "--include-zero", "-c", "Logistics", *files)
    assert sorted(mapped.split()) == grep
    whole = output("rg", "-c", "--no-ignore", "\"Id\"", either.path("Account")).split()
    assert len(whole) == 300


def test_mmap(org, either):
    path = either.record("Account", accounts(org)[9])
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped[:] == read(path)


def test_a_file_of_many_pages_is_read_in_pieces_and_from_the_middle(org, either):
    record = next(record for record in org.ids("Everything__c") if len(org.record("Everything__c", record)["Long_Text__c"]) > 20000)
    path = either.record("Everything__c", record)
    whole = read(path)
    with open(path, "rb", buffering=0) as file:
        pieces = b""
        while True:
            piece = os.pread(file.fileno(), 777, len(pieces))
            if not piece:
                break
            pieces += piece
    assert pieces == whole and len(whole) > 20000


def test_two_programs_have_the_same_file_open(org, either):
    path = either.record("Account", accounts(org)[3])
    with open(path, "rb") as one, open(path, "rb") as two:
        assert one.read(10) == two.read(10)
        assert one.read() == two.read()


def test_less_shows_the_file(org, either):
    need("less")
    path = either.record("Account", accounts(org)[0])
    boss, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 100, 200, 0, 0))
    child = subprocess.Popen(["less", "-FX", path], env=dict(ENV, TERM="vt100", LESS=""), stdin=terminal, stdout=terminal,
                             stderr=terminal)
    os.close(terminal)
    shown = b""
    while select.select([boss], [], [], 10)[0]:
        try:
            shown += os.read(boss, 65536)
        except OSError:  # the end
            break
    child.kill()
    child.wait()
    os.close(boss)
    assert load(path)["Id"].encode() in shown
    assert output("less", "-FX", path) == read(path).decode()


def test_wc_and_md5sum(org, either):
    paths = [either.record("Account", record) for record in accounts(org)[:10]]
    counted = [int(line.split()[0]) for line in output("wc", "-c", *paths).splitlines()]
    assert counted[:-1] == [len(read(path)) for path in paths] and counted[-1] == sum(counted[:-1])
    sums = output("md5sum", *paths)
    assert output("md5sum", *paths) == sums and len(set(line.split()[0] for line in sums.splitlines())) == 10


def test_tar_packs_what_is_there(tmp_path, either):
    archive = tmp_path / "account.tar"
    output("tar", "-C", either.dir, "-cf", archive, "Account")
    output("tar", "-C", tmp_path, "-xf", archive)
    assert same_tree(either.path("Account"), tmp_path / "Account") == 300


def test_cp_r_copies_byte_for_byte(tmp_path, either):
    for name in ("Account", "Everything__c", "Empty__c"):
        output("cp", "-r", either.path(name), tmp_path / name)
        assert same_tree(either.path(name), tmp_path / name) == len(os.listdir(either.path(name)))


def same_tree(one, two):
    names = os.listdir(str(one))
    assert sorted(names) == sorted(os.listdir(str(two)))
    match, mismatch, errors = filecmp.cmpfiles(str(one), str(two), names, shallow=False)
    assert not mismatch and not errors
    return len(match)


def test_rsync_transfers_nothing_the_second_time(tmp_path, either):
    need("rsync")
    words = ["rsync", "-a", "--itemize-changes", either.path("Account") + "/", str(tmp_path / "copy")]
    assert output(*words).count(">f") == 300
    assert same_tree(either.path("Account"), tmp_path / "copy") == 300
    assert output(*words) == ""


# the control directory

def test_control_files_are_json_and_as_long_as_they_say(either):
    assert load(either.path(".forcefs", "limits.json"))["DataStorageMB"]["Max"] > 0
    status = load(either.path(".forcefs", "status.json"))
    assert status["pid"] == either.pid and status["network"]["state"] == "online"
    for line in read(either.path(".forcefs", "errors.ndjson")).splitlines():
        json.loads(line.decode())
    path = either.path(".forcefs", "limits.json")
    assert os.stat(path).st_size == len(read(path))


def test_status_counts_the_calls(org, stage):
    before = org.mark()
    mount = stage.mount(org)
    os.listdir(mount.path("Account"))
    assert mount.status()["api"]["calls_by_this_mount"] == org.counts(since=before)["counted"]


def test_describe_is_as_the_org_sends_it(org, either):
    assert load(either.path(".forcefs", "describe", "Account.json")) == describe(org, "Account")
    assert "Account.json" in os.listdir(either.path(".forcefs", "describe"))
    with pytest.raises(FileNotFoundError):
        os.stat(either.path(".forcefs", "describe", "Nope.json"))


# what must not happen

def test_rm_r_changes_nothing_in_the_org(org, mount):
    before, records = org.mark(), set(accounts(org))
    done = run("rm", "-rf", mount.path("Account"))
    assert done.returncode == 1 and done.stderr
    assert not {"delete", "update", "create", "collections_write"} & set(org.counts(since=before)["by_kind"])
    assert ids(os.listdir(mount.path("Account"))) == records == set(accounts(org))


def test_a_read_only_mount_refuses_every_change_and_loses_nothing(org, read_only):
    path = read_only.record("Account", accounts(org)[1])
    content = read(path)
    for attempt in (lambda: open(path, "w"), lambda: open(path, "a"), lambda: os.truncate(path, 0), lambda: os.unlink(path),
                    lambda: os.rename(path, path + "~"), lambda: open(read_only.path("Account", "new.json"), "x"),
                    lambda: os.mkdir(read_only.path("New__c")), lambda: os.symlink("a", read_only.path("Account", "b"))):
        with pytest.raises(OSError) as caught:
            attempt()
        assert caught.value.errno == errno.EROFS
    assert read(path) == content


def test_objects_are_neither_made_nor_taken_away(mount):
    for attempt in (lambda: os.mkdir(mount.path("New__c")), lambda: os.rmdir(mount.path("Empty__c")),
                    lambda: os.rename(mount.path("Account"), mount.path("Accounts"))):
        with pytest.raises(OSError) as caught:
            attempt()
        assert caught.value.errno in (errno.EPERM, errno.EACCES, errno.EROFS)
    assert os.path.isdir(mount.path("Empty__c")) and os.path.isdir(mount.path("Account"))
