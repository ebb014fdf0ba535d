# SPDX-License-Identifier: MIT
"""The whole: every request comes here, is told what it is, and gets its reply and its line in the record of calls."""
import base64
import json
import time
import traceback
import urllib.parse

from . import clock, composite, limits, records, replication, sobject_collections
from .calls import Calls
from .control import Control
from .describe import DescribeCache
from .errors import ApiError, limit_exceeded, refuse, resource_missing, session_invalid
from .faults import Faults, REPLIES, TRANSPORTS, replacement, transport
from .http1 import Reply, Server
from .jsontext import dumps
from .oauth import CLIENT_ID, Login, page, refused_form, refused_reply
from .query import Cursors, batch_size
from .refusals import Refused
from .rest import Answer, Call, Routes, perform

API = "/services/data"
WRITES = frozenset(("create", "update", "upsert", "delete", "collections_write"))
LOGGED_BODY = 100000
BROWSER = "BrowserId=PRACTICEPRACTICEPRACT; path=/; Max-Age=31536000"


def routes():
    table = Routes()
    add = table.add
    add("", GET=("other", limits.resources))
    add("sobjects", GET=("global", records.describe_global))
    add("limits", GET=("limits", limits.limits))
    add("limits/recordCount", GET=("limits", limits.record_count))
    add("query", GET=("query", run_query))
    add("queryAll", GET=("query", run_query_all))
    add("query/*", GET=("query_page", next_page))
    add("queryAll/*", GET=("query_page", next_page))
    add("composite", 38, POST=("composite", composite.composite))
    add("composite/batch", 34, POST=("composite", composite.batch))
    add("composite/sobjects", 42, POST=("collections_write", sobject_collections.create_many),
        PATCH=("collections_write", sobject_collections.update_many),
        DELETE=("collections_write", sobject_collections.delete_many))
    add("composite/sobjects/*", 42, GET=("collections_read", sobject_collections.read_by_url),
        POST=("collections_read", sobject_collections.read_by_body))
    add("composite/sobjects/*/*", 46, PATCH=("collections_write", sobject_collections.upsert_many))
    add("sobjects/*", GET=("other", records.basic_info), POST=("create", records.create_record))
    add("sobjects/*/describe", GET=("describe", records.describe))
    add("sobjects/*/updated", GET=("updated", replication.updated))
    add("sobjects/*/deleted", GET=("deleted", replication.deleted))
    add("sobjects/*/Id", POST=("create", records.create_record))
    add("sobjects/*/*", GET=("retrieve", records.retrieve), HEAD=("retrieve", records.retrieve),
        PATCH=("update", records.update_record), DELETE=("delete", records.delete_record))
    add("sobjects/*/{id}/*", GET=("blob", records.blob))
    add("sobjects/*/*/*", GET=("retrieve", records.retrieve_external), HEAD=("retrieve", records.retrieve_external),
        PATCH=("upsert", records.upsert_record), DELETE=("delete", records.delete_external))
    return table


def soql_of(call):
    text = call.params.get("q")
    if text is None:
        raise refuse(400, "MALFORMED_QUERY", "A query parameter q is required")
    return text


def run_query(call, with_deleted=False):
    batch = batch_size(call.header("sforce-query-options"))
    return Answer(text=call.org.cursors.query(soql_of(call), with_deleted, batch, call.version))


def run_query_all(call):
    return run_query(call, True)


def next_page(call):
    return Answer(text=call.org.cursors.more(call.segments[1], call.version))


class Org(Server):
    def __init__(self, world, address, log=None, latency_ms=0, rotation=False, faults=(), tls=None, **login):
        self.world = world
        self.login = Login(world, rotation, **login)
        self.cursors = Cursors(world)
        self.describes = DescribeCache(world)
        self.calls = Calls(log)
        self.faults = Faults(world.seed, faults)
        self.latency_ms = latency_ms
        self.routes = routes()
        self.control = Control(self)
        super().__init__(address, tls)
        self.scheme = "https" if tls else "http"
        self.url = "%s://%s:%d" % (self.scheme, address[0], self.server_address[1])

    def announcement(self):
        world = self.world
        return {"url": self.url, "client_id": CLIENT_ID, "client_secret": self.login.client_secret,
                "refresh_token": self.login.first_refresh_token, "username": world.username, "org_id": world.org_id,
                "user_id": world.user_id}

    def global_entries(self, text):
        return json.loads(text)["sobjects"]

    # one exchange

    def refused(self, connection, error):
        """A request that did not get as far as being read."""
        self.log_call("?", "?", "other", error.status, 0, 0, time.time())
        connection.send(error.reply(), EMPTY)
        connection.finish_input()

    def exchange(self, connection, request):
        if request.path.startswith("/_practice/"):
            return connection.send(self.control.reply(connection, request), request) >= 0
        started = time.time()
        self.calls.begin()
        try:
            return self.answer(connection, request, started)
        finally:
            self.calls.end()

    def answer(self, connection, request, started):
        if self.latency_ms:
            time.sleep(self.latency_ms / 1000.0)
        exchange = Exchange(self, request)
        fault = self.faults.take(exchange.kind, request.target)
        if fault and fault.do == "expire":
            self.login.expire(exchange.token)
        if fault and fault.do in REPLIES:
            reply = replacement(fault)
        elif fault and fault.do in TRANSPORTS and not self.executes(fault):
            reply = Reply(0)
        else:
            reply = exchange.perform()
        reply.headers.extend(common_headers())
        self.log(exchange, reply, started)
        if fault and fault.do in TRANSPORTS:
            return transport(fault, connection, reply, request)
        connection.send(reply, request)
        return not reply.close

    @staticmethod
    def executes(fault):
        """A reset or a stall may come after the work is done: the reply is lost, the change is not."""
        return fault.do not in ("reset", "stall") or fault.option("after", False) or fault.option("at") is not None

    def log(self, exchange, reply, started):
        request, call = exchange.request, exchange.call
        more = {}
        if call and "q" in call.params:
            more["query"] = call.params["q"]
        elif call and call.params:
            more["params"] = call.params
        if call and call.parts is not None:
            more["parts"] = call.parts
        if call and exchange.kind in WRITES:
            more["body"] = loggable(request.body)
        self.log_call(request.method, request.path, exchange.kind, reply.status, exchange.cost, len(reply.body), started, more)

    def log_call(self, method, path, kind, status, cost, size, started, more=()):
        entry = {"method": method, "path": path, "kind": kind, "status": status, "counted": cost > 0, "cost": cost,
                 "bytes_out": size, "duration_ms": round((time.time() - started) * 1000, 3)}
        entry.update(more)
        self.calls.add(entry)


