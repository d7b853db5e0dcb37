"""Confirmations, waivers, registries and pushed re-validation on a hub that ingested the sample world."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.access import Role
from mdm.errors import Conflict, NotFound, OperatorError, Refused
from mdm.hub import checkpoints, registries
from mdm.hub.onboarding import verdict_on_golden
from mdm.hub.recheck import Rechecked, recheck
from mdm.hub.steward import Actor
from mdm.model.ids import EntityId
from mdm.onboarding.attestation import Answer, Attestation, Provider
from mdm.onboarding.checkpoint import CheckpointName, Waiver
from mdm.onboarding.verdict import Decision, Outcome, Verdict
from mdm.store.onboarding import words_about
from tests.harness.shipped import SHIPPED

#: After everything that the hub has known since it was loaded.
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=1)
DAY = timedelta(days=1)


class Clock:
    """Time that tests move by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


class MemberStates:
    """A VAT registry that knows some numbers and cannot be asked about others."""

    def __init__(self, known: dict[str, str], silent: frozenset[str] = frozenset()) -> None:
        self.known, self.silent = known, silent

    def ask(self, numbers: Sequence[str], now: datetime) -> list[Attestation]:
        return [self._ask(number, now) for number in numbers]

    def _ask(self, number: str, now: datetime) -> Attestation:
        if number in self.silent:
            return Attestation(Provider.VIES, number, Answer.UNAVAILABLE, now, None, "MS_UNAVAILABLE")
        name = self.known.get(number)
        answer = Answer.REFUTED if name is None else Answer.CONFIRMED
        return Attestation(Provider.VIES, number, answer, now, "WAPI123", None, {"name": name} if name else {})


@pytest.fixture
def clock() -> Clock:
    return Clock()


def customer_with_vat(engine: Engine) -> tuple[str, str, str]:
    """Id, name and VAT number of one German customer of the sample world."""
    with engine.connect() as connection:
        row = connection.execute(
            text(
                """select g.entity_id, g.name, i->>'normal' from golden g
                   cross join lateral jsonb_array_elements(g.values->'identifiers') i
                   where g.domain = 'customer' and g.known_to is null and i->>'type' = 'vat'
                     and i->>'state' = 'valid' and i->>'country' = 'DE' and g.values->>'country' = 'DE'
                     and not exists (
                         select 1 from golden o cross join lateral jsonb_array_elements(o.values->'identifiers') n
                         where o.entity_id <> g.entity_id and o.known_to is null and o.domain = 'customer'
                           and n->>'normal' = i->>'normal')
                   order by (select f.key from entity e join source_record f on f.rec_id = e.founder
                             where e.entity_id = g.entity_id) limit 1"""
            )
        ).one()
    return row[0], row[1], row[2]


def findings(verdict: Verdict, code: str) -> list[Outcome]:
    return [each.outcome for each in verdict.findings if each.code == code]


@pytest.mark.sample_world
def test_registries_confirmations_and_waivers_change_the_verdict(engine: Engine, clock: Clock, tmp_path: Path) -> None:
    entity_id, name, number = customer_with_vat(engine)

    def verdict() -> Verdict:
        return verdict_on_golden(engine, SHIPPED, entity_id, clock())

    assert findings(verdict(), "VAT_UNVERIFIABLE") == [Outcome.UNVERIFIABLE]

    # A member state that does not answer is not a no, and does not wipe out what it said before.
    registries.ask_vies(engine, clock, MemberStates({number: name}), [number])
    registries.ask_vies(engine, clock, MemberStates({}, frozenset({number})), [number])
    assert findings(verdict(), "VAT_NOT_REGISTERED") == [Outcome.PASS]
    assert findings(verdict(), "VAT_NAME_MISMATCH") == [Outcome.PASS]
    assert verdict().valid_until == NOON + 90 * DAY

    registries.ask_vies(engine, clock, MemberStates({number: "Somebody Else S.p.A."}), [number])
    assert findings(verdict(), "VAT_NAME_MISMATCH") == [Outcome.FAIL]

    end = NOON + 10 * DAY
    waiver = Waiver("VAT_NAME_MISMATCH", "", "ines", "head of the group", end)
    with pytest.raises(OperatorError, match="viewer may not waive"):
        checkpoints.waive(engine, clock, entity_id, waiver, Role.VIEWER)
    checkpoints.waive(engine, clock, entity_id, waiver, Role.STEWARD)
    assert findings(verdict(), "VAT_NAME_MISMATCH") == [Outcome.WAIVED]
    assert verdict().valid_until == end

    clock.now = end
    assert findings(verdict(), "VAT_NAME_MISMATCH") == [Outcome.FAIL]
    clock.now = NOON + 90 * DAY
    assert Outcome.FAIL in findings(verdict(), "EVIDENCE_STALE")

    clock.now = NOON
    listed = tmp_path / "list.csv"
    listed.write_text(f'id,schema,name,aliases,countries\nNK-1,Company,"{name}",,de\n')
    registries.load_sanctions(engine, clock, "TEST", listed, "ines")
    assert findings(verdict(), "SANCTIONS_HIT") == [Outcome.FAIL]
    assert verdict().decision is Decision.BLOCKED


