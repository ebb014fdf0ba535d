# SPDX-License-Identifier: MIT
"""Queries: from SOQL to pages. A result is a snapshot of rows; their values are read when a page is asked for."""
import bisect
import collections
import itertools

from . import clock, soql
from .errors import malformed_query, refuse
from .filters import bind, matching, plain_conditions
from .fields import TEXT_TYPES
from .generators import salt_of
from .ids import ALPHABET, to_18
from .jsontext import dumps
from .selection import Path, render, resolve, select

MIN_BATCH, MAX_BATCH = 200, 2000
PAGE_CELLS = 150000
CURSOR_LIFE = 2 * clock.DAY
MAX_CURSORS = 5000


class Rows:
    """A sequence of rows made of ranges and lists, never spelled out."""

    def __init__(self, segments):
        self.segments = [segment for segment in segments if len(segment)]
        self.starts = list(itertools.accumulate(map(len, self.segments), initial=0))

    def __len__(self):
        return self.starts[-1]

    def slice(self, start, stop):
        stop = min(stop, len(self))
        found, place = [], max(0, bisect.bisect_right(self.starts, start) - 1)
        while start < stop and place < len(self.segments):
            first = self.starts[place]
            found.append(self.segments[place][start - first:stop - first])
            start = self.starts[place + 1]
            place += 1
        return found[0] if len(found) == 1 else list(itertools.chain.from_iterable(found))

    def cut(self, start, stop):
        """The same rows from start to stop, as Rows."""
        kept = []
        for first, segment in zip(self.starts, self.segments):
            low, high = max(0, start - first), max(0, stop - first)
            kept.append(segment[low:high])
        return Rows(kept)

    def reversed(self):
        return Rows([segment[::-1] for segment in reversed(self.segments)])


def in_index_order(segments, overlaid):
    """Overlaid rows between the base ranges that were cut around them."""
    if not overlaid:
        return Rows(segments)
    pieces = [(segment[0], segment) for segment in segments if isinstance(segment, range)]
    loose = sorted(itertools.chain(overlaid, *(segment for segment in segments if not isinstance(segment, range))))
    pieces.extend((row, [row]) for row in loose)
    return Rows([piece for first, piece in sorted(pieces, key=lambda pair: pair[0])])


