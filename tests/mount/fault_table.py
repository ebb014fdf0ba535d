# SPDX-License-Identifier: MIT
"""Every kind of request times every way in which it can fail: the table, and what is done in one cell of it."""
import errno
import json
import os
import ssl
import threading
import time
import urllib.request

from clients import read
from mounts import mounts, program, wait_until

# Seconds that forcefs may wait for the org.
TIMEOUT = int(os.environ.get("FAULT_TIMEOUT") or (6 if "san/" in program() else 3))
SLACK = 20         # so much later a busy machine may be
RECOVERY = 40      # until a request must work again
CREATED = "Fault Matrix "
DONE = {"create": 201, "update": 204, "delete": 204}


class Fault:
    """What the org does, which errno may come of it (of an answer that is only told; of a call that may have been carried
    out, see Cell.check), and the word that Salesforce says."""

    def __init__(self, do, errnos, code="", once=False, spoils=False, slow=False, outage=None):
        self.do, self.errnos, self.code = do, {getattr(errno, name) for name in errnos.split()}, code
        self.once = once        # passes when it strikes once: a read does not show it
        self.spoils = spoils    # the mount rightly remembers it longer than this test has time
        self.slow = slow        # not in the quick choice
        self.outage = outage    # the whole org does it


def status(number, code="", message="injected", **more):
    body = json.dumps([{"message": message, "errorCode": code}]) if code else ""
    return dict({"do": "status", "status": number, "body": body}, **more)


FAULTS = {
    "refused connection": Fault(None, "EHOSTUNREACH", outage="refused"),
    "TLS failure": Fault(None, "EACCES EHOSTUNREACH", outage="tls"),
    "reset": Fault({"do": "reset"}, "EHOSTUNREACH", once=True),
    "reset when done": Fault({"do": "reset", "after": True}, "EHOSTUNREACH", once=True),
    "reset in the head": Fault({"do": "reset", "at": "head"}, "EHOSTUNREACH EPROTO", once=True),
    "reset in the body": Fault({"do": "reset", "at": "body"}, "EHOSTUNREACH EPROTO", once=True),
    "stall": Fault({"do": "stall"}, "ETIMEDOUT"),
    "stall when done": Fault({"do": "stall", "after": True}, "ETIMEDOUT"),
    "one byte a second": Fault({"do": "slow"}, "ETIMEDOUT"),
    "cut body": Fault({"do": "cut"}, "EPROTO", once=True),
    "wrong length": Fault({"do": "wrong_length"}, "EPROTO", once=True),
    "broken gzip": Fault({"do": "bad_gzip"}, "EPROTO"),
    "garbage JSON": Fault({"do": "garbage"}, "EPROTO"),
    "other JSON": Fault({"do": "garbage", "body": "[1, {\"records\": 7}]"}, "EPROTO"),
    "empty body": Fault({"do": "garbage", "body": ""}, "EPROTO"),
    "deep JSON": Fault({"do": "deep_json"}, "EPROTO"),
    "100 MB": Fault({"do": "huge", "mb": 100}, "EFBIG EPROTO ETIMEDOUT", slow=True),
    "web page with 200": Fault({"do": "html", "status": 200}, "EIO"),
    "maintenance page": Fault({"do": "html"}, "EIO", once=True),
    "401": Fault({"do": "status", "status": 401, "body": '[{"message":"Session expired or invalid",'
                  '"errorCode":"INVALID_SESSION_ID"}]'}, "EACCES", "INVALID_SESSION_ID", once=True),
    "403 quota": Fault({"do": "quota"}, "EDQUOT", "REQUEST_LIMIT_EXCEEDED", spoils=True),
    "403 too many at once": Fault({"do": "concurrent"}, "EAGAIN", "REQUEST_LIMIT_EXCEEDED", once=True),
    "403 permission": Fault({"do": "error", "status": 403, "errorCode": "INSUFFICIENT_ACCESS", "message": "no"}, "EACCES",
                            "INSUFFICIENT_ACCESS"),
    "404": Fault(status(404, "NOT_FOUND"), "ENOENT", "NOT_FOUND"),
    "406": Fault(status(406), "EAGAIN", once=True),
    "412": Fault(status(412, "PRECONDITION_FAILED"), "ESTALE", "PRECONDITION_FAILED"),
    "413": Fault(status(413), "EFBIG"),
    "420": Fault(status(420), "EHOSTUNREACH", once=True),
    "429": Fault({"do": "retry_after", "seconds": 1}, "EAGAIN", "REQUEST_LIMIT_EXCEEDED", once=True),
    "500": Fault(status(500, "UNKNOWN_EXCEPTION"), "EIO", "UNKNOWN_EXCEPTION", once=True),
    "502": Fault(status(502), "EIO", once=True),
    "503": Fault({"do": "status", "status": 503}, "EIO EAGAIN", "SERVER_UNAVAILABLE", once=True),
    "row lock": Fault({"do": "row_lock"}, "EAGAIN EBUSY ETIMEDOUT", once=True),
    "redirect elsewhere": Fault({"do": "redirect"}, "EACCES"),
    "redirect loop": Fault({"do": "redirect", "location": "SELF"}, "EACCES EPROTO EIO EHOSTUNREACH"),
}


