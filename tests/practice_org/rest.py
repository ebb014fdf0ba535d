# SPDX-License-Identifier: MIT
"""One call below /services/data/vXX.X: what it is, and the table that says who answers it."""
import re
import urllib.parse

from . import forms
from .errors import ApiError, json_parser_error, method_not_allowed, refuse, resource_missing
from .ids import WELL_FORMED
from .jsontext import dumps, loads

JSON = "application/json;charset=UTF-8"
MAX_JSON = 52428800


VERSION = re.compile(r"v\d+\.0\Z")


class Answer:
    def __init__(self, status=200, text="", headers=(), content_type=JSON):
        self.status, self.text, self.headers, self.content_type = status, text, list(headers), content_type


def answer(value, status=200, headers=()):
    return Answer(status, dumps(value), headers)


def error_answer(error):
    return Answer(error.status, dumps(error.body), error.headers)


class Call:
    """A request to the API, alone or as a part of a composite one."""

    def __init__(self, org, method, target, headers, body, instance_url, inner=False):
        self.org, self.world, self.method, self.headers, self.body = org, org.world, method.upper(), headers, body
        self.instance_url, self.inner = instance_url, inner
        path, _, query = target.partition("?")
        self.path = path
        self.params = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        if self.method == "POST" and "_HttpMethod" in self.params:
            self.method = self.params["_HttpMethod"].upper()
        parts = [urllib.parse.unquote(part) for part in path.split("/")]
        self.version = parts[3] if len(parts) > 3 else ""
        self.segments = parts[4:]
        while self.segments and self.segments[-1] == "":
            self.segments.pop()
        self.cost = 1
        self.parts = None

    @property
    def version_number(self):
        """0 for what is no version: it is refused later."""
        return float(self.version[1:]) if VERSION.match(self.version) else 0

    def header(self, name):
        return self.headers.get(name)

    def sobject(self):
        sobject = self.world.find_object(self.segments[1])
        if sobject is None:
            raise resource_missing()
        return sobject

    def json(self):
        """The body as JSON. A part of a composite request brings it parsed."""
        if self.inner:
            return self.body
        kind = (self.header("content-type") or "").split(";")[0].strip().lower()
        if kind != "application/json":
            raise refuse(415, "UNSUPPORTED_MEDIA_TYPE", "Content type '%s' is not supported" % kind)
        if len(self.body) > MAX_JSON:
            raise refuse(413, "REQUEST_ENTITY_TOO_LARGE", "The request is larger than %d bytes" % MAX_JSON)
        try:
            return loads(self.body.decode("utf-8"))
        except RecursionError:
            raise json_parser_error("The document is nested too deeply") from None
        except ValueError as error:
            place = getattr(error, "lineno", 1), getattr(error, "colno", 1)
            raise json_parser_error("%s at [line:%d, column:%d]" % ((getattr(error, "msg", "Invalid UTF-8"),) + place)) from None

    def record(self):
        """The body of a call that writes one record: JSON, or a form with a part of JSON and parts of binary content."""
        kind = (self.header("content-type") or "").split(";")[0].strip().lower() if not self.inner else ""
        return forms.record(self.header("content-type"), self.body) if kind == forms.TYPE else self.json_object()

    def json_object(self):
        body = self.json()
        if not isinstance(body, dict):
            raise json_parser_error("Cannot deserialize request body: an object is expected at [line:1, column:1]")
        return body


ANY = "*"


class Routes:
    """(path pattern, first version, {method: (kind, handler)}); the first pattern that fits decides."""

    def __init__(self):
        self.table = []

    def add(self, pattern, since=0, **methods):
        self.table.append((tuple(pattern.split("/")) if pattern else (), since, methods))

    def match(self, call):
        """(kind, handler); an unknown path or method gives a handler that refuses."""
        for pattern, since, methods in self.table:
            if fits(pattern, call.segments) and call.version_number >= since:
                if call.method in methods:
                    return methods[call.method]
                return "other", refusing(method_not_allowed(call.method, sorted(methods)))
        return "other", refusing(resource_missing())


def fits(pattern, segments):
    if len(pattern) != len(segments):
        return False
    for wanted, found in zip(pattern, segments):
        if wanted == "{id}":
            if not WELL_FORMED.match(found):
                return False
        elif wanted != ANY and wanted.lower() != found.lower():
            return False
    return True


def refusing(error):
    def handler(call):
        raise error
    return handler


def perform(handler, call):
    """The answer of a handler; what it refuses becomes an answer as well."""
    try:
        return handler(call)
    except ApiError as error:
        return error_answer(error)
