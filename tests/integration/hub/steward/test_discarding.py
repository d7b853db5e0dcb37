"""Refused messages are closed for good: one by oneself, several with a second person, and undo opens them again."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, text

from mdm.access import Role, Scope
from mdm.clock import system_clock
from mdm.errors import Conflict, Invalid, NotFound, Refused, Stale
from mdm.hub import steward
from mdm.hub.release import load_rules
from mdm.hub.steward import Actor, Desk
from mdm.intake.catalogue import Catalogue
from mdm.model.ids import CrosswalkKey, Domain
from mdm.model.stewardship import Discard, Undo
from mdm.store.reading import snapshot
from mdm.store.scoped import scoped
from tests.api.rows import ACME, HubRows
from tests.letters import refuse

OPERATOR = Actor("olga", Role.OPERATOR)
CARL = Actor("carl", Role.SENIOR_STEWARD)
DORA = Actor("dora", Role.DATA_OWNER)


@pytest.fixture
def desk(engine: Engine, catalogue: Catalogue) -> Desk:
    return Desk(engine, system_clock, load_rules(catalogue))


def refused(engine: Engine, offset: int, row_key: str | None = None) -> int:
    return refuse(engine, {"offset": offset, "system": "crm", "type": "account", "row_key": row_key})[0]


def states(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("select status from dead_letter order by dead_letter_id")))


def audited(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        rows = connection.execute(text("select actor, action from audit where action like 'steward.%' order by seq"))
        return [(row.actor, row.action) for row in rows]


def proposed(desk: Desk, actor: Actor, *letters: int) -> int:
    decided = steward.decide(desk, actor, Discard(letters, "test rows"))
    assert decided.proposal_id is not None
    return decided.proposal_id


def test_one_message_is_discarded_by_oneself_and_undo_opens_it_again(desk: Desk) -> None:
    letter = refused(desk.engine, 1)

    done = steward.decide(desk, OPERATOR, Discard((letter,), "a test row"))

    assert done.done
    assert states(desk.engine) == ["discarded"]
    assert [each["name"] for each in done.effect["letters"]] == [f"D{letter}"]
    assert done.decision_id is not None
    steward.decide(desk, CARL, Undo(done.decision_id))
    assert states(desk.engine) == ["open"]
    assert audited(desk.engine) == [("olga", "steward.discard"), ("carl", "steward.undo")]


def test_several_wait_for_another_person_who_sees_exactly_which(desk: Desk) -> None:
    letters = [refused(desk.engine, number) for number in range(3)]

    number = proposed(desk, OPERATOR, *letters[:2])

    assert states(desk.engine) == ["open"] * 3, "a proposal closes nothing"
    with pytest.raises(Conflict, match="proposed this already"):
        proposed(desk, CARL, *letters[:2])
    seen = steward.preview_proposal(desk, DORA, number)
    assert [each.letter_id for each in seen.effect.letters] == letters[:2]
    decided = steward.approve(desk, DORA, number, "they are", seen.digest)
    assert decided.done
    assert states(desk.engine) == ["discarded", "discarded", "open"]
    with desk.engine.connect() as connection:
        told = connection.execute(text("select actor, approved_by, domain, entities from decision")).all()
        closed = connection.execute(text("select closed_by, closed_reason from dead_letter where status <> 'open'"))
        assert set(closed) == {("olga", "test rows")}
    assert told == [("olga", "dora", None, [])]
    assert audited(desk.engine) == [
        ("olga", "steward.propose"), ("olga", "steward.discard"), ("dora", "steward.approved")
    ]  # fmt: skip


def test_nobody_agrees_to_their_own_and_not_every_role_agrees(desk: Desk) -> None:
    letters = [refused(desk.engine, number) for number in range(2)]
    number = proposed(desk, CARL, *letters)

    for who in (CARL, replace(CARL, role=Role.ADMIN), Actor("fin", Role.APPROVER_FINANCE), OPERATOR):
        with pytest.raises(Refused):
            steward.approve(desk, who, number)
    with pytest.raises(Refused):
        steward.decide(desk, DORA, Discard((letters[0],), "whoever only approves does not discard"))

    assert states(desk.engine) == ["open"] * 2
    steward.reject(desk, DORA, number, "they can be mended")
    with pytest.raises(Conflict, match="rejected"):
        steward.approve(desk, Actor("ada", Role.ADMIN), number)


def test_what_was_replayed_meanwhile_changes_the_picture(desk: Desk) -> None:
    letters = [refused(desk.engine, number) for number in range(3)]
    number = proposed(desk, CARL, *letters)
    with desk.engine.begin() as connection:
        connection.execute(
            text("update dead_letter set status = 'replayed' where dead_letter_id = :id"), {"id": letters[0]}
        )

    with pytest.raises(Stale):
        steward.approve(desk, DORA, number)
    steward.approve(desk, DORA, number, "", steward.preview_proposal(desk, DORA, number).digest)

    assert states(desk.engine) == ["replayed", "discarded", "discarded"]


def test_one_that_much_money_hangs_on_waits_too(desk: Desk) -> None:
    rows = HubRows(desk.engine)
    key = CrosswalkKey("crm", "account", "A1")
    rows.golden(Domain.CUSTOMER, key, ACME)
    worth = {"status": "active", "value": "900000", "currency": "EUR"}
    rows.golden(Domain.CONTRACT, CrosswalkKey("crm", "contract", "C1"), worth, references=[("customer", key)])

    number = proposed(desk, CARL, refused(desk.engine, 1, "A1"))

    with snapshot(desk.engine) as work:
        kept = steward.find_proposal(work, number)
    assert [each["name"] for each in kept.demands] == ["discard-above-an-amount"]
    assert (kept.risk.word, kept.stake) == ("high", 3.6)
    assert kept.effect["exposure"]["contract_value"] == {"EUR": "900000"}


def test_what_makes_no_sense_or_is_out_of_reach_is_refused(desk: Desk) -> None:
    letter = refused(desk.engine, 1)
    for command in (Discard((), "none"), Discard((letter,), " "), Discard(tuple(range(1, 5002)), "too many")):
        with pytest.raises(Invalid):
            steward.decide(desk, CARL, command)
    with pytest.raises(Conflict, match="open any more"):
        steward.decide(desk, CARL, Discard((letter + 1,), "no such"))
    assert states(desk.engine) == ["open"]


def test_a_scope_that_reaches_a_part_neither_discards_nor_agrees_nor_takes_back(desk: Desk) -> None:
    letters = [refused(desk.engine, number) for number in range(3)]
    part = replace(desk, engine=scoped(desk.engine, Scope(regions=frozenset({"emea"}))))
    number = proposed(desk, OPERATOR, *letters[:2])
    done = steward.decide(desk, OPERATOR, Discard((letters[2],), "a test row")).decision_id
    assert done is not None

    with pytest.raises(Refused, match="whole hub"):
        steward.decide(part, CARL, Discard((letters[0],), "a part of the hub has no refused messages"))
    for act in (
        lambda: steward.approve(part, DORA, number),
        lambda: steward.reject(part, DORA, number, "out of reach"),
        lambda: steward.decide(part, CARL, Undo(done)),
    ):
        with pytest.raises(NotFound):
            act()
    assert states(desk.engine) == ["open", "open", "discarded"]
