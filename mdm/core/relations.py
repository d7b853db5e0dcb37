"""Rules of hierarchies: a new word makes room among older ones, and nobody is ever their own parent. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mdm.model.hierarchy import NewRelation, Period, Relation
from mdm.model.ids import EntityId


@dataclass(frozen=True, slots=True)
class Edge:
    """That somebody has this parent during a period."""

    parent: EntityId
    period: Period


def make_room(live: Sequence[Relation], period: Period) -> tuple[tuple[int, ...], tuple[NewRelation, ...]]:
    """Which relations of one customer and kind end for a new one, and what is left of them before and after it."""
    ended = [each for each in live if not each.period.common(period).empty]
    rest = [
        NewRelation(each.kind, each.child, each.parent, left, each.author, each.reason, each.created_at)
        for each in ended
        for left in each.period.without(period)
    ]
    return tuple(each.relation_id for each in ended), tuple(rest)


def edges_of(said: Sequence[Relation], stated: EntityId | None, asked: Period) -> tuple[Edge, ...]:
    """The parents of one customer during a period: what stewards said, and what platforms state on the days between."""
    found = [Edge(each.parent, each.period) for each in said if each.parent is not None]
    free = [asked]
    for each in said:
        free = [left for period in free for left in period.without(each.period)]
    if stated is not None:
        found += [Edge(stated, period) for period in free]
    return tuple(each for each in found if not each.period.common(asked).empty)


def circle(
    child: EntityId, parent: EntityId, period: Period, edges: Mapping[EntityId, Sequence[Edge]]
) -> tuple[EntityId, ...] | None:
    """The way from the parent up to the child, when there is a day of the period on which one leads there.

    A circle that others have closed already, and that does not pass through the child, is not this one's fault.
    """
    pending: list[tuple[Period, tuple[EntityId, ...]]] = [(period, (parent,))]
    seen: set[tuple[EntityId, Period]] = set()
    while pending:
        during, path = pending.pop()
        here = path[-1]
        if here == child:
            return path
        if (here, during) in seen:
            continue
        seen.add((here, during))
        for edge in edges.get(here, ()):
            common = during.common(edge.period)
            if not common.empty:
                pending.append((common, (*path, edge.parent)))
    return None
