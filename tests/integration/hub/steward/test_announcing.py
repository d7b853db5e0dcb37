"""What a steward decides is announced for the entities it is about, even where no golden record changes; only that."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mdm.access import FORMER_STEWARD
from mdm.core.four_eyes import Demand, Policy
from mdm.errors import Conflict
from mdm.hub import steward
from mdm.hub.steward import NO_POLICY, approve, expire_due, preview
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.stewardship import Command, JudgePair, JudgeTask, Merge, Pin, Split, Undo, Verdict
from tests.integration.hub.steward.alone import decide
from tests.integration.hub.steward.conftest import ANNA, BEN, World

WORD = "Anna Snargle rang me up"


class Told:
    """Announcements since the last look, in order: entity, what, payload."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._seen = 0
        self.new()

    def new(self) -> list[tuple[str, str, dict[str, Any]]]:
        rows = self._world.rows(
            "select seq, aggregateid, type, payload from outbox where seq > :seq order by seq", seq=self._seen
        )
        self._seen = max([self._seen, *(row[0] for row in rows)])
        return [(row[1], row[2].split(".")[1], row[3]) for row in rows]


def strangers(world: World) -> tuple[CrosswalkKey, CrosswalkKey]:
    """Two customers that nobody has asked about."""
    first, second = (
        CrosswalkKey(*row)
        for row in world.rows(
            """select min(system), min(type), min(key) from crosswalk join source_record using (rec_id)
               where domain = 'customer' group by entity_id having count(*) = 1 order by min(key) limit 2"""
        )
    )
    return first, second


def version(world: World, entity_id: str) -> int | None:
    """Of the golden record now; None when its id has ended."""
    rows = world.rows("select version from golden where entity_id = :id and known_to is null", id=entity_id)
    return rows[0][0] if rows else None


def test_a_not_the_same_that_changes_nothing_is_announced_for_both_without_a_name(world: World) -> None:
    a, b = strangers(world)
    told, digest = Told(world), world.digest()

    decided = decide(world.pipeline, ANNA, JudgePair(a, b, Verdict.NOT_SAME, WORD))

    announced = told.new()
    assert world.digest() == digest
    assert [(entity, what) for entity, what, _ in announced] == [
        (entity, "decided") for entity in sorted((world.home(a), world.home(b)))
    ]
    at = world.rows("select at from decision where decision_id = :id", id=decided.decision_id)[0][0]
    for entity, _, payload in announced:
        assert payload == {
            "entity_id": entity, "version": version(world, entity), "domain": "customer",
            "decision": decided.decision_id, "kind": "not_same", "verdict": "not_same",
            "actor": "steward", "agreed": False, "at": at.isoformat(), "undoes": None,
        }  # fmt: skip


def test_an_unsure_is_announced_and_its_undoing_names_it(world: World) -> None:
    a, b = strangers(world)
    decided = decide(world.pipeline, ANNA, JudgePair(a, b, Verdict.UNSURE))
    told = Told(world)

    undone = decide(world.pipeline, BEN, Undo(decided.decision_id or 0, WORD))

    announced = told.new()
    assert {entity for entity, _, _ in announced} == {world.home(a), world.home(b)}
    assert [(what, each["decision"], each["kind"], each["verdict"], each["undoes"]) for _, what, each in announced] == [
        ("decided", undone.decision_id, "undo", None, decided.decision_id)
    ] * 2
    kinds = world.rows(
        """select payload->>'kind' from outbox where (payload->>'decision')::bigint = :id and type like '%.decided'""",
        id=decided.decision_id,
    )
    assert kinds == [("unsure",)] * 2


