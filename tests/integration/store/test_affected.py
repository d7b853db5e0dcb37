"""Whom refused messages and questions touch, and which books: counted once, of the month that is being closed."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from mdm.hub.worklist import cut_off_at, rank_refused
from mdm.lifecycle.policy import shipped_policy
from mdm.model.ids import CrosswalkKey, Domain
from mdm.store.read_letter_groups import dead_letter_groups
from tests.api.rows import ACME, NOON, HubRows
from tests.letters import refuse

ACCOUNT = CrosswalkKey("crm", "account", "A1")
TENANT = CrosswalkKey("product", "tenant", "t1")
TWIN = CrosswalkKey("crm", "account", "A2")
INVOICE = CrosswalkKey("billing", "invoice", "in_1")
#: On the first of June the month that is being closed is May, due on the fifth business day: a Friday.
MAY = {"month": "2025-05", "due": "2025-06-06", "days_left": 5}


@pytest.fixture
def company(engine: Engine) -> None:
    a_company(engine)


def a_company(engine: Engine) -> None:
    """A customer of two platforms with seats and documents of several months, and another without either."""
    rows = HubRows(engine)
    acme = rows.golden(Domain.CUSTOMER, ACCOUNT, ACME | {"segment": "Enterprise"})
    rows.source(TENANT, attributes=ACME, entity_id=acme)
    rows.golden(Domain.CUSTOMER, TWIN, ACME | {"segment": "SMB"})
    by_seat, by_call = CrosswalkKey("product", "feature", "seat"), CrosswalkKey("product", "feature", "call")
    rows.golden(Domain.PRODUCT, by_seat, {"name": "Suite", "unit": "seat"})
    rows.golden(Domain.PRODUCT, by_call, {"name": "Calls", "unit": "call"})
    runs = {"status": "active", "quantity": 300, "valid_from": "2025-01-01"}
    for number, (product, attributes) in enumerate(
        [
            (by_seat, runs),
            (by_seat, runs | {"quantity": 40, "valid_to": "2025-06-01", "status": "suspended"}),
            (by_seat, runs | {"quantity": 5000, "valid_to": "2025-05-31"}),
            (by_seat, runs | {"quantity": 6000, "valid_from": "2025-06-02"}),
            (by_seat, runs | {"quantity": 7000, "status": "ended"}),
            (by_call, runs | {"quantity": 100_000}),
        ]
    ):
        rows.source(
            CrosswalkKey("product", "entitlement", f"e{number}"), domain=None, kind="entitlement",
            attributes=attributes, references=[("customer", TENANT), ("product", product)],
        )  # fmt: skip
    for number, (kind, attributes) in enumerate(
        [
            ("invoice", {"issued_at": "2025-05-31T23:00:00Z"}),
            ("invoice", {"issued_at": "2025-04-30T10:00:00Z"}),
            ("posting", {"posting_date": "2025-05-03"}),
            ("payment", {"paid_at": "2025-05-03T10:00:00Z"}),
        ]
    ):
        key = INVOICE if not number else CrosswalkKey("billing", kind, f"row {number}")
        rows.source(key, domain=None, kind=kind, attributes=attributes, references=[("customer", ACCOUNT)])


def impact_of(engine: Engine, key: CrosswalkKey | None, **at: Any) -> dict[str, Any]:
    about = {"system": key.system, "type": key.type, "row_key": key.key} if key else {}
    (letter,) = refuse(engine, {"offset": 1, "reason": "no number", "alike": "x", "first_seen": NOON, **about})
    rank_refused(engine, at.get("now", NOON))
    with engine.connect() as connection:
        (group,) = dead_letter_groups(connection)
    assert group["newest_id"] == letter
    found: dict[str, Any] = group["impact"] | {"reasons": [reason for _, reason in group["parts"]]}
    return found


@pytest.mark.usefixtures("company")
@pytest.mark.parametrize(
    ("key", "documents", "tiers", "users"),
    [
        (ACCOUNT, 2, ["Enterprise"], 340),
        (TENANT, 2, ["Enterprise"], 340),
        (INVOICE, 1, ["Enterprise"], 340),
        (CrosswalkKey("billing", "invoice", "never read"), 1, [], 0),
        (CrosswalkKey("crm", "account", "new"), 0, [], 0),
        (TWIN, 0, ["SMB"], 0),
    ],
)  # fmt: skip
def test_behind_a_refused_message_are_its_customer_and_the_books_of_the_month(
    engine: Engine, key: CrosswalkKey, documents: int, tiers: list[str], users: int
) -> None:
    found = impact_of(engine, key)

    close, exposure = found["close_impact"], found["customer_exposure"]
    assert close == MAY | {"documents": documents, "points": 10.0 if documents else 0.0}
    assert (exposure["tiers"], exposure["users"]) == (tiers, users)
    assert exposure["customers"] == len(tiers)
    assert any("books close in 5 days" in reason for reason in found["reasons"]) is bool(documents)


@pytest.mark.usefixtures("company")
def test_a_month_that_two_have_signed_presses_nobody(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(
            text(
                """insert into close_sign_off
                     (month, points, prepared_by, prepared_at, comment, reviewed_by, reviewed_at, review)
                   values ('2025-05', '[]', 'ada', now(), '', 'ben', now(), '')"""
            )
        )
        cut_off = cut_off_at(connection, NOON, shipped_policy())
    assert (cut_off.month, cut_off.days_left) == ("2025-06", 36)
    assert impact_of(engine, ACCOUNT)["close_impact"]["points"] == 0


@pytest.mark.usefixtures("company")
def test_with_each_day_a_group_moves_up_until_the_cut_off(engine: Engine) -> None:
    first = impact_of(engine, ACCOUNT)["close_impact"]["points"]
    rank_refused(engine, NOON + timedelta(days=5))
    with engine.connect() as connection:
        (group,) = dead_letter_groups(connection)
    assert (first, group["impact"]["close_impact"]["points"]) == (10, 15)
    rank_refused(engine, NOON + timedelta(days=6))
    with engine.connect() as connection:
        (group,) = dead_letter_groups(connection)
    assert group["impact"]["close_impact"]["month"] == "2025-06", "the next month is being closed by then"
