"""What money, the close and customers add to a priority; sums are measured by what is much in their currency."""

from datetime import date
from decimal import Decimal

import pytest

from mdm.core.four_eyes import Demand, Policy, much_money
from mdm.core.worklist import close_part, customer_part, impact_parts, money_part
from mdm.model.worklist import Affected, CustomerWeights, CutOff, Measures, MuchMoney

MUCH = MuchMoney({"EUR": Decimal(250_000), "JPY": Decimal(40_000_000)}, Decimal(100_000))


def points(**amounts: int) -> float:
    part = money_part({currency: Decimal(amount) for currency, amount in amounts.items()}, MUCH)
    return 0.0 if part is None else part.points


def test_ten_million_yen_rank_below_a_million_euros() -> None:
    assert points(JPY=10_000_000) < points(EUR=1_000_000)
    assert points(JPY=40_000_000) == points(EUR=250_000), "each is as much as is much in its currency"
    assert points(EUR=2_500) == pytest.approx(points(EUR=250_000) - 16), "a factor of ten is worth eight points"
    assert points(CHF=100_000) == points(EUR=250_000), "a currency without a limit is measured by that of all others"
    assert points(EUR=-5, JPY=0) == 0
    assert points(EUR=10**15) == 48.0


def test_the_reason_names_the_sum_that_weighs_most_and_its_measure() -> None:
    part = money_part({"JPY": Decimal(900_000), "EUR": Decimal(90_000)}, MUCH)

    assert part is not None
    assert part.reason == ("90\u202f000 EUR in open invoices and running contracts, where 250\u202f000 EUR is much")
    unnamed = money_part({"": Decimal(50_000)}, MUCH)
    assert unnamed is not None
    assert "50\u202f000 of no currency in open" in unnamed.reason


def test_much_is_the_lowest_amount_that_needs_a_second_person() -> None:
    demands = [
        Demand("one", "", frozenset(), amount={"EUR": Decimal(100), "*": Decimal(70)}),
        Demand("two", "", frozenset(), amount={"EUR": Decimal(50), "GBP": Decimal(0)}),
        Demand("three", "", frozenset(), merges=True),
    ]

    much = much_money(Policy("1", 14, tuple(demands)))

    assert (much.limit("EUR"), much.limit("JPY"), much.limit("GBP")) == (Decimal(50), Decimal(70), Decimal(70))
    assert much_money(Policy("none", 14)).limit("EUR") == Decimal(250_000), "nothing is divided by nothing"


def cut_off(days_left: int) -> CutOff:
    return CutOff("2026-10", date(2026, 11, 6), days_left)


def test_the_nearer_the_cut_off_the_sooner_what_is_in_its_books() -> None:
    near, later = close_part(3, cut_off(1)), close_part(3, cut_off(6))

    assert near is not None
    assert later is not None
    assert near.points == later.points + 5, "a point more a day, as for waiting: the order among them stays"
    assert near.reason == "3 documents of 2026-10, whose books close tomorrow"
    assert close_part(0, cut_off(0)) is None, "what is in no books of the month can wait for the next"
    assert close_part(1, cut_off(15)) is None, "the cut-off is far"
    today = close_part(1, cut_off(0))
    assert today is not None
    assert today == (15.0, "1 document of 2026-10, whose books close today")


WEIGHTS = CustomerWeights({"Enterprise": 8, "SMB": 1}, 1000)


def customer_points(*tiers: str, users: int = 0) -> float:
    part = customer_part(Affected(customers=1, tiers=tiers, users=users), WEIGHTS)
    return 0.0 if part is None else part.points


def test_a_larger_customer_and_more_users_come_sooner() -> None:
    assert customer_points("Enterprise") > customer_points("SMB") > customer_points("unheard of") == 0
    assert customer_points("SMB", "Enterprise") == customer_points("Enterprise"), "the best tier counts, not the sum"
    assert customer_points(users=500) > customer_points(users=5) > 0
    assert customer_points(users=10**9) == customer_points(users=1000) == 8
    told = customer_part(Affected(customers=1, tiers=("Enterprise",), users=1200), WEIGHTS)
    assert told is not None
    assert told.reason == "a customer of tier Enterprise with 1\u202f200 users may be affected"


def test_inputs_are_told_also_where_they_add_nothing() -> None:
    parts, impact = impact_parts(Affected(), Measures(MUCH, cut_off(20), WEIGHTS))

    assert parts == (None, None)
    assert impact.close_impact == {
        "month": "2026-10", "due": "2026-11-06", "days_left": 20, "documents": 0, "points": 0.0
    }  # fmt: skip
    assert impact.customer_exposure == {"customers": 0, "tiers": [], "users": 0, "points": 0.0}
