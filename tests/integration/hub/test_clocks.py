"""Clocks of several machines differ, and some are set wrong: what is known later is never known before."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.hub.process import Pipeline, process
from mdm.hub.verify import verify
from mdm.store.unit_of_work import unit_of_work
from tests.integration.hub.conftest import world_messages

_INVERTED = """
select (select count(*) from golden where known_to < known_from)
  + (select count(*) from crosswalk_history where until < since)"""


def _at(pipeline: Pipeline, ahead: timedelta) -> Pipeline:
    return replace(pipeline, clock=lambda: system_clock() + ahead)


@pytest.mark.parametrize("ahead", [timedelta(seconds=20), timedelta(days=700)])
def test_nothing_ends_before_it_began(engine: Engine, pipeline: Pipeline, ahead: timedelta) -> None:
    messages = [each for each in world_messages() if each.place.topic in ("crm.public.account", "erp.public.item")]

    for number, start in enumerate(range(0, len(messages), 100)):
        process(_at(pipeline, ahead * (number % 2)), "test", messages[start : start + 100])

    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from golden where known_to is not null")) > 20
        assert connection.scalar(text(_INVERTED)) == 0
    assert verify(engine, pipeline.catalogue, pipeline.rules).agrees


def test_a_clock_that_is_a_little_behind_follows_what_is_known(engine: Engine) -> None:
    with unit_of_work(engine, lambda: system_clock() + timedelta(seconds=20), "one machine") as first:
        pass
    with unit_of_work(engine, system_clock, "another") as second:
        pass

    assert second.now == first.now


def test_a_clock_that_was_far_ahead_is_not_followed(engine: Engine) -> None:
    with unit_of_work(engine, lambda: system_clock() + timedelta(days=1), "one machine") as first:
        pass
    with unit_of_work(engine, system_clock, "another") as second:
        pass

    assert second.now < first.now
    assert second.now <= system_clock()
