"""Everything about one question for a steward: its records, what hangs on them, and how similar ones were answered."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, text

from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.store.waiting import is_over, waits


@dataclass(frozen=True, slots=True)
class Question:
    """A steward task, open or closed. An entity is None when its record is no longer live."""

    task_id: int
    question: str
    kind: str
    domain: Domain
    weight: float
    detail: str
    status: str
    opened_at: datetime
    closed_at: datetime | None
    records: tuple[CrosswalkKey, CrosswalkKey]
    entities: tuple[EntityId | None, EntityId | None]


@dataclass(frozen=True, slots=True)
class Hanging:
    """What hangs on some golden records: sums per currency, and the numbers under which ERP knows them."""

    contracts: int
    contract_value: Mapping[str, Decimal]
    invoices: int
    owed: Mapping[str, Decimal]
    erp: Sequence[CrosswalkKey]


_QUESTION = """
select t.*, a.system as a_system, a.type as a_type, a.key as a_key, xa.entity_id as a_entity,
  b.system as b_system, b.type as b_type, b.key as b_key, xb.entity_id as b_entity
from steward_task t
join source_record a on a.rec_id = t.a left join crosswalk xa on xa.rec_id = t.a
join source_record b on b.rec_id = t.b left join crosswalk xb on xb.rec_id = t.b
where t.task_id = :task_id
"""
_NAMES = """
select r.system, r.type, r.key from crosswalk x join source_record r using (rec_id) where x.entity_id = any(:entities)
union
select a.system, a.type, a.key from crosswalk x join record_alias a using (rec_id) where x.entity_id = any(:entities)
"""
_OWED = f"""
with names as ({_NAMES}),
owed as (
  select distinct i.rec_id, i.attributes->>'currency' as currency, (i.attributes->>'total')::numeric
    - case when i.attributes->>'amount_paid' ~ '^[0-9.]+$' then (i.attributes->>'amount_paid')::numeric else 0 end
    as amount
  from names n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key
  join source_record i on i.rec_id = f.rec_id and not i.deleted and i.kind = 'invoice'
  where i.attributes->>'status' = 'open' and i.attributes->>'total' ~ '^[0-9]+([.][0-9]+)?$'
)
select coalesce(currency, '') as currency, count(*) as number, sum(amount) as amount from owed group by currency
"""
_AGREED = f"""
with names as ({_NAMES}),
contracts as (
  select distinct x.entity_id
  from names n
  join record_reference f on f.system = n.system and f.type = n.type and f.key = n.key and f.role = 'customer'
  join crosswalk x on x.rec_id = f.rec_id
  union
  select e.entity_id from entity e where e.entity_id = any(:entities) and e.domain = 'contract'
)
select coalesce(g."values"->>'currency', '') as currency, count(*) as number,
  sum(case when g."values"->>'value' ~ '^[0-9]+([.][0-9]+)?$' then (g."values"->>'value')::numeric else 0 end) as amount
