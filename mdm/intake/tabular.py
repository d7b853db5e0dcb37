"""Any table as records to match: a document says what its columns mean, once, in one place.

`attributes` are canonical attributes read by the standardisers of the hub, as in a source mapping; `columns` are
columns of a domain of one's own (`mdm.intake.columns`). Both may be given. Faults are named with file, line and key.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from mdm.intake.columns import DERIVERS, OPTIONS
from mdm.intake.document import Section, read_document
from mdm.intake.mapping import comparison_forms
from mdm.intake.rules import AttributeRule, read_attribute_rules
from mdm.intake.standardise.registry import STANDARDISERS
from mdm.model.events import Row


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """Fill a column from source columns; `each` takes every source column for itself and makes a list of them."""

    name: str
    deriver: str
    sources: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    each: bool = False


@dataclass(frozen=True, slots=True)
class Truth:
    """Where the truth stands.

    Either each record names its entity (`entity`, in the records or by `key` in a file of its own), or a file lists all
    pairs that are one entity (`pairs`, by the ids of the first and second records file).
    """

    entity: str | None = None
    key: tuple[str, ...] = ()
    pairs: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The names that a model knows: those of `columns` and those of `attributes`. `source` says whose they are."""

    source: str
    columns: frozenset[str]
    attributes: frozenset[str]


#: What the model of a domain knows, by the domain and the profile that the mapping names; None: nobody can tell yet.
Known: TypeAlias = Callable[[str, Path | None], Vocabulary | None]


def _nobody_can_tell(_domain: str, _profile: Path | None) -> None:
    return None


