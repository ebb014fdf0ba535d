# SPDX-License-Identifier: MIT
"""New records and deleted ones, where `allow` permits: once, and never by accident."""
import errno
import json
import os
import shutil
import threading

import pytest

from clients import load, need, read, run
from mounts import wait_until
from saving import org_values, save, writes_in

ALL = "allow=update\\,create\\,delete"
NEW = {"Name": "Northwind", "Phone": "1"}


@pytest.fixture
def place(stage):
    return Place(stage)


class Place:
    """A mount where everything is allowed."""

    def __init__(self, stage, *options, object="Account", **settings):
        self.stage, self.object = stage, object
        self.org = stage.org(records={object: 20}, **settings)
        self.mount = stage.mount(self.org, *(options or (ALL, "ttl=600")))
        self.dir = self.mount.path(object)
        self.names = sorted(os.listdir(self.dir))
        self.mark = self.org.mark()

    def path(self, name):
        return os.path.join(self.dir, name)

    def writes(self):
        return writes_in(self.org.log(since=self.mark))

    def is_true(self, path):
        shown = load(path)
        assert shown == org_values(self.org, self.object, shown["Id"], shown)
        return shown

    def why(self, path):
        done = self.mount.home.command("why", path)
        assert done.returncode == 0, done.stderr
        return done.stdout


def write(path, value):
    """A file with this value, a text as it is; the errno of the save."""
    return save(path, value if isinstance(value, str) else json.dumps(value), os.O_CREAT)


# create

def test_a_new_file_becomes_a_record(place):
    path = place.path("new.json")
    assert write(path, NEW) == 0
    assert [(w.method, w.body) for w in place.writes()] == [("POST", NEW)]
    shown = place.is_true(path)
    assert shown["Name"] == "Northwind" and len(shown["Id"]) == 18
    added = set(os.listdir(place.dir)) - set(place.names)
    assert shown["Id"] + ".json" in added and added <= {shown["Id"] + ".json", "new.json"}
    assert read(place.path(shown["Id"] + ".json")) == read(path)
    assert os.getxattr(path, "user.forcefs.id").decode() == shown["Id"]


def test_an_empty_id_is_none(place):
    """As a template has it, or a table that was made JSON."""
    assert write(place.path("new.json"), dict(NEW, Id="")) == 0
    assert [(write.method, write.body) for write in place.writes()] == [("POST", NEW)]


def test_a_byte_order_mark_makes_no_difference(place):
    """A copy of a record's text is somebody's temporary file, one without an Id becomes a record."""
    copy = "\ufeff" + read(place.path(place.names[0])).decode()
    assert write(place.path("copy.json"), copy) == 0 and place.writes() == []
    assert write(place.path("new.json"), "\ufeff" + json.dumps(NEW)) == 0
    assert [(write.method, write.body) for write in place.writes()] == [("POST", NEW)]


def test_the_name_it_was_given_goes_on_leading_to_it(place):
    path = place.path("new.json")
    assert write(path, NEW) == 0
    record_id = load(path)["Id"]
    assert run("sed", "-i", 's|"Phone": .*|"Phone": "2",|', path).returncode == 0
    assert write(path, {"Phone": "3"}) == 0
    assert [(w.method, w.body) for w in place.writes()] == [
        ("POST", NEW), ("PATCH", {"Phone": "2"}), ("PATCH", {"Phone": "3"})]
    assert load(place.path(record_id + ".json"))["Phone"] == "3"
    place.is_true(path)
    place.mount.remount()
    assert not os.path.exists(place.path("new.json"))
    assert load(place.path(record_id + ".json"))["Phone"] == "3"


@pytest.mark.parametrize("line", ["cp '%s' '%s'", "cat '%s' >'%s'", "install -m 644 '%s' '%s'", "mv '%s' '%s'",
                                  "rsync '%s' '%s'", "vim -es -u NONE -c 'w %.0s%s' -c 'qa!' '%.0s'"])
def test_every_tool_makes_one_record(place, tmp_path, line):
    need(line.split()[0])
    source = str(tmp_path / "source.json")
    write(source, NEW)
    if line.startswith("vim"):
        line = "vim -es -u NONE -c 'w %s' -c 'qa!' '%s'" % (place.path("new.json"), source)
    else:
        line = line % (source, place.path("new.json"))
    done = run("sh", "-c", line)
    assert done.returncode == 0, done.stderr
    assert [(w.method, w.body) for w in place.writes()] == [("POST", NEW)]
    place.is_true(place.path("new.json"))


def test_two_commands_into_one_new_file(place, tmp_path):
    """The first one closes it with half of the text in it."""
    source = str(tmp_path / "source.json")
    write(source, json.dumps(NEW, indent=1))
    done = run("sh", "-c", '{ head -n 2 "$0"; tail -n +3 "$0"; } >"$1"', source, place.path("new.json"))
    assert (done.returncode, done.stderr) == (0, "")
    assert [(w.method, w.body) for w in place.writes()] == [("POST", NEW)]
    place.is_true(place.path("new.json"))


