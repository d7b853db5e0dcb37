"""Tiers: what is refused of postings, revenue and payments is never left out, and nothing of its row overtakes it."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.hub import steward
from mdm.hub.arrivals import arriving
from mdm.hub.exceptions import (
    Mended,
    Selection,
    fix_dead_letter,
    reopen_dead_letters,
    replay_dead_letters,
    to_discard,
    try_fix,
)
from mdm.hub.leaving_out import leave_out_due
from mdm.hub.letting_go import let_go
from mdm.hub.process import BatchReport, Pipeline, process
from mdm.hub.steward import NO_POLICY, load_policy
from mdm.hub.tiers import standings
from mdm.hub.tiers_proof import prove_tiers
from mdm.hub.verify import verify
from mdm.model.events import Message, Place, TopicPartition
from mdm.store.refused_lately import refused_lately
from tests.integration.hub.conftest import world_messages

#: Workflow to one of its topics, and a column in which versions of a row differ.
CRITICAL = {
    "posting": ("erp.public.posting", "status"),
    "revenue": ("billing.public.invoice", "number"),
    "payment": ("billing.public.payment", "status"),
}
critical = pytest.mark.parametrize(("topic", "column"), CRITICAL.values(), ids=CRITICAL)
MASTER, REFERENCE = ("crm.public.account", "name"), ("product.public.feature", "technical_name")
BAD = b'{"op":"u"}'


def version(topic: str, column: str, offset: int, said: str, *, key: str = "K1", bad: bool = False) -> Message:
    """Version number `offset` of a row, which stands there in its topic and in the log of its source."""
    pattern = next(
        each for each in world_messages()
        if each.place.topic == topic and each.value and orjson.loads(each.value).get("after")
    )  # fmt: skip
    value, named = orjson.loads(pattern.value or b""), orjson.loads(pattern.key or b"")
    lsn = 10**12 + offset
    first = next(iter(named))
    named[first] = value["after"][first] = key
    value["after"][column] = said
    value |= {"op": "u"}
    value["source"] |= {"lsn": lsn, "sequence": f'["{lsn}","{lsn}"]', "snapshot": "false"}
    written = BAD if bad else orjson.dumps(value)
    return replace(pattern, place=Place(topic, 9, offset), key=orjson.dumps(named), value=written)


def refused(engine: Engine) -> dict[int, tuple[str, str]]:
    """Offset to code and status of every message that was refused."""
    with engine.connect() as connection:
        rows = connection.execute(text('select "offset", code, status from dead_letter order by 1'))
        return {row[0]: (row[1], row[2]) for row in rows}


def letter(engine: Engine, offset: int) -> int:
    with engine.connect() as connection:
        return int(
            connection.scalars(text('select dead_letter_id from dead_letter where "offset" = :o'), {"o": offset}).one()
        )


def rows(engine: Engine, column: str) -> dict[str, Any]:
    """What the hub holds of each row in this column."""
    with engine.connect() as connection:
        found = connection.execute(text(f"select key, row ->> '{column}' from source_record where not deleted"))
        return {row[0].partition("|")[0]: row[1] for row in found}


def later(pipeline: Pipeline, days: float) -> Pipeline:
    return replace(pipeline, clock=lambda: pipeline.clock() + timedelta(days=days))


def outcomes(report: BatchReport) -> dict[str, int]:
    found: dict[str, int] = {}
    for (_, outcome), number in report.outcomes.items():
        found[outcome.value] = found.get(outcome.value, 0) + number
    return found


@critical
def test_nothing_of_a_row_overtakes_a_refused_message_and_other_rows_go_on(
    engine: Engine, pipeline: Pipeline, topic: str, column: str
) -> None:
    process(pipeline, "test", [version(topic, column, 1, "one")])
    report = process(
        pipeline,
        "test",
        [
            version(topic, column, 2, "", bad=True),
            version(topic, column, 3, "three"),
            version(topic, column, 4, "other", key="K2"),
        ],
    )
    process(pipeline, "test", [version(topic, column, 5, "five")])

    assert rows(engine, column) == {"K1": "one", "K2": "other"}
    held = ("ORDER_HELD", "open")
    assert refused(engine) == {2: ("ENVELOPE_MALFORMED", "open"), 3: held, 5: held}
    assert sum(report.refused.values()) == 1, "what waits is no sign of a bad release"
    assert list(refused_lately(engine, TopicPartition(topic, 9), 5)) == [False, True, False, False, False]
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees

    again = replay_dead_letters(pipeline, Selection(ids=(letter(engine, 5),)), "tester")
    assert outcomes(again.report) == {"quarantined": 1}, "the one before it is still refused"

    mended = Mended(value=version(topic, column, 2, "two").value)
    would = try_fix(pipeline, letter(engine, 2), mended, "tester")
    done = fix_dead_letter(pipeline, letter(engine, 2), mended, "the connector was mended", "tester")
    assert done is not None
    assert outcomes(would.report) == outcomes(done.report) == {"applied": 3}, "each in its turn, none too late"
    assert rows(engine, column) == {"K1": "five", "K2": "other"}
    assert {status for _, status in refused(engine).values()} == {"replayed"}
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


@critical
def test_a_refused_message_is_never_left_out_by_itself_nor_by_one_person(
    engine: Engine, pipeline: Pipeline, topic: str, column: str
) -> None:
    process(
        pipeline,
        "test",
        [version(topic, column, 1, "", bad=True), version(topic, column, 2, "two")],
    )

    assert leave_out_due(later(pipeline, 3650)) == 0
    assert {status for _, status in refused(engine).values()} == {"open"}

    discard = to_discard(engine, Selection(ids=(letter(engine, 1),)), "nobody needs it")
    decided = steward.decide(pipeline, steward.Actor("anna", Role.OPERATOR), discard)
    assert decided.demands == ("discard-of-tier-one",)
    assert refused(engine)[1] == ("ENVELOPE_MALFORMED", "open")
    assert decided.proposal_id is not None
    steward.approve(pipeline, steward.Actor("bob", Role.ADMIN), decided.proposal_id, "agreed")
    assert refused(engine)[1][1] == "discarded"

    let_go(pipeline)

    assert rows(engine, column) == {"K1": "two"}
    assert refused(engine)[2] == ("ORDER_HELD", "replayed")


@critical
def test_every_order_of_arrival_ends_in_the_same_rows_once_nothing_is_refused(
    engine: Engine, pipeline: Pipeline, topic: str, column: str
) -> None:
    said = {1: "one", 2: "two", 3: "three", 4: "four"}
    for number, order in enumerate(permutations(said)):
        for offset in order:
            at, key = number * 10 + offset, f"K{number:02}"
            process(pipeline, "test", [version(topic, column, at, said[offset], key=key, bad=offset == 2)])
        mended = Mended(value=version(topic, column, number * 10 + 2, "two", key=f"K{number:02}").value)
        fix_dead_letter(pipeline, letter(engine, number * 10 + 2), mended, "mended", "tester")

    assert set(rows(engine, column).values()) == {"four"}
    assert {status for _, status in refused(engine).values()} == {"replayed"}
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


def test_what_waited_and_fails_itself_is_refused_for_what_it_is_and_the_rest_waits_for_it(
    engine: Engine, pipeline: Pipeline
) -> None:
    topic, column = CRITICAL["revenue"]
    process(pipeline, "test", [version(topic, column, 1, "", bad=True)])
    process(pipeline, "test", [version(topic, column, at, f"v{at}") for at in (2, 3)])
    with engine.begin() as connection:
        connection.execute(text("""update dead_letter set value = '{"op":"u"}' where "offset" = 2"""))

    fix_dead_letter(pipeline, letter(engine, 1), Mended(value=version(topic, column, 1, "v1").value), "x", "t")

    assert refused(engine) == {
        1: ("ENVELOPE_MALFORMED", "replayed"), 2: ("ENVELOPE_MALFORMED", "open"), 3: ("ORDER_HELD", "open"),
    }  # fmt: skip
    fix_dead_letter(pipeline, letter(engine, 2), Mended(value=version(topic, column, 2, "v2").value), "x", "t")
    assert rows(engine, column) == {"K1": "v3"}


def test_reference_data_goes_on_and_what_nobody_mends_is_left_out(engine: Engine, pipeline: Pipeline) -> None:
    topic, column = REFERENCE
    process(
        pipeline,
        "test",
        [version(topic, column, 1, "", bad=True), version(topic, column, 2, "two")],
    )

    assert rows(engine, column) == {"K1": "two"}, "nothing waits"
    assert leave_out_due(later(pipeline, 13)) == 0
    assert leave_out_due(later(pipeline, 15)) == 1
    assert refused(engine) == {1: ("ENVELOPE_MALFORMED", "discarded")}
    assert leave_out_due(later(pipeline, 15)) == 0
    with engine.connect() as connection:
        (line,) = connection.execute(text("select actor, detail from audit where action = 'discard'"))
    assert line.actor == "hub"
    assert line.detail["dead_letters"] == [letter(engine, 1)]
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees
    assert reopen_dead_letters(engine, pipeline.clock, [letter(engine, 1)], "we want it after all", "tester") == 1


def test_master_data_goes_on_and_waits_for_a_person(engine: Engine, pipeline: Pipeline) -> None:
    topic, column = MASTER
    process(
        pipeline,
        "test",
        [version(topic, column, 1, "", bad=True), version(topic, column, 2, "two")],
    )

    assert rows(engine, column) == {"K1": "two"}
    assert leave_out_due(later(pipeline, 3650)) == 0
    decided = steward.decide(
        pipeline,
        steward.Actor("anna", Role.OPERATOR),
        to_discard(engine, Selection(ids=(letter(engine, 1),)), "a test"),
    )
    assert (decided.demands, refused(engine)[1][1]) == ((), "discarded"), "one person is enough"


def test_a_dry_run_holds_back_what_the_real_run_would(engine: Engine, pipeline: Pipeline) -> None:
    topic, column = CRITICAL["payment"]
    process(pipeline, "test", [version(topic, column, 1, "", bad=True)])

    with arriving(pipeline, lambda _: None) as inside:
        process(inside.pipeline, "test", [version(topic, column, 2, "two")])
        found = inside.arrivals(None)

    assert [(each.type, each.code) for each in found.refused] == [("payment", "ORDER_HELD")]
    assert set(refused(engine)) == {1}, "nothing of it stays"


def test_how_workflows_stand_is_told_against_what_their_tier_asks_for(engine: Engine, pipeline: Pipeline) -> None:
    topic, column = CRITICAL["payment"]
    process(pipeline, "test", [version(topic, column, 1, "", bad=True), version(topic, column, 2, "two")])
    now = pipeline.clock()
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into freshness_hour (hour, system, entity, within, changes) values
                   (date_trunc('hour', cast(:now as timestamptz)), 'billing', 'payment', 60, 3),
                   (date_trunc('hour', cast(:now as timestamptz)), 'billing', 'payment', 300, 1)"""
            ),
            {"now": now},
        )
    with engine.connect() as connection:
        found = {each.workflow: each for each in standings(connection, pipeline.catalogue, load_policy(), now)}
        late = standings(connection, pipeline.catalogue, load_policy(), now + timedelta(hours=5))

    assert list(found)[:3] == ["posting", "revenue", "payment"]
    payment = found["payment"]
    assert (payment.in_time, payment.open.refused, payment.open.held, payment.open.overdue) == (0.75, 1, 1, 0)
    assert {each.workflow: each.open.overdue for each in late}["payment"] == 1
    assert found["reference"].in_time is None


