"""Records side by side: one row per attribute, with a sign for how the records relate and the letters that differ."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from string import ascii_uppercase
from typing import Any

from api.console.diff import Segment, segments
from api.console.show import Line, label, lines, record_address
from api.masking import show_record
from mdm.access import Eyes
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.read_golden import Member
from mdm.store.read_models import expand

#: Attributes in the groups in which people look for them; what is not named comes last.
_GROUPS: Mapping[Domain, Sequence[tuple[str, Sequence[str]]]] = {
    Domain.CUSTOMER: (
        ("Identity", ("name", "alternate_names", "legal_form", "country", "parent", "status")),
        ("Identifiers", ("identifiers",)),
        ("Address", ("address",)),
        ("Contact", ("phones", "emails", "web_domain", "language")),
        ("Finance", ("validated", "validated_on", "tax_classification", "payment_terms", "currency", "blocked",
                     "block_reason", "delinquent")),
    ),
    Domain.CONTRACT: (
        ("Identity", ("number", "other_numbers", "customer", "status", "prior_contract", "amendment")),
        ("What is sold", ("lines",)),
        ("Term", ("start_date", "end_date", "term_months", "activated_on")),
        ("Money", ("value", "currency", "billing_frequency", "special_terms")),
    ),
    Domain.PRODUCT: (
        ("Identity", ("name", "technical_name", "code", "other_codes", "identifiers")),
        ("What it is", ("description", "brand", "family", "version", "unit", "metered", "status", "labels")),
    ),
}  # fmt: skip

#: Which attribute a comparison of the match model looks at.
_EVIDENCE_OF: Mapping[Domain, Mapping[str, str]] = {
    Domain.CUSTOMER: {
        "name": "name", "identifiers": "identifiers", "country": "country", "legal form": "legal_form",
        "phone": "phones", "web": "web_domain", "address": "address",
    },
    Domain.CONTRACT: {
        "number": "number", "customer": "customer", "products": "lines", "term": "start_date", "value": "value",
        "currency": "currency",
    },
    Domain.PRODUCT: {
        "code": "code", "gtin": "identifiers", "name": "name", "version": "version", "brand": "brand", "unit": "unit",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """A record that is compared. `letter` names it on the page."""

    letter: str
    key: CrosswalkKey
    entity_id: EntityId | None
    href: str | None
    event_time: datetime
    attributes: Mapping[str, Any]
    masked: Sequence[str] = ()
    rejected: Mapping[str, str] = field(default_factory=dict)
    asked: bool = True


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A line of a value, cut where it differs from the others."""

    parts: Sequence[Segment]
    note: str
    href: str | None


@dataclass(frozen=True, slots=True)
class GoldenCell:
    """What would survive: its lines, who it comes from (letters of columns, or a record), and by which rule."""

    lines: Sequence[Line]
    sources: Sequence[str]
    rule: str


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute of all records. `sign` is same, differs, shared (lists with something in common), single, or
    none (only other members state it)."""

    name: str
    label: str
    sign: str
    cells: Sequence[Sequence[ShownLine]]
    golden: GoldenCell | None
    bits: float | None


@dataclass(frozen=True, slots=True)
class RowGroup:
    title: str
    rows: Sequence[Row]


SIGNS = {"same": "same", "differs": "differs", "shared": "in part", "single": "one side", "none": "neither"}


def columns_of(
    domain: Domain,
    members: Sequence[tuple[EntityId, Member]],
    entities: Mapping[CrosswalkKey, EntityId],
    eyes: Eyes,
    asked: Sequence[CrosswalkKey] | None = None,
) -> list[Column]:
    """Source rows as columns, as this role may see them. `asked` are those that a question is about; None is all.

    Args:
        entities: which golden record each reference among their values means.
    """
    columns = []
    for letter, (entity, member) in zip(ascii_uppercase, members, strict=False):
        shown = show_record(domain, expand(domain, member.attributes, entities), eyes)
        columns.append(
            Column(
                letter=letter,
                key=member.key,
                entity_id=entity,
                href=record_address(entity),
                event_time=member.event_time,
                attributes=shown.values,
                masked=shown.masked,
                rejected=member.rejected,
                asked=asked is None or member.key in asked,
            )
        )
    return columns


def compare(
    domain: Domain,
    columns: Sequence[Column],
    golden: tuple[Mapping[str, Any], Mapping[str, Any]] | None = None,
    bits: Mapping[str, float] | None = None,
) -> list[RowGroup]:
    """All attributes that any record states, in groups.

    Args:
        golden: values and lineage (in its JSON form) of what would survive.
        bits: contributions to the match weight by comparison.
    """
    stated = {name for column in columns for name, value in column.attributes.items() if _lines(domain, name, value)}
    if golden is not None:
        stated |= {name for name, value in golden[0].items() if _lines(domain, name, value)}
    by_attribute = {_EVIDENCE_OF[domain][name]: value for name, value in (bits or {}).items()
                    if name in _EVIDENCE_OF[domain]}  # fmt: skip
    groups = []
    for title, names in _grouped(domain, stated):
        rows = [_row(domain, name, columns, golden, by_attribute.get(name)) for name in names if name in stated]
        if rows:
            groups.append(RowGroup(title, rows))
    return groups


def _grouped(domain: Domain, stated: Iterable[str]) -> list[tuple[str, Sequence[str]]]:
    groups = list(_GROUPS[domain])
    placed = {name for _, names in groups for name in names}
    known = [attribute.name for attribute in ATTRIBUTES[domain]]
    rest = [name for name in known if name not in placed] + sorted(set(stated).difference(known))
    return [*groups, ("More", rest)]


def _row(
    domain: Domain,
    name: str,
    columns: Sequence[Column],
    golden: tuple[Mapping[str, Any], Mapping[str, Any]] | None,
    bits: float | None,
) -> Row:
    written = [_lines(domain, name, column.attributes.get(name)) for column in columns]
    cells = []
    for index, own in enumerate(written):
        others = [line.text for at, lines_ in enumerate(written) if at != index for line in lines_]
        cells.append([ShownLine(segments(line.text, others), line.note, line.href) for line in own])
    return Row(
        name=name,
        label=label(name),
        sign=_sign(written),
        cells=cells,
        golden=None if golden is None else _golden(domain, name, columns, *golden),
        bits=bits,
    )


def _sign(written: Sequence[Sequence[Line]]) -> str:
    """How the records that state the attribute relate; silence is no disagreement."""
    stated = [frozenset(_folded(line.text) for line in each) for each in written if each]
    if len(stated) < 2:
        return "single" if stated else "none"
    if all(each == stated[0] for each in stated):
        return "same"
    return "shared" if frozenset.intersection(*stated) else "differs"


def _golden(
    domain: Domain, name: str, columns: Sequence[Column], values: Mapping[str, Any], lineage: Mapping[str, Any]
) -> GoldenCell:
    origin = lineage.get(name, {})
    elements = origin.get("elements") or [origin]
    letters = {column.key: column.letter for column in columns}
    sources = []
    for element in elements:
        record = element.get("record")
        if record:
            key = CrosswalkKey(record["system"], record["type"], record["key"])
            sources.append(letters.get(key, f"{key.system} {key.key}"))
    return GoldenCell(
        lines=_lines(domain, name, values.get(name)),
        sources=list(dict.fromkeys(sources)),
        rule=str(origin.get("rule") or "").replace("_", " "),
    )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


def _lines(domain: Domain, name: str, value: Any) -> list[Line]:
    return lines(domain, name, value)