from contracts c join golden g on g.entity_id = c.entity_id and g.known_to is null and g.domain = 'contract'
where g."values"->>'status' = 'active'
group by 1
"""
_ERP = """
select r.system, r.type, r.key from crosswalk x join source_record r using (rec_id)
where x.entity_id = any(:entities) and r.system = any(:erps) order by r.type, r.key
"""


def question(connection: Connection, task_id: int) -> Question | None:
    """A task with its two records, or None when it never was."""
    row = connection.execute(text(_QUESTION), {"task_id": task_id}).one_or_none()
    if row is None:
        return None
    return Question(
        task_id=row.task_id,
        question=row.question,
        kind=row.kind,
        domain=Domain(row.domain),
        weight=row.weight,
        detail=row.detail,
        status=row.status,
        opened_at=row.opened_at,
        closed_at=row.closed_at,
        records=(CrosswalkKey(row.a_system, row.a_type, row.a_key), CrosswalkKey(row.b_system, row.b_type, row.b_key)),
        entities=(row.a_entity, row.b_entity),
    )


def hanging_on(connection: Connection, entities: Collection[str], erps: Collection[str]) -> Hanging:
    """What a change of these golden records would touch: running contracts, open invoices, numbers of the platforms
    `erps`."""
    parameters = {"entities": sorted(entities)}
    agreed = connection.execute(text(_AGREED), parameters).all()
    owed = connection.execute(text(_OWED), parameters).all()
    return Hanging(
        contracts=sum(row.number for row in agreed),
        contract_value={row.currency: row.amount for row in agreed},
        invoices=sum(row.number for row in owed),
        owed={row.currency: row.amount for row in owed},
        erp=[CrosswalkKey(*row) for row in connection.execute(text(_ERP), {**parameters, "erps": list(erps)})],
    )


@dataclass(frozen=True, slots=True)
class PastDecision:
    """What somebody decided, by the names the records have now."""

    decision_id: int
    kind: str
    domain: Domain | None
    actor: str
    reason: str
    at: datetime
    undone: bool
    task_id: int | None
    entities: Sequence[str]
    names: Sequence[str]
    weight: float | None = None


#: Among how many of the newest answers those to similar questions are looked for.
_LATELY = 1000
_ANSWERS = f"""(select * from decision where kind in ('same', 'not_same', 'unsure') and undone_by is null
  order by decision_id desc limit {_LATELY})"""
_DECISION = """
select d.decision_id, d.kind, d.domain, d.actor, d.reason, d.at, d.undone_by is not null as undone, d.task_id,
  d.entities, t.weight,
  coalesce(
    (select array_agg(coalesce(nullif(g.name, ''), r.key) order by r.rec_id)
     from source_record r left join crosswalk x using (rec_id)
     left join golden g on g.entity_id = x.entity_id and g.known_to is null
     where r.rec_id = any(d.records[1:4])),
    -- Relations of a hierarchy speak of customers, not of records.
    (select array_agg(coalesce(nullif(g.name, ''), g.entity_id) order by e.place)
     from unnest(d.entities[1:2]) with ordinality e(entity_id, place)
     join golden g on g.entity_id = e.entity_id and g.known_to is null),
    case when jsonb_array_length(d.effect->'letters') > 3
      then array[jsonb_array_length(d.effect->'letters') || ' refused messages'] end,
    (select array_agg(l->>'name') from jsonb_array_elements(d.effect->'letters') l), '{{}}') as names
