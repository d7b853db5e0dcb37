"""Rows against what they name."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from mdm.model.ids import CrosswalkKey
from tests.unit.mdm.lifecycle.story import AS_OF, BILLING_CUSTOMER, LONG_AGO, SUBSCRIPTION_KEY, Story, clean_story

RULE = "reference_never_arrived"


def lost_story() -> Story:
    """An invoice whose customer never arrived, though billing has told its story until now."""
    story = clean_story()
    story.invoice()
    story.entry()
    story.entities.pop(BILLING_CUSTOMER)
    story.unknown = {BILLING_CUSTOMER}
    story.heard = {"billing": AS_OF}
    return story


def lost(story: Story) -> list[str]:
    return [each.subject.key for each in story.findings() if each.rule == RULE]


def test_a_row_that_names_what_never_arrived_is_told_with_its_worth() -> None:
    story = lost_story()

    (invoice,) = [each for each in story.findings() if each.rule == RULE and each.subject.type == "invoice"]

    assert invoice.sentence == ("Invoice in_INV-2025-000001 names customer billing customer B1, which never arrived.")
    assert (invoice.amount, invoice.currency) == (Decimal("200.00"), "EUR")


def test_subscriptions_name_rows_as_well() -> None:
    assert sorted(lost(lost_story())) == ["S1", "in_INV-2025-000001"]


@pytest.mark.parametrize(
    ("heard", "found"),
    [(timedelta(days=2), False), (timedelta(days=2, seconds=1), True), (timedelta(days=-3), False)],
)
def test_what_is_missing_has_two_days_of_its_own_platform(heard: timedelta, found: bool) -> None:
    story = lost_story()
    story.heard = {"billing": LONG_AGO + heard}

    assert bool(lost(story)) is found


def test_nothing_is_said_of_a_platform_that_nobody_has_heard() -> None:
    story = lost_story()
    story.heard = {"erp": AS_OF}

    assert lost(story) == []


def test_a_row_that_changed_today_may_name_what_is_under_way() -> None:
    story = lost_story()
    story.facts = [replace(each, changed_at=AS_OF - timedelta(days=1)) for each in story.facts]
    story.records[SUBSCRIPTION_KEY] = replace(story.records[SUBSCRIPTION_KEY], changed_at=AS_OF - timedelta(days=1))

    assert lost(story) == []


def test_a_journal_entry_that_names_no_known_invoice_is_told_once() -> None:
    story = clean_story()
    story.invoice()
    story.entry()
    story.entry("INV-1999-999999", number="JE9")
    story.heard = {"billing": AS_OF}

    finding = story.only_finding()

    assert (finding.rule, finding.subject.key) == (RULE, "JE9|1")
    assert finding.sentence == "Posting JE9|1 names invoice INV-1999-999999, which never arrived."


@pytest.mark.parametrize("typed", ["2025-000001", "inv 2025 000001", "in_INV-2025-000001"])
def test_a_journal_entry_that_names_its_invoice_in_another_form_is_fine(typed: str) -> None:
    story = clean_story()
    story.invoice()
    story.entry(typed)
    story.heard = {"billing": AS_OF}

    assert story.findings() == ()


def test_the_subscription_of_an_entitlement_is_told_as_a_pair() -> None:
    story = clean_story()
    story.entitlement()
    story.unknown, story.heard = {SUBSCRIPTION_KEY}, {"billing": AS_OF}

    assert lost(story) == []


def test_what_nobody_names_is_not_told() -> None:
    story = clean_story()
    story.unknown, story.heard = {CrosswalkKey("billing", "customer", "B2")}, {"billing": AS_OF}

    assert story.findings() == ()
