"""Clearance and masks."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.access import HIDDEN, Role, ending, mask, may_see
from mdm.model.canonical import DataClass, Shape


@pytest.mark.parametrize(
    ("role", "highest"),
    [
        (Role.READER, DataClass.INTERNAL),
        (Role.ERP, DataClass.CONFIDENTIAL),
        (Role.STEWARD, DataClass.CONFIDENTIAL),
        (Role.ADMIN, DataClass.RESTRICTED),
    ],
)
def test_a_role_sees_up_to_its_clearance(role: Role, highest: DataClass) -> None:
    seen = [data_class for data_class in DataClass if may_see(role, data_class)]

    assert seen[-1] is highest
    assert seen == list(DataClass)[: len(seen)]


@given(st.text())
def test_a_hidden_text_shows_at_most_half_of_itself(text: str) -> None:
    shown = ending(text).removeprefix(HIDDEN)

    assert len(shown) <= min(4, len(text) / 2)
    assert text.endswith(shown)


@pytest.mark.parametrize(
    ("shape", "value", "hidden"),
    [
        (Shape.TEXT, "NL169963937B05", "***7B05"),
        (Shape.CODE, "Z060", "***"),
        (Shape.TEXTS, ["a name of some length", "x"], ["***ngth", "***"]),
        (
            Shape.IDENTIFIERS,
            [{"type": "vat", "country": "NL", "value": "NL169963937B05", "normal": "NL169963937B05", "state": "valid"}],
            [{"type": "vat", "country": "NL", "value": "***7B05", "normal": "***7B05", "state": "valid"}],
        ),
        (Shape.IDENTIFIERS, {"type": "duns", "value": "12345"}, {"type": "duns", "value": "***"}),
        (Shape.EMAILS, [{"value": "maud@acme.example", "shared": False}], [{"value": "***mple", "shared": False}]),
        (Shape.PHONES, [{"value": "0031 30 972", "digits": 31}], [{"value": "*** 972", "digits": None}]),
        (Shape.DECIMAL, "120000.00", None),
        (Shape.BOOLEAN, True, None),
        (Shape.INTEGER, 7, None),
        (Shape.DATE, "2025-01-01", None),
        (Shape.ADDRESS, {"street": "Main"}, None),
        (Shape.TEXT, None, None),
        (Shape.TEXT, {"unexpected": "form"}, None),
    ],
)
def test_a_mask_keeps_the_form_and_hides_the_value(shape: Shape, value: Any, hidden: Any) -> None:
    assert mask(shape, value) == hidden
