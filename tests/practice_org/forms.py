# SPDX-License-Identifier: MIT
"""multipart/form-data: a record's fields as JSON in one part, binary content in parts named after its fields."""
import re

from .errors import json_parser_error, refuse
from .jsontext import loads
from .validation import Blob

TYPE = "multipart/form-data"
BOUNDARY = re.compile(r';\s*boundary=(?:"([^"]+)"|([^\s;]+))')
PARAMETER = re.compile(r';\s*(\w+)="([^"]*)"')


def malformed(reason):
    return refuse(400, "INVALID_MULTIPART_REQUEST", reason)


def record(content_type, body):
    """{field: value}, binary values as Blob."""
    found = BOUNDARY.search(content_type)
    boundary = (found.group(1) or found.group(2)) if found else ""
    if not boundary or len(boundary) > 70:
        raise malformed("Multipart message boundary must have 1 to 70 characters")
    values, blobs = {}, {}
    for headers, content in parts(body, b"--" + boundary.encode("latin-1")):
        disposition, kind = headers.get("content-disposition", ""), headers.get("content-type", "")
        parameters = dict(PARAMETER.findall(disposition))
        if not disposition.startswith("form-data") or not kind or "name" not in parameters:
            raise malformed("Each part needs Content-Disposition with a name, and Content-Type")
        if kind.split(";")[0].strip() == "application/json" and "filename" not in parameters:
            values = json_part(content)
        elif "filename" not in parameters:
            raise malformed("The part %s needs a filename" % parameters["name"])
        else:
            blobs[parameters["name"]] = Blob(content)
    return dict(values, **blobs)


def json_part(content):
    try:
        values = loads(content.decode("utf-8"))
    except ValueError:
        raise json_parser_error("Unexpected character at [line:1, column:1]") from None
    if not isinstance(values, dict):
        raise json_parser_error("Cannot deserialize request body: an object is expected at [line:1, column:1]")
    return values


def parts(body, mark):
    """(headers, content) of each part."""
    position = body.find(mark)
    while position >= 0:
        position += len(mark)
        if body[position:position + 2] == b"--":
            return
        end = body.find(b"\r\n" + mark, position)
        head_end = body.find(b"\r\n\r\n", position)
        if end < 0 or head_end < 0 or head_end > end:
            break
        lines = body[position:head_end].decode("utf-8", "replace").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        yield headers, body[head_end + 4:end]
        position = end + 2
    raise malformed("The multipart message is incomplete")