class Plan:
    """A checked query: its object, fields, condition and order."""

    def __init__(self, world, text):
        self.world = world
        self.query = query = soql.parse(text)
        self.sobject = self.find_object()
        self.table = world.table(self.sobject)
        if self.sobject.query_rule:
            self.sobject.query_rule(self.sobject, plain_conditions(query.where))
        self.selection = select(world, query, self.sobject)
        self.where = bind(world, query, self.sobject, query.where) if query.where else None
        self.order = [(self.sortable(ordering), ordering) for ordering in query.order]
        self.aggregates = [item for item in query.select if isinstance(item, soql.Aggregate)]
        if self.aggregates and self.selection.items:
            raise malformed_query("Field must be grouped or aggregated: %s" % self.selection.items[0].name)

    def find_object(self):
        query = self.query
        sobject = self.world.find_object(query.object_name)
        if sobject is None:
            raise soql.at(query.text, query.object_start, "sObject type '%s' is not supported. If you are attempting to "
                          "use a custom object, be sure to append the '__c' after the entity name. Please reference your "
                          "WSDL or the describe call for the appropriate names." % query.object_name, "INVALID_TYPE")
        return sobject

    def sortable(self, ordering):
        path = resolve(self.world, self.query, self.sobject, ordering.path, ordering.start)
        if not path.field.kind["sortable"]:
            raise soql.at(self.query.text, ordering.start, "field '%s' can not be sorted in a query call"
                          % path.field.name, "MALFORMED_QUERY")
        return path

    def rows(self, with_deleted):
        segments, overlaid = matching(self.world, self.table, self.where, with_deleted)
        rows = self.ordered(segments, overlaid)
        query = self.query
        if query.offset or query.limit is not None:
            stop = len(rows) if query.limit is None else min(len(rows), query.offset + query.limit)
            rows = rows.cut(query.offset, stop)
        return rows

    def ordered(self, segments, overlaid):
        kind = self.natural_order()
        if kind is None:
            return Rows([self.sorted_rows(in_index_order(segments, overlaid))])
        by_stamp, descending = kind
        if by_stamp:
            rows = Rows(segments + [self.by_stamp(overlaid)])
        else:
            rows = in_index_order(segments, overlaid)
        return rows.reversed() if descending else rows

    def natural_order(self):
        """(by stamp?, descending?) if the order is one that the indexes already have, else None."""
        names, directions = [], set()
        for path, ordering in self.order:
            if path.hops:
                return None
            names.append(path.field.name)
            directions.add(ordering.descending)
        descending = directions == {True}
        stamp = self.sobject.stamp_field()
        if len(directions) > 1:
            return None
        if not names or names[0] == "Id":
            return False, descending
        if stamp and names[0] == stamp.name and names[1:] in ([], ["Id"]):
            return stamp.name == "SystemModstamp", descending
        return None

    def by_stamp(self, rows):
        """Overlaid rows were touched after the start, so all of them come after the base rows."""
        stamps = self.table.values(self.sobject.stamp_field(), rows)
        return [row for stamp, row in sorted(zip(stamps, rows))]

    def sorted_rows(self, rows):
        found = list(rows.slice(0, len(rows)))
        for path, ordering in reversed(self.order):
            column = path.values(self.world, self.table, found)
            if path.field.type in TEXT_TYPES and path.field.type not in ("id", "reference"):
                column = [value.lower() if isinstance(value, str) else value for value in column]
            pairs = list(zip(column, found))
            empty = [row for value, row in pairs if value is None]
            full = [pair for pair in pairs if pair[0] is not None]
            full.sort(key=lambda pair: pair[0], reverse=ordering.descending)
            filled = [row for value, row in full]
            found = filled + empty if ordering.nulls_last else empty + filled
        return found

    def page_rows(self, batch):
        """The server shortens pages of wide rows."""
        return min(batch, max(MIN_BATCH, PAGE_CELLS // max(1, self.selection.weight())))

    def aggregate_text(self, with_deleted):
        rows = self.rows(with_deleted)
        found = list(rows.slice(0, len(rows)))
        parts, unnamed = [], 0
        for item in self.aggregates:
            path = resolve(self.world, self.query, self.sobject, item.path, item.start)
            name = item.alias
            if name is None:
                name, unnamed = "expr%d" % unnamed, unnamed + 1
            parts.append('"%s":%s' % (name, self.aggregate_value(item.function, path, found)))
        return '{"totalSize":1,"done":true,"records":[{"attributes":{"type":"AggregateResult"},%s}]}' % ",".join(parts)

    def aggregate_value(self, function, path, rows):
        if function == "count" and isinstance(path, Path) and path.field.type == "id" and not path.hops:
            return str(len(rows))
        values = [value for value in path.values(self.world, self.table, rows) if value is not None]
        if function == "count":
            return str(len(values))
        if function == "count_distinct":
            return str(len(set(values)))
        if not values:
            return "null"
        if function in ("min", "max"):
            return path.field.text(min(values) if function == "min" else max(values))
        total = float(sum(values))
        return dumps(total if function == "sum" else total / len(values))


class Cursor:
    def __init__(self, plan, rows, with_deleted, batch):
        self.plan, self.rows, self.with_deleted, self.batch = plan, rows, with_deleted, batch
        self.made = clock.now()

    def page(self, locator, start, version):
        plan, table = self.plan, self.plan.table
        stop = min(start + self.batch, len(self.rows))
        rows = self.rows.slice(start, stop)
        if table.overlay or table.purged:
            keep = table.exists if self.with_deleted else table.live
            rows = [row for row in rows if keep(row)]
        records = render(plan.world, table, plan.selection, rows, version)
        more = "" if stop >= len(self.rows) else ',"nextRecordsUrl":"/services/data/%s/query/%s-%d"' % (
            version, locator, stop)
        done = "false" if more else "true"
        return '{"totalSize":%d,"done":%s%s,"records":[%s]}' % (len(self.rows), done, more, ",".join(records))


class Cursors:
    """The open query results of the org."""

    def __init__(self, world):
        self.world = world
        self.open = collections.OrderedDict()
        self.count = 0

    def query(self, text, with_deleted, batch, version):
        plan = Plan(self.world, text)
        if plan.aggregates:
            return plan.aggregate_text(with_deleted)
        rows = plan.rows(with_deleted)
        if plan.query.count:
            return '{"totalSize":%d,"done":true,"records":[]}' % len(rows)
        cursor = Cursor(plan, rows, with_deleted, plan.page_rows(batch))
        locator = None
        if len(rows) > cursor.batch:
            locator = self.new_locator()
            self.open[locator] = cursor
            if len(self.open) > MAX_CURSORS:
                self.open.popitem(last=False)
        return cursor.page(locator, 0, version)

    def new_locator(self):
        self.count += 1
        number = salt_of(self.world.seed, "cursor", self.count)
        return to_18("0r8xx" + "".join(ALPHABET[number // 62 ** place % 62] for place in range(10)))

    def more(self, text, version):
        locator, dash, offset = text.partition("-")
        cursor = self.open.get(locator)
        if cursor is None or not dash or not offset.isdigit() or cursor.made + CURSOR_LIFE < clock.now():
            raise refuse(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        if int(offset) >= len(cursor.rows):
            raise refuse(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return cursor.page(locator, int(offset), version)

    def expire(self):
        self.open.clear()


def batch_size(header):
    """The page size that Sforce-Query-Options asks for."""
    for option in (header or "").split(","):
        name, equals, value = option.strip().partition("=")
        if name.strip().lower() == "batchsize" and value.strip().isdigit():
            return max(MIN_BATCH, min(MAX_BATCH, int(value)))
    return MAX_BATCH
