"""The ownership matrix: entity by attribute by platform, with an authority and two owners; and what is missing in it.

A versioned document; platforms and their trust come from the mappings, business owners from the canonical model where
the document says nothing. Reading refuses what is written wrongly; what is missing is a finding, shown and counted.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Final

from mdm.errors import ConfigurationInvalid
from mdm.intake.catalogue import Catalogue
from mdm.intake.document import Section, read_document
from mdm.model.canonical import ATTRIBUTES, LINKED_FACTS
from mdm.model.ids import Domain

SHIPPED_OWNERSHIP = Path(__file__).parent / "ownership.yaml"
RULE, DERIVED = "rule", "derived"
_SIDES: Final = ("business", "it")


@dataclass(frozen=True, slots=True)
class Owner:
    """Who can answer for something, and on which side."""

    name: str
    side: str
    capability: str


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute of an entity, or one linked fact as a whole (`attribute` is empty).

    `platforms` are those that state it, with their trust; empty texts are gaps.
    """

    entity: str
    attribute: str
    definition: str
    data_class: str
    authority: str
    business: str
    it: str
    platforms: Mapping[str, float]

    @property
    def name(self) -> str:
        return f"{self.entity}.{self.attribute}" if self.attribute else self.entity


@dataclass(frozen=True, slots=True)
class Finding:
    """What is missing or does not fit. `cell` is the part of the row it is about."""

    row: str
    cell: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Ownership:
    """The document as it was read. `claims` hold what it says of each row."""

    version: str
    since: date
    fingerprint: str
    document: str
    owners: Mapping[str, Owner]
    claims: Mapping[str, Mapping[str, str]]


@cache
def load_ownership(path: Path | None = None) -> Ownership:
    """The matrix in a file, or the shipped one.

    Raises:
        ConfigurationInvalid: the document is wrong; names file, line and key.
    """
    file = path or SHIPPED_OWNERSHIP
    document = read_document(file)
    owners = {name: _owner(name, section) for name, section in _each(document.section("owners"))}
    claims = dict(_claims(document))
    version, since = document.text("version"), _day(document)
    document.finish()
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ConfigurationInvalid(f"{file} cannot be read: {error}") from error
    return Ownership(version, since, hashlib.sha256(text.encode()).hexdigest()[:16], text, owners, claims)


def matrix(ownership: Ownership, catalogue: Catalogue) -> tuple[Row, ...]:
    """Every attribute of every golden record, then every linked fact."""
    rows: list[Row] = []
    for domain in Domain:
        whole = ownership.claims.get(domain.value, {})
        for attribute in ATTRIBUTES[domain]:
            said = {**whole, **ownership.claims.get(f"{domain.value}.{attribute.name}", {})}
            rows.append(
                Row(
                    entity=domain.value,
                    attribute=attribute.name,
                    definition=attribute.definition,
                    data_class=attribute.data_class.value,
                    authority=said.get("authority", RULE),
                    business=said.get("business", attribute.owner),
                    it=said.get("it", ""),
                    platforms=_platforms(catalogue, domain, attribute.name),
                )
            )
    for fact in sorted(LINKED_FACTS):
        of_fact = ownership.claims.get(fact, {})
        platforms = {
            each.system: each.mapping.default_trust
            for each in catalogue.profiles
            if each.mapping is not None and each.mapping.kind == fact
        }
        authority, business, it = (of_fact.get(name, "") for name in ("authority", *_SIDES))
        rows.append(Row(fact, "", "Linked fact, kept and referenced.", "", authority, business, it, platforms))
    return tuple(rows)


def lint(ownership: Ownership, rows: tuple[Row, ...]) -> tuple[Finding, ...]:
    """Every gap: rows without authority or owner, owners whom nobody declared, authorities that say nothing."""
    known = {row.name for row in rows} | {row.entity for row in rows}
    strangers = [
        Finding(name, "row", "ROW_UNKNOWN", f"The model has no {name}; the document speaks of it.")
        for name in ownership.claims
        if name not in known
    ]
    return (*strangers, *(finding for row in rows for finding in _findings(ownership, row)))


def differences(before: Ownership, after: Ownership, catalogue: Catalogue) -> list[tuple[str, str, str, str]]:
    """Cells that differ between two versions: row, cell, before, after."""
    old = {row.name: row for row in matrix(before, catalogue)}
    found = []
    for row in matrix(after, catalogue):
        for cell in ("authority", *_SIDES):
            was, now = getattr(old[row.name], cell), getattr(row, cell)
            if was != now:
                found.append((row.name, cell, was, now))
    return found


def _findings(ownership: Ownership, row: Row) -> Iterator[Finding]:
    if not row.authority:
        yield Finding(row.name, "authority", "AUTHORITY_MISSING", "Nobody says which platform is right.")
    elif row.authority == DERIVED:
        pass
    elif not row.platforms:
        yield Finding(row.name, "platforms", "NO_PLATFORM", "No platform states it.")
    elif row.authority != RULE and row.authority not in row.platforms:
        yield Finding(
            row.name, "authority", "AUTHORITY_SILENT", f"{row.authority} is the authority and does not state it."
        )
    for side in _SIDES:
        name = getattr(row, side)
        words = {"business": "the business", "it": "IT"}[side]
        if not name:
            yield Finding(row.name, side, "OWNER_MISSING", f"Nobody in {words} answers for it.")
        elif name not in ownership.owners:
            yield Finding(row.name, side, "OWNER_UNKNOWN", f"{name} is not declared as an owner.")
        elif ownership.owners[name].side != side:
            yield Finding(row.name, side, "OWNER_OF_OTHER_SIDE", f"{name} is not of {words}.")


def _platforms(catalogue: Catalogue, domain: Domain, attribute: str) -> dict[str, float]:
    return {
        each.system: each.trust(attribute)
        for each in catalogue.profiles
        if each.mapping is not None
        and each.mapping.domain is domain
        and any(rule.attribute == attribute for rule in each.mapping.attributes)
    }


def _claims(document: Section) -> Iterator[tuple[str, dict[str, str]]]:
    for entity, section in _each(document.section("entities")):
        attributes = section.section("attributes")
        yield entity, {name: section.text(name) for name in ("authority", *_SIDES) if name in section}
        for attribute, said in _each(attributes):
            yield f"{entity}.{attribute}", _said(said)
    for fact, said in _each(document.section("facts")):
        yield fact, _said(said)


def _said(section: Section) -> dict[str, str]:
    said = {name: section.text(name) for name in ("authority", *_SIDES) if name in section}
    section.finish()
    return said


def _each(section: Section | None) -> Iterator[tuple[str, Section]]:
    for name in section.names() if section is not None else ():
        inner = section.section(name) if section is not None else None
        if inner is not None:
            yield name, inner


def _owner(name: str, section: Section) -> Owner:
    side = section.text("side")
    if side not in _SIDES:
        section.refuse("side", "must be business or it")
    owner = Owner(name, side, section.text("capability", ""))
    section.finish()
    return owner


def _day(document: Section) -> date:
    try:
        return date.fromisoformat(document.text("since"))
    except ValueError:
        document.refuse("since", "must be a date, YYYY-MM-DD")
