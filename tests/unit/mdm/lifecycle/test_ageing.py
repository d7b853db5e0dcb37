"""Findings by age: each in one class, and the classes add up."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from mdm.lifecycle.ageing import CLASSES, age_of, aged, class_of
from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.impact import Books, sums_of
from mdm.model.ids import CrosswalkKey

TODAY = date(2026, 3, 31)


def finding(number: int, amount: str = "10.00") -> Finding:
    fact = CrosswalkKey("billing", "invoice", f"{number}")
    return Finding(
        "price_differs_from_contract", "PRICE", Severity.ERROR, (fact,), None, None,
        Decimal(amount), "EUR", "A price differs.", "Correct it.", "Billing",
    )  # fmt: skip


def books(*ages: int) -> Books:
    days = {
        CrosswalkKey("billing", "invoice", f"{number}"): TODAY - timedelta(days=age) for number, age in enumerate(ages)
    }
    return Books({}, {}, {}, days)


@pytest.mark.parametrize(
    ("age", "name"), [(0, "up to 7 days"), (7, "up to 7 days"), (8, "8 to 30 days"), (31, "31 to 90 days"),
                      (90, "31 to 90 days"), (91, "over 90 days"), (10_000, "over 90 days")]
)  # fmt: skip
def test_every_age_is_in_one_class(age: int, name: str) -> None:
    assert CLASSES[class_of(age)][0] == name


def test_a_fact_of_the_future_is_not_of_a_negative_age() -> None:
    assert age_of(finding(0), books(-5), TODAY) == 0
    assert age_of(finding(7), books(), TODAY) == 0, "nor one whose day nobody knows"


def test_the_classes_add_up_to_all_findings() -> None:
    findings = [finding(number, f"-{number}.50") for number in range(4)]

    classes = aged(findings, books(1, 2, 40, 400), TODAY)

    assert [each.findings for each in classes] == [2, 0, 1, 1]
    assert sum((each.amounts.get("EUR", Decimal(0)) for each in classes), Decimal(0)) == sums_of(findings)["EUR"]
