"""Reading and writing what stewards decide: records and entities by name, judgements, overrides, decisions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from mdm.errors import Conflict, NotFound
from mdm.model.ids import CrosswalkKey, Domain, EntityId, RecordId
from mdm.model.stewardship import NewJudgement, NewOverride, Override
from mdm.store.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Placed:
    """A live record of a resolved domain and where it belongs."""

    rec_id: RecordId
    key: CrosswalkKey
    domain: Domain
    entity_id: EntityId


@dataclass(frozen=True, slots=True)
class StoredJudgement:
    """A judgement as the store holds it."""

    judgement_id: int
    a: RecordId
    b: RecordId
    verdict: str
    author: str
    reason: str
    until: datetime | None
    decision_id: int | None
    superseded_by: int | None
    #: The judgement that this one brought back; itself for a first one.
    origin: int


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision as the store holds it."""

    decision_id: int
    kind: str
    domain: Domain | None  # None: about refused messages
    actor: str
    reason: str
    command: Mapping[str, Any]
    effect: Mapping[str, Any]
    records: tuple[RecordId, ...]
    entities: tuple[EntityId, ...]
    task_id: int | None
    proposal_id: int | None
    approved_by: str | None
    undoes: int | None
    undone_by: int | None
    at: datetime


_JUDGEMENT = """judgement_id, a, b, verdict, author, reason, until, decision_id, superseded_by,
                coalesce(origin, judgement_id)"""
_OVERRIDE = """override_id, domain, attribute, value::text, anchors, overruled::text, author, reason, created_at,
               expires_at, coalesce(origin, override_id)"""
#: Columns that `decision_of` reads.
DECISION = """decision_id, kind, domain, actor, reason, command::text, effect::text, records, entities, task_id,
               proposal_id, approved_by, undoes, undone_by, at"""


def place_records(work: UnitOfWork, keys: Sequence[CrosswalkKey]) -> dict[CrosswalkKey, Placed]:
    """Where these records belong.

    Raises:
        NotFound: one of them is not a live record of a resolved domain.
    """
    rows = work.query(
        """select r.rec_id, r.system, r.type, r.key, r.domain, c.entity_id
           from unnest(%s::text[], %s::text[], %s::text[]) as w(system, type, key)
           join source_record r using (system, type, key) join crosswalk c using (rec_id) where not r.deleted""",
        *([key[part] for key in keys] for part in range(3)),
    )
    found = {
        CrosswalkKey(*row[1:4]): Placed(RecordId(row[0]), CrosswalkKey(*row[1:4]), Domain(row[4]), EntityId(row[5]))
        for row in rows
    }
    for key in keys:
        if key not in found:
            raise NotFound(f"There is no live customer, contract or product record {key}.")
    return found


def keys_of(work: UnitOfWork, records: Collection[RecordId]) -> dict[RecordId, CrosswalkKey]:
    """The names of these records, live or not."""
    rows = work.query("select rec_id, system, type, key from source_record where rec_id = any(%s)", sorted(records))
    return {RecordId(row[0]): CrosswalkKey(*row[1:]) for row in rows}


def ids_of(work: UnitOfWork, keys: Collection[CrosswalkKey]) -> dict[CrosswalkKey, RecordId]:
    """The records of these names, live or not."""
    rows = work.query(
        """select r.system, r.type, r.key, r.rec_id
           from unnest(%s::text[], %s::text[], %s::text[]) as w(system, type, key)
           join source_record r using (system, type, key)""",
        *([key[part] for key in keys] for part in range(3)),
    )
    return {CrosswalkKey(*row[:3]): RecordId(row[3]) for row in rows}


