"""Which statements make a recycled identifier: a function of what was said, and of nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from matching.features.customer import customer_features
from matching.features.demoted import DEMOTED
from mdm.core.recycled import Statement, recycled_key, recycled_number
from mdm.model.events import SourcePosition
from mdm.model.ids import CrosswalkKey

VAT = "vat:de:de811128135"
DAY = datetime(2025, 1, 1, tzinfo=UTC)
COMPANIES: tuple[dict[str, Any], ...] = (
    {"name": "nordlicht optik", "country": "de", "phones": ["497112155560"], "domains": ["nordlicht.de"]},
    {"name": "nordlicht optik sued", "country": "de", "phones": ["497112155560"]},
    {"name": "verlagshaus bremer stern", "country": "fr", "phones": ["494213610"], "domains": ["stern.fr"]},
    {"name": "piori", "country": "us", "phones": ["12064744875"]},
)


def statement(row: str, company: int, start: int, end: int | None) -> Statement:
    return Statement(
        CrosswalkKey("crm", "account", row),
        SourcePosition(start, start, 0, 1),
        None if end is None else SourcePosition(end, end, 0, 1),
        DAY + timedelta(days=start),
        None if end is None else DAY + timedelta(days=end),
        COMPANIES[company]["name"],
        {
            **COMPANIES[company],
            "name_sorted": " ".join(sorted(COMPANIES[company]["name"].split())),
            "name_compact": COMPANIES[company]["name"].replace(" ", ""),
            "identifiers": [VAT],
        },
    )


def test_one_after_another_is_recycled_and_one_beside_another_is_shared() -> None:
    first, later, beside = statement("1", 0, 1, 5), statement("2", 2, 6, None), statement("2", 2, 3, None)

    found = recycled_number("crm", "account", VAT, [later, first])

    assert found is not None
    assert [(each.name, each.until is None) for each in found.holders] == [
        ("nordlicht optik", False), ("verlagshaus bremer stern", True),
    ]  # fmt: skip
    assert recycled_number("crm", "account", VAT, [first, beside]) is None


def test_a_row_that_keeps_its_number_stays_one_company_and_its_key_goes_by_what_else_it_says() -> None:
    said = [statement("1", 0, 1, 5), statement("1", 2, 5, None)]

    assert recycled_number("crm", "account", VAT, said) is None
    assert recycled_key(CrosswalkKey("crm", "account", "1"), said) is None, "the number is the same"
    without = [replace(each, comparison={**each.comparison, "identifiers": []}) for each in said]
    assert recycled_key(CrosswalkKey("crm", "account", "1"), without) is not None


@given(
    st.lists(
        st.tuples(st.sampled_from("123"), st.integers(0, 3), st.integers(1, 20), st.integers(0, 8)),
        min_size=1, max_size=8,
    ),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_the_order_of_arrival_changes_nothing(told: list[tuple[str, int, int, int]], chance: Any) -> None:
    said = [statement(row, company, at, at + long if long else None) for row, company, at, long in told]
    mixed = list(said)
    chance.shuffle(mixed)

    assert recycled_number("crm", "account", VAT, said) == recycled_number("crm", "account", VAT, mixed)


def test_what_is_demoted_counts_neither_for_a_pair_nor_against_it() -> None:
    form = {"name": "piori", "identifiers": [VAT, "lei::724500bd7v9e7ao2nj77"], "self": ["crm:account:1"],
            "tokens": ["contract:ct1"], "former_names": ["alpha"]}  # fmt: skip

    number = customer_features({**form, DEMOTED: [VAT]}, frozenset())
    key = customer_features({**form, DEMOTED: ["crm:account:1"]}, frozenset())

    assert number["identifiers"] == ("lei::724500bd7v9e7ao2nj77",)
    assert number["exclusive"] == ("lei::724500bd7v9e7ao2nj77",)
    assert number["evidence"] == ("contract:ct1",)
    assert {"self", "evidence", "former_names"}.isdisjoint(key)
    assert key["table"] == "crm:account"
