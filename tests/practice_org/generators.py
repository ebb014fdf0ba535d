# SPDX-License-Identifier: MIT
"""Values that are a pure function of (seed, object, field, index), made a whole column at a time.

A generator serves a list (or range) of row indexes at once: that is what makes a page of a million-row object cheap.
`values` gives Python values, `texts` the same as JSON.
"""
import hashlib

from . import clock
from .jsontext import dumps, encode_string

MASK = (1 << 40) - 1
SHIFT = 13


def salt_of(*parts):
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:8], "big")


class Generator:
    """`bind` is called once, when the org is put together, before any value is asked for."""

    key = None
    multiplier = 1
    increment = 0

    def bind(self, world, object_name, field_name):
        salt = salt_of(world.seed, object_name, self.key or field_name)
        self.multiplier = (salt & MASK) | 1
        self.increment = salt >> 24

    def hashes(self, rows):
        a, b = self.multiplier, self.increment
        return [((row * a + b) & MASK) >> SHIFT for row in rows]

    def values(self, rows):
        raise NotImplementedError

    def texts(self, rows):
        return [dumps(value) for value in self.values(rows)]

    def find(self, value):
        """The index that has this value, where that can be computed; None if there is none."""
        raise LookupError


class Const(Generator):
    def __init__(self, value):
        self.value = value

    def values(self, rows):
        return [self.value] * len(rows)

    def texts(self, rows):
        return [dumps(self.value)] * len(rows)


