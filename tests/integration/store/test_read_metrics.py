"""The gauges of the hub's state say what is in its tables."""

from dataclasses import replace

from sqlalchemy import Engine

from mdm.access import Role
from mdm.hub import steward
from mdm.hub.exceptions import replay_dead_letters, to_discard
from mdm.hub.process import Pipeline
from mdm.hub.replay import replay
from mdm.observability.metrics import METRICS, Sample, Tally
from mdm.store.read_exceptions import Selection
from mdm.store.read_metrics import STATE_METRICS, hub_state
from mdm.store.refold import EventRange
from tests.integration.hub.conftest import Feed, catalogue, feed, pipeline
from tests.integration.hub.test_exceptions import accounts, changed

__all__ = ["catalogue", "feed", "pipeline"]


def test_an_empty_hub_has_nothing_open(engine: Engine) -> None:
    with engine.connect() as connection:
        state = hub_state(connection)

    assert state.keys() == set(STATE_METRICS)
    assert {name: samples for name, samples in state.items() if METRICS[name].labels and samples} == {}
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
