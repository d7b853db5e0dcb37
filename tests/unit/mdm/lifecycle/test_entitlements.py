"""Entitlement against subscription."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.records import Reference
from tests.unit.mdm.lifecycle.story import (
    ACCOUNT_KEY,
    AS_OF,
    CONTRACT,
    FEATURE,
    OFFER_KEY,
    SUBSCRIPTION_KEY,
    TENANT,
    Story,
    clean_story,
    line,
    row,
)


def test_an_entitlement_to_what_is_subscribed_is_fine() -> None:
    story = clean_story()
    story.entitlement()

    assert story.findings() == ()


@pytest.mark.parametrize(
    ("status", "rule"),
    [("cancelled", "entitlement_active_sub_cancelled"), ("past_due", "entitlement_active_delinquent")],
)
def test_an_active_entitlement_of_a_subscription_that_is_not(status: str, rule: str) -> None:
    story = clean_story()
    entitlement = story.entitlement()
    story.subscribe(status)

    finding = story.only_finding()

    assert finding.rule == rule
    assert finding.facts == (entitlement, SUBSCRIPTION_KEY)


@pytest.mark.parametrize(("status", "ended"), [("cancelled", "expired"), ("past_due", "suspended")])
def test_an_entitlement_that_followed_its_subscription_is_fine(status: str, ended: str) -> None:
    story = clean_story()
    story.entitlement(status=ended)
    story.subscribe(status)

    assert story.findings() == ()


def test_a_subscription_cancelled_this_morning_gives_the_entitlement_a_day() -> None:
    story = clean_story()
    story.entitlement()
    story.subscribe("cancelled")
    story.records[SUBSCRIPTION_KEY] = replace(story.records[SUBSCRIPTION_KEY], changed_at=AS_OF - timedelta(hours=8))

    assert story.findings() == ()


def test_a_quantity_that_was_amended_in_the_subscription_only_is_told() -> None:
    story = clean_story()
    story.entitlement()
    story.change(SUBSCRIPTION_KEY, lines=[line(OFFER_KEY, "5")])

    finding = story.only_finding()

    assert finding.rule == "amendment_not_in_entitlement"
    assert finding.sentence == "Entitlement E1 grants 2, but subscription S1 sells 5."


def test_metered_products_grant_no_quantity() -> None:
    story = clean_story()
    story.metered = True
    story.entitlement(quantity=1_000_000)
    story.change(SUBSCRIPTION_KEY, lines=[line(OFFER_KEY, "0")])

    assert story.findings() == ()


@pytest.mark.parametrize(
    "stated",
    [
        {"contract_number": "CT 2025 000001"},
        {"contract_number": "2025-000001"},
        {"contract_number": None},
        {"contract_number": "CT-2019-999999"},
    ],
)
def test_an_entitlement_that_names_no_subscription_is_found_by_number_or_term(stated: dict[str, str | None]) -> None:
    story = clean_story()
    story.entitlement(named=False, **stated)
    story.subscribe("cancelled")

    assert story.found() == ["entitlement_active_sub_cancelled"]


def test_an_entitlement_that_could_belong_to_two_contracts_is_left_alone() -> None:
    story = clean_story()
    other, key = EntityId("con_2"), CrosswalkKey("billing", "subscription", "S2")
    story.contracts[other] = {**story.contracts[CONTRACT], "number": "CT-2025-000002"}
    story.contracts[other]["customer"] = ACCOUNT_KEY._asdict()
    story.records[key] = replace(story.records[SUBSCRIPTION_KEY], key=key)
    story.entities[key] = other
    story.subscribe("cancelled")
    story.entitlement(named=False)

    assert story.findings() == ()


def test_what_outlives_its_subscription_is_worth_what_a_period_of_it_cost() -> None:
    story = clean_story()
    story.invoice("INV-2025-000001", start="2025-02-01", total="200.00")
    story.entry("INV-2025-000001")
    story.invoice("INV-2025-000002", start="2025-03-01", total="220.00", price="110.0000")
    story.entry("INV-2025-000002", number="JE2", receivable="220.00")
    story.entitlement()
    story.subscribe("cancelled")

    finding = story.of_rule("entitlement_active_sub_cancelled")

    assert (finding.amount, finding.currency) == (Decimal("220.00"), "EUR")
    assert finding.correlations == ("billing.subscription:S1/prd_1",)


def test_without_an_invoice_it_is_worth_what_the_offer_asks() -> None:
    story = clean_story()
    story.entitlement()
    story.subscribe("cancelled")

    finding = story.only_finding()

    assert (finding.amount, finding.currency) == (Decimal("200.00"), "EUR")


def test_a_quantity_that_differs_is_worth_what_the_difference_costs_and_says_which_way() -> None:
    story = clean_story()
    story.entitlement(quantity=5)

    finding = story.only_finding()

    assert (finding.amount, finding.currency) == (Decimal("-300.00"), "EUR"), "more is granted than is paid for"


def overdue_story(due: str, status: str = "open", paid: str = "0.00") -> Story:
    """An active subscription with an entitlement; two thirds of an invoice are for its product."""
    story = clean_story()
    story.entitlement()
    story.invoice(total="300.00", status=status, due_date=due, amount_paid=paid)
    story.entry(receivable="300.00")
    story.change(CrosswalkKey("billing", "invoice_line", "il_INV-2025-000001"), amount="200.00")
    other = row(
        "invoice_line", CrosswalkKey("billing", "invoice_line", "il_other"), {"quantity": "1", "amount": "100.00"},
        invoice=CrosswalkKey("billing", "invoice", "in_INV-2025-000001"),
    )  # fmt: skip
    story.facts.append(other)
    return story


def test_an_invoice_that_is_long_overdue_is_told_though_billing_calls_the_subscription_active() -> None:
    story = overdue_story("2025-05-30", paid="150.00")

    finding = story.only_finding()

    assert finding.rule == "entitlement_active_delinquent"
    assert [fact.key for fact in finding.facts] == ["E1", "S1", "in_INV-2025-000001"]
    assert (finding.amount, finding.currency, finding.days_overdue) == (Decimal("100.00"), "EUR", 31)
    assert finding.sentence == (
        "Entitlement E1 is active, but invoice INV-2025-000001 is unpaid, 31 days overdue, 100.00 EUR of it for this."
    )


@pytest.mark.parametrize(
    ("due", "status"),
    [("2025-05-31", "open"), ("2025-05-30", "paid"), ("2025-07-10", "open"), ("2025-01-01", "uncollectible")],
)
def test_an_invoice_that_is_paid_written_off_or_within_its_reminders_is_fine(due: str, status: str) -> None:
    assert overdue_story(due, status).findings() == ()


def test_past_due_says_so_and_counts_what_is_overdue_since_yesterday() -> None:
    story = overdue_story("2025-06-29")
    story.change(SUBSCRIPTION_KEY, status="past_due")

    finding = story.only_finding()

    assert (finding.amount, finding.days_overdue) == (Decimal("200.00"), 1)
    assert finding.sentence.startswith("Entitlement E1 is active, but subscription S1 is past due, and invoice")


def test_a_suspended_entitlement_of_an_unpaid_subscription_is_fine() -> None:
    story = overdue_story("2025-03-01")
    story.change(CrosswalkKey("product", "entitlement", "E1"), status="suspended")

    assert story.findings() == ()


def test_an_entitlement_that_names_an_unknown_subscription_is_told_by_its_pair() -> None:
    story = clean_story()
    story.entitlement()
    story.facts[-1] = replace(story.facts[-1], references=(
        Reference("product", FEATURE), Reference("customer", TENANT),
        Reference("contract", CrosswalkKey("billing", "subscription", "gone")),
    ))  # fmt: skip

    finding = story.of_rule("entitlement_without_subscription")

    assert finding.correlations == ("billing.subscription:gone/prd_1",)
    assert finding.sentence == "Entitlement E1 is active, but subscription gone, which it names, is unknown."


def unsold_story(**attributes: Any) -> Story:
    """A customer that has an entitlement and nothing else."""
    story = clean_story()
    story.records.clear()
    story.contracts.clear()
    story.entitlement(named=False, **attributes)
    return story


def test_an_entitlement_that_nothing_sells_is_told_by_its_customer() -> None:
    finding = unsold_story().only_finding()

    assert finding.rule == "entitlement_without_subscription"
    assert finding.correlations == ("cus_1/prd_1",)


@pytest.mark.parametrize(
    "attributes", [{"status": "expired"}, {"valid_to": "2025-06-29"}, {"valid_from": "2025-06-25"}]
)
def test_an_entitlement_that_has_ended_or_began_this_week_needs_no_subscription(attributes: dict[str, str]) -> None:
    assert unsold_story(**attributes).findings() == ()


def test_nothing_is_said_about_an_entitlement_of_a_customer_whom_nobody_knows() -> None:
    story = unsold_story()
    story.entities.pop(TENANT)

    assert story.findings() == ()
