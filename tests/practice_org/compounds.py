# SPDX-License-Identifier: MIT
"""Compound fields: addresses, geolocations and person names, made from the fields they consist of."""
from .fields import Field
from .generators import Compute, Pick
from . import pools

ADDRESS_PARTS = ("Street", "City", "State", "PostalCode", "Country")


def address_value(street, city, state, postal_code, country):
    if street is None and city is None and state is None and postal_code is None and country is None:
        return None
    return {"city": city, "country": country, "geocodeAccuracy": None, "latitude": None, "longitude": None,
            "postalCode": postal_code, "state": state, "street": street}


def address(prefix):
    compound = prefix + "Address"
    parts = [Field("textarea", prefix + "Street", Pick(pools.places(0), key=compound), part_of=compound)]
    for part, (name, length) in enumerate((("City", 40), ("State", 80), ("PostalCode", 20), ("Country", 80)), 1):
        parts.append(Field("string", prefix + name, Pick(pools.places(part), key=compound), length=length,
                           part_of=compound))
    names = tuple(prefix + part for part in ADDRESS_PARTS)
    return parts + [Field("address", compound, derive=(address_value, names))]


def location_value(latitude, longitude):
    return None if latitude is None and longitude is None else {"latitude": latitude, "longitude": longitude}


def location(name):
    stem = name[:-len("__c")]
    parts = [stem + "__Latitude__s", stem + "__Longitude__s"]
    ranges = (90, 180)
    fields = [Field("double", part, Compute(degrees(limit), nulls=10), precision=18, scale=15, part_of=name)
              for part, limit in zip(parts, ranges)]
    return fields + [Field("location", name, derive=(location_value, tuple(parts)))]


def degrees(limit):
    return lambda row, number: (number % (limit * 2000000) - limit * 1000000) / 1000000.0


def person_name(first, last):
    return last if first is None else "%s %s" % (first, last or "")


def person():
    return [
        Field("string", "LastName", Pick(pools.LAST_NAMES), length=80, required=True, part_of="Name", extra="personname"),
        Field("string", "FirstName", Pick(pools.FIRST_NAMES, nulls=3), length=40, part_of="Name", extra="personname"),
        Field("picklist", "Salutation", Pick(pools.SALUTATIONS, nulls=40), length=40, values=pools.SALUTATIONS,
              part_of="Name", extra="personname"),
        Field("string", "Name", length=121, derive=(person_name, ("FirstName", "LastName")), name_field=True,
              required=True, extra="personname", label="Full Name"),
    ]
