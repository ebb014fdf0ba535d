# SPDX-License-Identifier: MIT
"""Users and other setup objects, and the objects that refuse to be queried."""
from .. import pools
from ..compounds import address, person
from ..fields import Field
from ..generators import Compute, Const, Named, Pick, Series
from ..queryrules import needs_stat_type, no_query, reified_filter
from ..schema import FULL, READ, SObject, audit, lookup, record_id
from .sales import phone_field

SETUP = READ | {"replicateable"}


def objects():
    return [user(), profile(), group(), record_type(), organization(), change_event(), field_definition(),
            data_statistics()]


def username(row, number):
    return "practice@example.com" if row == 0 else "user%d@example.com" % row


def user():
    return SObject("User", "005", [
        record_id("User"),
        Field("string", "Username", Compute(username), length=80, required=True, id_lookup=True),
        *person(),
        Field("string", "CompanyName", Const("Practice"), length=80),
        Field("string", "Department", Pick(pools.DEPARTMENTS, nulls=20), length=80),
        Field("string", "Title", Pick(pools.TITLES, nulls=20), length=80),
        *address(""),
        Field("email", "Email", Compute(username), length=128, required=True),
        phone_field("Phone"),
        Field("string", "Alias", Series("u", 4), length=8, required=True),
        Field("boolean", "IsActive", Const(True)),
        Field("picklist", "TimeZoneSidKey", Const("Europe/London"), length=40, values=("Europe/London", "Asia/Tokyo"),
              required=True),
        Field("picklist", "LocaleSidKey", Const("en_US"), length=40, values=("en_US", "de_DE"), required=True),
        lookup("ProfileId", "Profile", required=True),
        Field("picklist", "UserType", Const("Standard"), length=40, read_only=True, values=("Standard",)),
        lookup("ManagerId", "User", nulls=50),
    ] + audit(), rows=12, flags=FULL - {"deletable", "undeletable"} | {"feedEnabled"})


def profile():
    return SObject("Profile", "00e", [
        record_id("Profile"),
        Field("string", "Name", Named(("System Administrator", "Standard User", "Read Only", "Sales", "Support",
                                       "Contract Manager")), required=True, name_field=True),
        Field("picklist", "UserType", Const("Standard"), length=40, read_only=True, values=("Standard",)),
        Field("string", "Description", Const(None)),
    ] + audit(), rows=6, flags=FULL - {"layoutable", "triggerable", "undeletable"})


def group():
    return SObject("Group", "00G", [
        record_id("Group"),
        Field("string", "Name", Named(("All Internal Users", "Dispatch", "Back Office")), length=40, required=True,
              name_field=True),
        Field("string", "DeveloperName", Series("Group_", 3), length=80),
        Field("picklist", "Type", Pick(("Regular", "Queue", "Organization")), length=40, read_only=True,
              values=("Regular", "Queue", "Organization")),
    ] + audit(), rows=5, flags=FULL - {"layoutable", "mruEnabled", "triggerable", "undeletable"})


def record_type():
    return SObject("RecordType", "012", [
        record_id("Record Type"),
        Field("string", "Name", Named(("Business", "Private", "Partner")), length=80, required=True, name_field=True),
        Field("string", "DeveloperName", Series("Type_", 2), length=80, required=True),
        Field("picklist", "SobjectType", Pick(("Account", "Case", "Invoice__c")), length=40, read_only=True,
              values=("Account", "Case", "Invoice__c")),
        Field("boolean", "IsActive", Const(True)),
    ] + audit(), rows=6, flags=FULL - {"deletable", "layoutable", "triggerable", "undeletable"})


def organization():
    return SObject("Organization", "00D", [
        record_id("Organization"),
        Field("string", "Name", Const("Practice Org"), length=80, required=True, name_field=True),
        *address(""),
        phone_field("Phone", 0),
        Field("boolean", "IsSandbox", Const(False), read_only=True),
        Field("string", "InstanceName", Const("PRC1"), length=5, read_only=True),
        Field("string", "NamespacePrefix", Const(None), length=15, read_only=True),
        Field("picklist", "OrganizationType", Const("Developer Edition"), length=40, read_only=True,
              values=("Developer Edition", "Enterprise Edition")),
    ] + audit(), rows=1, flags=SETUP | {"updateable"})


def change_event():
    return SObject("AccountChangeEvent", None, [
        record_id("Change Event"),
        Field("string", "ReplayId", Const(None), length=1000, read_only=True),
        Field("string", "Name", Const(None), read_only=True),
    ], flags={"retrieveable", "triggerable"}, associate=("ChangeEvent", "Account"), query_rule=no_query,
        label="Account Change Event")


def field_definition():
    return SObject("FieldDefinition", "4fe", [
        record_id(),
        Field("string", "DurableId", Const(None), length=18, read_only=True, name_field=True),
        Field("string", "QualifiedApiName", Const(None), read_only=True),
        lookup("EntityDefinitionId", "Account", read_only=True),
    ], flags={"queryable", "searchable"}, query_rule=reified_filter("EntityDefinitionId", "DurableId"),
        label="Field Definition")


def data_statistics():
    return SObject("DataStatistics", "05a", [
        record_id(),
        Field("picklist", "StatType", Const(None), length=40, read_only=True, name_field=True),
        Field("double", "StatValue", Const(None), read_only=True),
    ], flags={"queryable"}, query_rule=needs_stat_type, label="Data Statistics", plural="Data Statistics")
