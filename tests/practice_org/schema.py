# SPDX-License-Identifier: MIT
"""What an object is, and the parts that most objects share."""
from .fields import Field
from .generators import Const, OwnId, Ref, Stamp, UserStamp

FLAGS = ("activateable", "createable", "deepCloneable", "deletable", "feedEnabled", "layoutable", "mergeable",
         "mruEnabled", "queryable", "replicateable", "retrieveable", "searchable", "triggerable", "undeletable", "updateable")
FULL = frozenset(("createable", "deletable", "layoutable", "mruEnabled", "queryable", "replicateable", "retrieveable",
                  "searchable", "triggerable", "undeletable", "updateable"))
READ = frozenset(("queryable", "retrieveable"))


class SObject:
    """The definition of one object; its rows live in a Table."""

    def __init__(self, name, prefix, fields, rows=0, flags=FULL, **options):
        self.name, self.prefix, self.default_rows = name, prefix, rows
        self.flags = frozenset(flags)
        self.label = options.pop("label", None) or fields[0].label[:-len(" ID")]
        self.plural = options.pop("plural", None) or self.label + "s"
        self.shows_prefix = options.pop("shows_prefix", True)
        self.associate = options.pop("associate", (None, None))
        self.query_rule = options.pop("query_rule", None)
        self.rules = options.pop("rules", ())
        self.triggers = options.pop("triggers", ())
        self.custom = name.endswith("__c")
        if options:
            raise TypeError("unknown object options %s of %s" % (sorted(options), name))
        self.fields = []
        self.by_name = {}
        for field in fields:
            self.add(field)

    def add(self, field):
        self.fields.append(field)
        self.by_name[field.name.lower()] = field

    def field(self, name):
        return self.by_name.get(name.lower())

    def has(self, flag):
        return flag in self.flags

    @property
    def name_field(self):
        return next((field for field in self.fields if field.name_field), None)

    def parent_field(self, relationship):
        wanted = relationship.lower()
        return next((field for field in self.fields if field.relationship and field.relationship.lower() == wanted), None)

    def stamp_field(self):
        """The field whose values rise with the index, if the object has one."""
        for name in ("SystemModstamp", "CreatedDate"):
            field = self.field(name)
            if field and getattr(field.generator, "monotonic", False):
                return field
        return None


def record_id(label=None):
    return Field("id", "Id", OwnId(), required=True, read_only=True, defaulted=True, label=(label or "Record") + " ID")


def is_deleted():
    return Field("boolean", "IsDeleted", Const(False), read_only=True, label="Deleted")


def user_ref(name, label, key=None, **options):
    return Field("reference", name, Ref("User", key=key), to=["User"], relationship=name[:-2], required=True, label=label,
                 defaulted=True, **options)


def owner(**options):
    return user_ref("OwnerId", "Owner ID", **options)


def owner_or_queue(label="Owner ID"):
    return Field("reference", "OwnerId", Ref("User"), to=["Group", "User"], relationship="Owner", required=True, label=label,
                 defaulted=True)


def created(stamp=None):
    return [Field("datetime", "CreatedDate", stamp or Stamp(earlier=30 * 86400), required=True, read_only=True,
                  defaulted=True),
            user_ref("CreatedById", "Created By ID", read_only=True)]


def modified():
    return [Field("datetime", "LastModifiedDate", UserStamp(), required=True, read_only=True, defaulted=True),
            user_ref("LastModifiedById", "Last Modified By ID", read_only=True)]


def modstamp():
    return Field("datetime", "SystemModstamp", Stamp(), required=True, read_only=True, defaulted=True,
                 label="System Modstamp")


def audit():
    return created() + modified() + [modstamp()]


def standard(*fields, **options):
    """Id and IsDeleted first, the object's own fields, the audit fields last."""
    return [record_id(options.get("label")), is_deleted()] + list(fields) + audit()


def lookup(name, target, nulls=0, **options):
    targets = target if isinstance(target, list) else [target]
    relationship = name[:-3] + "__r" if name.endswith("__c") else name[:-2]
    return Field("reference", name, options.pop("generator", None) or Ref(targets[0], nulls=nulls), to=targets,
                 relationship=options.pop("relationship", relationship), **options)
