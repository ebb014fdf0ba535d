# SPDX-License-Identifier: MIT
"""What a field is: its type's fixed properties, its own, and where its values come from."""
import re

from . import clock
from .generators import Const, Stamp
from .jsontext import dumps

TEXT = dict(soapType="xsd:string", filterable=True, sortable=True, groupable=True, aggregatable=True)
NUMBER = dict(soapType="xsd:double", filterable=True, sortable=True, groupable=False, aggregatable=True)
OPAQUE = dict(soapType="xsd:string", filterable=False, sortable=False, groupable=False, aggregatable=False)

TYPES = {
    "id": dict(TEXT, soapType="tns:ID"),
    "reference": dict(TEXT, soapType="tns:ID"),
    "string": TEXT, "textarea": TEXT, "picklist": TEXT, "phone": TEXT, "email": TEXT, "url": TEXT, "combobox": TEXT,
    "multipicklist": dict(OPAQUE, filterable=True),
    "encryptedstring": OPAQUE,
    "boolean": dict(TEXT, soapType="xsd:boolean", aggregatable=False),
    "int": dict(TEXT, soapType="xsd:int"),
    "double": NUMBER, "currency": NUMBER, "percent": NUMBER,
    "date": dict(TEXT, soapType="xsd:date"),
    "datetime": dict(TEXT, soapType="xsd:dateTime", groupable=False),
    "time": dict(TEXT, soapType="xsd:time"),
    "base64": dict(OPAQUE, soapType="xsd:base64Binary"),
    "address": dict(OPAQUE, soapType="urn:address", filterable=True),
    "location": dict(OPAQUE, soapType="urn:location", filterable=True),
    "anyType": dict(OPAQUE, soapType="xsd:anyType"),
}

TEXT_TYPES = frozenset(("id", "reference", "string", "textarea", "picklist", "multipicklist", "phone", "email", "url",
                        "combobox", "encryptedstring", "anyType"))
NUMBER_TYPES = frozenset(("int", "double", "currency", "percent"))
COMPOUND_TYPES = frozenset(("address", "location"))
DEFAULT_LENGTHS = {"id": 18, "reference": 18, "string": 255, "textarea": 255, "picklist": 255, "multipicklist": 4099,
                   "phone": 40, "email": 80, "url": 255, "combobox": 255, "encryptedstring": 175}
LONG_TEXT = 4000


