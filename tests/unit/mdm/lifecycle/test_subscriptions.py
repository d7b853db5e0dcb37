"""Subscription against entitlements."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from mdm.model.ids import CrosswalkKey, EntityId
from tests.unit.mdm.lifecycle.story import (
    AS_OF,
    FEATURE,
    SUBSCRIPTION_KEY,
    TENANT,
    Story,
    clean_story,
    row,
)

OTHER_TENANT = CrosswalkKey("product", "tenant", "T2")
INVOICE = "INV-2025-000001"


def granted_elsewhere() -> Story:
    """The product is granted to another customer, whose subscription is known to nobody here; it ended long ago."""
    story = clean_story()
    attributes = {"quantity": 1, "valid_from": "2024-01-01", "valid_to": "2024-12-31", "status": "expired"}
    key = CrosswalkKey("product", "entitlement", "E9")
    story.facts.append(row("entitlement", key, attributes, customer=OTHER_TENANT, product=FEATURE))
    story.entities[OTHER_TENANT] = EntityId("cus_2")
    return story


def paid_story(until: str = "2025-06-30", status: str = "paid") -> Story:
    story = granted_elsewhere()
    story.invoice(INVOICE, start="2025-06-01", issued="2025-06-02", period_end=until, status=status)
    story.entry(INVOICE)
    return story


def test_what_is_paid_for_this_period_and_not_granted_is_told_with_what_was_paid() -> None:
    finding = paid_story().only_finding()

    assert finding.rule == "paid_without_entitlement"
    assert (finding.amount, finding.currency) == (Decimal("200.00"), "EUR")
    assert [fact.key for fact in finding.facts] == ["S1", "in_INV-2025-000001"]
    assert finding.correlations == ("billing.subscription:S1/prd_1",)


@pytest.mark.parametrize("attributes", [{"status": "suspended"}, {"status": "expired"}, {"valid_to": "2025-06-29"}])
def test_an_entitlement_that_may_not_be_used_is_none(attributes: dict[str, str]) -> None:
    story = paid_story()
    story.entitlement(**attributes)

    finding = story.only_finding()

    assert finding.rule == "paid_without_entitlement"
    assert [fact.key for fact in finding.facts] == ["S1", "in_INV-2025-000001", "E1"]


@pytest.mark.parametrize(("until", "status"), [("2025-06-29", "paid"), ("2025-06-30", "open")])
def test_a_suspended_entitlement_is_fine_where_the_running_period_is_not_paid(until: str, status: str) -> None:
    story = paid_story(until, status)
    story.entitlement(status="suspended")

    assert story.findings() == ()


def test_what_is_paid_and_granted_is_fine() -> None:
    story = paid_story()
    story.entitlement()

    assert story.findings() == ()


def test_a_subscription_without_any_entitlement_is_told_with_what_a_period_costs() -> None:
    finding = granted_elsewhere().only_finding()

    assert finding.rule == "subscription_without_entitlement"
    assert (finding.amount, finding.currency) == (Decimal("200.00"), "EUR")
    assert finding.sentence == "Subscription S1: it runs, but to what it sells there is no entitlement."


def test_products_that_are_never_granted_need_no_entitlement() -> None:
    assert clean_story().findings() == ()


def test_a_cancelled_subscription_needs_no_entitlement() -> None:
    story = granted_elsewhere()
    story.subscribe("cancelled")

    assert story.findings() == ()


@pytest.mark.parametrize(("hours", "found"), [(35, []), (37, ["subscription_without_entitlement"])])
def test_a_new_subscription_has_a_day_and_a_half(hours: int, found: list[str]) -> None:
    story = granted_elsewhere()
    began = AS_OF - timedelta(hours=hours)
    story.records[SUBSCRIPTION_KEY] = replace(story.records[SUBSCRIPTION_KEY], changed_at=began)

    assert story.found() == found


def test_an_entitlement_that_may_stand_for_the_subscription_silences_it() -> None:
    story = granted_elsewhere()
    story.entitlement("E2", named=False, contract_number="CT-2019-999999", valid_to="2031-01-01")

    assert story.findings() == ()


def test_entitlements_to_what_nobody_recognises_silence_it() -> None:
    story = granted_elsewhere()
    story.entitlement("E2")
    story.facts[-1] = replace(
        story.facts[-1], references=tuple(each for each in story.facts[-1].references if each.role != "product")
    )

    assert story.findings() == ()


def test_nothing_is_said_about_a_subscription_of_a_customer_whom_nobody_knows() -> None:
    story = granted_elsewhere()
    story.records[SUBSCRIPTION_KEY] = replace(story.records[SUBSCRIPTION_KEY], references=())
    story.entities.pop(TENANT)

    assert "subscription_without_entitlement" not in story.found()
