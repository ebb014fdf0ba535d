# SPDX-License-Identifier: MIT
"""Custom objects: two ordinary ones, and one for each extreme that a client must survive."""
import decimal

from .. import pools
from ..compounds import location
from ..fields import Field
from ..generators import Compute, Const, Named, Pick, Series, Special, Stamp
from ..rules import due_after_issue
from ..schema import FULL, READ, SObject, audit, created, is_deleted, lookup, owner, record_id, standard
from .sales import day, email, money, phone_field, website

SETTLED = ("Open", "Paid", "Overdue", "Cancelled")
WIDE_FIELDS = 520


def objects():
    return [invoice(), invoice_line(), everything(), wide(), read_only(), stampless(), bare(), empty()]


def name_field(generator=None, **options):
    return Field("string", "Name", generator or Named(("Alpha", "Beta", "Gamma", "Delta")), length=80,
                 name_field=True, defaulted=True, id_lookup=True, **options)


def invoice():
    return SObject("Invoice__c", "a00", standard(
        owner(),
        name_field(Series("INV-", 6, 1), read_only=True, auto_number=True),
        lookup("Account__c", "Account"),
        Field("string", "Number__c", Series("2025-", 6, 1), length=20, unique=True, external_id=True),
        Field("date", "Issued__c", Compute(day(18000, 2000))),
        Field("date", "Due__c", Compute(day(20100, 300))),
        Field("currency", "Total__c", Compute(money(1, 90000)), required=True),
        Field("percent", "Discount__c", Pick((0.0, 5.0, 12.5, None)), precision=5, scale=2),
        Field("currency", "Net__c", precision=18, formula="Total__c * (1 - Discount__c)",
              derive=(lambda total, discount: None if total is None
                      else round(float(total) * (1 - float(discount or 0) / 100), 2), ("Total__c", "Discount__c"))),
        Field("picklist", "Status__c", Pick(SETTLED), values=SETTLED, restricted=True),
        Field("textarea", "Remark__c", Special(Pick(pools.SENTENCES, nulls=50), pools.AWKWARD_TEXTS), length=32768),
        label="Invoice"), rows=120, rules=[due_after_issue], label="Invoice")


def invoice_line():
    return SObject("Invoice_Line__c", "a01", standard(
        name_field(Series("L-", 7, 1), read_only=True, auto_number=True),
        lookup("Invoice__c", "Invoice__c", required=True, updateable=False),
        Field("double", "Quantity__c", Compute(lambda row, number: float(1 + number % 30)), precision=10, scale=2),
        Field("currency", "Price__c", Compute(money(1, 900))),
        Field("string", "Text__c", Pick(pools.SENTENCES)),
        label="Invoice Line"), rows=360, label="Invoice Line")


NUMBERS = {
    0: 150000.0, 1: 0.1, 2: 1.0e7, 3: decimal.Decimal("123456789012345678"), 4: -42.5, 5: None, 6: 0.0,
    7: decimal.Decimal("0.123456789012345678"), 8: 1.0e-5, 9: -99999999999999.0,
}