def members(work: UnitOfWork, entities: Collection[EntityId]) -> dict[EntityId, list[Placed]]:
    """The members of each of these entities, by key."""
    found: dict[EntityId, list[Placed]] = {entity_id: [] for entity_id in entities}
    for row in work.query(
        """select r.rec_id, r.system, r.type, r.key, r.domain, c.entity_id
           from crosswalk c join source_record r using (rec_id) where c.entity_id = any(%s)
           order by r.system, r.type, r.key""",
        list(entities),
    ):
        found[EntityId(row[5])].append(
            Placed(RecordId(row[0]), CrosswalkKey(*row[1:4]), Domain(row[4]), EntityId(row[5]))
        )
    return found


def live_entity(work: UnitOfWork, entity_id: EntityId) -> tuple[Domain, int, RecordId]:
    """Domain, current version and founding record of an active entity.

    Raises:
        NotFound: the id was never issued.
        Conflict: the entity was merged or retired.
    """
    rows = work.query(
        """select e.domain, e.status, e.merged_into, g.version, e.founder from entity e
           left join golden g on g.entity_id = e.entity_id and g.known_to is null where e.entity_id = %s""",
        entity_id,
    )
    if not rows:
        raise NotFound(f"The id {entity_id} was never issued.")
    domain, status, merged_into, version, founder = rows[0]
    if status == "merged":
        raise Conflict(f"{entity_id} was merged into {merged_into}.", action=f"Look at {merged_into} and decide anew.")
    if status != "active":
        raise Conflict(f"{entity_id} is retired: no live record belongs to it any more.")
    return Domain(domain), version, RecordId(founder)


def judgements_between(work: UnitOfWork, records: Collection[RecordId]) -> list[StoredJudgement]:
    """Live judgements with both ends among these records."""
    ids = list(records)
    rows = work.query(
        f"""select {_JUDGEMENT} from judgement
            where superseded_at is null and a = any(%s) and b = any(%s) order by judgement_id""",
        ids,
        ids,
    )
    return [_judgement(row) for row in rows]


def judgements_of_decision(work: UnitOfWork, decision_id: int) -> tuple[list[StoredJudgement], list[StoredJudgement]]:
    """Judgements that a decision made, and those that it ended."""
    rows = work.query(
        f"select {_JUDGEMENT} from judgement where decision_id = %s or superseded_by = %s order by judgement_id",
        decision_id,
        decision_id,
    )
    found = [_judgement(row) for row in rows]
    return (
        [each for each in found if each.decision_id == decision_id],
        [each for each in found if each.superseded_by == decision_id],
    )


def rules_agreed_to(work: UnitOfWork, judgements: Sequence[int]) -> set[str]:
    """Names of the rules for which a second person agreed to these judgements, or to those that they brought back."""
    if not judgements:
        return set()
    rows = work.query(
        """select distinct rule ->> 'name' from judgement j
           join judgement first on first.judgement_id in (j.judgement_id, j.origin)
           join decision d on d.decision_id = first.decision_id and d.approved_by is not null
           join proposal p on p.proposal_id = d.proposal_id
           cross join jsonb_array_elements(p.demands) as rule
           where j.judgement_id = any(%s::bigint[])""",
        list(judgements),
    )
    return {row[0] for row in rows}


def is_judged(work: UnitOfWork, a: RecordId, b: RecordId) -> bool:
    """Whether a live judgement about this pair (a < b) exists."""
    return bool(work.query("select 1 from judgement where superseded_at is null and a = %s and b = %s", a, b))


def due_judgements(work: UnitOfWork, domain: Domain) -> list[StoredJudgement]:
    """Live judgements whose end has come."""
    rows = work.query(
        f"""select {_JUDGEMENT} from judgement
            where superseded_at is null and until <= %s and domain = %s order by judgement_id""",
        work.now,
        domain.value,
    )
    return [_judgement(row) for row in rows]


def supersede_judgements(work: UnitOfWork, ids: Sequence[int], decision_id: int) -> None:
    """End live judgements by a decision."""
    if ids:
        work.execute(
            """update judgement set superseded_at = %s, superseded_by = %s
               where judgement_id = any(%s) and superseded_at is null""",
            work.now,
            decision_id,
            list(ids),
        )