def test_every_control_is_shown_by_a_test_that_is_there_and_by_trying_it(engine: Engine, pipeline: Pipeline) -> None:
    with engine.connect() as connection:
        found = standings(connection, pipeline.catalogue, load_policy(), pipeline.clock())
    for test in {control.test for each in found for control in each.controls}:
        file, _, name = test.partition("::")
        assert Path(file).resolve() == Path(__file__).resolve()
        assert name in globals(), f"nobody wrote {name}"

    proof = prove_tiers(pipeline, load_policy())
    assert proof.holds, [each for each in proof.shown if not each.holds]
    assert {each.workflow for each in proof.shown} == {each.workflow for each in found}

    lax = prove_tiers(pipeline, NO_POLICY)
    assert {each.seen for each in lax.shown if each.control == "discard"} == {"one person"}


def test_each_is_due_as_its_tier_says(engine: Engine, pipeline: Pipeline) -> None:
    for topic, column in (CRITICAL["payment"], MASTER, REFERENCE):
        process(pipeline, "test", [version(topic, column, 1, "", bad=True)])

    with engine.connect() as connection:
        due = connection.execute(
            text("select tier, extract(epoch from due_at - first_seen) / 3600 from dead_letter order by 1")
        )
        assert [(row[0], float(row[1])) for row in due] == [(1, 4), (2, 72), (3, 336)]
