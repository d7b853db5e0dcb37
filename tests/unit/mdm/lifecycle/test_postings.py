"""Invoice against journal entries."""

from datetime import timedelta
from decimal import Decimal

import pytest

from mdm.model.ids import CrosswalkKey
from tests.unit.mdm.lifecycle.story import CONTRACT, CUSTOMER, clean_story


def test_an_invoice_posted_once_with_its_total_is_fine() -> None:
    story = clean_story()
    story.invoice()
    story.entry()

    assert story.findings() == ()


@pytest.mark.parametrize("typed", ["INV-2025-000001", "2025-000001", "inv 2025 000001", "in_INV-2025-000001"])
def test_an_entry_is_found_however_the_invoice_was_typed(typed: str) -> None:
    story = clean_story()
    story.invoice()
    story.entry(typed)

    assert story.findings() == ()


def test_an_invoice_without_entry_is_missing_in_the_books() -> None:
    story = clean_story()
    invoice = story.invoice()

    finding = story.only_finding()

    assert finding.rule == "posting_missing"
    assert finding.code == "POSTING_MISSING"
    assert finding.subject == invoice
    assert (finding.customer, finding.contract) == (CUSTOMER, CONTRACT)
    assert (finding.amount, finding.currency) == (Decimal("200.00"), "EUR")
    assert finding.sentence == "Invoice INV-2025-000001 over 200.00 EUR has no journal entry."
    assert finding.owner == "finance-accounting"


def test_an_invoice_of_yesterday_may_still_be_on_its_way() -> None:
    story = clean_story()
    story.invoice(start="2025-06-28", issued="2025-06-29")

    assert story.found() == []
    story.as_of += timedelta(days=2)
    assert story.found() == ["posting_missing"]


def test_a_draft_is_not_due_in_the_books() -> None:
    story = clean_story()
    story.invoice(status="draft")

    assert story.findings() == ()


def test_a_rejected_entry_is_told_with_its_reason() -> None:
    story = clean_story()
    story.invoice()
    story.entry(status="rejected")

    finding = story.only_finding()

    assert finding.rule == "posting_rejected"
    assert finding.sentence == "Journal entry JE1 of invoice INV-2025-000001 was rejected: Period is closed."


def test_a_rejected_entry_that_was_posted_anew_is_settled() -> None:
    story = clean_story()
    story.invoice()
    story.entry(status="rejected")
    story.entry(number="JE2")

    assert story.findings() == ()


def test_two_posted_entries_are_one_too_many() -> None:
    story = clean_story()
    story.invoice()
    story.entry()
    story.entry(number="JE2")

    finding = story.only_finding()

    assert finding.rule == "double_posting"
    assert finding.amount == Decimal("200.00")
    assert finding.facts[1:] == (
        CrosswalkKey("erp", "posting", "JE1|1"),
        CrosswalkKey("erp", "posting", "JE2|1"),
    )


def test_a_reversed_entry_does_not_count() -> None:
    story = clean_story()
    story.invoice()
    story.entry()
    story.entry(number="JE2", status="reversed")

    assert story.findings() == ()


def test_the_receivable_must_be_the_total_to_the_cent() -> None:
    story = clean_story()
    story.invoice()
    story.entry(receivable="199.99")

    finding = story.only_finding()

    assert finding.rule == "invoice_erp_amount_mismatch"
    assert finding.amount == Decimal("-0.01")


def test_an_entry_on_no_partner_is_told() -> None:
    story = clean_story()
    story.invoice()
    story.entry(partner=False)

    assert story.only_finding().rule == "invoice_without_erp_partner"


def test_an_entry_that_could_mean_two_invoices_means_none() -> None:
    story = clean_story()
    story.invoice("A-2025-000001")
    story.invoice("B-2025-000001")
    story.entry("2025-000001")

    assert story.found() == ["posting_missing", "posting_missing"]
