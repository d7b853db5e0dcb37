"""Time passes: what is due ends, and verdicts that are others now are told, by one calendar at a time."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.clock import system_clock
from mdm.hub.process import Pipeline
from mdm.hub.reconcile import reconcile
from mdm.hub.steward import Actor
from mdm.model.ids import Domain, EntityId
from mdm.model.stewardship import Command, JudgeTask, Pin, Verdict
from mdm.observability.metrics import Metrics
from mdm.store.finding_history import newest_run, open_on
from mdm.store.ledger import write_audit
from mdm.store.unit_of_work import unit_of_work
from mdm.workers import calendar
from mdm.workers.calendar import CalendarOptions, Kept, run_calendar
from mdm.workers.exposition import Health
from tests.harness.tampering import rebuild_chain, tamper
from tests.integration.hub.rows import take_in
from tests.integration.hub.steward.alone import decide
from tests.integration.workers.turns import turns_at_the_end

ANNA = Actor("anna", Role.STEWARD)
HOUR = timedelta(hours=1)


def at(pipeline: Pipeline, moment: datetime) -> Pipeline:
    return replace(pipeline, clock=lambda: moment)


def kept(pipeline: Pipeline) -> Kept:
    return run_calendar(pipeline, CalendarOptions(once=True), lambda: False)


@pytest.mark.sample_world
def test_the_calendar_ends_what_is_due_and_tells_verdicts_that_changed(engine: Engine, pipeline: Pipeline) -> None:
    now = system_clock()
    with engine.connect() as connection:
        customers = connection.scalar(
            text("select count(*) from golden where domain = 'customer' and known_to is null")
        )
    assert kept(pipeline) == Kept(0, customers, customers), "nobody was judged before"
    with engine.connect() as connection:
        task, entity_id = connection.execute(
            text(
                """select t.task_id, x.entity_id from steward_task t join crosswalk x on x.rec_id = t.a
                   join verdict v on v.entity_id = x.entity_id and v.decision <> 'blocked'
                   where t.status = 'open' and t.domain = 'customer' and t.kind = 'possible_match' order by 1 limit 1"""
            )
        ).one()
    pin: Command = Pin(EntityId(entity_id), "blocked", True, None, "for a day", now + 24 * HOUR)
    decide(pipeline, ANNA, pin)
    assert kept(at(pipeline, now + HOUR)).changed == 1, "the customer is blocked now"
    assert kept(pipeline) == Kept(), "nothing is due"

    decide(pipeline, ANNA, JudgeTask(task, Verdict.UNSURE, "cannot tell"))
    decide(pipeline, ANNA, JudgeTask(task, Verdict.NOT_SAME, "two shops"))
    found = kept(at(pipeline, system_clock() + HOUR))
    assert (found.ended, found.judged > 0) == (0, True), "a question of theirs was answered"

    found = kept(at(pipeline, now + 25 * HOUR))
    assert (found.ended, found.changed) == (1, 1), "the block has ended, and so has what it said of the customer"
    with engine.connect() as connection:
        told = connection.execute(
            text(
                """select payload->>'before', payload->>'decision' from outbox
                   where type = 'customer.readiness_changed' and aggregateid = :id order by seq desc limit 1"""
            ),
            {"id": entity_id},
        ).one()
    assert told[0] == "blocked" != told[1]


@pytest.mark.sample_world
def test_one_calendar_works_at_a_time(engine: Engine, pipeline: Pipeline) -> None:
    with engine.connect() as other:
        other.execute(text("select pg_advisory_lock(:lock)"), {"lock": calendar._LOCK})
        assert kept(pipeline) == Kept()
        other.execute(text("select pg_advisory_unlock(:lock)"), {"lock": calendar._LOCK})

    turns = turns_at_the_end(engine, calendar._LOCK)
    stopped = iter([False, True])
    half = run_calendar(pipeline, CalendarOptions(), lambda: next(stopped, True))
    assert half.judged == 0, "it was stopped after the first customers, whose verdicts are kept"
    assert kept(pipeline).judged > 0
    assert turns == [0, 0], "stopped or done, a calendar gives its turn back before its session ends"


def test_keys_that_too_many_records_share_are_counted_once_a_day(pipeline: Pipeline) -> None:
    began, hours, metrics = system_clock(), [0], Metrics()
    flow = replace(pipeline, clock=lambda: began + hours[0] * HOUR)
    keeper = calendar._Calendar(flow, CalendarOptions(metrics_port=0), lambda: False, Health(), metrics)

    def shown(after: int, name: str) -> float | None:
        """Records with a key above its cap, when thirteen companies of one more name have come."""
        rows = [{"id": f"cus_{name}{number:02}", "name": f"{name} Werke GmbH"} for number in range(13)]
        take_in(pipeline, rows, first=100 * after)
        hours[0] = after
        keeper._turn()
        labels = {"entity": "customer", "cap": "12"}
        return metrics.registry.get_sample_value("mdm_match_records_above_cap", labels)

    assert [shown(0, "Seebad"), shown(23, "Nordlicht"), shown(25, "Vetokraft")] == [13, 13, 39]
    none = {"entity": "product", "cap": str(pipeline.rules.models[Domain.PRODUCT].block_cap)}
    assert metrics.registry.get_sample_value("mdm_match_blocks_above_cap", none) == 0


def test_pairs_that_nothing_compares_are_looked_at_once_a_day_by_a_calendar_that_stays(pipeline: Pipeline) -> None:
    """Thirteen rows that state one name and nothing else: each could be any other."""
    began, hours = system_clock(), [0]
    flow = replace(pipeline, clock=lambda: began + hours[0] * HOUR)
    take_in(pipeline, [{"id": f"cus_{number:02}", "name": "Seebad Werke GmbH"} for number in range(13)])
    turns = {
        once: calendar._Calendar(flow, CalendarOptions(once=once), lambda: False, Health(), Metrics())
        for once in (True, False)
    }

    def asked(after: int, *, once: bool) -> list[tuple[str, int]]:
        hours[0] = after
        turns[once]._turn()
        with pipeline.engine.connect() as connection:
            return [
                (row.status, row.seen)
                for row in connection.execute(
                    text("select status, seen from exception where code = 'PAIRS_UNCOMPARED' and type = 'customer'")
                )
            ]

    assert asked(0, once=True) == [], "whoever starts one every minute would have it look every minute"
    assert asked(0, once=False) == [("open", 78)]
    take_in(pipeline, [{"id": "cus_00", "name": "Seebad Werke GmbH"}], first=100, gone=True)
    assert asked(23, once=False) == [("open", 78)]
    assert asked(25, once=False) == [("resolved", 78)], "twelve are compared"


def test_a_calendar_that_shows_no_metrics_counts_no_keys(pipeline: Pipeline) -> None:
    metrics = Metrics()

    calendar._Calendar(pipeline, CalendarOptions(), lambda: False, Health(), metrics)._turn()

    assert b"mdm_match_blocks_above_cap{" not in metrics.exposition()


def test_what_reconciliation_finds_is_kept_once_an_hour(pipeline: Pipeline) -> None:
    began = system_clock()

    def newest(after: timedelta) -> datetime | None:
        kept(at(pipeline, began + after))
        with pipeline.engine.connect() as connection:
            run = newest_run(connection)
        return None if run is None else run.began_at

    assert [newest(after) for after in (timedelta(), HOUR / 2, 2 * HOUR)] == [began, began, began + 2 * HOUR]


@pytest.mark.sample_world
def test_a_calendar_that_stays_looks_in_another_process(pipeline: Pipeline) -> None:
    keeper = calendar._Calendar(pipeline, CalendarOptions(), lambda: False, Health(), Metrics())
    keeper._keep_findings(pipeline)

    found = reconcile(pipeline.engine).findings
    with pipeline.engine.connect() as connection:
        told = open_on(connection, system_clock().date(), None, None, 1000)
    assert {(each.rule, each.subject) for each in told} == {(each.rule, each.subject) for each in found}
    assert len(told) == len(found) > 20, "a rule and a row name a finding"


def test_the_audit_chain_is_anchored_once_a_day_and_a_folder_that_is_away_holds_up_nothing(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    began, hours, metrics, folder = system_clock(), [0], Metrics(), tmp_path / "mounted"
    flow = replace(pipeline, clock=lambda: began + hours[0] * HOUR)
    with unit_of_work(pipeline.engine, system_clock, "test") as work:
        write_audit(work, "test", "looked", "entry", {})
    keeper = calendar._Calendar(flow, CalendarOptions(anchors=folder), lambda: False, Health(), metrics)

    def anchored(after: int) -> tuple[int, float | None]:
        hours[0] = after
        keeper._turn()
        told = metrics.registry.get_sample_value("mdm_audit_last_anchored_timestamp_seconds")
        return len(list(folder.glob("*.json"))), told

    assert anchored(0) == (0, 0), "the turn went on to its end"
    folder.mkdir()
    assert anchored(1) == (1, (began + HOUR).timestamp())
    assert anchored(24) == (1, (began + HOUR).timestamp())
    assert anchored(26) == (2, (began + 26 * HOUR).timestamp())
    tamper(pipeline.engine, "update audit set actor = 'nobody'")
    rebuild_chain(pipeline.engine)
    assert anchored(51) == (2, (began + 26 * HOUR).timestamp()), "what contradicts an anchor is not anchored"
