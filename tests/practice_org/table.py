# SPDX-License-Identifier: MIT
"""The rows of one object.

Rows 0 … base-1 exist without being stored: their values are computed from their index. What was created, changed or
deleted since the start lies in the overlay: index -> the stored values that differ (all of them for a created row).
`touched` is the sorted list of overlaid and purged base rows, so that a range of base rows can be cut around them.
"""
import bisect


class Table:
    def __init__(self, sobject, base, space):
        self.sobject, self.base, self.space = sobject, base, space
        self.next = base
        self.overlay = {}
        self.purged = {}
        self.touched = []
        self.blobs = {}
        self.journal = None

    # rows

    def exists(self, index):
        """True for live rows and for those in the recycle bin."""
        return 0 <= index < self.next and index not in self.purged

    def is_deleted(self, index):
        return bool(self.overlay.get(index, {}).get("IsDeleted"))

    def live(self, index):
        return self.exists(index) and not self.is_deleted(index)

    def index_of(self, record_id):
        return self.space.index_of(record_id)

    def id_of(self, index):
        return self.space.id_of(index)

    # values

    def values(self, field, rows):
        """One field of many rows."""
        column = self.base_column(field, rows)
        overlay = self.overlay
        if overlay:
            for position, row in enumerate(rows):
                if row in overlay:
                    column[position] = self.overlaid_value(field, row)
        return column

    def texts(self, field, rows, dirty):
        """The same as JSON; dirty = [(position, row)] of the overlaid rows among them."""
        if field.derive:
            column = [field.text(value) for value in self.base_column(field, rows)]
        else:
            column = field.base_texts(rows)
        for position, row in dirty:
            column[position] = field.text(self.overlaid_value(field, row))
        return column

    def base_column(self, field, rows):
        if not field.derive:
            return field.base_values(rows)
        function, names = field.derive
        parts = [self.base_column(self.sobject.field(name), rows) for name in names]
        return [function(*values) for values in zip(*parts)]

    def overlaid_value(self, field, row):
        if field.derive:
            function, names = field.derive
            return function(*(self.overlaid_value(self.sobject.field(name), row) for name in names))
        changed = self.overlay[row]
        if field.name in changed:
            return changed[field.name]
        return field.base_values([row])[0]

    def has_blob(self, field, row):
        return row < self.base or (row, field.name) in self.blobs

    def value(self, field, row):
        return self.values(field, [row])[0]

    def row(self, row):
        """All stored values of one row."""
        return {field.name: self.value(field, row) for field in self.sobject.fields if field.stored}

    def dirty(self, rows):
        overlay = self.overlay
        return [(position, row) for position, row in enumerate(rows) if row in overlay] if overlay else []

    # change

    def begin(self):
        self.journal = []

    def commit(self):
        self.journal = None

    def rollback(self):
        self.rollback_to(0)
        self.journal = None

    def rollback_to(self, mark):
        while len(self.journal) > mark:
            row, overlaid, purged = self.journal.pop()
            restore(self.overlay, row, overlaid)
            restore(self.purged, row, purged)
            if row < self.base and overlaid is None and purged is None:
                self.touched.remove(row)

    def remember(self, row):
        if self.journal is not None:
            overlaid = self.overlay.get(row)
            self.journal.append((row, dict(overlaid) if overlaid is not None else None, self.purged.get(row)))
        if row < self.base and row not in self.overlay and row not in self.purged:
            bisect.insort(self.touched, row)

    def create(self, values):
        row = self.next
        self.remember(row)
        self.next += 1
        self.overlay[row] = values
        return row

    def change(self, row, values):
        self.remember(row)
        self.overlay.setdefault(row, {}).update(values)

    def purge(self, row, moment):
        """Out of the recycle bin as well."""
        self.remember(row)
        self.overlay.pop(row, None)
        self.purged[row] = moment

    # cuts

    def base_ranges(self, low, high):
        """The untouched base rows of [low, high) as ranges."""
        high = min(high, self.base)
        ranges = []
        for row in self.touched[bisect.bisect_left(self.touched, low):bisect.bisect_left(self.touched, high)]:
            if low < row:
                ranges.append(range(low, row))
            low = row + 1
        if low < high:
            ranges.append(range(low, high))
        return ranges

    def overlaid_rows(self, with_deleted):
        return [row for row in sorted(self.overlay) if with_deleted or not self.overlay[row].get("IsDeleted")]


def restore(mapping, row, value):
    if value is None:
        mapping.pop(row, None)
    else:
        mapping[row] = value