def write_judgements(work: UnitOfWork, domain: Domain, new: Sequence[NewJudgement], decision_id: int) -> None:
    """Add judgements; a live one about the same pair must have been superseded before."""
    work.copy(
        "judgement",
        ("domain", "a", "b", "verdict", "author", "reason", "until", "decision_id", "origin", "created_at"),
        (
            (domain.value, each.a, each.b, each.verdict.value, each.author, each.reason, each.until, decision_id,
             each.origin, work.now)
            for each in new
        ),
    )  # fmt: skip


def live_overrides(work: UnitOfWork, records: Collection[RecordId] | None = None) -> list[Override]:
    """Live overrides with an anchor among these records, or all of them; the oldest first."""
    if records is None:
        rows = work.query(f"select {_OVERRIDE} from golden_override where ended_at is null order by override_id")
    else:
        rows = work.query(
            f"""select {_OVERRIDE} from golden_override
                where ended_at is null and anchors && %s::bigint[] order by override_id""",
            list(records),
        )
    return [_override(row) for row in rows]


def live_anchors(work: UnitOfWork, records: Collection[RecordId]) -> set[RecordId]:
    """The live records to which overrides with an anchor among these records are tied."""
    rows = work.query(
        """select distinct r.rec_id from golden_override o cross join lateral unnest(o.anchors) as anchor
           join source_record r on r.rec_id = anchor and not r.deleted
           where o.ended_at is null and o.anchors && %s::bigint[]""",
        list(records),
    )
    return {RecordId(row[0]) for row in rows}


def find_override(work: UnitOfWork, override_id: int) -> Override:
    """A live override; one that an undo brought back is found under its old id too.

    Raises:
        NotFound: there never was one with this id.
        Conflict: it has ended.
    """
    rows = work.query(
        f"""select {_OVERRIDE}, ended_at from golden_override
            where override_id = %s or origin = (
                select coalesce(origin, override_id) from golden_override where override_id = %s)
            order by ended_at is not null, override_id desc limit 1""",
        override_id,
        override_id,
    )
    if not rows:
        raise NotFound(f"There is no override {override_id}.")
    if rows[0][11] is not None:
        raise Conflict(f"Override {override_id} ended at {rows[0][11].isoformat()}.")
    return _override(rows[0])


def overrides_of_decision(work: UnitOfWork, decision_id: int) -> tuple[list[Override], list[Override]]:
    """Overrides that a decision made, and those that it ended."""
    made = work.query(
        f"select {_OVERRIDE} from golden_override where decision_id = %s order by override_id", decision_id
    )
    ended = work.query(f"select {_OVERRIDE} from golden_override where ended_by = %s order by override_id", decision_id)
    return [_override(row) for row in made], [_override(row) for row in ended]


def live_copies(work: UnitOfWork, table: str, origins: Sequence[int]) -> tuple[dict[int, int], set[int]]:
    """What is live of a table of what decisions make, by origin, and which decisions ended the others last."""
    column, ended_at, ended_by = {
        "judgement": ("judgement_id", "superseded_at", "superseded_by"),
        "golden_override": ("override_id", "ended_at", "ended_by"),
        "customer_relation": ("relation_id", "ended_at", "ended_by"),
    }[table]
    rows = work.query(
        f"""select distinct on (coalesce(origin, {column})) coalesce(origin, {column}), {column}, {ended_at} is null,
                {ended_by}
            from {table} where {column} = any(%s) or origin = any(%s)
            order by coalesce(origin, {column}), {column} desc""",
        list(origins),
        list(origins),
    )
    return {row[0]: row[1] for row in rows if row[2]}, {row[3] for row in rows if not row[2]}


def due_overrides(work: UnitOfWork, domain: Domain) -> list[Override]:
    """Live overrides whose end has come."""
    rows = work.query(
        f"""select {_OVERRIDE} from golden_override
            where ended_at is null and expires_at <= %s and domain = %s order by override_id""",
        work.now,
        domain.value,
    )
    return [_override(row) for row in rows]


