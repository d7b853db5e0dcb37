"""Turns a source row into a source record, by the mapping of its table. Pure and deterministic."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from mdm.intake.catalogue import Catalogue
from mdm.intake.exchanged import in_place
from mdm.intake.paths import value_at, values_at
from mdm.intake.rules import AttributeRule, EvidenceRule, ReferenceRule, TableMapping, Target
from mdm.intake.standardise.agreements import derived_terms
from mdm.intake.standardise.document_numbers import number_form
from mdm.intake.standardise.registry import STANDARDISERS
from mdm.intake.standardise.result import Context, Given, Standardised
from mdm.model.canonical import EXTENSION
from mdm.model.events import Row
from mdm.model.ids import CrosswalkKey, Domain
from mdm.model.records import Evidence, Reference, SourceRecord

#: The kind of rows whose table has a contract but no mapping, or none at all.
UNMAPPED = "unmapped"
_LONGEST_NAME: Final = 300
#: Characters of a value that can be an attribute. What is longer is a file in the wrong column: read and compared with
#: others it takes seconds, and a golden record with it fits into no topic. The row keeps it whole.
_LONGEST_VALUE: Final = 10_000
TOO_LONG: Final = "TOO_LONG"


def standardise(catalogue: Catalogue, key: CrosswalkKey, row: Row) -> SourceRecord:
    """The record of a row in canonical form (`mdm.intake.readers`), with what it says about other rows."""
    profile = catalogue.profile(key.system, key.type)
    if profile is None or profile.mapping is None:
        return SourceRecord(key=key, kind=UNMAPPED, domain=None)
    return standardise_by(profile.mapping, key, row)


def standardise_by(mapping: TableMapping, key: CrosswalkKey, row: Row) -> SourceRecord:
    """The record of a row by a given mapping."""
    found = _findings(mapping.attributes, mapping.comparisons, row, None)
    if mapping.domain is Domain.CUSTOMER and found.country is None and (assumed := found.assumed_country()) is not None:
        found = _findings(mapping.attributes, mapping.comparisons, row, assumed)
    found.extend(key.system, ((rule, _apply(rule, row, found.country, None)) for rule in mapping.extensions))
    references = _references(mapping.references, row)
    aliases = tuple(
        CrosswalkKey(key.system, f"{key.type}#{alias.name}", text[: alias.first])
        for alias in mapping.aliases
        for text in _texts(values_at(row, alias.path))
    )
    return SourceRecord(
        key=key,
        kind=mapping.kind,
        domain=mapping.domain,
        attributes=found.attributes,
        comparison=_comparison(mapping, key, found, aliases, references, row) if mapping.domain is not None else {},
        references=references,
        aliases=aliases,
        evidence=_evidence(mapping.evidence, row),
        rejected=found.rejected,
    )


def comparison_forms(attributes: Iterable[AttributeRule], row: Row, *, customer: bool) -> dict[str, Any]:
    """The comparison forms of a row of any table, read by attribute rules, country first."""
    rules = tuple(attributes)
    found = _findings(rules, (), row, None)
    if customer and found.country is None and (assumed := found.assumed_country()) is not None:
        found = _findings(rules, (), row, assumed)
    return found.comparison


def _findings(
    attributes: Iterable[AttributeRule], comparisons: Iterable[AttributeRule], row: Row, assumed_country: str | None
) -> "_Findings":
    """What the rules find, reading numbers and regions by the row's country or, without one, by the assumed country."""
    found = _Findings()
    row = in_place(attributes, row)
    for rule in attributes:
        found.add(rule.attribute, _apply(rule, row, found.country, assumed_country))
    for rule in comparisons:
        found.compare(_apply(rule, row, found.country, assumed_country).comparison)
    return found


