"""Hierarchies by a steward's word: say who somebody's parent is from a day on, end it, and keep circles out.

Whatever a decision leaves behind is checked after it is written: a new word, what is left of older ones, and what an
undo brings back. Units of work of stewards have the hub for themselves, so two words cannot close a circle together.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

from mdm.core.relations import Edge, circle, edges_of, make_room
from mdm.errors import Conflict, Invalid
from mdm.hub.steward.actor import Actor
from mdm.model.hierarchy import NewRelation, Period, RelationEffect, RelationKind
from mdm.model.ids import CrosswalkKey, Domain, EntityId
from mdm.model.stewardship import EndRelation, Plan, Relate
from mdm.store import relations as store
from mdm.store import stewardship
from mdm.store.unit_of_work import UnitOfWork

#: A chain of parents longer than this is no hierarchy of companies.
_MOST_LEVELS = 60


def plan_relate(work: UnitOfWork, actor: Actor, command: Relate) -> Plan:
    """Say who the parent of a customer is during a period; older words give way on these days.

    Raises:
        Invalid: one of them is no customer, both are the same, or the days make no period.
        Conflict: that is said already.
    """
    _must_be_customer(work, command.entity_id)
    if command.parent is not None:
        _must_be_customer(work, command.parent)
    elif command.kind is not RelationKind.LEGAL_PARENT:
        raise Invalid("Name the other customer.", action="To take a relation away, end it.")
    if command.parent == command.entity_id:
        raise Invalid("A customer cannot be its own parent.")
    if not command.reason.strip():
        raise Invalid("A relation needs a reason.", action="Say in a sentence where you know it from.")
    period = Period(command.valid_from, command.valid_to)
    if period.empty:
        raise Invalid("It would end before it begins.", action="Give an end after the beginning, or none.")
    live = store.live_relations(work, command.kind, [command.entity_id])
    if any(each.parent == command.parent and each.period == period for each in live):
        raise Conflict("That is said already.")
    ended, rest = make_room(live, period)
    new = NewRelation(
        command.kind, command.entity_id, command.parent, period, actor.name, command.reason.strip(), work.now
    )
    named = (command.entity_id, *((command.parent,) if command.parent is not None else ()))
    return Plan(
        kind="relate",
        domain=Domain.CUSTOMER,
        records=frozenset(),
        reason=command.reason,
        relations=(new, *rest),
        end_relations=ended,
        entities=named,
        attributes=frozenset({command.kind.value}),
    )


def plan_end_relation(work: UnitOfWork, command: EndRelation) -> Plan:
    """Let a relation end on a day, or take it back altogether.

    Raises:
        Invalid: the day is not among those on which it holds.
    """
    found = store.find_relation(work, command.relation_id)
    rest: tuple[NewRelation, ...] = ()
    if command.on is not None:
        period = Period(found.period.start, command.on)
        if period.empty or (found.period.end is not None and command.on >= found.period.end):
            raise Invalid("It does not hold on the day before.", action="Give a day between its beginning and its end.")
        rest = (
            NewRelation(found.kind, found.child, found.parent, period, found.author, found.reason, found.created_at),
        )
    return Plan(
        kind="end_relation",
        domain=Domain.CUSTOMER,
        records=frozenset(),
        reason=command.reason,
        relations=rest,
        end_relations=(found.relation_id,),
        entities=(found.child, *((found.parent,) if found.parent is not None else ())),
        attributes=frozenset({found.kind.value}),
    )


def refuse_circles(work: UnitOfWork, plan: Plan) -> None:
    """Raises Invalid when what the plan has written makes somebody their own parent on some day."""
    for each in plan.relations:
        if each.parent is None:
            continue
        path = circle(each.child, each.parent, each.period, _upwards(work, each.kind, each.parent, each.period))
        if path is not None:
            names = _names(work, path)
            way = " → ".join(names.get(step, step) for step in (each.child, *path))
            raise Invalid(
                f"That would close a circle: {way}.",
                action="End the relation that is wrong, or choose days on which they do not overlap.",
            )
    if plan.end_relations and RelationKind.LEGAL_PARENT.value in plan.attributes:
        for entity_id in plan.entities:
            _refuse_circle_of_platforms(work, entity_id)


def _refuse_circle_of_platforms(work: UnitOfWork, child: EntityId) -> None:
    """Where a word about a legal parent has ended, the platforms' word counts again: it must not close a circle with
    words of stewards. Circles among the platforms alone are theirs to mend, and shown as such.
    """
    kind = RelationKind.LEGAL_PARENT
    stated = _stated(work, [child]).get(child)
    for edge in edges_of(store.live_relations(work, kind, [child]), stated, Period(work.now.date())):
        if edge.parent != stated:
            continue
        path = circle(child, stated, edge.period, _upwards(work, kind, stated, edge.period))
        said = {(each.child, each.parent) for each in store.live_relations(work, kind, path or ())}
        if path is not None and said.intersection(pairwise(path)):
            names = _names(work, path)
            way = " → ".join(names.get(step, step) for step in (child, *path))
            raise Invalid(
                f"Without it the platforms' word counts, which closes a circle: {way}.",
                action="Say that it has no parent instead.",
            )


def relation_effects(work: UnitOfWork, plan: Plan, decision_id: int) -> tuple[RelationEffect, ...]:
    """What a decision made and took away, in a stable order."""
    if not plan.relations and not plan.end_relations:
        return ()
    made, ended = store.relations_of_decision(work, decision_id)
    told = [
        RelationEffect(fate, each.kind, each.child, each.parent, each.period.start, each.period.end)
        for fate, relations in (("ends", ended), ("begins", made))
        for each in relations
    ]
    return tuple(sorted(told, key=lambda each: (each.child, each.kind, each.valid_from, each.fate)))


def _must_be_customer(work: UnitOfWork, entity_id: EntityId) -> None:
    domain, _, _ = stewardship.live_entity(work, entity_id)
    if domain is not Domain.CUSTOMER:
        raise Invalid(f"{entity_id} is a {domain}; only customers have hierarchies.")


def _upwards(
    work: UnitOfWork, kind: RelationKind, start: EntityId, period: Period
) -> Mapping[EntityId, Sequence[Edge]]:
    """All parents of a kind above somebody during a period, level by level."""
    found: dict[EntityId, Sequence[Edge]] = {}
    frontier = {start}
    for _ in range(_MOST_LEVELS):
        if not frontier:
            break
        said = store.live_relations(work, kind, frontier)
        stated = _stated(work, frontier) if kind is RelationKind.LEGAL_PARENT else {}
        for each in frontier:
            own = [relation for relation in said if relation.child == each]
            found[each] = edges_of(own, stated.get(each), period)
        frontier = {edge.parent for each in frontier for edge in found[each]} - found.keys()
    return found


def _stated(work: UnitOfWork, entities: Sequence[EntityId] | set[EntityId]) -> dict[EntityId, EntityId]:
    """The parents that golden records name, as platforms state them."""
    rows = work.query(
        """select entity_id, "values"->'parent'->>'system', "values"->'parent'->>'type', "values"->'parent'->>'key'
           from golden where entity_id = any(%s) and known_to is null and "values"->'parent'->>'key' is not null""",
        list(entities),
    )
    named = {EntityId(row[0]): CrosswalkKey(*row[1:]) for row in rows}
    homes = _homes(work, set(named.values()))
    return {child: homes[name] for child, name in named.items() if name in homes and homes[name] != child}


def _homes(work: UnitOfWork, names: set[CrosswalkKey]) -> dict[CrosswalkKey, EntityId]:
    rows = work.query(
        """select n.system, n.type, n.key, x.entity_id
           from unnest(%s::text[], %s::text[], %s::text[]) n(system, type, key)
           join lateral (
             select r.rec_id from source_record r where (r.system, r.type, r.key) = (n.system, n.type, n.key)
             union select a.rec_id from record_alias a where (a.system, a.type, a.key) = (n.system, n.type, n.key)
           ) named on true join crosswalk x on x.rec_id = named.rec_id""",
        [each.system for each in names], [each.type for each in names], [each.key for each in names],
    )  # fmt: skip
    found: dict[CrosswalkKey, set[EntityId]] = {}
    for *name, entity_id in rows:
        found.setdefault(CrosswalkKey(*name), set()).add(EntityId(entity_id))
    return {name: next(iter(ids)) for name, ids in found.items() if len(ids) == 1}


def _names(work: UnitOfWork, entities: Sequence[EntityId]) -> dict[EntityId, str]:
    rows = work.query(
        "select entity_id, name from golden where entity_id = any(%s) and known_to is null", list(entities)
    )
    return {EntityId(row[0]): row[1] for row in rows if row[1]}
