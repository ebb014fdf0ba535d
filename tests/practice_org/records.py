# SPDX-License-Identifier: MIT
"""Resources of one object and of one record: /sobjects/X, /sobjects/X/ID, /sobjects/X/field/value."""
import hashlib

from . import clock
from .conditions import check_for_writer, fresh_for_reader, not_modified, row_headers
from .errors import entity_deleted, external_id_missing, refuse, resource_missing
from .ids import WELL_FORMED, canonical
from .jsontext import dumps
from .lookup import by_external_id
from .rest import Answer, answer
from .selection import render, whole
from .writes import SIZE_OF_BLOB, create, delete, find_for_write, update

BLOB_TYPE = "application/octet-stream"


def basic_info(call):
    sobject, world = call.sobject(), call.world
    text = call.org.describes.text(None, call.version, call.instance_url)
    entry = next(one for one in call.org.global_entries(text) if one["name"] == sobject.name)
    table = world.table(sobject)
    rows = [row for row in range(min(table.base, 5)) if table.live(row)]
    recent = render(world, table, whole(sobject, name_fields(sobject)), rows, call.version)
    return Answer(text='{"objectDescribe":%s,"recentItems":[%s]}' % (dumps(entry), ",".join(recent)))


def name_fields(sobject):
    return ["Id"] + ([sobject.name_field.name] if sobject.name_field else [])


def described(call, sobject):
    describes = call.org.describes
    moment = call.world.describe_changed(sobject.name if sobject else None)
    headers = [("ETag", describes.etag(sobject)), ("Last-Modified", clock.http_date(moment))]
    if not_modified(call, moment):
        return Answer(304, headers=headers)
    return Answer(text=describes.text(sobject, call.version, call.instance_url), headers=headers)


def describe_global(call):
    return described(call, None)


def describe(call):
    return described(call, call.sobject())


# reading

def readable_row(call, sobject):
    """The row of /sobjects/X/ID for a read."""
    text = call.segments[2]
    table = call.world.table(sobject)
    if not WELL_FORMED.match(text):
        raise external_id_missing(text)
    full = canonical(text)
    if full is None:
        raise refuse(400, "MALFORMED_ID", "malformed id %s" % text)
    row = table.index_of(full)
    if row is None or not table.exists(row):
        raise resource_missing()
    if table.is_deleted(row):
        raise entity_deleted()
    return row


def read_row(call, sobject, row):
    table = call.world.table(sobject)
    if not sobject.has("retrieveable"):
        raise resource_missing()
    names = [name.strip() for name in call.params["fields"].split(",")] if "fields" in call.params else None
    chosen = whole(sobject, names)
    headers = row_headers(table, row)
    if fresh_for_reader(call, table, row):
        return Answer(304, headers=headers)
    return Answer(text=render(call.world, table, chosen, [row], call.version)[0], headers=headers)


def retrieve(call):
    sobject = call.sobject()
    return read_row(call, sobject, readable_row(call, sobject))


def external_rows(call, sobject):
    """(key field, value, matching rows) of /sobjects/X/field/value"""
    field = sobject.field(call.segments[2])
    if field is None or not field.id_lookup:
        raise external_id_missing(call.segments[2])
    return field, call.segments[3], by_external_id(call.world.table(sobject), field, call.segments[3])


def several(call, sobject, rows):
    table = call.world.table(sobject)
    base = "/services/data/%s/sobjects/%s/" % (call.version, sobject.name)
    return answer([base + table.id_of(row) for row in rows], 300)


def retrieve_external(call):
    sobject = call.sobject()
    field, value, rows = external_rows(call, sobject)
    if not rows:
        raise resource_missing()
    return several(call, sobject, rows) if len(rows) > 1 else read_row(call, sobject, rows[0])


def blob(call):
    sobject = call.sobject()
    row = readable_row(call, sobject)
    field = sobject.field(call.segments[3])
    if field is None or field.type != "base64":
        raise resource_missing()
    if call.inner:
        raise refuse(400, "INVALID_INPUT", "Binary content cannot be read inside a composite request")
    content = blob_content(call.world, call.world.table(sobject), field, row)
    return Answer(text=content, content_type=BLOB_TYPE)


def blob_content(world, table, field, row):
    """What was stored, or bytes that are a function of the record."""
    if (row, field.name) in table.blobs:
        return table.blobs[row, field.name]
    if row >= table.base:
        raise resource_missing()
    length = table.sobject.field(SIZE_OF_BLOB[field.name])
    size = table.value(length, row) if length else row * 997 % 70000
    return hashlib.shake_128(("%s %s" % (world.seed, table.id_of(row))).encode()).digest(size)


# writing

def create_record(call):
    sobject = call.sobject()
    with call.world.transaction():
        record_id = create(call.world, sobject, call.record())
    return created(call, sobject, record_id, {"id": record_id, "success": True, "errors": []})


def created(call, sobject, record_id, body):
    location = "/services/data/%s/sobjects/%s/%s" % (call.version, sobject.name, record_id)
    return answer(body, 201, [("Location", location)])


def update_record(call):
    sobject, world = call.sobject(), call.world
    body = call.record()
    if not WELL_FORMED.match(call.segments[2]):
        raise external_id_missing(call.segments[2])
    row = find_for_write(world, sobject, call.segments[2])
    check_for_writer(call, world.table(sobject), row)
    with world.transaction():
        update(world, sobject, row, body)
    return Answer(204)


def upsert_record(call):
    sobject, world = call.sobject(), call.world
    body = call.json_object()
    field, value, rows = external_rows(call, sobject)
    if len(rows) > 1:
        return several(call, sobject, rows)
    if any(name.lower() == field.name.lower() for name in body):
        raise refuse(400, "INVALID_FIELD", "The %s field should not be specified in the sobject data." % field.name,
                     [field.name])
    if not rows and call.params.get("updateOnly", "").lower() == "true":
        raise resource_missing()
    with world.transaction():
        if rows:
            update(world, sobject, rows[0], body)
        else:
            record_id = create(world, sobject, dict(body, **{field.name: value}))
    if not rows:
        return created(call, sobject, record_id, upserted(record_id, True))
    if call.version_number < 46:
        return Answer(204)
    return answer(upserted(world.table(sobject).id_of(rows[0]), False))


def upserted(record_id, new):
    return {"id": record_id, "success": True, "errors": [], "created": new}


def delete_record(call):
    sobject, world = call.sobject(), call.world
    if not WELL_FORMED.match(call.segments[2]):
        raise external_id_missing(call.segments[2])
    row = find_for_write(world, sobject, call.segments[2])
    with world.transaction():
        delete(world, sobject, row)
    return Answer(204)


def delete_external(call):
    sobject, world = call.sobject(), call.world
    field, value, rows = external_rows(call, sobject)
    if not rows:
        raise resource_missing()
    if len(rows) > 1:
        return several(call, sobject, rows)
    with world.transaction():
        delete(world, sobject, rows[0])
    return Answer(204)
