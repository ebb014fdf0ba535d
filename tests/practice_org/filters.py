# SPDX-License-Identifier: MIT
"""WHERE: checks of its literals against the fields, evaluation by columns, and the arithmetic on Ids and stamps."""
import operator

from .fields import NUMBER_TYPES, TEXT_TYPES
from .ids import canonical
from .selection import resolve
from .soql import Condition, Group, at

COMPARISONS = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
CHUNK = 8192


class Test:
    """One condition bound to its field: `holds` maps a column of values to a column of booleans."""

    def __init__(self, condition, path, value):
        self.condition, self.path, self.value = condition, path, value
        self.operator = condition.operator
        self.fold = folds(path.field)

    def evaluate(self, world, table, rows):
        return self.holds(self.path.values(world, table, rows))

    def holds(self, column):
        if self.fold:
            column = [value.lower() if isinstance(value, str) else value for value in column]
        value, name = self.value, self.operator
        if name == "=":
            return [item == value for item in column]
        if name == "!=":
            return [item != value for item in column]
        if name == "in":
            return [item in value for item in column]
        if name == "not in":
            return [item not in value for item in column]
        if name == "like":
            return [isinstance(item, str) and bool(value.match(item)) for item in column]
        compare = COMPARISONS[name]
        return [item is not None and value is not None and compare(item, value) for item in column]


class Joint:
    def __init__(self, name, parts):
        self.operator, self.parts = name, parts

    def evaluate(self, world, table, rows):
        if self.operator == "not":
            return [not held for held in self.parts[0].evaluate(world, table, rows)]
        columns = zip(*(part.evaluate(world, table, rows) for part in self.parts))
        return [all(held) for held in columns] if self.operator == "and" else [any(held) for held in columns]


def folds(field):
    """Text compares without regard to case, except Ids and what is marked case-sensitive."""
    return field.type in TEXT_TYPES and field.type not in ("id", "reference") and not field.case_sensitive


def bind(world, query, sobject, node):
    """The parsed WHERE as Tests and Joints."""
    if isinstance(node, Group):
        return Joint(node.operator, [bind(world, query, sobject, part) for part in node.parts])
    path = resolve(world, query, sobject, node.path, node.start)
    check_filterable(query, node, path.field)
    return Test(node, path, literal_for(query, node, path.field))


def check_filterable(query, node, field):
    if not field.kind["filterable"]:
        raise at(query.text, node.start, "field '%s' can not be filtered in a query call" % field.name, "INVALID_FIELD")
    if node.operator == "like" and (field.type not in TEXT_TYPES or field.type in ("id", "reference")):
        raise at(query.text, node.start, "invalid operator on %s field" % field.type, "INVALID_FIELD")
    if node.operator in COMPARISONS and (field.type == "boolean" or field.compound):
        raise at(query.text, node.start, "invalid operator on %s field" % field.type, "INVALID_QUERY_FILTER_OPERATOR")


EXPECTED = {"boolean": ("boolean",), "date": ("date",), "datetime": ("datetime",), "time": ("time",)}


def literal_for(query, node, field):
    if node.operator == "like":
        return node.value
    check_kind(query, node, field)
    values = node.value if isinstance(node.value, list) else [node.value]
    values = [normal(query, node, field, value) for value in values]
    return frozenset(values) if isinstance(node.value, list) else values[0]


def check_kind(query, node, field):
    if node.kind == "null":
        return
    if field.type in TEXT_TYPES:
        allowed, words = ("string",), "string and should be enclosed in quotes"
    elif field.type in NUMBER_TYPES:
        allowed, words = ("number",), "%s and should not be enclosed in quotes" % field.type
    else:
        allowed = EXPECTED.get(field.type, ("string",))
        name = "dateTime" if field.type == "datetime" else field.type
        words = "%s and should not be enclosed in quotes" % name
    if node.kind not in allowed:
        raise at(query.text, node.start, "value of filter criterion for field '%s' must be of type %s"
                 % (field.name, words), "INVALID_FIELD")


