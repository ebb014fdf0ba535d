# SPDX-License-Identifier: MIT
"""A caller's JSON values, checked against their fields and made into what the org stores."""
import base64
import binascii
import decimal
import re

from . import clock
from .errors import cross_reference_missing, json_parser_error, no_column, refuse
from .fields import NUMBER_TYPES, TEXT_TYPES
from .ids import canonical
from .lookup import by_external_id

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,3})?Z?\Z")
INT_LIMIT = 99999999
FLOAT_DIGITS = 15


class Blob:
    """Binary content on its way into the org."""

    def __init__(self, content):
        self.content = content


def json_kind(value):
    if isinstance(value, bool):
        return "VALUE_TRUE" if value else "VALUE_FALSE"
    if isinstance(value, str):
        return "VALUE_STRING"
    if isinstance(value, int):
        return "VALUE_NUMBER_INT"
    if isinstance(value, decimal.Decimal):
        return "VALUE_NUMBER_FLOAT"
    return "START_OBJECT" if isinstance(value, dict) else "START_ARRAY"


def wrong_type(field, value, wanted):
    return json_parser_error("Cannot deserialize instance of %s from %s value %s or request may be missing a required field "
                             "at [line:1, column:1]" % (wanted, json_kind(value), value))


def accept(world, sobject, body, creating):
    """{field name: stored value} for a body. Unknown fields come first, then unwritable ones, then bad values."""
    pairs = list(fields_of(world, sobject, body))
    unwritable = [field.name for field, value in pairs if not (field.createable if creating else field.updateable)]
    if unwritable:
        raise refuse(400, "INVALID_FIELD_FOR_INSERT_UPDATE", "Unable to create/update fields: %s. Please check the security "
                     "settings of this field and verify that it is read/write for your profile or permission set."
                     % ", ".join(unwritable), unwritable)
    return {field.name: stored(world, field, value) for field, value in pairs}


def fields_of(world, sobject, body):
    for name, value in body.items():
        if name.lower() == "attributes":
            continue
        field = sobject.field(name)
        if field is None and isinstance(value, dict):
            yield parent_by_external_id(world, sobject, name, value)
        elif field is None:
            raise no_column(name, sobject.name)
        elif field.name == "Id":
            raise refuse(400, "INVALID_FIELD", "The Id field should not be specified in the sobject data.", ["Id"])
        else:
            yield field, value


def parent_by_external_id(world, sobject, name, value):
    field = sobject.parent_field(name)
    keys = [key for key in value if key.lower() != "attributes"]
    if field is None or len(keys) != 1:
        raise no_column(name, sobject.name)
    parent = world.objects[field.reference_to[0]]
    key = parent.field(keys[0])
    if key is None or not key.id_lookup:
        raise refuse(400, "INVALID_FIELD", "No such column '%s' on sobject of type %s" % (keys[0], parent.name))
    table = world.table(parent)
    rows = by_external_id(table, key, value[keys[0]])
    if len(rows) != 1:
        raise refuse(400, "INVALID_FIELD", "Foreign key external ID: %s not found for field %s in entity %s"
                     % (str(value[keys[0]]).lower(), key.name, parent.name), [])
    return field, table.id_of(rows[0])


def stored(world, field, value):
    if value is None:
        return False if field.type == "boolean" else None
    if field.type in TEXT_TYPES:
        return text(world, field, value)
    if field.type in NUMBER_TYPES:
        return number(field, value)
    return OTHERS[field.type](field, value)


def text(world, field, value):
    if not isinstance(value, str):
        raise wrong_type(field, value, "string")
    value = value.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not value:
        return None
    if field.length and utf16_length(value) > field.length:
        raise refuse(400, "STRING_TOO_LONG", "%s: data value too large: %s (max length=%d)"
                     % (field.label, value, field.length), [field.name])
    check = TEXT_CHECKS.get(field.type)
    return check(world, field, value) if check else value


def utf16_length(value):
    """The org counts as Java does: a character beyond the basic plane is two."""
    return len(value) + sum(1 for char in value if char > "\uffff")


def email(world, field, value):
    if not EMAIL.match(value):
        raise refuse(400, "INVALID_EMAIL_ADDRESS", "%s: invalid email address: %s" % (field.label, value), [field.name])
    return value