class Pick(Generator):
    """One of a pool. Fields that share a key pick the same place of their pools: city and state belong together."""

    def __init__(self, pool, key=None, nulls=0):
        pool = list(pool)
        self.pool = pool + [None] * (len(pool) * nulls // max(1, 100 - nulls) if nulls else 0)
        self.key = key

    def bind(self, world, object_name, field_name):
        super().bind(world, object_name, field_name)
        self.encoded = [dumps(value) for value in self.pool]

    def pick(self, pool, rows):
        a, b, size = self.multiplier, self.increment, len(pool)
        return [pool[(((row * a + b) & MASK) >> SHIFT) % size] for row in rows]

    def values(self, rows):
        return self.pick(self.pool, rows)

    def texts(self, rows):
        return self.pick(self.encoded, rows)


class Compute(Generator):
    """function(index, hash) -> value"""

    def __init__(self, function, key=None, nulls=0):
        self.function = function
        self.key = key
        self.nulls = nulls

    def values(self, rows):
        function, nulls = self.function, self.nulls
        pairs = zip(rows, self.hashes(rows))
        if not nulls:
            return [function(row, number) for row, number in pairs]
        return [None if number % 100 < nulls else function(row, number // 100) for row, number in pairs]


class Series(Generator):
    """Numbered texts, which can be found again from the value."""

    def __init__(self, prefix, width, start=0, suffix=""):
        self.prefix, self.width, self.start, self.suffix = prefix, width, start, suffix

    def values(self, rows):
        form = self.prefix.replace("%", "%%") + "%0" + str(self.width) + "d" + self.suffix.replace("%", "%%")
        start = self.start
        return [form % (row + start) for row in rows]

    def find(self, value):
        if not isinstance(value, str) or not value.lower().startswith(self.prefix.lower()):
            return None
        digits = value[len(self.prefix):len(value) - len(self.suffix)]
        if not digits.isdigit():
            return None
        row = int(digits) - self.start
        return row if row >= 0 and self.values([row])[0].lower() == value.lower() else None


class Named(Generator):
    """Names out of a pool; from the second round through the pool on they carry a number."""

    def __init__(self, pool, form="%s %d"):
        self.pool, self.form = list(pool), form

    def values(self, rows):
        pool, size, form = self.pool, len(self.pool), self.form
        numbers = self.hashes(rows)
        return [pool[number % size] if row < size else form % (pool[number % size], row)
                for row, number in zip(rows, numbers)]

    def texts(self, rows):
        return [encode_string(value) for value in self.values(rows)]


class Special(Generator):
    """Another generator with chosen values at chosen rows: the awkward texts every small org must hold."""

    def __init__(self, inner, chosen):
        self.inner, self.chosen = inner, chosen

    def bind(self, world, object_name, field_name):
        self.inner.bind(world, object_name, field_name)
        self.last = max(self.chosen)

    def patch(self, rows, column, encode):
        if not rows or (isinstance(rows, range) and min(rows[0], rows[-1]) > self.last):
            return column
        for position, row in enumerate(rows):
            if row in self.chosen:
                column[position] = encode(self.chosen[row])
        return column

    def values(self, rows):
        return self.patch(rows, self.inner.values(rows), lambda value: value)

    def texts(self, rows):
        return self.patch(rows, self.inner.texts(rows), dumps)


class Ref(Generator):
    """The Id of some row of another object."""

    def __init__(self, target, key=None, nulls=0, first=0):
        self.target, self.key, self.nulls, self.first = target, key, nulls, first

    def bind(self, world, object_name, field_name):
        super().bind(world, object_name, field_name)
        self.count = world.base_count(self.target)
        self.space = world.id_space(self.target)

    def values(self, rows):
        count, nulls, first, id_of = self.count - self.first, self.nulls, self.first, self.space.id_of
        if count <= 0:
            return [None] * len(rows)
        return [None if number % 100 < nulls else id_of(first + number // 100 % count)
                for number in self.hashes(rows)]

    def texts(self, rows):
        return ["null" if value is None else '"' + value + '"' for value in self.values(rows)]


class Mirror(Generator):
    """The Id of the row with the same index of another object: for pairs that belong together one to one."""

    def __init__(self, target):
        self.target = target

    def bind(self, world, object_name, field_name):
        self.count = world.base_count(self.target)
        self.space = world.id_space(self.target)

    def values(self, rows):
        return [self.space.id_of(row) if row < self.count else None for row in rows]


class OwnId(Generator):
    def bind(self, world, object_name, field_name):
        self.space = world.id_space(object_name)

    def values(self, rows):
        return self.space.ids_of(rows)

    def texts(self, rows):
        return ['"' + text + '"' for text in self.space.ids_of(rows)]

    def find(self, value):
        return self.space.index_of(value)


EPOCH = 1454284800  # 1 February 2016: base rows lie in the past whatever their number
ROWS_PER_STAMP = 4
SECONDS_PER_STAMP = 120
LATEST = 1751328000  # 1 July 2025


class Stamp(Generator):
    """A moment that never goes back as the index grows. Several rows share one, as after a bulk load."""

    monotonic = True

    def __init__(self, earlier=0):
        self.earlier = earlier

    def bind(self, world, object_name, field_name):
        self.start = EPOCH + salt_of(world.seed, object_name, "stamp") % (90 * clock.DAY) - self.earlier
        self.end = LATEST - self.earlier

    def values(self, rows):
        start, end = self.start, self.end
        return [min(start + row // ROWS_PER_STAMP * SECONDS_PER_STAMP, end) for row in rows]

    def texts(self, rows):
        text = clock.datetime_text
        return ['"' + text(value) + '"' for value in self.values(rows)]

    def first_at_or_after(self, moment):
        """The smallest index whose stamp is >= moment; None if there is none."""
        if moment <= self.start:
            return 0
        if moment > self.end:
            return None
        return -(-(moment - self.start) // SECONDS_PER_STAMP) * ROWS_PER_STAMP


class UserStamp(Stamp):
    """LastModifiedDate: as SystemModstamp, but some rows were touched by automation an hour after the user."""

    monotonic = False

    def values(self, rows):
        return [value - 3600 if row % 16 == 5 else value for row, value in zip(rows, super(UserStamp, self).values(rows))]
