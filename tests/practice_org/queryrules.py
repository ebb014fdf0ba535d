# SPDX-License-Identifier: MIT
"""Objects that say they can be queried, and then refuse most queries, each in its own words.

A rule gets the object and the conditions that hold for every row (the top-level ANDed ones); it raises or returns.
"""
from .errors import malformed_query, refuse


def filtered_on(conditions, names, operators=("=", "in")):
    wanted = {name.lower() for name in names}
    return any(len(condition.path) == 1 and condition.path[0].lower() in wanted and condition.operator in operators
               for condition in conditions)


def content_document_link(sobject, conditions):
    if not filtered_on(conditions, ("Id", "ContentDocumentId", "LinkedEntityId")):
        raise malformed_query("Implementation restriction: ContentDocumentLink requires a filter by a single Id on "
                              "ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using "
                              "the IN operator.")


def reified_filter(*names):
    def rule(sobject, conditions):
        if not filtered_on(conditions, names):
            raise malformed_query("%s: a filter on a reified column is required [%s]" % (sobject.name, ",".join(names)))
    return rule


def no_query(sobject, conditions):
    raise refuse(400, "INVALID_TYPE_FOR_OPERATION", "entity type %s does not support query" % sobject.name)


def needs_stat_type(sobject, conditions):
    if not filtered_on(conditions, ("StatType",)):
        raise refuse(400, "EXTERNAL_OBJECT_UNSUPPORTED_EXCEPTION",
                     "Getting all %s is unsupported. Specify a StatType." % sobject.name)
