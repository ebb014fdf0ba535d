# SPDX-License-Identifier: MIT
"""/composite/sobjects: many records in one call, each with its own result."""
from .errors import ApiError, as_row_errors, json_parser_error, no_column, refuse, resource_missing, row_locked
from .ids import canonical
from .jsontext import Raw
from .lookup import by_external_id
from .rest import answer
from .selection import render, whole
from .writes import create, delete, find_for_write, update

MAX_WRITES, MAX_READS, MAX_CHUNKS = 200, 2000, 10


def limit_exceeded(message):
    return refuse(400, "LIMIT_EXCEEDED", message)


def records_of(call):
    body = call.json_object()
    records = body.get("records")
    if not isinstance(records, list) or not records:
        raise refuse(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
    if len(records) > MAX_WRITES:
        raise limit_exceeded("record limit reached. cannot submit more than %d records into this call" % MAX_WRITES)
    if not all(isinstance(record, dict) for record in records):
        raise json_parser_error("Cannot deserialize records: objects are expected at [line:1, column:1]")
    types = [str((record.get("attributes") or {}).get("type")) for record in records]
    if 1 + sum(1 for one, following in zip(types, types[1:]) if one != following) > MAX_CHUNKS:
        raise limit_exceeded("the records change their type more than %d times" % MAX_CHUNKS)
    return records, body.get("allOrNone") is True


def type_of(call, record):
    attributes = record.get("attributes")
    name = attributes.get("type") if isinstance(attributes, dict) else None
    sobject = call.world.find_object(name) if isinstance(name, str) else None
    if sobject is None:
        raise refuse(400, "INVALID_TYPE", "sObject type '%s' is not supported." % name)
    return sobject


def without(record, *names):
    return {key: value for key, value in record.items() if key.lower() not in names}


def each(call, items, all_or_none, work):
    """One result per item. A failed item undoes itself; with all_or_none, it undoes all of them."""
    results, failed = [], 0
    with call.world.transaction() as whole_call:
        for item in items:
            result = one(call, item, work)
            failed += not result["success"]
            results.append(result)
        if all_or_none and failed:
            whole_call.fail()
    return answer(rolled_back(results) if all_or_none and failed else results)


def one(call, item, work):
    try:
        if call.org.faults.locks_row(call):
            raise row_locked()
        with call.world.transaction():
            return work(item)
    except ApiError as error:
        return {"success": False, "errors": as_row_errors(error)}


def rolled_back(results):
    reason = {"statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK", "message": "Record rolled back because not all records "
              "were valid and the request was using AllOrNone header", "fields": []}
    return [{"success": False, "errors": [reason]} if result["success"] else result for result in results]


def success(record_id, **more):
    return dict({"id": record_id, "success": True, "errors": []}, **more)


def create_many(call):
    records, all_or_none = records_of(call)

    def work(record):
        return success(create(call.world, type_of(call, record), without(record, "attributes")))
    return each(call, records, all_or_none, work)


def update_many(call):
    records, all_or_none = records_of(call)

    def work(record):
        record_id = next((value for key, value in record.items() if key.lower() == "id"), None)
        if record_id is None:
            raise refuse(400, "MISSING_ARGUMENT", "Id not specified in an update call")
        sobject = type_of(call, record)
        row = find_for_write(call.world, sobject, record_id)
        update(call.world, sobject, row, without(record, "attributes", "id"))
        return success(call.world.table(sobject).id_of(row))
    return each(call, records, all_or_none, work)


def upsert_many(call):
    records, all_or_none = records_of(call)
    sobject = call.world.find_object(call.segments[2])
    if sobject is None:
        raise resource_missing()
    field = sobject.field(call.segments[3])
    if field is None or not field.id_lookup:
        raise no_column(call.segments[3], sobject.name)
    return each(call, records, all_or_none, lambda record: upsert_one(call, sobject, field, record))


def upsert_one(call, sobject, field, record):
    key = next((value for name, value in record.items() if name.lower() == field.name.lower()), None)
    if key is None:
        raise refuse(400, "MISSING_ARGUMENT", "%s not specified" % field.name, [field.name])
    table = call.world.table(sobject)
    rows = by_external_id(table, field, key)
    if len(rows) > 1:
        raise refuse(400, "DUPLICATE_EXTERNAL_ID", "%s: more than one record found for external id field" % field.name)
    if not rows:
        return success(create(call.world, sobject, without(record, "attributes")), created=True)
    update(call.world, sobject, rows[0], without(record, "attributes", field.name.lower()))
    return success(table.id_of(rows[0]), created=False)


def delete_many(call):
    ids = [text for text in call.params.get("ids", "").split(",") if text]
    if not ids:
        raise refuse(400, "REQUIRED_FIELD_MISSING", "At least 1 record is required")
    if len(ids) > MAX_WRITES:
        raise limit_exceeded("record limit reached. cannot submit more than %d records into this call" % MAX_WRITES)

    def work(record_id):
        full = canonical(record_id)
        table = full and call.world.table_of_id(full)
        if not table:
            raise refuse(400, "MALFORMED_ID", "malformed id %s" % record_id)
        row = find_for_write(call.world, table.sobject, full)
        delete(call.world, table.sobject, row)
        return success(full)
    return each(call, ids, call.params.get("allOrNone", "").lower() == "true", work)


# reading

def read_by_url(call):
    return read(call, call.params.get("ids", "").split(","), call.params.get("fields", "").split(","))


def read_by_body(call):
    body = call.json_object()
    return read(call, body.get("ids"), body.get("fields"))


def read(call, ids, names):
    sobject = call.world.find_object(call.segments[2])
    if sobject is None:
        raise resource_missing()
    ids, names = texts(ids, "ids"), texts(names, "fields")
    if len(ids) > MAX_READS:
        raise limit_exceeded("record limit reached. cannot read more than %d records in this call" % MAX_READS)
    table = call.world.table(sobject)
    chosen = whole(sobject, names)
    rows = [row_of(table, text) for text in ids]
    found = list(dict.fromkeys(row for row in rows if row is not None))
    rendered = dict(zip(found, map(Raw, render(call.world, table, chosen, found, call.version))))
    return answer([rendered.get(row) for row in rows])


def texts(values, name):
    values = [value for value in values if value] if isinstance(values, list) else []
    if not values or not all(isinstance(value, str) for value in values):
        raise refuse(400, "MISSING_ARGUMENT", "The %s parameter is required" % name)
    return [value.strip() for value in values]


def row_of(table, text):
    """The row to show, or None for what is no Id, missing, deleted or of another object."""
    full = canonical(text)
    row = table.index_of(full) if full else None
    return row if row is not None and table.live(row) else None
