# SPDX-License-Identifier: MIT
"""The link to the org is cut and comes back; to be run in a network namespace of its own:

    unshare -n python3 tests/mount/link_cut.py FOLDER SECONDS

Prints what happened as JSON, and ends with 1 when something that must hold did not.
"""
import json
import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "support"), HERE]

from mounts import Home, wait_until  # noqa: E402
from practice import PracticeOrg  # noqa: E402

RECORDS = 6000


def link(state):
    subprocess.run(["ip", "link", "set", "lo", state], check=True)


class Worker(threading.Thread):
    """Does one thing over and over and counts how it went: {"ok": n, "EHOSTUNREACH": n, …}, and the longest time."""

    def __init__(self, work):
        super().__init__(daemon=True)
        self.work, self.counts, self.longest, self.stopped = work, {}, 0.0, False
        self.start()

    def run(self):
        while not self.stopped:
            begun = time.monotonic()
            try:
                self.work()
                result = "ok"
            except OSError as error:
                result = os.strerror(error.errno)
            self.longest = max(self.longest, time.monotonic() - begun)
            self.counts[result] = self.counts.get(result, 0) + 1
            time.sleep(0.01)

    def stop(self):
        self.stopped = True
        self.join(timeout=60)
        return dict(self.counts, longest_ms=int(self.longest * 1000))


class Scene:
    def __init__(self, org, mount):
        self.org, self.mount, self.saves, self.acknowledged = org, mount, 0, {}
        self.contacts = org.ids("Contact", limit=200)

    def read_cached(self):
        with open(self.mount.record("Contact", self.contacts[7]), "rb") as file:
            if not json.loads(file.read().decode()):
                raise ValueError("an empty record")

    def save(self):
        self.saves += 1
        record_id = self.contacts[20 + self.saves % 50]
        fd = os.open(self.mount.record("Contact", record_id), os.O_WRONLY | os.O_TRUNC)
        value = str(self.saves)
        os.write(fd, json.dumps({"Phone": value}).encode())
        os.close(fd)
        self.acknowledged[record_id] = value

    def list_cold(self):
        """Whole or an error: a short list would be a lie."""
        names = os.listdir(self.mount.path("Account"))
        if len(names) != RECORDS:
            raise AssertionError("a listing of %d names" % len(names))


def scenario(org, mount, seconds):
    scene = Scene(org, mount)
    os.listdir(mount.path("Contact"))
    for record_id in scene.contacts:
        with open(mount.record("Contact", record_id), "rb") as file:
            file.read()
    org.latency(100)
    lister = []
    thread = threading.Thread(target=lambda: lister.append(outcome(scene.list_cold)))
    before = [Worker(scene.read_cached), Worker(scene.save)]
    thread.start()
    time.sleep(1)
    link("down")
    during = Worker(scene.read_cached)
    time.sleep(seconds)
    told = {"reads during the cut": during.stop(), "offline in status": mount.status()["network"]["state"]}
    link("up")
    thread.join(timeout=60)
    told["listing"] = lister
    org.latency(0)
    told["listed afterwards"] = wait_until(lambda: outcome(scene.list_cold) == "ok", 60, 0.5)
    told["saved afterwards"] = wait_until(lambda: outcome(scene.save) == "ok", 60, 0.5)
    told["reads"], told["saves"] = (worker.stop() for worker in before)
    told["lost"] = [record_id for record_id, value in scene.acknowledged.items()
                    if int(org.record("Contact", record_id)["Phone"]) < int(value)]
    return told


def outcome(work):
    try:
        work()
        return "ok"
    except OSError as error:
        return os.strerror(error.errno)


def complaints(told):
    reads = [told["reads during the cut"], told["reads"]]
    if any(set(read) != {"ok", "longest_ms"} for read in reads):
        yield "a cached read failed"
    if told["reads during the cut"]["ok"] < 10:
        yield "cached reads stalled"
    if told["lost"]:
        yield "acknowledged saves are not in the org"
    if not (told["listed afterwards"] and told["saved afterwards"]):
        yield "it did not recover"


def main(folder, seconds):
    link("up")
    with PracticeOrg(records={"Account": RECORDS, "Contact": 200}) as org:
        home = Home(folder, org)
        with home.mount("ttl=2", "timeout=5") as mount:
            told = scenario(org, mount, seconds)
    told["complaints"] = list(complaints(told))
    print(json.dumps(told, indent=2))
    return 1 if told["complaints"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], float(sys.argv[2])))
