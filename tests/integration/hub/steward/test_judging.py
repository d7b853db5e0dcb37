"""Verdicts, merges and splits: they say exactly what they say, hold, and are told beforehand as they come true."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mdm.access import FORMER_STEWARD, Role
from mdm.core.four_eyes import Demand, Policy
from mdm.errors import Conflict, Invalid, NotFound, Refused, Stale
from mdm.hub import steward
from mdm.hub.explain import explain_two
from mdm.hub.explain_entity import explain_entity
from mdm.hub.process import process
from mdm.hub.steward import Actor, CommandKey, Expected, approve, preview, task_tokens
from mdm.model.events import Place
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.stewardship import Command, JudgePair, JudgeTask, Merge, Pick, Split, Undo, Verdict
from mdm.store.reading import snapshot
from mdm.store.unit_of_work import unit_of_work
from tests.integration.hub.conftest import world_messages
from tests.integration.hub.steward.alone import decide
from tests.integration.hub.steward.comparing import assert_preview_comes_true
from tests.integration.hub.steward.conftest import ANNA, BEN, World


def token(world: World, task_id: int) -> str:
    with snapshot(world.pipeline.engine) as work:
        return task_tokens(work, [task_id])[task_id]


def test_same_joins_the_two_entities_and_answers_the_task(world: World) -> None:
    task_id, a, b = world.some_task()
    expected = world.members(world.home(a)) | world.members(world.home(b))

    decided = decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.SAME, "same VAT on the invoice"))

    assert world.home(a) == world.home(b)
    assert world.members(world.home(a)) == expected
    assert world.one("select status from steward_task where task_id = :id", id=task_id) == "resolved"
    assert decided.effect["moves"]
    world.assert_verified()


def losing_name(world: World) -> tuple[int, CrosswalkKey, str]:
    """A question, and the one of its two records whose name a merge would not keep, with that name."""
    for number in range(8):
        task_id, a, b = world.some_task(number=number)
        kept = {
            each.after.get("name")
            for each in preview(world.pipeline, ANNA, JudgeTask(task_id, Verdict.SAME)).effect.entities
        }
        for key in (a, b):
            name = world.one(
                "select attributes->>'name' from source_record where system = :system and type = :type and key = :key",
                **key._asdict(),
            )
            if name and name not in kept:
                return task_id, key, name
    raise AssertionError("no question of the sample world is about two names")


def test_values_picked_with_a_merge_are_previewed_kept_and_taken_back_with_it(world: World) -> None:
    task_id, key, name = losing_name(world)
    before, fates = world.digest(), world.fates()
    command = JudgeTask(task_id, Verdict.SAME, "the register says so", picks=(Pick("name", key),))

    assert_preview_comes_true(world, command, keep=False)
    decided = decide(world.pipeline, ANNA, command)

    assert world.values(world.home(key))["name"] == name
    assert world.rows("select attribute, reason from golden_override where ended_by is null") == [
        ("name", "the register says so")
    ]
    world.assert_verified()
    decide(world.pipeline, ANNA, Undo(decided.decision_id or 0))
    assert (world.digest(), world.fates()) == (before, fates)
    world.assert_verified()


def test_values_picked_with_a_merge_wait_for_the_second_person_with_it(world: World) -> None:
    task_id, key, name = losing_name(world)
    everybody = Policy("all merges", 14, (Demand("merges", "A merge.", frozenset({FORMER_STEWARD}), merges=True),))
    command = JudgeTask(task_id, Verdict.SAME, picks=(Pick("name", key),))

    proposed = steward.decide(world.pipeline, ANNA, command, policy=everybody)
    assert not proposed.done
    approve(world.pipeline, BEN, proposed.proposal_id or 0, policy=everybody)

    assert world.values(world.home(key))["name"] == name
    world.assert_verified()


def test_a_pick_that_makes_no_sense_lets_nothing_happen(world: World) -> None:
    task_id, a, b = world.some_task()
    stranger = next(
        iter(world.members(world.large_entity()) - world.members(world.home(a)) - world.members(world.home(b)))
    )
    for verdict, picks, error in (
        (Verdict.NOT_SAME, (Pick("name", a),), Invalid),
        (Verdict.SAME, (Pick("colour", a),), Invalid),
        (Verdict.SAME, (Pick("name", a), Pick("name", b)), Invalid),
        (Verdict.SAME, (Pick("name", stranger),), NotFound),
    ):
        with pytest.raises(error):
            decide(world.pipeline, ANNA, JudgeTask(task_id, verdict, picks=picks))
    assert world.one("select count(*) from decision") == 0


def test_not_the_same_closes_every_question_about_the_two_entities(world: World) -> None:
    task_id, a, b = world.some_task()
    before = world.digest()

    decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.NOT_SAME))

    assert world.home(a) != world.home(b)
    assert world.digest() == before
    assert not world.rows(
        """select 1 from steward_task t join crosswalk x on x.rec_id = t.a join crosswalk y on y.rec_id = t.b
           where t.status = 'open' and array[x.entity_id, y.entity_id] @> array[:a, :b]""",
        a=world.home(a),
        b=world.home(b),
    )
    world.assert_verified()


def test_unsure_leaves_the_question_open_and_is_remembered(world: World) -> None:
    task_id, *_ = world.some_task()

    decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.UNSURE, "waiting for the register"))

    assert world.one("select status from steward_task where task_id = :id", id=task_id) == "open"
    assert world.one("select verdict from judgement where superseded_at is null") == "unsure"


def test_not_the_same_parts_a_matched_pair_and_holds_when_the_records_come_again(world: World) -> None:
    a, b = sorted(world.members(world.large_entity()))[:2]

    decide(world.pipeline, ANNA, JudgePair(a, b, Verdict.NOT_SAME))
    again = [
        replace(message, place=Place(message.place.topic, 7, number))
        for number, message in enumerate(world_messages())
        if message.place.topic.startswith((f"{a.system}.", f"{b.system}."))
    ]
    process(world.pipeline, "test", again)

    assert world.home(a) != world.home(b)
    world.assert_verified()


def test_a_verdict_outranks_any_weight_and_keeps_both_groups_whole(world: World) -> None:
    first, second = (world.large_entity(), world.large_entity("customer", 2))
    others = [
        row[0]
        for row in world.rows(
            "select entity_id from crosswalk join source_record using (rec_id) where domain = 'customer' "
            "group by entity_id having count(*) >= 3 and entity_id <> :id order by min(key) limit 1",
            id=first,
        )
    ]
    second = others[0]
    expected = world.members(first) | world.members(second)
    a, b = min(world.members(first)), max(world.members(second))

    decide(world.pipeline, ANNA, JudgePair(a, b, Verdict.SAME, "the register says so"))

    assert world.members(world.home(a)) == expected
    world.assert_verified()


@pytest.mark.parametrize("number", range(3))
def test_a_preview_comes_true(world: World, number: int) -> None:
    task_id, *_ = world.some_task(number=number)
    for verdict in (Verdict.SAME, Verdict.NOT_SAME, Verdict.UNSURE):
        assert_preview_comes_true(world, JudgeTask(task_id, verdict), keep=False)


def test_the_preview_of_a_split_and_a_merge_comes_true(world: World) -> None:
    entity_id = EntityId(world.large_entity())
    leaving = tuple(sorted(world.members(entity_id))[:2])
    _, a, b = world.some_task()

    assert_preview_comes_true(world, Split(entity_id, leaving))
    assert_preview_comes_true(world, Merge((EntityId(world.home(a)), EntityId(world.home(b)))))
    world.assert_verified()


def test_a_preview_changes_nothing(world: World) -> None:
    before = (world.digest(), world.fates(), world.one("select count(*) from audit"), world.open_tasks())
    task_id, *_ = world.some_task()

    shown = preview(world.pipeline, ANNA, JudgeTask(task_id, Verdict.SAME))

    assert {each.fate for each in shown.effect.entities} >= {"merged", "changed"}
    assert before == (world.digest(), world.fates(), world.one("select count(*) from audit"), world.open_tasks())


def test_a_split_parts_exactly_the_chosen_records(world: World) -> None:
    entity_id = EntityId(world.large_entity())
    members = world.members(entity_id)
    leaving = tuple(sorted(members)[-2:])

    decide(world.pipeline, ANNA, Split(entity_id, leaving, reason="two companies"))

    assert world.members(world.home(leaving[0])) == set(leaving)
    assert world.members(world.home(next(iter(members - set(leaving))))) == members - set(leaving)
    world.assert_verified()


def test_a_tree_split_takes_along_what_hangs_on_the_record_only(world: World) -> None:
    entity_id = EntityId(world.large_entity())
    founder = world.one(
        "select r.key from entity e join source_record r on r.rec_id = e.founder where entity_id = :id", id=entity_id
    )
    leaving = next(each for each in sorted(world.members(entity_id)) if each.key != founder)

    decide(world.pipeline, ANNA, Split(entity_id, (leaving,), tree=True))

    assert leaving in world.members(world.home(leaving))
    assert world.home(leaving) != entity_id
    world.assert_verified()


def test_a_merge_says_which_verdicts_stand_against_it_and_ends_them_when_told_to(world: World) -> None:
    task_id, a, b = world.some_task()
    decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.NOT_SAME, "different owners"))
    merge = Merge((EntityId(world.home(a)), EntityId(world.home(b))))

    with pytest.raises(Conflict, match="different owners"):
        decide(world.pipeline, BEN, merge)
    decide(world.pipeline, BEN, replace(merge, supersede=True))

    assert world.home(a) == world.home(b)
    world.assert_verified()


def test_two_stewards_on_one_task_the_second_is_told_who_was_faster(world: World) -> None:
    task_id, *_ = world.some_task()
    decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.NOT_SAME))

    with pytest.raises(Conflict) as told:
        decide(world.pipeline, BEN, JudgeTask(task_id, Verdict.SAME))

    assert "anna" in told.value.advice
    assert world.one("select count(*) from decision") == 1


def test_a_decision_on_an_old_picture_is_refused(world: World) -> None:
    task_id, a, _ = world.some_task()
    seen = Expected.task(token(world, task_id))
    decide(world.pipeline, BEN, Split(EntityId(world.large_entity()), (min(world.members(world.large_entity())),)))
    assert {token(world, task_id)} == seen.tasks  # another entity's business

    version = world.one("select version from golden where known_to is null and entity_id = :id", id=world.home(a))
    with pytest.raises(Stale):
        decide(
            world.pipeline,
            ANNA,
            JudgeTask(task_id, Verdict.SAME),
            Expected.version(EntityId(world.home(a)), version + 1),
        )
    with pytest.raises(Stale):
        decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.SAME), Expected.task("0" * 16))
    assert decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.SAME), seen).decision_id


def test_the_same_key_twice_has_one_effect_and_one_answer(world: World) -> None:
    task_id, *_ = world.some_task()
    command, key = JudgeTask(task_id, Verdict.SAME), CommandKey("5b1c")

    first = decide(world.pipeline, ANNA, command, key=key)
    second = decide(world.pipeline, ANNA, command, key=key)

    assert second.repeated
    assert (second.decision_id, second.effect) == (first.decision_id, first.effect)
    assert world.one("select count(*) from decision") == 1
    with pytest.raises(Invalid, match="another command"):
        decide(world.pipeline, ANNA, JudgeTask(task_id, Verdict.NOT_SAME), key=key)


def nonsense(world: World) -> list[tuple[Command, type[Exception]]]:
    entity_id = EntityId(world.large_entity())
    members = tuple(sorted(world.members(entity_id)))
    contract = min(world.members(world.large_entity("contract", 1)))
    past = datetime(2020, 1, 1, tzinfo=UTC)
    future = datetime.now(UTC) + timedelta(days=9)
    return [
        (JudgeTask(10**9, Verdict.SAME), NotFound),
        (JudgePair(members[0], members[0], Verdict.SAME), Invalid),
        (JudgePair(members[0], contract, Verdict.SAME), Invalid),
        (JudgePair(members[0], members[1]._replace(key="nothing"), Verdict.SAME), NotFound),
        (JudgePair(members[0], members[1], Verdict.NOT_SAME, until=past), Invalid),
        (JudgePair(members[0], members[1], Verdict.SAME, until=future), Invalid),
        (JudgePair(members[0], members[1], Verdict.SAME, reason="x" * 5000), Invalid),
        (Merge((entity_id,)), Invalid),
        (Merge((entity_id, EntityId("cus_nothing"))), NotFound),
        (Split(entity_id, members), Invalid),
        (Split(entity_id, ()), Invalid),
        (Split(entity_id, (contract,)), NotFound),
    ]


def test_nonsense_is_refused_with_a_sentence(world: World) -> None:
    for command, error in nonsense(world):
        with pytest.raises(error) as told:
            decide(world.pipeline, ANNA, command)
        assert str(told.value)
    assert world.one("select count(*) from decision") == 0


def test_only_stewards_decide(world: World) -> None:
    task_id, *_ = world.some_task()
    with pytest.raises(Refused):
        decide(world.pipeline, Actor("erp", Role.ERP), JudgeTask(task_id, Verdict.SAME))


def test_previews_hold_nobody_up_and_are_held_up_by_nobody_who_is_elsewhere(world: World) -> None:
    first, _, _ = world.some_task()
    with unit_of_work(world.pipeline.engine, world.pipeline.clock, "test", alone=False) as ingest:
        ingest.publication()  # an ingest is at work, and even has its turn to publish

        shown = preview(world.pipeline, ANNA, JudgeTask(first, Verdict.SAME))

        assert any(each.fate == "merged" for each in shown.effect.entities)
    before = world.one("select max(publication) from batch")
    preview(world.pipeline, ANNA, JudgeTask(first, Verdict.SAME))
    assert world.one("select max(publication) from batch") == before


def test_previews_beside_each_other_show_what_each_would_show_alone(world: World) -> None:
    tasks = [world.some_task(number=number)[0] for number in range(4)]
    alone = [preview(world.pipeline, ANNA, JudgeTask(task, Verdict.SAME)).digest for task in tasks]
    before = world.digest()

    with ThreadPoolExecutor(4) as people:
        looked = [
            people.submit(preview, world.pipeline, who, JudgeTask(task, Verdict.SAME))
            for _ in range(3)
            for task in tasks
            for who in (ANNA, BEN)
        ]
        beside = [each.result().digest for each in looked]

    assert beside == [digest for _ in range(3) for digest in alone for _ in range(2)]
    assert world.digest() == before


def test_a_merged_golden_record_is_explained_as_the_one_that_it_is_now(world: World) -> None:
    _, a, b = world.some_task()
    one, other = EntityId(world.home(a)), EntityId(world.home(b))
    decide(world.pipeline, ANNA, Merge((one, other)))
    (absorbed,) = {one, other} - {world.home(a)}

    found = explain_entity(world.pipeline.engine, world.pipeline.rules, absorbed)

    assert found.entity_id == world.home(a)
    assert [step.by for step in found.steps].count("steward") == 1
    (word,) = (step for step in found.steps if step.by == "steward")
    pair = explain_two(world.pipeline.engine, world.pipeline.rules, word.a, word.b)
    assert (pair.judgement, pair.decision, pair.score) == ("same", word.decision, word.score)
    with pytest.raises(NotFound, match="ever called"):
        explain_entity(world.pipeline.engine, world.pipeline.rules, "cus_nobody")
