"""Usage against invoices."""

from decimal import Decimal

from mdm.model.ids import CrosswalkKey
from tests.unit.mdm.lifecycle.story import CODE, CONTRACT_KEY, Story, clean_story, line


def metered_story() -> Story:
    """Calls at 0.05 EUR each; the invoice of February bills those of January."""
    story = clean_story()
    story.metered = True
    story.change(CONTRACT_KEY, lines=[line(CODE, "0", "0.0500")])
    story.invoice(price="0.0500", quantity="1000.0000", total="50.00")
    story.entry(receivable="50.00")
    return story


def test_usage_that_came_in_time_once_is_fine() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-01")

    assert story.findings() == ()


def test_the_second_batch_of_an_event_is_told_with_its_worth() -> None:
    story = metered_story()
    story.usage("2", received="2025-02-02")
    story.usage("1", received="2025-02-01")

    finding = story.only_finding()

    assert finding.rule == "duplicate_usage_batch"
    assert [fact.key for fact in finding.facts] == ["2", "1"]
    assert (finding.amount, finding.currency) == (Decimal("50.00"), "EUR")


def test_usage_after_the_invoice_of_its_month_is_told() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-20")

    finding = story.only_finding()

    assert finding.rule == "late_usage_after_invoice"
    assert finding.amount == Decimal("50.00")


def test_a_late_batch_that_comes_twice_is_late_once_and_repeated_once() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-20")
    story.usage("2", received="2025-02-21")

    assert story.found() == ["duplicate_usage_batch", "late_usage_after_invoice"]


def test_usage_of_a_retired_feature_is_what_the_subscription_meters() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-20", product=CrosswalkKey("product", "feature", "gone"))

    assert story.only_finding().amount == Decimal("50.00")
