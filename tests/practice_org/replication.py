# SPDX-License-Identifier: MIT
"""/updated and /deleted: the Ids of what changed in a window of whole minutes."""
from . import clock
from .errors import refuse
from .jsontext import dumps
from .rest import Answer

UPDATED_DAYS, DELETED_DAYS = 30, 15


def bad_window(message):
    return refuse(400, "INVALID_REPLICATION_DATE", message)


def moment(call, name):
    text = call.params.get(name)
    if text is None:
        raise refuse(400, "MISSING_ARGUMENT", "Missing parameter: %s" % name)
    found = clock.parse_datetime(text)
    if found is None:
        raise bad_window("Invalid date: %s" % text)  # an unencoded + arrives as a space
    return clock.start_of_minute(found)


def window(call, days):
    start, end, now = moment(call, "start"), moment(call, "end"), clock.now()
    if start < now - days * clock.DAY:
        raise bad_window("startDate cannot be more than %d days ago" % days)
    if start > now:
        raise bad_window("startDate must be before the current time")
    if end - start < 60:
        raise bad_window("endDate must be at least one minute greater than startDate")
    if end > now and not call.world.future_windows:
        raise bad_window("endDate must be before the current time")
    return start, end, min(end, clock.start_of_minute(now))


def replicated(call):
    sobject = call.sobject()
    if not sobject.has("replicateable"):
        raise refuse(400, "INVALID_TYPE_FOR_OPERATION", "entity type %s is not replicateable" % sobject.name)
    return call.world.table(sobject)


def date(seconds):
    return clock.datetime_text(seconds)


def updated(call):
    table = replicated(call)
    start, end, covered = window(call, UPDATED_DAYS)
    field = next(filter(None, map(table.sobject.field, ("SystemModstamp", "LastModifiedDate", "CreatedDate"))))
    rows = table.overlaid_rows(False)
    ids = [table.id_of(row) for row, stamp in zip(rows, table.values(field, rows)) if start <= stamp < end]
    return Answer(text=dumps({"ids": ids, "latestDateCovered": date(covered)}))


def deleted(call):
    table = replicated(call)
    start, end, covered = window(call, DELETED_DAYS)
    moments = dict(table.purged)
    stamp = table.sobject.field("SystemModstamp")
    moments.update((row, table.value(stamp, row)) for row in table.overlay if table.is_deleted(row))
    found = [{"id": table.id_of(row), "deletedDate": date(when)} for row, when in sorted(moments.items())
             if start <= when < end]
    earliest = clock.start_of_minute(call.world.earliest_delete())
    return Answer(text=dumps({"deletedRecords": found, "earliestDateAvailable": date(earliest),
                              "latestDateCovered": date(covered)}))
