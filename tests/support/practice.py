# SPDX-License-Identifier: MIT
"""PracticeOrg: starts the practice org as a child process and speaks to its control API.

    with PracticeOrg(records={"Account": 5000}, latency_ms=20) as org:
        org.change("Account", ids=[...], set={"Phone": "1"})
        assert org.counts()["by_kind"].get("query") == 1
"""
import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

FOLDER = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "practice_org")


class ControlError(Exception):
    """The control API refused: the test asked for something that does not exist."""


class PracticeOrg:
    def __init__(self, records=None, latency_ms=0, rotation=False, quota=None, used=None, seed=None, faults=(), log=None,
                 tls=None, extra=(), python=None):
        """tls = (certificate file, key file); extra = more command line options."""
        self.python = python or os.environ.get("PRACTICE_PYTHON", sys.executable)
        self.process, self.port = None, 0
        self.arguments = list(extra)
        for name, count in (records or {}).items():
            self.arguments += ["--records", "%s=%d" % (name, count)]
        for option, value in (("--latency-ms", latency_ms or None), ("--quota", quota), ("--used", used), ("--seed", seed),
                              ("--log", log)):
            if value is not None:
                self.arguments += [option, str(value)]
        for fault in faults:
            self.arguments += ["--fault", json.dumps(fault)]
        if rotation:
            self.arguments.append("--rotation")
        if tls:
            self.arguments += ["--tls-cert", tls[0], "--tls-key", tls[1]]

    # life

    def start(self):
        """Starts it, or starts it again on the port that it had."""
        self.process = subprocess.Popen(
            [self.python, FOLDER, "--until-eof", "--port", str(self.port)] + self.arguments,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError("the practice org did not start")
        announced = json.loads(line)
        self.url = announced["url"]
        self.client_id, self.client_secret = announced["client_id"], announced["client_secret"]
        self.refresh_token, self.username = announced["refresh_token"], announced["username"]
        self.org_id, self.user_id, self.pid = announced["org_id"], announced["user_id"], announced["pid"]
        self.port = urllib.parse.urlsplit(self.url).port
        return self

    def stop(self):
        """Ends it at once, as a crash would: connections break, everything that was changed is forgotten."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process = None

    def restart(self):
        """The same port, the same refresh token, and the records as they were at first."""
        self.stop()
        return self.start()

    def __enter__(self):
        return self.start() if self.process is None else self

    def __exit__(self, *_):
        self.stop()

    # control

    def control(self, name, body=None, **query):
        """GET without a body, POST with one."""
        url = "%s/_practice/%s" % (self.url, name)
        if query:
            url += "?" + urllib.parse.urlencode({key: value for key, value in query.items() if value is not None})
        data = None if body is None else json.dumps(body).encode()
        context = ssl._create_unverified_context() if url.startswith("https") else None
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data), timeout=60, context=context) as reply:
                return json.load(reply)
        except urllib.error.HTTPError as error:
            raise ControlError("%s: %s" % (name, error.read().decode("utf-8", "replace"))) from None

    def counts(self, since=None):
        """{"counted", "by_kind", "calls", "in_flight_max", "next"}"""
        return self.control("counts", since=since)

    def log(self, since=None):
        """The calls, each a dict."""
        return self.control("log", since=since)["calls"]

    def mark(self):
        """The number of the next call, for counts(since=…) and log(since=…)."""
        return self.counts()["next"]

    def reset_log(self):
        self.control("reset-log", {})

    def change(self, object, ids=None, indexes=None, count=None, set=None):
        """As another user; returns the Ids."""
        return self.control("change", which(object, ids, indexes, count, set=set or {}))["ids"]

    def delete(self, object, ids=None, indexes=None, count=None, hard=False):
        return self.control("delete", which(object, ids, indexes, count, hard=hard))["ids"]

    def undelete(self, object, ids=None, indexes=None):
        return self.control("undelete", which(object, ids, indexes, None))["ids"]

    def create(self, object, **fields):
        return self.control("create", {"object": object, "fields": fields})["id"]

    def ids(self, object, limit=200, offset=0):
        return self.control("ids", object=object, offset=offset, limit=limit)["ids"]

    def record(self, object, id):
        """Field values as the org has them."""
        return self.control("record", object=object, id=id)["values"]

    def body(self, object, id):
        """{"size", "sha256"} of what it has in a record's base64 field."""
        return self.control("body", object=object, id=id)

    def set_body(self, object, id, size=0, seed=0, text=None):
        """As another user: bytes made from the seed, or a text. The same figures."""
        body = {"object": object, "id": id, "size": size, "seed": seed}
        return self.control("body", dict(body, text=text) if text is not None else body)

    def objects(self):
        """{name: {"rows", "prefix"}}"""
        return self.control("objects")["objects"]

    def add_field(self, object, name, type="string", **options):
        self.control("add-field", {"object": object, "field": dict(options, name=name, type=type)})

    def remove_field(self, object, name):
        self.control("remove-field", {"object": object, "field": name})

    def faults(self, specs):
        """Replaces all faults."""
        self.control("faults", list(specs))

    def faults_left(self):
        return self.control("faults")["faults"]

    def expire_sessions(self):
        self.control("expire-sessions", {})

    def expire_locators(self):
        self.control("expire-locators", {})

    def quota(self, used=None, max=None):
        body = {key: value for key, value in (("used", used), ("max", max)) if value is not None}
        return self.control("quota", body)

    def latency(self, ms):
        self.control("latency", {"ms": ms})

    def token(self, **settings):
        """rotation, hold_ms, session_seconds, policies=[names], fail={"status", "error", "error_description", "times"}"""
        self.control("token", settings)

    def revoke(self):
        self.control("revoke", {})

    # the API, for tests that look at the org as a client does

    def log_in(self):
        """A new access token."""
        form = {"grant_type": "refresh_token", "client_id": self.client_id, "client_secret": self.client_secret,
                "refresh_token": self.refresh_token}
        data = urllib.parse.urlencode(form).encode()
        context = ssl._create_unverified_context() if self.url.startswith("https") else None
        with urllib.request.urlopen(self.url + "/services/oauth2/token", data, timeout=60, context=context) as reply:
            granted = json.load(reply)
        self.refresh_token = granted.get("refresh_token", self.refresh_token)
        return granted["access_token"]


def which(object, ids, indexes, count, **more):
    body = dict(more, object=object)
    for name, value in (("ids", ids), ("indexes", indexes), ("count", count)):
        if value is not None:
            body[name] = list(value) if name != "count" else value
    return body
