"""How many keys too many records share, counted for a whole hub at once, against names that are made to be too many."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from mdm.core.rules import Rules
from mdm.hub.above_cap import AboveCap, above_cap_by_cap, above_cap_by_rule
from mdm.hub.process import Pipeline
from mdm.model.ids import Domain
from mdm.store.large_blocks import Crowd
from tests.integration.hub.rows import take_in
from tests.integration.hub.test_oversize import questions

NOTHING = Crowd(0, 0, 0)


@pytest.fixture
def crowded(pipeline: Pipeline) -> Pipeline:
    """Thirteen companies of one name, one more than names alone may find, and twelve of another."""
    names = ["Seebad Werke"] * 13 + ["Nordlicht Optik"] * 12
    take_in(pipeline, [{"id": f"cus_n{number:02}", "name": f"{name} GmbH"} for number, name in enumerate(names)])
    return pipeline


def words(found: list[AboveCap]) -> list[AboveCap]:
    return [each for each in found if each.rule == "words"]


def test_a_coarse_block_above_its_cap_is_counted_although_nobody_is_asked(crowded: Pipeline) -> None:
    found = above_cap_by_rule(crowded.engine, crowded.rules)

    expected = AboveCap(Domain.CUSTOMER, "words", cap=12, asked=False, crowd=Crowd(blocks=1, records=13, pairs=78))
    assert words(found) == [expected]
    assert {(each.domain, each.cap, each.crowd.records) for each in found} == {(Domain.CUSTOMER, 12, 13)}
    assert not [question for question in questions(crowded.engine) if ":block:" in question]


def test_by_cap_it_is_the_same_without_reading_what_records_say(crowded: Pipeline) -> None:
    by_cap = above_cap_by_cap(crowded.engine, crowded.rules)

    by_rule = above_cap_by_rule(crowded.engine, crowded.rules)
    coarse = by_cap.pop((Domain.CUSTOMER, 12))
    assert coarse.records == 13
    assert coarse.blocks == sum(each.crowd.blocks for each in by_rule)
    assert coarse.pairs == sum(each.crowd.pairs for each in by_rule)
    assert {(domain, found) for (domain, _), found in by_cap.items()} == {(domain, NOTHING) for domain in Domain}


def lower(rules: Rules, cap: int) -> Rules:
    model = rules.models[Domain.CUSTOMER]
    return replace(rules, models={**rules.models, Domain.CUSTOMER: replace(model, block_cap=cap)})


def test_each_domain_has_its_own_cap(crowded: Pipeline) -> None:
    """With 40 instead of 50 a name finds 10: the other twelve are too many as well. Other domains keep theirs."""
    found = above_cap_by_rule(crowded.engine, lower(crowded.rules, 40))

    assert [(each.cap, each.crowd) for each in words(found)] == [(10, Crowd(blocks=2, records=25, pairs=78 + 66))]


def test_keys_that_no_rule_in_force_makes_are_told_apart(crowded: Pipeline) -> None:
    model = crowded.rules.models[Domain.CUSTOMER]
    without = replace(model, blocking=tuple(rule for rule in model.blocking if rule.name != "words"))
    rules = replace(crowded.rules, models={**crowded.rules.models, Domain.CUSTOMER: without})

    found = above_cap_by_rule(crowded.engine, rules)

    assert words(found) == []
    assert [(each.cap, each.crowd) for each in found if each.rule == ""] == [(None, Crowd(1, 13, 78))]


def test_in_an_empty_hub_nothing_is_above_its_cap(new_engine: Callable[[], Engine], pipeline: Pipeline) -> None:
    engine = new_engine()
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from block_key")) == 0

    assert above_cap_by_rule(engine, pipeline.rules) == []
    assert set(above_cap_by_cap(engine, pipeline.rules).values()) == {NOTHING}
