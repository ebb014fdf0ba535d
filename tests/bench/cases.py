# SPDX-License-Identifier: MIT
"""What is measured: cold and warm programs on read-only and read-write mounts, and a million records."""
import os
import statistics
import subprocess
import sys
import time

import meter
from mounts import Home
from practice import PracticeOrg

OBJECT = "Account"
TTL = "ttl=86400"
OPERATIONS = {
    "ls": lambda directory, record: ["ls", directory],
    "ls -l": lambda directory, record: ["ls", "-l", directory],
    "grep -r": lambda directory, record: ["grep", "-r", "no record holds this", directory],
    "cat one": lambda directory, record: ["cat", os.path.join(directory, record)],
}
KINDS = ("ro", "rw")
STEP = 100000  # records between two looks at the memory


class Bench:
    """An org, and homes that each hold one mount."""

    def __init__(self, folder, records, latency, pin):
        self.folder, self.homes = folder, 0
        self.clients, servers = meter.pinning(pin)
        with meter.cpus(servers):
            self.org = PracticeOrg(records={OBJECT: records}, latency_ms=latency).start()
        self.record = self.org.ids(OBJECT, limit=1, offset=records // 2)[0] + ".json"

    def new_home(self):
        self.homes += 1
        folder = os.path.join(self.folder, "org%d-%d" % (self.org.port, self.homes))
        os.mkdir(folder, 0o700)
        return Home(folder, self.org)

    def mount(self, home, kind):
        with meter.cpus(self.clients):
            return home.mount(TTL, "timeout=300", kind)

    def words(self, operation, mount):
        return OPERATIONS[operation](mount.path(OBJECT), self.record)

    def finish(self):
        self.org.stop()


def end(mount):
    complaints = mount.finish()
    if complaints:
        raise RuntimeError("; ".join(complaints))


def first_ls(bench, kind):
    """From the command to the names of the objects."""
    home, mark = bench.new_home(), bench.org.mark()
    begun = time.monotonic()
    mount = bench.mount(home, kind)
    meter.timed(["ls", mount.dir], bench.clients)
    seconds = time.monotonic() - begun
    calls = bench.org.counts(since=mark)["counted"]
    end(mount)
    return {"seconds": seconds, "calls": calls}


def cold(bench, operation, kind):
    """With an empty cache."""
    mount = bench.mount(bench.new_home(), kind)
    found = meter.Meter(bench.org, mount).measure(bench.words(operation, mount), bench.clients)
    return found, mount


def median(rounds):
    """Of each figure by itself; memory as it was at the end."""
    found = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    return dict(found, rss_kb=rounds[-1]["rss_kb"], peak_kb=rounds[-1]["peak_kb"], all=[one["seconds"] for one in rounds])


def warm(bench, operation, mounts, local, runs):
    """{kind: figures} and the local disk's seconds: in turns, so that a noisy moment meets all."""
    rounds, seconds = {kind: [] for kind in mounts}, []
    for _ in range(runs + 1):  # the first one fills the kernel's caches and does not count
        seconds.append(meter.timed(OPERATIONS[operation](local, bench.record), bench.clients))
        for kind, mount in mounts.items():
            rounds[kind].append(meter.Meter(bench.org, mount).measure(bench.words(operation, mount), bench.clients))
    return {kind: median(found[1:]) for kind, found in rounds.items()}, statistics.median(seconds[1:])


def copy(mount, folder):
    local = os.path.join(folder, "local")
    subprocess.run(["cp", "-r", mount.path(OBJECT), local], check=True)
    os.sync()
    return local


def table(folder, records, latency, runs, pin):
    """All figures of one size and latency."""
    bench = Bench(folder, records, latency, pin)
    try:
        found = {"records": records, "latency_ms": latency, "rows": {}, "local": {}}
        found["first ls"] = {kind: first_ls(bench, kind) for kind in KINDS}
        mounts = {}
        for kind in KINDS:
            for operation in OPERATIONS:  # grep comes after ls: its mount has all, and stays for the warm ones
                figures, mount = cold(bench, operation, kind)
                found["rows"].setdefault(operation, {})[kind] = {"cold": figures}
                if operation == "grep -r":
                    mounts[kind] = mount
                else:
                    end(mount)
        for kind, mount in mounts.items():
            mount.umount()
            with meter.cpus(bench.clients):
                mount.start()
            figures = meter.Meter(bench.org, mount).measure(bench.words("grep -r", mount), bench.clients)
            found["rows"]["grep -r"][kind]["remounted"] = figures
        local = copy(mounts["ro"], bench.new_home().folder)
        for operation in OPERATIONS:
            figures, found["local"][operation] = warm(bench, operation, mounts, local, runs)
            for kind in KINDS:
                found["rows"][operation][kind]["warm"] = figures[kind]
        for mount in mounts.values():
            end(mount)
        return found
    finally:
        bench.finish()


READER = """
import os, sys
count = 0
for entry in os.scandir(sys.argv[1]):
    handle = os.open(entry.path, os.O_RDONLY)
    while os.read(handle, 65536):
        pass
    os.close(handle)
    count += 1
    if count %% %d == 0:
        print(count, flush=True)
""" % STEP


def read_all(bench, mount, name, say):
    """Lists and reads everything; what the daemon's memory was on the way."""
    found = []
    begun = time.monotonic()
    with meter.cpus(bench.clients):
        reader = subprocess.Popen([sys.executable, "-S", "-c", READER, mount.path(OBJECT)], stdout=subprocess.PIPE,
                                  universal_newlines=True)
    for line in reader.stdout:
        found.append(dict(meter.memory_kb(mount.pid), records=int(line), seconds=time.monotonic() - begun,
                          daemon_cpu=meter.cpu_seconds(mount.pid)))
        say(name, found[-1])
    if reader.wait() != 0:
        raise RuntimeError("reading failed")
    return found


def million(folder, pin, say, records=1000000):
    bench = Bench(folder, records, 0, pin)
    try:
        mount = bench.mount(bench.new_home(), "rw")
        mark = bench.org.mark()
        found = {"first": read_all(bench, mount, "cold", say), "calls": bench.org.counts(since=mark)["counted"]}
        mount.umount()
        with meter.cpus(bench.clients):
            mount.start()
        found["remounted"] = read_all(bench, mount, "after a remount", say)
        end(mount)
        return found
    finally:
        bench.finish()