class Kind:
    """A kind of request: which calls of the org it is, and how a program causes it."""

    def __init__(self, calls, fresh="", writes=False, hides=False, once=True):
        self.calls = calls      # kinds in the org's log
        self.fresh = fresh      # needs a mount that knows nothing yet, with these options
        self.writes = writes
        self.hides = hides      # what is cached is served instead: no error is to be seen
        self.once = once        # is sent again when the answer is lost


KINDS = {
    "token": Kind(["token"], once=False),
    "mount": Kind(["global"], fresh="ttl=600"),
    "global": Kind(["global"], fresh="ttl=1", hides=True),
    "describe": Kind(["describe"], fresh="ttl=600"),
    "query": Kind(["query"], fresh="ttl=600"),
    "next page": Kind(["query_page"], fresh="ttl=600"),
    "retrieve": Kind(["retrieve", "collections_read"]),
    "collections": Kind(["collections_read", "composite"]),
    "check": Kind(["composite", "query"], fresh="ttl=1", hides=True),
    "save": Kind(["composite", "update"], writes=True),
    "create": Kind(["composite", "create"], writes=True),
    "delete": Kind(["delete", "composite"], writes=True),
    "limits": Kind(["limits"], fresh="ttl=600"),
    "body": Kind(["blob"], fresh="ttl=600", once=False),
}


class Scene:
    """An org and a mount of it that one cell after the other uses."""

    def __init__(self, stage, tls=None, **org_options):
        self.stage, self.tls = stage, tls
        if tls:
            org_options["tls"] = tls
        self.org = stage.org(records={"Account": 300, "Contact": 2000, "Lead": 2100}, **org_options)
        more = {"ca_file": tls[0]} if tls else {}
        self.home = stage.home(self.org, allow="update, create, delete", timeout=str(TIMEOUT), cache_dir="memory",
                               api_reserve="0", **more)
        self.contacts = self.org.ids("Contact", limit=2000)
        self.accounts = self.org.ids("Account", limit=300)
        self.mount, self.options, self.number = None, None, 0

    def ready(self, options, anew):
        """A mount with these options, a new one if need be."""
        if self.mount is not None and (anew or options != self.options):
            self.leave()
        if self.mount is None:
            self.mount = self.home.mount(options)
            self.options = options
            if not anew:
                os.listdir(self.mount.path("Account"))
                read(self.contact())

    def leave(self):
        if self.mount is not None:
            mount, self.mount = self.mount, None
            complaints = mount.finish()
            os.rmdir(mount.dir)
            if complaints:
                raise AssertionError("; ".join(complaints))

    def contact(self):
        """A record that was not read yet."""
        self.number += 1
        return self.mount.record("Contact", self.contacts[self.number % len(self.contacts)])

    def account(self):
        self.number += 1
        return self.accounts[self.number % len(self.accounts)]

    def set(self, fault, kind, times):
        spec = dict(fault.do, match={"kind": kind.calls}, times=times)
        if spec.get("location") == "SELF":
            spec["location"] = self.org.url + "/services/loop"
            self.org.faults([spec, dict(spec, match={"path": "^/services/loop"}, times=-1)])
        else:
            self.org.faults([spec])

    def break_down(self, fault, other_tls):
        self.org.stop()
        if fault.outage == "tls":
            self.healthy = list(self.org.arguments)
            self.org.arguments = [other_tls.get(word, word) for word in self.healthy]
            self.org.start()

    def mend(self, fault):
        if fault.outage == "tls":
            self.org.stop()
            self.org.arguments = self.healthy
        if fault.outage:
            self.org.start()
        else:
            self.org.faults([])


