"""Which sensitive attributes differ, and what a change is called."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.core.sensitive import change_of, changed_attributes, origins
from mdm.model.ids import Domain

VAT = {"type": "vat", "country": "NL", "value": "NL169963937B05", "normal": "NL169963937B05", "state": "valid"}
DUNS = {"type": "duns", "country": None, "value": "12-345-6789", "normal": "123456789", "state": "unverifiable"}
NAMES = frozenset({"identifiers", "payment_terms", "blocked"})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {}, ()),
        ({"payment_terms": "NT30"}, {"payment_terms": "NT30", "name": "Acme"}, ()),
        ({"payment_terms": "NT30"}, {"payment_terms": "NT60"}, ("payment_terms",)),
        ({"payment_terms": "NT30"}, {}, ("payment_terms",)),
        ({}, {"payment_terms": "NT30"}, ("payment_terms",)),
        ({"blocked": True}, {"blocked": False, "payment_terms": "NT30"}, ("blocked", "payment_terms")),
        ({"identifiers": [VAT, DUNS]}, {"identifiers": [DUNS, VAT]}, ()),
        ({"identifiers": [VAT]}, {"identifiers": [VAT | {"value": "NL 1699.63.937.B05"}]}, ()),
        ({"identifiers": [VAT]}, {"identifiers": [VAT, DUNS]}, ("identifiers",)),
        ({"identifiers": [VAT]}, {"identifiers": [VAT | {"normal": "NL1"}]}, ("identifiers",)),
        ({"identifiers": []}, {}, ()),
    ],
)
def test_values_differ_not_spellings(before: dict[str, Any], after: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert changed_attributes(Domain.CUSTOMER, NAMES, before, after) == expected


_VALUES = st.dictionaries(st.sampled_from(["blocked", "payment_terms", "name"]), st.sampled_from(["a", "b", True]))


@given(before=_VALUES, after=_VALUES, other=_VALUES)
def test_a_change_is_named_by_both_of_its_values(
    before: dict[str, Any], after: dict[str, Any], other: dict[str, Any]
) -> None:
    found = change_of("cus_1", Domain.CUSTOMER, NAMES, before, after)
    beside = change_of("cus_1", Domain.CUSTOMER, NAMES, before, other)

    assert (found is None) == (not changed_attributes(Domain.CUSTOMER, NAMES, before, after))
    same = all(after.get(name) == other.get(name) for name in NAMES)
    assert (found == beside) == same
    if found is not None:
        assert found != change_of("cus_1", Domain.CUSTOMER, NAMES, after, before)
        assert found != change_of("cus_2", Domain.CUSTOMER, NAMES, before, after)


def test_of_a_union_the_elements_that_came_last_are_where_it_comes_from() -> None:
    def element(key: str, offset: int, day: int) -> dict[str, Any]:
        record = {"system": "crm", "type": "account", "key": key}
        return {
            "record": record, "topic": "crm.public.account", "partition": 0, "offset": offset, "rule": "union",
            "event_time": f"2025-06-0{day}T00:00:00+00:00",
        }  # fmt: skip

    (found,) = origins({"elements": [element("A1", 7, 1), element("A2", 9, 3)]})

    assert str(found) == "crm.account A2 at crm.public.account/0/9 by rule union"
    assert origins(None) == ()
    assert str(origins({"record": None, "rule": "override"})[0]) == "by rule override"
