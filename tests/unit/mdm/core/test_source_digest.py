"""Buckets and digests of rows: the same rows give the same, in any order; one other value shows in one bucket."""

from pathlib import Path
from typing import Any

import pytest

from mdm.core.source_digest import bucket_digests, bucket_sql, compare_buckets, compare_rows, key_digests
from mdm.errors import OperatorError
from mdm.intake.contracts import Contract
from tests.unit.mdm.intake.messages import CONTRACT, catalogue


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return catalogue(tmp_path).profiles[0].contract


def rows(number: int) -> list[dict[str, Any]]:
    return [{"id": each, "name": f"part {each}", "price": "1.50", "made_on": "2024-01-31"} for each in range(number)]


def test_the_order_of_rows_does_not_matter(contract: Contract) -> None:
    assert bucket_digests(contract, rows(50), 8) == bucket_digests(contract, reversed(rows(50)), 8)


def test_one_other_value_shows_in_one_bucket_and_there_in_one_row(contract: Contract) -> None:
    mine, theirs = rows(50), rows(50)
    mine[7]["name"] = "something else"

    (bucket,) = compare_buckets(bucket_digests(contract, theirs, 8), bucket_digests(contract, mine, 8))
    found = compare_rows(*(key_digests(contract, each, [bucket.bucket], 8) for each in (theirs, mine)))

    assert [(row.key, row.what) for row in found] == [("7", "differs")]


def test_rows_that_only_one_side_has_are_named_by_side(contract: Contract) -> None:
    theirs = key_digests(contract, rows(3), range(8), 8)
    mine = key_digests(contract, [*rows(2), {"id": 9, "name": "new"}], range(8), 8)

    assert [(row.key, row.what) for row in compare_rows(theirs, mine)] == [("2", "missing"), ("9", "surplus")]


@pytest.mark.parametrize(("one", "other"), [("1.50", "1.5"), ("2.00", "2"), ("0.10", "0.1")])
def test_zeros_after_the_point_are_no_difference(contract: Contract, one: str, other: str) -> None:
    first, second = ([{"id": 1, "name": "a", "price": price}] for price in (one, other))

    assert bucket_digests(contract, first, 1) == bucket_digests(contract, second, 1)


def test_null_and_empty_are_a_difference(contract: Contract) -> None:
    first, second = ([{"id": 1, "name": name}] for name in (None, ""))

    assert bucket_digests(contract, first, 1) != bucket_digests(contract, second, 1)


def test_a_source_that_is_no_postgresql_is_refused_with_advice(tmp_path: Path) -> None:
    mysql = CONTRACT.replace(
        "{{property: topicPrefix", "{{property: database, value: mysql}}\n  - {{property: topicPrefix"
    )
    contract = catalogue(tmp_path, contract=mysql).profiles[0].contract

    with pytest.raises(OperatorError, match="mysql"):
        bucket_sql(contract, 8)
