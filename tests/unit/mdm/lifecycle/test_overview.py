"""Findings on shelves: the same order, sums and pages as looking through all of them would give."""

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from mdm.lifecycle import ageing
from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.impact import Books, sums_of
from mdm.lifecycle.overview import Overview, by_name
from mdm.model.ids import CrosswalkKey, EntityId
from mdm.model.worklist import Impact, Priority

TODAY = date(2026, 3, 1)
ACME = EntityId("cus_acme")


def finding(number: int, rule: str, currency: str | None) -> Finding:
    key = CrosswalkKey("billing", "invoice", f"{number:03d}")
    severity = Severity.ERROR if rule == "b" else Severity.WARNING
    amount = None if currency is None else Decimal(number)
    customer = ACME if number % 2 else None
    return Finding(rule, rule.upper(), severity, (key,), customer, customer, amount, currency, "", "", "finance")


FINDINGS = st.lists(
    st.builds(finding, st.integers(0, 300), st.sampled_from("abc"), st.sampled_from(["EUR", "JPY", None])),
    unique_by=lambda each: (each.rule, each.subject),
)


def points(each: Finding) -> float:
    """As many findings have the same as not."""
    return int(each.subject.key) % 7 / 10


def overview(findings: list[Finding]) -> tuple[Overview, Books]:
    days = {each.subject: TODAY - timedelta(days=int(each.subject.key)) for each in findings}
    books = Books({}, {}, {}, days)
    priorities = {(each.rule, each.subject): Priority(points(each), (), Impact({}, {})) for each in findings}
    return Overview(findings, books, TODAY, priorities), books


@given(FINDINGS)
def test_every_shelf_holds_what_looking_through_all_findings_would(findings: list[Finding]) -> None:
    made, books = overview(findings)
    for rule in (None, *"abc"):
        of_rule = [each for each in findings if rule in (None, each.rule)]
        assert made.ages(rule) == ageing.aged(of_rule, books, TODAY)
        for age in (None, *range(len(ageing.CLASSES))):
            meant = [each for each in of_rule if age in (None, ageing.class_of(made.age_of(each)))]
            shelf = made.shelf(rule, age)
            assert shelf.findings == sorted(meant, key=made.place_of)
            assert shelf.sums == sums_of(meant)
            assert made.picked(of_rule, age) == shelf
    assert made.about(ACME).findings == sorted((each for each in findings if each.customer), key=made.place_of)
    assert all(made.named(each.rule, each.subject) == each for each in findings)


@given(FINDINGS, st.integers(1, 7))
def test_pages_hold_each_finding_once_the_most_urgent_first(findings: list[Finding], size: int) -> None:
    shelf = overview(findings)[0].shelf()
    read: list[Finding] = []
    while page := shelf.behind(shelf.place(read[-1]) if read else None, size):
        read += page

    assert read == shelf.findings
    urgency = [points(each) for each in read]
    assert urgency == sorted(urgency, reverse=True)


@given(FINDINGS, st.integers(1, 7))
def test_what_is_downloaded_goes_on_behind_its_name_whatever_became_urgent(findings: list[Finding], size: int) -> None:
    books = Books({}, {}, {}, {})
    before = by_name(overview(findings)[0].shelf())
    after = by_name(Overview(findings, books, TODAY).shelf())

    first = list(before.behind(None, size))
    rest = after.behind(before.place(first[-1]), len(findings)) if first else ()
    assert [*first, *rest] == sorted(findings, key=lambda each: (each.rule, each.subject))


def test_rules_come_errors_first_and_the_largest_first() -> None:
    made, _ = overview([finding(1, "a", None), finding(2, "c", None), finding(3, "c", None), finding(4, "b", None)])

    assert [(rule, len(shelf.findings)) for rule, shelf in made.rules()] == [("b", 1), ("c", 2), ("a", 1)]
    assert made.named("a", CrosswalkKey("billing", "invoice", "999")) is None
