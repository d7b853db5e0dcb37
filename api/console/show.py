"""Values as people read them: one line per element, references as links."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from mdm.model.canonical import ATTRIBUTES, EXTENSION, Shape
from mdm.model.ids import Domain

_SHAPES: Mapping[Domain, Mapping[str, Shape]] = {
    domain: {attribute.name: attribute.shape for attribute in (*attributes, EXTENSION)}
    for domain, attributes in ATTRIBUTES.items()
}
_PLURAL_OF_PREFIX = {domain.prefix: domain.plural for domain in Domain}
_ADDRESS_LINES = (("street", "house_number"), ("line2",), ("postal_code", "city"), ("region", "country"))
_CAPITALS = frozenset({"erp", "lei", "vat", "iban", "bic"})
_NOTHING: tuple[Any, ...] = (None, "", [])


class Line(NamedTuple):
    """One line of a value. `note` says what kind of thing it is, `href` leads to it."""

    text: str
    note: str = ""
    href: str | None = None


def label(name: str) -> str:
    """The name of an attribute or rule in words; what is spelled in capitals stays so."""
    words = name.replace("_", " ").capitalize().split(" ")
    return " ".join(word.upper() if word.lower() in _CAPITALS else word for word in words)


def lines(domain: str, name: str, value: Any) -> list[Line]:
    """The lines of a canonical value, or of one element of it; empty for an unknown value."""
    return list(_lines(_SHAPES[Domain(domain)].get(name, Shape.TEXT), value))


def rows_of(domain: str, records: Iterable[Mapping[str, Any]]) -> list[str]:
    """The attributes that any of some source rows states, in the order of the catalogue."""
    stated = {name for each in records for name, value in each["attributes"].items() if value not in _NOTHING}
    known = [name for name in _SHAPES[Domain(domain)] if name in stated]
    return known + sorted(stated.difference(known))


def differs(records: Iterable[Mapping[str, Any]], name: str) -> bool:
    """Whether the source rows that state this attribute disagree; silence is no disagreement."""
    stated = [each["attributes"][name] for each in records if each["attributes"].get(name) not in _NOTHING]
    return any(value != stated[0] for value in stated)


def record_address(entity_id: str) -> str:
    """The console page of a golden record."""
    return f"/console/{_PLURAL_OF_PREFIX[entity_id.partition('_')[0]]}/{entity_id}"


def _lines(shape: Shape, value: Any) -> Iterator[Line]:
    if value is None or value == "":
        return
    if isinstance(value, list):
        for element in value:
            yield from _lines(shape, element)
    elif isinstance(value, bool):
        yield Line("yes" if value else "no")
    elif not isinstance(value, Mapping):
        yield Line(str(value))
    elif shape is Shape.ADDRESS:
        for parts in _ADDRESS_LINES:
            text = " ".join(str(value[part]) for part in parts if value.get(part))
            if text:
                yield Line(text)
    elif shape is Shape.EXTENSIONS:
        for space, own in value.items():
            for name, said in own.items():
                yield from (each._replace(note=f"{space} {name}") for each in _lines(Shape.TEXT, said))
    elif shape is Shape.LINES:
        yield from _contract_line(value)
    elif shape is Shape.REFERENCE:
        yield _reference(value)
    elif shape is Shape.IDENTIFIERS:
        kind = " ".join(str(value[part]) for part in ("type", "country") if value.get(part))
        state = value.get("checksum") or value.get("state")
        yield Line(str(value.get("value") or ""), ", ".join(part for part in (kind, state) if part))
    else:
        written = value.get("value")
        rest = ", ".join(part.replace("_", " ") for part, given in value.items() if given is True)
        yield Line(str(written), rest) if written is not None else Line(_plain(value))


def _contract_line(line: Mapping[str, Any]) -> Iterator[Line]:
    product = line.get("product")
    amount = " × ".join(str(line[part]) for part in ("quantity", "unit_price") if line.get(part) is not None)
    if isinstance(product, Mapping):
        yield _reference(product)._replace(note=amount)
    else:
        yield Line(amount or _plain(line))


def _reference(value: Mapping[str, Any]) -> Line:
    entity_id = value.get("entity_id")
    text = f"{value.get('system')} {value.get('type')} {value.get('key')}"
    return Line(text, href=record_address(entity_id) if entity_id else None)


def _plain(value: Mapping[str, Any]) -> str:
    return ", ".join(f"{label(name)}: {part}" for name, part in value.items() if part is not None)
