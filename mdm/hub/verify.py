"""Does the hub hold what its stored history, judgements and rules say it must hold?

Everything is computed anew from the stored change history, in memory and without the incremental path, and compared
with the live state: rows, canonical forms, links, entities, golden values. The audit chain, the account of consumed
messages and the invariants are checked as well.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson
from sqlalchemy import Engine

from mdm.core.comparison import Difference, shown
from mdm.core.fold import fold, inherited_rows
from mdm.core.former import bears_witness
from mdm.core.oversize import records_question
from mdm.core.own_words import as_compared
from mdm.core.rules import Rules
from mdm.core.whole import WholeDomain, WholeRecord, resolve_all
from mdm.hub.audit_anchor import NO_ANCHORS, Anchors, against
from mdm.hub.recycling import verify_recycled
from mdm.intake.catalogue import Catalogue
from mdm.intake.mapping import standardise
from mdm.model.delta import Link
from mdm.model.ids import CrosswalkKey, Domain, RecordId
from mdm.model.mirror import Head, Version
from mdm.model.records import Provenance
from mdm.store import invariants, keyless, pairs, whole
from mdm.store import mirror as mirror_store
from mdm.store.echoes import echoes_of
from mdm.store.oversize import oversize_questions, oversize_sizes
from mdm.store.reading import snapshot
from mdm.store.stewardship import live_overrides
from mdm.store.unit_of_work import UnitOfWork

Progress = Callable[[str], None]


#: A stored record that is not what its row says, and blocking keys that are not those of the record.
_RECORD: Final = "record"
_KEYS: Final = "keys"
#: Records whose stored keys are read at once.
_AT_A_TIME = 5_000


@dataclass(frozen=True, slots=True)
class Verification:
    """What was compared, and every difference found."""

    rows: int
    records: int
    entities: int
    differences: tuple[Difference, ...]

    @property
    def agrees(self) -> bool:
        return not self.differences

    @property
    def advice(self) -> str | None:
        """What to do, where stored records are not what the mappings make of their rows.

        A mapping is read at start and applied to what arrives from then on: `former`, a standardiser, another column.
        """
        kinds = {each.kind for each in self.differences}
        if _KEYS in kinds and _RECORD not in kinds:
            return (
                "Blocking keys are not those that the rules make now: what arrives does not find these records. "
                "`mdm match run --apply` makes them anew."
            )
        if _RECORD not in kinds:
            return None
        return (
            "Records are not what the mappings and this release make of their rows now. If a mapping changed (its "
            "`former`, too) or the hub was updated, `mdm rebuild` applies it to what was taken in before."
        )


def verify(
    engine: Engine,
    catalogue: Catalogue,
    rules: Rules,
    progress: Progress = lambda _: None,
    anchors: Anchors = NO_ANCHORS,
) -> Verification:
    """Recompute the whole hub from its history and compare; hold the audit against its anchors. Reads one consistent
    snapshot; never writes.
    """
    with snapshot(engine) as work:
        progress("folding the change history")
        marked = echoes_of(work)
        heads, histories, differences = _rows(work)
        progress("standardising records")
        records, differing = _records(work, heads.values(), catalogue, histories, marked)
        differences += differing
        progress("judging identifiers that were given to others")
        demoted, differing = verify_recycled(work, catalogue, heads, histories)
        differences += differing
        progress("resolving everything anew")
        same, not_same = whole.judgements(work)
        state = resolve_all(records, same, not_same, rules, live_overrides(work), marked, demoted)
        progress("comparing with the live state")
        for domain, expected in state.items():
            differences += _keys(work, domain, expected, dynamic=bool(rules.models[domain].dynamic))
            differences += _links(work, domain, expected)
            differences += _entities(work, domain, expected)
            differences += _questions(work, domain, expected)
        differences += [Difference("invariant", name, detail) for name, detail in invariants.violations(work)]
        differences += [Difference("audit", f"row {seq}", detail) for seq, detail in invariants.audit_breaks(work)]
        differences += [Difference("audit", each.place, each.what) for each in against(work, anchors)]
    entities = sum(len(expected.entities) for expected in state.values())
    return Verification(len(heads), len(records), entities, tuple(differences))


def _rows(
    work: UnitOfWork,
) -> tuple[dict[CrosswalkKey, Head], dict[CrosswalkKey, list[Version]], list[Difference]]:
    """Every row folded from its whole history, the histories, and how the mirror differs."""
    histories: dict[CrosswalkKey, list[Version]] = {}
    for key, version in mirror_store.read_versions(work):
        histories.setdefault(key, []).append(version)
    truncations = mirror_store.truncations_of(work)
    stored = {head.key: head for head in mirror_store.all_heads(work)}
    differences = [Difference("row", str(key), "has no history") for key in sorted(stored.keys() - histories.keys())]
    heads: dict[CrosswalkKey, Head] = {}
    for key, versions in histories.items():
        head = fold(
            stored[key].rec_id,
            key,
            None,
            (),
            history=versions,
            inherited=inherited_rows(key, versions, lambda other: histories.get(other, ())),
            truncates=truncations.get((key.system, key.type), ()),
        ).head
        heads[key] = head
        differences += _row_differences(stored[key], head)
    return heads, histories, differences


def _row_differences(live: Head, expected: Head) -> Iterator[Difference]:
    if live.deleted != expected.deleted:
        state = "deleted" if expected.deleted else "live"
        yield Difference("row", str(live.key), f"must be {state} and is not")
    elif live.position != expected.position:
        yield Difference("row", str(live.key), f"stands at {tuple(live.position)}, not {tuple(expected.position)}")
    for column in sorted((live.row or {}).keys() | (expected.row or {}).keys()):
        if (live.row or {}).get(column) != (expected.row or {}).get(column):
            is_, must = shown(live.row or {}, column), shown(expected.row or {}, column)
            yield Difference("row", f"{live.key} {column}", f"is {is_}; its history says {must}")


def _records(
    work: UnitOfWork,
    heads: Iterable[Head],
    catalogue: Catalogue,
    histories: Mapping[CrosswalkKey, Sequence[Version]],
    marked: Mapping[RecordId, Mapping[str, str]],
) -> tuple[list[WholeRecord], list[Difference]]:
    """Every live row standardised anew, and how the stored forms differ from that."""
    stored = mirror_store.all_forms(work)
    records: list[WholeRecord] = []
    differences: list[Difference] = []
    for head in heads:
        if head.deleted:
            continue
        row = head.row or {}
        record = standardise(catalogue, head.key, row)
        marks = marked.get(head.rec_id, {})
        if marks or bears_witness(catalogue, head.key):
            record = as_compared(catalogue, head.key, row, record, histories, marks)
        provenance = Provenance(head.place, head.position, head.event_time, head.lsn, head.transaction)
        records.append(WholeRecord(head.rec_id, record, provenance))
        attributes, comparison = stored.get(head.rec_id, (None, None))
        # Through JSON and back, so that both sides have the store's types.
        if attributes != orjson.loads(orjson.dumps(record.attributes)):
            differences.append(Difference(_RECORD, str(head.key), "canonical attributes differ from the row"))
        if comparison != orjson.loads(orjson.dumps(record.comparison)):
            differences.append(Difference(_RECORD, str(head.key), "comparison form differs from the row"))
    return records, differences


def _keys(work: UnitOfWork, domain: Domain, expected: WholeDomain, *, dynamic: bool) -> Iterator[Difference]:
    """Whether every record is where others look for it. Where keys also follow from entities, these are left out."""
    ids, names = sorted(expected.blocks), whole.record_names(work, domain)
    for start in range(0, len(ids), _AT_A_TIME):
        part = ids[start : start + _AT_A_TIME]
        found: dict[RecordId, set[int]] = {rec: set() for rec in part}
        for block, rec in pairs.keys_of(work, part):
            found[rec].add(block)
        for rec in part:
            wanted = set(expected.blocks[rec])
            lacking, strange = len(wanted - found[rec]), 0 if dynamic else len(found[rec] - wanted)
            if lacking or strange:
                detail = f"lacks {lacking} of its {len(wanted)} blocking keys, has {strange} that it must not have"
                yield Difference(_KEYS, str(names.get(rec, rec)), detail)


def _links(work: UnitOfWork, domain: Domain, expected: WholeDomain) -> Iterator[Difference]:
    names = whole.record_names(work, domain)
    live = whole.live_links(work, domain)
    for pair in sorted(live.keys() | expected.links.keys()):
        found, wanted = live.get(pair), expected.links.get(pair)
        if found != wanted:
            subject = " ~ ".join(str(names.get(RecordId(rec), rec)) for rec in pair)
            yield Difference(f"{domain} link", subject, f"is {_link_text(found)}, must be {_link_text(wanted)}")


def _link_text(link: Link | None) -> str:
    return "absent" if link is None else f"{link.decision} {link.weight:.6f}{' ' + link.veto if link.veto else ''}"


def _questions(work: UnitOfWork, domain: Domain, expected: WholeDomain) -> Iterator[Difference]:
    """A question that a person closed need not be open, one that is open must be true."""
    asked = oversize_questions(work)
    kinds = tuple(f"oversize:{domain}:{kind}:" for kind in ("block", "evidence", "records"))
    mine = {each for each in asked if each.startswith(kinds)}
    for question in sorted(expected.questions - mine):
        yield Difference("exception", question, "must be asked and is not")
    for question in sorted(each for each in mine - expected.questions if asked[each]):
        yield Difference("exception", question, "is asked and must not be")
    listed = keyless.names(work, domain)
    for key in sorted(expected.without_key - listed):
        yield Difference("exception", str(key), "has no usable key and is not listed")
    for key in sorted(listed - expected.without_key):
        yield Difference("exception", str(key), "is listed as without a usable key and has one, or is gone")
    said = oversize_sizes(work, {records_question(domain, key.system, key.type) for key in listed})
    counted = Counter(records_question(domain, key.system, key.type) for key in listed)
    for question in sorted(said):
        if said[question] != counted[question]:
            yield Difference("exception", question, f"says {said[question]} records; {counted[question]} are listed")


def _entities(work: UnitOfWork, domain: Domain, expected: WholeDomain) -> Iterator[Difference]:
    """Entities are compared by their members; golden records by value."""
    members = whole.memberships(work, domain)
    values = dict(whole.current_values(work, domain))
    digests = whole.current_digests(work, domain)
    live = {keys[0]: entity_id for entity_id, keys in members.items()}
    for first in sorted(live.keys() | expected.entities.keys()):
        entity_id, wanted = live.get(first), expected.entities.get(first)
        if wanted is None or entity_id is None or tuple(members[entity_id]) != wanted.members:
            found = ", ".join(map(str, members[entity_id])) if entity_id else "no entity"
            must = ", ".join(map(str, wanted.members)) if wanted else "no entity of its own"
            yield Difference(f"{domain} entity", entity_id or str(first), f"has {found}; must have {must}")
            continue
        golden = values.get(entity_id, {})
        wanted_values = orjson.loads(orjson.dumps(wanted.values))
        for name in sorted(golden.keys() | wanted_values.keys()):
            if golden.get(name) != wanted_values.get(name):
                is_, must = shown(golden, name), shown(wanted_values, name)
                yield Difference(f"{domain} golden", f"{entity_id} {name}", f"is {is_}; of its members survives {must}")
        digest, support = digests.get(entity_id, (b"", b""))
        if digest != wanted.digest:
            yield Difference(f"{domain} golden", entity_id, "stored digest does not cover its values and members")
        if support != wanted.support:
            yield Difference(f"{domain} golden", entity_id, "lineage does not name the records that win and lose")
