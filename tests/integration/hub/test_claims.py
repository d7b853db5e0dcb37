"""Units of work beside each other: never two entities for one company, whatever step the other one is at."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.hub.digest import state_digest
from mdm.hub.process import Pipeline, process
from mdm.hub.sharing import beside_others
from mdm.hub.verify import verify
from mdm.model.events import Message
from mdm.model.ids import CrosswalkKey
from mdm.store.claims import NeedsAll, hold, name_claim
from mdm.store.large_units import REMEMBERED
from mdm.store.unit_of_work import Overlap, UnitOfWork, unit_of_work
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.interleaving import NAMES, Actor, any_order, one_stops_while_the_other_runs, stepped
from tests.integration.hub.rows import message_of

#: Rows about the same few companies: (platform's topic, how many of its first messages).
_LEFT = (("crm.public.account", 12), ("crm.public.product2", 4), ("crm.public.contract", 10))
_RIGHT = (("billing.public.customer", 12), ("billing.public.product", 4), ("billing.public.subscription", 10))


@cache
def messages_of(topics: tuple[tuple[str, int], ...]) -> tuple[Message, ...]:
    return tuple(
        message
        for topic, number in topics
        for message in [each for each in world_messages() if each.place.topic == topic][:number]
    )


@pytest.fixture
def actors(pipeline: Pipeline) -> Callable[[int], tuple[Actor, Actor]]:
    """Two workers, one with the rows of CRM, one with those of billing; each stops at most so many times."""

    def make(patience: int) -> tuple[Actor, Actor]:
        return (
            Actor("left", partial(process, pipeline, "left", messages_of(_LEFT)), patience),
            Actor("right", partial(process, pipeline, "right", messages_of(_RIGHT)), patience),
        )

    return make


_alone: dict[str, str] = {}


def assert_as_if_one_after_the_other(engine: Engine, pipeline: Pipeline) -> None:
    assert verify(engine, pipeline.catalogue, pipeline.rules).differences == ()
    digest = state_digest(engine).state
    assert _alone.setdefault("digest", digest) == digest


def test_one_after_the_other_joins_records_of_both(engine: Engine, pipeline: Pipeline) -> None:
    process(pipeline, "left", messages_of(_LEFT))
    process(pipeline, "right", messages_of(_RIGHT))

    with engine.connect() as connection:
        mixed = connection.scalar(
            text(
                """select count(*) from (select entity_id from crosswalk join source_record using (rec_id)
                   group by entity_id having count(distinct system) > 1) e"""
            )
        )
    assert mixed
    assert_as_if_one_after_the_other(engine, pipeline)


@pytest.mark.parametrize("step", NAMES)
@pytest.mark.parametrize("turned", [False, True], ids=["left-stops", "right-stops"])
def test_one_stops_at_a_step_while_the_other_runs_as_far_as_it_can(
    engine: Engine,
    pipeline: Pipeline,
    actors: Callable[[int], tuple[Actor, Actor]],
    monkeypatch: pytest.MonkeyPatch,
    step: str,
    turned: bool,
) -> None:
    pair = actors(40)
    first, second = reversed(pair) if turned else pair
    with stepped(monkeypatch, pair):
        one_stops_while_the_other_runs(engine, first, second, step)

    assert_as_if_one_after_the_other(engine, pipeline)


@pytest.mark.parametrize("step", NAMES)
def test_two_new_rows_of_one_company_that_share_nothing_but_a_block_found_one_entity(
    engine: Engine, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    company = {"name": "Nordlicht Pumpen GmbH", "address_country": "DE", "address_line1": "Hafenstr. 9",
               "address_city": "Hamburg", "address_postal_code": "20457"}  # fmt: skip
    pair = [
        Actor(key, partial(process, pipeline, key, [message_of(number, {"id": key, **company}, partition=number)]), 60)
        for number, key in enumerate(("cus_a", "cus_b"))
    ]
    with stepped(monkeypatch, pair):
        one_stops_while_the_other_runs(engine, *pair, step)

    with engine.connect() as connection:
        assert connection.scalar(text("select count(distinct entity_id) from crosswalk")) == 1


@pytest.mark.parametrize("seed", range(6))
def test_any_interleaving_of_steps_ends_in_the_same_state(
    engine: Engine,
    pipeline: Pipeline,
    actors: Callable[[int], tuple[Actor, Actor]],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    pair = actors(60)
    with stepped(monkeypatch, pair):
        any_order(engine, pair, seed)

    assert_as_if_one_after_the_other(engine, pipeline)


def test_unrelated_records_do_not_wait_for_each_other(engine: Engine, pipeline: Pipeline) -> None:
    """The second unit of work commits while the first still holds its claims."""
    first, second = (CrosswalkKey("crm", "account", key) for key in ("one", "two"))
    with unit_of_work(engine, system_clock, "test", alone=False) as work:
        hold(work, {name_claim(first)}, wait=True)
        with unit_of_work(engine, system_clock, "test", alone=False) as other:
            assert hold(other, {name_claim(second)}, wait=True)


def test_what_somebody_else_claims_is_refused_and_named(engine: Engine) -> None:
    claim = name_claim(CrosswalkKey("crm", "account", "one"))
    with unit_of_work(engine, system_clock, "test", alone=False) as work:
        hold(work, {claim})
        with pytest.raises(Overlap) as refused, unit_of_work(engine, system_clock, "test", alone=False) as other:
            hold(other, {claim})
    assert refused.value.claims == {claim}


def test_shared_claims_go_together_and_keep_an_exclusive_one_out(engine: Engine) -> None:
    claim = name_claim(CrosswalkKey("crm", "account", "one"))
    with unit_of_work(engine, system_clock, "test", alone=False) as work:
        hold(work, (), {claim})
        with unit_of_work(engine, system_clock, "test", alone=False) as other:
            assert hold(other, (), {claim})
            with pytest.raises(Overlap):
                hold(other, {claim})


def test_what_was_read_before_a_commit_is_read_again(engine: Engine) -> None:
    claim = name_claim(CrosswalkKey("crm", "account", "one"))
    with unit_of_work(engine, system_clock, "test", alone=False) as work:
        with unit_of_work(engine, system_clock, "test", alone=False):
            pass
        assert not hold(work, {claim})
        assert hold(work, {claim})


def test_more_claims_than_the_lock_table_allows_are_refused_before_they_are_taken(engine: Engine) -> None:
    with pytest.raises(NeedsAll), unit_of_work(engine, system_clock, "test", alone=False) as work:
        hold(work, range(work.most_claims + 1))


def test_a_unit_of_work_that_keeps_meeting_others_gets_the_hub_for_itself(engine: Engine) -> None:
    seen: list[bool] = []

    def attempt(work: UnitOfWork) -> str:
        seen.append(work.alone)
        if not work.alone:
            raise Overlap("again")
        return "done"

    assert beside_others(engine, system_clock, "test", None, attempt) == "done"
    assert seen == [False, False, False, True]


def test_after_a_unit_of_work_that_claims_too_much_the_next_as_large_does_not_try_in_vain(engine: Engine) -> None:
    seen: list[bool] = []

    def attempt(work: UnitOfWork) -> None:
        seen.append(work.alone)
        hold(work, range(work.most_claims + 1))

    def run(size: int, attempt: Callable[[UnitOfWork], None] = attempt) -> list[bool]:
        seen.clear()
        beside_others(engine, system_clock, "test", None, attempt, size=size)
        return list(seen)

    def little(work: UnitOfWork) -> None:
        seen.append(work.alone)

    assert run(1000) == [False, True]
    assert run(1000) == [True]
    # A small one still shares the hub.
    assert run(10, little) == [False]
    # It is tried again after a while: the batches, or the hub, may have become other ones.
    for _ in range(REMEMBERED - 1):
        assert run(1200, little) == [True]
    assert run(1200, little) == [False]


def test_a_large_load_has_the_hub_for_itself_only_where_nobody_else_is_at_work(engine: Engine) -> None:
    def load() -> bool:
        return beside_others(engine, system_clock, "test", None, lambda work: work.alone, alone="if free")

    assert load()
    with unit_of_work(engine, system_clock, "other", alone=False):
        assert not load()
    assert load()


def test_whoever_comes_while_a_large_load_is_alone_waits_for_its_unit_of_work(engine: Engine) -> None:
    with (
        ThreadPoolExecutor(1) as executor,
        unit_of_work(engine, system_clock, "load", alone="if free") as work,
    ):
        other = executor.submit(beside_others, engine, system_clock, "test", None, lambda each: each.alone)
        assert work.alone
        with pytest.raises(TimeoutError):
            other.result(0.2)
        assert hold(work, {name_claim(CrosswalkKey("crm", "account", "one"))})
        assert not work.held
    assert other.result(30) is False


def test_the_change_feed_never_fills_a_gap_behind_a_reader(engine: Engine, pipeline: Pipeline) -> None:
    """Whoever publishes later gets the greater numbers, whoever began first; nothing is visible between."""
    began, published = threading.Event(), threading.Event()
    numbers: dict[str, int] = {}

    def slow() -> None:
        with unit_of_work(engine, system_clock, "slow", alone=False) as work:
            began.set()
            published.wait(30)
            numbers["slow"] = work.numbers(3)

    thread = threading.Thread(target=slow)
    thread.start()
    assert began.wait(30)
    with unit_of_work(engine, system_clock, "fast", alone=False) as work:
        numbers["fast"] = work.numbers(5)
    published.set()
    thread.join(30)

    assert numbers["fast"] < numbers["slow"]
    with engine.connect() as connection:
        order: Sequence[int] = (
            connection.execute(text("select publication from batch order by publication")).scalars().all()
        )
    assert Counter(order) == Counter(range(1, len(order) + 1))
