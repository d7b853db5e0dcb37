"""Which values of a comparison form matching reads: what mappings are checked against."""

from typing import Any

import pytest

from matching.features import COLUMNS, FORMS, derive_once

_NUMBERS = ("start", "end", "value", "annual_value", "term_months")
#: Names that some domain reads, or that are columns of one.
_NAMES = sorted({name for each in (*FORMS.values(), *COLUMNS.values()) for name in each} | {"tokens", "anything else"})


@pytest.mark.parametrize("domain", sorted(FORMS))
def test_the_forms_of_a_domain_are_those_that_are_read(domain: str) -> None:
    def value(name: str) -> Any:
        return 1.0 if name in _NUMBERS else f"{name}:x:1"

    def matters(name: str) -> bool:
        without = {each: value(each) for each in FORMS[domain] if "period" not in each and each != name}
        return any(
            derive_once(domain, {**form, name: value(name)}, frozenset()) != derive_once(domain, form, frozenset())
            for form in (without, {})
        )

    read = {name for name in _NAMES if matters(name)}

    assert {name for name in read if "period" not in name} - {"self", "distinct_in"} == {
        name for name in FORMS[domain] if "period" not in name
    }
