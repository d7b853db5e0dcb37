"""Identifiers that a source gives to another legal entity: noticed as rows change, demoted, and told to the owner.

Which rows ever stated a number is noted with the rows. Where a number, or the key of a row, has been with different
rows or has said different things, all that was said under it is read and judged anew (`mdm.core.recycled`).
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import orjson

from mdm.core.comparison import Difference
from mdm.core.recycled import (
    MOST_ROWS,
    Recycled,
    all_recycled,
    identity_columns,
    recycled_key,
    recycled_number,
    statements_of,
    uses_of,
    watched_numbers,
    watches_keys,
)
from mdm.core.rules import Rules
from mdm.hub.histories import arrived_in
from mdm.hub.resolve import DomainChange, resolve_domain
from mdm.intake.catalogue import Catalogue, Profile
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.model.mirror import Head, MirrorDelta, TableName, Version
from mdm.model.records import SourceRecord
from mdm.store import pairs
from mdm.store import recycled as store
from mdm.store.claims import hold, token_claim
from mdm.store.mirror import histories_of
from mdm.store.recycled import Name
from mdm.store.said import rows_that_said_else
from mdm.store.unit_of_work import UnitOfWork

#: Identifiers judged at a time: their histories are in memory meanwhile.
_AT_A_TIME = 500


def watch_identifiers(
    work: UnitOfWork,
    catalogue: Catalogue,
    delta: MirrorDelta,
    records: Mapping[RecordId, SourceRecord],
    known_before: Collection[RecordId] | None = None,
) -> set[RecordId]:
    """Judge what the rows of a delta state, once they are written.

    Args:
        known_before: those of the rows that were there before the delta; None where that is not known.

    Returns:
        Live customers that must be compared anew, because something of theirs counts no more, or counts again.
    """
    heads = [head for head in delta.heads if _watched(catalogue, head.key) is not None]
    if not heads:
        return set()
    store.write_uses(work, _uses(work, catalogue, heads, delta, records))
    numbers = store.numbers_of(work, [head.rec_id for head in heads])
    tables = {(head.key.system, head.key.type) for head in heads}
    stated = {each for identifiers in numbers.values() for each in identifiers}
    hold(work, {token_claim(f"{store.KIND}:{each}") for each in stated})
    rows = _shared(work, stated, tables)
    # A row that came with one version has said nothing else.
    arrived = arrived_in(delta) if known_before is not None else {}
    new = {
        head.key for head in heads if head.rec_id not in (known_before or ()) and len(arrived.get(head.key, ())) == 1
    }
    keys = _said_else(work, catalogue, [head for head in heads if head.key not in new])
    names = {Name(head.key.system, head.key.type, str(head.key)) for head in heads}
    names |= {Name(*table, each) for table in tables for each in stated}
    known = store.stored(work, names)
    suspected = keys | {head.key for head in heads if Name(head.key.system, head.key.type, str(head.key)) in known}
    return _judge(work, catalogue, rows, suspected, known)


def watch_again(work: UnitOfWork, catalogue: Catalogue, numbers: Collection[str]) -> set[RecordId]:
    """Judge numbers anew of which a row is gone for good. Returns what `watch_identifiers` does."""
    tables = {(profile.system, profile.table) for profile in catalogue.profiles}
    rows = _shared(work, numbers, tables)
    known = store.stored(work, {Name(*table, each) for table in tables for each in numbers})
    return _judge(work, catalogue, rows, set(), known)


def say_all(work: UnitOfWork, catalogue: Catalogue) -> None:
    """Raise and close the exceptions about recycled identifiers by everything that is noted."""
    noted, asked = store.all_stored(work), store.open_questions(work)
    questions = {name.question: name for name in noted}
    new = [
        (name, _told(name, noted[name]), catalogue.owner_of(name.system, name.type))
        for name in noted
        if name.question not in asked
    ]
    store.raise_exceptions(work, new, asked - questions.keys())


def settle_concerned(work: UnitOfWork, rules: Rules, concerned: Collection[RecordId]) -> None:
    """Compare these customers anew: something of theirs counts no more, or counts again."""
    if concerned:
        ids = frozenset(concerned)
        pairs.claim_connections(work, ids, rules.models[Domain.CUSTOMER].block_cap)
        resolve_domain(work, Domain.CUSTOMER, DomainChange(changed=ids, dirty=ids), rules)


def verify_recycled(
    work: UnitOfWork,
    catalogue: Catalogue,
    heads: Mapping[CrosswalkKey, Head],
    histories: Mapping[CrosswalkKey, Sequence[Version]],
) -> tuple[dict[RecordId, list[str]], list[Difference]]:
    """What must be demoted of each live record by the whole history, and how what is stored differs from that."""
    uses, found = all_recycled(catalogue, histories, {key: head.row for key, head in heads.items() if not head.deleted})
    wanted = {Name(each.system, each.type, each.identifier): holders_of(each) for each in found}
    live = store.all_stored(work)
    differences = [
        Difference("recycled", f"{name.system} {name.type}", f"{name.identifier}: {_differs(name, wanted, live)}")
        for name in sorted(wanted.keys() | live.keys())
        if wanted.get(name) != live.get(name)
    ]
    noted = store.all_uses(work)
    stated = {(number, heads[key].rec_id) for key, numbers in uses.items() for number in numbers}
    differences += [
        Difference("identifier", f"record {rec}", f"{number} is {'not ' if missing else ''}noted as stated by it")
        for missing, some in ((True, stated - noted), (False, noted - stated))
        for number, rec in sorted(some)
    ]
    counted = wanted.keys() - store.kept(work)
    demoted: dict[RecordId, list[str]] = {}
    for key, head in heads.items():
        if not head.deleted and key in uses:
            mine = {each for each in (*uses[key], str(key)) if Name(key.system, key.type, each) in counted}
            if mine:
                demoted[head.rec_id] = sorted(mine)
    return demoted, differences


def _differs(name: Name, wanted: Mapping[Name, bytes], live: Mapping[Name, bytes]) -> str:
    if name not in live:
        return "went from one legal entity to another and is not noted"
    if name not in wanted:
        return "is noted as recycled and is not"
    return "is noted with other holders than it had"


def holders_of(found: Recycled) -> bytes:
    """The holders as they are stored: without names, which are read from the rows when somebody asks."""
    return orjson.dumps(
        [
            [list(map(str, each.rows)), each.since.isoformat(), each.until.isoformat() if each.until else None]
            for each in found.holders
        ]
    )


def _watched(catalogue: Catalogue, key: CrosswalkKey) -> Profile | None:
    profile = catalogue.profile(key.system, key.type)
    if profile is None or profile.mapping is None or profile.mapping.domain is not Domain.CUSTOMER:
        return None
    return profile if profile.mapping.namespaces else None


def _shared(
    work: UnitOfWork, numbers: Collection[str], tables: Collection[TableName]
) -> dict[Name, Sequence[CrosswalkKey]]:
    """Numbers that several rows of a table state or stated, but not so many that it is nobody's."""
    found = store.rows_of(work, numbers, tables, MOST_ROWS)
    return {name: rows for name, rows in found.items() if 1 < len(rows) <= MOST_ROWS}