def bad_choice(field, value):
    return refuse(400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", "%s: bad value for restricted picklist field: %s"
                  % (field.label, value), [field.name])


def choice(world, field, value):
    if not field.restricted:
        return value
    for allowed in field.picklist:
        if allowed.lower() == value.lower():
            return allowed
    raise bad_choice(field, value)


def choices(world, field, value):
    """A multi-select value is kept in the order of the picklist."""
    wanted = [part.strip() for part in value.split(";") if part.strip()]
    unknown = [part for part in wanted if part not in field.picklist]
    if unknown and field.restricted:
        raise bad_choice(field, unknown[0])
    return ";".join([part for part in field.picklist if part in wanted] + unknown)


def reference(world, field, value):
    full = canonical(value)
    table = full and world.table_of_id(full)
    if not table or table.sobject.name not in field.reference_to:
        raise refuse(400, "MALFORMED_ID", "%s: id value of incorrect type: %s" % (field.label, value), [field.name])
    place = world.locate(full)
    if not place:
        raise cross_reference_missing(400)
    if place[0].is_deleted(place[1]):
        raise refuse(400, "ENTITY_IS_DELETED", "entity is deleted", [])
    return full


def masked(world, field, value):
    return "*" * len(value)


TEXT_CHECKS = {"email": email, "picklist": choice, "multipicklist": choices, "reference": reference,
               "encryptedstring": masked}


def number(field, value):
    if isinstance(value, str):
        try:
            value = decimal.Decimal(value.strip())
        except decimal.InvalidOperation:
            raise wrong_type(field, value, "int" if field.type == "int" else "double") from None
    if isinstance(value, bool) or not isinstance(value, (int, decimal.Decimal)):
        raise wrong_type(field, value, "int" if field.type == "int" else "double")
    value = decimal.Decimal(value)
    if not value.is_finite():
        raise wrong_type(field, str(value), "double")
    return whole(field, value) if field.type == "int" else fraction(field, value)


def out_of_range(field, value):
    return refuse(400, "NUMBER_OUTSIDE_VALID_RANGE", "%s: value outside of valid range on numeric field: %s"
                  % (field.label, value), [field.name])


def whole(field, value):
    if value != value.to_integral_value():
        raise json_parser_error("Cannot deserialize instance of int from VALUE_NUMBER_FLOAT value %s or request may be "
                                "missing a required field at [line:1, column:1]" % value)
    if abs(value) > INT_LIMIT:
        raise out_of_range(field, value)
    return int(value)


def fraction(field, value):
    digits_before = max(1, field.precision - field.scale) if field.scale < field.precision else field.precision
    if abs(value) >= decimal.Decimal(10) ** digits_before:
        raise out_of_range(field, value)
    with decimal.localcontext() as context:
        context.prec = 60
        rounded = value.quantize(decimal.Decimal(1).scaleb(-field.scale), decimal.ROUND_HALF_UP).normalize()
    return rounded if len(rounded.as_tuple().digits) > FLOAT_DIGITS else float(rounded)


def boolean(field, value):
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise wrong_type(field, value, "boolean")
    return value


def date(field, value):
    found = clock.parse_date(value[:10]) if isinstance(value, str) and value.strip() else None
    if isinstance(value, str) and not value.strip():
        return None
    if found is None or (len(value) > 10 and clock.parse_datetime(value) is None):
        raise wrong_type(field, value, "date")
    return found


def moment(field, value):
    if isinstance(value, str) and not value.strip():
        return None
    found = clock.parse_datetime(value) if isinstance(value, str) else None
    if found is None:
        raise wrong_type(field, value, "datetime")
    return found


def time_of_day(field, value):
    if not isinstance(value, str) or not TIME.match(value):
        raise wrong_type(field, value, "time")
    clock_part, _, fraction_part = value.rstrip("Z").partition(".")
    return "%s.%sZ" % (clock_part, fraction_part.ljust(3, "0"))


def blob(field, value):
    if isinstance(value, Blob):
        return value
    try:
        return Blob(base64.b64decode(value, validate=True))
    except (TypeError, ValueError, binascii.Error):
        raise wrong_type(field, value, "base64Binary") from None


def compound(field, value):
    raise AssertionError("compound fields are never writable")


OTHERS = {"boolean": boolean, "date": date, "datetime": moment, "time": time_of_day, "base64": blob,
          "address": compound, "location": compound, "id": compound}
