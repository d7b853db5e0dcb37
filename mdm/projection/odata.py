"""The part of OData that the projections understand: `$filter` and `$orderby` over the fields of a form.

`eq ne gt ge lt le`, `and`, `or`, parentheses, `startswith(field,'x')`, `contains(field,'x')`; one field to sort by.
Anything else is refused with a sentence that says what is understood.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from mdm.errors import Invalid
from mdm.projection.form import Field, Form, Kind

#: A filter with more comparisons is no question but a program.
MOST_COMPARISONS = 20

Literal: TypeAlias = str | bool | int | Decimal | date | datetime | None


class Op(StrEnum):
    """What is asked of a field."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GE = "ge"
    LT = "lt"
    LE = "le"
    STARTSWITH = "startswith"
    CONTAINS = "contains"


@dataclass(frozen=True, slots=True)
class Compare:
    """One field, one operation, one literal of the field's type."""

    field: Field
    op: Op
    value: Literal


@dataclass(frozen=True, slots=True)
class Both:
    """Two conditions joined by `and` or `or`."""

    word: str
    left: "Condition"
    right: "Condition"


Condition: TypeAlias = Compare | Both


@dataclass(frozen=True, slots=True)
class Order:
    """The field to sort by."""

    field: Field
    descending: bool


class Unsupported(Invalid):
    """The query uses a part of OData that is not served, or a field that does not exist. Says what is understood."""

    code = "ODATA_UNSUPPORTED"


_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<instant>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d))|(?P<date>\d{4}-\d\d-\d\d)"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|(?P<word>[A-Za-z_][\w/.]*)|(?P<mark>[(),]))"
)
_UNDERSTOOD = (
    "Understood are eq, ne, gt, ge, lt, le, and, or, parentheses, startswith(field,'x') and contains(field,'x')."
)


def fields_in(condition: Condition) -> Iterator[Field]:
    """Every field that a condition speaks of."""
    if isinstance(condition, Compare):
        yield condition.field
    else:
        yield from fields_in(condition.left)
        yield from fields_in(condition.right)


def parse_filter(form: Form, text: str) -> Condition:
    """The condition that a `$filter` states.

    Raises:
        Unsupported: it cannot be read, or asks for something that is not served.
    """
    parser = _Parser(form, list(_tokens(text)))
    condition = parser.either()
    if parser.tokens:
        raise Unsupported(f"$filter: {parser.tokens[0][1]!r} is not understood there. {_UNDERSTOOD}")
    return condition


def parse_order(form: Form, text: str) -> Order:
    """The field that an `$orderby` names.

    Raises:
        Unsupported: there are several, or none such.
    """
    words = text.split()
    if len(words) not in (1, 2) or "," in text or (len(words) == 2 and words[1] not in ("asc", "desc")):
        raise Unsupported("$orderby: one field, with asc or desc behind it.")
    field = known(form, words[0], "$orderby")
    if field.codes is not None:
        raise Unsupported(f"$orderby: {field.name} holds codes of the target, which have no order.")
    return Order(field, words[-1] == "desc")


def parse_select(form: Form, text: str) -> frozenset[str]:
    """The fields and collections that a `$select` names.

    Raises:
        Unsupported: one does not exist.
    """
    names = [each.strip() for each in text.split(",")]
    if names == ["*"]:
        return form.names
    strangers = sorted({each for each in names if each not in form.names})
    if strangers:
        raise Unsupported(f"$select: {form.object} has no field {', '.join(strangers)}. See $metadata.")
    return frozenset(names)


def known(form: Form, name: str, where: str) -> Field:
    """The searchable field of this name.

    Raises:
        Unsupported: there is none.
    """
    field = form.field(name)
    if field is None:
        what = "is a collection, which cannot be filtered" if name in form.names else "is no field"
        raise Unsupported(f"{where}: {name!r} {what} of {form.object}. See $metadata.")
    if not field.searchable:
        raise Unsupported(f"{where}: {name} is put together when it is read; lists cannot be filtered or sorted by it.")
    return field


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    text = text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise Unsupported(f"$filter: cannot be read from {text[place : place + 20]!r} on. {_UNDERSTOOD}")
        place = found.end()
        kind = found.lastgroup or ""
        yield kind, found.group(kind)