def test_a_merge_a_split_and_a_pin_are_announced_after_what_they_did_for_every_entity(world: World) -> None:
    _, a, b = world.some_task()
    one, other = EntityId(world.home(a)), EntityId(world.home(b))
    leaving = tuple(world.members(other))
    told = Told(world)

    decide(world.pipeline, ANNA, Merge((one, other), reason=WORD))
    merged = told.new()
    survivor = world.home(a)
    assert {entity: each["version"] for entity, what, each in merged if what == "decided"} == {
        entity: version(world, entity) if entity == survivor else None for entity in (one, other)
    }
    decide(world.pipeline, ANNA, Split(EntityId(world.home(a)), leaving))
    parted = told.new()
    decide(world.pipeline, ANNA, Pin(EntityId(world.home(a)), "name", "Snargleworks", reason=WORD))
    pinned = told.new()

    for announced, verdict, entities in (
        (merged, "same", {one, other}),
        (parted, "not_same", {one, other}),
        (pinned, None, {world.home(a)}),
    ):
        decided = [(entity, each["verdict"]) for entity, what, each in announced if what == "decided"]
        assert decided == [(entity, verdict) for entity in sorted(entities)]
        kinds = [what for _, what, _ in announced]
        assert set(kinds[: -len(entities)]) & {"changed", "created"}, "golden records come first"
        assert set(kinds[-len(entities) :]) == {"decided"}
    told_to_all = [payload for _, what, payload in (*merged, *parted, *pinned) if what == "decided"]
    assert WORD not in str(told_to_all)
    assert "Snargleworks" not in str(told_to_all)


def commands(world: World) -> list[Command]:
    task_id, a, b = world.some_task()
    large = EntityId(world.large_entity())
    return [
        JudgeTask(task_id, Verdict.UNSURE),
        JudgePair(a, b, Verdict.NOT_SAME),
        Merge((EntityId(world.home(a)), large)),
        Split(large, (min(world.members(large)),)),
    ]


def test_previews_tell_how_many_will_be_announced_and_announce_nothing(world: World) -> None:
    told = Told(world)

    foreseen = [
        preview(world.pipeline, ANNA, each, policy=NO_POLICY).effect.announcements["customer.decided"]
        for each in commands(world)
    ]

    assert told.new() == []
    assert foreseen == [2, 2, 2, 2]


def test_a_command_that_is_rolled_back_announces_nothing(world: World) -> None:
    a, b = sorted(world.members(world.large_entity()))[:2]
    first = decide(world.pipeline, ANNA, JudgePair(a, b, Verdict.NOT_SAME))
    decide(world.pipeline, BEN, JudgePair(a, b, Verdict.SAME))
    told = Told(world)

    with pytest.raises(Conflict):
        decide(world.pipeline, ANNA, Undo(first.decision_id or 0))

    assert told.new() == []


def test_a_proposal_is_announced_when_it_takes_effect_and_not_before(world: World) -> None:
    _, a, b = world.some_task()
    everybody = Policy("all merges", 14, (Demand("merges", "A merge.", frozenset({FORMER_STEWARD}), merges=True),))
    one, other = EntityId(world.home(a)), EntityId(world.home(b))
    told = Told(world)

    proposed = steward.decide(world.pipeline, ANNA, Merge((one, other)), policy=everybody)

    assert not proposed.done
    assert told.new() == []
    approve(world.pipeline, BEN, proposed.proposal_id or 0, policy=everybody)
    decided = [(entity, each["agreed"]) for entity, what, each in told.new() if what == "decided"]
    assert decided == [(entity, True) for entity in sorted((one, other))]


def test_a_verdict_that_comes_to_its_end_is_announced_as_the_hubs(world: World) -> None:
    a, b = strangers(world)
    soon = datetime.now(UTC) + timedelta(days=1)
    decide(world.pipeline, ANNA, JudgePair(a, b, Verdict.NOT_SAME, until=soon))
    told = Told(world)

    expire_due(steward.Desk(world.pipeline.engine, lambda: soon + timedelta(days=1), world.pipeline.rules))

    said = [(what, each["kind"], each["actor"], each["verdict"]) for _, what, each in told.new()]
    assert said == [("decided", "expire", "hub", None)] * 2
