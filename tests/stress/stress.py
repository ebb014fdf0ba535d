#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Random stress with a model of what must be true.

    python3 tests/stress/stress.py [--seconds 20] [--seed N] [--calm] [--same-second] [--verbose]

Editors, readers and listers use one mount; another user changes the org; sessions expire, replies are lost, the mount is
unmounted and mounted anew, its process is killed. Meanwhile and when the dust has settled:

  * a save that was acknowledged is in the org, and was carried out once (where replies were lost it may be twice, with the
    same values: a condition has a grain of a second);
  * a save that failed is not in the org, unless the failure says that it may be;
  * a file is whole, and shows a content that the record had; never one older than a save that was acknowledged before;
  * the other user's changes to other fields stand;
  * no record is made or deleted, none vanishes from the listing;
  * in the end every file says what the org has, and the process has not grown.

The seed decides what is done; how it interleaves, the machine decides. $FORCEFS names the program, as for the other tests."""
import argparse
import collections
import ctypes
import errno
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import traceback

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(TESTS, "support"), os.path.join(TESTS, "mount")]

from mounts import Home, wait_until, why_no_fuse  # noqa: E402
from practice import PracticeOrg  # noqa: E402

RECORDS = 300
MNT_FORCE, UMOUNT_NOFOLLOW = 1, 8
TIMEOUT = 6
RSS_MOST_KB = 700 * 1024  # with a sanitizer; without one it stays below 60 MB
GRAIN = 1.1    # of stamps, in seconds: what changes twice within it can hardly be told apart
PATIENCE = 60  # seconds until all must be well again
TROUBLE = {errno.EIO, errno.EPROTO, errno.EHOSTUNREACH, errno.ETIMEDOUT, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ESTALE}
DEAD = {errno.ENOTCONN, errno.ECONNABORTED, errno.ENOENT, errno.EIO, errno.ENODEV, errno.EINTR, errno.ESTALE}
FAULTS = [{"do": "reset"}, {"do": "reset", "after": True}, {"do": "reset", "at": "body"}, {"do": "status", "status": 503},
          {"do": "status", "status": 500, "body": '[{"message":"x","errorCode":"UNKNOWN_EXCEPTION"}]'}, {"do": "html"},
          {"do": "retry_after", "seconds": 1}, {"do": "cut"}, {"do": "bad_gzip"}, {"do": "garbage"}, {"do": "row_lock"},
          {"do": "concurrent"}, {"do": "stall", "after": True}, {"do": "status", "status": 406, "body": ""}]


class Gate:
    """Many may pass, until one wants to be alone."""

    def __init__(self):
        self.lock, self.inside, self.closed = threading.Condition(), 0, False

    def __enter__(self):
        with self.lock:
            while self.closed:
                self.lock.wait()
            self.inside += 1

    def __exit__(self, *_):
        with self.lock:
            self.inside -= 1
            self.lock.notify_all()

    def close(self):
        with self.lock:
            self.closed = True
            while self.inside:
                self.lock.wait()

    def open(self):
        with self.lock:
            self.closed = False
            self.lock.notify_all()


class Record:
    """What the model knows. Website is written through the mount only, Phone by the other user only."""

    def __init__(self, record_id, website, phone):
        self.id, self.busy, self.lock = record_id, threading.Lock(), threading.Lock()
        self.texts, self.sure = [website], 0  # every Website that was tried; the last one that is certain
        self.phones = [phone]
        self.writing, self.touched = threading.Lock(), 0.0  # one change at a time, and when the last was made
        self.edits = 0   # how often an edit began or ended; odd: one is under way
        self.moving = 0  # how often its name went away or came back; odd: it is away


class World:
    def __init__(self, arguments):
        self.arguments, self.random = arguments, random.Random(arguments.seed)
        self.folder = tempfile.mkdtemp(prefix="forcefs-stress-")
        self.org = PracticeOrg(records={"Account": RECORDS, "Contact": 50}, latency_ms=3, seed=1).start()
        self.home = Home(self.folder, self.org, allow="update", timeout=str(TIMEOUT), api_reserve="0", ttl="1")
        self.mount = self.home.mount()
        self.ids = self.org.ids("Account", limit=RECORDS)
        self.records = []
        for record_id in self.ids:
            values = self.org.record("Account", record_id)
            self.records.append(Record(record_id, values["Website"], values["Phone"]))
        self.gate, self.ended = Gate(), threading.Event()
        self.dead, self.deaths, self.expiries = False, 0, []
        self.complaints, self.counts = [], collections.Counter()
        self.done, self.seen = collections.Counter(), 0

    def path(self, record):
        return self.mount.record("Account", record.id)

    def complain(self, text, *values):
        text = text % values
        print("COMPLAINT: " + text, flush=True)
        self.complaints.append(text)

    def tell(self, *words):
        if self.arguments.verbose:
            print("%7.1f" % (time.monotonic() - self.began), *words, flush=True)

    # the org's record of what was done

    def collect(self):
        for call in self.org.log(since=self.seen):
            self.seen = call["n"] + 1
            for one in call.get("parts") or [call]:
                if one["kind"] == "update" and one["status"] == 204 and isinstance(one.get("body"), dict):
                    if set(one["body"]) != {"Website"}:
                        self.complain("a save sent %s", one["body"])
                    self.done[one["body"].get("Website")] += 1
                elif one["kind"] in ("create", "delete", "upsert", "collections_write"):
                    self.complain("the org was told to %s: %s", one["kind"], one)


# what programs do; each raises the first error

def write_all(descriptor, text, *more):
    try:
        os.write(descriptor, text)
        for step in more:
            step(descriptor)
    except OSError:
        try:
            os.close(descriptor)
        except OSError:
            pass
        raise
    os.close(descriptor)


def save_plainly(path, record, text):
    write_all(os.open(path, os.O_WRONLY | os.O_TRUNC), text)


def save_in_place(path, record, text):
    write_all(os.open(path, os.O_RDWR), text, lambda fd: os.ftruncate(fd, len(text)), os.fsync)


def save_by_rename(path, record, text):
    temporary = path[:-5] + ".tmp"
    write_all(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), text, os.fsync)
    os.rename(temporary, path)


def save_with_backup(path, record, text):
    """As vim does it: the old file becomes the backup, the new one is made, the backup goes."""
    record.moving += 1
    try:
        os.rename(path, path + "~")
        try:
            write_all(os.open(path, os.O_WRONLY | os.O_CREAT, 0o644), text)
        except OSError:
            if not os.path.exists(path):
                os.rename(path + "~", path)
            raise
        try:
            os.unlink(path + "~")
        except FileNotFoundError:
            pass
    finally:
        record.moving += 1


def save_in_pieces(path, record, text):
    descriptor = os.open(path, os.O_RDWR | os.O_TRUNC)
    write_all(descriptor, b"", *[lambda fd, at=at: os.pwrite(fd, text[at:at + 97], at) for at in range(0, len(text), 97)])


STYLES = [save_plainly, save_plainly, save_in_place, save_by_rename, save_by_rename, save_with_backup, save_in_pieces]


# the actors: each does one thing at a time

class Actor(threading.Thread):
    def __init__(self, world, number):
        super().__init__(daemon=True)
        self.world, self.random = world, random.Random("%d %s %d" % (world.arguments.seed, type(self).__name__, number))
        self.number, self.turns, self.began = number, 0, 0

    def run(self):
        while not self.world.ended.is_set():
            try:
                with self.world.gate:
                    self.began = time.monotonic()
                    self.turn()
                self.turns += 1
            except Exception:
                self.world.complain("%s: %s", type(self).__name__, traceback.format_exc())
                return
            time.sleep(self.random.random() * 0.02)

    def excused(self, error, deaths):
        """Whether this errno may come: the mount is dead or was, or the org is in trouble."""
        world = self.world
        world.counts["%s %s" % (type(self).__name__, errno.errorcode.get(error.errno))] += 1
        if world.dead or world.deaths != deaths:
            return error.errno in DEAD | TROUBLE
        if error.errno == errno.EACCES:  # the session that was made for the call ended before the call came
            return sum(moment > self.began for moment in world.expiries[-2:]) > 1
        return error.errno in TROUBLE and not world.arguments.calm


class Editor(Actor):
    def turn(self):
        record = self.random.choice(self.world.records)
        style = self.random.choice(STYLES)
        if record.busy.acquire(blocking=False):
            record.edits += 1
            try:
                self.edit(record, style)
            finally:
                record.edits += 1
                record.busy.release()

    def edit(self, record, style):
        world, path, deaths = self.world, self.world.path(record), self.world.deaths
        value = "e%d-%d.example" % (self.number, self.turns)
        try:
            with open(path, "rb") as file:
                content = file.read()
            shown = json.loads(content.decode())
            text = content.replace(b'"Website": ' + json.dumps(shown["Website"]).encode(), b'"Website": "%s"' % value.encode())
            with record.lock:
                record.texts.append(value)
                number = len(record.texts) - 1
            if self.random.random() < 0.1:
                time.sleep(self.random.random() * 2.5)  # a person, and not a program
            world.tell("save", record.id, value, style.__name__, "from", shown["SystemModstamp"], shown["LastModifiedById"])
            with record.writing:
                while time.monotonic() - record.touched < GRAIN and not world.arguments.same_second:
                    time.sleep(0.05)
                try:
                    style(path, record, text)
                finally:
                    record.touched = time.monotonic()
        except OSError as error:
            if not self.excused(error, deaths):
                world.complain("%s of %s: %s", style.__name__, record.id, error)
            if len(record.texts) > 1 and record.texts[-1] == value:
                self.after_failure(record, path, value, error, deaths)
            return
        world.counts["saves"] += 1
        if world.deaths != deaths:
            return
        with record.lock:
            record.sure = number
        has = world.org.record("Account", record.id)["Website"]
        if has != value:
            world.complain("%s was acknowledged for %s by %s, but the org has %s", value, record.id, style.__name__, has)

    def after_failure(self, record, path, value, error, deaths):
        """What the org has now, it has for good: nobody else writes this field."""
        world = self.world
        if world.deaths != deaths or world.dead:
            return
        try:
            told = json.loads(os.getxattr(path, "user.forcefs.error").decode())
        except OSError:
            told = {}
        time.sleep(0.01)
        has = world.org.record("Account", record.id)["Website"]
        if has == value and told.get("code") != "MAYBE_SENT" and world.deaths == deaths:
            world.complain("%s of %s failed with %s, but is in the org; what is told: %s", value, record.id, error, told)
        world.counts["failed saves"] += 1


class Reader(Actor):
    def turn(self):
        world, record = self.world, self.random.choice(self.world.records)
        deaths, moving, self.edits = world.deaths, record.moving, record.edits
        with record.lock:
            sure = record.sure
        try:
            with open(world.path(record), "rb") as file:
                before = os.fstat(file.fileno())
                content = file.read()
                after = os.fstat(file.fileno())
        except OSError as error:
            away = error.errno == errno.ENOENT and (moving % 2 or record.moving != moving)
            if not away and not self.excused(error, deaths):
                world.complain("reading %s: %s", record.id, error)
            return
        world.counts["reads"] += 1
        if self.being_written(record) and not self.whole(content):
            return  # an editor is writing: what it has written so far is shown, as everywhere
        self.check(record, content, sure, before, after)

    @staticmethod
    def whole(content):
        try:
            return bool(json.loads(content.decode()))
        except ValueError:
            return False

    def check(self, record, content, sure, before, after):
        world = self.world
        try:
            shown = json.loads(content.decode())
        except ValueError:
            if not self.being_written(record):
                world.complain("%s is no JSON: %r", record.id, content[:200])
            return
        if shown["Id"] != record.id:
            world.complain("%s shows %s", record.id, shown["Id"])
        same = (before.st_mtime_ns, before.st_size) == (after.st_mtime_ns, after.st_size)
        if same and before.st_size != len(content) and not self.being_written(record):
            world.complain("%s has %d bytes, not %d", record.id, len(content), before.st_size)
        with record.lock:
            texts, phones = list(record.texts), list(record.phones)
        if shown["Website"] not in texts:
            world.complain("%s shows a Website that was never there: %s", record.id, shown["Website"])
        elif max(place for place, text in enumerate(texts) if text == shown["Website"]) < sure:
            world.complain("%s shows %s, but %s was saved before", record.id, shown["Website"], texts[sure])
        if shown["Phone"] not in phones:
            world.complain("%s shows a Phone that was never there: %s", record.id, shown["Phone"])

    def being_written(self, record):
        """Somebody writes now, or did while we read."""
        return self.edits % 2 == 1 or record.edits != self.edits


class Lister(Actor):
    def turn(self):
        world, deaths = self.world, self.world.deaths
        moving = [record.moving for record in world.records]
        try:
            names = os.listdir(world.mount.path("Account"))
        except OSError as error:
            if not self.excused(error, deaths):
                world.complain("listing: %s", error)
            return
        world.counts["listings"] += 1
        found = {name[:-5] for name in names if name.endswith(".json")}
        away = {record.id for record, before in zip(world.records, moving) if before % 2 or record.moving != before}
        if len(names) != len(set(names)):
            world.complain("a name is listed twice")
        if not set(world.ids) - away <= found <= set(world.ids):
            world.complain("the listing lacks %s and has %s too much", set(world.ids) - away - found, found - set(world.ids))
        time.sleep(0.1)


class OtherUser(Actor):
    def turn(self):
        record = self.random.choice(self.world.records)
        phone = "+%d" % self.random.randrange(10 ** 9)
        if not record.writing.acquire(blocking=False):
            return
        try:
            if time.monotonic() - record.touched < GRAIN and not self.world.arguments.same_second:
                return
            with record.lock:
                record.phones.append(phone)
            self.world.org.change("Account", ids=[record.id], set={"Phone": phone})
            record.touched = time.monotonic()
            self.world.tell("change", record.id, phone)
        finally:
            record.writing.release()
        self.world.counts["changes of others"] += 1
        time.sleep(self.random.random() * 0.1)


# what goes wrong

class Chaos:
    def __init__(self, world):
        self.world, self.random = world, random.Random("%d chaos" % world.arguments.seed)

    def act(self):
        if self.world.arguments.calm:
            time.sleep(0.5)
            return
        name = self.random.choice(["fault"] * 8 + ["expire"] * 2 + ["remount", "kill"])
        self.world.tell(name)
        self.world.counts[name] += 1
        getattr(self, name)()

    def fault(self):
        fault = self.random.choice(FAULTS)
        kinds = self.random.choice([["composite", "update"], ["query", "collections_read", "retrieve"], ["token"], []])
        match = {"kind": kinds} if kinds else {}
        self.world.org.faults([dict(fault, match=match, times=self.random.choice([1, 1, 2, 5]))])
        time.sleep(self.random.random() * 2)
        self.world.org.faults([])

    def expire(self):
        self.world.expiries.append(time.monotonic())
        self.world.org.expire_sessions()

    def remount(self):
        world = self.world
        world.gate.close()
        try:
            status = world.mount.umount()
            if status:
                world.complain("the mount ended with status %d", status)
            world.mount.start()
        finally:
            world.gate.open()

    def end(self):
        """A thread that is telling the kernel something may wait for a program that waits for the process: then nothing
        ends before the connection is cut."""
        process = self.world.mount.process
        process.kill()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.world.counts["stuck after kill"] += 1
            ctypes.CDLL(None).umount2(os.fsencode(self.world.mount.dir), MNT_FORCE | UMOUNT_NOFOLLOW)
        self.world.mount.kill()

    def kill(self):
        world = self.world
        world.deaths += 1
        world.dead = True
        self.end()
        world.gate.close()
        try:
            for record in world.records:
                record.moving += record.moving % 2
            world.mount.start()
        finally:
            world.dead = False
            world.deaths += 1
            world.gate.open()


# the end

def settle(world):
    """Everybody is gone, nothing is wrong any more: is all as it must be?"""
    org, mount = world.org, world.mount
    org.faults([])

    def difference(record):
        try:
            with open(world.path(record), "rb") as file:
                shown = json.loads(file.read().decode())
        except (OSError, ValueError) as error:
            return str(error)
        truth = org.record("Account", record.id)
        return {name: (value, truth[name]) for name, value in shown.items() if value != truth[name]}

    for record in world.records:
        if not wait_until(lambda: not difference(record), PATIENCE, 0.2):
            world.complain("in the end %s differs: %s", record.id, difference(record))
        truth = org.record("Account", record.id)
        if truth["Phone"] != record.phones[-1]:
            world.complain("the other user's change of %s is lost: %s, not %s", record.id, truth["Phone"], record.phones[-1])
        place = max([place for place, text in enumerate(record.texts) if text == truth["Website"]] or [-1])
        if place < record.sure:
            world.complain("the save of %s in %s is lost: %s", record.texts[record.sure], record.id, truth["Website"])
    listed = {name[:-5] for name in os.listdir(mount.path("Account")) if name.endswith(".json")}
    if listed != set(world.ids) or set(org.ids("Account", limit=RECORDS + 10)) != set(world.ids):
        world.complain("in the end the listing differs by %s", listed ^ set(world.ids))
    world.collect()
    for record in world.records:
        for place, text in enumerate(record.texts[1:], 1):
            times = world.done.pop(text, 0)
            if times > (1 if world.arguments.calm else 3):
                world.complain("%s was carried out %d times", text, times)
    if world.done:
        world.complain("nobody wrote this: %s", dict(world.done))
    if not wait_until(lambda: mount.status()["parked"] == 0, 10):
        world.complain("requests stay parked")


def resident_kb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("VmRSS")), 0)


def play(world):
    world.began = time.monotonic()
    actors = [kind(world, number) for kind, count in ((Editor, 5), (Reader, 5), (Lister, 1), (OtherUser, 1))
              for number in range(count)]
    for actor in actors:
        actor.start()
    chaos, told = Chaos(world), time.monotonic()
    while time.monotonic() - world.began < world.arguments.seconds and not world.complaints:
        chaos.act()
        time.sleep(0.2)
        if time.monotonic() - told > 10:
            told = time.monotonic()
            world.collect()
            resident = resident_kb(world.mount.pid) if world.mount.running() else 0
            print("%5d s  %s  RSS %d kB" % (told - world.began, dict(world.counts), resident), flush=True)
            if resident > RSS_MOST_KB and not any(name.endswith("SAN_OPTIONS") for name in os.environ):
                world.complain("the process has %d kB", resident)
    world.ended.set()
    for actor in actors:
        actor.join(60)
        if actor.is_alive():
            world.complain("a %s hangs", type(actor).__name__)


def run(arguments):
    world = World(arguments)
    try:
        play(world)
        if not any("hangs" in complaint for complaint in world.complaints):
            settle(world)
    finally:
        for complaint in world.home.clean_up():
            world.complain("left behind: %s", complaint)
        world.org.stop()
    print("seed %d: %s" % (arguments.seed, dict(world.counts)))
    print("%d complaints" % len(world.complaints))
    if world.complaints:
        print("standard error of the mount: %s" % world.mount.errors)
    else:
        shutil.rmtree(world.folder, ignore_errors=True)
    return 1 if world.complaints else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--calm", action="store_true", help="nothing goes wrong")
    parser.add_argument("--same-second", action="store_true", help="others change a record in the second of a save, too")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    reason = why_no_fuse()
    if reason:
        print("no mounts here: %s" % reason)
        return 77
    if arguments.seed is None:
        arguments.seed = random.SystemRandom().randrange(10 ** 6)
    print("seed %d" % arguments.seed, flush=True)
    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