class Cell:
    """One kind of request under one fault."""

    def __init__(self, scene, kind_name, fault_name, times=-1, other_tls=None):
        self.scene, self.times, self.other_tls = scene, times, other_tls or {}
        self.kind_name, self.kind, self.fault = kind_name, KINDS[kind_name], FAULTS[fault_name]
        self.complaints = []

    def run(self):
        """What was wrong; nothing if all was well."""
        scene, fault = self.scene, self.fault
        anew = bool(self.kind.fresh) or bool(fault.outage)
        if self.kind_name == "mount":
            scene.leave()
        else:
            scene.ready(self.kind.fresh or "ttl=600", anew)
        try:
            self.prepare()
            if fault.outage:
                scene.break_down(fault, self.other_tls)
            else:
                scene.set(fault, self.kind, self.times)
            self.act()
            scene.mend(fault)
            self.check()
        finally:
            if fault.outage and scene.org.process is None:
                scene.mend(fault)
        if self.kind.fresh or fault.spoils or fault.outage:
            scene.leave()
        return self.complaints

    def wrong(self, text, *values):
        self.complaints.append(text % values)

    # what a program does

    def prepare(self):
        scene = self.scene
        self.path = self.target = None
        if self.kind_name in ("save", "delete", "check"):
            self.id = scene.account()
            self.path = scene.mount.record("Account", self.id)
            self.before = read(self.path)
        elif self.kind_name == "create":
            scene.number += 1
            self.label = CREATED + "%d %s" % (scene.number, threading.get_ident())
            self.path = scene.mount.path("Account", "new %d.json" % scene.number)
        elif self.kind_name in ("retrieve", "token"):
            self.path = scene.contact()
        elif self.kind_name == "collections":
            self.paths = [scene.contact() for _ in range(8)]
        if self.kind_name in ("describe", "query", "next page"):
            os.listdir(scene.mount.dir)
        if self.kind_name == "body":
            folder = scene.mount.path("Attachment")
            names = [name for name in sorted(os.listdir(folder)) if not name.endswith(".json")]
            self.path = os.path.join(folder, names[2])  # the first is empty
            self.body = get_bytes(scene.org, "/services/data/v67.0/sobjects/Attachment/%s/Body" % names[2][:18])
        if self.kind.hides:
            time.sleep(1.05)
        if self.kind_name == "check":
            scene.org.change("Account", ids=[self.id], set={"Phone": "+1 %d" % scene.number})
        if self.kind_name == "token":
            scene.org.expire_sessions()
        self.mark = scene.org.mark()

    def act(self):
        self.results = []
        begun = time.monotonic()
        if self.kind_name == "collections":
            threads = [threading.Thread(target=self.attempt, args=(read, path)) for path in self.paths]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        else:
            self.attempt(getattr(self, "do_" + self.kind_name.replace(" ", "_")))
        self.seconds = time.monotonic() - begun

    def attempt(self, function, *arguments):
        try:
            self.results.append((0, function(*arguments)))
        except OSError as error:
            self.results.append((error.errno, None))

    def do_token(self):
        return read(self.path)

    do_retrieve = do_check = do_body = do_token

    def do_mount(self):
        """The program's exit status and what it says."""
        self.dir = self.scene.home.new_dir()
        done = self.scene.home.command("mount", "-o", "ttl=600", "acme", self.dir)
        self.said = done.stderr
        if done.returncode:
            raise OSError(done.returncode, done.stderr)

    def do_global(self):
        return os.listdir(self.scene.mount.dir)

    def do_describe(self):
        return read(self.scene.mount.path(".forcefs", "describe", "Case.json"))

    def do_query(self):
        return os.listdir(self.scene.mount.path("Case"))

    def do_next_page(self):
        return os.listdir(self.scene.mount.path("Lead"))

    def do_limits(self):
        return read(self.scene.mount.path(".forcefs", "limits.json"))

    def do_save(self):
        value = "site-%d.example" % self.scene.number
        self.expected = value
        record = json.loads(self.before.decode())
        text = self.before.decode().replace('"Website": %s' % json.dumps(record["Website"]), '"Website": "%s"' % value)
        write(self.path, text, os.O_WRONLY | os.O_TRUNC)

    def do_create(self):
        write(self.path, json.dumps({"Name": self.label}), os.O_WRONLY | os.O_CREAT)

    def do_delete(self):
        os.unlink(self.path)

    # what must be true

    def check(self):
        if self.seconds > TIMEOUT + SLACK:
            self.wrong("it took %.1f s", self.seconds)
        getattr(self, "check_" + ("write" if self.kind.writes else "read"))()
        self.check_next()
        if self.kind_name != "mount" and not wait_until(lambda: self.scene.mount.status()["parked"] == 0, 10):
            self.wrong("requests stay parked")

    def last_error(self, number):
        """What is told of the last failure with this errno, {} if nothing is."""
        found = {}
        for line in read(self.scene.mount.path(".forcefs", "errors.ndjson")).decode().splitlines():
            told = json.loads(line)
            if told["errno"] == name_of(number):
                found = told
        return found

    def check_told(self, number, errnos):
        if number not in errnos:
            self.wrong("%s instead of %s", name_of(number), " or ".join(sorted(map(name_of, errnos))))
        last = self.last_error(number)
        if number in (errno.ENOENT, errno.ESTALE) and not last:  # mostly no news: errors.ndjson leaves them out
            return {"code": ""}
        if len(last.get("text", "")) < 20:
            self.wrong("it was %s, but what is told is: %s", name_of(number), last)
        elif self.fault.code and last["code"] not in (self.fault.code, "MAYBE_SENT") and self.kind_name != "token" \
                and number != errno.EBUSY:
            self.wrong("the code is %r", last["code"])
        return last

    def check_read(self):
        failed = [number for number, _ in self.results if number]
        if self.kind_name == "mount":
            self.check_mount(failed)
        elif self.kind.hides or (self.times > 0 and self.fault.once and self.kind.once):
            if failed:
                self.wrong("%s is to be seen", name_of(failed[0]))
            if self.kind_name == "check" and read(self.path) not in (self.before, self.results[0][1]):
                self.wrong("neither old nor new content")
        elif not failed and self.times < 0 and self.kind_name != "collections":
            self.wrong("no error")
        else:
            for number in failed[:1]:
                self.check_told(number, self.fault.errnos | self.also())

    def check_mount(self, failed):
        if failed and self.times > 0:
            self.wrong("it is to be seen: %s", self.said)
        elif failed and (failed != [1] or len(self.said) < 60 or self.fault.code not in self.said):
            self.wrong("status %s, and it says: %s", failed, self.said)
        elif not failed and self.times < 0:
            self.wrong("it mounts")
        if failed and self.dir in mounts():
            self.wrong("a mount is left")
        if not failed and self.scene.home.command("umount", self.dir).returncode:
            self.wrong("it cannot be unmounted")

    def also(self):
        """What may come instead."""
        if self.kind_name == "token":
            return {errno.EACCES, errno.EIO, errno.EPROTO}
        if self.kind_name in ("query", "next page"):
            return {errno.EIO}  # for ENOENT and ESTALE: C libraries take these for the end of a directory
        if self.kind_name == "body":
            return {errno.EBUSY, errno.ESTALE}  # for EAGAIN, which some programs take for an end, and for ENOENT
        return {errno.ETIMEDOUT} if self.kind_name == "collections" else set()

    def is_gone(self):
        """A delete of what is not there, as the org says, is done."""
        return self.kind_name == "delete" and errno.ENOENT in self.fault.errnos

    def writes(self):
        if self.fault.outage:
            return []
        return carried_out(self.scene.org.log(since=self.mark))

    def check_write(self):
        number = self.results[0][0]
        done = len(self.writes())
        if done > 1:
            self.wrong("it was done %d times", done)
        if number == 0 and done == 0 and not self.is_gone():
            self.wrong("it was called done and was not")
        if number:
            last = self.check_told(number, self.fault.errnos | ({errno.EBUSY} if errno.ESTALE in self.fault.errnos else set()))
            if done and last["code"] != "MAYBE_SENT":
                self.wrong("it was done, but the text does not say that it may have been: %s", last)
            if self.times > 0 and self.fault.once and self.kind_name == "save" and last["code"] != "MAYBE_SENT":
                self.wrong("%s is to be seen", name_of(number))

    def check_next(self):
        """The same works now, and shows what the org has."""
        mount = self.scene.mount
        if self.fault.spoils or (self.fault.outage and self.kind.writes):
            return
        if errno.ENOENT in self.fault.errnos and self.kind_name in ("retrieve", "collections", "delete"):
            return  # rightly believed for a while
        function = getattr(self, "next_" + self.kind_name.replace(" ", "_"))
        seen = []

        def works():
            try:
                seen[:] = [function(mount)]
                return seen[0]
            except OSError as error:
                seen[:] = [name_of(error.errno)]
                return False
        if not wait_until(works, RECOVERY, 0.1):
            self.wrong("afterwards: %s", seen)

    def same(self, path, name, record_id):
        shown = json.loads(read(path).decode())
        truth = self.scene.org.record(name, record_id)
        return shown == {field: truth[field] for field in shown} and os.stat(path).st_size == len(read(path))

    def next_token(self, mount):
        return self.same(self.path, "Contact", os.path.basename(self.path)[:18])

    next_retrieve = next_token

    def next_collections(self, mount):
        return all(self.same(path, "Contact", os.path.basename(path)[:18]) for path in self.paths)

    def next_body(self, mount):
        return read(self.path) == self.body and os.stat(self.path).st_size == len(self.body)

    def next_mount(self, mount):
        self.do_mount()
        seen = os.listdir(self.dir)
        return self.scene.home.command("umount", self.dir).returncode == 0 and "Account" in seen

    def next_global(self, mount):
        return "Account" in os.listdir(mount.dir)

    def next_describe(self, mount):
        return json.loads(self.do_describe().decode())["name"] == "Case"

    def next_query(self, mount):
        return len(os.listdir(mount.path("Case"))) == self.scene.org.objects()["Case"]["rows"]

    def next_next_page(self, mount):
        return len(os.listdir(mount.path("Lead"))) == self.scene.org.objects()["Lead"]["rows"]

    def next_limits(self, mount):
        return "DailyApiRequests" in json.loads(self.do_limits().decode())

    def next_check(self, mount):
        return self.same(self.path, "Account", self.id)

    def next_save(self, mount):
        if not self.same(self.path, "Account", self.id):
            return False
        self.before = read(self.path)
        self.scene.number += 1
        self.do_save()
        return self.scene.org.record("Account", self.id)["Website"] == self.expected and self.next_check(mount)

    def next_create(self, mount):
        self.scene.number += 1
        self.path, before = mount.path("Account", "new %d.json" % self.scene.number), self.label
        self.label = CREATED + "%d %s" % (self.scene.number, threading.get_ident())
        self.do_create()
        shown = json.loads(read(self.path).decode())
        names = [body["Name"] for kind, body in carried_out(self.scene.org.log(since=self.mark)) if kind == "create"]
        if names.count(before) > 1 or names.count(self.label) != 1:
            self.wrong("created: %s", names)
        return shown["Name"] == self.label and self.same(self.path, "Account", shown["Id"])

    def next_delete(self, mount):
        if os.path.exists(self.path):
            os.unlink(self.path)
        return not os.path.exists(self.path) and self.scene.org.record("Account", self.id)["IsDeleted"]


