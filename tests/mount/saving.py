# SPDX-License-Identifier: MIT
"""What the tests of saving share: a desk with records to edit, what the org was told, and a terminal for editors."""
import errno
import json
import os
import subprocess

import pytest

from clients import ENV, PATIENCE, need, read
from mounts import wait_until

# What the org sets by itself when a record is saved.
STAMPS = {"LastModifiedDate", "LastModifiedById", "SystemModstamp"}
WRITES = ("create", "update", "upsert", "delete")
EDITOR_ENV = dict(ENV, TERM="xterm-256color")


class Write:
    """One record's change as the org got it."""

    def __init__(self, method, url, body, status):
        self.method, self.body, self.status = method, body, status
        self.id = url.rsplit("/", 1)[-1].partition("?")[0]

    def __repr__(self):
        return "%s %s %s -> %s" % (self.method, self.id, self.body, self.status)


def writes_in(log):
    """Every change in the calls, those in composites too. A call of a kind that was not foreseen fails the test."""
    found = []
    for call in log:
        assert call["kind"] not in ("collections_write", "blob"), call
        for part in call.get("parts", []):
            if part["kind"] in WRITES:
                found.append(Write(part["method"], part["url"], part.get("body"), part["status"]))
        if call["kind"] in WRITES:
            found.append(Write(call["method"], call["path"], call.get("body"), call["status"]))
    return found


def save(path, text, flags=0):
    """Puts the text in the file's place; the errno of the save, 0 if it went well."""
    fd = os.open(path, os.O_WRONLY | os.O_TRUNC | flags, 0o644)
    os.write(fd, text.encode())
    try:
        os.close(fd)
    except OSError as error:
        return error.errno
    return 0


def org_values(org, name, record_id, shown):
    return {field: value for field, value in org.record(name, record_id).items() if field in shown}


class Desk:
    """A mount of an org, one of its records after the other, and what the org was told since."""

    def __init__(self, stage, *options, records=400, object="Account", **settings):
        self.stage, self.object = stage, object
        self.org = stage.org(records={object: records}, **settings)
        self.mount = stage.mount(self.org, *(options or ("ttl=600",)))
        self.ids = self.org.ids(object, limit=records)
        self.dir = self.mount.path(object)
        self.names = sorted(os.listdir(self.dir))
        self.taken = 0

    def page(self, object=None):
        """The next record that no test has had."""
        self.taken += 1
        return Page(self, self.ids[self.taken - 1])

    def record(self, object, index=0):
        """One of another object."""
        return Page(self, self.org.ids(object, limit=index + 1)[index], object)


