# SPDX-License-Identifier: MIT
"""/composite and /composite/batch: several requests in one."""
import json
import re
import urllib.parse

from .errors import ApiError, json_parser_error, refuse
from .jsontext import Raw, dumps
from .limits import KNOWN
from .rest import Answer, Call, answer, error_answer, perform

MAX_PARTS, MAX_QUERIES = 25, 5
COLLATING_SINCE = 49
REFERENCE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_]*\Z")
REFERENCE = re.compile(r"@\{([A-Za-z0-9_]+)((?:\.[A-Za-z0-9_]+|\[\d+\])*)\}")
STEP = re.compile(r"\.([A-Za-z0-9_]+)|\[(\d+)\]")
URL = re.compile(r"[!#-;=?-\[\]_a-z~{}|^]*\Z")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
FORBIDDEN_HEADERS = ("accept", "authorization", "content-type")
COSTLY = ("query", "query_page", "collections_read", "collections_write")
ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."


class Part:
    """One subrequest of a composite request."""

    def __init__(self, entry):
        self.method = str(entry.get("method", "")).upper()
        self.url = entry.get("url")
        self.reference_id = entry.get("referenceId")
        self.headers = entry.get("httpHeaders") or {}
        self.body = entry.get("body")
        self.kind = "other"
        self.answer = None
        self.references = {found.group(1) for found in REFERENCE.finditer("%s %s" % (self.url, self.body))}

    def check(self):
        if not isinstance(self.reference_id, str) or not REFERENCE_ID.match(self.reference_id):
            raise json_parser_error("Provided referenceId ('%s') must start with a letter or a number, and it can contain "
                                    "only letters, numbers and underscores ('_')." % self.reference_id)
        if self.method not in METHODS:
            raise json_parser_error("HTTP Method '%s' is not supported in a composite request" % self.method)
        if not isinstance(self.url, str) or not self.url.startswith("/services/data/v"):
            raise json_parser_error("Invalid url '%s': it must start with /services/data/vXX.X/" % self.url)
        if not URL.match(self.url):
            raise json_parser_error("Illegal character in url of '%s'" % self.reference_id)
        if not isinstance(self.headers, dict):
            raise json_parser_error("httpHeaders must be an object")
        for name in self.headers:
            if name.lower() in FORBIDDEN_HEADERS:
                raise refuse(400, "INVALID_HTTP_HEADER", "The header %s is not allowed in a subrequest" % name)

    def value(self):
        """What other parts may refer to."""
        return json.loads(self.answer.text) if self.answer.text else None

    def reads(self):
        return self.method == "GET"


def parts_of(call):
    body = call.json_object()
    entries = body.get("compositeRequest")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise json_parser_error("compositeRequest is required")
    if len(entries) > MAX_PARTS:
        raise refuse(400, "LIMIT_EXCEEDED", "Limit of %d reached for operation: composite" % MAX_PARTS)
    parts = [Part(entry) for entry in entries]
    for part in parts:
        part.check()
    names = [part.reference_id for part in parts]
    if len(set(names)) != len(names):
        raise json_parser_error("Each referenceId must be unique within a composite request")
    limit_costly(call, parts)
    return parts, body


def limit_costly(call, parts):
    for part in parts:
        part.kind = call.org.routes.match(inner_call(call, part.method, part.url, part.headers, part.body))[0]
    if sum(1 for part in parts if part.kind in COSTLY) > MAX_QUERIES:
        raise refuse(400, "LIMIT_EXCEEDED", "A composite request can hold at most %d queries and collection operations"
                     % MAX_QUERIES)


def inner_call(call, method, url, headers, body):
    lower = {name.lower(): str(value) for name, value in headers.items()}
    return Call(call.org, method, url, lower, body, call.instance_url, inner=True)


def composite(call):
    parts, body = parts_of(call)
    all_or_none = body.get("allOrNone") is True
    collate = body.get("collateSubrequests", call.version_number >= COLLATING_SINCE) is not False
    done = {}
    with call.world.transaction() as transaction:
        for part in in_order(parts, collate):
            part.answer = run(call, part, done)
            done[part.reference_id] = part
            if all_or_none and part.answer.status >= 400:
                transaction.fail()
                halt(parts, part)
                break
    call.parts = [logged(part) for part in parts]
    return answer({"compositeResponse": [shown(part) for part in parts]})


def logged(part):
    entry = {"method": part.method, "url": part.url, "kind": part.kind, "status": part.answer.status}
    return dict(entry, body=json.loads(dumps(part.body))) if part.body is not None else entry


