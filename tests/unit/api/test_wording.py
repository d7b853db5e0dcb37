"""How numbers and amounts are told."""

import pytest

from api.console.wording import added, amount, counted, named, plainly
from mdm.access import HIDDEN


@pytest.mark.parametrize(
    ("value", "currency", "told"),
    [
        ("1234567.8", "EUR", "1\u202f234\u202f568 EUR"),
        ("12.5", "EUR", "12.50 EUR"),
        (None, "EUR", "–"),
        (HIDDEN, "EUR", HIDDEN),
        ("2***", None, "2***"),
    ],
)
def test_an_amount_is_told_for_judging_and_a_masked_one_stays_masked(
    value: str | None, currency: str | None, told: str
) -> None:
    assert amount(value, currency) == told


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("Task 5 is user:ann's. Ask them.", "Task 5 is ann's. Ask them."),
        ("oidc:https://id.example/ann#7 said so", "https://id.example/ann#7 said so"),
        ("superuser:x and a time 12:30 stay", "superuser:x and a time 12:30 stay"),
    ],
)
def test_people_are_called_by_their_names(written: str, told: str) -> None:
    assert named(written) == told


def test_what_was_counted_up_to_a_number_says_so() -> None:
    assert [added(number) for number in (9, 10_000, 10_001)] == ["9", "10\u202f000", "10\u202f000+"]
    assert [counted(number) for number in (999, 1000)] == ["999", "999+"]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "–"),
        ([], "–"),
        (True, "yes"),
        (0, "0"),
        (["sensitive attribute", "erp"], "sensitive attribute, erp"),
        ({"key": "1", "row_type": "account"}, "key 1, row type account"),
        ([{"key": "1"}, {"key": "2"}], "key 1; key 2"),
    ],
)
def test_what_the_audit_keeps_is_told_in_words(value: object, told: str) -> None:
    assert plainly(value) == told
