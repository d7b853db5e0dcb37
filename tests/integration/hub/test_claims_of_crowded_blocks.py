"""Blocks above their cap: who only adds to them works beside others, and nobody misses that one has shrunk below it."""

from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from random import Random

import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, process, replay_in
from mdm.hub.verify import verify
from mdm.model.blocks import cap_of
from mdm.model.events import Message
from mdm.store.claims import block_claim, block_claims, hold
from mdm.store.pairs import blocks_of, store_keys
from mdm.store.shared_hub import SharedHub, shared_hub
from mdm.store.unit_of_work import Overlap, UnitOfWork, unit_of_work
from tests.integration.hub.interleaving import NAMES, Actor, any_order, one_stops_while_the_other_runs, stepped
from tests.integration.hub.rows import message_of, take_in

_CAP = 4
_CROWD = [f"cus_{number}" for number in range(6)]
_COMPANY = {"name": "Nordlicht Pumpen GmbH", "address_country": "DE", "address_line1": "Hafenstr. 9",
            "address_city": "Hamburg", "address_postal_code": "20457"}  # fmt: skip

_NAMES = ("Nordlicht Pumpen GmbH", "Nordlicht Pumpen AG", "Nordlicht Pumpen & Ventile GmbH", "Nordlichd Pumpen GmbH")

Guess = Callable[[SharedHub, Collection[int]], set[int]]
_GUESSES: dict[str, Guess] = {
    "as-looked-at": SharedHub.crowded,
    "all-above": lambda _, blocks: set(blocks),
    "none-above": lambda _, blocks: set(),
}


@pytest.fixture
def narrow(pipeline: Pipeline) -> Pipeline:
    """A hub whose blocks pair four records at most."""
    models = {domain: replace(model, block_cap=_CAP) for domain, model in pipeline.rules.models.items()}
    return replace(pipeline, rules=replace(pipeline.rules, models=models))


def actors(narrow: Pipeline, patience: int = 40) -> tuple[Actor, Actor]:
    """One brings two more rows of the crowd, one takes four away: what is left may be compared again."""
    more = [message_of(20 + number, {"id": f"cus_new_{number}", **_COMPANY}, partition=2) for number in range(2)]
    gone = [message_of(20 + number, {"id": key, **_COMPANY}, gone=True) for number, key in enumerate(_CROWD[:4])]
    return (
        Actor("more", partial(process, narrow, "more", more), patience),
        Actor("fewer", partial(process, narrow, "fewer", gone), patience),
    )


_alone: dict[str, str] = {}


def assert_as_if_one_after_the_other(engine: Engine, narrow: Pipeline) -> None:
    assert verify(engine, narrow.catalogue, narrow.rules).differences == ()
    digest = state_digest(engine).state
    assert _alone.setdefault("digest", digest) == digest
    with engine.connect() as connection:
        assert connection.scalar(text("select count(distinct entity_id) from crosswalk")) == 1
        # Whoever came first: all four that are left are compared with each other.
        assert connection.scalar(text("select count(*) from link where superseded_at is null")) == 6


@pytest.mark.parametrize("turned", [False, True], ids=["more-first", "fewer-first"])
def test_one_after_the_other(engine: Engine, narrow: Pipeline, *, turned: bool) -> None:
    take_in(narrow, [{"id": key, **_COMPANY} for key in _CROWD])
    more, fewer = actors(narrow, 0)
    for each in (fewer, more) if turned else (more, fewer):
        each.start()
        while not each.finished:
            each.settled(engine)
    assert_as_if_one_after_the_other(engine, narrow)


@pytest.mark.parametrize("step", NAMES)
@pytest.mark.parametrize("turned", [False, True], ids=["more-stops", "fewer-stops"])
@pytest.mark.parametrize("guess", _GUESSES)
def test_a_block_that_shrinks_below_its_cap_while_somebody_adds_to_it(
    engine: Engine, narrow: Pipeline, monkeypatch: pytest.MonkeyPatch, step: str, guess: str, *, turned: bool
) -> None:
    take_in(narrow, [{"id": key, **_COMPANY} for key in _CROWD])
    monkeypatch.setattr(SharedHub, "crowded", _GUESSES[guess])
    pair = actors(narrow)
    first, second = reversed(pair) if turned else pair
    with stepped(monkeypatch, pair):
        one_stops_while_the_other_runs(engine, first, second, step)

    assert_as_if_one_after_the_other(engine, narrow)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("guess", _GUESSES)
def test_any_interleaving(
    engine: Engine, narrow: Pipeline, monkeypatch: pytest.MonkeyPatch, seed: int, guess: str
) -> None:
    take_in(narrow, [{"id": key, **_COMPANY} for key in _CROWD])
    monkeypatch.setattr(SharedHub, "crowded", _GUESSES[guess])
    pair = actors(narrow, 60)
    with stepped(monkeypatch, pair):
        any_order(engine, pair, seed)

    assert_as_if_one_after_the_other(engine, narrow)