def _uses(
    work: UnitOfWork,
    catalogue: Catalogue,
    heads: Sequence[Head],
    delta: MirrorDelta,
    records: Mapping[RecordId, SourceRecord],
) -> dict[RecordId, frozenset[str]]:
    """The numbers that these rows state, and those that they stated in versions which this delta brings beside."""
    arrived = arrived_in(delta)
    found: dict[RecordId, frozenset[str]] = {}
    several: list[Head] = []
    for head in heads:
        profile = catalogue.profile(head.key.system, head.key.type)
        assert profile is not None
        versions = arrived.get(head.key, ())
        # One version that is the row as it is now; of what was taken in before, everything is noted.
        alone = len(versions) == 1 and versions[0].position == head.position and not versions[0].unavailable
        if alone and not head.deleted:
            found[head.rec_id] = watched_numbers(profile, records[head.rec_id].comparison)
        else:
            several.append(head)
    histories = histories_of(work, {head.key for head in several})
    for head in several:
        profile = catalogue.profile(head.key.system, head.key.type)
        assert profile is not None
        found[head.rec_id] = uses_of(profile, statements_of(profile, head.key, histories[head.key]))
        if not head.deleted:
            # A row may have columns from the key that it had before, or of an erased one what the law keeps.
            found[head.rec_id] |= watched_numbers(profile, records[head.rec_id].comparison)
    return found


