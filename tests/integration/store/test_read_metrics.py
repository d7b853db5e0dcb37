"""The gauges of the hub's state say what is in its tables."""

import json
import time
from dataclasses import replace

from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.bootstrap import make_engine
from mdm.clock import system_clock
from mdm.hub import steward
from mdm.hub.exceptions import replay_dead_letters, to_discard
from mdm.hub.process import Pipeline
from mdm.hub.recheck import recheck
from mdm.hub.replay import replay
from mdm.hub.sharing import without_a_trace
from mdm.model.ids import EntityId
from mdm.model.stewardship import Pin, Undo
from mdm.observability.catalogue import METRICS
from mdm.observability.metrics import Sample, Tally
from mdm.store.process_numbers import process_numbers
from mdm.store.read_exceptions import Selection
from mdm.store.read_metrics import STATE_METRICS, hub_state, worker_name
from mdm.store.refold import EventRange
from mdm.store.unit_of_work import Overlap, UnitOfWork
from tests.harness.shipped import SHIPPED
from tests.integration.hub.conftest import Feed, catalogue, feed, pipeline
from tests.integration.hub.test_exceptions import accounts, changed

__all__ = ["catalogue", "feed", "pipeline"]


def test_an_empty_hub_has_nothing_open(engine: Engine) -> None:
    with engine.connect() as connection:
        state = hub_state(connection)

    assert state.keys() == set(STATE_METRICS)
    assert {name: samples for name, samples in state.items() if METRICS[name].labels and samples} == {
        "mdm_workers_alive": [Sample((each,), 0.0) for each in ("calendar", "ingest", "relay")]
    }
    assert state["mdm_unaccounted_events"] == [Sample((), 0.0)]


def test_dead_letters_drift_and_golden_records_are_counted_by_label(
    engine: Engine, pipeline: Pipeline, feed: Feed
) -> None:
    first, second, third, *_ = accounts(4)
    feed([first, changed(second, 1, twitter__c="@acme"), replace(third, value=b"nonsense")])

    with engine.connect() as connection:
        state = hub_state(connection)

    assert state["mdm_golden_records"] == [Sample(("customer",), 2.0)]
    assert state["mdm_dlq_items"] == [Sample(("crm", "ENVELOPE_MALFORMED"), 1.0)]
    assert state["mdm_dlq_in_total"] == [Sample(("crm", "ENVELOPE_MALFORMED"), 1.0)]
    assert state["mdm_dlq_out_total"] == []
    assert state["mdm_exceptions_open"] == [Sample(("contract_drift", "COLUMN_ADDED"), 1.0)]
    assert state["mdm_schema_drift_total"] == [Sample(("crm", "COLUMN_ADDED"), 1.0)]
    assert state["mdm_contract_violations_total"] == [Sample(("crm", "account", "COLUMN_ADDED", "recorded"), 1.0)]
    ((system, age),) = state["mdm_dlq_oldest_seconds"]
    assert system == ("crm",)
    assert age >= 0
    assert state["mdm_unaccounted_events"] == [Sample((), 0.0)]


