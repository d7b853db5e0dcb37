"""Numbers of every scheme are judged as their issuers' rules say."""

import csv
from collections import Counter
from pathlib import Path

import pytest

from mdm.errors import OperatorError
from mdm.onboarding.schemes import is_malformed, judge

_VECTORS = Path(__file__).parent / "vectors" / "identifiers.csv"


def test_known_numbers_are_judged_as_labelled() -> None:
    with _VECTORS.open(newline="") as stream:
        rows = list(csv.DictReader(stream))

    wrong = [row for row in rows if judge(row["scheme"], row["number"]).valid != (row["valid"] == "1")]

    assert not wrong
    assert Counter(row["valid"] for row in rows)["0"] > 200


def test_what_is_wrong_has_a_name() -> None:
    assert judge("lei", "213800KUD8LAJWSQ9D16").fault == "InvalidChecksum"
    assert judge("iban", "DE89 3704 0044 0532 0130 00").compact == "DE89370400440532013000"


@pytest.mark.parametrize("scheme", ["no.such", "util", "../os", "stdnum", "de.vat.x", ""])
def test_a_scheme_that_does_not_exist_is_refused(scheme: str) -> None:
    with pytest.raises(OperatorError, match="no identifier scheme"):
        judge(scheme, "1")


@pytest.mark.parametrize(("number", "malformed"), [("DE136695978", False), ("DE1366959", True), ("DE13669597X", True)])
def test_a_wrong_length_is_told_from_a_wrong_check_digit(number: str, malformed: bool) -> None:
    assert is_malformed("DE", number) is malformed


@pytest.mark.parametrize(
    ("country", "number", "malformed"),
    [("CH", "CHE100155213", False), ("CH", "CHE10015521", True), ("NO", "988077918", False), ("NO", "98807791", True)],
)
def test_a_number_without_the_mark_of_its_tax_is_judged_by_its_digits(
    country: str, number: str, malformed: bool
) -> None:
    assert is_malformed(country, number) is malformed