class _Parser:
    """Recursive descent: `or` binds weaker than `and`, as OData says."""

    def __init__(self, form: Form, tokens: list[tuple[str, str]]) -> None:
        self.form = form
        self.tokens = tokens
        self._comparisons = 0
        self._depth = 0

    def either(self) -> Condition:
        left = self._all()
        while self._next_is("word", "or"):
            self._take()
            left = Both("or", left, self._all())
        return left

    def _all(self) -> Condition:
        left = self._one()
        while self._next_is("word", "and"):
            self._take()
            left = Both("and", left, self._one())
        return left

    def _one(self) -> Condition:
        if self._next_is("mark", "("):
            self._depth += 1
            if self._depth > MOST_COMPARISONS:
                raise Unsupported("$filter: too many parentheses within each other.")
            self._take()
            inside = self.either()
            self._mark(")")
            self._depth -= 1
            return inside
        self._comparisons += 1
        if self._comparisons > MOST_COMPARISONS:
            raise Unsupported(f"$filter: at most {MOST_COMPARISONS} comparisons.")
        name = self._word("a field")
        if self._next_is("mark", "("):
            return self._function(name)
        field = known(self.form, name, "$filter")
        op = self._word("eq, ne, gt, ge, lt or le")
        if op not in (Op.EQ, Op.NE, Op.GT, Op.GE, Op.LT, Op.LE):
            raise Unsupported(f"$filter: {op!r} is not understood. {_UNDERSTOOD}")
        return _compare(field, Op(op), *self._take())

    def _function(self, name: str) -> Condition:
        if name not in (Op.STARTSWITH, Op.CONTAINS):
            raise Unsupported(f"$filter: the function {name!r} is not understood. {_UNDERSTOOD}")
        self._take()
        field = known(self.form, self._word("a field"), "$filter")
        self._mark(",")
        kind, text = self._take()
        self._mark(")")
        if field.kind is not Kind.STRING or kind != "text":
            raise Unsupported(f"$filter: {name} takes a field that holds text, and a text in single quotes.")
        return _compare(field, Op(name), kind, text)

    def _next_is(self, kind: str, text: str) -> bool:
        return bool(self.tokens) and self.tokens[0] == (kind, text)

    def _take(self) -> tuple[str, str]:
        if not self.tokens:
            raise Unsupported(f"$filter: it ends too early. {_UNDERSTOOD}")
        return self.tokens.pop(0)

    def _word(self, what: str) -> str:
        kind, text = self._take()
        if kind != "word":
            raise Unsupported(f"$filter: expected {what}, found {text!r}. {_UNDERSTOOD}")
        return text

    def _mark(self, mark: str) -> None:
        kind, text = self._take()
        if (kind, text) != ("mark", mark):
            raise Unsupported(f"$filter: expected {mark!r}, found {text!r}.")


def _compare(field: Field, op: Op, kind: str, text: str) -> Compare:
    if (kind, text) == ("word", "null"):
        if op not in (Op.EQ, Op.NE):
            raise Unsupported("$filter: null is compared with eq or ne only.")
        return Compare(field, op, None)
    value = _literal(field, kind, text)
    if value is None:
        raise Unsupported(f"$filter: {field.name} holds {field.kind.value}, and {text} is none.")
    if isinstance(value, bool) and op not in (Op.EQ, Op.NE):
        raise Unsupported(f"$filter: {field.name} is true or false; compare it with eq or ne.")
    return Compare(field, op, value)


def _literal(field: Field, kind: str, text: str) -> Literal:
    """The literal in the field's type; None when it is of another."""
    try:
        match field.kind, kind:
            case Kind.STRING, "text":
                return text[1:-1].replace("''", "'")
            case Kind.BOOLEAN, "word":
                return {"true": True, "false": False}.get(text)
            case ((Kind.INTEGER | Kind.DECIMAL), "number"):
                return Decimal(text)
            case Kind.DATE, "date":
                return date.fromisoformat(text)
            case Kind.INSTANT, "instant":
                return datetime.fromisoformat(text)
            case Kind.INSTANT, "date":
                return datetime.fromisoformat(f"{text}T00:00:00+00:00")
    except ValueError:
        return None
    return None
