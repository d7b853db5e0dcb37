"""Namespaces of identifier columns: what kind of number a column holds, who gives it, where, and whether to one alone.

A mapping declares them (`namespaces`). Of columns that belong to one legal entity at a time, the hub watches whether
the source gives a value to another one (`mdm.core.recycled`). What is not declared is not watched; `lint` names it.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mdm.intake.document import Section

if TYPE_CHECKING:
    from mdm.intake.catalogue import Profile
    from mdm.intake.rules import TableMapping

#: Attributes whose columns identify what a row is about.
_IDENTIFYING: Final = frozenset({"identifiers", "number", "code"})
#: Types of numbers that one company has, by what `mdm.intake.standardise.identifiers` makes of a value.
_OF_ONE_COMPANY: Final = frozenset({"vat", "tax", "registration", "lei"})


@dataclass(frozen=True, slots=True)
class Namespace:
    """What the values of an identifier column are, or those at a place in its JSON.

    `country` is a code, `world`, or the column of the row that says it. `exclusive` is whether one thing alone has a
    value.
    """

    column: str
    type: str
    issuer: str
    country: str
    exclusive: bool


@dataclass(frozen=True, slots=True)
class Undeclared:
    """An identifier column of which a mapping does not say what it holds."""

    system: str
    table: str
    column: str
    holds: str
    owner: str

    @property
    def detail(self) -> str:
        return (
            f"{self.holds}; say its type, issuer, country and exclusivity under `namespaces` of the mapping, so that "
            "it is watched."
        )


def read_namespaces(section: Section | None, columns: Iterable[str]) -> tuple[Namespace, ...]:
    """The namespaces of a mapping, each checked against the columns of the contract."""
    if section is None:
        return ()
    known = frozenset(columns)
    found = []
    for column in section.names():
        if column.partition(".")[0] not in known:
            section.refuse(column, "is not a column of this table, nor a place in one")
        said = section.section(column)
        assert said is not None
        each = Namespace(
            column, said.text("type"), said.text("issuer"), said.text("country"), said.flag("exclusive", False)
        )
        if "exclusive" not in said:
            said.refuse("exclusive", "must say whether one thing alone has a value")
        if each.country != "world" and len(each.country) != 2 and each.country not in known:
            said.refuse("country", "must be a code of two letters, a column of this table, or world")
        said.finish()
        found.append(each)
    return tuple(found)


def watched_types(mapping: "TableMapping") -> frozenset[str]:
    """The types of company numbers that belong to one company each, as far as the table declares such columns."""
    declared = {each.column: each for each in mapping.namespaces}
    columns = {
        source.path.text for rule in mapping.attributes if rule.attribute == "identifiers" for source in rule.sources
    }
    if not any(declared[column].exclusive for column in columns & declared.keys()):
        return frozenset()
    return _OF_ONE_COMPANY - {each.type for each in mapping.namespaces if not each.exclusive}


def key_is_exclusive(mapping: "TableMapping", primary_key: tuple[str, ...]) -> bool:
    """Whether a key of the table is given to one thing alone, by what is declared."""
    exclusive = {each.column for each in mapping.namespaces if each.exclusive}
    return exclusive.issuperset(primary_key)


def lint(profiles: Iterable["Profile"]) -> list[Undeclared]:
    """Identifier columns of tables of customers, contracts and products that no namespace is declared for."""
    return [
        Undeclared(profile.system, profile.table, column, holds, profile.owner)
        for profile in profiles
        if profile.mapping is not None and profile.mapping.domain is not None
        for column, holds in _identifier_columns(profile, profile.mapping)
        if column not in {each.column for each in profile.mapping.namespaces}
    ]


def _identifier_columns(profile: "Profile", mapping: "TableMapping") -> Iterator[tuple[str, str]]:
    found: dict[str, str] = dict.fromkeys(profile.contract.primary_key, "is part of the primary key")
    for rule in mapping.attributes:
        if rule.attribute in _IDENTIFYING:
            for source in rule.sources:
                if source.part in ("", "value"):
                    found.setdefault(source.path.text, f"is read as {rule.attribute} of a {mapping.domain}")
    for alias in mapping.aliases:
        found.setdefault(alias.path.text, f"is another name of the row ({alias.name})")
    yield from found.items()
