"""Which messages of a batch are taken in: none about erased subjects, and none that overtakes a refused one of its row.

The latter holds in tables of a tier that asks for it (`mdm.intake.tiers`). What waits is a refused message itself
(`ORDER_HELD`): kept whole, counted, shown, and no reason to stop a worker. Other rows and other tables go on.
`mdm.hub.letting_go` takes it in when what it waits for is dealt with.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from mdm.core.holding import Held, hold_back
from mdm.intake.catalogue import Catalogue
from mdm.intake.debezium import Decoded, refused
from mdm.intake.refusal import ORDER_HELD, Refused
from mdm.model.events import ChangeEvent, DeadLetter, Ignored, Message, Place
from mdm.model.refused import InTheWay
from mdm.store.held import in_the_way
from mdm.store.suppression import suppress_like, suppressed
from mdm.store.unit_of_work import UnitOfWork


def to_take_in(
    work: UnitOfWork,
    catalogue: Catalogue,
    messages: Sequence[Message],
    decoded: Decoded,
    fresh: Collection[Place],
    *,
    replayed: bool = False,
) -> Decoded:
    """The batch without what concerns erased subjects, and with those changes refused that wait for a refused one.

    Args:
        fresh: the messages that are being taken in; the others were before, or are left alone.
        replayed: they were refused before. What waits for nothing any more is then in nobody's way: it goes on next.
    """
    decoded = without_erased(work, decoded)
    kept = [each for each in decoded.events if each.place in fresh and each.key is not None and _held(catalogue, each)]
    if not kept:
        return decoded
    names = {name for each in kept for name in (each.key, each.previous_key, each.next_key) if name is not None}
    here = [
        InTheWay(row, letter.message.place, letter.message.place)
        for letter in decoded.dead_letters
        if (row := letter.row) is not None and letter.message.place in fresh
    ]
    held = hold_back(kept, [*in_the_way(work, names, fresh, freed=not replayed), *here])
    if not held:
        return decoded
    places = {each.event.place for each in held}
    said = {message.place: message for message in reversed(messages)}
    return replace(
        decoded,
        events=tuple(event for event in decoded.events if event.place not in places),
        dead_letters=(*decoded.dead_letters, *(_letter(catalogue, said[each.event.place], each) for each in held)),
    )


def without_erased(work: UnitOfWork, decoded: Decoded) -> Decoded:
    """Events about erased subjects are ignored: a snapshot taken anew must not bring anybody back.

    A row that is re-keyed from an erased one is kept out under its new key too.
    """
    keys = {key for event in decoded.events for key in (event.key, event.previous_key) if key is not None}
    erased = suppressed(work, keys)
    if not erased:
        return decoded
    out = [event for event in decoded.events if {event.key, event.previous_key} & erased]
    suppress_like(
        work, [(event.key, event.previous_key) for event in out if event.key and event.previous_key in erased]
    )
    places = {event.place for event in out}
    return replace(
        decoded,
        events=tuple(event for event in decoded.events if event.place not in places),
        ignored=(*decoded.ignored, *(Ignored(place, "subject_erased") for place in places)),
    )


def _held(catalogue: Catalogue, event: ChangeEvent) -> bool:
    profile = catalogue.profile(event.system, event.type)
    return profile is not None and profile.tier.order_held


def _letter(catalogue: Catalogue, message: Message, held: Held) -> DeadLetter:
    profile = catalogue.profile(held.event.system, held.event.type)
    reason = Refused(ORDER_HELD, f"The message {held.root} before it, of the same row, was refused.")
    assert held.event.key is not None
    return replace(refused(message, profile, reason), row_key=held.event.key.key, behind=held.root)
