# SPDX-License-Identifier: MIT
"""SOQL text to a Query. Knows the grammar, not the objects."""
import re

from . import clock
from .errors import malformed_query, refuse

MAX_LENGTH = 100000
MAX_STRING = 4000
MAX_OFFSET = 2000
CONTEXT = 50

TOKEN = re.compile(r"""
    (?P<space>\s+)
  | (?P<datetime>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d))
  | (?P<date>\d{4}-\d\d-\d\d(?![\dT]))
  | (?P<time>\d\d:\d\d:\d\d(?:\.\d+)?Z?)
  | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
  | (?P<operator><=|>=|!=|<>|=|<|>)
  | (?P<punctuation>[(),])
""", re.VERBOSE | re.IGNORECASE)

KEYWORDS = frozenset(("select", "from", "where", "and", "or", "not", "in", "like", "order", "by", "limit", "offset", "asc",
                      "desc", "nulls", "group", "having", "using", "with", "for", "includes", "excludes"))
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", '"': '"', "'": "'", "\\": "\\"}
UNICODE = re.compile(r"[0-9A-Fa-f]{4}")


class Token:
    __slots__ = ("kind", "text", "value", "start")

    def __init__(self, kind, text, value, start):
        self.kind, self.text, self.value, self.start = kind, text, value, start


class Condition:
    """path operator value: one comparison. Values of LIKE are already a compiled pattern."""

    def __init__(self, path, operator, value, kind, start):
        self.path, self.operator, self.value, self.kind, self.start = path, operator, value, kind, start


class Group:
    """and / or over parts, or not over one."""

    def __init__(self, operator, parts):
        self.operator, self.parts = operator, parts


class Aggregate:
    def __init__(self, function, path, alias, start):
        self.function, self.path, self.alias, self.start = function, path, alias, start


class Fields:
    """FIELDS(ALL), FIELDS(STANDARD) or FIELDS(CUSTOM)"""

    def __init__(self, which, start):
        self.which, self.start = which, start


class Column:
    def __init__(self, path, start):
        self.path, self.start = path, start


class Ordering:
    def __init__(self, path, descending, nulls_last, start):
        self.path, self.descending, self.nulls_last, self.start = path, descending, nulls_last, start


class Query:
    def __init__(self, text):
        self.text = text
        self.select, self.count = [], False
        self.object_name, self.object_start, self.alias = None, 0, None
        self.where, self.order = None, []
        self.limit, self.offset = None, 0


def at(text, position, message, code="MALFORMED_QUERY"):
    """A refusal that shows the place in the query, as the org does."""
    start = max(0, position - CONTEXT)
    if start:
        boundary = re.compile(r"[ ,]").search(text, start, position)
        start = boundary.end() if boundary else start
    shown = text[start:position + CONTEXT].replace("\n", " ")
    line = text.count("\n", 0, position) + 1
    column = position - (text.rfind("\n", 0, position) + 1) + 1
    return refuse(400, code, "\n%s\n%s^\nERROR at Row:%d:Column:%d\n%s"
                  % (shown, " " * (position - start), line, column, message))


def tokens_of(text):
    position, found = 0, []
    while position < len(text):
        if text[position] == "'":
            value, end = string_literal(text, position)
            found.append(Token("string", text[position:end], value, position))
            position = end
            continue
        match = TOKEN.match(text, position)
        if not match:
            raise at(text, position, "unexpected token: '%s'" % text[position])
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup, match.group(), match.group(), position))
        position = match.end()
    found.append(Token("end", "<EOF>", None, len(text)))
    return found


def string_literal(text, start):
    """(the raw text between the quotes, the position after). Escapes are resolved by their user: LIKE has two more."""
    position = start + 1
    while position < len(text):
        if text[position] == "\\":
            position += 2
        elif text[position] == "'":
            return text[start + 1:position], position + 1
        else:
            position += 1
    raise at(text, start, "line 1:%d mismatched character '<EOF>' expecting '''" % len(text))