def test_a_replay_is_counted_with_its_rows_and_effects(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    feed(accounts(4))
    replay(pipeline, EventRange(topic="crm.public.account"), "tester")

    with engine.connect() as connection:
        state = hub_state(connection)

    assert state["mdm_replay_records_total"] == [Sample(("stored events", "folded"), 4.0)]
    assert state["mdm_replay_effects_total"] == [Sample(("stored events",), 0.0)]
    (tally,) = state["mdm_replay_duration_seconds"]
    assert isinstance(tally, Tally)
    assert tally.labels == ("stored events",)
    assert tally.number == tally.at_most[-1] == 1
    assert 0 < tally.total < 300


def test_what_was_not_closed_in_time_is_counted_by_its_owner(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    first, second, third, *_ = accounts(4)
    feed([first, changed(second, 1, twitter__c="@acme"), replace(third, value=b"nonsense")])

    def breaches() -> dict[tuple[str, ...], float]:
        with engine.connect() as connection:
            found = hub_state(connection)["mdm_exception_sla_breaches_total"]
        return {sample.labels[:2]: sample.value for sample in found if isinstance(sample, Sample)}

    assert set(breaches().values()) == {0.0}, "a series begins before its first breach"
    with engine.begin() as connection:
        connection.execute(text("update exception set first_seen = first_seen - interval '8 days'"))
        connection.execute(text("update dead_letter set due_at = due_at - interval '4 days'"))
    late = {("contract_drift", "ticket"): 1.0, ("dead_letter", "ticket"): 1.0}
    assert breaches() == late

    worthless = to_discard(engine, Selection(code="ENVELOPE_MALFORMED"), "a test row")
    steward.decide(pipeline, steward.Actor("tester", Role.OPERATOR), worthless)
    assert breaches() == late, "what was closed too late stays counted"


def test_blind_samples_tell_how_old_the_last_and_how_old_the_open_one_is(engine: Engine) -> None:
    sample = """
        insert into blind_sample (domain, seed, model, strata, drawn_by, drawn_at, closed_at, figures)
        values (:domain, '', '', '{}', 'ada', now() - interval '3 days', to_timestamp(:closed),
            cast(:figures as jsonb))"""
    told = [["", "precision", "value", 1.0]]
    with engine.begin() as connection:
        for domain, closed, figures in (
            ("customer", 1_000_000, told), ("customer", 2_000_000, told), ("customer", 3_000_000, None),
            ("customer", None, None), ("product", 1_000_000, None),
        ):  # fmt: skip
            values = {"domain": domain, "closed": closed, "figures": None if figures is None else json.dumps(figures)}
            connection.execute(text(sample), values)
        state = hub_state(connection)

    assert state["mdm_match_quality_timestamp_seconds"] == [Sample(("customer",), 2_000_000.0)]
    ((labels, age),) = state["mdm_blind_sample_open_seconds"]
    assert labels == ("customer",)
    assert 3 * 86_400 <= age < 3 * 86_400 + 600


def test_what_stewards_decide_take_back_and_propose_is_counted(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    feed(accounts(2))
    with engine.connect() as connection:
        one, other = connection.scalars(text("select entity_id from golden where known_to is null"))
    ada = steward.Actor("ada", Role.STEWARD)
    pinned = steward.decide(pipeline, ada, Pin(EntityId(one), "segment", "Key account", reason="agreed"))
    steward.decide(pipeline, ada, Pin(EntityId(other), "segment", "Key account", reason="agreed"))
    assert pinned.decision_id is not None
    steward.decide(pipeline, ada, Undo(pinned.decision_id, "by mistake"))
    waiting = steward.decide(pipeline, ada, Pin(EntityId(one), "payment_terms", "NT60", reason="agreed"))
    recheck(engine, system_clock, SHIPPED, "sap")

    with engine.connect() as connection:
        state = hub_state(connection)

    assert waiting.proposal_id is not None
    counted = {each.labels: each.value for each in state["mdm_review_decisions_total"] if isinstance(each, Sample)}
    assert counted == {("customer", "override"): 2.0, ("customer", "undo"): 1.0}
    overturned = {each.labels: each.value for each in state["mdm_review_overturned_total"] if isinstance(each, Sample)}
    assert overturned == {("customer", "override"): 1.0, ("customer", "undo"): 0.0}
    assert state["mdm_approvals_open"] == [Sample(("high",), 1.0)]
    ((_, age),) = state["mdm_approvals_oldest_seconds"]
    assert 0 < age < 600
    assert sum(each.value for each in state["mdm_onboarding_verdicts"] if isinstance(each, Sample)) == 2
    assert {each.labels[0] for each in state["mdm_onboarding_verdicts"]} == {"sap"}


def test_the_age_of_questions_is_that_of_the_oldest_open_one(engine: Engine) -> None:
    question = text(
        """insert into steward_task (kind, domain, a, b, question, weight, status, batch_id, opened_at)
           values (:kind, 'customer', 1, 2, :question, 1, :status, 1, now() - make_interval(hours => :hours))"""
    )
    with engine.begin() as connection:
        for number, (kind, status, hours) in enumerate(
            (
                ("conflict", "open", 5),
                ("conflict", "open", 2),
                ("conflict", "resolved", 9),
                ("possible_match", "open", 1),
            )
        ):
            connection.execute(question, {"kind": kind, "status": status, "hours": hours, "question": f"q{number}"})
        state = hub_state(connection)

    oldest = {
        each.labels: round(each.value / 3600) for each in state["mdm_review_oldest_seconds"] if isinstance(each, Sample)
    }
    assert oldest == {("customer", "conflict"): 5, ("customer", "possible_match"): 1}


def test_a_worker_is_alive_while_it_is_connected(engine: Engine) -> None:
    def alive() -> dict[tuple[str, ...], float]:
        with engine.connect() as connection:
            found = hub_state(connection)["mdm_workers_alive"]
        return {sample.labels: sample.value for sample in found if isinstance(sample, Sample)}

    worker = make_engine(engine.url, worker_name("ingest"))
    with worker.connect(), worker.connect():
        assert alive()[("ingest",)] == 1, "one process, however many connections"
    worker.dispose()

    # The server takes a moment to see that a connection is gone.
    assert any(not alive()[("ingest",)] or time.sleep(0.05) for _ in range(100))


def test_a_process_tells_its_connections_in_use(engine: Engine) -> None:
    own = make_engine(engine.url)
    in_use = process_numbers(own)["mdm_db_pool_in_use"]

    assert in_use() == 0
    with own.connect(), own.connect():
        assert in_use() == 2
    assert in_use() == 0
    own.dispose()


def test_a_unit_of_work_that_began_again_is_counted(engine: Engine) -> None:
    own = make_engine(engine.url)
    retries = process_numbers(own)["mdm_db_tx_retries_total"]
    failures = iter([Overlap("another one"), Overlap("another one"), None])

    def attempt(_: UnitOfWork) -> str:
        if (failure := next(failures)) is not None:
            raise failure
        return "done"

    assert without_a_trace(own.execution_options(of_a="request"), system_clock, attempt) == "done"
    assert retries() == 2
    own.dispose()


def test_what_left_the_dead_letters_is_counted_by_what_was_done(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    first, second, third, *_ = accounts(4)
    feed([replace(first, value=b"nonsense"), changed(second, 1, name=7), third])
    replay_dead_letters(pipeline, Selection(code="VALUE_TYPE"), "tester")
    worthless = to_discard(engine, Selection(code="ENVELOPE_MALFORMED"), "a test row")
    steward.decide(pipeline, steward.Actor("tester", Role.OPERATOR), worthless)

    with engine.connect() as connection:
        state = hub_state(connection)

    assert state["mdm_dlq_out_total"] == [Sample(("crm", "discarded"), 1.0)]
    assert state["mdm_dlq_items"] == [Sample(("crm", "VALUE_TYPE"), 1.0)]
    assert state["mdm_replay_records_total"] == [Sample(("dead letters", "quarantined"), 1.0)]
    assert Sample(("crm", "account", "VALUE_TYPE", "quarantined"), 1.0) in state["mdm_contract_violations_total"]