def _said_else(work: UnitOfWork, catalogue: Catalogue, heads: Iterable[Head]) -> set[CrosswalkKey]:
    """The keys of tables that are watched under which something else was said of who somebody is."""
    by_table: dict[TableName, list[Head]] = defaultdict(list)
    for head in heads:
        if head.row is not None:
            by_table[head.key.system, head.key.type].append(head)
    found: set[CrosswalkKey] = set()
    for table, some in by_table.items():
        profile = catalogue.profile(*table)
        if profile is None or not watches_keys(profile):
            continue
        rows = {head.rec_id: head.row or {} for head in some}
        different = rows_that_said_else(work, rows, identity_columns(profile))
        found |= {head.key for head in some if head.rec_id in different}
    return found


def _judge(
    work: UnitOfWork,
    catalogue: Catalogue,
    rows: Mapping[Name, Sequence[CrosswalkKey]],
    keys: Collection[CrosswalkKey],
    known: Mapping[Name, bytes],
) -> set[RecordId]:
    asked: dict[Name, Sequence[CrosswalkKey]] = dict(rows)
    asked |= {Name(key.system, key.type, str(key)): [key] for key in keys}
    found: dict[Name, Recycled] = {}
    ordered = sorted(asked)
    for start in range(0, len(ordered), _AT_A_TIME):
        found |= judge_all(work, catalogue, {name: asked[name] for name in ordered[start : start + _AT_A_TIME]})
    gone = known.keys() - found.keys()
    holders = {name: holders_of(each) for name, each in found.items()}
    changed = {name for name, each in holders.items() if known.get(name) != each}
    store.write(work, {name: (holders[name], found[name].since) for name in changed}, gone)
    told = [(name, _told(name, holders[name]), catalogue.owner_of(name.system, name.type)) for name in changed]
    if told or gone:
        work.defer(lambda: store.raise_exceptions(work, told, [name.question for name in gone]))
    return store.concerned(work, gone | (found.keys() - known.keys()))


def judge_all(
    work: UnitOfWork, catalogue: Catalogue, asked: Mapping[Name, Sequence[CrosswalkKey]]
) -> dict[Name, Recycled]:
    """Those of these identifiers that are recycled, by all that the rows which had them ever said."""
    # Who holds a number after another does so after a row said that it has it no more.
    past = store.with_a_past(work, {key for keys in asked.values() for key in keys})
    asked = {name: keys for name, keys in asked.items() if not past.isdisjoint(keys)}
    histories = histories_of(work, {key for keys in asked.values() for key in keys})
    said = {}
    for key, versions in histories.items():
        profile = catalogue.profile(key.system, key.type)
        said[key] = statements_of(profile, key, versions) if profile is not None else []
    found: dict[Name, Recycled] = {}
    for name, keys in asked.items():
        if len(keys) == 1:
            result = recycled_key(keys[0], said[keys[0]])
        else:
            together = [each for key in keys for each in said[key]]
            result = recycled_number(name.system, name.type, name.identifier, together)
        if result is not None:
            found[name] = result
    return found


def _told(name: Name, holders: bytes) -> str:
    kind, _, country = name.identifier.rpartition(":")[0].partition(":")
    what = (
        f"The key {name.identifier}" if name.of_key else f"A {kind} number{f' of {country.upper()}' if country else ''}"
    )
    held = "; ".join(
        f"{', '.join(rows)} from {since[:10]} " + (f"to {until[:10]}" if until else "on")
        for rows, since, until in orjson.loads(holders)
    )
    return (
        f"{what} of {name.system} {name.type} was given from one legal entity to another: {held}. It counts for "
        "nothing in matching until somebody says that they are one. `mdm identifiers recycled` tells what may have to "
        "be taken back."
    )