def test_two_who_close_it_at_once_make_one(place):
    """Descriptors of one open file, as forked programs have them: the close of each is a save."""
    first = os.open(place.path("new.json"), os.O_CREAT | os.O_WRONLY)
    os.write(first, json.dumps(NEW).encode())
    place.org.latency(300)
    threads = [threading.Thread(target=os.close, args=(fd,)) for fd in (first, os.dup(first))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    place.org.latency(0)
    assert [(write.method, write.body) for write in place.writes()] == [("POST", NEW)]
    place.is_true(place.path("new.json"))


def test_what_is_written_after_it_became_a_record_is_saved(place):
    fd = os.open(place.path("new.json"), os.O_CREAT | os.O_RDWR)
    for value in (NEW, dict(NEW, Phone="2")):
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps(value).encode(), 0)
        os.fsync(fd)
    os.close(fd)
    assert [(write.method, write.body) for write in place.writes()] == [("POST", NEW), ("PATCH", {"Phone": "2"})]
    place.is_true(place.path("new.json"))


def test_many_at_once_become_many(place):
    for number in range(10):
        assert write(place.path("n%d.json" % number), dict(NEW, Name="N%d" % number)) == 0
    assert sorted(w.body["Name"] for w in place.writes()) == ["N%d" % number for number in range(10)]
    assert len({load(place.path("n%d.json" % number))["Id"] for number in range(10)}) == 10


