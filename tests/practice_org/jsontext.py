# SPDX-License-Identifier: MIT
"""JSON as the org writes it: raw UTF-8, Java's idea of a floating number, no digit lost."""
import decimal
import functools
import json
import json.encoder

encode_string = json.encoder.encode_basestring


@functools.lru_cache(maxsize=65536)
def double_text(number):
    """Double.toString: plain between 0.001 and ten million, else 1.0E7."""
    if number == 0:
        return "0.0"
    if 1e-3 <= abs(number) < 1e7:
        return repr(number)
    sign, digits, exponent = decimal.Decimal(repr(number)).normalize().as_tuple()
    text = "".join(map(str, digits))
    power = len(text) - 1 + exponent
    return "%s%s.%sE%d" % ("-" if sign else "", text[0], text[1:] or "0", power)


def number_text(number):
    if isinstance(number, float):
        return double_text(number)
    if isinstance(number, decimal.Decimal):
        return format(number, "f")
    return str(number)


def dumps(value):
    if value is None:
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, str):
        return encode_string(value)
    if isinstance(value, (int, float, decimal.Decimal)):
        return number_text(value)
    if isinstance(value, dict):
        return "{" + ",".join(encode_string(key) + ":" + dumps(item) for key, item in value.items()) + "}"
    if isinstance(value, Raw):
        return value.text
    return "[" + ",".join(map(dumps, value)) + "]"


class Raw:
    """JSON text that is already made, to be put into a larger reply as it is."""

    __slots__ = ("text",)

    def __init__(self, text):
        self.text = text


def loads(body):
    """A request's JSON. Fractions stay decimal, so that what was written is what is stored."""
    return json.loads(body, parse_float=decimal.Decimal, parse_constant=reject_constant)


def reject_constant(name):
    raise ValueError("Illegal value %s" % name)
