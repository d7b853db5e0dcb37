"""A defect that one message brings to light stops neither the others nor the worker, and that message is not lost."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.core.mirror import mirror
from mdm.errors import OperatorError, TransientError
from mdm.hub.apart import CODE, process_apart, unforeseen
from mdm.hub.digest import state_digest
from mdm.hub.exceptions import replay_dead_letters
from mdm.hub.process import Pipeline
from mdm.intake.debezium import translate
from mdm.model.events import Message, Outcome
from mdm.store.read_exceptions import Selection
from mdm.store.unit_of_work import unit_of_work
from mdm.streams.memory import MemoryFeed
from mdm.workers.dead_letter_limit import TooManyDeadLetters
from mdm.workers.ingest import drain
from mdm.workers.patience import Stopped
from tests.integration.hub.conftest import world_messages

MESSAGES = tuple(message for message in world_messages() if message.place.topic == "crm.public.account")
#: Two of them, in one unit of work of 100 and not beside each other.
POISON = (MESSAGES[137].place, MESSAGES[161].place)


def run(pipeline: Pipeline, messages: Sequence[Message] = MESSAGES, limit: int = 10) -> Any:
    return drain(pipeline, MemoryFeed("memory:crm", messages), batch_size=100, dead_letter_limit=limit)


def letters(engine: Engine) -> list[tuple[str, int, int, str, str, str, str]]:
    with engine.connect() as connection:
        found = connection.execute(
            text('select topic, partition, "offset", code, reason, owner, status from dead_letter order by 2, 3')
        )
        return [tuple(row) for row in found]  # type: ignore[misc]


def fails_in_the_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    def folded(events: Sequence[Any], known: Any) -> Any:
        if any(event.place in POISON for event in events):
            raise ValueError("Geheim GmbH does not fit")
        return mirror(events, known)

    monkeypatch.setattr("mdm.hub.process.mirror", folded)


def fails_in_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    def decoded(messages: Sequence[Message], *rest: Any) -> Any:
        if any(message.place in POISON for message in messages):
            raise KeyError("Geheim GmbH")
        return translate(messages, *rest)

    monkeypatch.setattr("mdm.hub.process.translate", decoded)


@pytest.mark.parametrize("defect", [fails_in_the_fold, fails_in_decoding])
def test_the_messages_to_blame_are_set_aside_and_all_others_taken_in(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, defect: Any
) -> None:
    with monkeypatch.context() as patched:
        defect(patched)
        report = run(pipeline)

    assert report.messages == len(MESSAGES)
    assert report.outcomes["crm", Outcome.QUARANTINED] == len(POISON)
    found = letters(pipeline.engine)
    assert sorted(each[:3] for each in found) == sorted(tuple(place) for place in POISON)
    for each in found:
        assert each[3:] == (CODE, each[4], "integration-operations", "open")
        assert "Geheim" not in each[4], "a reason holds no values"
        assert "Error at mdm.hub.process:" in each[4]


def test_what_was_set_aside_is_replayed_once_the_defect_is_mended(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, engine: Engine
) -> None:
    with monkeypatch.context() as patched:
        fails_in_the_fold(patched)
        run(pipeline)
    without = state_digest(engine).state

    replay_dead_letters(pipeline, Selection(code=CODE), "tester")

    assert [each[-1] for each in letters(engine)] == ["replayed"] * len(POISON)
    assert state_digest(engine).state != without
    again = run(pipeline)
    assert again.messages == 0, "the feed had gone on behind them"


def test_a_defect_that_all_messages_meet_stops_the_worker(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(events: Sequence[Any], known: Any) -> Any:
        if events:
            raise RuntimeError("a bad release")
        return mirror(events, known)

    monkeypatch.setattr("mdm.hub.process.mirror", broken)
    with pytest.raises(TooManyDeadLetters):
        run(pipeline, MESSAGES[:100], limit=5)


def test_who_is_told_to_stop_in_the_middle_sets_nothing_aside(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(_: Any) -> Any:
        raise Stopped

    with pytest.raises(Stopped):
        process_apart(pipeline, "memory:crm", MESSAGES[:8], ValueError(), told)
    assert letters(pipeline.engine) == []


def test_a_key_that_postgresql_cannot_hold_is_refused_and_holds_nothing_up(pipeline: Pipeline, engine: Engine) -> None:
    nul = b'{"id":"001\\u0000"}'
    by_key = replace(MESSAGES[3], key=nul)
    assert MESSAGES[5].value is not None
    created = MESSAGES[5].value.replace(b'"op":"r"', b'"op":"c"')
    by_header = replace(MESSAGES[5], value=created, headers=(("__debezium.oldkey", nul),))
    by_both = replace(MESSAGES[6], key=b'{"id":"001"}', value=nul)

    report = run(pipeline, (*MESSAGES[:3], by_key, MESSAGES[4], by_header, by_both, MESSAGES[7]))

    assert report.messages == 8
    codes = sorted(each[3] for each in letters(engine))
    assert codes == ["CHARACTER_FORBIDDEN", "CHARACTER_FORBIDDEN", "HEADER_MALFORMED"]


def test_what_may_pass_and_what_is_set_up_wrongly_is_nobody_elses_fault() -> None:
    assert not unforeseen(TransientError("away"))
    assert not unforeseen(OperatorError("no such topic"))
    assert unforeseen(ValueError())


def test_what_postgresql_cannot_take_is_no_failure_that_passes(engine: Engine) -> None:
    with pytest.raises(psycopg.errors.ProgramLimitExceeded), unit_of_work(engine, system_clock, "test") as work:
        work.query("select array_fill(0, array[1000000000])")