@pytest.mark.sample_world
def test_the_history_says_who_ended_what_and_why(engine: Engine, clock: Clock) -> None:
    """Taken back, or another one took its place: also of a waiver or confirmation that nobody ended yet."""
    entity_id, _, _ = customer_with_vat(engine)
    code, name, end = "VAT_NAME_MISMATCH", CheckpointName.TAX_VALIDATED, clock() + 90 * DAY
    for actor in ("ines", "ben"):
        checkpoints.waive(engine, clock, entity_id, Waiver(code, "", actor, "head of the group", end), Role.STEWARD)
        checkpoints.confirm(engine, clock, entity_id, name, actor, "looked up")
        clock.now += DAY
    checkpoints.unwaive(engine, clock, entity_id, code, "", "carl", " it was sold ")
    checkpoints.withdraw(engine, clock, entity_id, name, "dora", "the register was wrong")
    clock.now += DAY
    checkpoints.waive(engine, clock, entity_id, Waiver(code, "", "ines", "again", end), Role.STEWARD)

    with engine.connect() as connection:
        words = words_about(connection, EntityId(entity_id), 9)

    assert [(each.kind, each.actor, each.ended_by, each.answer) for each in words] == [
        ("waiver", "ines", None, None),
        ("confirmation", "ben", "dora", "the register was wrong"),
        ("waiver", "ben", "carl", "it was sold"),
        ("confirmation", "ines", "ben", None),
        ("waiver", "ines", "ben", None),
    ]
    assert [each.ended_at is None for each in words] == [True, False, False, False, False]


@pytest.mark.sample_world
def test_what_blocks_is_excused_by_two_people(engine: Engine, clock: Clock) -> None:
    entity_id, _, number = customer_with_vat(engine)
    registries.ask_vies(engine, clock, MemberStates({}), [number])
    code, end = "VAT_NOT_REGISTERED", clock() + 10 * DAY
    ines, ben = Actor("ines", Role.APPROVER_FINANCE), Actor("ben", Role.DATA_OWNER)

    def outcome() -> list[Outcome]:
        return findings(verdict_on_golden(engine, SHIPPED, entity_id, clock()), code)

    def agree(actor: Actor) -> None:
        checkpoints.approve_waiver(engine, clock, entity_id, code, "", actor)

    assert outcome() == [Outcome.FAIL]
    with pytest.raises(NotFound):
        agree(ben)
    checkpoints.waive(engine, clock, entity_id, Waiver(code, "", "ines", "under way", end), ines.role)
    assert outcome() == [Outcome.FAIL], "one person alone excuses nothing that blocks"
    with pytest.raises(Refused, match="that they wrote"):
        agree(ines)
    with pytest.raises(Refused, match="may not waive"):
        agree(Actor("carl", Role.STEWARD))
    agree(ben)
    assert outcome() == [Outcome.WAIVED]
    with pytest.raises(Conflict, match="agreed to by ben"):
        agree(Actor("dora", Role.ADMIN))
    checkpoints.unwaive(engine, clock, entity_id, code, "", "ines", "it is registered")
    assert outcome() == [Outcome.FAIL]


@pytest.mark.sample_world
def test_a_confirmation_ends_on_its_day_and_can_be_taken_back(engine: Engine, clock: Clock) -> None:
    with engine.connect() as connection:
        entity_id = connection.execute(
            text(
                """select entity_id from golden g join entity e using (entity_id)
                   join source_record f on f.rec_id = e.founder
                   where g.domain = 'customer' and known_to is null
                   and coalesce(values->>'validated', 'false') = 'false' order by f.key limit 1"""
            )
        ).scalar_one()

    def missing() -> bool:
        verdict = verdict_on_golden(engine, SHIPPED, entity_id, clock())
        wanted = (CheckpointName.LEGAL_ENTITY_VALIDATED,)
        return any(
            each.outcome is Outcome.FAIL and each.observation.path.endswith(name)
            for each in verdict.findings
            for name in wanted
        )

    assert missing()
    legal = CheckpointName.LEGAL_ENTITY_VALIDATED
    checkpoints.confirm(engine, clock, entity_id, legal, "ines", "register extract", NOON + DAY)
    assert not missing()
    clock.now = NOON + DAY
    assert missing()
    checkpoints.confirm(engine, clock, entity_id, legal, "ines", "register extract")
    assert not missing()
    checkpoints.withdraw(engine, clock, entity_id, legal, "ines", "wrong company")
    assert missing()
    with pytest.raises(NotFound):
        checkpoints.withdraw(engine, clock, entity_id, legal, "ines", "again")
    with engine.connect() as connection:
        actions = connection.execute(
            text("select action from audit where subject = :id order by seq"), {"id": entity_id}
        )
        assert [row[0] for row in actions] == [
            "checkpoint_confirmed",
            "checkpoint_confirmed",
            "checkpoint_withdrawn",
        ]


