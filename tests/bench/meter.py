# SPDX-License-Identifier: MIT
"""Measuring one client program: its time, and what the daemon and the org spent on it."""
import contextlib
import os
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")
ENV = dict(os.environ, LC_ALL="C")
PATIENCE = 1800
STATUS_SECONDS = 1.1


@contextlib.contextmanager
def cpus(chosen):
    """What is started here runs on these CPUs; None leaves all as it is."""
    if not chosen:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def pinning(pin):
    """(CPUs of programs and daemon, CPUs of the org)"""
    everything = sorted(os.sched_getaffinity(0))
    if not pin or len(everything) < 2:
        return None, None
    return {everything[0]}, set(everything[1:])


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, encoding="utf-8", errors="replace") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_kb(pid):
    """{"VmRSS", "VmHWM"}"""
    found = {}
    with open("/proc/%d/status" % pid, encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name in ("VmRSS", "VmHWM"):
                found[name] = int(value.split()[0])
    return found


def timed(words, chosen=None):
    """Seconds until the program has ended. grep may find nothing, which is what it is asked to."""
    with cpus(chosen):
        begun = time.monotonic()
        process = subprocess.Popen(words, env=ENV, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
    _, complaint = process.communicate(timeout=PATIENCE)
    seconds = time.monotonic() - begun
    if complaint or process.returncode not in (0, 1 if words[0] == "grep" else 0):
        raise RuntimeError("%s: %s" % (" ".join(words), complaint.decode("utf-8", "replace")))
    return seconds


class Meter:
    """What one mount spends between begin() and end()."""

    def __init__(self, org, mount):
        self.org, self.mount = org, mount

    def begin(self):
        """status.json is made anew once a second at most: what came in is true for a mount at rest."""
        self.bytes = self.mount.status()["api"]["bytes_in"]
        self.calls = self.org.mark()
        self.cpu = cpu_seconds(self.mount.pid)

    def end(self, seconds):
        spent = cpu_seconds(self.mount.pid) - self.cpu
        memory = memory_kb(self.mount.pid)
        calls = self.org.counts(since=self.calls)["counted"]
        return {"seconds": seconds, "daemon_cpu": spent, "calls": calls, "bytes": self.bytes_since() if calls else 0,
                "rss_kb": memory["VmRSS"], "peak_kb": memory["VmHWM"]}

    def bytes_since(self):
        time.sleep(STATUS_SECONDS)
        return self.mount.status()["api"]["bytes_in"] - self.bytes

    def measure(self, words, chosen=None):
        self.begin()
        return self.end(timed(words, chosen))
