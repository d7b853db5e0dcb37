"""Mappings: how the columns of one source table become canonical attributes, references, aliases and evidence.

One YAML document per table, next to the platform's contract. A value is named by its path: `name`, or inside a JSON
column `metadata.segment` and `line_items[].product_code`. A target names another table: `account` of the same
platform, `billing.customer` of another one, `product2#product_code` by one of its aliases.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from mdm.intake.contracts import Contract
from mdm.intake.document import Section, read_document
from mdm.intake.namespaces import Namespace, read_namespaces
from mdm.intake.paths import Path as ValuePath
from mdm.intake.paths import parse_path
from mdm.model.canonical import ATTRIBUTES, EXTENSION, LINKED_FACTS
from mdm.model.ids import Domain

#: What changes in the life of a company, rather than being put right.
FORMER: Final = frozenset({"name", "alternate_names", "address"})


@dataclass(frozen=True, slots=True)
class Source:
    """Where a standardiser takes a value from: a path, the part that it plays, and what else the mapping says of it."""

    path: ValuePath
    part: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AttributeRule:
    """Fill a canonical attribute from sources with a named standardiser."""

    attribute: str
    standardiser: str
    sources: tuple[Source, ...]
    target: "Target | None" = None
    codes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Target:
    """A table, or one of its aliases (`table#alias`), in one platform. `first` keeps that many characters of a key."""

    system: str
    type: str
    first: int | None = None


@dataclass(frozen=True, slots=True)
class ReferenceRule:
    """This row points at another in a role. A claim says more: both rows are one and the same thing."""

    role: str
    path: ValuePath
    target: Target
    claim: bool = False


@dataclass(frozen=True, slots=True)
class AliasRule:
    """Another name of this row: the value at a path under the type `table#name`."""

    name: str
    path: ValuePath
    first: int | None = None


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """This row states a token about the row that `about` points at."""

    about: ValuePath
    target: Target
    token: str
    path: ValuePath


#: How extension attributes may be read: as what has no meaning that the hub would have to know.
EXTENSION_FORMS = frozenset({"text", "texts", "code", "boolean", "integer", "decimal", "date"})
_EXTENSION_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TableMapping:
    """Everything the hub makes of one table's rows."""

    kind: str
    domain: Domain | None
    attributes: tuple[AttributeRule, ...]
    #: Rules that only matching needs: what they find is no attribute.
    comparisons: tuple[AttributeRule, ...]
    references: tuple[ReferenceRule, ...]
    aliases: tuple[AliasRule, ...]
    evidence: tuple[EvidenceRule, ...]
    trust: Mapping[str, float]
    default_trust: float
    #: The table is trusted to hold no two rows for one entity.
    distinct: bool = False
    #: Attributes whose earlier values stay evidence (`mdm.core.former`); none where a platform reads the hub.
    former: frozenset[str] = frozenset()
    #: Extension attributes: what this platform says beyond the canonical model.
    extensions: tuple[AttributeRule, ...] = ()
    #: What its identifier columns hold.
    namespaces: tuple[Namespace, ...] = ()
    #: Names what the document says; empty where there is none.
    fingerprint: str = ""

    def targets(self) -> tuple[Target, ...]:
        """Every table that this mapping points at."""
        return (
            *(rule.target for rule in self.references),
            *(rule.target for rule in self.evidence),
            *(rule.target for rule in self.attributes if rule.target is not None),
        )