def time_of_day(row, number):
    return "%02d:%02d:%02d.000Z" % (number % 24, number // 24 % 60, number // 1440 % 60)


def everything():
    return SObject("Everything__c", "a02", standard(
        owner(),
        name_field(),
        Field("string", "Text__c", Special(Pick(pools.SENTENCES), pools.AWKWARD_NAMES)),
        Field("string", "External__c", Series("EXT/", 5), length=40, unique=True, external_id=True, case_sensitive=True),
        Field("double", "External_Number__c", Compute(lambda row, number: float(row % 10)), precision=18, external_id=True),
        Field("textarea", "Text_Area__c", Pick(pools.SENTENCES, nulls=30)),
        Field("textarea", "Long_Text__c", Special(Pick(pools.SENTENCES), pools.AWKWARD_TEXTS), length=131072),
        Field("textarea", "Rich_Text__c", Compute(lambda row, number: "<p>Row <b>%d</b> &amp; <i>more</i></p>" % row,
                                                  nulls=20), length=32768, html=True, extra="richtextarea"),
        Field("encryptedstring", "Encrypted__c", Const("************"), masked=True),
        Field("picklist", "Picklist__c", Pick(pools.COLORS, nulls=20), values=pools.COLORS),
        Field("picklist", "Restricted__c", Pick(pools.COLORS), values=pools.COLORS, restricted=True),
        Field("multipicklist", "Multi__c", Pick(("Red", "Red;Blue", "Green;Yellow;Black", None)), values=pools.COLORS,
              restricted=True),
        Field("combobox", "Combobox__c", Pick(("Call", "Letter"), nulls=10), values=("Call", "Letter")),
        Field("boolean", "Checkbox__c", Pick((True, False))),
        Field("int", "Integer__c", Compute(lambda row, number: number % 2000000 - 1000000, nulls=10)),
        Field("double", "Number__c", Special(Compute(lambda row, number: number % 100000 / 8.0, nulls=10), NUMBERS),
              precision=18, scale=18, label="Number"),
        Field("currency", "Currency__c", Compute(money(-500, 100000), nulls=10)),
        Field("percent", "Percent__c", Pick((0.0, 12.5, 100.0, None)), precision=5, scale=2),
        Field("date", "Date__c", Compute(day(-20000, 60000), nulls=10)),
        Field("datetime", "Date_Time__c", Compute(lambda row, number: number % 2000000000, nulls=10)),
        Field("time", "Time__c", Compute(time_of_day, nulls=10)),
        Field("phone", "Phone__c", phone_field("Phone").generator),
        Field("email", "Email__c", Compute(email, nulls=10)),
        Field("url", "Url__c", Compute(website, nulls=10)),
        *location("Place__c"),
        lookup("Account__c", "Account", nulls=10),
        Field("string", "Auto_Number__c", Series("E-", 5, 1), length=30, read_only=True, auto_number=True, defaulted=True,
              required=True),
        Field("string", "Formula__c", length=1300, formula='Text__c & " / " & Picklist__c',
              derive=(lambda text, color: "%s / %s" % (text or "", color or ""), ("Text__c", "Picklist__c"))),
        Field("double", "Formula_Number__c", formula="Number__c * 2", precision=18, scale=2,
              derive=(lambda number: None if number is None else float(number) * 2, ("Number__c",))),
        label="Everything"), rows=40, label="Everything", plural="Everything")


def wide():
    """More field names than fit into one URL."""
    kinds = ((wide_text, "Text"), (wide_number, "Number"), (wide_flag, "Flag"), (wide_choice, "Choice"))
    fields = [make("Wide_Object_%s_Column_With_Long_Name_%03d__c" % (word, number))
              for number in range(WIDE_FIELDS) for make, word in [kinds[number % 4]]]
    return SObject("Wide__c", "a03", standard(owner(), name_field(), *fields, label="Wide"), rows=700, label="Wide",
                   plural="Wide")


def wide_text(name):
    return Field("string", name, Pick(pools.SENTENCES, nulls=50))


def wide_number(name):
    return Field("double", name, Compute(lambda row, number: number % 1000 / 4.0), precision=10, scale=2)


def wide_flag(name):
    return Field("boolean", name, Pick((True, False)))


def wide_choice(name):
    return Field("picklist", name, Pick(pools.COLORS, nulls=40), values=pools.COLORS)


def read_only():
    fields = [record_id(), is_deleted(), name_field(read_only=True),
              Field("string", "Remark__c", Pick(pools.SENTENCES), read_only=True)] + audit()
    return SObject("ReadOnly__c", "a04", fields, rows=20, flags=READ | {"replicateable"}, label="Read Only",
                   plural="Read Only")


def stampless():
    fields = [record_id(), is_deleted(), name_field(), Field("string", "Remark__c", Pick(pools.SENTENCES))]
    return SObject("Stampless__c", "a05", fields + created(Stamp()), rows=30, flags=FULL - {"replicateable"},
                   label="Stampless", plural="Stampless")


def bare():
    fields = [record_id(), name_field(), Field("string", "Remark__c", Pick(pools.SENTENCES, nulls=20)),
              Field("boolean", "Flag__c", Pick((True, False)))]
    return SObject("Bare__c", "a06", fields, rows=25, flags=FULL - {"replicateable", "undeletable"}, label="Bare",
                   plural="Bare")


def empty():
    return SObject("Empty__c", "a07", standard(owner(), name_field(), Field("string", "Text__c"), label="Empty"),
                   label="Empty", plural="Empty")
