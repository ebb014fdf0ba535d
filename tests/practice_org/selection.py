# SPDX-License-Identifier: MIT
"""Which fields of which objects are asked for, and how a row of them is written."""
from .errors import refuse
from .soql import Column, Fields, at

NO_COLUMN = ("No such column '%s' on entity '%s'. If you are attempting to use a custom field, be sure to append the '__c' "
             "after the custom field name. Please reference your WSDL or the describe call for the appropriate names.")
NO_RELATION = ("Didn't understand relationship '%s' in field path. If you are attempting to use a custom relationship, be "
               "sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe "
               "call for the appropriate names.")
FIELDS_LIMIT = 200


class Selection:
    """An ordered set of fields of one object, and of its parents. Parents may have several possible types."""

    def __init__(self, sobject):
        self.sobject = sobject
        self.items = []
        self.parents = {}
        self.names = set()

    def add(self, field):
        self.items.append(field)
        self.names.add(field.name)

    def parent(self, world, field):
        if field.name not in self.parents:
            self.parents[field.name] = Parent(field, [Selection(world.objects[name]) for name in field.reference_to])
            self.items.append(self.parents[field.name])
        return self.parents[field.name].selections

    def columns(self, world, table, rows, dirty, ids, version):
        for item in self.items:
            if isinstance(item, Parent):
                yield item.field.relationship, parent_texts(world, table, item.field, item.selections, rows, version)
            elif item.type == "base64":
                yield item.name, blob_paths(table, item, rows, ids, version)
            else:
                yield item.name, table.texts(item, rows, dirty)

    def weight(self):
        """What one row costs on a page, in ordinary fields."""
        return sum(item.selections[0].weight() if isinstance(item, Parent) else 30 if item.length > 32768 else 1
                   for item in self.items)


class Parent:
    """The fields asked for of the record that a reference field points to."""

    def __init__(self, field, selections):
        self.field, self.selections = field, selections


class Path:
    """A resolved field path: reference fields to follow, then the field (one per possible target object)."""

    def __init__(self, hops, fields):
        self.hops, self.fields = hops, fields

    @property
    def field(self):
        return next(field for field in self.fields.values() if field)

    def values(self, world, table, rows):
        if not self.hops:
            return table.values(self.field, rows)
        memo = {None: None}
        ids = table.values(self.hops[0], rows)
        for record_id in ids:
            if record_id not in memo:
                memo[record_id] = self.follow(world, record_id)
        return [memo[record_id] for record_id in ids]

    def follow(self, world, record_id):
        for hop in self.hops[1:]:
            place = record_id and world.locate(record_id)
            if not place:
                return None
            field = place[0].sobject.field(hop.name)
            record_id = place[0].value(field, place[1]) if field else None
        place = record_id and world.locate(record_id)
        field = place and self.fields.get(place[0].sobject.name)
        return place[0].value(field, place[1]) if field else None


def own_path(query, sobject, names):
    """Without the alias or object name in front."""
    if len(names) > 1 and names[0].lower() in ((query.alias or "").lower(), sobject.name.lower()):
        if not sobject.parent_field(names[0]):
            return names[1:]
    return names


def resolve(world, query, sobject, names, start):
    names = own_path(query, sobject, names)
    hops, candidates = [], [sobject]
    for relation in names[:-1]:
        field = next(filter(None, (candidate.parent_field(relation) for candidate in candidates)), None)
        if field is None:
            raise at(query.text, start, NO_RELATION % relation, "INVALID_FIELD")
        hops.append(field)
        candidates = [world.objects[name] for name in field.reference_to]
    fields = {candidate.name: candidate.field(names[-1]) for candidate in candidates}
    if not any(fields.values()):
        name = candidates[0].name if len(candidates) == 1 else "Name"
        raise at(query.text, start, NO_COLUMN % (names[-1], name), "INVALID_FIELD")
    return Path(hops, fields)


def select(world, query, sobject):
    """The Selection of a query's select list."""
    chosen = Selection(sobject)
    for item in query.select:
        if isinstance(item, Fields):
            for field in fields_of(query, sobject, item):
                add_once(chosen, field)
        elif isinstance(item, Column):
            add_column(world, query, chosen, item)
    return chosen


def add_once(chosen, field):
    if field.name in chosen.names:
        raise refuse(400, "INVALID_FIELD", "duplicate field selected: %s" % field.name)
    chosen.add(field)


def add_column(world, query, chosen, column):
    path = resolve(world, query, chosen.sobject, column.path, column.start)
    level = [chosen]
    for hop in path.hops:
        level = [parent for one in level for parent in parents_of(world, one, hop)]
    for one in level:
        field = path.fields.get(one.sobject.name)
        if field:
            add_once(one, field)


def parents_of(world, chosen, hop):
    field = chosen.sobject.field(hop.name)
    return chosen.parent(world, field) if field else []


def fields_of(query, sobject, item):
    if item.which not in ("all", "standard", "custom"):
        raise at(query.text, item.start, "unexpected token: '%s'" % item.which)
    if item.which != "standard" and (query.limit is None or query.limit > FIELDS_LIMIT):
        raise refuse(400, "MALFORMED_QUERY", "The SOQL FIELDS function must have a LIMIT of at most %d" % FIELDS_LIMIT)
    return [field for field in sobject.fields
            if item.which == "all" or field.custom == (item.which == "custom")]


def whole(sobject, names=None):
    """Every field of an object, or those named; an unknown name is refused."""
    chosen = Selection(sobject)
    if names is None:
        for field in sobject.fields:
            chosen.add(field)
        return chosen
    for name in names:
        field = sobject.field(name)
        if field is None:
            raise refuse(400, "INVALID_FIELD", "No such column '%s' on entity '%s'" % (name, sobject.name))
        if field.name not in chosen.names:
            chosen.add(field)
    return chosen


def attributes(sobject, version):
    return '{"attributes":{"type":"%s","url":"/services/data/%s/sobjects/%s/%%s"}' % (sobject.name, version, sobject.name)


def render(world, table, chosen, rows, version):
    """The JSON text of each row: one format for all of them, filled from columns."""
    dirty = table.dirty(rows)
    ids = table.space.ids_of(rows)
    form, columns = [attributes(table.sobject, version)], [ids]
    for name, column in chosen.columns(world, table, rows, dirty, ids, version):
        form.append(',"%s":%%s' % name)
        columns.append(column)
    row_form = "".join(form) + "}"
    return [row_form % values for values in zip(*columns)]


def blob_paths(table, field, rows, ids, version):
    path = '"/services/data/%s/sobjects/%s/%%s/%s"' % (version, table.sobject.name, field.name)
    return [path % record_id if table.has_blob(field, row) else "null" for row, record_id in zip(rows, ids)]


def parent_texts(world, table, field, parents, rows, version):
    memo = {None: "null"}
    references = table.values(field, rows)
    for record_id in references:
        if record_id not in memo:
            memo[record_id] = parent_text(world, parents, record_id, version)
    return [memo[record_id] for record_id in references]


def parent_text(world, parents, record_id, version):
    place = world.locate(record_id)
    if not place:
        return "null"
    table, row = place
    chosen = next((parent for parent in parents if parent.sobject is table.sobject), None)
    return render(world, table, chosen, [row], version)[0] if chosen else "null"
