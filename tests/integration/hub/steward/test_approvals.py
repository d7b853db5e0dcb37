"""Four eyes: who proposes does not approve, what was seen is what happens, and what waits too long ends."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mdm.access import Role
from mdm.clock import Clock
from mdm.core.four_eyes import Policy
from mdm.errors import ConfigurationInvalid, Conflict, Invalid, NotFound, Refused, Stale
from mdm.hub import steward
from mdm.hub.steward import NO_POLICY, Actor, CommandKey, Desk, load_policy
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.stewardship import Command, JudgePair, Merge, Pin, Split, Undo, Verdict
from mdm.store.reading import snapshot
from tests.integration.hub.steward.alone import decide
from tests.integration.hub.steward.conftest import ANNA, BEN, World

ADA = Actor("ada", Role.ADMIN)
CARL = Actor("carl", Role.SENIOR_STEWARD)


def at(world: World, moment: datetime) -> Desk:
    clock: Clock = lambda: moment  # noqa: E731
    return Desk(world.pipeline.engine, clock, world.pipeline.rules)


@pytest.fixture
def pin(world: World) -> Pin:
    return Pin(EntityId(world.large_entity()), "payment_terms", "NT90", reason="agreed with the customer")


def propose(world: World, command: Command) -> int:
    decided = steward.decide(world.pipeline, ANNA, command)
    assert not decided.done
    assert decided.proposal_id is not None
    return decided.proposal_id


def told(world: World, actor: Actor, number: int, policy: Policy | None = None) -> str:
    """What pages say keeps somebody from answering a proposal, before they try; empty when nothing does."""
    with snapshot(world.pipeline.engine) as work:
        found = steward.against_answering(work, actor, [steward.find_proposal(work, number)], policy)
    return found[number].message if number in found else ""


def test_a_sensitive_attribute_waits_for_another_person(world: World, pin: Pin) -> None:
    before = (world.digest(), world.one("select count(*) from outbox"))

    number = propose(world, pin)

    assert (world.digest(), world.one("select count(*) from outbox")) == before, "nobody outside sees a proposal"
    assert world.one("select count(*) from decision") == 0
    with pytest.raises(Refused, match="themselves"):
        steward.approve(world.pipeline, ANNA, number)
    decided = steward.approve(world.pipeline, BEN, number, "checked with sales")

    assert decided.done
    assert world.values(pin.entity_id)["payment_terms"] == "NT90"
    assert world.rows("select actor, approved_by, proposal_id from decision") == [("anna", "ben", number)]
    with pytest.raises(Conflict, match="approved"):
        steward.approve(world.pipeline, CARL, number)
    world.assert_verified()


def test_what_is_at_stake_is_what_the_policy_and_the_money_say(world: World, pin: Pin) -> None:
    owed = steward.preview(world.pipeline, ANNA, pin).effect.exposure.contract_value
    propose(world, pin)

    with snapshot(world.pipeline.engine) as work:
        (kept,) = steward.list_proposals(work, "open", None, None, 9, steward.ProposalOrder.RISK)
    assert kept.risk.word == "high", "payment terms changed by hand are a way to commit fraud"
    assert owed
    assert kept.stake == pytest.approx(max(float(each) / 250_000 for each in owed.values()), abs=0.01)


def test_what_two_agreed_on_is_not_ended_by_one_of_them_whatever_the_command(world: World) -> None:
    first, second = (
        EntityId(row[0])
        for row in world.rows(
            """select entity_id from crosswalk join source_record using (rec_id)
               where system = 'erp' and domain = 'customer' group by entity_id order by min(key) limit 2"""
        )
    )
    before = world.digest()
    merged = steward.approve(world.pipeline, BEN, propose(world, Merge((first, second), reason="same company")))
    a, b = world.rows(
        """select r.system, r.type, r.key from judgement j join source_record r on r.rec_id in (j.a, j.b)
           where j.verdict = 'same' order by r.rec_id"""
    )
    together = world.digest()
    undo = Undo(merged.decision_id or 0)
    apart = JudgePair(CrosswalkKey(*a), CrosswalkKey(*b), Verdict.NOT_SAME)
    split = Split(EntityId(world.home(CrosswalkKey(*a))), (CrosswalkKey(*a),))

    for command in (undo, apart, split):
        asked = steward.preview(world.pipeline, ANNA, command).demands
        assert "merge-of-erp-records" in [each.name for each in asked]
        assert asked[0].because.startswith("This would end what two persons agreed on.")
        assert steward.preview(world.pipeline, ANNA, command, policy=NO_POLICY).demands == ()
    held = steward.decide(world.pipeline, BEN, undo)
    assert not held.done, "the second of the two is no two persons either"
    assert world.digest() == together
    with pytest.raises(Refused, match="themselves"):
        steward.approve(world.pipeline, BEN, held.proposal_id or 0)
    undone = steward.approve(world.pipeline, ADA, held.proposal_id or 0)

    assert world.digest() == before
    again = steward.decide(world.pipeline, ANNA, Undo(undone.decision_id or 0))
    assert not again.done, "it would merge them again"
    steward.approve(world.pipeline, BEN, again.proposal_id or 0)
    assert steward.preview(world.pipeline, ANNA, apart).demands, "what was brought back is what was agreed on"


def test_taking_back_what_needed_nobody_needs_nobody(world: World) -> None:
    entity_id = EntityId(world.large_entity())
    steward.decide(world.pipeline, ANNA, Split(entity_id, (min(world.members(entity_id)),)))

    assert steward.undo_last(world.pipeline, ANNA).done


def test_taking_back_what_another_agreed_to_needs_another(world: World, pin: Pin) -> None:
    decided = steward.approve(world.pipeline, BEN, propose(world, pin))

    assert not steward.decide(world.pipeline, ANNA, Undo(decided.decision_id or 0)).done


def test_a_small_merge_takes_effect_at_once(world: World) -> None:
    first, second = (
        EntityId(row[0])
        for row in world.rows(
            """select entity_id from crosswalk join source_record using (rec_id)
               join golden using (entity_id) where known_to is null and source_record.domain = 'customer'
               group by entity_id having bool_and(system = 'crm') and not bool_or("values" @> '{"validated": true}')
               order by min(key) limit 2"""
        )
    )

    decided = steward.decide(world.pipeline, ANNA, Merge((first, second)))

    assert decided.done, decided.demands


def test_a_preview_says_that_a_second_person_will_be_asked(world: World, pin: Pin) -> None:
    assert [each.name for each in steward.preview(world.pipeline, ANNA, pin).demands] == ["sensitive-attribute"]


def test_what_would_happen_must_be_what_was_seen(world: World, pin: Pin) -> None:
    number = propose(world, pin)
    leaving = min(world.members(pin.entity_id))
    decide(world.pipeline, CARL, Split(pin.entity_id, (leaving,)))
    moved = EntityId(world.home(next(iter(world.members(pin.entity_id)))))

    with pytest.raises(Stale):
        steward.approve(world.pipeline, BEN, number)
    seen = steward.preview_proposal(world.pipeline, BEN, number).digest
    steward.approve(world.pipeline, BEN, number, digest=seen)

    assert world.values(moved)["payment_terms"] == "NT90"


def test_a_rejection_says_why_and_changes_nothing(world: World, pin: Pin) -> None:
    number = propose(world, pin)

    with pytest.raises(Invalid):
        steward.reject(world.pipeline, BEN, number, " ")
    with pytest.raises(Refused):
        steward.reject(world.pipeline, ANNA, number, "changed my mind")
    steward.reject(world.pipeline, BEN, number, "no contract says so")

    assert world.rows("select status, decided_by, comment from proposal") == [
        ("rejected", "ben", "no contract says so")
    ]
    assert world.values(pin.entity_id).get("payment_terms") != "NT90"


def test_the_author_may_withdraw_and_nobody_else(world: World, pin: Pin) -> None:
    number = propose(world, pin)

    with pytest.raises(Refused):
        steward.withdraw(world.pipeline, BEN, number)
    steward.withdraw(world.pipeline, ANNA, number)

    with pytest.raises(Conflict):
        steward.approve(world.pipeline, BEN, number)
    with pytest.raises(NotFound):
        steward.approve(world.pipeline, BEN, 10**9)


def test_the_same_thing_is_proposed_once(world: World, pin: Pin) -> None:
    propose(world, pin)

    with pytest.raises(Conflict, match="anna"):
        steward.decide(world.pipeline, BEN, pin)


def test_a_key_answers_with_the_proposal_again(world: World, pin: Pin) -> None:
    first = steward.decide(world.pipeline, ANNA, pin, key=CommandKey("k"))
    second = steward.decide(world.pipeline, ANNA, pin, key=CommandKey("k"))

    assert (second.proposal_id, second.repeated) == (first.proposal_id, True)


def test_a_delegate_approves_in_the_owners_place_until_it_ends(world: World, pin: Pin, tmp_path: Path) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(
        "version: '1'\nexpires_after_days: 3\nrules:\n"
        "  - {name: admin-only, because: b, attributes: [payment_terms], approvers: [admin]}\n"
    )
    policy = load_policy(file)
    number = steward.decide(world.pipeline, ANNA, pin, policy=policy).proposal_id or 0
    tomorrow = datetime.now(UTC) + timedelta(days=1)

    with pytest.raises(Refused, match="admin") as refused:
        steward.approve(world.pipeline, BEN, number, policy=policy)
    assert told(world, BEN, number, policy) == refused.value.message
    assert told(world, ADA, number, policy) == ""
    steward.delegate(world.pipeline, ADA, "anna", tomorrow)
    assert told(world, ANNA, number, policy) == "Nobody approves what they proposed themselves."
    with pytest.raises(Refused):
        steward.approve(world.pipeline, ANNA, number, policy=policy)
    given = steward.delegate(world.pipeline, ADA, "ben", tomorrow, "on holiday")
    with pytest.raises(Refused):
        steward.approve(at(world, tomorrow + timedelta(hours=1)), BEN, number, policy=policy)
    assert told(world, BEN, number, policy) == ""
    steward.approve(world.pipeline, BEN, number, policy=policy)
    assert told(world, ANNA, number, policy) == "", "an answered proposal waits for nobody"

    assert world.one("select on_behalf_of from proposal") == "ada"
    with pytest.raises(Refused):
        steward.end_delegation(world.pipeline, BEN, given.delegation_id)
    steward.end_delegation(world.pipeline, ADA, given.delegation_id)
    with snapshot(world.pipeline.engine) as work:
        assert [each.delegate for each in steward.delegations(work, "ada", datetime.now(UTC))] == ["anna"]


def test_what_has_an_end_date_ends(world: World, pin: Pin) -> None:
    now = datetime.now(UTC)
    members = sorted(world.members(pin.entity_id))
    before = (world.memberships(), world.digest())
    decide(world.pipeline, ANNA, JudgePair(members[0], members[1], Verdict.NOT_SAME, until=now + timedelta(days=1)))
    decide(world.pipeline, ANNA, Pin(EntityId(world.home(members[0])), "industry", "Mining", reason="for now",
                                     expires_at=now + timedelta(days=2)))  # fmt: skip
    number = propose(world, Pin(EntityId(world.home(members[0])), "payment_terms", "NT90", reason="agreed"))

    assert steward.expire_due(at(world, now + timedelta(hours=1))) == []
    assert len(steward.expire_due(at(world, now + timedelta(days=1, hours=1)))) == 1
    assert world.memberships() == before[0]
    assert len(steward.expire_due(at(world, now + timedelta(days=30)))) == 1

    assert (world.memberships(), world.digest()) == before
    assert world.one("select status from proposal where proposal_id = :id", id=number) == "expired"
    world.assert_verified()


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("{name: a, because: b, approvers: [admin]}", "must have a condition"),
        ("{name: a, because: b, approvers: [boss], merges: true}", "boss, which is not a role"),
        ("{name: a, because: b, approvers: [admin], attributes: [colour]}", "colour"),
        ("{name: a, because: b, approvers: [admin], amount: {euro: 5}}", "currency"),
        ("{name: a, because: b, approvers: [admin], merges: maybe}", "must be true"),
        ("{name: a, because: b, approvers: [admin], merges: true, risk: dire}", "dire; it is one of normal"),
        ("{because: b, approvers: [admin], merges: true}", "name"),
        ("{name: a, because: b, approvers: [admin], merge: true}", "not known here"),
    ],
)
def test_a_faulty_policy_is_refused_with_its_line(tmp_path: Path, rule: str, problem: str) -> None:
    file = tmp_path / "policy.yaml"
    file.write_text(f"version: '1'\nexpires_after_days: 3\nrules:\n  - {rule}\n")

    with pytest.raises(ConfigurationInvalid, match=problem) as told:
        load_policy(file)
    assert "line 4" in str(told.value)
