# SPDX-License-Identifier: MIT
"""Bodies that are written: one PATCH for a save, by whatever program, and nothing lost."""
import errno
import hashlib
import os
import signal
import time

import pytest

from clients import need, read, run, shell, start
from mounts import files_below, wait_until
from test_bodies import MIB, body_path, kinds, rss, sha256, some_big

TEXT = b"first line\nsecond line\n"


def text_body(org, name="Attachment", place=0):
    one = org.ids(name)[place]
    org.change(name, [one], set={"Name": "notes.txt"})
    org.set_body(name, one, text=TEXT.decode())
    return one


class Scene:
    def __init__(self, stage, *options, name="Attachment"):
        self.org = stage.org()
        self.one = text_body(self.org, name)
        self.mount = stage.mount(self.org, *options)
        self.name, self.dir = name, self.mount.path(name)
        os.listdir(self.dir)
        self.path = body_path(self.mount, self.org, name, self.one)
        self.listed = sorted(os.listdir(self.dir))
        assert read(self.path) == TEXT

    def saves(self, mark):
        """How many PATCHes; that nothing was made or deleted."""
        spent = kinds(self.org, mark)
        assert not set(spent) & {"create", "delete", "collections_write", "upsert"}, spent
        return spent.get("update", 0)

    def has(self, content):
        return self.org.body(self.name, self.one)["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.fixture
def scene(stage):
    return Scene(stage)


PROGRAMS = {
    "cp": "cp %(new)s %(body)s",
    "cat": "cat %(new)s > %(body)s",
    "tee": "tee %(body)s < %(new)s > /dev/null",
    "install": "install -m 644 %(new)s %(body)s",
    "cp --remove-destination": "cp --remove-destination %(new)s %(body)s",
    "dd": "dd if=%(new)s of=%(body)s bs=3 status=none",
    "mv in the directory": "cp %(new)s %(dir)s/t && mv %(dir)s/t %(body)s",
    "mv from elsewhere": "cp %(new)s %(new)s.2 && mv %(new)s.2 %(body)s",
    "rsync": "rsync %(new)s %(body)s",
    "rsync --inplace": "rsync --inplace --ignore-times %(new)s %(body)s",
    "sed -i": "sed -i s/second/changed/ %(body)s",
    "sed -i.bak": "sed -i.bak s/second/changed/ %(body)s && rm %(body)s.bak",
    "perl -i": "perl -pi -e s/second/changed/ %(body)s",
    "python": "python3 -c 'import sys; open(sys.argv[2], \"wb\").write(open(sys.argv[1], \"rb\").read())' %(new)s %(body)s",
    "truncate and write": "python3 -c 'import os,sys; f = os.open(sys.argv[2], os.O_WRONLY); os.ftruncate(f, 0);"
                          " os.write(f, open(sys.argv[1], \"rb\").read()); os.close(f)' %(new)s %(body)s",
    "parts by several": "{ head -n 1 %(new)s; tail -n +2 %(new)s; } > %(body)s",
    "vim": "vim -u NONE -i NONE -es -c '%%s/second/changed/' -c wq %(body)s",
    "vim in place": "vim -u NONE -i NONE -es -c 'set backupcopy=yes backup' -c '%%s/second/changed/' -c wq %(body)s"
                    " && rm -f %(body)s~",
    "ed": "printf '2s/second/changed/\\nw\\nq\\n' | ed -s %(body)s",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_save_is_one_patch(scene, tmp_path, program):
    need(PROGRAMS[program].split()[0].strip("{") or "bash")
    if "ed -s" in PROGRAMS[program]:
        need("ed")
    new = TEXT.replace(b"second", b"changed")
    (tmp_path / "new").write_bytes(new)
    mark = scene.org.mark()
    shell(PROGRAMS[program] % {"new": tmp_path / "new", "body": scene.path, "dir": scene.dir})
    assert scene.saves(mark) == 1
    assert scene.has(new) and read(scene.path) == new and os.stat(scene.path).st_size == len(new)
    assert kinds(scene.org, mark).get("blob", 0) == 0
    assert sorted(os.listdir(scene.dir)) == scene.listed


def test_a_part_of_it_is_changed(scene):
    mark = scene.org.mark()
    with open(scene.path, "r+b") as file:
        file.seek(6)
        file.write(b"LINE")
    with open(scene.path, "ab") as file:
        file.write(b"third\n")
    assert scene.saves(mark) == 2
    assert scene.has(b"first LINE\nsecond line\nthird\n") and read(scene.path) == b"first LINE\nsecond line\nthird\n"


def test_the_same_content_is_not_sent(scene, tmp_path):
    (tmp_path / "same").write_bytes(TEXT)
    mark = scene.org.mark()
    shell("cp %s %s; touch %s" % (tmp_path / "same", scene.path, scene.path))
    assert scene.saves(mark) == 0 and read(scene.path) == TEXT


def test_fsync_saves_and_the_close_after_it_does_not(scene):
    mark = scene.org.mark()
    with open(scene.path, "wb") as file:
        file.write(b"new\n")
        file.flush()
        os.fsync(file.fileno())
        assert scene.has(b"new\n")
    assert scene.saves(mark) == 1


def test_a_document_too(stage):
    scene = Scene(stage, name="Document")
    with open(scene.path, "wb") as file:
        file.write(b"new\n")
    assert scene.has(b"new\n") and read(scene.path) == b"new\n"


def test_what_may_not_be_written_is_refused_at_open(stage, scene):
    version = body_path(scene.mount, scene.org, "ContentVersion", scene.org.ids("ContentVersion")[0])
    mark = scene.org.mark()
    with pytest.raises(PermissionError):
        open(version, "wb")
    assert "replaced" in scene.mount.home.command("why", version).stdout
    for mode in ("wb", "r+b"):
        with pytest.raises(OSError) as caught:
            open(body_path(stage.mount(scene.org, "ro"), scene.org, "Attachment", scene.one), mode)
        assert caught.value.errno == errno.EROFS
    assert scene.saves(mark) == 0


def test_it_is_not_deleted_and_not_emptied(scene):
    mark = scene.org.mark()
    done = run("rm", "-f", scene.path)
    assert done.returncode and "not permitted" in done.stderr
    run("truncate", "-s", "0", scene.path)
    run("bash", "-c", ": > %s" % scene.path)
    assert scene.saves(mark) == 0 and wait_until(lambda: read(scene.path) == TEXT, 5)
    assert scene.has(TEXT)


def rejected(scene):
    folder = scene.mount.path(".forcefs", "rejected")
    return {name.rpartition(".")[2]: read(os.path.join(folder, name)) for name in os.listdir(folder)}


def test_a_change_by_somebody_else_is_not_overwritten(scene):
    with pytest.raises(OSError) as caught:
        with open(scene.path, "wb") as file:
            file.write(b"mine\n")
            file.flush()
            time.sleep(1.1)  # the condition that a save carries has a grain of a second
            scene.org.set_body("Attachment", scene.one, text="theirs, and longer\n")
    assert caught.value.errno == errno.ESTALE
    assert scene.has(b"theirs, and longer\n")
    assert wait_until(lambda: read(scene.path) == b"theirs, and longer\n", 5)
    kept = rejected(scene)
    assert kept["bin"] == b"mine\n" and b"ESTALE" in kept["why"]
    with open(scene.path, "wb") as file:
        file.write(b"mine\n")
    assert scene.has(b"mine\n")


def test_a_change_of_other_fields_stands_beside_it(scene):
    mark = scene.org.mark()
    with open(scene.path, "wb") as file:
        file.write(b"mine\n")
        file.flush()
        time.sleep(1.1)
        scene.org.change("Attachment", [scene.one], set={"Description": "theirs"})
    assert scene.saves(mark) == 2  # the first was refused
    assert scene.has(b"mine\n") and scene.org.record("Attachment", scene.one)["Description"] == "theirs"
    assert read(scene.path) == b"mine\n"


@pytest.mark.parametrize("program", ["cp", "mv in the directory"])
def test_a_refusal_reaches_the_program(scene, tmp_path, program):
    (tmp_path / "new").write_bytes(b"no\n")
    scene.org.faults([{"match": {"kind": "update"}, "do": "error", "errorCode": "FIELD_CUSTOM_VALIDATION_EXCEPTION",
                       "message": "Not this one.", "times": -1}])
    done = run("bash", "-c", PROGRAMS[program] % {"new": tmp_path / "new", "body": scene.path, "dir": scene.dir})
    assert done.returncode
    assert "Not this one." in scene.mount.home.command("why", scene.path).stdout
    assert rejected(scene)["bin"] == b"no\n"
    assert wait_until(lambda: read(scene.path) == TEXT, 5) and scene.has(TEXT)


def test_an_answer_that_is_lost_saves_once(scene):
    scene.org.faults([{"match": {"kind": "update"}, "do": "reset", "after": True, "times": 1}])
    try:
        with open(scene.path, "wb") as file:
            file.write(b"once\n")
    except OSError:
        pass  # nobody knows: then the text says so
    assert scene.has(b"once\n")
    assert wait_until(lambda: read(scene.path) == b"once\n", 10, 0.2)


def test_a_big_one_goes_from_disk_and_in_parts_of_a_form(stage, tmp_path):
    org = stage.org()
    home = stage.home(org, ttl=600)
    mount = home.mount()
    os.listdir(mount.path("Attachment"))
    path = body_path(mount, org, "Attachment", some_big(org))
    with open(path, "wb") as file:
        file.write(b"warm up\n")
    content = hashlib.shake_128(b"big").digest(45 * MIB)
    (tmp_path / "big").write_bytes(content)
    before, mark = rss(mount.pid), org.mark()
    shell("cp %s %s" % (tmp_path / "big", path))
    assert kinds(org, mark)["update"] == 1
    assert sha256(path) == hashlib.sha256(content).hexdigest() == org.body(
        "Attachment", os.path.basename(path).split(".")[0])["sha256"]
    assert kinds(org, mark).get("blob", 0) == 0
    assert rss(mount.pid) - before < 16 * MIB
    smaller = content[:30 * MIB]
    (tmp_path / "big").write_bytes(smaller)
    shell("cp %s %s && mv %s %s" % (tmp_path / "big", path + ".part", path + ".part", path))
    assert sha256(path) == hashlib.sha256(smaller).hexdigest()
    assert rss(mount.pid) - before < 16 * MIB
    assert files_below(home.tmp) == []


def test_ctrl_c_ends_a_save_that_hangs(scene, tmp_path):
    (tmp_path / "new").write_bytes(b"new\n")
    scene.org.faults([{"match": {"kind": "update"}, "do": "stall", "times": -1}])
    mark = scene.org.mark()
    writer = start("cp", tmp_path / "new", scene.path)
    assert wait_until(lambda: scene.org.counts(mark)["by_kind"].get("update"), 10)
    writer.send_signal(signal.SIGINT)
    writer.communicate(timeout=20)
    assert writer.returncode
    scene.org.faults([])
    assert wait_until(lambda: read(scene.path) == TEXT, 10, 0.2) and scene.has(TEXT)


def test_what_is_being_written_at_the_end_is_kept(scene):
    file = open(scene.path, "wb")
    try:
        file.write(b"half\n")
        file.flush()
        os.kill(scene.mount.pid, signal.SIGTERM)
        assert wait_until(lambda: not scene.mount.running(), 20)
    finally:
        try:
            file.close()
        except OSError:
            pass
    kept = [read(path) for path in files_below(scene.mount.home.state) if path.endswith(".bin")]
    assert kept == [b"half\n"] and scene.has(TEXT)
