# SPDX-License-Identifier: MIT
"""Cases, activities and installed things."""
from .. import pools
from ..fields import Field
from ..generators import Compute, Const, Pick, Series, Special
from ..schema import FULL, SObject, lookup, owner, owner_or_queue, standard
from .sales import day, email, whole


def objects():
    return [case(), task(), event(), asset(), note()]


def case():
    statuses = ("New", "Working", "Escalated", "Closed")
    return SObject("Case", "500", standard(
        Field("string", "CaseNumber", Series("", 8, 1000), length=30, read_only=True, auto_number=True, required=True,
              name_field=True, id_lookup=True),
        lookup("ContactId", "Contact", nulls=10), lookup("AccountId", "Account", nulls=5), lookup("AssetId", "Asset", nulls=60),
        lookup("ParentId", "Case", nulls=90),
        Field("email", "SuppliedEmail", Compute(email, nulls=50)),
        Field("picklist", "Status", Pick(statuses), values=statuses, length=40, default="New"),
        Field("picklist", "Origin", Pick(("Phone", "Email", "Web"), nulls=5), values=("Phone", "Email", "Web"), length=40),
        Field("string", "Subject", Special(Pick(pools.SENTENCES), pools.AWKWARD_NAMES)),
        Field("picklist", "Priority", Pick(pools.PRIORITIES), values=pools.PRIORITIES, length=40, default="Medium"),
        Field("textarea", "Description", Special(Pick(pools.SENTENCES, nulls=20), pools.AWKWARD_TEXTS), length=32000),
        Field("boolean", "IsClosed", derive=(lambda status: status == "Closed", ("Status",))),
        Field("datetime", "ClosedDate", Const(None), read_only=True),
        Field("boolean", "IsEscalated", Const(False)),
        Field("textarea", "Comments", Const(None), length=4000, label="Internal Comments",
              properties={"filterable": False, "groupable": False}),
        owner_or_queue(), label="Case"), rows=150, flags=FULL | {"feedEnabled"})


SUBJECTS = ("Call", "Email", "Send Quote", "Meeting", "Follow up: \"next steps\"")
ACTIVITY_STATUSES = ("Not Started", "In Progress", "Completed", "Deferred")


def activity_links():
    return [lookup("WhoId", ["Contact", "Lead"], nulls=20, relationship="Who"),
            lookup("WhatId", ["Account", "Opportunity"], nulls=20, relationship="What"),
            Field("combobox", "Subject", Pick(SUBJECTS), values=SUBJECTS, name_field=True, properties={"groupable": False})]


def task():
    return SObject("Task", "00T", standard(
        *activity_links(),
        Field("date", "ActivityDate", Compute(day(18500, 1000), nulls=20), label="Due Date Only"),
        Field("picklist", "Status", Pick(ACTIVITY_STATUSES), values=ACTIVITY_STATUSES, required=True, default="Not Started"),
        Field("picklist", "Priority", Pick(("High", "Normal", "Low")), values=("High", "Normal", "Low"), length=20,
              required=True, default="Normal"),
        Field("boolean", "IsHighPriority", derive=(lambda priority: priority == "High", ("Priority",))),
        Field("textarea", "Description", Pick(pools.SENTENCES, nulls=40), length=32000),
        Field("boolean", "IsClosed", derive=(lambda status: status == "Completed", ("Status",))),
        Field("int", "CallDurationInSeconds", Compute(whole(0, 3600), nulls=70)),
        owner_or_queue("Assigned To ID"), label="Activity"), rows=250, label="Task")


def event():
    return SObject("Event", "00U", standard(
        *activity_links(),
        Field("string", "Location", Pick(("Room 4", "Video call", None))),
        Field("boolean", "IsAllDayEvent", Const(False)),
        Field("datetime", "ActivityDateTime", Compute(lambda row, number: 1500000000 + number % 5000 * 3600)),
        Field("int", "DurationInMinutes", Pick((30, 60, 90))),
        Field("textarea", "Description", Pick(pools.SENTENCES, nulls=40), length=32000),
        Field("boolean", "IsPrivate", Const(False)),
        owner(), label="Activity"), rows=100, label="Event")


def asset():
    return SObject("Asset", "02i", standard(
        lookup("ContactId", "Contact", nulls=30), lookup("AccountId", "Account"), lookup("Product2Id", "Product2"),
        Field("string", "Name", Series("Asset ", 5), required=True, name_field=True),
        Field("string", "SerialNumber", Series("SN", 9), length=80),
        Field("date", "InstallDate", Compute(day(17000, 2000), nulls=20)),
        Field("currency", "Price", Compute(whole(10, 9000), nulls=20), scale=0),
        Field("double", "Quantity", Compute(lambda row, number: float(number % 20)), precision=12, scale=2),
        Field("picklist", "Status", Pick(("Shipped", "Installed", "Obsolete"), nulls=10), length=40,
              values=("Shipped", "Installed", "Obsolete")),
        Field("textarea", "Description", Pick(pools.SENTENCES, nulls=50), length=32000),
        owner(), label="Asset"), rows=60)


def note():
    return SObject("Note", "002", standard(
        lookup("ParentId", ["Account", "Contact", "Opportunity"], required=True),
        Field("string", "Title", Special(Pick(pools.SENTENCES), pools.AWKWARD_NAMES), length=80, required=True,
              name_field=True),
        Field("boolean", "IsPrivate", Const(False)),
        Field("textarea", "Body", Special(Pick(pools.SENTENCES, nulls=10), pools.AWKWARD_TEXTS), length=32000),
        owner(), label="Note"), rows=30, flags=FULL - {"mruEnabled"})
