# SPDX-License-Identifier: MIT
"""Objects with binary content."""
from ..fields import Field
from ..generators import Compute, Const, Mirror, Pick, Series
from ..queryrules import content_document_link
from ..schema import FULL, SObject, lookup, modstamp, owner, record_id, is_deleted, standard

NAMES = ("quote.pdf", "photo.png", "notes.txt", "Überblick 2025.docx", "o'neil & sons.csv", "archive.tar.gz")
TYPES = ("application/pdf", "image/png", "text/plain", "application/msword", "text/csv", "application/gzip")
KINDS = ("PDF", "PNG", "TEXT", "WORD_X", "CSV", "UNKNOWN")


def size(row, number):
    """Some empty, some of a byte, most of some kilobytes, a few of some megabytes."""
    if number % 31 == 4:
        return 3000000 + number % 97
    return (0, 1, 1000, 65536, 300000)[number % 5] + number % 97 * (number % 5 > 1)


def objects():
    return [attachment(), document(), content_version(), content_document(), content_link()]


def attachment():
    return SObject("Attachment", "00P", standard(
        lookup("ParentId", ["Account", "Contact", "Case"], required=True),
        Field("string", "Name", Pick(NAMES, key="file"), required=True, name_field=True),
        Field("boolean", "IsPrivate", Const(False)),
        Field("string", "ContentType", Pick(TYPES, key="file"), length=120),
        Field("int", "BodyLength", Compute(size), read_only=True),
        Field("base64", "Body", required=True),
        Field("textarea", "Description", Const(None), length=500),
        owner(), label="Attachment"), rows=30, flags=FULL - {"layoutable", "mruEnabled"})


def document():
    return SObject("Document", "015", standard(
        lookup("FolderId", ["User"], required=True, relationship="Folder"),
        Field("string", "Name", Pick(NAMES, key="file"), required=True, name_field=True),
        Field("string", "DeveloperName", Series("Doc_", 4), length=80),
        Field("string", "ContentType", Pick(TYPES, key="file"), length=120),
        Field("int", "BodyLength", Compute(size), read_only=True),
        Field("base64", "Body"),
        Field("boolean", "IsPublic", Const(True)),
        label="Document"), rows=10, flags=FULL - {"layoutable", "triggerable"})


def content_version():
    return SObject("ContentVersion", "068", standard(
        lookup("ContentDocumentId", "ContentDocument", generator=Mirror("ContentDocument"), updateable=False),
        Field("boolean", "IsLatest", Const(True), read_only=True),
        Field("string", "VersionNumber", Const("1"), length=20, read_only=True),
        Field("string", "Title", Pick(NAMES, key="file"), required=True, name_field=True),
        Field("string", "PathOnClient", Pick(NAMES, key="file"), length=500, required=True, updateable=False),
        Field("string", "FileType", Pick(KINDS, key="file"), length=20, read_only=True),
        Field("int", "ContentSize", Compute(size, key="size"), read_only=True),
        Field("base64", "VersionData", updateable=False),
        owner(updateable=False), label="Content Version"), rows=25,
        flags=FULL - {"deletable", "replicateable", "undeletable", "mruEnabled"})


def content_document():
    return SObject("ContentDocument", "069", standard(
        Field("string", "Title", Pick(NAMES, key="file"), required=True, name_field=True),
        lookup("LatestPublishedVersionId", "ContentVersion", generator=Mirror("ContentVersion"), read_only=True),
        Field("string", "FileType", Pick(KINDS, key="file"), length=20, read_only=True),
        Field("int", "ContentSize", Compute(size, key="size"), read_only=True),
        owner(), label="Content Document"), rows=25, flags=FULL - {"createable", "replicateable"} | {"feedEnabled"})


def content_link():
    return SObject("ContentDocumentLink", "06A", [
        record_id("ContentDocumentLink"),
        lookup("LinkedEntityId", ["Account", "User"], required=True, updateable=False),
        lookup("ContentDocumentId", "ContentDocument", generator=Mirror("ContentDocument"), required=True, updateable=False),
        is_deleted(), modstamp(),
        Field("picklist", "ShareType", Pick(("V", "C", "I")), values=("V", "C", "I"), length=40),
        Field("picklist", "Visibility", Const("AllUsers"), values=("AllUsers", "InternalUsers"), length=40),
    ], rows=25, flags=FULL - {"replicateable", "undeletable", "mruEnabled", "searchable"}, query_rule=content_document_link)
