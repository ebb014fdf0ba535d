# SPDX-License-Identifier: MIT
"""The record of every call, for assertions: what came, what it cost, what was answered."""
import collections
import json
import threading
import time

KEPT = 200000


class Calls:
    def __init__(self, path=None):
        self.lock = threading.Lock()
        self.file = open(path, "a", encoding="utf-8") if path else None
        self.clear()

    def clear(self):
        self.entries = collections.deque(maxlen=KEPT)
        self.next = 0
        self.in_flight = 0
        self.in_flight_max = 0

    def reset(self):
        with self.lock:
            running = self.in_flight
            self.clear()
            self.in_flight = self.in_flight_max = running

    def begin(self):
        with self.lock:
            self.in_flight += 1
            self.in_flight_max = max(self.in_flight_max, self.in_flight)

    def end(self):
        with self.lock:
            self.in_flight -= 1

    def add(self, entry):
        """Called before the reply goes out: who has the reply finds the call in the log."""
        with self.lock:
            entry = dict({"n": self.next, "t": round(time.time(), 6)}, **entry)
            self.next += 1
            self.entries.append(entry)
            if self.file:
                self.file.write(json.dumps(entry, ensure_ascii=False) + "\n")
                self.file.flush()

    def since(self, number):
        with self.lock:
            first = self.entries[0]["n"] if self.entries else self.next
            skip = max(0, number - first)
            return [entry for position, entry in enumerate(self.entries) if position >= skip], self.next

    def counts(self, number):
        entries, following = self.since(number)
        by_kind = collections.Counter(entry["kind"] for entry in entries)
        return {"counted": sum(entry["cost"] for entry in entries), "by_kind": dict(by_kind), "calls": len(entries),
                "in_flight_max": self.in_flight_max, "next": following}
