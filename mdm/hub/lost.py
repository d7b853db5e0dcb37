"""Signs that a feed has lost something, looked for in every batch (see mdm.core.gaps)."""

from collections import Counter
from collections.abc import Sequence

from mdm.core.gaps import watch
from mdm.intake.catalogue import Catalogue
from mdm.intake.refusal import FALLBACK_OWNER
from mdm.model.events import ChangeEvent, Message, Operation, Outcome, Place, TopicPartition
from mdm.model.gaps import Alarm
from mdm.store import gaps
from mdm.store.unit_of_work import UnitOfWork

#: Feeds of brokers are called like this; they deliver each partition in order and from where it was left.
BROKER_FEED = "kafka:"


def watch_for_gaps(
    catalogue: Catalogue,
    work: UnitOfWork,
    feed: str,
    messages: Sequence[Message],
    events: Sequence[ChangeEvent],
    results: Sequence[tuple[Place, Outcome, str]],
    seen: frozenset[Place],
) -> None:
    """Raise exceptions for signs that the feed has lost something."""
    logs = {TopicPartition(message.place.topic, message.place.partition) for message in messages}
    reads = {(event.system, event.type) for event in events if event.operation is Operation.READ}
    known = gaps.load_known(work, sorted(logs), sorted(reads))
    outcomes = {place: outcome for place, outcome, _ in results}
    places = [message.place for message in messages]
    taken = _said_twice(messages) | gaps.strangers(work, [event for event in events if event.place in seen])
    watched = watch(places, events, outcomes, known, in_order=feed.startswith(BROKER_FEED), taken=taken)

    def owner_of(alarm: Alarm) -> str:
        profile = catalogue.by_topic(alarm.place.topic)
        return FALLBACK_OWNER if profile is None else profile.owner

    gaps.write_watched(work, watched, owner_of)


def _said_twice(messages: Sequence[Message]) -> set[Place]:
    """Places of which a batch has two different messages."""
    if len({message.place for message in messages}) == len(messages):
        return set()
    contents = {(message.place, message.key, message.value) for message in messages}
    return {place for place, times in Counter(place for place, _, _ in contents).items() if times > 1}
