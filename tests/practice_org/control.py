# SPDX-License-Identifier: MIT
"""/_practice/: what a test asks of the org behind the client's back. Not counted, not logged, loopback only."""
import hashlib
import ipaddress
import itertools
import json
import traceback
import urllib.parse

from . import records, refusals, writes
from .errors import ApiError
from .fields import Field
from .generators import Const, Pick
from .http1 import Reply
from .ids import canonical
from .jsontext import dumps, loads
from .validation import Blob
from .world import OTHER_USER

FIELD_OPTIONS = ("length", "precision", "scale", "label", "required", "values", "restricted", "unique", "external_id", "to",
                 "relationship", "read_only", "default", "html")


class Wrong(Exception):
    pass


class Control:
    def __init__(self, org):
        self.org, self.world = org, org.world

    def reply(self, connection, request):
        if not ipaddress.ip_address(connection.client_address[0]).is_loopback:
            return Reply(403, b"loopback only", content_type="text/plain")
        name = request.path[len("/_practice/"):].strip("/").replace("-", "_")
        handler = getattr(self, "%s_%s" % (request.method.lower(), name), None)
        if handler is None:
            return Reply(404, dumps({"error": "no such control"}))
        try:
            query = dict(urllib.parse.parse_qsl(request.query_string))
            body = loads(request.body.decode()) if request.body else {}
            with self.world.lock:
                return Reply(200, dumps(handler(query if request.method == "GET" else body)))
        except (Wrong, ValueError, KeyError, TypeError) as error:
            return Reply(400, dumps({"error": "%s: %s" % (type(error).__name__, error)}))
        except ApiError as error:
            return Reply(400, dumps({"error": json.dumps(error.body)}))
        except Exception as error:
            traceback.print_exc()
            return Reply(500, dumps({"error": repr(error)}))

    # what was called

    def get_log(self, query):
        calls, following = self.org.calls.since(int(query.get("since", 0)))
        return {"calls": calls, "next": following}

    def get_counts(self, query):
        return self.org.calls.counts(int(query.get("since", 0)))

    def post_reset_log(self, body):
        self.org.calls.reset()
        return {}

    # records

    def sobject(self, values):
        sobject = self.world.find_object(values.get("object", ""))
        if sobject is None:
            raise Wrong("no such object: %s" % values.get("object"))
        return sobject

    def rows(self, body, table):
        """The rows meant by ids, indexes or count."""
        if "ids" in body:
            rows = [self.row_of(table, text) for text in body["ids"]]
        elif "indexes" in body:
            rows = [int(index) for index in body["indexes"]]
        else:
            rows = list(itertools.islice(filter(table.live, range(table.next)), int(body.get("count", 1))))
        missing = [row for row in rows if not table.exists(row)]
        if missing:
            raise Wrong("no such rows: %s" % missing)
        return rows

    @staticmethod
    def row_of(table, text):
        full = canonical(text)
        row = table.index_of(full) if full else None
        if row is None:
            raise Wrong("no Id of %s: %s" % (table.sobject.name, text))
        return row

    def post_change(self, body):
        sobject = self.sobject(body)
        table = self.world.table(sobject)
        rows = self.rows(body, table)
        with self.world.transaction():
            for row in rows:
                self.change(sobject, table, row, body.get("set", {}))
        return {"ids": [table.id_of(row) for row in rows]}

    def change(self, sobject, table, row, values):
        """As another user would; what no user may write (a read-only object) is changed as automation would."""
        if sobject.has("updateable"):
            writes.update(self.world, sobject, row, values, OTHER_USER)
            return
        changed = {sobject.field(name).name: value for name, value in values.items()}
        writes.stamp(self.world, sobject, changed, OTHER_USER)
        table.change(row, changed)

    def post_delete(self, body):
        sobject = self.sobject(body)
        table = self.world.table(sobject)
        rows = self.rows(body, table)
        with self.world.transaction():
            for row in rows:
                writes.remove(self.world, sobject, row, OTHER_USER, bool(body.get("hard")))
        return {"ids": [table.id_of(row) for row in rows]}

    def post_undelete(self, body):
        sobject = self.sobject(body)
        table = self.world.table(sobject)
        rows = self.rows(body, table)
        for row in rows:
            changed = {"IsDeleted": False}
            writes.stamp(self.world, sobject, changed, OTHER_USER)
            table.change(row, changed)
        return {"ids": [table.id_of(row) for row in rows]}

    def post_create(self, body):
        sobject = self.sobject(body)
        with self.world.transaction():
            return {"id": writes.create(self.world, sobject, body.get("fields", {}), OTHER_USER)}

    def get_ids(self, query):
        table = self.world.table(self.sobject(query))
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", 200))
        if not table.overlay and not table.purged:
            return {"ids": table.space.ids_of(range(offset, min(offset + limit, table.base)))}
        live = filter(table.live, range(table.next))
        return {"ids": table.space.ids_of(list(itertools.islice(live, offset, offset + limit)))}

    def get_record(self, query):
        sobject = self.sobject(query)
        table = self.world.table(sobject)
        row = self.row_of(table, query["id"])
        if not table.exists(row):
            raise Wrong("no such record")
        values = {field.name: self.plain(field, table.value(field, row)) for field in sobject.fields if field.type != "base64"}
        return {"values": values, "index": row}

    def get_body(self, query):
        """What the org has in a record's base64 field."""
        table, row, field = self.body_place(query)
        content = records.blob_content(self.world, table, field, row)
        return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def post_body(self, body):
        """Another user puts `size` bytes, made from `seed`, in its place."""
        table, row, field = self.body_place(body)
        content = hashlib.shake_128(str(body.get("seed", 0)).encode()).digest(int(body["size"]))
        if "text" in body:
            content = body["text"].encode()
        with self.world.transaction():
            writes.update(self.world, table.sobject, row, {field.name: Blob(content)}, OTHER_USER)
        return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}

    def body_place(self, asked):
        sobject = self.sobject(asked)
        table = self.world.table(sobject)
        row = self.row_of(table, asked["id"])
        field = next((field for field in sobject.fields if field.type == "base64"), None)
        if field is None or not table.exists(row):
            raise Wrong("no such body")
        return table, row, field

    @staticmethod
    def plain(field, value):
        return loads(field.text(value))

    def get_objects(self, query):
        return {"objects": {name: {"rows": table.next - len(table.purged), "prefix": table.sobject.prefix}
                            for name, table in sorted(self.world.tables.items())}}

    def post_add_field(self, body):
        sobject = self.sobject(body)
        spec = dict(body["field"])
        kind, name = spec.pop("type", "string"), spec.pop("name")
        if sobject.field(name):
            raise Wrong("field exists: %s" % name)
        unknown = set(spec) - set(FIELD_OPTIONS) - {"value"}
        if unknown:
            raise Wrong("unknown field options: %s" % sorted(unknown))
        value = spec.pop("value", None)
        generator = Pick(value) if isinstance(value, list) else Const(value) if value is not None else None
        self.world.add_field(sobject, Field(kind, name, generator, **spec))
        return {"field": name}

    def post_remove_field(self, body):
        sobject = self.sobject(body)
        self.world.remove_field(sobject, body["field"])
        return {"field": body["field"]}

    # the org

    def post_expire_sessions(self, body):
        self.org.login.expire_sessions()
        return {}

    def post_expire_locators(self, body):
        self.org.cursors.expire()
        return {}

    def post_quota(self, body):
        self.world.used = int(body.get("used", self.world.used))
        self.world.quota = int(body.get("max", self.world.quota))
        return {"used": self.world.used, "max": self.world.quota}

    def get_quota(self, query):
        return {"used": self.world.used, "max": self.world.quota}

    def post_replication(self, body):
        self.world.future_windows = bool(body["future"])
        return {}

    def post_latency(self, body):
        self.org.latency_ms = float(body["ms"])
        return {}

    def post_token(self, body):
        login = self.org.login
        login.rotation = bool(body.get("rotation", login.rotation))
        login.hold_ms = float(body.get("hold_ms", body.get("token_hold_ms", login.hold_ms)))
        login.session_seconds = body.get("session_seconds", login.session_seconds)
        if "policies" in body:
            unknown = [name for name in body["policies"] if not refusals.known(name)]
            if unknown:
                raise Wrong("unknown policies: %s" % unknown)
            login.policies = list(body["policies"])
        if "fail" in body:
            failure = {"status": 400, "error": "invalid_grant", "error_description": "authentication failure", "times": 1}
            login.failures[:] = [dict(failure, **body["fail"])] if body["fail"] else []
        return {}

    def post_revoke(self, body):
        self.org.login.revoke_all()
        return {}

    def post_faults(self, body):
        specs = body if isinstance(body, list) else body.get("faults", [])
        self.org.faults.set(specs)
        return {"faults": len(specs)}

    def get_faults(self, query):
        return {"faults": [dict(fault.spec, skip=fault.skip, times=fault.times) for fault in self.org.faults.faults]}