from {source} d left join steward_task t on t.task_id = d.task_id
where {condition}
order by {order} limit :limit
"""


def decision(connection: Connection, decision_id: int) -> PastDecision | None:
    """A decision, or None when there is no such."""
    found = _decisions(connection, "d.decision_id = :id", "d.decision_id", {"id": decision_id}, 1)
    return found[0] if found else None


def decision_of_task(connection: Connection, task_id: int) -> PastDecision | None:
    """The decision that answered a task last."""
    found = _decisions(connection, "d.task_id = :id", "d.decision_id desc", {"id": task_id}, 1)
    return found[0] if found else None


def task_of_same_question(connection: Connection, task_id: int) -> int | None:
    """The open task that asks what a task asked, be it closed or not."""
    found = connection.scalar(
        text(
            """select t.task_id from steward_task t join steward_task was on was.question = t.question
               where was.task_id = :task_id and t.status = 'open'"""
        ),
        {"task_id": task_id},
    )
    return None if found is None else int(found)


def open_proposal_of_task(connection: Connection, task_id: int, now: datetime) -> tuple[int, str, str] | None:
    """Number, kind and author of the proposal that answers a task and waits for a second person; one that has expired
    by `now` waits for nobody."""
    row = connection.execute(
        text(f"""select proposal_id, kind, author from proposal where task_id = :id and {waits()}"""),
        {"id": task_id, "now": now},
    ).first()
    return None if row is None else (row.proposal_id, row.kind, row.author)


def open_proposals_about(
    connection: Connection, entity_id: str, now: datetime, limit: int = 5
) -> list[tuple[int, str, str | None, str]]:
    """Proposals about a golden record that wait for a second person: number, kind, attribute if any, author. Those that
    have expired by `now` wait for nobody."""
    rows = connection.execute(
        text(
            f"""select proposal_id, kind, command->>'attribute', author from proposal
               where {waits()} and entities @> array[cast(:id as text)]
               order by proposal_id limit :limit"""
        ),
        {"id": entity_id, "now": now, "limit": limit},
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


#: How an item of a job names the proposal that its answer became.
_PROPOSED_BY_ITEM = "i.outcome = 'proposed' and i.detail = 'proposal ' || p.proposal_id"


def proposal_state(connection: Connection, proposal_id: int, now: datetime) -> tuple[str, str, int | None]:
    """What a proposal wants, whether it is open still or how it ended, and the decision that it became."""
    row = connection.execute(
        text(
            f"""select kind, case when {is_over()} then 'expired' else status end as status, decision_id
                from proposal where proposal_id = :id"""
        ),
        {"id": proposal_id, "now": now},
    ).one()
    return row.kind, row.status, row.decision_id


def bulk_job_of(connection: Connection, decision_id: int) -> int | None:
    """The job that made a decision, if one did."""
    found = connection.scalar(
        text(
            """select j.job_id from decision d join bulk_job j on j.actor = d.actor and j.purpose = 'answer'
               join bulk_item i on i.job_id = j.job_id and i.task_id = d.task_id and i.decision_id = d.decision_id
               where d.decision_id = :id"""
        ),
        {"id": decision_id},
    )
    return None if found is None else int(found)


def bulk_job_of_proposal(connection: Connection, proposal_id: int) -> int | None:
    """The job that made a proposal, if one did."""
    found = connection.scalar(
        text(
            f"""select j.job_id from proposal p join bulk_job j on j.actor = p.author and j.purpose = 'answer'
                join bulk_item i on i.job_id = j.job_id and i.task_id = p.task_id and {_PROPOSED_BY_ITEM}
                where p.proposal_id = :id"""
        ),
        {"id": proposal_id},
    )
    return None if found is None else int(found)


def left_of_job(connection: Connection, job_id: int, now: datetime) -> tuple[int, int]:
    """How many decisions of a job hold, and on how many of its proposals nobody has decided yet, nor will time."""
    row = connection.execute(
        text(
            f"""select
                (select count(*) from bulk_item i join decision d on d.decision_id = i.decision_id
                  where i.job_id = :id and d.undone_by is null),
                (select count(*) from bulk_item i join proposal p on p.task_id = i.task_id and {_PROPOSED_BY_ITEM}
                  where i.job_id = :id and {waits(of="p.")})"""
        ),
        {"id": job_id, "now": now},
    ).one()
    return int(row[0]), int(row[1])


def decisions_about(connection: Connection, entity_id: str, limit: int) -> Sequence[PastDecision]:
    """Decisions that touched a golden record, the newest first."""
    # Found first, all of them: in their order, every decision that there is might be walked until enough are of this.
    condition = """d.decision_id = any(array(
        select e.decision_id from decision e where e.entities @> array[cast(:id as text)]))"""
    return _decisions(connection, condition, "d.decision_id desc", {"id": entity_id}, limit)


def similar_decisions(connection: Connection, asked: Question, limit: int) -> Sequence[PastDecision]:
    """How questions of the same kind between the same platforms were answered lately, the nearest in weight first."""
    condition = """t.kind = :kind and t.domain = :domain and t.task_id <> :task_id
      and (select array_agg(r.system order by r.system) from source_record r where r.rec_id in (t.a, t.b))
        = cast(:systems as text[])"""
    parameters = {
        "kind": asked.kind,
        "domain": asked.domain.value,
        "task_id": asked.task_id,
        "systems": sorted(key.system for key in asked.records),
        "weight": asked.weight,
    }
    return _decisions(connection, condition, "abs(t.weight - :weight), d.decision_id desc", parameters, limit, _ANSWERS)


def _decisions(
    connection: Connection,
    condition: str,
    order: str,
    parameters: Mapping[str, object],
    limit: int,
    source: str = "decision",
) -> Sequence[PastDecision]:
    statement = _DECISION.format(source=source, condition=condition, order=order)
    rows = connection.execute(text(statement), {**parameters, "limit": limit})
    return [
        PastDecision(
            row.decision_id, row.kind, None if row.domain is None else Domain(row.domain), row.actor, row.reason,
            row.at, row.undone, row.task_id, row.entities, row.names, row.weight,
        )
        for row in rows
    ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class ClusterTie:
    """What ties two records: a match, a possible match, or a verdict of a steward (same, not_same)."""

    a: CrosswalkKey
    b: CrosswalkKey
    kind: str
    weight: float | None
    said: str


_TIES = """
with members as (
  select r.rec_id, r.system, r.type, r.key
  from crosswalk x join source_record r using (rec_id) where x.entity_id = :entity_id order by 2, 3, 4 limit :limit
)
select a.system, a.type, a.key, b.system, b.type, b.key, l.decision, l.weight, coalesce(l.veto, '')
from members a join link l on l.a = a.rec_id and l.superseded_at is null join members b on b.rec_id = l.b
union all
select a.system, a.type, a.key, b.system, b.type, b.key, j.verdict, null, j.author
from members a join judgement j on j.a = a.rec_id and j.superseded_at is null and j.verdict <> 'unsure'
join members b on b.rec_id = j.b
order by 8 desc nulls first
"""


def cluster_ties(connection: Connection, entity_id: str, limit: int) -> Sequence[ClusterTie]:
    """How the first `limit` records of an entity hang together: verdicts, then links, the strongest first."""
    rows = connection.execute(text(_TIES), {"entity_id": entity_id, "limit": limit})
    return [ClusterTie(CrosswalkKey(*row[0:3]), CrosswalkKey(*row[3:6]), row[6], row[7], row[8]) for row in rows]
