"""What rows state is read as far as it can be: what is no day or no number is not known, and ends nothing."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from mdm.lifecycle.business_time import happened_at
from tests.unit.mdm.lifecycle.story import ACCOUNT_KEY, LONG_AGO, clean_story, row

#: Every attribute that is read as a day, an instant or a number.
_READ = ("issued_at", "period_start", "period_end", "due_date", "start_date", "end_date", "valid_from", "valid_to",
         "posting_date", "received_at", "order_date", "activated_on", "validated_on", "total", "amount", "quantity",
         "unit_amount", "value", "amount_paid")  # fmt: skip


@pytest.mark.parametrize("said", ["soon", "", "2025-13-45", "0", "NaN", "Infinity", "-", "2025", "\u0660"])
def test_a_row_that_states_nonsense_ends_no_run(said: str) -> None:
    story = clean_story()
    story.invoice()
    story.entry()
    assert story.findings() == ()
    other = story.invoice("INV-2025-000002", start="2025-03-01", issued="2025-03-03", currency="USD")
    for fact in list(story.facts):
        if fact.key != other:
            story.change(fact.key, **{name: said for name in _READ if name in fact.attributes})
    for key in list(story.records):
        story.change(key, **{name: said for name in _READ if name in story.records[key].attributes})
    for golden in story.contracts.values():
        golden.update({name: said for name in _READ if name in golden})

    assert "currency_mismatch" in story.found(), "of the invoice that states what it should"


@pytest.mark.parametrize(
    ("said", "day", "instant"),
    [
        ("2025-02-03", date(2025, 2, 3), datetime(2025, 2, 3, tzinfo=UTC)),
        ("2025-02-03T10:00:00+02:00", date(2025, 2, 3), datetime(2025, 2, 3, 8, tzinfo=UTC)),
        ("2025-02-03T10:00:00", date(2025, 2, 3), datetime(2025, 2, 3, 10, tzinfo=UTC)),
        ("soon", None, None),
        (None, None, None),
    ],
)
def test_days_and_instants(said: str | None, day: date | None, instant: datetime | None) -> None:
    stated = row("invoice", ACCOUNT_KEY, {"issued_at": said})

    assert stated.day("issued_at") == day
    assert stated.instant("issued_at") == instant
    assert happened_at(stated) == (instant or LONG_AGO)


@pytest.mark.parametrize(
    ("said", "amount"), [("1.50", Decimal("1.50")), ("NaN", None), ("-Infinity", None), ("x", None)]
)
def test_amounts_are_finite(said: str, amount: Decimal | None) -> None:
    assert row("invoice", ACCOUNT_KEY, {"total": said}).amount("total") == amount
