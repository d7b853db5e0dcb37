"""A target read from its YAML document. Lengths that the onboarding checks know are theirs to state, not repeated."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from mdm.errors import ConfigurationInvalid
from mdm.model.canonical import ATTRIBUTES, Shape
from mdm.model.ids import Domain
from mdm.projection.form import (
    Block,
    Collection,
    Constant,
    Field,
    First,
    Form,
    Head,
    Joined,
    Kind,
    Line,
    OwnKey,
    Target,
    Value,
)

_FIRST = re.compile(r"(\w+)\[(\w*)\]\.(\w+)")
_KINDS: Mapping[Shape, Kind] = {
    Shape.BOOLEAN: Kind.BOOLEAN,
    Shape.INTEGER: Kind.INTEGER,
    Shape.DECIMAL: Kind.DECIMAL,
    Shape.DATE: Kind.DATE,
}
_HEADS: Mapping[str, tuple[Head, Kind]] = {
    "$id": (Head("id"), Kind.STRING),
    "$version": (Head("version"), Kind.INTEGER),
    "$known_from": (Head("known_from"), Kind.INSTANT),
}
_REFERRED: Mapping[str, Domain] = {
    "parent": Domain.CUSTOMER,
    "customer": Domain.CUSTOMER,
    "prior_contract": Domain.CONTRACT,
    "product": Domain.PRODUCT,
}
_KNOWN = frozenset(
    {"from", "line", "value", "length", "required", "codes", "letters", "after", "kind", "region", "composed", "note"}
)


@dataclass(frozen=True, slots=True)
class Lengths:
    """How many characters fields hold, and into how many lines of which width a name is broken."""

    by_field: Mapping[str, int]
    name_lines: int
    name_width: int


@dataclass(frozen=True, slots=True)
class _Reader:
    where: str
    domain: Domain
    lengths: Lengths

    def field(self, name: str, told: Any, item_of: str | None = None) -> Field:
        """One field.

        Raises:
            ConfigurationInvalid: names target, object and field.
        """
        place = f"{self.where}, field {name}"
        if not isinstance(told, Mapping) or set(told) - _KNOWN:
            raise ConfigurationInvalid(f"{place}: expected a mapping of {', '.join(sorted(_KNOWN))}, found {told!r}.")
        origin, kind = self._origin(place, told, item_of)
        length = told.get("length")
        known = self.lengths.name_width if isinstance(origin, Line) else self.lengths.by_field.get(name)
        if known is not None and length is not None:
            raise ConfigurationInvalid(
                f"{place}: its length is stated by the onboarding rules ({known}); leave it out."
            )
        codes = told.get("codes")
        return Field(
            name=name,
            kind=Kind(told["kind"]) if "kind" in told else _kind_of_codes(codes) or kind,
            origin=origin,
            length=known if known is not None else length,
            required=bool(told.get("required")),
            codes=None if codes is None else {_code(key): value for key, value in codes.items()},
            letters=told.get("letters"),
            after=str(told.get("after", "")),
            region=bool(told.get("region")),
            composed=bool(told.get("composed")),
            note=told.get("note", ""),
        )

    def _origin(self, place: str, told: Mapping[str, Any], item_of: str | None) -> tuple[Any, Kind]:
        if "value" in told:
            constant = told["value"]
            return Constant(constant), Kind.BOOLEAN if isinstance(constant, bool) else Kind.STRING
        source = told.get("from")
        if isinstance(source, list):
            if item_of is not None:
                return Joined(item_of, tuple(source)), Kind.STRING
            names = {each.partition(".")[0] for each in source}
            self._known(place, *names)
            return Joined(names.pop(), tuple(each.partition(".")[2] for each in source)), Kind.STRING
        if not isinstance(source, str):
            raise ConfigurationInvalid(f"{place}: say where it comes from (`from`) or what it always is (`value`).")
        if source in _HEADS:
            return _HEADS[source]
        if source == "$key":
            return OwnKey(None, self.domain), Kind.STRING
        attribute, _, part = source.partition(".")
        if part == "$key":
            return OwnKey(attribute, _REFERRED[attribute]), Kind.STRING
        if item_of is not None:
            return Value(attribute, part or None), Kind.STRING
        if (first := _FIRST.fullmatch(source)) is not None:
            attribute = first.group(1)
            self._known(place, attribute)
            return First(attribute, first.group(2) or None, first.group(3)), Kind.STRING
        shape = self._known(place, attribute)
        if "line" in told:
            return Line(attribute, int(told["line"]), self.lengths.name_lines, self.lengths.name_width), Kind.STRING
        return Value(attribute, part or None), _KINDS.get(shape, Kind.STRING)

    def _known(self, place: str, attribute: str) -> Shape:
        found = next((each.shape for each in ATTRIBUTES[self.domain] if each.name == attribute), None)
        if found is None:
            raise ConfigurationInvalid(f"{place}: a {self.domain.value} has no attribute {attribute!r}.")
        return found

    def collection(self, name: str, told: Any) -> Collection:
        """One collection of items."""
        blocks = []
        for block in told:
            attribute = block["each"]
            self._known(f"{self.where}, {name}", attribute)
            fields = tuple(self.field(each, how, attribute) for each, how in block["fields"].items())
            blocks.append(Block(attribute, block.get("type"), fields))
        return Collection(name, tuple(blocks))


def read_target(name: str, content: str, lengths: Lengths) -> Target:
    """A target from its document.

    Args:
        lengths: what the onboarding rules say about fields of customers.

    Raises:
        ConfigurationInvalid: a part is missing or not what it should be; names it.
    """
    try:
        document = yaml.safe_load(content)
        forms = {}
        for plural, told in document["objects"].items():
            domain = next(each for each in Domain if each.plural == plural)
            known = lengths if domain is Domain.CUSTOMER else Lengths({}, 1, 0)
            reader = _Reader(f"Projection {name}, {told['object']}", domain, known)
            forms[domain] = Form(
                target=name,
                domain=domain,
                object=told["object"],
                fields=tuple(reader.field(each, how) for each, how in told["fields"].items()),
                collections=tuple(reader.collection(each, how) for each, how in (told.get("items") or {}).items()),
            )
        tables = {domain: document["tables"][domain.plural] for domain in forms if domain.plural in document["tables"]}
        return Target(name, document["title"], str(document["release"]), document["system"], tables, forms)
    except yaml.YAMLError as fault:
        raise ConfigurationInvalid(f"Projection {name} cannot be read: {fault}") from fault
    except KeyError as fault:
        raise ConfigurationInvalid(f"Projection {name} lacks {fault}.") from fault
    except (AttributeError, StopIteration, TypeError, ValueError) as fault:
        raise ConfigurationInvalid(f"Projection {name} is not in the form of the shipped ones: {fault}") from fault


def _kind_of_codes(codes: Any) -> Kind | None:
    if not codes:
        return None
    return Kind.BOOLEAN if all(isinstance(each, bool) for each in codes.values()) else Kind.STRING


def _code(key: Any) -> str:
    """YAML reads true and false as what they are; golden values are compared as JSON writes them."""
    return str(key).lower() if isinstance(key, bool) else str(key)
