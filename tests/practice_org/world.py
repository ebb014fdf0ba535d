# SPDX-License-Identifier: MIT
"""The org itself: its objects, their rows, its settings. Everything else reads and changes this."""
import collections
import threading

from . import clock
from .catalogue import all_objects
from .generators import EPOCH, salt_of
from .ids import IdSpace, canonical
from .table import Table

SCHEMA_DATE = 1762128000  # 3 November 2025
API_USER, OTHER_USER = 0, 1
FIRST_VERSION, LAST_VERSION = 31, 67


class World:
    def __init__(self, seed=1, records=None, quota=100000, used=0):
        self.seed = seed
        self.objects = all_objects()
        self.by_lower = {name.lower(): sobject for name, sobject in self.objects.items()}
        self.records = dict(records or {})
        self.reject_unknown_objects()
        self.spaces = {name: self.make_space(sobject) for name, sobject in self.objects.items()}
        self.lock = threading.RLock()
        self.schema_changed = collections.defaultdict(lambda: SCHEMA_DATE)
        self.quota, self.used = quota, used
        self.future_windows = True  # whether /updated and /deleted take an end that is still to come: not documented
        self.tables = {name: Table(sobject, self.base_count(name), self.spaces[name])
                       for name, sobject in self.objects.items()}
        self.by_prefix = {sobject.prefix: self.tables[name] for name, sobject in self.objects.items() if sobject.prefix}
        for sobject in self.objects.values():
            self.bind(sobject)
        self.org_id = self.spaces["Organization"].id_of(0)
        self.user_id = self.spaces["User"].id_of(API_USER)
        self.username = "practice@example.com"
        self.started = clock.now()

    def reject_unknown_objects(self):
        unknown = set(self.records) - set(self.objects)
        if unknown:
            raise ValueError("no such object: %s" % ", ".join(sorted(unknown)))

    def make_space(self, sobject):
        offset = (12 + salt_of(sobject.name) % 20) * 62 ** 4 + salt_of("start", sobject.name) % 62 ** 4
        return IdSpace(sobject.prefix or "000", offset)

    def bind(self, sobject):
        for field in sobject.fields:
            field.generator.bind(self, sobject.name, field.name)

    def base_count(self, name):
        return self.records.get(name, self.objects[name].default_rows)

    def id_space(self, name):
        return self.spaces[name]

    # look-up

    def find_object(self, name):
        return self.by_lower.get(name.lower())

    def table(self, sobject):
        return self.tables[sobject.name]

    def table_of_id(self, record_id):
        """The table that a canonical Id belongs to, else None."""
        return self.by_prefix.get(record_id[:3])

    def locate(self, record_id):
        """(table, row) of an existing or deleted record, else None."""
        full = canonical(record_id)
        table = full and self.table_of_id(full)
        row = table.index_of(full) if table else None
        return (table, row) if row is not None and table.exists(row) else None

    # change

    def transaction(self):
        return Transaction(self.tables.values())

    def add_field(self, sobject, field):
        field.generator.bind(self, sobject.name, field.name)
        sobject.add(field)
        self.schema_changed[sobject.name] = max(clock.now(), self.schema_changed[sobject.name] + 1)

    def remove_field(self, sobject, name):
        field = sobject.by_name.pop(name.lower())
        sobject.fields.remove(field)
        self.schema_changed[sobject.name] = max(clock.now(), self.schema_changed[sobject.name] + 1)

    def describe_changed(self, name=None):
        """When the description of one object, or of the org, last changed."""
        if name:
            return self.schema_changed[name]
        return max(self.schema_changed.values(), default=SCHEMA_DATE)

    def earliest_delete(self):
        return max(EPOCH, clock.now() - 15 * clock.DAY)


class Transaction:
    """All or nothing over every table: leaving with an exception, or after `fail()`, undoes the changes."""

    def __init__(self, tables):
        self.tables = list(tables)
        self.failed = False
        self.nested = False

    def __enter__(self):
        self.nested = self.tables[0].journal is not None
        if self.nested:
            self.marks = [len(table.journal) for table in self.tables]
        else:
            for table in self.tables:
                table.begin()
        return self

    def fail(self):
        self.failed = True

    def __exit__(self, kind, *_):
        failed = self.failed or kind is not None
        if self.nested:
            if failed:
                for table, mark in zip(self.tables, self.marks):
                    table.rollback_to(mark)
            return
        for table in self.tables:
            if failed:
                table.rollback()
            else:
                table.commit()
