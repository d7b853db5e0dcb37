"""Findings in the order in which they should be looked at: ranks above, and says why."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from mdm.core.finding_order import rank_finding
from mdm.lifecycle.findings import Finding, Severity
from mdm.lifecycle.stakes import Stake
from mdm.model.ids import CrosswalkKey
from mdm.model.worklist import CustomerWeights, CutOff, Measures, MuchMoney, Priority

MUCH = MuchMoney({"EUR": Decimal(250_000), "JPY": Decimal(40_000_000)}, Decimal(250_000))
CLOSING = CutOff("2026-10", date(2026, 11, 6), 2)
MEASURES = Measures(MUCH, CLOSING, CustomerWeights({"Enterprise": 8.0, "SMB": 1.0}))
INVOICE = CrosswalkKey("billing", "invoice", "1")
NOTHING = Stake()
PLAIN = Finding(
    "posting_missing",
    "POSTING_MISSING",
    Severity.ERROR,
    (INVOICE,),
    None,
    None,
    Decimal(1000),
    "EUR",
    "",
    "",
    "finance",
)


def rank(finding: Finding = PLAIN, stake: Stake = NOTHING, days: int = 0, measures: Measures = MEASURES) -> Priority:
    return rank_finding(finding, stake, days, measures)


def worth(amount: str | None, currency: str | None = "EUR", severity: Severity = Severity.ERROR) -> Finding:
    return replace(PLAIN, amount=None if amount is None else Decimal(amount), currency=currency, severity=severity)


@pytest.mark.parametrize(
    ("sooner", "later"),
    [
        ((worth("50000"),), (worth("500"),)),
        ((worth("-50000"),), (worth("500"),)),
        ((worth("300000", "EUR"),), (worth("3000000", "JPY"),)),
        ((worth("100"),), (worth("100", severity=Severity.WARNING),)),
        ((worth("300000", severity=Severity.WARNING),), (worth("5"),)),
        ((worth("100"), Stake({"EUR": Decimal(500_000)})), (worth("100"), Stake({"EUR": Decimal(500)}))),
        ((worth("50000"), Stake({"EUR": Decimal(50_000)})), (worth("50"), Stake({"EUR": Decimal(5_000_000)}))),
        ((worth(None, None), Stake({"EUR": Decimal(500)})), (worth(None, None),)),
        ((PLAIN, Stake(months={"2026-10": 1})), (PLAIN, Stake(months={"2026-09": 9}))),
        ((PLAIN, Stake(tier=1)), (PLAIN, Stake(tier=2))),
        ((PLAIN, Stake(tier=2)), (PLAIN, Stake(tier=3))),
        ((PLAIN, Stake(segments=("Enterprise",))), (PLAIN, Stake(segments=("SMB",)))),
        ((PLAIN, Stake(users=1000)), (PLAIN, Stake(users=10))),
        ((PLAIN, NOTHING, 9), (PLAIN, NOTHING, 2)),
        ((worth("50000"), NOTHING, 0), (worth("50"), NOTHING, 700)),
    ],
)
def test_stands_before(sooner: tuple[Finding, Stake, int], later: tuple[Finding, Stake, int]) -> None:
    assert rank(*sooner).points > rank(*later).points


def test_the_same_month_counts_for_more_the_nearer_its_cut_off_and_for_nothing_long_before() -> None:
    stake = Stake(months={"2026-10": 3})
    soon, late = (
        rank(stake=stake, measures=replace(MEASURES, cut_off=replace(CLOSING, days_left=days))).points
        for days in (1, 10)
    )
    far = rank(stake=stake, measures=replace(MEASURES, cut_off=replace(CLOSING, days_left=40))).points

    assert soon - late == pytest.approx(9.0)
    assert far == rank().points


def test_every_part_says_why_the_weightiest_first_and_they_add_up() -> None:
    found = rank(worth("1200"), Stake({"EUR": Decimal(48_000)}, {"2026-10": 2}, 1, 1, ("Enterprise",), 40), days=23)

    assert found.points == pytest.approx(sum(each.points for each in found.parts), abs=0.05)
    assert [each.points for each in found.parts] == sorted((each.points for each in found.parts), reverse=True)
    assert {each.reason for each in found.parts} == {
        "1\u202f200 EUR do not agree, where 250\u202f000 EUR is much",
        "an error: it costs money or breaks a promise",
        "of tier 1: money moves by one of its tables",
        "2 documents of 2026-10, whose books close in 2 days",
        "a customer of tier Enterprise with 40 users may be affected",
        "23 days old",
    }
    assert (found.impact.close_impact["documents"], found.impact.customer_exposure["users"]) == (2, 40)


@pytest.mark.parametrize(
    ("amount", "chain", "told"),
    [
        (None, "48000", "48\u202f000 EUR run through the same contract or invoices"),
        ("200", "4800000", "4\u202f800\u202f000 EUR run through the same contract or invoices"),
        ("200", "200", "200 EUR do not agree"),
        ("60000", "4800000", "60\u202f000 EUR do not agree"),
    ],
)
def test_money_counts_once_what_does_not_agree_or_what_runs_through_the_same_chain(
    amount: str | None, chain: str, told: str
) -> None:
    found = rank(worth(amount), Stake({"EUR": Decimal(chain)}))

    (money,) = [each.reason for each in found.parts if "is much" in each.reason]
    assert money == f"{told}, where 250\u202f000 EUR is much"


def test_of_what_nothing_is_known_only_its_gravity_counts() -> None:
    found = rank(worth(None, None))

    assert [each.reason for each in found.parts] == ["an error: it costs money or breaks a promise"]
    assert rank(worth(None, None, Severity.WARNING)).parts == ()