def read_mapping(file: Path, contract: Contract, standardisers: frozenset[str]) -> TableMapping:
    """The mapping of one table, checked against its contract and the canonical model.

    Raises:
        ConfigurationInvalid: names file, line and key.
    """
    document = read_document(file)
    if document.text("table") != contract.table:
        document.refuse("table", f"must be {contract.table}, as the file is called")
    domain, kind = _kind(document)
    reader = _Reader(contract, standardisers)
    mapping = TableMapping(
        kind=kind,
        domain=domain,
        attributes=_attributes(document, domain, reader),
        comparisons=reader.attributes(document.section("comparison")),
        references=tuple(
            [reader.reference(section, claim=False) for section in document.sections("references")]
            + [reader.reference(section, claim=True) for section in document.sections("claims")]
        ),
        aliases=tuple(reader.alias(section) for section in document.sections("aliases")),
        evidence=tuple(reader.evidence(section) for section in document.sections("evidence")),
        trust=_trust(document, domain),
        default_trust=_default_trust(document),
        distinct=_distinct(document, domain),
        former=_former(document, domain),
        extensions=_extensions(document, domain, reader),
        namespaces=read_namespaces(document.section("namespaces"), contract.columns),
        fingerprint=document.fingerprint(),
    )
    document.finish()
    return mapping


def _kind(document: Section) -> tuple[Domain | None, str]:
    kind = document.text("kind")
    if kind in tuple(Domain):
        return Domain(kind), kind
    if kind not in LINKED_FACTS:
        document.refuse("kind", f"must be one of {', '.join([*Domain, *sorted(LINKED_FACTS)])}")
    return None, kind


def _attributes(document: Section, domain: Domain | None, reader: "_Reader") -> tuple[AttributeRule, ...]:
    section = document.section("attributes")
    if section is not None and domain is not None:
        known = {attribute.name for attribute in ATTRIBUTES[domain]}
        for name in section.names():
            if name not in known:
                section.refuse(name, f"is not an attribute of {domain}")
    # The country comes first: numbers, addresses and names of a row are read by the rules of its country.
    return tuple(sorted(reader.attributes(section), key=lambda rule: rule.attribute != "country"))


def _extensions(document: Section, domain: Domain | None, reader: "_Reader") -> tuple[AttributeRule, ...]:
    section = document.section("extensions")
    if section is None:
        return ()
    if domain is None:
        document.refuse("extensions", "belong to tables of customers, contracts or products")
    known = {attribute.name for attribute in ATTRIBUTES[domain]} | {EXTENSION.name}
    for name in section.names():
        if name in known:
            section.refuse(name, f"is an attribute of {domain}: map it under attributes")
        if not _EXTENSION_NAME.fullmatch(name):
            section.refuse(name, "must be lower-case letters, digits and underscores, beginning with a letter")
    rules = reader.attributes(section)
    for rule in rules:
        if rule.standardiser not in EXTENSION_FORMS:
            section.refuse(rule.attribute, f"is read as {rule.standardiser}; as {', '.join(sorted(EXTENSION_FORMS))}")
    return rules


def _trust(document: Section, domain: Domain | None) -> Mapping[str, float]:
    section = document.section("trust")
    if section is None:
        return {}
    known = {attribute.name for attribute in ATTRIBUTES[domain]} if domain is not None else set()
    trust = {}
    for name in section.names():
        if name != "default" and name not in known:
            section.refuse(name, "is not a canonical attribute")
        trust[name] = section.number(name)
        if not 0.0 <= trust[name] <= 1.0:
            section.refuse(name, "must lie between 0 and 1")
    trust.pop("default", None)
    return trust


def _distinct(document: Section, domain: Domain | None) -> bool:
    if "distinct" in document and domain is None:
        document.refuse("distinct", "belongs to tables of customers, contracts or products")
    return document.flag("distinct", False)


def _former(document: Section, domain: Domain | None) -> frozenset[str]:
    names = frozenset(document.texts("former"))
    if names and domain is not Domain.CUSTOMER:
        document.refuse("former", "belongs to tables of customers")
    for name in sorted(names - FORMER):
        document.refuse("former", f"may name {' and '.join(sorted(FORMER))}, not {name!r}")
    return names


def _default_trust(document: Section) -> float:
    section = document.section("trust")
    return 0.5 if section is None else section.number("default", 0.5)


