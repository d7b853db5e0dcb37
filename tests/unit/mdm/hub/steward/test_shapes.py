"""What a steward pins has the form that the same value of a source would have."""

from typing import Any

import pytest

from mdm.errors import Invalid
from mdm.hub.steward.shapes import completed, refuse_misshapen
from mdm.model.canonical import ATTRIBUTES, CUSTOMER, Attribute
from mdm.model.ids import Domain

_OF_CUSTOMER = {each.name: each for each in CUSTOMER}


def pinned(attribute: Attribute, value: Any) -> Any:
    refuse_misshapen(attribute, value)
    return completed(attribute, value)


@pytest.mark.parametrize(
    ("attribute", "value", "golden"),
    [
        ("country", "Netherlands", "NL"),
        ("country", "nl", "NL"),
        ("currency", "eur", "EUR"),
        ("language", "de-AT", "de"),
        ("address", {"city": "Wien", "country": "Österreich"}, {"city": "Wien", "country": "AT"}),
        ("address", {"city": "Wien"}, {"city": "Wien"}),
        ("industry", "Netherlands", "Netherlands"),
    ],
)
def test_a_country_currency_or_language_is_pinned_by_its_code(attribute: str, value: Any, golden: Any) -> None:
    assert pinned(_OF_CUSTOMER[attribute], value) == golden


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("country", "Atlantis"),
        ("country", "ZZ"),
        ("currency", "Euro"),
        ("language", "Dutch"),
        ("address", {"country": "?"}),
    ],
)
def test_one_that_there_is_not_is_refused_without_repeating_it(attribute: str, value: Any) -> None:
    with pytest.raises(Invalid, match="There is no such") as refused:
        pinned(_OF_CUSTOMER[attribute], value)
    assert str(value) not in refused.value.message + refused.value.advice
    assert "such as" in refused.value.advice


def test_the_currency_of_a_contract_is_one_too() -> None:
    currency = next(each for each in ATTRIBUTES[Domain.CONTRACT] if each.name == "currency")

    assert pinned(currency, "usd") == "USD"
