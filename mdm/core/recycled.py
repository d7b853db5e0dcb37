"""Recycled identifiers: a source gives a number, or the key of a row, to another legal entity than before.

A function of all that a table ever said under an identifier, in whatever order it arrived: its statements fall into
parties (`matching.recycled` says which two cannot be of one), and the identifier is recycled when one party had given
it up before another began. Who states it at the same time as another shares it, which is a question of matching.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations, pairwise
from typing import Any, Final

import orjson

from matching.recycled import other_entity
from mdm.core.fold import rows_of
from mdm.intake.catalogue import Catalogue, Profile
from mdm.intake.mapping import standardise_by
from mdm.intake.namespaces import key_is_exclusive, watched_types
from mdm.model.events import Row, SourcePosition
from mdm.model.ids import CrosswalkKey, Domain
from mdm.model.mirror import Version

#: What more rows than this have ever stated is nobody's number, and not looked at.
MOST_ROWS: Final = 50
#: Of an identifier with more different statements than this, the newest count.
MOST: Final = 40
#: Attributes that say who somebody is.
_IDENTITY: Final = frozenset(
    {"name", "alternate_names", "country", "identifiers", "address", "phones", "emails", "web_domain"}
)


@dataclass(frozen=True, slots=True)
class Statement:
    """What a row said from one position to another (None: it says so still)."""

    key: CrosswalkKey
    start: SourcePosition
    end: SourcePosition | None
    since: datetime
    until: datetime | None
    name: str
    comparison: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Holder:
    """A party that held the identifier: its rows, what it was called last, and from when until when."""

    rows: tuple[CrosswalkKey, ...]
    name: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Recycled:
    """An identifier of a table that went from one legal entity to another; its holders, the first one first."""

    system: str
    type: str
    identifier: str
    holders: tuple[Holder, ...]

    @property
    def since(self) -> datetime:
        """When the latest holder began."""
        return max(holder.since for holder in self.holders)


def watches_keys(profile: Profile) -> bool:
    """Whether keys of this table are watched."""
    mapping = profile.mapping
    return (
        mapping is not None
        and mapping.domain is Domain.CUSTOMER
        and key_is_exclusive(mapping, profile.contract.primary_key)
    )


def watched_numbers(profile: Profile, comparison: Mapping[str, Any]) -> frozenset[str]:
    """The numbers of a record that belong to one company alone, by what its table declares."""
    if profile.mapping is None or profile.mapping.domain is not Domain.CUSTOMER:
        return frozenset()
    types = watched_types(profile.mapping)
    return frozenset(each for each in comparison.get("identifiers", ()) if each.partition(":")[0] in types)


def statements_of(profile: Profile, key: CrosswalkKey, versions: Sequence[Version]) -> list[Statement]:
    """What was said under a key, in order; what is said again without change is one statement."""
    assert profile.mapping is not None
    ordered = sorted(versions, key=lambda each: (each.position, each.place))
    after = {id(version): following for version, following in pairwise(ordered)}
    found: list[Statement] = []
    for version, row in rows_of(ordered):
        record = standardise_by(profile.mapping, key, row)
        following = after.get(id(version))
        ends = (None, None) if following is None else (following.position, following.event_time)
        said = Statement(
            key, version.position, ends[0], version.event_time, ends[1],
            str(record.attributes.get("name") or ""), record.comparison,
        )  # fmt: skip
        if found and found[-1].comparison == said.comparison and found[-1].end == said.start:
            said = Statement(key, found[-1].start, said.end, found[-1].since, said.until, said.name, said.comparison)
            found.pop()
        found.append(said)
    return found


def recycled_key(key: CrosswalkKey, statements: Sequence[Statement]) -> Recycled | None:
    """Whether the key of a row went to another legal entity."""
    return _recycled(key.system, key.type, str(key), statements, lambda _one, _other: False)


def recycled_number(system: str, type: str, number: str, statements: Sequence[Statement]) -> Recycled | None:
    """Whether a number went from one row of a table to another row, of another legal entity.

    What one row says under a number that it keeps is said of one company, however it is called and wherever it moves.
    """
    said = [each for each in statements if number in each.comparison.get("identifiers", ())]
    return _recycled(system, type, number, said, lambda one, other: one.key == other.key)


def _recycled(
    system: str,
    type: str,
    identifier: str,
    statements: Sequence[Statement],
    one_anyway: Callable[[Statement, Statement], bool],
) -> Recycled | None:
    # Who states no name may be anybody, and would make one party of all.
    named = [each for each in statements if each.comparison.get("name") or each.comparison.get("name_native")]
    newest = sorted(named, key=_order)[-MOST:]
    parties = _parties(
        newest,
        lambda one, other: (
            one_anyway(one, other) or not other_entity(Domain.CUSTOMER, identifier, one.comparison, other.comparison)
        ),
    )
    parted = [
        pair for pair in combinations(parties, 2) if _over_before(pair[0], pair[1]) or _over_before(pair[1], pair[0])
    ]
    if not parted:
        return None
    concerned = [party for party in parties if any(party in pair for pair in parted)]
    return Recycled(system, type, identifier, tuple(map(_holder, concerned)))


def _parties(statements: Sequence[Statement], one: Callable[[Statement, Statement], bool]) -> list[list[Statement]]:
    """Statements that a chain of such pairs holds together, the earliest party first."""
    parties: list[list[Statement]] = []
    for statement in statements:
        mine = [party for party in parties if any(one(other, statement) for other in party)]
        joined = [each for party in mine for each in party] + [statement]
        parties = [party for party in parties if party not in mine] + [joined]
    return sorted(
        (sorted(party, key=_order) for party in parties),
        key=lambda party: _order(party[0]),
    )


def _order(said: Statement) -> tuple[Any, ...]:
    """By time; what was said at one time, too, stands in one order whatever came first."""
    end = said.end or said.start
    content = orjson.dumps(said.comparison, option=orjson.OPT_SORT_KEYS)
    return said.start, said.key, said.end is None, end, said.name, content


def _over_before(first: Sequence[Statement], second: Sequence[Statement]) -> bool:
    begins = min(each.start for each in second)
    return all(each.end is not None and each.end <= begins for each in first)


def _holder(party: Sequence[Statement]) -> Holder:
    last = max(party, key=_order)
    going_on = any(each.until is None for each in party)
    return Holder(
        tuple(sorted({each.key for each in party})),
        last.name,
        min(each.since for each in party),
        None if going_on else max(each.until for each in party if each.until is not None),
    )


def uses_of(profile: Profile, statements: Sequence[Statement]) -> frozenset[str]:
    """Every number of one company alone that these statements of a row ever made."""
    return frozenset().union(*(watched_numbers(profile, each.comparison) for each in statements))


def identity_columns(profile: Profile) -> tuple[str, ...]:
    """The columns that say who a row of this table is about, sorted."""
    if profile.mapping is None:
        return ()
    rules = [rule for rule in profile.mapping.attributes if rule.attribute in _IDENTITY]
    return tuple(sorted({source.path.column for rule in rules for source in rule.sources}))


def all_recycled(
    catalogue: Catalogue,
    histories: Mapping[CrosswalkKey, Sequence[Version]],
    present: Mapping[CrosswalkKey, Row | None],
) -> tuple[dict[CrosswalkKey, frozenset[str]], list[Recycled]]:
    """What every row ever stated, and every identifier that is recycled: the oracle of the incremental path.

    Args:
        present: the rows that are there now; one may have columns from the key that it had before.
    """
    uses: dict[CrosswalkKey, frozenset[str]] = {}
    said: dict[CrosswalkKey, list[Statement]] = {}
    rows: dict[tuple[str, str, str], list[CrosswalkKey]] = {}
    found: list[Recycled | None] = []
    for key, versions in histories.items():
        profile = catalogue.profile(key.system, key.type)
        if profile is None or profile.mapping is None or not profile.mapping.namespaces:
            continue
        if profile.mapping.domain is not Domain.CUSTOMER:
            continue
        said[key] = statements_of(profile, key, versions)
        uses[key] = uses_of(profile, said[key])
        if present.get(key) and any(version.previous_key and version.unavailable for version in versions):
            now = standardise_by(profile.mapping, key, present[key] or {})
            uses[key] |= watched_numbers(profile, now.comparison)
        if watches_keys(profile):
            found.append(recycled_key(key, said[key]))
        for number in uses[key]:
            rows.setdefault((key.system, key.type, number), []).append(key)
    for (system, type, number), keys in rows.items():
        if 1 < len(keys) <= MOST_ROWS:
            together = [each for key in keys for each in said[key]]
            found.append(recycled_number(system, type, number, together))
    return uses, [each for each in found if each is not None]
