"""Groups of refused messages are what the messages say, whoever changes them, at once or one after the other."""

import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from mdm.clock import system_clock
from mdm.core.four_eyes import measures_of
from mdm.core.refused_order import rank_group
from mdm.hub.steward import load_policy
from mdm.hub.worklist import rank_refused, refused_unranked
from mdm.model.events import DeadLetter, Message, Outcome, Place
from mdm.model.worklist import CutOff
from mdm.store import invariants, ledger, letter_groups, letters
from mdm.store.affected import AsOf
from mdm.store.letter_groups import Open, changes
from mdm.store.read_exceptions import Selection
from mdm.store.read_letter_groups import GroupOrder, OpenLetters, dead_letter_groups, open_letters
from mdm.store.stake import Looked, unranked_groups, write_group_ranks
from mdm.store.unit_of_work import unit_of_work
from tests.api.rows import NOON
from tests.letters import refuse

_SEED = 20_250_601
#: A condition that every message fulfils, and that groups do not know: the messages are read instead.
_BY_READING = {"since": NOON - timedelta(days=99)}


def broken(engine: Engine) -> list[tuple[str, str]]:
    with unit_of_work(engine, system_clock, "test", kept=False) as work:
        return [each for each in invariants.violations(work) if "refused messages" in each[0]]


def letter(offset: int, kind: str, key: int = 0) -> DeadLetter:
    message = Message(Place("crm.public.account", 0, offset), 0, (), None, b"{}")
    return DeadLetter(
        message=message, code="VALUE_TYPE", reason=f"{kind} {offset}", action="Mend it.", owner="Sales", system="crm",
        type="account", row_key=f"A{key}",
    )  # fmt: skip


class Everybody:
    """All that can befall refused messages, in any order."""

    def __init__(self, engine: Engine, chance: random.Random) -> None:
        self.engine, self.chance, self.offset = engine, chance, 0

    def some(self, condition: str) -> list[int]:
        with self.engine.connect() as connection:
            ids = connection.scalars(text(f"select dead_letter_id from dead_letter where {condition}")).all()
        return self.chance.sample(list(ids), min(len(ids), self.chance.randint(1, 4)))

    def arrive(self) -> None:
        several = range(self.offset, self.offset + self.chance.randint(1, 5))
        self.offset = several.stop
        with unit_of_work(self.engine, system_clock, "test") as work:
            ledger.write_dead_letters(work, [letter(each, self.chance.choice("abc"), each % 3) for each in several])

    def replay(self) -> None:
        """Some are taken in; some are refused again, for another cause or the same."""
        with self.engine.connect() as connection:
            places = (
                connection.execute(text("select \"offset\" from dead_letter where status = 'open'")).scalars().all()
            )
        chosen = self.chance.sample(list(places), min(len(places), 4))
        again = chosen[:2]
        fates = [Outcome.QUARANTINED if each in again else Outcome.APPLIED for each in chosen]
        told = [(Place("crm.public.account", 0, each), fate, "") for each, fate in zip(chosen, fates, strict=True)]
        with unit_of_work(self.engine, system_clock, "test") as work:
            refused = [letter(each, self.chance.choice("abd"), 9) for each in again]
            ledger.write_replayed(work, told, refused, "tester")

    def discard(self) -> None:
        with unit_of_work(self.engine, system_clock, "test") as work:
            letters.discard(work, self.some("true"), "tester", "a test row")

    def reopen(self) -> None:
        with unit_of_work(self.engine, system_clock, "test") as work:
            letters.reopen(work, self.some("status <> 'open'"))

    def give(self) -> None:
        with unit_of_work(self.engine, system_clock, "test") as work:
            letters.give(work, self.some("true"), self.chance.choice(["ada", "bob", None]))

    def rank(self) -> None:
        rank_refused(self.engine, system_clock(), at_once=self.chance.choice([1, 3, 1000]))

    def crash(self) -> None:
        def act() -> None:
            with unit_of_work(self.engine, system_clock, "test") as work:
                letters.discard(work, self.some("status = 'open'"), "tester", "never written")
                work.publish()
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            act()

    def half(self) -> None:
        """A part of a unit of work that is undone by itself."""
        with unit_of_work(self.engine, system_clock, "test") as work:
            letters.give(work, self.some("true"), "ada")
            with suppress(ZeroDivisionError), work.part():
                letters.discard(work, self.some("status = 'open'"), "tester", "undone")
                raise ZeroDivisionError


