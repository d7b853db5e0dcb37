"""What money adds to a priority: sums of different currencies are measured by what is much in each."""

from decimal import Decimal

import pytest

from mdm.core.four_eyes import Demand, Policy, much_money
from mdm.core.worklist import money_part
from mdm.model.worklist import MuchMoney

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
