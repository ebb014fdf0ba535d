# SPDX-License-Identifier: MIT
"""Rows by the value of a field that identifies them."""
import decimal

from .filters import passing
from .fields import NUMBER_TYPES


class Equal:
    def __init__(self, field, value):
        self.field, self.value = field, value

    def evaluate(self, world, table, rows):
        return [same(self.field, item) == self.value for item in table.values(self.field, rows)]


def same(field, value):
    if field.type in NUMBER_TYPES:
        try:
            return None if value is None else decimal.Decimal(str(value))
        except decimal.InvalidOperation:
            return None
    if isinstance(value, str) and not field.case_sensitive:
        return value.lower()
    return value


def by_external_id(table, field, value):
    """The live rows whose identifying field has this value."""
    wanted = same(field, value)
    if wanted is None:
        return []
    test = [Equal(field, wanted)]
    return base_rows(table, field, value, test) + passing(None, table, test, table.overlaid_rows(False))


def base_rows(table, field, value, test):
    try:
        row = field.generator.find(value)
    except LookupError:
        return [row for part in table.base_ranges(0, table.base) for row in passing(None, table, test, part)]
    if row is None or row >= table.base or row in table.overlay or row in table.purged:
        return []
    return passing(None, table, test, [row])
