# SPDX-License-Identifier: MIT
"""Describe replies, made from the definitions."""
import hashlib

from .jsontext import dumps
from .schema import FLAGS


def urls(sobject, version):
    base = "/services/data/%s/sobjects/%s" % (version, sobject.name)
    found = {}
    if sobject.has("layoutable"):
        found["compactLayouts"] = base + "/describe/compactLayouts"
    found["rowTemplate"] = base + "/{ID}"
    if sobject.has("layoutable") and sobject.has("searchable"):
        found["approvalLayouts"] = base + "/describe/approvalLayouts"
        found["listviews"] = base + "/listviews"
    found["describe"] = base + "/describe"
    if sobject.has("layoutable"):
        found["quickActions"] = base + "/quickActions"
        found["layouts"] = base + "/describe/layouts"
    found["sobject"] = base
    return found


def summary(sobject, version):
    """An object's entry in the global describe."""
    kind, parent = sobject.associate
    entry = {flag: sobject.has(flag) for flag in FLAGS}
    entry.update({
        "associateEntityType": kind, "associateParentEntity": parent, "custom": sobject.custom, "customSetting": False,
        "deprecatedAndHidden": False, "hasSubtypes": False, "isInterface": False,
        "isSubtype": False, "keyPrefix": sobject.prefix if sobject.shows_prefix else None, "label": sobject.label,
        "labelPlural": sobject.plural, "name": sobject.name, "urls": urls(sobject, version),
    })
    return dict(sorted(entry.items()))


def global_describe(world, version):
    entries = [summary(sobject, version) for name, sobject in sorted(world.objects.items())]
    return {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": entries}


def describe(world, sobject, version, instance_url):
    entry = summary(sobject, version)
    entry.update({
        "actionOverrides": [], "childRelationships": child_relationships(world, sobject),
        "compactLayoutable": sobject.has("layoutable"), "defaultImplementation": None, "extendedBy": None,
        "extendsInterfaces": None, "fields": [field.describe() for field in sobject.fields], "implementedBy": None,
        "implementsInterfaces": None, "listviewable": None, "lookupLayoutable": None, "namedLayoutInfos": [],
        "networkScopeFieldName": None, "recordTypeInfos": record_types(sobject, version),
        "searchLayoutable": sobject.has("searchable"), "sobjectDescribeOption": "FULL",
        "supportedScopes": [{"label": "All %s" % sobject.plural.lower(), "name": "everything"},
                            {"label": "My %s" % sobject.plural.lower(), "name": "mine"}],
    })
    if sobject.has("layoutable"):
        entry["urls"].update(uiDetailTemplate=instance_url + "/{ID}", uiEditTemplate=instance_url + "/{ID}/e",
                             uiNewRecord="%s/%s/e" % (instance_url, sobject.prefix))
    return dict(sorted(entry.items()))


def child_relationships(world, sobject):
    found = []
    for name, child in sorted(world.objects.items()):
        for field in child.fields:
            if sobject.name in field.reference_to and field.name not in ("OwnerId", "CreatedById", "LastModifiedById"):
                found.append({"cascadeDelete": False, "childSObject": name, "deprecatedAndHidden": False,
                              "field": field.name, "junctionIdListNames": [], "junctionReferenceTo": [],
                              "relationshipName": child.plural.replace(" ", "_") + ("__r" if child.custom else ""),
                              "restrictedDelete": False})
    return found


def record_types(sobject, version):
    if not sobject.has("layoutable"):
        return []
    master = "012000000000000AAA"
    layout = "/services/data/%s/sobjects/%s/describe/layouts/%s" % (version, sobject.name, master)
    return [{"active": True, "available": True, "defaultRecordTypeMapping": True, "developerName": "Master", "master": True,
             "name": "Master", "recordTypeId": master, "urls": {"layout": layout}}]


class DescribeCache:
    """The texts of describes, made again only when the object changed."""

    def __init__(self, world):
        self.world = world
        self.kept = {}

    def text(self, sobject, version, instance_url):
        name = sobject.name if sobject else None
        key = (name, version, instance_url)
        changed = self.world.describe_changed(name)
        kept = self.kept.get(key)
        if kept is None or kept[0] != changed:
            value = describe(self.world, sobject, version, instance_url) if sobject else global_describe(self.world, version)
            kept = self.kept[key] = (changed, dumps(value))
        return kept[1]

    def etag(self, sobject):
        name = sobject.name if sobject else ""
        changed = self.world.describe_changed(name or None)
        return '"%s"' % hashlib.md5(("%s %d" % (name, changed)).encode()).hexdigest()[:8]