class Field:
    """One field of one object. `derive` = (function, component names) makes it computed from other fields."""

    def __init__(self, type_name, name, generator=None, **options):
        self.type, self.name = type_name, name
        self.derive = options.pop("derive", None)
        self.masked = options.pop("masked", False)
        self.generator = generator or Const(False if type_name == "boolean" else None)
        self.custom = name.endswith(("__c", "__s"))
        self.length = options.pop("length", DEFAULT_LENGTHS.get(type_name, 0))
        self.compound = type_name in COMPOUND_TYPES
        self.reference_to = options.pop("to", [])
        self.relationship = options.pop("relationship", None)
        self.picklist = options.pop("values", [])
        self.restricted = options.pop("restricted", False)
        read_only = options.pop("read_only", False) or bool(self.derive) or self.compound
        self.nillable = options.pop("nillable", not options.pop("required", type_name == "boolean"))
        self.createable = options.pop("createable", not read_only)
        self.updateable = options.pop("updateable", not read_only)
        self.default = options.pop("default", False if type_name == "boolean" else None)
        self.defaulted_on_create = options.pop("defaulted", self.default is not None)
        self.unique = options.pop("unique", False)
        self.external_id = options.pop("external_id", False)
        self.id_lookup = options.pop("id_lookup", self.external_id or type_name == "id")
        self.case_sensitive = options.pop("case_sensitive", False)
        self.precision = options.pop("precision", {"int": 0, "double": 18, "currency": 18, "percent": 3}.get(type_name, 0))
        self.scale = options.pop("scale", {"currency": 2}.get(type_name, 0))
        self.name_field = options.pop("name_field", False)
        self.auto_number = options.pop("auto_number", False)
        self.in_compound = options.pop("part_of", None)
        self.extra_type = options.pop("extra", None)
        self.html = options.pop("html", False)
        self.formula = options.pop("formula", None)
        self.label = options.pop("label", None) or label_of(name)
        self.properties = options.pop("properties", {})
        if options:
            raise TypeError("unknown field options %s of %s" % (sorted(options), name))
        self.kind = dict(TYPES[type_name], **self.shape_of_length())
        self.kind.update({key: self.properties[key] for key in self.kind if key in self.properties})

    def shape_of_length(self):
        if self.type == "textarea" and self.length > LONG_TEXT:
            return dict(filterable=False, sortable=False, groupable=False, aggregatable=False)
        return {}

    @property
    def polymorphic(self):
        return len(self.reference_to) > 1

    @property
    def stored(self):
        return not self.derive

    @property
    def required(self):
        return self.createable and not self.nillable and not self.defaulted_on_create and self.type != "boolean"

    def text(self, value):
        """One value as JSON."""
        if self.type == "datetime" and isinstance(value, int):
            return '"' + clock.datetime_text(value) + '"'
        return dumps(value)

    def base_values(self, rows):
        return self.generator.values(rows)

    def base_texts(self, rows):
        if self.type == "datetime" and not isinstance(self.generator, Stamp):
            return [self.text(value) for value in self.generator.values(rows)]
        return self.generator.texts(rows)

    def describe(self):
        described = {
            "aggregatable": self.kind["aggregatable"],
            "aiPredictionField": False,
            "autoNumber": self.auto_number,
            "byteLength": self.byte_length(),
            "calculated": self.formula is not None,
            "calculatedFormula": self.formula,
            "cascadeDelete": False,
            "caseSensitive": self.case_sensitive,
            "compoundFieldName": self.in_compound,
            "controllerName": None,
            "createable": self.createable,
            "custom": self.custom,
            "defaultValue": self.default,
            "defaultValueFormula": None,
            "defaultedOnCreate": self.defaulted_on_create,
            "dependentPicklist": False,
            "deprecatedAndHidden": False,
            "digits": 8 if self.type == "int" else 0,
            "displayLocationInDecimal": self.type == "location",
            "encrypted": self.type == "encryptedstring",
            "externalId": self.external_id,
            "extraTypeInfo": self.extra_type or ("plaintextarea" if self.type == "textarea" else None),
            "filterable": self.kind["filterable"],
            "filteredLookupInfo": None,
            "formulaTreatNullNumberAsZero": False,
            "groupable": self.kind["groupable"],
            "highScaleNumber": False,
            "htmlFormatted": self.html,
            "idLookup": self.id_lookup,
            "inlineHelpText": None,
            "label": self.label,
            "length": self.length,
            "mask": "*" if self.masked else None,
            "maskType": "all" if self.masked else None,
            "name": self.name,
            "nameField": self.name_field,
            "namePointing": self.polymorphic,
            "nillable": self.nillable,
            "permissionable": self.compound or self.nillable and self.extra_type != "personname" and (
                self.createable or self.custom),
            "picklistValues": [picklist_entry(value) for value in self.picklist],
            "polymorphicForeignKey": self.polymorphic,
            "precision": self.precision,
            "queryByDistance": self.compound,
            "referenceTargetField": None,
            "referenceTo": list(self.reference_to),
            "relationshipName": self.relationship,
            "relationshipOrder": None,
            "restrictedDelete": False,
            "restrictedPicklist": self.restricted,
            "scale": self.scale,
            "searchPrefilterable": self.type == "reference" and self.nillable and self.createable,
            "soapType": self.kind["soapType"],
            "sortable": self.kind["sortable"],
            "type": self.type,
            "unique": self.unique,
            "updateable": self.updateable,
            "writeRequiresMasterRead": False,
        }
        described.update(self.properties)
        return described

    def byte_length(self):
        if self.type in ("id", "reference"):
            return 18
        return self.length * 3


def picklist_entry(value):
    return {"active": True, "defaultValue": False, "label": value, "validFor": None, "value": value}


def label_of(name):
    stem = re.sub(r"__[cs]$", "", name).replace("_", " ")
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", stem)
    return re.sub(r" Id$", " ID", stem)
