# SPDX-License-Identifier: MIT
"""Record Ids: 15 characters, three more as a checksum, and the arithmetic between an Id and a row's index.

An Id is prefix (3) + pod and padding (7) + a base-62 number (5). The alphabet is in ASCII order, so Ids of one
object compare as their indexes do.
"""
import functools
import re

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECK_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
POD = "Ab00000"
BASE = len(ALPHABET)
PAIR = BASE * BASE

DIGIT = {char: value for value, char in enumerate(ALPHABET)}
WELL_FORMED = re.compile(r"[0-9A-Za-z]{15}(?:[0-9A-Za-z]{3})?\Z")


def upper_mask(group):
    """Bit i is set when character i is an upper-case letter."""
    return sum(1 << bit for bit, char in enumerate(group) if "A" <= char <= "Z")


def to_18(id15):
    groups = (id15[0:5], id15[5:10], id15[10:15])
    return id15 + "".join(CHECK_ALPHABET[upper_mask(group)] for group in groups)


def canonical(text):
    """The 18-character form of a well-formed Id, else None."""
    if not isinstance(text, str) or not WELL_FORMED.match(text):
        return None
    full = to_18(text[:15])
    return full if len(text) == 15 or text == full else None


PAIRS = [high + low for high in ALPHABET for low in ALPHABET]
PAIR_MASKS = [upper_mask(pair) << 3 for pair in PAIRS]


@functools.lru_cache(maxsize=65536)
def high_digits(number):
    text = ALPHABET[number // PAIR] + PAIRS[number % PAIR]
    return text, upper_mask(text)


class IdSpace:
    """The Ids of one object: index 0, 1, 2, … counted from an offset, so that they do not look like a row count."""

    def __init__(self, prefix, offset=0, pod=POD):
        self.head = prefix + pod
        self.offset = offset
        self.check = CHECK_ALPHABET[upper_mask(self.head[:5])] + CHECK_ALPHABET[upper_mask(self.head[5:])]

    def id_of(self, index):
        high, low = divmod(index + self.offset, PAIR)
        text, mask = high_digits(high)
        return self.head + text + PAIRS[low] + self.check + CHECK_ALPHABET[mask | PAIR_MASKS[low]]

    def ids_of(self, indexes):
        id_of = self.id_of
        return [id_of(index) for index in indexes]

    def index_of(self, record_id):
        """The index of a canonical Id of this object, else None."""
        if not record_id.startswith(self.head):
            return None
        number = 0
        for char in record_id[10:15]:
            number = number * BASE + DIGIT[char]
        return number - self.offset if number >= self.offset else None