def in_order(parts, collate):
    """With collation the org is free to order: here, of a run of parts without headers, reads come before writes."""
    if not collate:
        return parts
    ordered, run_of_parts = [], []
    for part in parts:
        if part.headers:
            ordered += reads_first(run_of_parts) + [part]
            run_of_parts = []
        else:
            run_of_parts.append(part)
    return ordered + reads_first(run_of_parts)


def reads_first(parts):
    """Stable, and never a part before one that it refers to."""
    early, names = [], {part.reference_id for part in parts}
    for part in parts:
        ready = {one.reference_id for one in early}
        if part.reads() and not (part.references & names) - ready:
            early.append(part)
    return early + [part for part in parts if part not in early]


def run(call, part, done):
    try:
        url = substitute(part.url, done, quoted=True)
        body = substitute(part.body, done)
    except ApiError as error:
        return error_answer(error)
    inner = inner_call(call, part.method, url, part.headers, body)
    if inner.version not in KNOWN:
        return error_answer(refuse(404, "NOT_FOUND", "The requested resource does not exist"))
    kind, handler = call.org.routes.match(inner)
    if kind == "composite":
        return error_answer(refuse(400, "INVALID_INPUT", "A composite request cannot hold another one"))
    injected = call.org.faults.for_part(kind, url)
    return error_answer(injected) if injected else perform(handler, inner)


def substitute(value, done, quoted=False):
    """References replaced by what earlier answers hold."""
    if isinstance(value, dict):
        return {key: substitute(item, done) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, done) for item in value]
    if not isinstance(value, str) or "@{" not in value:
        return value

    def replacement(match):
        found = follow(match, done)
        return urllib.parse.quote(str(found), safe="") if quoted else str(found)
    return REFERENCE.sub(replacement, value)


def follow(match, done):
    name, path = match.groups()
    part = done.get(name)
    found = part.value() if part else None
    for key, position in STEP.findall(path):
        if isinstance(found, dict):
            found = next((item for field, item in found.items() if field.lower() == key.lower()), None)
        elif isinstance(found, list) and position and int(position) < len(found):
            found = found[int(position)]
        else:
            found = None
    if found is None:
        raise refuse(400, "PROCESSING_HALTED", "Invalid reference specified. No value for %s%s found in %s" % (name, path, name))
    return found


def halt(parts, culprit):
    """The answers of the parts that a failure takes with it."""
    body = Answer(400, '[{"errorCode":"PROCESSING_HALTED","message":"%s"}]' % ROLLED_BACK)
    for part in parts:
        if part is not culprit:
            part.answer = body


def shown(part):
    reply = part.answer
    return {"body": Raw(reply.text) if reply.text else None, "httpHeaders": dict(reply.headers),
            "httpStatusCode": reply.status, "referenceId": part.reference_id}


# batch

def batch(call):
    body = call.json_object()
    entries = body.get("batchRequests")
    if not isinstance(entries, list) or not entries or not all(isinstance(entry, dict) for entry in entries):
        raise json_parser_error("batchRequests is required")
    if len(entries) > MAX_PARTS:
        raise refuse(400, "LIMIT_EXCEEDED", "Limit of %d reached for operation: batch" % MAX_PARTS)
    call.cost = len(entries)
    halt_on_error, results, failed = body.get("haltOnError") is True, [], False
    call.parts = []
    for entry in entries:
        if failed and halt_on_error:
            reply = error_answer(refuse(412, "BATCH_PROCESSING_HALTED", "Batch processing halted per request"))
        else:
            reply = run_batch_entry(call, entry)
        failed = failed or reply.status >= 400
        results.append({"statusCode": reply.status, "result": Raw(reply.text) if reply.text else None})
    return answer({"hasErrors": failed, "results": results})


def run_batch_entry(call, entry):
    url = str(entry.get("url", ""))
    if not url.startswith("/services/data/"):
        url = "/services/data/" + url.lstrip("/")
    inner = inner_call(call, str(entry.get("method", "GET")), url, {}, entry.get("richInput"))
    if inner.version not in KNOWN:
        kind, reply = "other", error_answer(refuse(404, "NOT_FOUND", "The requested resource does not exist"))
    else:
        kind, handler = call.org.routes.match(inner)
        injected = call.org.faults.for_part(kind, url)
        reply = error_answer(injected) if injected else perform(handler, inner)
    call.parts.append({"method": inner.method, "url": url, "kind": kind, "status": reply.status})
    return reply
