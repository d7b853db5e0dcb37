"""Every decision can be taken back: records, links, values and ids are as before, and history has grown."""

import os
from collections.abc import Collection
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from mdm.errors import Conflict, NotFound
from mdm.hub import steward
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.stewardship import Command, JudgePair, JudgeTask, Merge, Split, Undo, Verdict
from mdm.store.reading import snapshot
from tests.integration.hub.steward.alone import decide, undo_last
from tests.integration.hub.steward.comparing import assert_preview_comes_true
from tests.integration.hub.steward.conftest import ANNA, BEN, World

#: The same few sequences every time; with more by MDM_UNDO_EXAMPLES, others each time.
_EXAMPLES = int(os.environ.get("MDM_UNDO_EXAMPLES", "6"))


def picture(world: World, ids: Collection[str] | None = None) -> dict[str, Any]:
    """Everything that an undone decision must leave as it was; golden versions, history and issued ids may grow."""
    fates = world.fates()
    return {
        "digest": world.digest(),
        "memberships": world.memberships(),
        "fates": {each: fates[each] for each in (fates if ids is None else ids)},
        "tasks": world.open_tasks(),
        "judgements": sorted(
            world.rows("select a, b, verdict, author, reason from judgement where superseded_at is null")
        ),
        "overrides": sorted(
            world.rows("select attribute, value::text, author, reason from golden_override where ended_at is null")
        ),
    }  # fmt: skip


def commands(world: World) -> list[Command]:
    task_id, a, b = world.some_task(number=1)
    large = EntityId(world.large_entity())
    members = tuple(sorted(world.members(large)))
    return [
        JudgeTask(task_id, Verdict.SAME),
        JudgeTask(task_id, Verdict.NOT_SAME),
        JudgeTask(task_id, Verdict.UNSURE),
        JudgePair(members[0], members[-1], Verdict.NOT_SAME),
        Merge((EntityId(world.home(a)), EntityId(world.home(b)), large)),
        Split(large, members[:2]),
        Split(large, members[-1:], tree=True),
    ]


@pytest.mark.parametrize("number", range(7))
def test_undoing_a_decision_restores_records_links_values_and_ids(world: World, number: int) -> None:
    before, audit = picture(world), world.one("select count(*) from audit")

    decided = decide(world.pipeline, ANNA, commands(world)[number])
    undone = undo_last(world.pipeline, ANNA, "a slip of the key")

    assert picture(world, before["fates"]) == before
    assert world.one("select undone_by from decision where decision_id = :id", id=decided.decision_id) == (
        undone.decision_id
    )
    assert world.one("select count(*) from audit") == audit + 2
    world.assert_verified()


def test_an_undone_answer_opens_the_very_task_again(world: World) -> None:
    task_id, *_ = world.some_task()
    steward.comment(world.pipeline, ANNA, f"task:{task_id}", "looks like a branch")
    decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.NOT_SAME))

    undo_last(world.pipeline, ANNA)
    decide(world.pipeline, BEN, JudgeTask(task_id, Verdict.SAME))

    with snapshot(world.pipeline.engine) as work:
        assert [each.text for each in steward.comments(work, f"task:{task_id}")] == ["looks like a branch"]


def test_undoing_the_undoing_is_doing_it_again(world: World) -> None:
    task_id, a, b = world.some_task()
    decided = decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.SAME))
    after = picture(world)

    undone = decide(world.pipeline, BEN, Undo(decided.decision_id))
    decide(world.pipeline, ANNA, Undo(undone.decision_id))

    assert picture(world, after["fates"]) == after
    assert world.home(a) == world.home(b)


