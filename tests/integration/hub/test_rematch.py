"""Matching a whole hub at once: the same state as a stream, seen before it is written, safe to interrupt."""

import importlib.util
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.core.rules import Rules
from mdm.engines import open_engine
from mdm.errors import OperatorError
from mdm.hub.digest import StateDigest, state_digest
from mdm.hub.process import Pipeline, process
from mdm.hub.rematch import in_bulk, preview, rematch, run
from mdm.hub.verify import verify
from mdm.model.events import Message
from mdm.model.ids import Domain
from tests.integration.hub.conftest import world_messages


def load_in_bulk(pipeline: Pipeline, messages: Sequence[Message] = ()) -> Pipeline:
    messages = messages or world_messages()
    for start in range(0, len(messages), 4000):
        process(in_bulk(pipeline), "test", messages[start : start + 4000])
    return pipeline


def stricter(rules: Rules) -> Rules:
    """The rules of a release that joins customers on more evidence only."""
    model = rules.models[Domain.CUSTOMER]
    thresholds = replace(model.thresholds, match=model.thresholds.match + 4.0)
    changed = replace(model, thresholds=thresholds, fingerprint="stricter")
    return replace(rules, models={**rules.models, Domain.CUSTOMER: changed})


#: The hub of every test here has taken in the sample world as a stream.
pytestmark = pytest.mark.sample_world


@pytest.fixture
def streamed(engine: Engine) -> StateDigest:
    return state_digest(engine)


@pytest.fixture
def other_engine(engine: Engine, new_engine: Callable[[], Engine]) -> Engine:
    return new_engine()


@pytest.mark.skipif(importlib.util.find_spec("pyspark") is None, reason="pyspark is not installed: make spark")
@pytest.mark.skipif(shutil.which("java") is None, reason="there is no Java on the path")
def test_spark_finds_nothing_to_change_in_what_was_streamed(streamed: StateDigest, pipeline: Pipeline) -> None:
    report = rematch(pipeline, open_engine("spark"), "test")

    assert report.empty
    assert report.engine == "spark"
    assert all(report.candidates[domain] for domain in Domain)
    assert state_digest(pipeline.engine) == streamed


def test_a_bulk_load_ends_in_the_state_of_the_stream(
    streamed: StateDigest, pipeline: Pipeline, other_engine: Engine
) -> None:
    bulk = load_in_bulk(replace(pipeline, engine=other_engine))

    told = preview(bulk, open_engine("duckdb"))
    report = rematch(bulk, open_engine("duckdb"), "test")

    assert told.as_json()["domains"] == report.as_json()["domains"]
    assert state_digest(other_engine) == streamed
    assert verify(other_engine, bulk.catalogue, bulk.rules).differences == ()
    assert report.by_domain[Domain.CUSTOMER].founded > 200


def readings(said: Sequence[str]) -> int:
    """How often all customers were read."""
    return sum(bool(re.fullmatch(r"customer: read ([0-9,]+) of \1 records", line)) for line in said)


def test_records_are_read_once_though_the_result_is_looked_at_again(pipeline: Pipeline, other_engine: Engine) -> None:
    bulk, said = load_in_bulk(replace(pipeline, engine=other_engine)), list[str]()

    rematch(bulk, open_engine("duckdb"), "test", said.append)

    assert sum(line.startswith("customer: clustering") for line in said) == 2
    assert readings(said) == 1


def test_what_arrives_meanwhile_is_read(streamed: StateDigest, pipeline: Pipeline, other_engine: Engine) -> None:
    messages = world_messages()
    first, later = messages[:-400], messages[-400:]
    live, said = replace(pipeline, engine=other_engine), list[str]()
    load_in_bulk(live, first)

    def meanwhile(line: str) -> None:
        if line.startswith("customer: clustering") and line not in said:
            process(live, "test", later)
        said.append(line)

    rematch(live, open_engine("duckdb"), "test", meanwhile)

    assert readings(said) >= 2
    assert state_digest(other_engine) == streamed
    assert verify(other_engine, live.catalogue, live.rules).differences == ()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_folder_without_room_is_named(
    streamed: StateDigest, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Path("/dev/full").open("r+b") as full:
        monkeypatch.setattr(run, "TemporaryFile", lambda prefix: full)

        with pytest.raises(OperatorError, match="cannot be kept") as refused:
            rematch(pipeline, open_engine("duckdb"), "test")

    assert "TMPDIR" in refused.value.advice


def test_a_hub_with_golden_records_is_not_loaded_in_bulk(streamed: StateDigest, pipeline: Pipeline) -> None:
    with pytest.raises(OperatorError, match="golden records already"):
        in_bulk(pipeline)


def test_nothing_is_left_to_do_after_a_stream(engine: Engine, streamed: StateDigest, pipeline: Pipeline) -> None:
    for name in ("duckdb", "python"):
        report = rematch(pipeline, open_engine(name), "test")

        assert report.empty
    assert state_digest(engine) == streamed


def test_a_preview_tells_what_a_release_would_change_and_changes_nothing(
    engine: Engine, streamed: StateDigest, pipeline: Pipeline
) -> None:
    released = replace(pipeline, rules=stricter(pipeline.rules))

    told = preview(released, open_engine("duckdb"))

    assert told.by_domain[Domain.CUSTOMER].split > 0
    assert told.by_domain[Domain.CUSTOMER].links_removed > 0
    assert told.by_domain[Domain.CUSTOMER].examples
    assert state_digest(engine) == streamed

    done = rematch(released, open_engine("duckdb"), "test")
    assert done.as_json()["domains"] == told.as_json()["domains"]
    assert verify(engine, released.catalogue, released.rules).differences == ()
    assert state_digest(engine) != streamed


def test_an_interrupted_run_is_finished_by_the_next(
    engine: Engine, streamed: StateDigest, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = replace(pipeline, rules=stricter(pipeline.rules))
    monkeypatch.setattr(run, "UNIT", 20)
    calls = count(1)

    def impatient(message: str) -> None:
        if "settled" in message and next(calls) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rematch(released, open_engine("duckdb"), "test", impatient)
    assert state_digest(engine) != streamed

    rematch(released, open_engine("duckdb"), "test")

    assert verify(engine, released.catalogue, released.rules).differences == ()
    with engine.connect() as connection:
        actions = connection.execute(text("select action from audit order by seq")).scalars().all()
    assert actions.count("rematch started") == 2
    assert actions.count("rematch finished") == 1
