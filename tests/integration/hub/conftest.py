"""A hub on a fresh database, and the sample world's messages."""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import as_file, files

import pytest
from sqlalchemy import Engine

from mdm.clock import system_clock
from mdm.hub.process import BatchReport, Pipeline, process
from mdm.hub.release import load_rules
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.model.events import Message
from mdm.streams.file import FileFeed

Feed = Callable[[Sequence[Message]], BatchReport]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue(None)


@pytest.fixture
def pipeline(engine: Engine, catalogue: Catalogue) -> Pipeline:
    return Pipeline(engine, system_clock, catalogue, load_rules(catalogue))


@pytest.fixture
def feed(pipeline: Pipeline) -> Feed:
    """Consume messages in units of work of 1000; returns what they did together."""

    def consume(messages: Sequence[Message]) -> BatchReport:
        total = BatchReport()
        for start in range(0, len(messages), 1000):
            total.add(process(pipeline, "test", messages[start : start + 1000]))
        return total

    return consume


@cache
def world_messages() -> tuple[Message, ...]:
    """All messages of the sample world, platform by platform."""
    messages: list[Message] = []
    with as_file(files("mdm.demo") / "world") as world:
        source = FileFeed(world / "events")
        while batch := source.poll(10_000, 0):
            messages.extend(batch)
    return tuple(messages)