class Page:
    """A record on the desk. What happened before it was taken does not count."""

    def __init__(self, desk, record_id, object=None):
        self.desk, self.org, self.mount, self.id = desk, desk.org, desk.mount, record_id
        self.object = object or desk.object
        self.dir = self.mount.path(self.object)
        self.path = self.mount.record(self.object, record_id)
        self.before = read(self.path)
        self.names = sorted(os.listdir(self.dir))
        self.mark = self.org.mark()

    def __fspath__(self):
        return self.path

    def text(self, **changes):
        """The file's text as a person leaves it: some lines with other values."""
        lines = self.before.decode().split("\n")
        for field, value in changes.items():
            place = [n for n, line in enumerate(lines) if line.startswith('  "%s": ' % field)]
            assert len(place) == 1, field
            comma = "," if lines[place[0]].endswith(",") else ""
            lines[place[0]] = '  "%s": %s%s' % (field, json.dumps(value, ensure_ascii=False), comma)
        return "\n".join(lines)

    def outside(self, name, **changes):
        """A file outside of the mount with that text."""
        path = os.path.join(self.mount.home.folder, name)
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(self.text(**changes))
        return path

    # what the org was told

    def writes(self):
        return writes_in(self.org.log(since=self.mark))

    def told(self, *expected):
        """The org got exactly these updates of this record, each of them done, and no create or delete."""
        writes = self.writes()
        assert [(write.method, write.id, write.body) for write in writes] == \
            [("PATCH", self.id, body) for body in expected], writes
        assert all(write.status in (200, 204) for write in writes), writes

    def saved(self, *expected, by_org=(), left=()):
        """These updates reached the org, one a save; the file is as the org has it; nothing was left behind."""
        self.told(*expected)
        self.is_true()
        fields = {field for body in expected for field in body}
        assert changed_lines(self.before, read(self.path)) <= fields | STAMPS | set(by_org)
        self.is_tidy(left)

    def is_tidy(self, left=()):
        names, expected = set(os.listdir(self.dir)), set(self.names) | set(left)
        assert (names - expected, expected - names) == (set(), set())

    def is_true(self):
        """The file says what the org has."""
        content = read(self.path)
        assert os.stat(self.path).st_size == len(content)
        shown = json.loads(content.decode())
        assert shown == org_values(self.org, self.object, self.id, shown)
        with pytest.raises(OSError) as caught:
            os.getxattr(self.path, "user.forcefs.error")
        assert caught.value.errno == errno.ENODATA

    def untouched(self, left=()):
        """Nothing was sent, and nothing is other than before."""
        assert self.writes() == []
        assert read(self.path) == self.before
        assert os.stat(self.path).st_size == len(self.before)
        self.is_tidy(left)

    # what was refused

    def why(self):
        done = self.mount.home.command("why", self.path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def error(self):
        return json.loads(os.getxattr(self.path, "user.forcefs.error").decode())

    def rejected(self):
        """[(text, reason)] of this record's texts that could not be saved."""
        folder = self.mount.path(".forcefs", "rejected")
        names = sorted(name for name in os.listdir(folder) if self.id in name and name.endswith(".json"))
        return [(read(os.path.join(folder, name)).decode(),
                 read(os.path.join(folder, name[:-len(".json")] + ".why")).decode()) for name in names]

    def refused(self, *words, sent=False, text=None, left=()):
        """The save failed, with these words in every place where one looks; the record is as it was."""
        assert bool(self.writes()) == sent, self.writes()
        assert wait_until(lambda: read(self.path) == self.before, 5)
        assert os.stat(self.path).st_size == len(self.before)
        self.is_tidy(left)
        told = self.why()
        found = self.error()
        last = json.loads(read(self.mount.path(".forcefs", "errors.ndjson")).decode().splitlines()[-1])
        for word in words:
            assert word in told and word in json.dumps(found, ensure_ascii=False), (word, told, found)
        assert (last["text"], last["errno"]) == (found["text"], found["errno"])
        if text is not None:
            assert wait_until(lambda: text in [kept for kept, _ in self.rejected()], 5), self.rejected()
            reason = dict(self.rejected())[text]
            assert all(word in reason for word in words), reason
        return found


def changed_lines(before, after):
    """The fields whose lines differ."""
    old, new = (dict(line.strip().rstrip(",").split(": ", 1) for line in text.decode().split("\n") if '": ' in line)
                for text in (before, after))
    assert old.keys() == new.keys()
    return {json.loads(key) for key in old if old[key] != new[key]}


class Terminal:
    """A program in a terminal of its own: keys in, screen out."""

    count = 0

    def __init__(self, folder, *words, cwd=None):
        need("tmux")
        need(words[0])
        Terminal.count += 1
        self.socket = os.path.join(str(folder), "tmux%d" % Terminal.count)
        self.end = os.path.join(str(folder), "ended%d" % Terminal.count)
        env = editor_env(folder)
        line = " ".join(quoted(word) for word in words) + '; echo $? >"%s"' % self.end
        done = subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", "new-session", "-d", "-x", "200", "-y", "50",
                               line], env=env, stderr=subprocess.PIPE, cwd=cwd, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr

    def tmux(self, *words):
        return subprocess.run(["tmux", "-S", self.socket] + list(words), env=EDITOR_ENV, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, encoding="utf-8", timeout=PATIENCE)

    def screen(self):
        return self.tmux("capture-pane", "-p").stdout

    def keys(self, *names):
        """Keys by tmux's names; a text is typed letter by letter."""
        for name in names:
            if len(name) > 1 and " " not in name and (name[1] == "-" or name in ("Enter", "Escape", "Space", "Down")):
                self.tmux("send-keys", name)
            else:
                self.tmux("send-keys", "-l", name)

    def wait_for(self, *texts):
        """The one of the texts that appears first."""
        found = []
        if not wait_until(lambda: found.extend(text for text in texts if text in self.screen()) or found, 15):
            raise AssertionError("not on the screen: %s\n%s" % (texts, self.screen()))
        return found[0]

    def wait_end(self):
        """Its exit status."""
        if not wait_until(lambda: os.path.exists(self.end) and read(self.end).endswith(b"\n"), 15):
            raise AssertionError("it did not end:\n%s" % self.screen())
        return int(read(self.end))

    def close(self):
        self.tmux("kill-server")
        wait_until(lambda: not self.tmux("list-sessions").stdout, 5)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def editor_env(folder):
    """A home for the editor. Editors keep no backup of what lies below the folder for temporary files, where tests run: so
    they get one of their own."""
    temporary = os.path.join(str(folder), "tmp")
    os.makedirs(temporary, exist_ok=True)
    return dict(EDITOR_ENV, HOME=str(folder), TMPDIR=temporary, SHELL="/bin/sh")


def quoted(word):
    return "'" + str(word).replace("'", "'\\''") + "'"
