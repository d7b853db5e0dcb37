"""Which values of a comparison form matching reads: what mappings are checked against."""

from typing import Any

import pytest

from matching.features import FORMS, derive_once


class Asked(dict[str, Any]):
    """A comparison form that remembers what it was asked for."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.names: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.names.add(key)
        return super().get(key, default)


@pytest.mark.parametrize("domain", sorted(FORMS))
def test_the_forms_of_a_domain_are_those_that_are_read(domain: str) -> None:
    numbers = ("start", "end", "value", "annual_value", "term_months")
    full = Asked({name: 1.0 if name in numbers else f"{name}:x:1" for name in FORMS[domain] if "period" not in name})
    empty = Asked({})

    for form in (full, empty):
        derive_once(domain, form, frozenset())

    assert full.names | empty.names == FORMS[domain] | {"self", "distinct_in"}
