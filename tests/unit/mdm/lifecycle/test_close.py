"""When a month is closed, and in whose books a finding belongs: sums stay the sums of reconciliation."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.lifecycle.close import Surroundings, checklist, close_of, current_close
from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.impact import Books, books_of, rows_of, site, sums_of, total
from mdm.lifecycle.material import Material, Stated
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.records import Reference

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
ACME = EntityId("cus_acme")
PARTNER = CrosswalkKey("erp", "business_partner", "1")
QUIET = Surroundings((), 0, 0, 0, 0)


def fact(kind: str, key: str, references: tuple[Reference, ...] = (), **attributes: Any) -> Stated:
    return Stated(CrosswalkKey("x", kind, key), kind, attributes, references, NOON)


def finding(*facts: CrosswalkKey, rule: str = "posting_missing", amount: str | None = "10", **more: Any) -> Finding:
    asked: dict[str, Any] = {"severity": Severity.ERROR, "customer": None, "currency": "EUR"} | more
    worth = Decimal(amount) if amount is not None else None
    return Finding(rule=rule, code="C", facts=facts, contract=None, amount=worth, sentence="", action="Do it.",
                   owner="finance", **asked)  # fmt: skip


@pytest.mark.parametrize(
    ("month", "due"),
    [("2026-10", date(2026, 11, 6)), ("2026-12", date(2027, 1, 7)), ("2026-01", date(2026, 2, 6))],
)
def test_books_close_on_the_fifth_business_day_after_the_month(month: str, due: date) -> None:
    assert close_of(month, 5).due == due


@given(st.dates(date(2020, 1, 1), date(2040, 12, 31)), st.integers(1, 15))
def test_there_is_always_one_month_that_is_being_closed_and_it_is_not_past(today: date, on: int) -> None:
    found = current_close(today, on)

    assert found.days_left(today) >= 0
    assert found.first <= today


def test_findings_belong_to_the_books_in_which_their_invoice_is_posted() -> None:
    invoice = fact("invoice", "i", number="INV-1", issued_at="2026-02-03T00:00:00+00:00")
    posting = fact("posting", "p", (Reference("customer", PARTNER),), company_code="1000", invoice_number="INV-1",
                   posting_date="2026-03-01")  # fmt: skip
    usage = fact("usage_batch", "u", period_end="2026-01-17")
    books = books_of(Material(NOON, [invoice, posting, usage], [], [], {PARTNER: ACME}, {}))

    sited = site(
        [finding(invoice.key), finding(posting.key), finding(usage.key, customer=ACME), finding(usage.key)],
        books, "2026-03",
    )  # fmt: skip

    assert [(each.company, each.month) for each in sited] == [
        ("1000", "2026-02"),
        ("1000", "2026-03"),
        ("1000", "2026-01"),
        ("", "2026-01"),
    ]


@given(
    st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.sampled_from(["posting_missing", "price_differs"]),
            st.none() | st.decimals(-999, 999, places=2).map(str),
            st.sampled_from(["EUR", "USD"]),
        )
    )
)
def test_rows_add_up_to_the_sums_of_reconciliation(found: list[tuple[str, str, str | None, str]]) -> None:
    books = Books(
        {CrosswalkKey("x", "posting", "a"): "1000", CrosswalkKey("x", "posting", "b"): "2000"},
        {CrosswalkKey("x", "posting", "a"): "2026-01"},
        {},
    )
    findings = [
        finding(CrosswalkKey("x", "posting", key), rule=rule, amount=amount, currency=currency)
        for key, rule, amount, currency in found
    ]

    rows = rows_of(site(findings, books, "2026-03"))

    assert total(rows) == sums_of(findings)
    assert sum(row.findings for row in rows) == len(findings)


def test_the_checklist_asks_about_its_own_month_and_is_done_when_nothing_is_open() -> None:
    close = close_of("2026-02", 5)
    books = Books({}, {CrosswalkKey("x", "posting", "a"): "2026-02"}, {})
    sited = site([finding(CrosswalkKey("x", "posting", "a"))], books, "2026-03")

    open_items = [each for each in checklist(close, sited, QUIET) if not each.done]
    assert [(each.title, each.open, dict(each.amounts)) for each in open_items] == [
        ("Nothing of the kind: posting missing", 1, {"EUR": Decimal(10)})
    ]
    assert all(each.done for each in checklist(close_of("2026-01", 5), sited, QUIET))


def test_whatever_waits_keeps_the_month_open() -> None:
    around = Surroundings(("erp",), 1, 2, 3, 4)

    assert [each.open for each in checklist(close_of("2026-02", 5), [], around) if not each.done] == [1, 1, 2, 3, 4]


def test_what_was_not_counted_to_its_end_is_not_called_a_number() -> None:
    around = replace(QUIET, refused=10_001, overdue=10_000, counted_to=10_000)

    waiting = [each for each in checklist(close_of("2026-02", 5), [], around) if not each.done]

    assert [each.open for each in waiting] == [10_000, 10_000]
    assert [each.advice.startswith("More than 10,000 wait") for each in waiting] == [True, False]
