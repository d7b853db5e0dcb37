"""What hangs on rows whose messages were refused: once each, what is open or runs, and what nobody knows."""

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Engine, text

from mdm.clock import system_clock
from mdm.hub.worklist import rank_refused
from mdm.model.ids import CrosswalkKey, Domain
from mdm.model.refused import AtStake
from mdm.store import letters
from mdm.store.read_exceptions import dead_letters
from mdm.store.read_letter_groups import GroupOrder, dead_letter_groups
from mdm.store.unit_of_work import unit_of_work
from tests.api.rows import ACME, NOON, HubRows
from tests.letters import refuse

ACCOUNT = CrosswalkKey("crm", "account", "A1")
BILLED = CrosswalkKey("billing", "customer", "cus_1")
CONTRACT = CrosswalkKey("billing", "subscription", "sub_1")
OPEN = CrosswalkKey("billing", "invoice", "in_1")


@pytest.fixture
def company(engine: Engine) -> None:
    """A customer of two platforms with a running and an ended contract, an open and a paid invoice, and a payment."""
    rows = HubRows(engine)
    acme = rows.golden(Domain.CUSTOMER, ACCOUNT, ACME)
    rows.source(BILLED, attributes=ACME, entity_id=acme)
    runs = {"status": "active", "value": "1200.50", "currency": "EUR"}
    rows.golden(Domain.CONTRACT, CONTRACT, runs, references=[("customer", BILLED)])
    rows.golden(
        Domain.CONTRACT, CrosswalkKey("crm", "contract", "C9"), runs | {"status": "expired"},
        references=[("customer", ACCOUNT)],
    )  # fmt: skip
    owed = {"status": "open", "total": "300", "amount_paid": "100", "currency": "EUR"}
    both = [("customer", BILLED), ("contract", CONTRACT)]
    rows.source(OPEN, domain=None, attributes=owed, references=both)
    rows.source(
        CrosswalkKey("billing", "invoice", "in_2"), domain=None, attributes=owed | {"status": "paid"}, references=both
    )
    rows.source(
        CrosswalkKey("billing", "invoice", "in_3"), domain=None, references=[("customer", BILLED)],
        attributes={"status": "open", "total": "70000", "currency": "JPY"},
    )  # fmt: skip
    rows.source(
        CrosswalkKey("billing", "payment", "py_1"), domain=None, kind="payment",
        references=[("invoice", OPEN), ("customer", BILLED)],
    )  # fmt: skip
    # Names a customer whose own message never came through.
    rows.source(
        CrosswalkKey("billing", "invoice", "in_4"), domain=None, attributes=owed,
        references=[("customer", CrosswalkKey("billing", "customer", "cus_unseen"))],
    )  # fmt: skip


def refused(engine: Engine, key: CrosswalkKey | None, reason: str = "no number", days: int = 0) -> int:
    about = {"system": key.system, "type": key.type, "row_key": key.key} if key else {}
    with engine.begin() as connection:
        offset = int(connection.scalar(text("select count(*) from dead_letter")) or 0)
    seen = NOON - timedelta(days=days)
    return refuse(engine, {"offset": offset, "reason": reason, "alike": reason, "first_seen": seen, **about})[0]


EUR, JPY = Decimal("1400.50"), Decimal(70000)


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize(
    ("key", "stake"),
    [
        (ACCOUNT, AtStake({"EUR": EUR, "JPY": JPY}, 1, 1)),
        (BILLED, AtStake({"EUR": EUR, "JPY": JPY}, 1, 1)),
        (CONTRACT, AtStake({"EUR": EUR}, 1, 1)),
        (OPEN, AtStake({"EUR": EUR}, 1, 1)),
        (CrosswalkKey("billing", "payment", "py_1"), AtStake({"EUR": Decimal(200)}, 1, 1)),
        (CrosswalkKey("billing", "customer", "cus_unseen"), AtStake({"EUR": Decimal(200)}, 1, 1)),
        (CrosswalkKey("crm", "account", "new"), AtStake({}, 1, 0)),
        (None, AtStake()),
    ],
)  # fmt: skip
def test_behind_a_row_is_what_is_known_of_it(engine: Engine, key: CrosswalkKey | None, stake: AtStake) -> None:
    refused(engine, key)

    with engine.connect() as connection:
        (letter,) = dead_letters(connection)

    assert letter["stake"] == stake


@pytest.mark.usefixtures("company")
def test_groups_stand_by_what_hangs_on_them_how_many_they_are_and_how_long_they_wait(engine: Engine) -> None:
    for number in range(12):
        refused(engine, CrosswalkKey("crm", "account", f"new {number}"), "of no known row")
    for key in (ACCOUNT, BILLED, OPEN, CrosswalkKey("crm", "account", "new")):
        refused(engine, key, "of one customer")
    refused(engine, None, "of nobody", days=9)

    def reasons(order: GroupOrder) -> list[str]:
        with engine.connect() as connection:
            pages, after = [], None
            while page := dead_letter_groups(connection, limit=1, order=order, after=after):
                pages += page
                after = page[0]["place"], page[0]["newest_id"]
            return [each["reason"] for each in pages]

    assert rank_refused(engine, NOON) == 3
    assert rank_refused(engine, NOON) == 0, "nothing has changed"
    assert reasons(GroupOrder.PRIORITY) == ["of one customer", "of nobody", "of no known row"]
    assert reasons(GroupOrder.MONEY)[0] == "of one customer"
    assert reasons(GroupOrder.MESSAGES) == ["of no known row", "of one customer", "of nobody"]
    assert reasons(GroupOrder.AGE)[0] == "of nobody"
    with engine.connect() as connection:
        rich = dead_letter_groups(connection, order=GroupOrder.MONEY)[0]
    assert rich["amounts"] == {"EUR": str(EUR), "JPY": str(JPY)}, "what three of its rows share counts once"
    assert (rich["rows"], rich["known"]) == (4, 3)


@pytest.mark.usefixtures("company")
def test_a_group_that_changed_is_ranked_anew_and_one_that_ended_is_forgotten(engine: Engine) -> None:
    first = refused(engine, ACCOUNT, "first")
    rank_refused(engine, NOON)
    with unit_of_work(engine, system_clock, "test") as work:
        letters.discard(work, [first], "ann", "a test row")
    refused(engine, OPEN, "second")
    rank_refused(engine, NOON)
    refused(engine, CONTRACT, "second")

    assert rank_refused(engine, NOON) == 1

    with engine.connect() as connection:
        assert connection.execute(text("select rows from dead_letter_rank")).all() == [(2,)]
        assert [(each["letters"], each["rows"]) for each in dead_letter_groups(connection)] == [(2, 2)]