@pytest.mark.sample_world
def test_a_customer_goes_back_to_who_asked_for_it_until_it_is_mended(engine: Engine, clock: Clock) -> None:
    entity_id, _, _ = customer_with_vat(engine)
    recheck(engine, clock, SHIPPED)

    def returned() -> list[str]:
        verdict = verdict_on_golden(engine, SHIPPED, entity_id, clock())
        found = [each.observation.message for each in verdict.findings if each.code == "RETURNED_TO_REQUESTER"]
        assert not found or verdict.decision is Decision.BLOCKED
        return found

    assert returned() == []
    with pytest.raises(OperatorError, match="reason"):
        checkpoints.return_to_requester(engine, clock, entity_id, "ines", " ")
    clock.now += DAY
    checkpoints.return_to_requester(engine, clock, entity_id, "ines", "the extract is of another company")
    day = f"{NOON + DAY:%Y-%m-%d}"
    assert returned() == [f"ines returned it to the requester on {day}: the extract is of another company"]
    assert recheck(engine, clock, SHIPPED).changed == 1, "it is told to those who rely on it"
    with pytest.raises(Conflict, match="returned already"):
        checkpoints.return_to_requester(engine, clock, entity_id, "ben", "me too")
    clock.now += DAY
    checkpoints.take_up(engine, clock, entity_id, "ben", "the right extract came")
    assert returned() == []
    assert recheck(engine, clock, SHIPPED).changed == 1, "it is told to those who rely on it"
    with pytest.raises(NotFound):
        checkpoints.take_up(engine, clock, entity_id, "ben", "again")
    with engine.connect() as connection:
        (word,) = words_about(connection, EntityId(entity_id), 9)
        audited = connection.execute(
            text("select actor, action from audit where subject = :id order by seq"), {"id": entity_id}
        ).all()
    assert (word.kind, word.actor, word.reason) == ("return", "ines", "the extract is of another company")
    assert (word.ended_by, word.answer) == ("ben", "the right extract came")
    assert [tuple(row) for row in audited] == [("ines", "onboarding_returned"), ("ben", "onboarding_taken_up")]


@pytest.mark.sample_world
def test_a_verdict_that_counted_a_proposal_is_due_when_its_time_is_up(engine: Engine, clock: Clock) -> None:
    """Whether anybody has ended it by then or not; and once."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            """insert into proposal (kind, command, effect, digest, demands, entities, author, author_role, proposed_at,
                   expires_at)
               select 'pin', '{}', '{}', '', '[]', array[min(entity_id)], 'ben', 'steward', %s, %s from golden
               where domain = 'customer' and known_to is null""",
            (clock(), clock() + DAY),
        )
    assert recheck(engine, clock, SHIPPED).judged > 200
    assert recheck(engine, clock, SHIPPED).judged == 0

    clock.now += 2 * DAY

    assert recheck(engine, clock, SHIPPED).judged == 1
    assert recheck(engine, clock, SHIPPED).judged == 0


@pytest.mark.sample_world
def test_a_verdict_that_changes_is_announced_once(engine: Engine, clock: Clock) -> None:
    first = recheck(engine, clock, SHIPPED)
    assert first.judged == first.changed > 200
    assert recheck(engine, clock, SHIPPED) == Rechecked(0, 0)

    entity_id, name, number = customer_with_vat(engine)
    clock.now += DAY
    registries.ask_vies(engine, clock, MemberStates({number: name}), [number])
    clock.now += DAY
    assert recheck(engine, clock, SHIPPED) == Rechecked(1, 1)  # registered now: no longer unverifiable

    clock.now += 91 * DAY
    assert recheck(engine, clock, SHIPPED) == Rechecked(1, 1)  # the answer is too old
    with engine.connect() as connection:
        told = connection.execute(
            text("select count(*) from outbox where type = 'customer.readiness_changed' and aggregateid = :id"),
            {"id": entity_id},
        ).scalar_one()
    assert told == 3


@pytest.mark.sample_world
def test_only_customers_whose_answer_is_missing_or_old_are_asked_about(engine: Engine, clock: Clock) -> None:
    states = MemberStates({})
    first = registries.ask_vies(engine, clock, states)
    assert first.refuted == first.total > 50
    assert registries.ask_vies(engine, clock, states).total == 0
    clock.now += 91 * DAY
    assert registries.ask_vies(engine, clock, states).total == first.total
