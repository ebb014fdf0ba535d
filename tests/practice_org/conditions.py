# SPDX-License-Identifier: MIT
"""Conditional headers: dates for everything that has one, ETags for rows of Account."""
import base64
import hashlib

from . import clock
from .errors import precondition_failed, refuse

TAGGED = "Account"


def header_date(call, name):
    text = call.header(name)
    if text is None:
        return None
    moment = clock.parse_http_date(text)
    if moment is None:
        raise refuse(400, "INVALID_HEADER", "Invalid value for header %s: %s" % (name, text))
    return moment


def not_modified(call, moment):
    """True if the caller's copy is still good; raises if the caller wanted it older than it is."""
    unmodified_since = header_date(call, "if-unmodified-since")
    if unmodified_since is not None and moment is not None and moment > unmodified_since:
        raise precondition_failed()
    since = header_date(call, "if-modified-since")
    return since is not None and moment is not None and moment <= since


def row_etag(table, row):
    stamp = table.value(table.sobject.field("SystemModstamp"), row)
    digest = hashlib.sha1(("%s %d" % (table.id_of(row), stamp)).encode()).digest()
    return '"%s--gzip"' % base64.b64encode(digest[:18]).decode()


def modified_at(table, row):
    field = table.sobject.field("LastModifiedDate")
    return table.value(field, row) if field else None


def row_headers(table, row):
    headers = []
    moment = modified_at(table, row)
    if moment is not None:
        headers.append(("Last-Modified", clock.http_date(moment)))
    if table.sobject.name == TAGGED:
        headers.append(("ETag", row_etag(table, row)))
    return headers


def tags_of(text):
    return [tag.strip() for tag in text.split(",")]


def check_tags(call, table, row):
    """True if a GET may be answered with 304."""
    if table.sobject.name != TAGGED:
        return False
    tag = row_etag(table, row)
    match, none_match = call.header("if-match"), call.header("if-none-match")
    if match is not None and match.strip() != "*" and tag not in tags_of(match):
        raise precondition_failed()
    if none_match is None or tag not in tags_of(none_match):
        return False
    if call.method not in ("GET", "HEAD"):
        raise precondition_failed()
    return True


def fresh_for_reader(call, table, row):
    """Whether a read is answered with 304."""
    by_tag = check_tags(call, table, row)
    return not_modified(call, modified_at(table, row)) or by_tag


def check_for_writer(call, table, row):
    check_tags(call, table, row)
    moment = header_date(call, "if-unmodified-since")
    changed = modified_at(table, row)
    if moment is not None and changed is not None and changed > moment:
        raise precondition_failed()
    header_date(call, "if-modified-since")
