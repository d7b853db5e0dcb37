"""Business transactions that stand still, step by step."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mdm.lifecycle.assemble import read_story
from mdm.lifecycle.policy import shipped_policy
from mdm.lifecycle.stuck import Stuck, stuck
from mdm.model.ids import CrosswalkKey
from tests.unit.mdm.lifecycle.story import (
    AS_OF,
    CONTRACT,
    CONTRACT_KEY,
    CUSTOMER,
    PARTNER,
    SUBSCRIPTION_KEY,
    Story,
    clean_story,
    row,
)

ORDER = CrosswalkKey("erp", "sales_order", "0050000001")


def found(story: Story) -> list[Stuck]:
    material, policy = story.material(), shipped_policy()
    return list(stuck(material, *read_story(material, policy), policy))


def billed_story() -> Story:
    """A story in which everything went on until a day before its end."""
    story = clean_story()
    story.invoice(start="2025-06-01", issued="2025-06-29")
    story.entry()
    return story


def ordered(story: Story, *, status: str = "OPEN", days: int = 30) -> None:
    attributes = {"number": "0050000001", "status": status, "value": "2400.00", "currency": "EUR"}
    story.facts.append(
        row("order", ORDER, attributes, AS_OF - timedelta(days=days), customer=PARTNER, contract=CONTRACT_KEY)
    )


def test_a_story_that_goes_on_is_not_stuck() -> None:
    story = billed_story()
    ordered(story)

    assert found(story) == []


def test_an_order_without_subscription_stands_still_after_two_weeks() -> None:
    story = billed_story()
    del story.records[SUBSCRIPTION_KEY]
    ordered(story, days=15)

    one = next(each for each in found(story) if each.stage == "ordered")
    assert (one.subject, one.waits_for, one.days, one.allowed) == (ORDER, "subscription", 15, 14)
    assert (one.customer, one.contract, str(one.amount)) == (CUSTOMER, CONTRACT, "2400.00")
    assert one.sentence == "Order 0050000001 was placed, and for 15 days no subscription has followed."

    story.facts = [
        replace(each, changed_at=AS_OF - timedelta(days=14)) if each.key == ORDER else each for each in story.facts
    ]
    assert "ordered" not in [each.stage for each in found(story)]


@pytest.mark.parametrize("status", ["CLOSED", "CANCELLED"])
def test_an_order_that_is_over_waits_for_nothing(status: str) -> None:
    story = billed_story()
    del story.records[SUBSCRIPTION_KEY]
    ordered(story, status=status)

    assert "ordered" not in [each.stage for each in found(story)]


def test_a_subscription_that_nobody_bills_stands_still_from_its_start_or_from_what_was_billed_last() -> None:
    story = clean_story()

    (never,) = found(story)
    assert (never.stage, never.subject, never.waits_for) == ("subscribed", SUBSCRIPTION_KEY, "invoice")
    assert never.since == datetime(2025, 1, 1, tzinfo=UTC)

    story.invoice(start="2025-04-01", issued="2025-04-03")
    story.entry()
    (stopped,) = found(story)
    assert stopped.since == datetime(2025, 4, 3, 10, tzinfo=UTC)

    story.change(SUBSCRIPTION_KEY, status="cancelled")
    assert found(story) == []


def test_an_invoice_stands_still_on_its_way_into_the_books_and_to_its_payment() -> None:
    story = clean_story()
    story.change(SUBSCRIPTION_KEY, status="cancelled")
    invoice = story.invoice(issued="2025-06-20", status="open")

    (issued,) = found(story)
    assert (issued.stage, issued.subject, issued.days) == ("invoiced", invoice, 9)

    story.entry(status="rejected")
    (rejected,) = found(story)
    assert (rejected.stage, rejected.waits_for, len(rejected.facts)) == ("rejected", "accepted journal entry", 2)

    story.facts = [each for each in story.facts if each.kind != "posting"]
    story.entry()
    (posted,) = found(story)
    assert (posted.stage, posted.waits_for) == ("posted", "payment")

    story.change(invoice, status="paid")
    assert found(story) == []


def test_what_has_waited_longest_comes_first() -> None:
    story = clean_story()
    story.invoice(issued="2025-06-20", status="open")

    assert [each.stage for each in found(story)] == ["invoiced"], "a fresh invoice says that billing goes on"
    story.facts = [each for each in story.facts if each.kind == "offer"]
    story.invoice(number="INV-2", issued="2025-02-20", status="open")
    assert [each.since for each in found(story)] == sorted(each.since for each in found(story))
