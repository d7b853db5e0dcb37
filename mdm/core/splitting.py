"""How an entity hangs together: its strongest tree of links, and what hangs on a record in it."""

from collections.abc import Collection, Set

from mdm.model.ids import RecordId
from mdm.model.neighbourhood import Neighbourhood


def strongest_tree(hood: Neighbourhood, members: Set[RecordId], root: RecordId) -> dict[RecordId, RecordId]:
    """The parent of every member that verdicts or matches connect with the root, by the strongest links (Prim).

    A verdict "same" is stronger than any match. Ties go by record name, so the tree is a function of the facts.
    """
    edges: dict[RecordId, list[tuple[float, RecordId]]] = {rec: [] for rec in members}
    weights = {frozenset((link.a, link.b)): link.weight for link in hood.links if link.decision == "match"}
    weights |= dict.fromkeys(hood.same, float("inf"))
    for pair, weight in weights.items():
        if len(pair) == 2 and pair <= members and pair not in hood.not_same:
            a, b = pair
            edges[a].append((weight, b))
            edges[b].append((weight, a))
    parents: dict[RecordId, RecordId] = {}
    reached = {root}
    while True:
        frontier = [
            (-weight, hood.records[rec].key, hood.records[other].key, rec, other)
            for rec in reached
            for weight, other in edges[rec]
            if other not in reached
        ]
        if not frontier:
            return parents
        *_, rec, other = min(frontier)
        parents[other] = rec
        reached.add(other)


def subtree(
    hood: Neighbourhood, members: Set[RecordId], root: RecordId, chosen: Collection[RecordId]
) -> frozenset[RecordId]:
    """The chosen records and everything that hangs together with the root through them only."""
    parents = strongest_tree(hood, members, root)
    picked = set(chosen)

    def leaves(rec: RecordId) -> bool:
        step: RecordId | None = rec
        while step is not None:
            if step in picked:
                return True
            step = parents.get(step)
        return False

    return frozenset(rec for rec in members if leaves(rec))
