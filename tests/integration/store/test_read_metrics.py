"""The gauges of the hub's state say what is in its tables."""

from dataclasses import replace

from sqlalchemy import Engine

from mdm.hub.process import Pipeline
from mdm.hub.replay import replay
from mdm.observability.metrics import METRICS
from mdm.store.read_metrics import STATE_METRICS, Sample, hub_state
from mdm.store.refold import EventRange
from tests.integration.hub.conftest import Feed, catalogue, feed, pipeline
from tests.integration.hub.test_exceptions import accounts, changed

__all__ = ["catalogue", "feed", "pipeline"]


def test_an_empty_hub_has_nothing_open(engine: Engine) -> None:
    with engine.connect() as connection:
        state = hub_state(connection)

    assert state.keys() == set(STATE_METRICS)
    assert {name: samples for name, samples in state.items() if METRICS[name].labels and samples} == {}
    assert state["mdm_unaccounted_messages"] == [Sample((), 0.0)]


def test_dead_letters_drift_and_golden_records_are_counted_by_label(
    engine: Engine, pipeline: Pipeline, feed: Feed
) -> None:
    first, second, third, *_ = accounts(4)
    feed([first, changed(second, 1, twitter__c="@acme"), replace(third, value=b"nonsense")])

    with engine.connect() as connection:
        state = hub_state(connection)

    assert state["mdm_golden_records"] == [Sample(("customer",), 2.0)]
    assert state["mdm_dead_letters_open"] == [Sample(("crm", "ENVELOPE_MALFORMED"), 1.0)]
    assert state["mdm_exceptions_open"] == [Sample(("contract_drift", "COLUMN_ADDED"), 1.0)]
    assert state["mdm_contract_drift_events"] == [Sample(("crm", "COLUMN_ADDED"), 1.0)]
    assert state["mdm_dead_letters_oldest_seconds"][0].value >= 0
    assert state["mdm_unaccounted_messages"] == [Sample((), 0.0)]


def test_a_replay_is_counted_with_its_rows_and_effects(engine: Engine, pipeline: Pipeline, feed: Feed) -> None:
    feed(accounts(4))
    replay(pipeline, EventRange(topic="crm.public.account"), "tester")

    with engine.connect() as connection:
        state = hub_state(connection)

    assert state["mdm_replays"] == [Sample(("stored events",), 1.0)]
    assert state["mdm_replay_rows"] == [Sample(("stored events",), 4.0)]
    assert state["mdm_replay_effects"] == [Sample(("stored events",), 0.0)]
