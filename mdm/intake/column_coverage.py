"""What the hub makes of every column of a source table by its mapping, and which columns mean nothing to it. Pure.

What a platform sends is kept whole all the same: a column that nothing reads stands in the row, and in its history.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from mdm.intake.catalogue import Profile
from mdm.intake.rules import AttributeRule, TableMapping, Target
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain


class UseKind(StrEnum):
    """What a column is read for."""

    KEY = "key"
    ATTRIBUTE = "attribute"
    EXTENSION = "extension"
    COMPARISON = "comparison"
    REFERENCE = "reference"
    CLAIM = "claim"
    ALIAS = "alias"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a column. `of` is the attribute, role, alias or token that it serves; `path` the place in it as the
    mapping writes it; `form` how it is read; `target` the table that it points at, empty where it points at none."""

    kind: UseKind
    of: str
    path: str
    form: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class ColumnUse:
    """A column as its contract promises it, and everything that it is read for."""

    name: str
    physical: str
    uses: tuple[Use, ...]

    @property
    def mapped(self) -> bool:
        return bool(self.uses)


@dataclass(frozen=True, slots=True)
class TableCoverage:
    """A table. `kind` is what its rows are to the hub; empty where it has no mapping."""

    system: str
    table: str
    kind: str
    domain: Domain | None
    owner: str
    columns: tuple[ColumnUse, ...]

    @property
    def mapped(self) -> int:
        """How many columns are read for something."""
        return sum(each.mapped for each in self.columns)

    @property
    def unmapped(self) -> tuple[str, ...]:
        """The columns that nothing reads, in the order of the contract."""
        return tuple(each.name for each in self.columns if not each.mapped)

    @property
    def share(self) -> float:
        """The mapped columns among all, 0 to 1; a contract has at least one column."""
        return self.mapped / len(self.columns)


@dataclass(frozen=True, slots=True)
class Filling:
    """A column that fills an attribute of a domain, and how it is read."""

    system: str
    table: str
    path: str
    form: str


def column_coverage(profile: Profile) -> TableCoverage:
    """What is made of each column of the newest contract of a table."""
    contract, mapping = profile.contract, profile.mapping
    uses: dict[str, list[Use]] = {name: [Use(UseKind.KEY, "key", name)] for name in contract.primary_key}
    for column, use in _uses(mapping, profile.system) if mapping is not None else ():
        held = uses.setdefault(column, [])
        if use not in held:
            held.append(use)
    return TableCoverage(
        system=profile.system,
        table=profile.table,
        kind=mapping.kind if mapping is not None else "",
        domain=mapping.domain if mapping is not None else None,
        owner=profile.owner,
        columns=tuple(
            ColumnUse(name, column.physical, tuple(uses.get(name, ()))) for name, column in contract.columns.items()
        ),
    )


def fillings(profiles: Iterable[Profile], domain: Domain) -> Mapping[str, Sequence[Filling]]:
    """Of every attribute of a domain the columns that fill it, by platform and table; empty where none does."""
    found: dict[str, list[Filling]] = {attribute.name: [] for attribute in ATTRIBUTES[domain]}
    for profile in sorted(profiles, key=lambda each: (each.system, each.table)):
        if profile.mapping is None or profile.mapping.domain is not domain:
            continue
        for rule in profile.mapping.attributes:
            places = dict.fromkeys(source.path.text for source in rule.sources)
            found[rule.attribute] += [
                Filling(profile.system, profile.table, each, rule.standardiser) for each in places
            ]
    return found


def _uses(mapping: TableMapping, system: str) -> Iterator[tuple[str, Use]]:
    for kind, rules in (
        (UseKind.ATTRIBUTE, mapping.attributes),
        (UseKind.EXTENSION, mapping.extensions),
        (UseKind.COMPARISON, mapping.comparisons),
    ):
        for rule in rules:
            yield from _of_rule(kind, rule, system)
    for one in mapping.references:
        kind = UseKind.CLAIM if one.claim else UseKind.REFERENCE
        yield one.path.column, Use(kind, one.role, one.path.text, target=_named(one.target, system))
    for alias in mapping.aliases:
        yield alias.path.column, Use(UseKind.ALIAS, alias.name, alias.path.text)
    for each in mapping.evidence:
        target = _named(each.target, system)
        for path in (each.path, each.about):
            yield path.column, Use(UseKind.EVIDENCE, each.token, path.text, target=target)


def _of_rule(kind: UseKind, rule: AttributeRule, system: str) -> Iterator[tuple[str, Use]]:
    target = "" if rule.target is None else _named(rule.target, system)
    for source in rule.sources:
        yield source.path.column, Use(kind, rule.attribute, source.path.text, rule.standardiser, target)


def _named(target: Target, system: str) -> str:
    return target.type if target.system == system else f"{target.system}.{target.type}"