def get_bytes(org, path):
    """A reply of the org's API."""
    request = urllib.request.Request(org.url + path, headers={"Authorization": "Bearer " + org.log_in()})
    context = ssl._create_unverified_context() if org.url.startswith("https") else None
    with urllib.request.urlopen(request, timeout=60, context=context) as reply:
        return reply.read()


def carried_out(log):
    """The changes that the org has made, those of composites too: (kind, body)."""
    found = []
    for call in log:
        for one in call.get("parts") or [call]:
            if DONE.get(one["kind"]) == one["status"]:
                found.append((one["kind"], one.get("body")))
    return found


def write(path, text, flags):
    descriptor = os.open(path, flags, 0o644)
    try:
        os.write(descriptor, text.encode())
    except OSError:
        os.close(descriptor)
        raise
    os.close(descriptor)


def name_of(number):
    return errno.errorcode.get(number, str(number)) if number else "no error"


def cells(whole):
    """(kind, fault, times) of all cells, or of a choice in which every kind and every fault is."""
    found = []
    for row, kind in enumerate(KINDS):
        for column, fault in enumerate(FAULTS):
            if whole or (row + column) % 4 == 0 and not FAULTS[fault].slow:
                found.append((kind, fault, -1))
            if FAULTS[fault].once and (whole or (row + column) % 4 == 2):
                found.append((kind, fault, 1))
    return found
