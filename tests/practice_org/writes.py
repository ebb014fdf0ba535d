# SPDX-License-Identifier: MIT
"""Create, update, delete: the same whether they come alone, in a collection or inside a composite request."""
from . import clock
from .errors import cross_reference_missing, entity_deleted, refuse
from .ids import canonical
from .lookup import by_external_id
from .validation import Blob, accept
from .world import API_USER

SIZE_OF_BLOB = {"Body": "BodyLength", "VersionData": "ContentSize"}


def check_flag(sobject, flag, verb):
    if not sobject.has(flag):
        raise refuse(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY" if verb != "deleted" else "INSUFFICIENT_ACCESS_OR_READONLY",
                     "entity type cannot be %s: %s" % (verb, sobject.name), [])


def create(world, sobject, body, actor=API_USER):
    """The Id of the new record."""
    check_flag(sobject, "createable", "inserted")
    table = world.table(sobject)
    asked = accept(world, sobject, body, creating=True)
    blobs = take_blobs(asked)
    values = {field.name: asked.get(field.name, initial(field)) for field in sobject.fields if field.stored}
    defaults(world, sobject, values, asked, actor)
    check_required(sobject, values, blobs, [field for field in sobject.fields if field.required])
    apply_business_rules(sobject, values, set(asked))
    check_unique(world, sobject, values, set(asked), None)
    row = table.create(values)
    name_new_row(table, row, values)
    keep_blobs(table, row, blobs, values)
    stamp(world, sobject, values, actor, created=True)
    return table.id_of(row)


def initial(field):
    return field.default if field.default is not None else False if field.type == "boolean" else None


def defaults(world, sobject, values, asked, actor):
    if "OwnerId" in values and values["OwnerId"] is None:
        values["OwnerId"] = world.id_space("User").id_of(actor)
    for field in sobject.fields:
        if field.stored and field.defaulted_on_create and field.default is not None and values[field.name] is None:
            values[field.name] = field.default


def name_new_row(table, row, values):
    """Numbers are given by the org; a custom object's record without a name is named by its Id."""
    values["Id"] = table.id_of(row)
    for field in table.sobject.fields:
        if field.auto_number:
            values[field.name] = field.base_values([row])[0]
        elif field.name_field and field.defaulted_on_create and field.stored and values[field.name] is None:
            values[field.name] = values["Id"][:15]


def stamp(world, sobject, values, actor, created=False):
    moment = clock.now()
    user = world.id_space("User").id_of(actor)
    new = {"LastModifiedDate": moment, "SystemModstamp": moment, "LastModifiedById": user}
    if created:
        new.update(CreatedDate=moment, CreatedById=user)
    values.update({name: value for name, value in new.items() if sobject.field(name)})


def take_blobs(asked):
    blobs = {name: value.content for name, value in asked.items() if isinstance(value, Blob)}
    for name in blobs:
        del asked[name]
    return blobs


def keep_blobs(table, row, blobs, values):
    for name, content in blobs.items():
        table.blobs[row, name] = content
        size = SIZE_OF_BLOB.get(name)
        if size and table.sobject.field(size):
            values[size] = len(content)


def check_required(sobject, values, blobs, fields):
    missing = [field.name for field in fields if values.get(field.name) is None and field.name not in blobs]
    if missing:
        raise refuse(400, "REQUIRED_FIELD_MISSING", "Required fields are missing: [%s]" % ", ".join(missing), missing)


def apply_business_rules(sobject, values, changed):
    for trigger in sobject.triggers:
        trigger(values, changed)
    for rule in sobject.rules:
        rule(values, changed)


def check_unique(world, sobject, values, changed, own_row):
    table = world.table(sobject)
    for field in sobject.fields:
        if not field.unique or field.name not in changed or values[field.name] is None:
            continue
        for row in by_external_id(table, field, values[field.name]):
            if row != own_row:
                raise refuse(400, "DUPLICATE_VALUE", "duplicate value found: %s duplicates value on record with id: %s"
                             % (field.name, table.id_of(row)[:15]), [])


def find_for_write(world, sobject, record_id):
    """The row to write to. Wrong Ids, deleted and missing records are told apart, as the org does."""
    table = world.table(sobject)
    full = canonical(record_id)
    if full is None:
        raise refuse(400, "MALFORMED_ID", "malformed id %s" % record_id, ["Id"])
    if not sobject.prefix or not full.startswith(sobject.prefix):
        raise refuse(400, "MALFORMED_ID", "Record ID: id value of incorrect type: %s" % record_id, ["Id"])
    row = table.index_of(full)
    if row is None or not table.exists(row):
        raise cross_reference_missing()
    if table.is_deleted(row):
        raise entity_deleted()
    return row


def update(world, sobject, row, body, actor=API_USER):
    check_flag(sobject, "updateable", "updated")
    table = world.table(sobject)
    asked = accept(world, sobject, body, creating=False)
    blobs = take_blobs(asked)
    values = dict(table.row(row), **asked)
    fields = [sobject.field(name) for name in asked]
    check_required(sobject, values, blobs, [field for field in fields if not field.nillable and field.type != "boolean"])
    before = dict(values)
    apply_business_rules(sobject, values, set(asked))
    check_unique(world, sobject, values, set(asked), row)
    changed = dict(asked, **{name: value for name, value in values.items() if before[name] != value})
    keep_blobs(table, row, blobs, changed)
    stamp(world, sobject, changed, actor)
    table.change(row, changed)


def delete(world, sobject, row, actor=API_USER):
    check_flag(sobject, "deletable", "deleted")
    remove(world, sobject, row, actor)


def remove(world, sobject, row, actor, hard=False):
    """Without asking who may."""
    table = world.table(sobject)
    moment = clock.now()
    if hard or not sobject.has("undeletable"):
        table.purge(row, moment)
        return
    changed = {"IsDeleted": True}
    stamp(world, sobject, changed, actor)
    table.change(row, changed)
