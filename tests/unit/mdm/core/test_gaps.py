"""Signs of loss are seen where they are, and nowhere else."""

from collections.abc import Sequence
from dataclasses import replace

from mdm.core.gaps import watch
from mdm.model.events import ChangeEvent, Operation, Outcome, Place, TopicPartition
from mdm.model.gaps import Known, Mark
from mdm.model.lives import in_life
from tests.unit.mdm.core.events import change, delete

LOG = TopicPartition("crm.public.account", 0)
NOTHING = Known({}, {})


def alarms(
    events: Sequence[ChangeEvent], known: Known = NOTHING, *, in_order: bool = True, duplicate: bool = False
) -> list[str]:
    outcomes = {event.place: Outcome.DUPLICATE if duplicate else Outcome.APPLIED for event in events}
    return [each.code for each in watch([e.place for e in events], events, outcomes, known, in_order=in_order).alarms]


def read(at: int, offset: int) -> ChangeEvent:
    return change(at, {}, operation=Operation.READ, offset=offset)


def test_a_feed_without_gaps_raises_nothing_and_is_noted() -> None:
    events = [change(10, {}, offset=0), change(11, {}, offset=1), delete(12)]
    events[2] = replace(events[2], place=events[2].place._replace(offset=2))

    watched = watch([event.place for event in events], events, {}, NOTHING, in_order=True)

    assert watched.alarms == ()
    assert watched.marks == {LOG: Mark(3, (12, 12))}


def test_offsets_that_jump_inside_a_batch_or_between_batches_are_named() -> None:
    jump = [change(10, {}, offset=5), change(11, {}, offset=9)]

    assert alarms(jump) == ["OFFSETS_JUMP"]
    assert alarms(jump[:1], Known({LOG: Mark(2)}, {})) == ["OFFSETS_JUMP"]
    assert alarms(jump, in_order=False) == [], "a file may be cut and shuffled"


def test_the_offset_of_a_transaction_marker_is_no_gap() -> None:
    assert alarms([change(10, {}, offset=5), change(11, {}, offset=7)]) == []


def test_a_topic_that_was_made_anew_is_named_once_per_partition() -> None:
    anew = [change(12, {}, offset=in_life(1, 3)), change(13, {}, offset=in_life(1, 4))]

    assert alarms(anew, Known({LOG: Mark(100, (11, 11))}, {})) == ["TOPIC_MADE_ANEW"]
    assert alarms(anew[1:], Known({LOG: Mark(in_life(1, 4), (12, 12))}, {})) == []
    assert alarms(anew) == [], "nothing was read before"


def test_a_first_batch_may_begin_anywhere() -> None:
    assert alarms([change(10, {}, offset=700)]) == []


def test_a_log_that_runs_backwards_is_named_once() -> None:
    before = Known({LOG: Mark(5, (100, 100))}, {})
    events = [change(7, {}, offset=5), change(8, {}, offset=6)]

    assert alarms(events, before) == ["LOG_BACKWARDS"]
    assert alarms(events, before, duplicate=True) == [], "a restarted connector sends known changes again"
    assert alarms([change(7, {}, offset=3)], before) == [], "an older message comes late"


def test_a_second_full_snapshot_is_named_and_an_incremental_one_is_not() -> None:
    first = [read(10, 0), read(10, 1)]
    noted = watch([event.place for event in first], first, {}, NOTHING, in_order=True)
    known = Known(noted.marks, noted.snapshots)
    incremental = replace(read(50, 2), lsn=None)

    assert noted.alarms == ()
    assert alarms([read(10, 2)], known) == []
    assert alarms([read(50, 2)], known) == ["SNAPSHOT_AGAIN"]
    assert alarms([incremental], known) == []


def test_places_without_events_count_for_offsets() -> None:
    places = [Place("crm.public.account", 0, offset) for offset in (0, 1, 5)]

    watched = watch(places, [], {}, NOTHING, in_order=True)

    assert [alarm.code for alarm in watched.alarms] == ["OFFSETS_JUMP"]
    assert "2 to 4" in watched.alarms[0].detail