@dataclass(frozen=True, slots=True)
class TabularMapping:
    """How the rows of one or more tables become records of a domain."""

    domain: str
    #: The profile of a domain of one's own, beside the mapping; None for a model that ships.
    profile: Path | None
    key: tuple[str, ...]
    truth: Truth
    #: The rows of one file are different entities.
    distinct_files: bool
    attributes: tuple[AttributeRule, ...]
    columns: tuple[ColumnRule, ...]
    #: Columns that must hold one of these values for a row to be read.
    only: Mapping[str, tuple[str, ...]]

    def accepts(self, row: Mapping[str, str]) -> bool:
        return all(row.get(column, "") in values for column, values in self.only.items())

    def comparison(self, row: Mapping[str, str], name: str, table: str) -> dict[str, Any]:
        """What matching reads of a row. `name` is what the record is called, `table` the file that it stands in."""
        given: Row = {column: text or None for column, text in row.items()}
        forms = comparison_forms(self.attributes, given, customer=self.domain == "customer") if self.attributes else {}
        for rule in self.columns:
            value = _derived(rule, row)
            if value not in (None, "", []):
                forms[rule.name] = value
        forms["self"] = [name]
        return {**forms, "distinct_in": table} if self.distinct_files else forms

    def silent(self, rows: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
        """What the mapping names and fills with nothing that is compared, in any of these rows."""
        country = [rule for rule in self.attributes if rule.attribute == "country"]
        found = [
            f"attributes.{rule.attribute}"
            for rule in self.attributes
            if not any(_fills(rule, [each for each in country if each is not rule], row) for row in rows)
        ]
        found += [
            f"columns.{rule.name}"
            for rule in self.columns
            if all(_derived(rule, row) in (None, "", []) for row in rows)
        ]
        return tuple(found)


def _fills(rule: AttributeRule, country: Sequence[AttributeRule], row: Mapping[str, str]) -> bool:
    given: Row = {column: text or None for column, text in row.items()}
    without = comparison_forms(country, given, customer=False) if country else {}
    return comparison_forms([*country, rule], given, customer=False) != without


def read_tabular(file: Path, columns: Iterable[str], vocabulary: Known = _nobody_can_tell) -> TabularMapping:
    """The mapping in a file, checked against the columns that the tables have and against what the model knows.

    Raises:
        ConfigurationInvalid: names file, line and key.
    """
    known = frozenset(columns)
    document = read_document(file)
    profile = document.text("profile", "")
    mapping = TabularMapping(
        domain=document.text("domain"),
        profile=file.parent / profile if profile else None,
        key=_columns(document, "id", known),
        truth=_truth(document),
        distinct_files=document.flag("distinct_files", False),
        attributes=read_attribute_rules(document.section("attributes"), known, frozenset(STANDARDISERS)),
        columns=tuple(_column_rules(document.section("columns"), known)),
        only=_only(document.section("only"), known),
    )
    document.finish()
    if not (mapping.attributes or mapping.columns):
        document.refuse("attributes", "or columns must say what the columns of the table mean")
    names = vocabulary(mapping.domain, mapping.profile)
    if names is not None:
        _refuse_unknown(document.section("attributes"), "an attribute", names.attributes, names.source)
        _refuse_unknown(document.section("columns"), "a column", names.columns, names.source)
    return mapping


def _refuse_unknown(section: Section | None, what: str, known: frozenset[str], source: str) -> None:
    """A name that no comparison reads would leave its values out without a word."""
    for name in section.names() if section is not None else ():
        assert section is not None
        if name not in known:
            section.refuse(name, f"is not {what} of {source}; there are {', '.join(sorted(known))}")


def _columns(section: Section, name: str, known: frozenset[str]) -> tuple[str, ...]:
    found = section.texts(name)
    for column in found:
        if column not in known:
            section.refuse(name, f"{column!r} is not a column of the records; there are {', '.join(sorted(known))}")
    return found


def _only(section: Section | None, known: frozenset[str]) -> Mapping[str, tuple[str, ...]]:
    names = tuple(section.names()) if section is not None else ()
    for name in names:
        assert section is not None
        if name not in known:
            section.refuse(name, f"is not a column of the records; there are {', '.join(sorted(known))}")
    return {name: section.texts(name) for name in names} if section is not None else {}


def _truth(document: Section) -> Truth:
    section = document.section("truth")
    if section is None:
        return Truth()
    pairs = section.texts("pairs")
    if pairs and len(pairs) != 2:
        section.refuse("pairs", "must name the two columns that hold the ids of a pair")
    if pairs and section.text("entity", ""):
        section.refuse("pairs", "is one way to tell the truth and `entity` the other: give one of the two")
    truth = Truth(
        entity=section.text("entity", "") or None,
        key=section.texts("id"),
        pairs=(pairs[0], pairs[1]) if pairs else None,
    )
    section.finish()
    return truth


def _column_rules(section: Section | None, known: frozenset[str]) -> Iterable[ColumnRule]:
    for name in section.names() if section is not None else ():
        assert section is not None
        if section.is_text(name):
            yield ColumnRule(name, "folded", _columns(section, name, known))
            continue
        rule = section.section(name)
        assert rule is not None
        deriver = rule.one_of("as", tuple(sorted(DERIVERS)), "folded")
        sources = _columns(rule, "from", known)
        if not sources:
            rule.refuse("from", "must name the columns that it is made of")
        each = rule.flag("each", False)
        options = {option: rule.text(option) for option in OPTIONS.get(deriver, {}) if option in rule}
        rule.finish()
        for option, text in options.items():
            holds, wanted = OPTIONS[deriver][option]
            if not holds(text):
                rule.refuse(option, f"{wanted}, not {text!r}")
        yield ColumnRule(name, deriver, sources, options, each)


def _derived(rule: ColumnRule, row: Mapping[str, str]) -> Any:
    derive = DERIVERS[rule.deriver]
    texts: Sequence[str] = [text for source in rule.sources if (text := row.get(source, "").strip())]
    if not texts:
        return None
    if not rule.each:
        return derive(texts, rule.options)
    found = [derive([text], rule.options) for text in texts]
    flat = [item for value in found for item in (value if isinstance(value, list) else [value])]
    return [str(item) for item in flat if item not in (None, "")]