class _Findings:
    """What the rules of one row have found so far."""

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}
        self.comparison: dict[str, Any] = {}
        self.rejected: dict[str, str] = {}
        self._strong_countries: set[str] = set()
        self._weak_countries: set[str] = set()

    @property
    def country(self) -> str | None:
        return self.attributes.get("country")

    def assumed_country(self) -> str | None:
        """The one country that the row's numbers give away, or else its domains; None when they disagree."""
        countries = self._strong_countries or self._weak_countries
        return min(countries) if len(countries) == 1 else None

    def add(self, attribute: str, found: Standardised) -> None:
        if found.country is not None:
            (self._strong_countries if found.strong else self._weak_countries).add(found.country)
        if found.value is not None:
            self.attributes[attribute] = found.value
        if found.rejected is not None:
            self.rejected[attribute] = found.rejected
        self.compare(found.comparison)

    def extend(self, namespace: str, given: Iterable[tuple[AttributeRule, Standardised]]) -> None:
        """Extension attributes stand in one value, in the namespace of their platform; matching sees none of them."""
        own: dict[str, Any] = {}
        for rule, read in given:
            if read.value is not None:
                own[rule.attribute] = read.value
            if read.rejected is not None:
                self.rejected[f"{EXTENSION.name}.{rule.attribute}"] = read.rejected
        if own:
            self.attributes[EXTENSION.name] = {namespace: own}

    def compare(self, forms: Mapping[str, Any]) -> None:
        """Lists grow; a single form stays as the first rule found it."""
        for name, form in forms.items():
            held = self.comparison.get(name)
            if held is None:
                self.comparison[name] = form
            elif isinstance(held, list):
                self.comparison[name] = sorted({*held, *form})


def _apply(rule: AttributeRule, row: Row, country: str | None, assumed: str | None) -> Standardised:
    stated = [
        Given(value, source.part, source.options)
        for source in rule.sources
        for value in (values_at(row, source.path) or (None,))
    ]
    inputs = [given._replace(value=None) if _too_long(given.value) else given for given in stated]
    target = (rule.target.system, rule.target.type) if rule.target is not None else None
    context = Context(country or assumed, country is None, rule.codes, target)
    found = STANDARDISERS[rule.standardiser](inputs, context)
    if inputs != stated and found.value is None:
        return replace(found, rejected=found.rejected or TOO_LONG)
    return found


def _too_long(value: Any) -> bool:  # Any: a value of a source row
    return isinstance(value, str) and len(value) > _LONGEST_VALUE


def _references(rules: Iterable[ReferenceRule], row: Row) -> tuple[Reference, ...]:
    found = {
        Reference(rule.role, _key(rule.target, text))
        for rule in rules
        if not rule.claim
        for text in _texts(values_at(row, rule.path))
    }
    return tuple(sorted(found))


def _evidence(rules: Iterable[EvidenceRule], row: Row) -> tuple[Evidence, ...]:
    found = set()
    for rule in rules:
        about = value_at(row, rule.about)
        for owner in _texts(() if about is None else (about,)):
            for text in _texts(values_at(row, rule.path)):
                token = _token(rule.token, text)
                if token is not None:
                    found.add(Evidence(_key(rule.target, owner), token))
    return tuple(sorted(found))


def _token(kind: str, text: str) -> str | None:
    """`contract:ct2024000123`: identifiers of rows stay as they are; document numbers are folded, and a
    placeholder is none."""
    form = text if kind == "subscription" else number_form(text)
    return f"{kind}:{form}" if form else None


def _comparison(
    mapping: TableMapping,
    key: CrosswalkKey,
    found: _Findings,
    aliases: tuple[CrosswalkKey, ...],
    references: tuple[Reference, ...],
    row: Row,
) -> dict[str, Any]:
    claims = {
        str(_key(rule.target, text))
        for rule in mapping.references
        if rule.claim
        for text in _texts(values_at(row, rule.path))
    }
    forms = {
        **found.comparison,
        "self": sorted({str(key), *(str(alias) for alias in aliases)}),
        "names_references": sorted(claims),
        "parents": sorted(str(target) for role, target in references if role == "parent"),
        "prior": sorted(str(target) for role, target in references if role == "prior_contract"),
    }
    if mapping.domain is Domain.CONTRACT:
        forms |= derived_terms(found.attributes, found.comparison)
        forms["source_type"] = f"{key.system}:{key.type}"
    if mapping.distinct:
        forms["distinct_in"] = f"{key.system}:{key.type}"
    return {name: form for name, form in forms.items() if form not in (None, "", [])}


def _key(target: Target, text: str) -> CrosswalkKey:
    return CrosswalkKey(target.system, target.type, text[: target.first])


def _texts(values: Iterable[Any]) -> list[str]:
    """Values that can name a row. A text beyond any id's length names none, and would not fit into an index."""
    texts = (str(value).replace("\0", "").strip() for value in values)
    return [text for text in texts if 0 < len(text) <= _LONGEST_NAME]