def unescape(text, raw, start, like=False):
    """like=True keeps \\_ and \\% as they are, for the pattern."""
    out, position = [], 0
    while position < len(raw):
        char = raw[position]
        if char != "\\":
            out.append(char)
            position += 1
            continue
        escape = raw[position + 1:position + 2]
        if escape in ("u", "U") and UNICODE.match(raw, position + 2):
            out.append(chr(int(raw[position + 2:position + 6], 16)))
            position += 6
        elif like and escape in ("_", "%", "\\"):
            out.append("\\" + escape)
            position += 2
        elif escape and escape.lower() in ESCAPES:
            out.append(ESCAPES[escape.lower()])
            position += 2
        else:
            raise at(text, start, "Illegal character sequence '\\%s' in string literal" % escape)
    return "".join(out)


def like_pattern(text):
    out, position = [], 0
    while position < len(text):
        char = text[position]
        if char == "\\" and position + 1 < len(text):
            position += 1
            out.append(re.escape(text[position]))
        elif char == "%":
            out.append(".*")
        elif char == "_":
            out.append(".")
        else:
            out.append(re.escape(char))
        position += 1
    return re.compile("".join(out) + r"\Z", re.IGNORECASE | re.DOTALL)


class Parser:
    def __init__(self, text):
        self.text, self.tokens, self.position = text, tokens_of(text), 0

    @property
    def token(self):
        return self.tokens[self.position]

    def advance(self):
        token = self.token
        self.position += 1
        return token

    def is_word(self, *words):
        return self.token.kind == "word" and self.token.text.lower() in words

    def accept(self, *words):
        return self.advance() if self.is_word(*words) else None

    def accept_mark(self, mark):
        return self.advance() if self.token.text == mark and self.token.kind == "punctuation" else None

    def expect(self, word):
        return self.accept(word) or self.unexpected()

    def expect_mark(self, mark):
        return self.accept_mark(mark) or self.unexpected()

    def unexpected(self):
        token = self.token
        if self.position == 0:
            raise malformed_query("unexpected token: %s" % token.text)
        raise at(self.text, token.start, "unexpected token: '%s'" % token.text)

    def name(self):
        if self.token.kind != "word" or self.token.text.lower() in KEYWORDS:
            self.unexpected()
        return self.advance()

    def query(self):
        query = Query(self.text)
        self.expect("select")
        self.select_list(query)
        self.expect("from")
        source = self.advance() if self.token.kind == "word" else self.unexpected()  # Order and Group are objects too
        query.object_name, query.object_start = source.text, source.start
        if self.token.kind == "word" and self.token.text.lower() not in KEYWORDS:
            query.alias = self.advance().text
        if self.accept("using"):
            self.name(), self.name()
        if self.accept("where"):
            query.where = self.expression()
        if self.accept("order"):
            self.expect("by")
            query.order = self.orderings()
        if self.accept("limit"):
            query.limit = self.whole_number()
        if self.accept("offset"):
            query.offset = self.offset()
        if self.accept("for"):
            self.name()
        if self.token.kind != "end":
            self.unexpected()
        return query

    def select_list(self, query):
        while True:
            query.select.append(self.select_item(query))
            if not self.accept_mark(","):
                break
        if query.count and len(query.select) > 1:
            raise malformed_query("COUNT() must be the only element in the SELECT list")

    def select_item(self, query):
        token = self.name()
        if not self.accept_mark("("):
            return Column(token.text.split("."), token.start)
        function = token.text.lower()
        if function == "fields":
            which = self.name().text.lower()
            self.expect_mark(")")
            return Fields(which, token.start)
        if function not in ("count", "count_distinct", "min", "max", "sum", "avg"):
            raise at(self.text, token.start, "unexpected token: '('")
        if function == "count" and self.accept_mark(")"):
            query.count = True
            return None
        path = self.name().text.split(".")
        self.expect_mark(")")
        alias = self.advance().text if self.token.kind == "word" and not self.is_word("from") else None
        return Aggregate(function, path, alias, token.start)

    def expression(self):
        first = self.factor()
        joint = self.accept("and", "or")
        if not joint:
            return first
        operator, parts = joint.text.lower(), [first, self.factor()]
        while self.accept(operator):
            parts.append(self.factor())
        if self.is_word("and", "or"):
            self.unexpected()  # AND and OR do not mix without parentheses
        return Group(operator, parts)

    def factor(self):
        if self.accept("not"):
            return Group("not", [self.factor()])
        if self.accept_mark("("):
            inner = self.expression()
            self.expect_mark(")")
            return inner
        return self.condition()

    def condition(self):
        token = self.name()
        path = token.text.split(".")
        if self.token.kind == "operator":
            operator = self.advance().text.replace("<>", "!=")
            value, kind = self.literal()
            return Condition(path, operator, value, kind, token.start)
        if self.accept("like"):
            return self.like(path, token.start)
        if self.accept("in"):
            return self.membership(path, "in", token.start)
        if self.accept("not"):
            self.expect("in")
            return self.membership(path, "not in", token.start)
        return self.unexpected()

    def like(self, path, start):
        token = self.advance()
        if token.kind != "string":
            raise at(self.text, token.start, "unexpected token: '%s'" % token.text)
        pattern = like_pattern(unescape(self.text, token.value, token.start, like=True))
        return Condition(path, "like", pattern, "string", start)

    def membership(self, path, operator, start):
        self.expect_mark("(")
        found = [self.literal()]
        while self.accept_mark(","):
            found.append(self.literal())
        self.expect_mark(")")
        kinds = {kind for value, kind in found if kind != "null"}
        return Condition(path, operator, [value for value, kind in found], kinds.pop() if kinds else "null", start)

    def literal(self):
        token = self.advance()
        if token.kind == "string":
            if len(token.value) > MAX_STRING:
                raise at(self.text, token.start, "string literal is longer than %d characters" % MAX_STRING)
            return unescape(self.text, token.value, token.start), "string"
        if token.kind == "number":
            return float(token.text) if re.search(r"[.eE]", token.text) else int(token.text), "number"
        if token.kind == "datetime":
            return self.checked(clock.parse_datetime(token.text), token), "datetime"
        if token.kind == "date":
            return self.checked(clock.parse_date(token.text), token), "date"
        if token.kind == "time":
            return token.text, "time"
        word = token.text.lower()
        if word in ("true", "false"):
            return word == "true", "boolean"
        if word == "null":
            return None, "null"
        self.position -= 1
        return self.unexpected()

    def checked(self, value, token):
        if value is None:
            raise at(self.text, token.start, "Invalid date: %s" % token.text)
        return value

    def orderings(self):
        found = [self.ordering()]
        while self.accept_mark(","):
            found.append(self.ordering())
        return found

    def ordering(self):
        token = self.name()
        direction = self.accept("asc", "desc")
        nulls_last = False
        if self.accept("nulls"):
            nulls_last = (self.accept("first", "last") or self.unexpected()).text.lower() == "last"
        descending = bool(direction) and direction.text.lower() == "desc"
        return Ordering(token.text.split("."), descending, nulls_last, token.start)

    def whole_number(self):
        if self.token.kind != "number" or not self.token.text.isdigit():
            self.unexpected()
        return int(self.advance().text)

    def offset(self):
        value = self.whole_number()
        if value > MAX_OFFSET:
            raise refuse(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is %d" % MAX_OFFSET)
        return value


def parse(text):
    if len(text) > MAX_LENGTH:
        raise malformed_query("SOQL statements cannot be longer than %d characters." % MAX_LENGTH)
    if not text.strip():
        raise malformed_query("unexpected end of file")
    try:
        return Parser(text).query()
    except RecursionError:
        raise malformed_query("the query is nested too deeply") from None
