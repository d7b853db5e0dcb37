"""What a row said before of its name and address: companies move, and not every platform hears of it at once.

A platform that still writes to the old address describes the same company as one that knows the new one. Which
attributes of a table bear such witness its mapping says (`former`): not those of a platform that reads the hub, whose
earlier values may be echoes, and not numbers, whose changes are corrections. It is a function of the history of the
row's key, so that `mdm verify` can recompute it in any order of arrival.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

from mdm.core.fold import rows_of
from mdm.errors import ConfigurationInvalid
from mdm.intake.catalogue import Catalogue
from mdm.intake.mapping import standardise_by
from mdm.intake.rules import TableMapping
from mdm.intake.standardise.addresses import sites
from mdm.model.events import Operation, Row
from mdm.model.ids import CrosswalkKey, Domain
from mdm.model.mirror import Version
from mdm.model.records import SourceRecord
from survivorship.ruleset import RuleSet

#: A comparison form of a record (`matching/VALUES.md`).
Forms: TypeAlias = Mapping[str, Any]
_Reader: TypeAlias = Callable[[Forms], list[str]]

_NAMES: Final = frozenset({"name", "alternate_names"})
#: Of a row that said more different things than this, the newest count.
MOST: Final = 10


class Witness(NamedTuple):
    """A table whose earlier values stay evidence."""

    domain: Domain
    system: str
    table: str


def witnesses_of(catalogue: Catalogue) -> frozenset[Witness]:
    """Every table whose mapping keeps former values."""
    return frozenset(
        Witness(profile.mapping.domain, profile.system, profile.table)
        for profile in catalogue.profiles
        if profile.mapping is not None and profile.mapping.domain is not None and profile.mapping.former
    )


def refuse_witnesses_that_echo(witnesses: Iterable[Witness], ruleset: RuleSet) -> None:
    """What a platform that reads the hub said before may be the hub's own word: it bears no witness (`former`).

    Raises:
        ConfigurationInvalid: the rule set calls a platform an echo whose mapping keeps former values.
    """
    for domain, system, table in sorted(witnesses):
        if domain is ruleset.domain and system in ruleset.echoes:
            raise ConfigurationInvalid(
                f"The mapping of {system}.{table} says that earlier values stay evidence (`former`), but {system} "
                "reads the hub: what it said before may be an echo of it.",
                action="Take `former` out of this mapping, or the platform out of `echoes` of the survivorship rules.",
            )


def columns_of_witness(mapping: TableMapping | None) -> tuple[str, ...]:
    """The columns whose earlier values bear witness, sorted; none where the mapping keeps no former values."""
    if mapping is None or not mapping.former:
        return ()
    rules = [rule for rule in mapping.attributes if rule.attribute in mapping.former or rule.attribute == "country"]
    return tuple(sorted({source.path.column for rule in rules for source in rule.sources}))


def since_birth(versions: Iterable[Version]) -> list[Row]:
    """What a row has said in its present life under its present key, in order.

    A key may be given to another row: what came before a deletion, or before another row was given the key, is not
    what this one said. Nor is what it said under another key counted, so that the history of the key alone decides.
    """
    ordered = sorted(versions, key=lambda each: (each.position, each.place))
    birth = 0
    for place, version in enumerate(ordered):
        if version.operation is Operation.DELETE:
            birth = place + 1
        elif version.row is not None and version.previous_key is not None:
            birth = place
    return [row for _, row in rows_of(ordered[birth:])]


def bears_witness(catalogue: Catalogue, key: CrosswalkKey) -> bool:
    """Whether a row of this table may be compared by what it said before."""
    profile = catalogue.profile(key.system, key.type)
    return profile is not None and bool(columns_of_witness(profile.mapping))


def what_it_says(row: Row, columns: Sequence[str]) -> bytes:
    """What a row says in these columns, as a value that can be compared and hashed."""
    return orjson.dumps([row.get(column) for column in columns], option=orjson.OPT_SORT_KEYS)


def with_former(
    catalogue: Catalogue, key: CrosswalkKey, row: Row, record: SourceRecord, statements: Sequence[Row]
) -> SourceRecord:
    """The record, with the names and places in its comparison form that its row stated before and states no more.

    Args:
        record: the row in canonical form.
        statements: what it has said since it was born, in order (`since_birth`).
    """
    profile = catalogue.profile(key.system, key.type)
    mapping = None if profile is None else profile.mapping
    columns = columns_of_witness(mapping)
    past = _different(row, statements, columns) if columns else []
    if mapping is None or not past:
        return record
    former = [standardise_by(mapping, key, said).comparison for said in past]
    present = record.comparison
    found = {}
    if mapping.former & _NAMES:
        found["former_names"] = _no_more(_names, former, present)
    if "address" in mapping.former:
        found["former_sites"] = _no_more(sites, former, present)
    known = {name: sorted(values | set(present.get(name, ()))) for name, values in found.items() if values}
    return replace(record, comparison={**present, **known}) if known else record


def _different(row: Row, statements: Sequence[Row], columns: Sequence[str]) -> list[Row]:
    """The newest statements that say something else in these columns than the row and than each other."""
    seen = {what_it_says(row, columns)}
    found: list[Row] = []
    for said in reversed(statements):
        if (says := what_it_says(said, columns)) not in seen:
            seen.add(says)
            found.append(said)
            if len(found) == MOST:
                break
    return found


def _no_more(read: _Reader, former: Sequence[Forms], present: Forms) -> set[str]:
    return {one for forms in former for one in read(forms)}.difference(read(present))


def _names(forms: Forms) -> list[str]:
    name = forms.get("name")
    return [*([name] if name else []), *forms.get("alternate_names", ())]
