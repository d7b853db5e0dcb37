"""What invoices bill against the usage that was accepted for them."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from mdm.lifecycle.assemble import read_story
from mdm.lifecycle.billed_usage import Accuracy, BilledUsage, accuracy, billed_usage
from mdm.lifecycle.policy import shipped_policy
from mdm.lifecycle.usage_revenue import UsageRevenue, read_usage_revenue
from mdm.model.ids import CrosswalkKey
from mdm.model.kpis import Period
from tests.unit.mdm.lifecycle.story import Story
from tests.unit.mdm.lifecycle.test_usage import metered_story
from tests.unit.mdm.lifecycle.test_usage_revenue import document

FEBRUARY = Period(date(2025, 2, 1), date(2025, 2, 28))
INVOICE, LINE = "in_INV-2025-000001", CrosswalkKey("billing", "invoice_line", "il_INV-2025-000001")


def found(story: Story, mapping: UsageRevenue | None = None) -> BilledUsage:
    material, policy = story.material(), shipped_policy()
    if mapping is not None:
        material = replace(material, usage_revenue=mapping)
    return billed_usage(material, policy, *read_story(material, policy))


def figures(story: Story, period: Period = FEBRUARY) -> Accuracy:
    return accuracy(found(story), period)


def test_an_invoice_that_bills_what_was_used_is_right() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-01")

    told = figures(story)

    assert (told.lines, told.agreeing, told.accuracy, told.differences) == (1, 1, 1.0, [])
    (unit,) = told.units
    assert (unit.unit, unit.billed, unit.accepted, unit.accuracy) == ("seat", Decimal(1000), Decimal(1000), 1.0)


def test_batches_of_one_period_are_added_up_and_late_ones_are_accepted_too() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-01")
    story.usage("2", received="2025-02-20", event="ev-2")

    told = figures(story)

    assert (told.accuracy, told.units[0].accuracy) == (0.0, 0.5)
    (line,) = told.differences
    assert (line.invoice.key, line.billed, line.accepted, line.batches) == (INVOICE, 1000, 2000, 2)
    assert (line.difference, told.units[0].under, told.units[0].over) == (-1000, 1000, 0)


def test_a_repeated_batch_is_not_accepted() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-01")
    story.usage("2", received="2025-02-02")

    told = figures(story, Period(date(2025, 1, 1), date(2025, 2, 28)))

    assert (told.accuracy, told.repeated) == (1.0, 1)
    assert figures(story).repeated == 0, "its usage ended in January"


def test_what_is_billed_without_any_usage_is_wrong_and_counted() -> None:
    told = figures(metered_story())

    assert (told.lines, told.agreeing, told.without_usage, told.units[0].over) == (1, 0, 1, 1000)
    assert (told.accuracy, told.units[0].accuracy) == (0.0, 0.0)


def test_of_nothing_there_is_no_accuracy() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-01")

    none = figures(story, Period(date(2025, 3, 1), date(2025, 3, 31)))
    story.change(CrosswalkKey("product", "usage_batch", "1"), quantity="0")
    story.change(LINE, quantity="0")
    zero = figures(story)

    assert (none.lines, none.accuracy, none.units) == (0, None, [])
    assert (zero.accuracy, zero.units[0].accuracy) == (1.0, None), "nothing was billed, and nothing was used"


@pytest.mark.parametrize("quantity", [None, "NaN", "1e40"])
def test_a_quantity_that_is_none_is_not_compared(quantity: str | None) -> None:
    used, billed = metered_story(), metered_story()
    for story in (used, billed):
        story.usage("1", received="2025-02-01")
    used.change(CrosswalkKey("product", "usage_batch", "1"), quantity=quantity)
    billed.change(LINE, quantity=quantity)

    for told in (accuracy(found(used), FEBRUARY), accuracy(found(billed), FEBRUARY)):
        assert (told.lines, told.unknown, told.accuracy) == (0, 1, None)


def test_only_what_is_metered_is_compared() -> None:
    story = metered_story()
    story.metered = False

    assert found(story).lines == ()


@pytest.mark.parametrize("status", ["draft", "void"])
def test_an_invoice_that_is_not_due_is_left_out(status: str) -> None:
    story = metered_story()
    story.change(CrosswalkKey("billing", "invoice", INVOICE), status=status)

    assert found(story).lines == ()


def test_usage_that_no_invoice_bills_is_counted_on_the_day_it_ends() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-01")
    story.change(CrosswalkKey("billing", "invoice", INVOICE), period_start="2025-03-01")

    told = figures(story, Period(date(2025, 1, 31), date(2025, 2, 28)))

    assert (told.unbilled, told.without_usage) == (1, 1)
    assert (told.leakage, told.unpriced) == ({"EUR": Decimal("50.00")}, 0)
    assert [(each.key.key, each.amount, each.currency) for each in told.leaked] == [("1", Decimal("50.00"), "EUR")]


def test_usage_of_which_no_price_is_known_is_counted_and_worth_nothing_that_is_known() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-01")
    story.facts = [each for each in story.facts if each.kind == "usage_batch"]
    story.records.clear()
    story.contracts.clear()

    told = figures(story, Period(date(2025, 1, 1), date(2025, 1, 31)))

    assert (told.unbilled, told.leakage, told.unpriced, told.leaked[0].amount) == (1, {}, 1, None)


def test_a_line_that_bills_too_little_leaks_what_its_price_says_and_one_that_bills_too_much_does_not() -> None:
    short, long = metered_story(), metered_story()
    for story, quantity in ((short, "900"), (long, "1100")):
        story.usage("1", received="2025-02-01")
        story.change(LINE, quantity=quantity)

    assert figures(short).leakage == {"EUR": Decimal("5.00")}
    assert figures(short).differences[0].amount == Decimal("-5.00")
    assert (figures(long).leakage, figures(long).differences[0].amount) == ({}, Decimal("5.00"))


def test_unbilled_usage_is_priced_in_billed_units() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-01")
    story.change(CrosswalkKey("billing", "invoice", INVOICE), period_start="2025-03-01")
    hundreds = read_usage_revenue(
        document("{unit: seat, metric: hundred seats, charged: metered, per: 100, account: erp}")
    )

    told = accuracy(found(story, hundreds), Period(date(2025, 1, 31), date(2025, 2, 28)))

    assert told.leakage == {"EUR": Decimal("0.50")}


def test_units_of_use_become_billed_units_by_the_mapping() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-01")
    story.change(LINE, quantity="1")
    thousands = read_usage_revenue(
        document("{unit: seat, metric: thousand seats, charged: metered, per: 1000, account: erp}")
    )

    assert accuracy(found(story, thousands), FEBRUARY).accuracy == 1.0
    assert accuracy(found(story), FEBRUARY).accuracy == 0.0


def test_the_largest_share_comes_first() -> None:
    story = metered_story()
    story.usage("1", received="2025-02-01")
    story.invoice("INV-2025-000002", start="2025-03-01", issued="2025-02-27", price="0.05", quantity="7", total="0.35")
    story.change(LINE, quantity="900")

    told = figures(story)

    assert [line.number for line in told.differences] == ["INV-2025-000002", "INV-2025-000001"]
    assert (told.units[0].over, told.units[0].under) == (7, 100)
