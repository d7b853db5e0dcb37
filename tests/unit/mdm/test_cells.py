"""No cell is a formula."""

import pytest

from mdm.model.cells import harmless


@pytest.mark.parametrize("text", ["=1+1", "+1", "@SUM(A1)", "-1+cmd|' /C calc'!A0", "\tx", "\rx", "-"])
def test_a_text_that_looks_like_a_formula_is_none(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("value", ["Acme", "", None, -5, "-12.50", "a=b"])
def test_everything_else_stays_as_it_is(value: object) -> None:
    assert harmless(value) == value
