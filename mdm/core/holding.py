"""Which changes wait because a refused message of their row comes before them. Only in tables whose tier asks for it.

A change names up to three rows: its own, and at a primary-key change the one before or behind. It waits when one of
these has a refused message before it, and whatever waits makes what comes behind it wait too. Other rows go on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mdm.model.events import ChangeEvent, Place
from mdm.model.ids import CrosswalkKey
from mdm.model.refused import InTheWay


@dataclass(frozen=True, slots=True)
class Held:
    """A change that waits, and the refused message that somebody must deal with first."""

    event: ChangeEvent
    root: Place


def hold_back(events: Sequence[ChangeEvent], refused: Iterable[InTheWay]) -> tuple[Held, ...]:
    """The changes of a batch that wait, in the order of their places.

    Args:
        events: of tables whose order is kept.
        refused: messages of these rows that are refused, in this batch or before.
    """
    before: dict[CrosswalkKey, list[InTheWay]] = {}
    for each in refused:
        before.setdefault(each.key, []).append(each)
    held: dict[Place, Held] = {}
    going = sorted(events, key=lambda each: each.place)
    # Again until nothing more waits: a row that is given another key may come before or after its change in the order.
    while before:
        waiting = [(event, roots) for event in going if (roots := _roots(event, before))]
        if not waiting:
            break
        for event, roots in waiting:
            held[event.place] = found = Held(event, min(roots))
            assert event.key is not None
            before.setdefault(event.key, []).append(InTheWay(event.key, event.place, found.root))
        going = [event for event in going if event.place not in held]
    return tuple(held[place] for place in sorted(held))


def _roots(event: ChangeEvent, before: dict[CrosswalkKey, list[InTheWay]]) -> list[Place]:
    names = {name for name in (event.key, event.previous_key, event.next_key) if name is not None}
    return [each.root for name in names for each in before.get(name, ()) if _comes_before(each.place, event.place)]


def _comes_before(refused: Place, event: Place) -> bool:
    """Within one log the offset says so; of two logs, what was refused was there first."""
    return (refused.topic, refused.partition) != (event.topic, event.partition) or refused.offset < event.offset
