"""Floating-point numbers of Avro, told as the JSON converter tells them."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mdm.intake.wire_numbers import teller

_TELL = teller({"type": "struct", "fields": [{"field": "x", "type": "float"}, {"field": "y", "type": "double"}]})
assert _TELL is not None


def told(x: float | None, y: float | None) -> tuple[object, object]:
    assert _TELL is not None
    result = _TELL({"x": x, "y": y})
    return result["x"], result["y"]


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_short_number_is_told_with_its_own_digits(number: float) -> None:
    short, _ = told(number, None)

    assert isinstance(short, float)
    assert struct.pack("f", short) == struct.pack("f", number)
    assert len(repr(short)) <= len(repr(number))


@pytest.mark.parametrize(
    ("number", "text"), [(float("nan"), "NaN"), (float("inf"), "Infinity"), (float("-inf"), "-Infinity")]
)
def test_numbers_that_json_does_not_have_are_texts(number: float, text: str) -> None:
    assert told(number, number) == (text, text)


def test_values_without_floats_need_nothing() -> None:
    assert teller({"type": "struct", "fields": [{"field": "n", "type": "int32"}]}) is None