def normal(query, node, field, value):
    if value is None or value == "":
        return None
    if field.type in ("id", "reference"):
        full = canonical(value)
        if full is None:
            raise at(query.text, node.start, "invalid ID field: %s" % value, "INVALID_QUERY_FILTER_OPERATOR")
        return full
    return value.lower() if isinstance(value, str) and folds(field) else value


def conjuncts(node):
    """The conditions that must all hold, of a parsed or a bound WHERE."""
    if node is None:
        return []
    if isinstance(node, (Group, Joint)):
        return [one for part in node.parts for one in conjuncts(part)] if node.operator == "and" else [node]
    return [node]


def plain_conditions(node):
    return [one for one in conjuncts(node) if isinstance(one, Condition)]


class Bounds:
    """What of the base rows a WHERE leaves to look at: a range or a list of rows, and the tests still to be made."""

    def __init__(self, table, tests):
        self.table = table
        self.low, self.high = 0, table.base
        self.rows = None
        stamp = table.sobject.stamp_field()
        self.residual = [test for test in tests if not (self.by_id(test) or self.by_stamp(test, stamp))]

    def keep(self, low, high):
        self.low, self.high = max(self.low, low), min(self.high, high)

    def by_id(self, test):
        if not isinstance(test, Test) or test.path.hops or test.path.field.type != "id":
            return False
        if test.operator == "in":
            rows = {self.table.index_of(value) for value in test.value if value}
            rows.discard(None)
            self.rows = rows if self.rows is None else self.rows & rows
            return True
        if test.operator in ("like", "!=", "not in") or test.value is None:
            return False
        at_or_after, after = self.id_positions(test.value)
        self.narrow(test.operator, at_or_after, after)
        return True

    def id_positions(self, record_id):
        row = self.table.index_of(record_id)
        if row is not None:
            return row, row + 1
        end = 0 if record_id < self.table.id_of(0) else self.table.base
        return end, end

    def by_stamp(self, test, stamp):
        if not isinstance(test, Test) or test.path.hops or test.path.field is not stamp or test.value is None:
            return False
        if test.operator not in COMPARISONS and test.operator != "=":
            return False
        self.narrow(test.operator, self.stamp_position(stamp, test.value), self.stamp_position(stamp, test.value + 1))
        return True

    def stamp_position(self, stamp, moment):
        row = stamp.generator.first_at_or_after(moment)
        return self.table.base if row is None else row

    def narrow(self, name, at_or_after, after):
        """The rows with the value itself are [at_or_after, after)."""
        if name == "=":
            self.keep(at_or_after, after)
        elif name == ">=":
            self.keep(at_or_after, self.high)
        elif name == ">":
            self.keep(after, self.high)
        elif name == "<":
            self.keep(self.low, at_or_after)
        else:
            self.keep(self.low, after)

    def segments(self):
        """The base rows within the bounds that nothing has touched, as ranges or one list."""
        if self.rows is None:
            return self.table.base_ranges(self.low, self.high)
        table = self.table
        return [[row for row in sorted(self.rows)
                 if self.low <= row < self.high and row not in table.overlay and row not in table.purged]]


def passing(world, table, tests, rows):
    """The rows that pass all tests, looked at a chunk at a time."""
    kept = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start:start + CHUNK]
        for test in tests:
            chunk = [row for row, held in zip(chunk, test.evaluate(world, table, chunk)) if held]
        kept.extend(chunk)
    return kept


def matching(world, table, where, with_deleted):
    """(base segments, overlaid rows) that match, both in index order."""
    tests = conjuncts(where)
    bounds = Bounds(table, tests)
    segments = bounds.segments()
    if bounds.residual:
        segments = [passing(world, table, bounds.residual, segment) for segment in segments]
    if bounds.rows is None:
        overlaid = table.overlaid_rows(with_deleted)
    else:
        overlaid = [row for row in sorted(bounds.rows) if row in table.overlay and (with_deleted or table.live(row))]
    return [segment for segment in segments if len(segment)], passing(world, table, tests, overlaid)