@pytest.mark.parametrize("step", NAMES)
def test_two_rows_of_one_company_found_one_entity_where_their_blocks_are_wrongly_taken_to_be_above_the_cap(
    engine: Engine, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(SharedHub, "crowded", _GUESSES["all-above"])
    first, second = (
        Actor(key, partial(process, pipeline, key, [message_of(number, {"id": key, **_COMPANY}, partition=number)]), 60)
        for number, key in enumerate(("cus_a", "cus_b"))
    )
    with stepped(monkeypatch, [first, second]):
        one_stops_while_the_other_runs(engine, first, second, step)

    with engine.connect() as connection:
        assert connection.scalar(text("select count(distinct entity_id) from crosswalk")) == 1


def crowded_of(work: UnitOfWork) -> set[int]:
    ids = [row[0] for row in work.query("select rec_id from source_record where key = %s", _CROWD[0])]
    return {block for block, there in blocks_of(work, ids, _CAP).members.items() if len(there) > cap_of(_CAP, block)}


def test_two_that_add_to_a_block_above_its_cap_work_side_by_side(engine: Engine, narrow: Pipeline) -> None:
    """The second commits while the first has still to publish."""
    take_in(narrow, [{"id": key, **_COMPANY} for key in _CROWD])
    with unit_of_work(engine, system_clock, "first", alone=False) as work:
        crowded = crowded_of(work)
        assert crowded
        hold(work, *block_claims(work, crowded), wait=True)
        with unit_of_work(engine, system_clock, "second", alone=False) as other:
            hold(other, *block_claims(other, crowded))
            store_keys(other, {-1: crowded}, arrived=[-1])  # type: ignore[dict-item, list-item]  # a record's number
        assert {work.held[claim] for claim in work.held} == {False}


def test_who_takes_away_from_a_block_keeps_out_who_adds_to_it(engine: Engine, narrow: Pipeline) -> None:
    take_in(narrow, [{"id": key, **_COMPANY} for key in _CROWD])
    with unit_of_work(engine, system_clock, "adds", alone=False) as work:
        crowded = crowded_of(work)
        hold(work, *block_claims(work, crowded), wait=True)
        rec = work.query("select rec_id from source_record where key = %s", _CROWD[0])[0][0]
        with unit_of_work(engine, system_clock, "takes away", alone=False, kept=False) as other:
            hold(other, *block_claims(other, crowded))
            with pytest.raises(Overlap) as refused:
                store_keys(other, {}, gone=[rec])
    assert refused.value.claims <= work.held.keys()


def test_what_is_remembered_is_bounded_and_the_oldest_is_forgotten() -> None:
    hub = SharedHub(most=3)
    hub.seen([1, 2, 3], [])
    hub.seen([1], [])
    hub.seen([4], [3])
    hub.seen([5], [])

    assert hub.crowded(range(9)) == {1, 4, 5}


def test_a_process_notices_that_others_are_at_work_and_after_a_while_that_they_are_not(engine: Engine) -> None:
    hub, other = shared_hub(engine), SharedHub()
    assert hub is not other

    def one() -> None:
        with unit_of_work(engine, system_clock, "mine", alone=False):
            pass

    for _ in range(60):
        one()
    assert not hub.accompanied
    with unit_of_work(engine, system_clock, "first", alone=False):
        one()
    assert hub.accompanied
    for _ in range(60):
        one()
    assert not hub.accompanied
    hub.saw(10**6)
    assert hub.accompanied


def test_a_worker_alone_does_not_look_before_it_claims(
    engine: Engine, narrow: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SharedHub, "accompanied", property(lambda _: False))
    asked: list[str] = []
    probe = UnitOfWork.probe

    def noted(work: UnitOfWork, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        asked.append(statement)
        return probe(work, statement, *parameters)

    monkeypatch.setattr(UnitOfWork, "probe", noted)
    take_in(narrow, [{"id": "cus_a", **_COMPANY}])
    assert not [each for each in asked if "offset greatest" in each]
    monkeypatch.setattr(SharedHub, "accompanied", property(lambda _: True))
    take_in(narrow, [{"id": "cus_b", **_COMPANY}], first=1)
    assert [each for each in asked if "offset greatest" in each]


def test_a_block_that_this_very_unit_of_work_brings_above_its_cap_is_claimed_alone(
    engine: Engine, narrow: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SharedHub, "crowded", _GUESSES["all-above"])
    take_in(narrow, [{"id": key, **_COMPANY} for key in _CROWD[:_CAP]])
    with unit_of_work(engine, system_clock, "test", alone=False) as work:
        before = crowded_of(work)
        replay_in(narrow, work, [message_of(20, {"id": "cus_new", **_COMPANY})], "test")
        crossed = crowded_of(work) - before
        assert before
        assert crossed
        assert {work.held[block_claim(block)] for block in before} == {False}
        assert {work.held[block_claim(block)] for block in crossed} == {True}


def _story(worker: int, seed: int) -> list[list[Message]]:
    """Batches of one worker: rows of its own about a few companies, brought, moved and taken away."""
    dice, batches, number = Random(f"{seed} {worker}"), list[list[Message]](), 0
    for _ in range(15):
        batch = []
        for _ in range(dice.randint(1, 4)):
            row = {**_COMPANY, "id": f"cus_{worker}_{dice.randrange(6)}", "name": dice.choice(_NAMES)}
            row |= {"address_city": dice.choice(["Hamburg", "Bremen"]), "phone": dice.choice([None, "+49 40 123456"])}
            number += 1
            batch.append(message_of(number, row, gone=dice.random() < 0.4, partition=worker))
        batches.append(batch)
    return batches


@pytest.mark.parametrize("seed", range(4))
def test_three_workers_that_add_and_take_away_end_where_one_does(engine: Engine, narrow: Pipeline, seed: int) -> None:
    def work(worker: int) -> None:
        for batch in _story(worker, seed):
            process(narrow, f"worker {worker}", batch)

    with ThreadPoolExecutor(3) as executor:
        list(executor.map(work, range(3)))

    assert verify(engine, narrow.catalogue, narrow.rules).differences == ()
