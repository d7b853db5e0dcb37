"""What a batch of change events does to the rows they are about."""

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest

from mdm.core.mirror import mirror
from mdm.hub.conformance.journal import Journal
from mdm.model.events import ChangeEvent, Operation, Outcome
from mdm.model.ids import CrosswalkKey, RecordId
from mdm.model.mirror import Head, KnownMirror, MirrorDelta
from tests.unit.mdm.core.events import change, delete, key, truncate


def known(*names: str, **parts: Any) -> KnownMirror:
    rec_ids = {key(name): RecordId(number) for number, name in enumerate(names)}
    return KnownMirror(rec_ids=rec_ids, heads={}, **parts)


def head_of(delta: MirrorDelta, name: str = "a") -> Head:
    return next(head for head in delta.heads if head.key == key(name))


def outcomes(delta: MirrorDelta) -> list[Outcome]:
    return [outcome for _, outcome in sorted(delta.outcomes)]


def continued(first: MirrorDelta, events: Sequence[ChangeEvent], *names: str) -> MirrorDelta:
    """The next batch, with what the first one stored."""
    heads = {head.key: head for head in first.heads}
    late = {event.key for event in events if event.key in heads and event.position < heads[event.key].position}
    by_id = {head.rec_id: head.key for head in first.heads}
    histories: dict[CrosswalkKey, list[Any]] = {name: [] for name in late if name is not None}
    for rec_id, version in first.versions:
        if by_id[rec_id] in histories:
            histories[by_id[rec_id]].append(version)
    rec_ids = {key(name): RecordId(number) for number, name in enumerate(names or ("a",))}
    return mirror(events, KnownMirror(rec_ids=rec_ids, heads=heads, histories=histories))


def test_the_newest_of_several_events_of_one_row_gives_its_version() -> None:
    delta = mirror([change(3, {"name": "new"}), change(1, {"name": "old"})], known("a"))

    assert head_of(delta).row == {"name": "new"}
    assert outcomes(delta) == [Outcome.APPLIED, Outcome.APPLIED]
    assert len(delta.versions) == 2


def test_an_unchanged_large_column_keeps_its_value() -> None:
    first = mirror([change(1, {"name": "x", "text": "long"})], known("a"))

    second = continued(first, [change(2, {"name": "y"}, unavailable=("text",))])

    assert head_of(second).row == {"name": "y", "text": "long"}
    assert head_of(second).unresolved == frozenset()


def test_an_unchanged_column_never_seen_stays_unresolved_until_a_late_event_brings_it() -> None:
    first = mirror([change(5, {"name": "y"}, unavailable=("text",))], known("a"))
    assert head_of(first).unresolved == {"text"}

    second = continued(first, [change(2, {"name": "x", "text": "long"})])

    assert head_of(second).row == {"name": "y", "text": "long"}
    assert outcomes(second) == [Outcome.STALE]


def test_a_missing_column_is_unknown_and_keeps_the_value_it_had() -> None:
    delta = mirror([change(1, {"name": "x", "fax": "1"}), change(2, {"name": "y"})], known("a"))

    assert head_of(delta).row == {"name": "y", "fax": "1"}


def test_a_row_inserted_again_after_its_delete_starts_anew() -> None:
    delta = mirror(
        [change(1, {"name": "x", "fax": "1"}), delete(2), change(3, {"name": "z"}, operation=Operation.CREATE)],
        known("a"),
    )

    assert head_of(delta).row == {"name": "z"}
    assert not head_of(delta).deleted


def test_an_older_event_after_a_newer_one_is_stale_and_harmless() -> None:
    first = mirror([change(9, {"name": "new"})], known("a"))

    second = continued(first, [change(4, {"name": "old"})])

    assert head_of(second).row == {"name": "new"}
    assert outcomes(second) == [Outcome.STALE]


def test_the_same_change_delivered_at_another_offset_is_a_duplicate() -> None:
    first = mirror([change(4, {"name": "x"})], known("a"))

    second = continued(first, [change(4, {"name": "x"}, offset=77)])

    assert outcomes(second) == [Outcome.DUPLICATE]
    assert second.heads == ()


def test_a_snapshot_read_does_not_override_the_change_at_its_position() -> None:
    first = mirror([change(4, {"name": "change"})], known("a"))

    second = continued(first, [change(4, {"name": "read"}, operation=Operation.READ, offset=9)])

    assert head_of(second).row == {"name": "change"}


def test_a_truncate_ends_rows_written_before_it_and_spares_those_after() -> None:
    events = [
        change(1, {"name": "x"}, name="a"),
        change(2, {"name": "y"}, name="b"),
        truncate(5),
        change(6, {"name": "z"}, name="b"),
    ]

    delta = mirror(events, known("a", "b"))

    assert head_of(delta, "a").deleted
    assert not head_of(delta, "b").deleted


def test_a_truncate_reaches_rows_that_this_batch_does_not_mention() -> None:
    stored = head_of(mirror([change(1, {"name": "x"})], known("a")))

    delta = mirror([truncate(5)], KnownMirror(rec_ids={key("a"): RecordId(0)}, heads={}, exposed={key("a"): stored}))

    assert head_of(delta).deleted


def test_an_event_older_than_a_known_truncate_is_stale_and_its_row_is_gone() -> None:
    table = ("crm", "account")

    delta = mirror([change(3, {"name": "x"})], known("a", truncations={table: (truncate(5).position,)}))

    assert head_of(delta).deleted
    assert outcomes(delta) == [Outcome.STALE]


@pytest.mark.parametrize("whole", [True, False], ids=["at once", "one by one"])
def test_what_is_written_after_a_truncate_takes_nothing_over_from_before(whole: bool) -> None:
    events = [
        change(1, {"name": "x", "fax": "1", "text": "long"}),
        truncate(2),
        change(3, {"name": "y"}, unavailable=("text",)),
        truncate(4),
        change(5, {"name": "z"}, operation=Operation.CREATE),
    ]
    journal = Journal().take(events) if whole else Journal()
    for event in () if whole else events:
        journal.take([event])

    assert journal.rows() == {key("a"): {"name": "z"}}


def test_a_truncate_parts_before_and_after_whenever_it_comes() -> None:
    events = [
        change(1, {"name": "x", "fax": "1", "text": "long"}),
        truncate(2),
        change(3, {"name": "y"}, unavailable=("text",)),
        change(4, {"name": "z"}),
        truncate(6),
        change(7, {"name": "end"}, unavailable=("text",)),
    ]
    for order in permutations(events):
        journal = Journal()
        for event in order:
            journal.take([event])

        assert journal.rows() == {key("a"): {"name": "end"}}
        assert list(journal.unresolved()) == [(key("a"), "text")]


def test_a_re_keyed_row_takes_unchanged_columns_from_the_row_it_was() -> None:
    events = [
        change(1, {"id": "a", "text": "long"}, name="a"),
        delete(2, name="a", after="b"),
        change(2, {"id": "b"}, name="b", operation=Operation.CREATE, before="a", unavailable=("text",)),
    ]

    delta = mirror(events, known("a", "b"))

    assert head_of(delta, "a").deleted
    assert head_of(delta, "b").row == {"id": "b", "text": "long"}
    assert head_of(delta, "b").previous_key == "a"