def test_after_every_step_the_groups_are_what_is_open(engine: Engine) -> None:
    everybody = Everybody(engine, random.Random(_SEED))
    steps: list[Callable[[], None]] = [
        everybody.arrive, everybody.arrive, everybody.replay, everybody.discard, everybody.reopen, everybody.give,
        everybody.rank, everybody.crash, everybody.half,
    ]  # fmt: skip

    for number in range(90):
        step = steps[number % 2] if number < 4 else everybody.chance.choice(steps)
        step()
        assert broken(engine) == [], f"after step {number}, {step.__name__}"

    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from dead_letter_group where share = 'of'")), "nothing was given"


def test_what_was_changed_behind_their_back_is_found_and_counted_anew(engine: Engine) -> None:
    refuse(engine, *({"offset": each, "alike": each % 2} for each in range(6)))
    with engine.begin() as connection:
        connection.execute(text("update dead_letter set assignee = 'ada' where \"offset\" = 2"))

    assert len(broken(engine)) == 3, "those of nobody, of somebody, and of ada"
    with unit_of_work(engine, system_clock, "test") as work:
        letter_groups.recount(work)
    assert broken(engine) == []


def test_many_who_meet_the_same_kinds_at_once_are_all_counted(engine: Engine) -> None:
    """Some write new ones, in either order of the kinds, while others rank; nobody waits for ever."""

    def write(worker: int) -> None:
        for turn in range(8):
            kinds = "abcdef" if (worker + turn) % 2 else "fedcba"
            start = 1000 * worker + 10 * turn
            with unit_of_work(engine, system_clock, "test", alone=False) as work:
                for number, kind in enumerate(kinds):
                    ledger.write_dead_letters(work, [letter(start + number, kind)])
                    work.publish()

    def rank(_: int) -> None:
        for _ in range(12):
            rank_refused(engine, system_clock(), at_once=1000)

    with ThreadPoolExecutor(5) as pool:
        done = [pool.submit(write, worker) for worker in range(3)] + [pool.submit(rank, each) for each in range(2)]
        for each in done:
            each.result(60)

    assert broken(engine) == []
    with engine.connect() as connection:
        assert [each["letters"] for each in dead_letter_groups(connection)] == [24] * 6
    rank_refused(engine, system_clock())
    assert not refused_unranked(engine, system_clock())


def test_counting_anew_and_ranking_wait_for_each_other_in_one_order(engine: Engine) -> None:
    refuse(engine, {"offset": 1, "alike": "a"})

    def recount() -> None:
        with unit_of_work(engine, system_clock, "test") as work:
            letter_groups.recount(work)

    with engine.begin() as connection:  # the row of all is behind the others in the table now
        connection.execute(text("update dead_letter_group set changed = true where share = 'all'"))
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as ranking:
            ranking.execute(text("select from dead_letter_group where share = 'all' for update"))
            counting = pool.submit(recount)
            waiting = text("select count(*) from pg_locks where not granted and locktype = 'transactionid'")
            while not ranking.scalar(waiting):
                assert not counting.done()
            ranking.execute(text("update dead_letter_group set rank = 7 where share = 'free'"))
        counting.result(60)
    assert broken(engine) == []


def test_a_kind_that_ends_and_begins_anew_while_it_is_ranked_is_ranked_again(engine: Engine) -> None:
    (first,) = refuse(engine, {"offset": 1, "alike": "a"})
    with engine.begin() as connection:
        now = system_clock()
        (found,) = unranked_groups(connection, Looked(now), AsOf("2026-10", now.date(), frozenset()))
        with unit_of_work(engine, system_clock, "test") as work:
            letters.discard(work, [first], "tester", "gone")
        refuse(engine, {"offset": 2, "alike": "a"})
        measures = measures_of(load_policy(), CutOff("2026-10", now.date(), 0))
        assert write_group_ranks(connection, [rank_group(found, measures)], system_clock()) == 1
    assert refused_unranked(engine, system_clock()), "what was ranked is what was there before"


@pytest.fixture
def many(engine: Engine) -> Engine:
    """Messages of forty kinds, with ages, people and topics that divide them in different ways; all ranked."""
    chance = random.Random(_SEED)
    refuse(engine, *(
        {
            "topic": f"t{kind % 3}", "offset": offset, "code": f"C{kind % 2}", "owner": f"O{kind % 4}",
            "alike": str(kind), "row_key": f"A{chance.randint(0, 3)}", "system": "crm", "type": "account",
            "first_seen": NOON - timedelta(hours=chance.randint(0, 200)), "last_seen": NOON,
            "assignee": chance.choice([None, None, "ada", "bob"]),
        }
        for offset, kind in enumerate(chance.choices(range(40), range(1, 41), k=300))
    ))  # fmt: skip
    rank_refused(engine, NOON)
    return engine


