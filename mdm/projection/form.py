"""What a target's object looks like: fields with type, length and origin; how it is read from its document is apart."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, TypeAlias

from mdm.model.ids import Domain


class Kind(StrEnum):
    """The type of a field, by its OData name."""

    STRING = "Edm.String"
    BOOLEAN = "Edm.Boolean"
    INTEGER = "Edm.Int32"
    DECIMAL = "Edm.Decimal"  # text, never a float
    DATE = "Edm.Date"
    INSTANT = "Edm.DateTimeOffset"


@dataclass(frozen=True, slots=True)
class Value:
    """A golden value, or a part of one: `address.city`."""

    attribute: str
    part: str | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """Parts of one golden value in one field, with a blank between them: street and house number."""

    attribute: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class First:
    """The first element of a list value, or the first of a type: `identifiers[vat].normal`."""

    attribute: str
    type: str | None
    part: str


@dataclass(frozen=True, slots=True)
class Line:
    """One of the lines that a text is broken into between words."""

    attribute: str
    number: int
    lines: int
    width: int


@dataclass(frozen=True, slots=True)
class OwnKey:
    """The target's own key: of the record, or of the record that `attribute` refers to."""

    attribute: str | None
    domain: Domain


@dataclass(frozen=True, slots=True)
class Head:
    """What a golden record has besides its values."""

    member: Literal["id", "version", "known_from"]


@dataclass(frozen=True, slots=True)
class Constant:
    """Always the same."""

    value: str | bool | int


Origin: TypeAlias = Value | Joined | First | Line | OwnKey | Head | Constant


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the target. `codes` are the target's codes by golden value; `after` is put behind a value.

    `region` says that the field takes the code of a region of the item's country (ISO 3166-2).
    """

    name: str
    kind: Kind
    origin: Origin
    length: int | None = None
    required: bool = False
    codes: Mapping[str, str | bool] | None = None
    letters: Literal["upper", "lower"] | None = None
    after: str = ""
    region: bool = False
    #: The target makes it of other fields and cuts it itself: its length is no condition.
    composed: bool = False
    note: str = ""

    @property
    def attribute(self) -> str | None:
        """The golden attribute that the field shows; None for keys and constants of the record itself."""
        return None if isinstance(self.origin, Head | Constant) else self.origin.attribute

    @property
    def searchable(self) -> bool:
        """Whether lists can be filtered by it."""
        origin = self.origin
        if isinstance(origin, Line):
            return origin.lines == 1
        return not isinstance(origin, Joined) and not (isinstance(origin, OwnKey) and origin.attribute is not None)


@dataclass(frozen=True, slots=True)
class Block:
    """Items of a collection: one for each element of a list value (of a type), or one for a structured value."""

    attribute: str
    type: str | None
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Collection:
    """A part of the target's object that holds items."""

    name: str
    blocks: tuple[Block, ...]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields of all items, each once."""
        return tuple({field.name: field for block in self.blocks for field in block.fields}.values())


@dataclass(frozen=True, slots=True)
class Form:
    """One object of a target. `entity_set` is its name where only letters, digits and underscores may stand."""

    target: str
    domain: Domain
    object: str
    fields: tuple[Field, ...]
    collections: tuple[Collection, ...] = ()

    @property
    def entity_set(self) -> str:
        return re.sub(r"\W", "_", self.object)

    @property
    def names(self) -> frozenset[str]:
        """Names of fields and collections, by which an answer can be narrowed."""
        return frozenset([field.name for field in self.fields] + [each.name for each in self.collections])

    def field(self, name: str) -> Field | None:
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True, slots=True)
class Target:
    """An ERP system. Its own keys are the keys of source rows of `system`, by domain the table."""

    name: str
    title: str
    release: str
    system: str
    tables: Mapping[Domain, str]
    forms: Mapping[Domain, Form]

    def __iter__(self) -> Iterator[Form]:
        return iter(self.forms.values())
