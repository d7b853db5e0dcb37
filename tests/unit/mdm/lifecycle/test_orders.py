"""Order, contract and subscription against each other."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from mdm.model.ids import CrosswalkKey
from tests.unit.mdm.lifecycle.story import (
    AS_OF,
    CONTRACT,
    CONTRACT_KEY,
    LONG_AGO,
    PARTNER,
    SUBSCRIPTION_KEY,
    Story,
    clean_story,
    row,
)

ORDER = CrosswalkKey("erp", "sales_order", "O1")
RULE = "order_state_mismatch"


def ordered(order: str, contract: str, subscription: str, changed_at: datetime = LONG_AGO) -> Story:
    """An order, its contract and their subscription in these states."""
    story = clean_story()
    attributes = {"number": "5001", "status": order, "value": "2400.00", "currency": "EUR", "order_date": "2025-01-01"}
    story.facts.append(row("order", ORDER, attributes, changed_at, customer=PARTNER, contract=CONTRACT_KEY))
    story.contracts[CONTRACT]["status"] = contract
    story.change(CONTRACT_KEY, status=contract)
    story.change(SUBSCRIPTION_KEY, status=subscription)
    return story


@pytest.mark.parametrize(
    ("order", "contract", "subscription", "sentence"),
    [
        ("open", "cancelled", "cancelled", "Order 5001 is open, but contract CT-2025-000001 is cancelled."),
        ("cancelled", "active", "active", "Order 5001 is cancelled, but contract CT-2025-000001 is active."),
        ("cancelled", "expired", "past_due", "Order 5001 is cancelled, but subscription S1 is past_due."),
        ("delivered", "draft", "draft", "Order 5001 is delivered, but contract CT-2025-000001 is draft."),
        ("open", "cancelled", "active", "Subscription S1 is active, but contract CT-2025-000001 is cancelled."),
        ("closed", "active", "cancelled", "Subscription S1 is cancelled, but contract CT-2025-000001 is active."),
    ],
)
def test_states_that_cannot_hold_together_are_told(order: str, contract: str, subscription: str, sentence: str) -> None:
    finding = ordered(order, contract, subscription).of_rule(RULE)

    assert finding.sentence == sentence
    assert {CONTRACT_KEY, SUBSCRIPTION_KEY} <= set(finding.facts)
    assert (finding.amount, finding.currency) == (Decimal("2400.00"), "EUR")


@pytest.mark.parametrize(
    ("order", "contract", "subscription"),
    [
        ("open", "active", "active"),
        ("open", "expired", "cancelled"),
        ("closed", "cancelled", "cancelled"),
        ("cancelled", "cancelled", "cancelled"),
        ("delivered", "active", "active"),
        ("open", "draft", "draft"),
    ],
)
def test_states_that_can_hold_together_are_fine(order: str, contract: str, subscription: str) -> None:
    assert ordered(order, contract, subscription).findings() == ()


def test_the_order_is_the_subject_and_its_rows_are_the_evidence() -> None:
    finding = ordered("open", "cancelled", "cancelled").only_finding()

    assert finding.facts == (ORDER, SUBSCRIPTION_KEY, CONTRACT_KEY)
    assert finding.contract == CONTRACT


@pytest.mark.parametrize(("hours", "found"), [(47, []), (49, [RULE])])
def test_a_change_has_two_days_to_reach_the_other_platforms(hours: int, found: list[str]) -> None:
    story = ordered("open", "cancelled", "cancelled", AS_OF - timedelta(hours=hours))

    assert story.found() == found


def test_a_contract_that_only_its_subscription_tells_of_contradicts_nothing() -> None:
    story = clean_story()
    del story.records[CONTRACT_KEY]
    story.change(SUBSCRIPTION_KEY, status="cancelled")

    assert RULE not in story.found()


def test_a_contract_with_one_subscription_left_is_active() -> None:
    story = ordered("open", "active", "cancelled")
    other = CrosswalkKey("billing", "subscription", "S2")
    story.records[other] = replace(story.records[SUBSCRIPTION_KEY], key=other)
    story.entities[other] = CONTRACT
    story.change(other, status="active")

    assert RULE not in story.found()
