"""What differs between two targets, as between two releases of one ERP system: field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from mdm.model.ids import Domain
from mdm.projection.form import Constant, Field, First, Form, Head, Joined, Line, Origin, OwnKey, Target, Value

#: What may differ of a field that both have, beside where it comes from.
_PROPERTIES = ("kind", "length", "required", "letters", "after", "region", "composed")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs. `what` is `object`, `added`, `removed`, or the property of a field that changed.

    Attributes:
        field: the field, in a collection with the collection and its kind of items before it; empty for an object.
        before, after: as the documents say it; None where there is nothing.
    """

    domain: Domain
    field: str
    what: str
    before: str | None
    after: str | None


def differences(before: Target, after: Target) -> Iterator[Difference]:
    """Everything by which the second target differs from the first, in the order of fields."""
    for domain in Domain:
        old, new = before.forms.get(domain), after.forms.get(domain)
        if old is None or new is None or old.object != new.object:
            names = old.object if old else None, new.object if new else None
            if names != (None, None):
                yield Difference(domain, "", "object", *names)
        if before.tables.get(domain) != after.tables.get(domain):
            yield Difference(domain, "", "table", before.tables.get(domain), after.tables.get(domain))
        if old is not None and new is not None:
            yield from _of_fields(domain, _fields(old), _fields(new))


def _fields(form: Form) -> dict[str, Field]:
    fields = {each.name: each for each in form.fields}
    for collection in form.collections:
        for block in collection.blocks:
            kind = block.attribute if block.type is None else f"{block.attribute} {block.type}"
            fields |= {f"{collection.name}[{kind}]/{each.name}": each for each in block.fields}
    return fields


def _of_fields(domain: Domain, old: Mapping[str, Field], new: Mapping[str, Field]) -> Iterator[Difference]:
    for name in [*old, *(each for each in new if each not in old)]:
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            was, is_ = (None if each is None else _origin(each.origin) for each in (before, after))
            yield Difference(domain, name, "added" if before is None else "removed", was, is_)
            continue
        if before.origin != after.origin:
            yield Difference(domain, name, "from", _origin(before.origin), _origin(after.origin))
        for each in _PROPERTIES:
            if getattr(before, each) != getattr(after, each):
                yield Difference(domain, name, each, _text(getattr(before, each)), _text(getattr(after, each)))
        yield from _of_codes(domain, name, before.codes or {}, after.codes or {})


def _of_codes(
    domain: Domain, name: str, old: Mapping[str, str | bool], new: Mapping[str, str | bool]
) -> Iterator[Difference]:
    for code in [*old, *(each for each in new if each not in old)]:
        if old.get(code) != new.get(code):
            yield Difference(domain, name, f"code of {code}", _text(old.get(code)), _text(new.get(code)))


def _origin(origin: Origin) -> str:
    """Where a field comes from, as a document says it."""
    match origin:
        case Constant(value):
            return f"always {_text(value)}"
        case Head(member):
            return f"${member}"
        case OwnKey(attribute):
            return "$key" if attribute is None else f"{attribute}.$key"
        case Line(attribute, number, lines, width):
            return f"{attribute}, line {number} of {lines} of {width} characters"
        case Joined(attribute, parts):
            return ", ".join(f"{attribute}.{part}" for part in parts)
        case First(attribute, type_, part):
            return f"{attribute}[{type_ or ''}].{part}"
        case Value(attribute, part):
            return attribute if part is None else f"{attribute}.{part}"


def _text(value: object) -> str | None:
    """A property as YAML writes it."""
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
