"""Which values of a comparison form matching reads: what mappings are checked against."""

from collections.abc import Mapping
from typing import Any

import pytest

from matching.features import COLUMNS, FORMS, derive_once

_NUMBERS = ("start", "end", "value", "annual_value", "term_months")
#: Names that some domain reads, or that are columns of one.
_NAMES = sorted({name for each in (*FORMS.values(), *COLUMNS.values()) for name in each} | {"tokens", "anything else"})


@pytest.mark.parametrize("domain", sorted(FORMS))
def test_the_forms_of_a_domain_are_those_that_are_read(domain: str) -> None:
    def value(name: str, alike: bool) -> Any:
        return 1.0 if name in _NUMBERS else "all:x:1" if alike else f"{name}:x:1"

    def matters(name: str) -> bool:
        def tells(form: Mapping[str, Any], told: Any) -> bool:
            beside = {**form, name: told}
            return derive_once(domain, beside, frozenset()) != derive_once(domain, form, frozenset())

        others = [each for each in FORMS[domain] if "period" not in each and each != name]
        # One value in all of them: what is only taken off another matters where that has it.
        return tells({}, value(name, alike=False)) or any(
            tells({each: value(each, alike) for each in others}, value(name, alike)) for alike in (False, True)
        )

    read = {name for name in _NAMES if matters(name)}

    assert {name for name in read if "period" not in name} - {"self", "distinct_in"} == {
        name for name in FORMS[domain] if "period" not in name
    }
