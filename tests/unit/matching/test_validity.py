"""Which groups of records can never be one entity, case by case."""

import pytest

from matching.validity import (
    DIFFERENT_IDENTIFIERS,
    PARENT,
    SAME_SOURCE,
    Facts,
    contradiction,
    differing,
)


def knows(*numbers: str, kind: str = "vat:nl") -> Facts:
    return Facts({kind: frozenset(numbers)}, frozenset(), frozenset())


def named(name: str, *, under: str | None = None) -> Facts:
    return Facts({}, frozenset({name}), frozenset({under} if under else ()))


def of_source(source: str) -> Facts:
    return Facts({}, frozenset(), frozenset(), frozenset({source}))


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        pytest.param(knows("123456789"), knows("123456789"), None, id="one number"),
        pytest.param(knows("123456789"), knows("123456780"), None, id="one digit is wrong"),
        pytest.param(knows("123456789"), knows("12345678"), None, id="one digit is missing"),
        pytest.param(knows("123456789"), knows("123465789"), None, id="two neighbours are swapped"),
        pytest.param(knows("123456789"), knows("123456700"), DIFFERENT_IDENTIFIERS, id="two digits differ"),
        pytest.param(knows("123456789"), knows("1234567"), DIFFERENT_IDENTIFIERS, id="two digits are missing"),
        pytest.param(knows("123456789"), knows("987654321"), DIFFERENT_IDENTIFIERS, id="another number"),
        pytest.param(
            knows("123456789", "123456780"), knows("123456780", "123456700"), DIFFERENT_IDENTIFIERS, id="chain of slips"
        ),
        pytest.param(
            knows("123456789", "987654321"), knows("123456789"), DIFFERENT_IDENTIFIERS, id="one of two is another"
        ),
        pytest.param(knows("123456789"), knows("987654321", kind="vat:be"), None, id="numbers of two kinds"),
        pytest.param(named("head"), named("branch", under="head"), PARENT, id="parent and subsidiary"),
        pytest.param(named("branch", under="head"), named("other", under="head"), None, id="two subsidiaries"),
        pytest.param(of_source("crm"), of_source("crm"), SAME_SOURCE, id="source without duplicates"),
        pytest.param(of_source("crm"), of_source("erp"), None, id="two such sources"),
    ],
)
def test_what_two_groups_state_speaks_against_one_entity_whichever_is_asked_first(
    first: Facts, second: Facts, why: str | None
) -> None:
    assert contradiction(first, second) == why
    assert contradiction(second, first) == why


def test_kinds_that_differ_are_named() -> None:
    first = knows("123456789").union(knows("529900", kind="lei")).union(knows("HRB 1", kind="register"))
    second = knows("987654321").union(knows("529900", kind="lei")).union(knows("4711", kind="duns"))

    assert differing(first, second) == ["vat:nl"]
    assert differing(first, first) == []