def pages(engine: Engine, order: GroupOrder, **meant: Any) -> Iterator[dict[str, Any]]:
    after = None
    with engine.connect() as connection:
        while page := dead_letter_groups(connection, Selection(**meant), limit=7, order=order, after=after):
            yield from page
            after = page[-1]["place"], page[-1]["newest_id"]


_MEANT: list[dict[str, Any]] = [
    {}, {"assignee": "ada"}, {"assignee": "nobody"}, {"taken": True}, {"taken": False}, {"code": "C1"},
    {"topic": "t2", "owner": "O1"}, {"assignee": "bob", "taken": True, "code": "C0"},
    {"assignee": "bob", "taken": False}, {"assignee": ""},
]  # fmt: skip


@pytest.mark.parametrize("order", list(GroupOrder))
def test_pages_of_groups_say_what_reading_the_messages_says(many: Engine, order: GroupOrder) -> None:
    for meant in _MEANT:
        assert list(pages(many, order, **meant)) == list(pages(many, order, **meant, **_BY_READING)), meant


def test_groups_as_a_whole_are_counted_by_their_age(many: Engine) -> None:
    with many.connect() as connection:
        whole, few = open_letters(connection, NOON, 1000), open_letters(connection, NOON, 2)

    assert (whole.letters, whole.groups) == (300, len(list(pages(many, GroupOrder.AGE))))
    assert (few.groups, few.older <= 2) == (sum(min(2, each) for each in ages(whole)), True)
    assert all(ages(whole)[1:]), "no group is of one of these ages"


def ages(whole: OpenLetters) -> tuple[int, ...]:
    return whole.today, whole.three, whole.week, whole.older


@pytest.mark.parametrize(
    ("order", "meant"),
    list(zip(GroupOrder, ({}, {"taken": False}, {"assignee": "ada"}, {}), strict=True)),
    ids=[str(each) for each in GroupOrder],
)
def test_a_page_walks_an_index_and_sorts_nothing_else(engine: Engine, order: GroupOrder, meant: dict[str, Any]) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into dead_letter_group (likeness, share, person, topic, code, owner, letters, first_seen,
                       last_seen, newest_id, rank, times_much)
                   select md5(n::text), s.share, s.person, 't', 'C', 'O', n, :noon, :noon, n, n, n
                   from generate_series(1, 5000) n,
                     (values ('all', ''), ('free', ''), ('of', 'ada')) s(share, person)"""
            ),
            {"noon": NOON},
        )
        connection.execute(
            text(
                """insert into dead_letter_rank (likeness, rank, parts, times_much, amounts, rows, known, ranked_at)
                   select md5(n::text), n, '[]', n, '{}', 1, 1, :noon from generate_series(1, 5000) n"""
            ),
            {"noon": NOON},
        )
        connection.execute(text("analyze dead_letter_group, dead_letter_rank"))
        asked: list[tuple[str, Any]] = []
        event.listen(connection, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
        dead_letter_groups(connection, Selection(**meant), limit=51, order=order, after=(4000.0, 4000))
        statement, parameters = asked[0]
        plan = connection.exec_driver_sql(f"explain (analyze, format json) {statement}", parameters).scalar_one()

    (walk,) = (each for each in nodes(plan[0]["Plan"]) if each["Alias"] == "g" and "Relation Name" in each)
    assert walk["Node Type"] in {"Index Scan", "Index Only Scan"}
    assert walk["Actual Rows"] <= 51
    assert [each for each in nodes(plan[0]["Plan"]) if each["Node Type"] == "Sort" and each["Actual Rows"] > 51] == []


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"Alias": None} | plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ([], [], []),
        ([], [(None, 2)], [("all", "", 2), ("free", "", 2)]),
        ([("ada", 2)], [("ada", 2)], [("all", "", 0), ("of", "ada", 0), ("taken", "", 0)]),
        ([(None, 3)], [("ada", 3)],
         [("all", "", 0), ("free", "", -3), ("of", "ada", 3), ("taken", "", 3)]),
        ([("ada", 1), ("bob", 1)], [("bob", 2)],
         [("all", "", 0), ("of", "ada", -1), ("of", "bob", 1), ("taken", "", 0)]),
        ([("ada", 1)], [], [("all", "", -1), ("of", "ada", -1), ("taken", "", -1)]),
    ],
)  # fmt: skip
def test_what_changes_is_told_for_every_part_of_a_kind(
    before: list[tuple[str | None, int]], after: list[tuple[str | None, int]], expected: list[tuple[str, str, int]]
) -> None:
    was, now = ([Open("k", who, number, NOON) for who, number in each] for each in (before, after))

    assert [(each.share, each.person, each.letters) for each in changes(was, now)] == expected