REFUSED = {
    "a required field is missing": ({"Phone": "1"}, errno.EINVAL, ["Name"], False),
    "an unknown field": (dict(NEW, Phones="1"), errno.EINVAL, ["Phones"], False),
    "a read-only field": (dict(NEW, CreatedDate="2001-01-01T00:00:00Z"), errno.EACCES, ["CreatedDate"], False),
    "a text too long": (dict(NEW, AccountNumber="1" * 41), errno.EINVAL, ["AccountNumber"], False),
    "a rule of the org": (dict(NEW, AnnualRevenue=-5000000), errno.EINVAL, ["FIELD_CUSTOM_VALIDATION_EXCEPTION"], True),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(place, name):
    value, expected, words, sent = REFUSED[name]
    path = place.path("new.json")
    assert write(path, value) == expected
    assert bool(place.writes()) == sent
    told = place.why(path)
    assert all(word in told for word in words), told
    assert json.loads(read(path).decode()) == value, "the text is still there to be mended"
    assert write(path, NEW) == 0
    place.is_true(path)
    assert len(place.org.ids("Account", limit=100)) == 21


def test_what_was_refused_and_not_mended_is_kept_when_the_mount_ends(place):
    assert write(place.path("new.json"), {"Phone": "1"}) == errno.EINVAL
    place.mount.remount()
    folder = place.mount.path(".forcefs", "rejected")
    kept = [name for name in os.listdir(folder) if name.startswith("Account.new.json")]
    assert [load(os.path.join(folder, name)) for name in kept if name.endswith(".json")] == [{"Phone": "1"}]
    assert any("Name" in read(os.path.join(folder, name)).decode() for name in kept if name.endswith(".why"))


@pytest.mark.parametrize("after", [False, True], ids=["not carried out", "carried out"])
def test_a_lost_answer_is_told_and_never_asked_for_again(place, after):
    """Nobody knows whether the record was made: it is said, with the way to find out, and not sent twice."""
    place.org.faults([{"match": {"kind": "composite"}, "do": "reset", "after": after, "times": -1}])
    path = place.path("new.json")
    assert write(path, NEW) not in (0, errno.EINVAL)
    place.org.faults([])
    told = place.why(path)
    assert "MAYBE_SENT" in told and "may have been made" in told, told
    assert len(place.org.ids("Account", limit=100)) == (21 if after else 20)
    with pytest.raises(OSError):
        os.close(os.open(path, os.O_WRONLY))  # the same text again: the same answer
    assert len(place.org.ids("Account", limit=100)) == (21 if after else 20)


def test_without_create_a_new_file_is_refused_and_says_what_to_do(stage):
    place = Place(stage, "ttl=600")
    path = place.path("new.json")
    assert write(path, NEW) == errno.EPERM
    assert "create" in place.why(path)
    assert place.writes() == []


def test_a_record_is_not_made_under_an_id(place):
    path = place.path("001000000000001AAA.json")
    with pytest.raises(OSError) as caught:
        os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
    assert caught.value.errno in (errno.EPERM, errno.ENOENT)
    assert place.writes() == []


def test_editors_own_files_never_become_records(place):
    for name in (".x.json.swp", "x.json~", ".#x.json", "4913", "sedAbCdEf", ".x.json.AbCdEf", "#x.json#", "x.json.bak",
                 "x.json.lock", "notes.txt"):
        assert write(place.path(name), NEW) == 0, name
    assert write(place.path("other.json"), "hello") == errno.EINVAL
    assert write(place.path("list.json"), [NEW]) == errno.EINVAL
    assert write(place.path("copy.json"), read(place.path(place.names[0])).decode()) == 0
    assert place.writes() == []
    assert len(place.org.ids("Account", limit=100)) == 20


def test_vim_on_the_name_that_it_was_given(place):
    """vim moves the file away and makes it anew: no second record, and the name still leads to the first."""
    path = place.path("new.json")
    assert write(path, NEW) == 0
    for number in range(2, 4):
        done = run("vim", "-es", "-u", "NONE", "--cmd", "set bsk=", "-c", '%%s#"Phone": .*#"Phone": "%d",#' % number, "-c", "x",
                   path)
        assert done.returncode == 0, done.stderr
        assert place.is_true(path)["Phone"] == str(number)
    assert [(w.method, w.body) for w in place.writes()] == [
        ("POST", NEW), ("PATCH", {"Phone": "2"}), ("PATCH", {"Phone": "3"})]


# delete

def test_rm_deletes_one_record(place):
    path = place.path(place.names[3])
    assert run("rm", path).returncode == 0
    assert [(w.method, w.id + ".json") for w in place.writes()] == [("DELETE", place.names[3])]
    assert sorted(os.listdir(place.dir)) == place.names[:3] + place.names[4:]
    assert not os.path.exists(path)
    place.org.undelete("Account", ids=[place.names[3][:18]])  # it is in the recycle bin


def test_rm_of_a_record_that_somebody_else_deleted_succeeds(place):
    place.org.delete("Account", ids=[place.names[3][:18]])
    assert run("rm", place.path(place.names[3])).returncode == 0
    assert not os.path.exists(place.path(place.names[3]))


def test_rm_of_a_record_that_cannot_be_deleted_says_why(place):
    place.org.faults([{"match": {"kind": "delete"}, "do": "error", "status": 400, "errorCode": "DELETE_FAILED",
                       "message": "Your attempt to delete this account could not be completed because of its cases."}])
    path = place.path(place.names[3])
    done = run("rm", path)
    assert done.returncode != 0 and os.strerror(errno.EBUSY) in done.stderr
    assert "because of its cases" in place.why(path)
    assert os.path.exists(path)


def test_saving_never_deletes_although_it_may(place):
    """Every way to save that takes the name away for a moment, on a mount where rm would delete."""
    for number, line in enumerate((
            "sed -i 's|\"Phone\": .*|\"Phone\": \"9\",|' '%s'",
            "sed -i.bak 's|\"Phone\": .*|\"Phone\": \"9\",|' '%s'",
            "perl -i -pe 's|\"Phone\": .*|\"Phone\": \"9\",|' '%s'",
            "vim -es -u NONE --cmd 'set bsk=' -c '%%s#\"Phone\": .*#\"Phone\": \"9\",#' -c x '%s'",
            "jq '.Phone = \"9\"' '%s' >t && cp --remove-destination t '%s'",
            "jq '.Phone = \"9\"' '%s' >t && install t '%s'",
            "jq '.Phone = \"9\"' '%s' >t && mv t '%s'")):
        path = place.path(place.names[number])
        need(line.split()[0])
        done = run("sh", "-c", line.replace("%s'", path + "'").replace("%%", "%"), cwd=place.mount.home.folder)
        assert done.returncode == 0, (line, done.stderr)
        assert load(path)["Phone"] == "9", line
    assert {(w.method, json.dumps(w.body)) for w in place.writes()} == {("PATCH", '{"Phone": "9"}')}
    assert len(place.writes()) == 7
    assert len(place.org.ids("Account", limit=100)) == 20


def test_a_directory_is_never_removed(place):
    done = run("rm", "-rf", place.mount.path("Contact"))
    assert done.returncode != 0
    with pytest.raises(OSError) as caught:
        os.rmdir(place.dir)
    assert caught.value.errno == errno.EPERM
    assert not [w for w in place.writes() if w.method == "DELETE" and w.id in place.names]


def test_mv_to_another_disk_deletes_only_where_it_may(place):
    target = os.path.join(place.mount.home.folder, "moved.json")
    before = read(place.path(place.names[0]))
    assert run("mv", place.path(place.names[0]), target).returncode == 0
    assert read(target) == before
    assert [(w.method, w.id + ".json") for w in place.writes()] == [("DELETE", place.names[0])]


def test_without_delete_mv_to_another_disk_fails_and_copies(stage):
    place = Place(stage, "ttl=600")
    done = run("mv", place.path(place.names[0]), os.path.join(place.mount.home.folder, "moved.json"))
    assert done.returncode != 0 and os.strerror(errno.EPERM) in done.stderr
    assert sorted(os.listdir(place.dir)) == place.names


def test_cp_r_into_a_mount_where_records_may_be_made(place, tmp_path):
    """A copy of a directory holds texts with Ids: they are saves of records that are there, and nothing changes."""
    shutil.copytree(place.dir, str(tmp_path / "copy"))
    done = run("cp", "-r", str(tmp_path / "copy") + "/.", place.dir)
    assert done.returncode == 0, done.stderr
    assert place.writes() == []
    assert wait_until(lambda: sorted(os.listdir(place.dir)) == place.names, 5)