def loggable(body):
    if not body or len(body) > LOGGED_BODY:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def common_headers():
    return [("Date", clock.http_date(clock.now())), ("Server", "sfdcedge"),
            ("Strict-Transport-Security", "max-age=63072000; includeSubDomains"), ("X-Content-Type-Options", "nosniff"),
            ("X-Robots-Tag", "none"), ("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private"),
            ("Set-Cookie", BROWSER), ("x-sfdc-request-id", "%032x" % time.time_ns())]


class Nothing:
    """What an unreadable request is answered as."""

    method = "GET"

    @staticmethod
    def header(name, default=None):
        return default


EMPTY = Nothing()


class Exchange:
    """One request on its way: classified first, so that faults can choose it, then performed."""

    def __init__(self, org, request):
        self.org, self.request = org, request
        self.call, self.cost = None, 0
        self.token = bearer(request.header("authorization", ""))
        self.kind, self.handler = self.classify()

    def classify(self):
        path = self.request.path.rstrip("/")
        if path == API:
            return "versions", self.versions
        if path.startswith(API + "/"):
            return self.classify_api()
        if path.startswith("/services/oauth2/"):
            name = path[len("/services/oauth2/"):]
            return ("token" if name == "token" else "other"), getattr(self, "oauth_" + name, self.nothing_here)
        if path.startswith("/id/"):
            return "other", self.identity
        return "other", self.nothing_here

    def classify_api(self):
        request = self.request
        self.call = Call(self.org, request.method, request.target, request.headers, request.body, self.instance_url())
        kind, self.api_handler = self.org.routes.match(self.call)
        return kind, self.api

    def instance_url(self):
        return self.org.url

    def perform(self):
        try:
            return self.handler()
        except ApiError as error:
            return Reply(error.status, dumps(error.body), error.headers)
        except Refused as refusal:
            return refused_reply(refusal)
        except Exception:
            return self.broken()

    def broken(self):
        """A fault of the practice org itself: told to the client as Salesforce tells its own, and to whoever runs it."""
        traceback.print_exc()
        message = "An unexpected error occurred. Please include this ErrorId if you contact support: %d" % time.time_ns()
        return Reply(500, dumps([{"message": message, "errorCode": "UNKNOWN_EXCEPTION"}]))

    # the API

    def api(self):
        org, call = self.org, self.call
        if not self.token or not org.login.session_valid(self.token):
            raise session_invalid()
        if call.version in limits.RETIRED:
            raise refuse(410, "GONE", "API version %s is no longer available" % call.version)
        if call.version not in limits.KNOWN:
            raise resource_missing()
        with org.world.lock:
            if org.world.used >= org.world.quota:
                raise limit_exceeded()
            reply = perform(self.api_handler, call)
            self.cost = call.cost
            org.world.used += self.cost
            usage = "api-usage=%d/%d" % (org.world.used, org.world.quota)
        return Reply(reply.status, reply.text, reply.headers + [("Sforce-Limit-Info", usage)], reply.content_type)

    def versions(self):
        return Reply(200, dumps(limits.versions()))

    @staticmethod
    def nothing_here():
        return page(404, "URL No Longer Exists")

    # OAuth

    def form(self):
        text = self.request.body.decode("utf-8", "replace")
        return dict(urllib.parse.parse_qsl(text, keep_blank_values=True))

    def query(self):
        return dict(urllib.parse.parse_qsl(self.request.query_string, keep_blank_values=True))

    def oauth_token(self):
        if self.request.method != "POST":
            raise Refused("invalid_request", "must use HTTP POST")
        basic = basic_pair(self.request.header("authorization", ""))
        return Reply(200, dumps(self.org.login.token(self.form(), self.instance_url(), basic)))

    def oauth_revoke(self):
        try:
            self.org.login.revoke(self.form() or self.query())
        except Refused as refusal:
            return refused_form(refusal)
        return Reply(200, b"")

    def oauth_introspect(self):
        return Reply(200, dumps(self.org.login.introspect(self.form())))

    def oauth_authorize(self):
        return self.org.login.authorize(self.query())

    def oauth_userinfo(self):
        if not self.org.login.session_valid(self.token):
            return Reply(403, "Bad_OAuth_Token", content_type="text/html")
        return Reply(200, dumps(self.org.login.userinfo(self.instance_url())))

    def identity(self):
        if not self.org.login.session_valid(self.token):
            return Reply(403, "Bad_OAuth_Token", content_type="text/html")
        return Reply(200, dumps(self.org.login.identity(self.instance_url())))


def basic_pair(text):
    scheme, _, rest = text.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = base64.b64decode(rest).decode().partition(":")
    except ValueError:
        raise Refused("invalid_client", "invalid client credentials") from None
    return urllib.parse.unquote(name), urllib.parse.unquote(secret)


def bearer(text):
    scheme, _, token = text.partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else ""
