# SPDX-License-Identifier: MIT
"""Things that go wrong on order: which calls a fault fits, and what it does to them."""
import json
import random
import re
import threading
import time

from .errors import concurrent_limit, limit_exceeded, refuse, row_locked
from .http1 import Reply, compress, encode, head
from .jsontext import dumps

MAINTENANCE = ("<!DOCTYPE html>\n<html><head><title>We are down for maintenance</title></head><body>"
               "<h1>We are down for maintenance.</h1><p>Sorry for the inconvenience.</p></body></html>")
ERRORS = {"quota": limit_exceeded, "concurrent": concurrent_limit, "row_lock": row_locked}
REPLIES = frozenset(("status", "html", "garbage", "deep_json", "huge", "redirect", "quota", "concurrent", "row_lock",
                     "retry_after", "error"))
TRANSPORTS = frozenset(("stall", "slow", "cut", "hang", "reset", "wrong_length", "bad_gzip"))
ACTIONS = REPLIES | TRANSPORTS | {"expire"}
DEFAULT_STALL = 86400


class Fault:
    def __init__(self, spec):
        if not isinstance(spec, dict) or spec.get("do") not in ACTIONS:
            raise ValueError("a fault needs do: one of %s" % ", ".join(sorted(ACTIONS)))
        match = spec.get("match", {})
        self.spec, self.do = spec, spec["do"]
        self.kinds = {match["kind"]} if isinstance(match.get("kind"), str) else set(match.get("kind") or ())
        self.path = re.compile(match["path"]) if "path" in match else None
        self.skip, self.times = int(spec.get("skip", 0)), int(spec.get("times", 1))
        self.probability = float(spec.get("probability", 1))

    def fits(self, kind, target):
        return (not self.kinds or kind in self.kinds) and (not self.path or bool(self.path.search(target)))

    def option(self, name, default=None):
        return self.spec.get(name, default)

    def spend(self, chance):
        """True if it strikes now."""
        if self.times == 0 or chance.random() >= self.probability:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times > 0:
            self.times -= 1
        return True


class Faults:
    def __init__(self, seed, specs=()):
        self.lock = threading.Lock()
        self.random = random.Random(seed)
        self.set(specs)

    def set(self, specs):
        faults = [Fault(spec) for spec in specs]
        with self.lock:
            self.faults = faults

    def take(self, kind, target, allowed=ACTIONS):
        """The first fault that strikes this call, else None."""
        with self.lock:
            for fault in self.faults:
                if fault.do in allowed and fault.fits(kind, target) and fault.spend(self.random):
                    return fault
        return None

    def for_part(self, kind, url):
        """The refusal of one part of a composite request, else None."""
        fault = self.take(kind, url, frozenset(("error", "row_lock", "quota", "concurrent")))
        return refusal(fault) if fault else None

    def locks_row(self, call):
        """Whether one row of a collection is locked: match kind "row"."""
        with self.lock:
            return any(fault.do == "row_lock" and "row" in fault.kinds and fault.fits("row", call.path)
                       and fault.spend(self.random) for fault in self.faults)


def refusal(fault):
    if fault.do == "error":
        return refuse(int(fault.option("status", 400)), fault.option("errorCode", "UNKNOWN_EXCEPTION"),
                      fault.option("message", "injected"), fault.option("fields"))
    return ERRORS[fault.do]()


def replacement(fault):
    """The reply that goes out instead of the real one; nothing is executed."""
    if fault.do in ERRORS or fault.do == "error":
        error = refusal(fault)
        return Reply(error.status, dumps(error.body), error.headers)
    return globals()["reply_" + fault.do](fault)


def reply_status(fault):
    status = int(fault.option("status", 503))
    default = '[{"message":"Server Unavailable","errorCode":"SERVER_UNAVAILABLE"}]'
    body = fault.option("body", default)
    return Reply(status, body if isinstance(body, str) else json.dumps(body), list(fault.option("headers", {}).items()),
                 content_type=fault.option("content_type", "application/json;charset=UTF-8"))


def reply_html(fault):
    return Reply(int(fault.option("status", 503)), MAINTENANCE, content_type="text/html;charset=UTF-8")


def reply_garbage(fault):
    return Reply(200, fault.option("body", '{"totalSize":1,"done":tru, \x01\x02 <not json'))


def reply_deep_json(fault):
    depth = int(fault.option("depth", 100000))
    return Reply(200, "[" * depth + "]" * depth)


def reply_huge(fault):
    size = int(fault.option("mb", fault.option("MB", 64))) << 20
    return Reply(200, b'{"totalSize":1,"done":true,"records":[{"Name":"' + b"x" * size + b'"}]}')


def reply_redirect(fault):
    return Reply(int(fault.option("status", 302)), b"", [("Location", fault.option("location", "https://example.com/"))],
                 content_type="text/html")


def reply_retry_after(fault):
    status = int(fault.option("status", 429))
    return Reply(status, '[{"message":"Too many requests","errorCode":"REQUEST_LIMIT_EXCEEDED"}]',
                 [("Retry-After", str(fault.option("seconds", 1)))])


# what happens on the wire; each returns whether the connection goes on

def transport(fault, connection, reply, request):
    return globals()["send_" + fault.do](fault, connection, reply, request)


def send_stall(fault, connection, reply, request):
    """Nothing, until the client goes away or the time is over."""
    connection.request.settimeout(float(fault.option("seconds", DEFAULT_STALL)))
    try:
        connection.rfile.read(1)
    except OSError:
        pass
    return False


def send_slow(fault, connection, reply, request):
    start, wire, _ = encode(reply, request)
    pause = float(fault.option("pause", 1))
    connection.request.sendall(start)
    for position in range(len(wire)):
        connection.request.sendall(wire[position:position + 1])
        time.sleep(pause)
    return True


def send_cut(fault, connection, reply, request):
    start, wire, _ = encode(reply, request)
    connection.request.sendall(start + wire[:len(wire) // 2])
    return False


def send_hang(fault, connection, reply, request):
    """Half of it, and then nothing until the client goes away."""
    start, wire, _ = encode(reply, request)
    connection.request.sendall(start + wire[:len(wire) // 2])
    return send_stall(fault, connection, reply, request)


def send_reset(fault, connection, reply, request):
    """At once, or in the middle of the head or the body."""
    start, wire, _ = encode(reply, request) if fault.option("at") else (b"", b"", 0)
    if fault.option("at") == "head":
        connection.request.sendall(start[:len(start) // 2])
    elif fault.option("at") == "body":
        connection.request.sendall(start + wire[:len(wire) // 2])
    connection.reset()
    return False


def send_wrong_length(fault, connection, reply, request):
    """More promised than sent."""
    headers = reply.headers + [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body) + 100))]
    connection.request.sendall(head(reply.status, headers) + reply.body)
    return False


def send_bad_gzip(fault, connection, reply, request):
    body = bytearray(compress(reply.body))
    for position in range(len(body) // 2, len(body)):
        body[position] ^= 0x55
    headers = reply.headers + [("Content-Type", reply.content_type), ("Content-Encoding", "gzip"),
                               ("Content-Length", str(len(body)))]
    connection.request.sendall(head(reply.status, headers) + bytes(body))
    return True
