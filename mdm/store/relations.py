"""Reading and writing what stewards say about hierarchies, inside a unit of work. Absorbed ids are followed."""

from collections.abc import Collection, Sequence
from typing import Any

from mdm.errors import Conflict, NotFound
from mdm.model.hierarchy import NewRelation, Period, Relation, RelationKind
from mdm.model.ids import EntityId
from mdm.store.unit_of_work import UnitOfWork

_RELATION = """r.relation_id, r.kind, coalesce(c.merged_into, r.child), coalesce(p.merged_into, r.parent), r.valid_from,
               r.valid_to, r.author, r.reason, r.created_at, coalesce(r.origin, r.relation_id)"""
_FROM = """customer_relation r join entity c on c.entity_id = r.child
           left join entity p on p.entity_id = r.parent"""


def live_relations(work: UnitOfWork, kind: RelationKind, children: Collection[EntityId]) -> list[Relation]:
    """What is said at present about the parents of these customers, of one kind, on any day."""
    rows = work.query(
        f"""select {_RELATION} from {_FROM}
            where r.ended_at is null and r.kind = %s
              and r.child in (select entity_id from entity where entity_id = any(%s)
                              union all select entity_id from entity where merged_into = any(%s))
            order by r.valid_from, r.relation_id""",
        kind.value, list(children), list(children),
    )  # fmt: skip
    return [_relation(row) for row in rows]


def find_relation(work: UnitOfWork, relation_id: int) -> Relation:
    """A live relation; one that an undo brought back is found under its old number too.

    Raises:
        NotFound: there never was one with this number.
        Conflict: it has ended.
    """
    rows = work.query(
        f"""select {_RELATION}, r.ended_at from {_FROM}
            where r.relation_id = %s or r.origin = (
                select coalesce(origin, relation_id) from customer_relation where relation_id = %s)
            order by r.ended_at is not null, r.relation_id desc limit 1""",
        relation_id,
        relation_id,
    )
    if not rows:
        raise NotFound(f"There is no relation {relation_id}.")
    if rows[0][-1] is not None:
        raise Conflict(f"Relation {relation_id} was taken back at {rows[0][-1].isoformat()}.")
    return _relation(rows[0])


def relations_of_decision(work: UnitOfWork, decision_id: int) -> tuple[list[Relation], list[Relation]]:
    """Relations that a decision made, and those that it ended."""
    made, ended = (
        work.query(f"select {_RELATION} from {_FROM} where r.{column} = %s order by r.relation_id", decision_id)
        for column in ("decision_id", "ended_by")
    )
    return [_relation(row) for row in made], [_relation(row) for row in ended]


def end_relations(work: UnitOfWork, ids: Sequence[int], decision_id: int) -> None:
    """End live relations by a decision."""
    if ids:
        work.execute(
            """update customer_relation set ended_at = %s, ended_by = %s
               where relation_id = any(%s) and ended_at is null""",
            work.now, decision_id, list(ids),
        )  # fmt: skip


def write_relations(work: UnitOfWork, new: Sequence[NewRelation], decision_id: int) -> None:
    """Add relations."""
    for each in new:
        work.execute(
            """insert into customer_relation (kind, child, parent, valid_from, valid_to, author, reason, decision_id,
                   created_at, origin) values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)""",
            each.kind.value, each.child, each.parent, each.period.start, each.period.end, each.author, each.reason,
            decision_id, each.created_at, each.origin,
        )  # fmt: skip


def _relation(row: Sequence[Any]) -> Relation:
    return Relation(
        row[0], RelationKind(row[1]), EntityId(row[2]), None if row[3] is None else EntityId(row[3]),
        Period(row[4], row[5]), row[6], row[7], row[8], row[9],
    )  # fmt: skip