def overrides_known_at(
    work: UnitOfWork, domain: Domain, records: Collection[RecordId], known_at: datetime, effective: datetime | None
) -> list[Override]:
    """Overrides that held with one of these records, by what the hub knew at an instant.

    Args:
        records: members of one entity that existed then.
        effective: the instant in the business for which they must have held; None for what was served at `known_at`,
            when one whose end has come holds until the hub ends it.
    """
    rows = work.query(
        f"""select {_OVERRIDE} from golden_override
            where domain = %s and anchors && %s::bigint[] and created_at <= %s
              and (ended_at is null or ended_at > least(%s::timestamptz, %s::timestamptz))
              and (%s::timestamptz is null or (created_at <= %s and (expires_at is null or expires_at > %s)))
            order by override_id""",
        domain.value, sorted(records), known_at, known_at, effective, effective, effective, effective,
    )  # fmt: skip
    found = [_override(row) for row in rows]
    anchors = sorted({rec for override in found for rec in override.anchors})
    # A record of a resolved domain is live exactly while it belongs to an entity.
    live = work.query(
        """select rec_id from crosswalk where rec_id = any(%s) and since <= %s
           union select rec_id from crosswalk_history where rec_id = any(%s) and since <= %s and until > %s""",
        anchors, known_at, anchors, known_at, known_at,
    )  # fmt: skip
    alive, here = {RecordId(row[0]) for row in live}, set(records)
    return [override for override in found if override.home(alive) in here]


def end_overrides(work: UnitOfWork, ids: Sequence[int], decision_id: int) -> None:
    """End live overrides by a decision."""
    if ids:
        work.execute(
            """update golden_override set ended_at = %s, ended_by = %s
               where override_id = any(%s) and ended_at is null""",
            work.now,
            decision_id,
            list(ids),
        )


def write_overrides(work: UnitOfWork, domain: Domain, new: Sequence[NewOverride], decision_id: int) -> None:
    """Add overrides."""
    for each in new:
        work.execute(
            """insert into golden_override (domain, attribute, value, anchors, overruled, author, reason, decision_id,
                   created_at, expires_at, origin) values (%s, %s, %s, %s::bigint[], %s, %s, %s, %s, %s, %s, %s)""",
            domain.value, each.attribute, orjson.dumps(each.value).decode(), list(each.anchors),
            orjson.dumps(sorted(each.overruled.items())).decode(), each.author, each.reason, decision_id,
            each.created_at, each.expires_at, each.origin,
        )  # fmt: skip


def find_decision(work: UnitOfWork, decision_id: int) -> StoredDecision:
    """A decision.

    Raises:
        NotFound: there is none with this id.
    """
    rows = work.query(f"select {DECISION} from decision where decision_id = %s", decision_id)
    if not rows:
        raise NotFound(f"There is no decision {decision_id}.")
    return decision_of(rows[0])


def decision_of(row: Sequence[Any]) -> StoredDecision:
    """A decision from these columns."""
    return StoredDecision(
        row[0], row[1], None if row[2] is None else Domain(row[2]), row[3], row[4], orjson.loads(row[5]),
        orjson.loads(row[6]),
        tuple(map(RecordId, row[7])), tuple(map(EntityId, row[8])), *row[9:],
    )  # fmt: skip


def _judgement(row: Sequence[Any]) -> StoredJudgement:
    return StoredJudgement(row[0], RecordId(row[1]), RecordId(row[2]), *row[3:])


def _override(row: Sequence[Any]) -> Override:
    return Override(
        override_id=row[0],
        domain=Domain(row[1]),
        attribute=row[2],
        value=orjson.loads(row[3]),
        anchors=tuple(map(RecordId, row[4])),
        overruled={RecordId(rec): value for rec, value in orjson.loads(row[5])},
        author=row[6],
        reason=row[7],
        created_at=row[8],
        expires_at=row[9],
        origin=row[10],
    )