def read_attribute_rules(
    section: Section | None, columns: frozenset[str], standardisers: frozenset[str]
) -> tuple[AttributeRule, ...]:
    """Attribute rules over the columns of a table that has no contract, country first."""
    rules = _Reader(_Table(columns), standardisers).attributes(section)
    return tuple(sorted(rules, key=lambda rule: rule.attribute != "country"))


class _Columns(Protocol):
    """What has columns that paths may start at."""

    @property
    def system(self) -> str: ...
    @property
    def table(self) -> str: ...
    @property
    def columns(self) -> Collection[str]: ...


@dataclass(frozen=True, slots=True)
class _Table:
    columns: frozenset[str]
    system: str = "file"
    table: str = "records"


class _Reader:
    """Reads rules and checks that every path starts at a column of the contract."""

    def __init__(self, contract: _Columns, standardisers: frozenset[str]) -> None:
        self._contract = contract
        self._standardisers = standardisers

    def attributes(self, section: Section | None) -> tuple[AttributeRule, ...]:
        return () if section is None else tuple(self._attribute(name, section) for name in section.names())

    def _attribute(self, name: str, parent: Section) -> AttributeRule:
        if parent.is_text(name):
            return AttributeRule(name, "text", (Source(self._path(parent, name)),))
        section = parent.section(name)
        if section is None:
            parent.refuse(name, "must say where its value comes from")
        standardiser = section.text("as", "text")
        if standardiser not in self._standardisers:
            section.refuse("as", f"must be one of {', '.join(sorted(self._standardisers))}, not {standardiser!r}")
        codes = section.section("codes")
        rule = AttributeRule(
            name,
            standardiser,
            self._sources(section),
            target=self._target(section) if "to" in section else None,
            codes={code.lower(): codes.text(code) for code in codes.names()} if codes is not None else {},
        )
        section.finish()
        return rule

    def reference(self, section: Section, *, claim: bool) -> ReferenceRule:
        role = section.text("role", "same" if claim else None)
        rule = ReferenceRule(role, self._path(section, "from"), self._target(section), claim)
        section.finish()
        return rule

    def alias(self, section: Section) -> AliasRule:
        rule = AliasRule(section.text("name"), self._path(section, "from"), _first(section))
        section.finish()
        return rule

    def evidence(self, section: Section) -> EvidenceRule:
        rule = EvidenceRule(
            about=self._path(section, "about"),
            target=self._target(section),
            token=section.text("token"),
            path=self._path(section, "from"),
        )
        section.finish()
        return rule

    def _sources(self, section: Section) -> tuple[Source, ...]:
        if section.is_text("from"):
            return (Source(self._path(section, "from")),)
        if section.is_mapping("from"):
            parts = section.section("from")
            assert parts is not None
            return tuple(Source(self._path(parts, part), part) for part in parts.names())
        if section.is_list_of_mappings("from"):
            return tuple(self._source(entry) for entry in section.sections("from"))
        return tuple(Source(self._parse(section, "from", text)) for text in section.texts("from"))

    def _source(self, entry: Section) -> Source:
        path = self._path(entry, "path")
        options = {name: entry.text(name) for name in entry.names() if name != "path"}
        return Source(path, options=options)

    def _target(self, section: Section) -> Target:
        return parse_target(section.text("to"), self._contract.system, _first(section))

    def _path(self, section: Section, name: str) -> ValuePath:
        return self._parse(section, name, section.text(name))

    def _parse(self, section: Section, name: str, text: str) -> ValuePath:
        path = parse_path(text)
        if path.column not in self._contract.columns:
            section.refuse(name, f"{path.column!r} is not a column of {self._contract.system}.{self._contract.table}")
        return path


def parse_target(text: str, system: str, first: int | None = None) -> Target:
    """`account` of this platform, or `crm.account` of another; `#alias` may follow."""
    other, dot, table = text.partition(".")
    return Target(other, table, first) if dot else Target(system, text, first)


def _first(section: Section) -> int | None:
    return int(section.number("first")) if "first" in section else None