def test_merge_then_split_restores_records_values_and_ids(world: World) -> None:
    _, a, b = world.some_task()
    before = (world.memberships(), world.digest())
    kept, other = world.home(a), world.home(b)
    if world.one("select founded_at from entity where entity_id = :id", id=kept) > world.one(
        "select founded_at from entity where entity_id = :id", id=other
    ):
        kept, other = other, kept
    leaving = tuple(world.members(other))

    decide(world.pipeline, ANNA, Merge((EntityId(kept), EntityId(other))))
    survivor = world.home(a)
    decide(world.pipeline, ANNA, Split(EntityId(survivor), leaving))

    assert (world.memberships(), world.digest()) == before


def test_a_decision_on_which_another_builds_is_undone_after_it(world: World) -> None:
    a, b = sorted(world.members(world.large_entity()))[:2]
    first = decide(world.pipeline, ANNA, JudgePair(a, b, Verdict.NOT_SAME))
    second = decide(world.pipeline, BEN, JudgePair(a, b, Verdict.SAME))

    with pytest.raises(Conflict, match=str(second.decision_id)):
        decide(world.pipeline, ANNA, Undo(first.decision_id))
    decide(world.pipeline, BEN, Undo(second.decision_id))
    decide(world.pipeline, ANNA, Undo(first.decision_id))

    with pytest.raises(Conflict, match="undone already"):
        decide(world.pipeline, ANNA, Undo(first.decision_id))
    with pytest.raises(NotFound):
        undo_last(world.pipeline, ANNA)
    with pytest.raises(NotFound):
        decide(world.pipeline, ANNA, Undo(10**9))


def test_any_sequence_of_decisions_taken_back_one_by_one_leaves_the_hub_as_it_was(world: World) -> None:
    class Stewards(RuleBasedStateMachine):
        """Stewards decide at random and take back at random; in the end they take back everything."""

        def __init__(self) -> None:
            super().__init__()
            self.pictures: list[dict[str, Any]] = []

        def attempt(self, command: Command) -> None:
            before = picture(world)
            try:
                decide(world.pipeline, ANNA, command)
            except Conflict:
                assert picture(world) == before
            else:
                self.pictures.append(before)

        @rule(pick=st.integers(0, 10**6), verdict=st.sampled_from(Verdict))
        def judge(self, pick: int, verdict: Verdict) -> None:
            pair = self.two_records(pick)
            self.attempt(JudgePair(*pair, verdict))

        @rule(pick=st.integers(0, 10**6), supersede=st.booleans())
        def merge(self, pick: int, supersede: bool) -> None:
            first, second = (world.home(each) for each in self.two_records(pick))
            if first != second:
                self.attempt(Merge((EntityId(first), EntityId(second)), supersede=supersede))

        @rule(pick=st.integers(0, 10**6))
        def split(self, pick: int) -> None:
            a, b = self.two_records(pick)
            if world.home(a) == world.home(b):
                self.attempt(Split(EntityId(world.home(a)), (b,)))

        @precondition(lambda self: self.pictures)
        @rule()
        def take_back(self) -> None:
            undo_last(world.pipeline, ANNA)
            before = self.pictures.pop()
            assert picture(world, before["fates"]) == before

        def two_records(self, pick: int) -> tuple[CrosswalkKey, CrosswalkKey]:
            first = pool[pick % len(pool)]
            rest = [each for each in pool if each != first]
            return first, rest[pick // len(pool) % len(rest)]

        def teardown(self) -> None:
            while self.pictures:
                self.take_back()

    _, a, b = world.some_task()
    pool = sorted(world.members(world.large_entity()) | world.members(world.home(a)) | world.members(world.home(b)))
    Stewards.TestCase.settings = settings(
        max_examples=_EXAMPLES,
        stateful_step_count=6,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize="MDM_UNDO_EXAMPLES" not in os.environ,
        database=None,
    )
    Stewards.TestCase("runTest").runTest()
    world.assert_verified()


def test_the_preview_of_an_undo_comes_true(world: World) -> None:
    task_id, *_ = world.some_task()
    decided = decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.SAME))

    assert_preview_comes_true(world, Undo(decided.decision_id))
